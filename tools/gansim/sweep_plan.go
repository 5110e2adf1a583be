package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gansim.example/gansim/experiment"
)

// imagesPerSecond of a step on one H100, float32: fc6 and ResNet-50, 16 images in 10.8 ms.
const imagesPerSecond = 1480

func sweepPlanCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "plan",
		Short: "Print what a sweep will take; compute nothing",
		Long: `Plan prints the runs, shards, compiled programs, disk and device time of a sweep, by
part. Device time is for --rate images a second, generated, scored and differentiated;
without it, that of one H100 for DeePSim and ResNet-50.`,
		Example: "  gansim sweep plan --preset paper\n" +
			"  gansim sweep plan --preset paper --rows 97730 --json",
		Args: arguments(),
	}
	f := sweepFlagsOf(c)
	rate := c.Flags().Float64("rate", imagesPerSecond, "`images` a second on your device")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !(*rate > 0) {
			return misused(c, "--rate %v, want more than 0", *rate)
		}
		p, err := f.plan(c)
		if err != nil {
			return err
		}
		s, err := p.Summary(*rate)
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), struct {
				Preset string              `json:"preset"`
				World  string              `json:"world"`
				Seed   uint64              `json:"seed"`
				Plan   string              `json:"plan"`
				Rate   float64             `json:"images_per_second"`
				Parts  []experiment.TotalD `json:"parts"`
				All    experiment.TotalD   `json:"all"`
			}{p.Config.Name, p.Config.World, p.Config.Seed, p.Hash(), *rate, s.Parts, s.All})
		}
		return printPlan(c.OutOrStdout(), p, s, *rate)
	}
	return c
}

func printPlan(w io.Writer, p *experiment.PlanD, s experiment.SummaryD, rate float64) error {
	fmt.Fprintf(w, "%s: %d runs on %s networks, seed %d\n", p.Config.Name, s.All.Runs, p.Config.World,
		p.Config.Seed)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "runs\tshards\tprograms\timages\tdisk MB\tdevice hours\t  part\n")
	all := s.All
	all.Part = "all"
	for _, x := range append(s.Parts, all) {
		fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%.2f\t%.2f\t  %s\n", x.Runs, x.Shards, x.Programs, x.Images,
			float64(x.Bytes)/1e6, x.Hours, x.Part)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "At %.0f images a second. Programs are compiled once for networks of one "+
		"architecture.\n", rate)
	return err
}
