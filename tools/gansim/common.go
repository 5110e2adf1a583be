package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/kernels"
)

// generators are the names that --gan knows, as the miniature world has them.
func generators() []string { return []string{deepsim.Mini.Name, biggan.Mini.Name} }

// The flags that verbs share: a verb adds those that it reads.

func backendFlag(c *cobra.Command) *string {
	v := c.Flags().String("backend", "auto", "auto, go, xla:cpu, xla:cuda or xla:/path/to/plugin.so")
	complete(c, "backend", kernels.Names())
	return v
}

// seedFlag says of what the seed is.
func seedFlag(c *cobra.Command, of string) *uint64 { return c.Flags().Uint64("seed", 1, of) }

func outFlag(c *cobra.Command, folder string) *string {
	v := c.Flags().String("out", folder, "`folder` for the results")
	if err := c.MarkFlagDirname("out"); err != nil {
		panic(err) // only if there were no such flag
	}
	return v
}

func jsonFlag(c *cobra.Command) *bool {
	return c.Flags().Bool("json", false, "write the result as JSON")
}

func countFlag(c *cobra.Command, n int, of string) *int {
	return c.Flags().IntP("number", "n", n, of)
}

func ganFlag(c *cobra.Command) *choice {
	return choiceFlag(c, "gan", "", "generator", generators())
}

// choice is the value of a flag that takes one of a few names, in any case.
type choice struct {
	value string
	known []string
}

// String is the name chosen.
func (v *choice) String() string { return v.value }

// Type is the flag's placeholder in the help.
func (v *choice) Type() string { return "name" }

// Set refuses unknown names and lists the known ones.
func (v *choice) Set(s string) error {
	for _, k := range v.known {
		if strings.EqualFold(k, s) {
			v.value = k
			return nil
		}
	}
	return fmt.Errorf("known are %s", strings.Join(v.known, ", "))
}

// choiceFlag adds a flag with completion; an empty preset means that none is chosen.
func choiceFlag(c *cobra.Command, name, preset, of string, known []string) *choice {
	v := &choice{preset, known}
	c.Flags().Var(v, name, of+": "+strings.Join(known, ", "))
	complete(c, name, known)
	return v
}

func complete(c *cobra.Command, flag string, names []string) {
	list := cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
	if err := c.RegisterFlagCompletionFunc(flag, list); err != nil {
		panic(err) // only if there were no such flag
	}
}

// misused is an error of the command line with where to read on.
func misused(c *cobra.Command, format string, args ...any) error {
	return hinted{misuse{fmt.Errorf(format, args...)}, c.CommandPath() + " -h"}
}

// arguments demands exactly the named arguments.
func arguments(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) > len(names):
			return misused(c, "%s: unexpected argument %q", c.CommandPath(), args[len(names)])
		case len(args) < len(names):
			return misused(c, "%s: no %s given", c.CommandPath(), names[len(args)])
		}
		return nil
	}
}

// verbs is the Args of a command that only has verbs below it, and group its RunE.
func verbs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, v := range c.Commands() {
		if v.IsAvailableCommand() {
			known = append(known, v.Name())
		}
	}
	return misused(c, "%s has no verb %q, known are %s", c.CommandPath(), args[0],
		strings.Join(known, ", "))
}

func group(c *cobra.Command, _ []string) error { return c.Help() }

// openBackend opens a backend by its name; an unknown name is misuse.
func openBackend(c *cobra.Command, name string) (compute.Backend, error) {
	b, err := kernels.Open(name)
	if err == nil {
		return b, nil
	}
	var missing *kernels.PluginError
	switch {
	case errors.As(err, &missing) && missing.Command != "":
		return nil, hinted{err, missing.Command + ", or choose --backend go"}
	case errors.As(err, &missing), errors.Is(err, kernels.ErrNoXLA):
		return nil, hinted{err, "choose --backend go"}
	case !knownBackend(name):
		return nil, misused(c, "%w", err)
	}
	return nil, err
}

func knownBackend(name string) bool {
	plugin, isXLA := strings.CutPrefix(name, "xla:")
	return slices.Contains(kernels.Names(), name) || isXLA && filepath.IsAbs(plugin)
}

// checkOut makes the folder for results and tries to write there, so that nothing is computed in
// vain.
func checkOut(folder string) error {
	fail := func(err error) error {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return hinted{fmt.Errorf("cannot write to %s: %w", folder, err),
			"choose another folder with --out"}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fail(err)
	}
	f, err := os.CreateTemp(folder, ".gansim-*")
	if err != nil {
		return fail(err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// interrupted gives an error that came of a cancelled context the command that goes on.
func interrupted(err error, command string) error {
	if errors.Is(err, context.Canceled) {
		return hinted{fmt.Errorf("interrupted: %w", err), "go on with " + command}
	}
	return err
}
