package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"gansim.example/kernels"
)

func setupCommand() *cobra.Command {
	var cuda, jupyter bool
	c := &cobra.Command{
		Use:   "setup",
		Short: "Install what backends need",
		Long: "Setup installs XLA's plugin for the processor with pip into $GANSIM_HOME/python. The\n" +
			"download is pinned by its hash. Without it gansim works too, slower, on the go backend.",
		Example: "  gansim setup --cpu",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case cuda:
				return noCUDA()
			case jupyter:
				return noJupyter()
			}
			return setupCPU(c)
		},
	}
	c.Flags().Bool("cpu", true, "the XLA plugin for the processor")
	c.Flags().BoolVar(&cuda, "cuda", false, "the XLA plugin for NVIDIA GPUs (not there yet)")
	c.Flags().BoolVar(&jupyter, "jupyter", false, "the notebook kernel (not there yet)")
	return c
}

// setupCPU installs the plugin, tries it and prints where it is.
func setupCPU(c *cobra.Command) error {
	const name = "xla:cpu"
	if err := kernels.InspectBackend(name).Err; errors.Is(err, kernels.ErrNoXLA) {
		return err
	}
	plugin, err := kernels.Setup(c.Context(), kernels.SetupConfig{
		Progress: &prefixed{w: c.ErrOrStderr()}})
	switch {
	case errors.Is(err, kernels.ErrNoPython):
		return hinted{err, "apt install python3-venv, then gansim setup --cpu"}
	case err != nil && c.Context().Err() != nil:
		return interrupted(err, "gansim setup --cpu")
	case err != nil:
		return hinted{err, "the go backend needs no plugin: --backend go"}
	}
	if err := kernels.InspectBackend(name).Err; err != nil {
		return fmt.Errorf("%s is installed but does not open: %w", plugin, err)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s opens: %s\n", name, plugin)
	return nil
}

// noCUDA tells how to get the CUDA plugin by hand: into the folder where kernels looks for it.
func noCUDA() error {
	python := "$GANSIM_HOME/python"
	if home, err := kernels.Home(); err == nil {
		python = filepath.Join(home, "python")
	}
	return hinted{errors.New("setup --cuda: gansim cannot install the CUDA plugin yet; " +
		"install JAX's by hand (see environment.md), then gansim doctor"),
		fmt.Sprintf("python3 -m venv %s && %s/bin/pip install 'jax-cuda13-plugin[with-cuda]'",
			python, python)}
}

func noJupyter() error {
	return hinted{errors.New("setup --jupyter: gansim has no notebook kernel of its own yet; " +
		"install GoNB by hand (see environment.md)"),
		"go install github.com/janpfeifer/gonb@v0.11.5 && go install " +
			"golang.org/x/tools/cmd/goimports@latest && gonb --install"}
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
