package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gansim.example/gansim/mini/train"
)

func trainCommand() *cobra.Command {
	var o train.Options
	c := &cobra.Command{
		Use:   "train",
		Short: "Train the miniature world's networks",
		Long: "Train renders the miniature world, trains its networks and writes each as\n" +
			"NAME.safetensors with its record NAME.json. It saves its state every two minutes and\n" +
			"when interrupted.",
		Example: "  gansim train --only biggan --resume",
		Args:    arguments(),
	}
	c.Flags().StringSliceVar(&o.Only, "only", nil,
		"`networks` to train (default all):\n"+strings.Join(train.Networks(), ", "))
	complete(c, "only", train.Networks())
	c.Flags().BoolVar(&o.Resume, "resume", false, "go on from checkpoints")
	seed := seedFlag(c, "of data, initial tensors and noise")
	out, backend := outFlag(c, "gansim/mini/weights"), backendFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		for _, name := range o.Only {
			if !slices.Contains(train.Networks(), name) {
				return misused(c, "no network %q, known are %s", name,
					strings.Join(train.Networks(), ", "))
			}
		}
		if err := checkOut(*out); err != nil {
			return err
		}
		b, err := openBackend(c, *backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		o.Seed, o.Dir = *seed, *out
		current := ""
		meters := map[string]func(done, total int){}
		o.Progress = func(network, phase string, done, total int) {
			current = network
			if meters[phase] == nil {
				meters[phase] = newProgress(c.ErrOrStderr(), phase)
			}
			meters[phase](done, total)
		}
		o.Log = func(network string, p train.Point) {
			clearLine(c.ErrOrStderr())
			fmt.Fprintf(c.OutOrStdout(), "%s step %d %v\n", p.Phase, p.Step, p.Values)
		}
		err = train.All(c.Context(), b, o)
		return interrupted(err, goOn(c, o.Only, current))
	}
	return c
}

// goOn is the command that resumes: the flags as given, and the networks from the interrupted one
// on, since those before it are done.
func goOn(c *cobra.Command, only []string, current string) string {
	if len(only) == 0 {
		only = train.Networks()
	}
	only = only[max(slices.Index(only, current), 0):]
	command := "gansim train --resume --only " + strings.Join(only, ",")
	for _, name := range []string{"seed", "out", "backend"} {
		if f := c.Flags().Lookup(name); f.Changed {
			command += fmt.Sprintf(" --%s %s", name, f.Value)
		}
	}
	return command
}
