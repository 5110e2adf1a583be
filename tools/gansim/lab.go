package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gansim.example/kernels"
	"gansim.example/kernels/jupyter"
)

// runNotebooks is the program that runs notebooks from top to bottom.
//
//go:embed lab_run.py
var runNotebooks string

func labCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "lab [NOTEBOOK...]",
		Short: "Open the notebooks in JupyterLab",
		Long: "Lab makes a Python environment with JupyterLab and builds the kernel, the first time in about\n" +
			"two minutes, and opens the checkout's notebooks. With --check it runs the given notebooks, or\n" +
			"all, from top to bottom without a browser at preset smoke; the files stay as they are. With\n" +
			"--save it does so at preset class and saves the outputs. GANSIM_PRESET chooses another preset.",
		Example: "  gansim lab\n  gansim lab --check notebooks/panel_c.ipynb\n  gansim lab --save",
	}
	check := c.Flags().Bool("check", false, "run the notebooks without a browser; name what fails")
	save := c.Flags().Bool("save", false, "run the notebooks without a browser and save their outputs")
	noBrowser := c.Flags().Bool("no-browser", false, "do not open a browser")
	backend := c.Flags().String("backend", "go", "backend `name` of the kernel for --check and --save")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *check && *save:
			return misused(c, "--check and --save exclude each other")
		case c.Flags().Changed("backend") && !*check && !*save:
			return misused(c, "--backend goes with --check or --save; in JupyterLab choose the kernel")
		}
		l, err := prepareLab(c)
		switch {
		case err != nil:
			return err
		case *check:
			return l.run(c, args, runMode{"check", *backend, "smoke"})
		case *save:
			return l.run(c, args, runMode{"save", *backend, "class"})
		}
		return l.open(c, args, *noBrowser)
	}
	return c
}

// runMode says how notebooks are run without a browser.
type runMode struct{ verb, backend, preset string }

// lab is what is needed to run notebooks.
type lab struct {
	root   string // of the checkout
	python string // folder of the environment
}

// prepareLab makes what is missing; what is there is left alone.
func prepareLab(c *cobra.Command) (lab, error) {
	var l lab
	here, err := os.Getwd()
	if err == nil {
		l.root, err = jupyter.Root(here)
	}
	if err != nil {
		return l, hinted{err, "cd into the checkout, then gansim lab"}
	}
	talk := &prefixed{w: c.ErrOrStderr()}
	l.python, err = jupyter.Environment(c.Context(), jupyter.EnvironmentConfig{Progress: talk})
	switch {
	case errors.Is(err, kernels.ErrNoPython), errors.Is(err, jupyter.ErrOldPython):
		return l, hinted{err, "apt install python3-venv, then gansim lab"}
	case err != nil:
		return l, interrupted(err, "gansim lab")
	}
	if _, err := jupyter.BuildTools(c.Context(), talk); err != nil {
		return l, interrupted(err, "gansim lab")
	}
	if _, err := jupyter.Install(jupyter.InstallConfig{Prefix: l.python}); err != nil {
		return l, err
	}
	return l, interrupted(jupyter.Warm(c.Context(), l.root, talk), "gansim lab")
}

// notebooks are the given files, or all of the checkout.
func (l lab) notebooks(args []string) ([]string, error) {
	if len(args) == 0 {
		all, err := filepath.Glob(filepath.Join(l.root, "notebooks", "*.ipynb"))
		if err == nil && len(all) == 0 {
			err = fmt.Errorf("no notebooks in %s", filepath.Join(l.root, "notebooks"))
		}
		slices.Sort(all)
		return all, err
	}
	for _, a := range args {
		if _, err := os.Stat(a); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// run runs notebooks and fails with the name of the notebook and the cell that failed.
func (l lab) run(c *cobra.Command, args []string, m runMode) error {
	books, err := l.notebooks(args)
	if err != nil {
		return err
	}
	spec := kernelName(l.python, m.backend)
	if spec == "" {
		return hinted{fmt.Errorf("no kernel for backend %s is installed", m.backend),
			"gansim kernel list --prefix " + l.python}
	}
	preset := os.Getenv("GANSIM_PRESET")
	if preset == "" {
		preset = m.preset
	}
	run := exec.CommandContext(c.Context(), filepath.Join(l.python, "bin", "python"),
		append([]string{"-c", runNotebooks, m.verb, spec}, books...)...)
	run.Dir, run.Stdout, run.Stderr = l.root, c.OutOrStdout(), c.ErrOrStderr()
	run.Env = append(os.Environ(), "GANSIM_PRESET="+preset, "GANSIM_ROOT="+l.root)
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = 20 * time.Second
	err = run.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && c.Context().Err() == nil {
		return errors.New("a notebook failed")
	}
	return interrupted(err, "gansim lab --"+m.verb)
}

// kernelName finds the installed kernel of a backend.
func kernelName(prefix, backend string) string {
	specs, err := jupyter.List(jupyter.InstallConfig{Prefix: prefix})
	if err != nil {
		return ""
	}
	for _, s := range specs {
		if s.Backend == backend {
			return s.Name
		}
	}
	return ""
}

// open runs JupyterLab until it is ended.
func (l lab) open(c *cobra.Command, args []string, noBrowser bool) error {
	books, err := l.notebooks(args)
	if err != nil {
		return err
	}
	command := []string{"lab", "--ServerApp.root_dir=" + l.root,
		// Nothing is asked of the network, and the first page is the notebook, not a question.
		"--LabApp.news_url=", "--LabApp.extension_manager=readonly",
		"--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"}
	if len(args) > 0 {
		command = append(command, books[0])
	} else {
		command = append(command, "--LabApp.default_url=/lab/tree/notebooks/"+filepath.Base(books[0]))
	}
	if os.Geteuid() == 0 { // as in containers; Jupyter wants to be told
		command = append(command, "--allow-root")
	}
	if noBrowser {
		command = append(command, "--no-browser")
	}
	fmt.Fprintf(c.ErrOrStderr(), "gansim: jupyter %s\n", strings.Join(command, " "))
	run := exec.CommandContext(c.Context(), filepath.Join(l.python, "bin", "jupyter"), command...)
	run.Dir, run.Stdin, run.Stdout, run.Stderr = l.root, os.Stdin, c.OutOrStdout(), c.ErrOrStderr()
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = 20 * time.Second
	if err := run.Run(); err != nil && c.Context().Err() == nil {
		return fmt.Errorf("jupyter lab: %w", err)
	}
	return nil
}
