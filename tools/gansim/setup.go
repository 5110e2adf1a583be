package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gansim.example/kernels"
	"gansim.example/kernels/jupyter"
)

func setupCommand() *cobra.Command {
	var cpu, cuda, notebooks bool
	c := &cobra.Command{
		Use:   "setup",
		Short: "Install what backends need",
		Long: "Setup installs XLA's plugin for the processor, or for NVIDIA GPUs, with pip into\n" +
			"$GANSIM_HOME/python. The downloads are pinned by their hashes. Without a plugin gansim works\n" +
			"too, on the go backend. JupyterLab goes into $GANSIM_HOME/jupyter in the same way.",
		Example: "  gansim setup --cpu\n  gansim setup --jupyter",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			if notebooks {
				if err := setupJupyter(c); err != nil || !cpu && !cuda {
					return err
				}
			}
			if cpu || !cuda {
				if err := setupPlugin(c, "cpu"); err != nil || !cuda {
					return err
				}
			}
			return setupPlugin(c, "cuda")
		},
	}
	c.Flags().BoolVar(&cpu, "cpu", false, "the XLA plugin for the processor (the default)")
	c.Flags().BoolVar(&cuda, "cuda", false, "the XLA plugin for NVIDIA GPUs, with CUDA (about 2 GB)")
	c.Flags().BoolVar(&notebooks, "jupyter", false, "JupyterLab with the kernels for notebooks")
	return c
}

// setupPlugin installs the plugin of a kind of device, tries it and prints where it is.
func setupPlugin(c *cobra.Command, kind string) error {
	name, command := "xla:"+kind, "gansim setup --"+kind
	if err := kernels.InspectBackend(name).Err; errors.Is(err, kernels.ErrNoXLA) {
		return err
	}
	plugin, err := kernels.Setup(c.Context(), kernels.SetupConfig{Kind: kind,
		Progress: &prefixed{w: c.ErrOrStderr()}})
	switch {
	case errors.Is(err, kernels.ErrNoPython):
		return hinted{err, "apt install python3-venv, then " + command}
	case errors.Is(err, kernels.ErrNoNVIDIA):
		return hinted{err, "install NVIDIA's driver, then " + command +
			"; without a GPU: gansim setup --cpu"}
	case err != nil && c.Context().Err() != nil:
		return interrupted(err, command)
	case err != nil:
		return hinted{err, "the go backend needs no plugin: --backend go"}
	}
	if err := kernels.InspectBackend(name).Err; err != nil {
		return fmt.Errorf("%s is installed but does not open: %w", plugin, err)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s opens: %s\n", name, plugin)
	return nil
}

// setupJupyter makes a Python environment with Jupyter and gansim's kernels, and prints its folder.
func setupJupyter(c *cobra.Command) error {
	const command = "gansim setup --jupyter"
	progress := &prefixed{w: c.ErrOrStderr()}
	dir, err := jupyter.Environment(c.Context(), jupyter.EnvironmentConfig{Progress: progress})
	switch {
	case errors.Is(err, kernels.ErrNoPython):
		return hinted{err, "apt install python3-venv, then " + command}
	case err != nil:
		return interrupted(err, command)
	}
	if _, err := jupyter.BuildTools(c.Context(), progress); err != nil {
		return interrupted(err, command)
	}
	if _, err := jupyter.Install(jupyter.InstallConfig{Prefix: dir}); err != nil {
		return err
	}
	if err := jupyter.Warm(c.Context(), "", progress); err != nil {
		return interrupted(err, command)
	}
	fmt.Fprintln(c.OutOrStdout(), dir)
	return nil
}

// prefixed marks each line as the program's talk.
type prefixed struct {
	w    io.Writer
	line []byte
}

// Write passes whole lines on.
func (p *prefixed) Write(b []byte) (int, error) {
	p.line = append(p.line, b...)
	for {
		i := bytes.IndexByte(p.line, '\n')
		if i < 0 {
			return len(b), nil
		}
		if _, err := fmt.Fprintf(p.w, "gansim: %s\n", bytes.TrimRight(p.line[:i], "\r")); err != nil {
			return 0, err
		}
		p.line = p.line[i+1:]
	}
}
