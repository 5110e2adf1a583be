package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"gansim.example/kernels/jupyter"
)

func kernelCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "kernel",
		Short: "Install the notebook kernels for Jupyter",
		Long: "Kernel installs, removes and lists gansim's kernels for Jupyter: Go in notebooks, one\n" +
			"kernel for each backend that opens.",
		Example: "  gansim kernel install --user\n  gansim kernel list",
		Args:    verbs,
		RunE:    group,
	}
	c.AddCommand(kernelInstallCommand(), kernelUninstallCommand(), kernelListCommand(),
		kernelRunCommand(), kernelGuardCommand(), kernelModuleCommand())
	return c
}

// placeFlags adds the flags that say where kernels are.
func placeFlags(c *cobra.Command) *jupyter.InstallConfig {
	var config jupyter.InstallConfig
	c.Flags().BoolVar(&config.User, "user", false, "in your own folder of Jupyter")
	c.Flags().StringVar(&config.Prefix, "prefix", "", "in `folder`/share/jupyter")
	c.Flags().BoolVar(&config.SysPrefix, "sys-prefix", false, "in the active Python environment")
	c.Flags().StringVar(&config.Name, "name", "", "`word` that begins the kernels' names (default gansim)")
	c.Args = func(c *cobra.Command, args []string) error {
		chosen := 0
		for _, name := range []string{"user", "prefix", "sys-prefix"} {
			if c.Flags().Changed(name) {
				chosen++
			}
		}
		if chosen > 1 {
			return misused(c, "%s: more than one of --user, --prefix, --sys-prefix", c.CommandPath())
		}
		return arguments()(c, args)
	}
	return &config
}

func kernelInstallCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "install",
		Short: "Install a kernel for each backend that opens",
		Long: "Install builds the pinned GoNB, goimports and gopls (the first time about a minute) and\n" +
			"writes the kernels where Jupyter finds them: in the active Python environment, else in your\n" +
			"own folder of Jupyter.",
		Example: "  gansim kernel install\n  gansim kernel install --prefix ~/venv --memory 8GB",
	}
	config := placeFlags(c)
	c.Flags().StringVar(&config.Memory, "memory", "",
		"limit for cells: a share, a size or off (default "+jupyter.DefaultMemory+")")
	later := c.Flags().Bool("build-later", false, "leave building to the kernel's first start")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if _, err := jupyter.ParseMemory(config.Memory); err != nil {
			return misused(c, "%w", err)
		}
		if !*later {
			_, err := jupyter.BuildTools(c.Context(), &prefixed{w: c.ErrOrStderr()})
			if err != nil {
				return interrupted(err, "gansim kernel install")
			}
		}
		specs, err := jupyter.Install(*config)
		if err != nil {
			return err
		}
		return writeSpecs(c.OutOrStdout(), specs, *asJSON)
	}
	return c
}

func kernelUninstallCommand() *cobra.Command {
	c := &cobra.Command{Use: "uninstall", Short: "Remove installed kernels",
		Example: "  gansim kernel uninstall"}
	config := placeFlags(c)
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		specs, err := jupyter.Uninstall(*config)
		if err != nil {
			return err
		}
		if len(specs) == 0 {
			fmt.Fprintln(c.ErrOrStderr(), "gansim: no kernel of gansim's is installed there")
		}
		return writeSpecs(c.OutOrStdout(), specs, *asJSON)
	}
	return c
}

func kernelListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List installed kernels",
		Example: "  gansim kernel list --json"}
	config := placeFlags(c)
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		specs, err := jupyter.List(*config)
		if err != nil {
			return err
		}
		return writeSpecs(c.OutOrStdout(), specs, *asJSON)
	}
	return c
}

func writeSpecs(w io.Writer, specs []jupyter.Spec, asJSON bool) error {
	if asJSON {
		if specs == nil {
			specs = []jupyter.Spec{}
		}
		return writeJSON(w, specs)
	}
	for _, s := range specs {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, s.Display, s.Dir); err != nil {
			return err
		}
	}
	return nil
}

// kernelRunCommand is what Jupyter starts. It is hidden, as are those that it starts itself.
func kernelRunCommand() *cobra.Command {
	return &cobra.Command{Use: "run FILE", Hidden: true, Args: arguments("connection file"),
		Example: "  gansim kernel run connection.json",
		RunE: func(c *cobra.Command, args []string) error {
			return jupyter.Run(c.Context(), jupyter.RunConfig{File: args[0], Version: programVersion(),
				Log: &prefixed{w: c.ErrOrStderr()}})
		}}
}

func kernelGuardCommand() *cobra.Command {
	return &cobra.Command{Use: "guard FOLDER COMMAND...", Hidden: true, Args: cobra.MinimumNArgs(2),
		Example: "  gansim kernel guard folder gonb", DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			return jupyter.Guard(c.Context(), args[0], os.Stdin, args[1:])
		}}
}

func kernelModuleCommand() *cobra.Command {
	return &cobra.Command{Use: "module NAME", Hidden: true, Args: arguments("name"),
		Example: "  gansim kernel module gonb_1",
		RunE: func(c *cobra.Command, args []string) error {
			return jupyter.ModInit(c.Context(), ".", args[0], os.Getenv("GANSIM_ROOT"))
		}}
}

func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "0"
	}
	return info.Main.Version
}
