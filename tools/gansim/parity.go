package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gansim.example/gansim/parity"
)

func parityCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "parity",
		Short: "Compare every part with the original programs",
		Long: "Parity fills the published networks by formula, repeats what the original programs\n" +
			"computed with the same weights, and prints one line a stage:\n" +
			"  case stage max_abs rel_l2 tolerance ok|FAIL\n" +
			"Networks run in float64, where the bound is tight, and in float32. The exit code is 1 if\n" +
			"any stage fails, or if there is no code for a case.",
		Example: "  gansim parity --backend xla:cpu\n  gansim parity --only stats,alexnet --fixtures DIR",
		Args:    arguments(),
	}
	fixtures := c.Flags().String("fixtures", "",
		"`folder` of fixtures (default: $GANSIM_ORACLE, or gansim/testdata/oracle above this folder)")
	only := c.Flags().StringSlice("only", nil, "cases by `name` (default: all)")
	backend, asJSON := backendFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		dir := *fixtures
		if dir == "" {
			var err error
			if dir, err = parity.Dir(); err != nil {
				return hinted{err, c.CommandPath() + " --fixtures DIR"}
			}
		}
		b, err := openBackend(c, *backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		o := parity.Options{Dir: dir, Only: *only, Start: starting(c.ErrOrStderr())}
		if !*asJSON {
			o.Report = func(l parity.Line) { fmt.Fprintln(c.OutOrStdout(), l) }
		}
		result, err := parity.Run(c.Context(), b, o)
		if err != nil {
			return interrupted(err, c.CommandPath()+" --only with the cases that are left")
		}
		if *asJSON {
			err = writeJSON(c.OutOrStdout(), result)
		} else {
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d passed, %d failed\n", result.Passed, result.Failed)
		}
		if err == nil && result.Failed > 0 {
			err = fmt.Errorf("parity: %d of %d stages failed", result.Failed, result.Passed+result.Failed)
		}
		return err
	}
	return c
}

// starting tells which case begins.
func starting(w io.Writer) func(name string, index, total int) {
	progress := newProgress(w, "parity")
	return func(_ string, index, total int) { progress(index, total) }
}
