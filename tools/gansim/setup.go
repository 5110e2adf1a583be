package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gansim.example/kernels"
)

func setupCommand() *cobra.Command {
	var cpu, cuda, jupyter bool
	c := &cobra.Command{
		Use:   "setup",
		Short: "Install what backends need",
		Long: "Setup installs XLA's plugin for the processor, or for NVIDIA GPUs, with pip into\n" +
			"$GANSIM_HOME/python. The downloads are pinned by their hashes. Without a plugin gansim works\n" +
			"too, on the go backend.",
		Example: "  gansim setup --cpu\n  gansim setup --cuda",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			if jupyter {
				return noJupyter()
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
	c.Flags().BoolVar(&jupyter, "jupyter", false, "the notebook kernel (not there yet)")
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
