package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gomlx/compute"
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
		Example: "  gansim train --only biggan --resume\n" +
			"  gansim train --report",
		Args: arguments(),
	}
	c.Flags().StringSliceVar(&o.Only, "only", nil,
		"`networks` to train (default all):\n"+strings.Join(train.Networks(), ", "))
	complete(c, "only", train.Networks())
	c.Flags().IntSliceVar(&o.Steps, "steps", nil,
		"training steps of the one network in --only instead of the recipe's `number`\n"+
			"(two for biggan, at 32 and at 64 pixels)")
	c.Flags().BoolVar(&o.Resume, "resume", false, "go on from checkpoints")
	report := c.Flags().Bool("report", false,
		"train nothing: measure the networks in --out, beside their goals")
	asJSON := jsonFlag(c)
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
		if *report {
			goals, err := train.Report(c.Context(), b, *out, *seed)
			if err != nil {
				return err
			}
			return writeGoals(c.OutOrStdout(), goals, *asJSON)
		}
		return learn(c, b, o)
	}
	return c
}

// learn trains with progress and curves told.
func learn(c *cobra.Command, b compute.Backend, o train.Options) error {
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
	err := train.All(c.Context(), b, o)
	return interrupted(err, goOn(c, o.Only, current))
}

// goOn is the command that resumes: the flags as given, and the networks from the interrupted one
// on, since those before it are done.
func goOn(c *cobra.Command, only []string, current string) string {
	if len(only) == 0 {
		only = train.Networks()
	}
	only = only[max(slices.Index(only, current), 0):]
	command := "gansim train --resume --only " + strings.Join(only, ",")
	for _, name := range []string{"steps", "seed", "out", "backend"} {
		if f := c.Flags().Lookup(name); f.Changed {
			command += fmt.Sprintf(" --%s %s", name, strings.Trim(f.Value.String(), "[]"))
		}
	}
	return command
}

// writeGoals prints what was measured beside what it should be.
func writeGoals(w io.Writer, goals []train.Goal, asJSON bool) error {
	if asJSON {
		return writeJSON(w, goals)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "network\tmeasured on held-out renders\tn\tvalue\tgoal\t")
	missed := 0
	for _, g := range goals {
		goal, verdict := "", ""
		if g.Goal != 0 {
			goal, verdict = fmt.Sprintf("≥ %.4g", g.Goal), "ok"
			if g.AtMost {
				goal = fmt.Sprintf("≤ %.4g", g.Goal)
			}
			if !g.Met() {
				verdict = "MISSED"
				missed++
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%.4g\t%s\t%s\n", g.Network, g.Name, g.N, g.Value, goal, verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d goals missed\n", missed)
	return err
}
