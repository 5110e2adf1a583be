package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"gansim.example/gansim/experiment"
	"gansim.example/kernels"
)

// figureFlags are the flags of gansim figure.
type figureFlags struct {
	preset, photos, out string
	panels              []string
	resume, json        bool
	images              bool
}

func figureCommand() *cobra.Command {
	var f figureFlags
	c := &cobra.Command{
		Use:   "figure",
		Short: "Compute the figure: four panels, rows, tests and report",
		Long: `Compute Extended Data Fig. 1 of Wang & Ponce (2026), panels a to d, and write
figure.png, .svg and .pdf, a picture, .parquet and .csv per panel, report.md and
report.json. Presets: ` + strings.Join(experiment.PresetNames(), ", ") +
			` (on the miniature world in the program).`,
		Example: "  gansim figure --preset smoke\n" +
			"  gansim figure --preset class --panel c --photos ~/Pictures",
		Args: arguments(),
	}
	backend := backendFlag(c)
	seed := seedFlag(c, "of all draws")
	c.Flags().StringVar(&f.preset, "preset", "smoke", "size of the experiment: "+
		strings.Join(experiment.PresetNames(), ", "))
	complete(c, "preset", experiment.PresetNames())
	c.Flags().StringSliceVar(&f.panels, "panel", nil, "panels, such as a,c; all if not given")
	complete(c, "panel", experiment.Panels())
	c.Flags().StringVar(&f.photos, "photos", "", "`folder` of photographs for panels c and a")
	c.Flags().StringVar(&f.out, "out", "", "`folder` of the results (default results/PRESET)")
	c.Flags().BoolVar(&f.images, "images", false, "keep panel b's last generations: images and codes")
	c.Flags().BoolVar(&f.resume, "resume", false, "go on from the finished rows of an interrupted run")
	c.Flags().BoolVar(&f.json, "json", false, "print the report as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error { return runFigure(c, f, *backend, *seed) }
	return c
}

func runFigure(c *cobra.Command, f figureFlags, backend string, seed uint64) error {
	if _, err := experiment.FindPreset(f.preset); err != nil {
		return misused(c, "%w", err)
	}
	for _, p := range f.panels {
		if !strings.Contains(strings.Join(experiment.Panels(), ","), p) || len(p) != 1 {
			return misused(c, "no panel %q, want some of %s", p,
				strings.Join(experiment.Panels(), ", "))
		}
	}
	if f.out == "" {
		f.out = filepath.Join("results", f.preset)
	}
	if err := checkOut(f.out); err != nil {
		return err
	}
	name := backend
	if name == "auto" { // all presets use the miniature world
		name = kernels.Small()
	}
	b, err := openBackend(c, name)
	if err != nil {
		return err
	}
	defer b.Finalize()
	if text := kernels.SIMDReminder(); text != "" && b.Name() == "go" {
		fmt.Fprintf(c.ErrOrStderr(), "gansim: %s\n", text)
	}
	show := map[string]func(done, total int){}
	o := experiment.Options{Preset: f.preset, Panels: f.panels, Photos: f.photos, Out: f.out,
		Resume: f.resume, Images: f.images, Seed: seed, Versions: versions(),
		Progress: func(panel string, done, total int) {
			if show[panel] == nil {
				label := panel
				if len(panel) == 1 {
					label = "panel " + panel
				}
				show[panel] = newProgress(c.ErrOrStderr(), label)
			}
			show[panel](done, total)
		},
		Warn: func(text string) { fmt.Fprintf(c.ErrOrStderr(), "gansim: %s\n", text) },
	}
	report, err := experiment.Run(c.Context(), b, o)
	if err != nil {
		return figureError(err, f, backend, seed)
	}
	return printReport(c, report, f)
}

// figureError adds the next command to type.
func figureError(err error, f figureFlags, backend string, seed uint64) error {
	again := fmt.Sprintf("%s figure --preset %s --out %s --seed %d --backend %s",
		os.Args[0], f.preset, f.out, seed, backend)
	if len(f.panels) > 0 {
		again += " --panel " + strings.Join(f.panels, ",")
	}
	if f.photos != "" {
		again += " --photos " + f.photos
	}
	switch {
	case errors.Is(err, context.Canceled):
		return hinted{fmt.Errorf("interrupted, finished rows are kept: %w", err),
			again + " --resume"}
	case errors.Is(err, experiment.ErrInterrupted):
		return hinted{err, again + " --resume, or delete " + f.out + "/.parts to start over"}
	}
	return err
}

func printReport(c *cobra.Command, r *experiment.Report, f figureFlags) error {
	if f.json {
		return writeJSON(c.OutOrStdout(), r)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s\nWritten to %s in %.1f s.\n", r.Summary(),
		filepath.Join(f.out, "figure.png"), r.Wall)
	return nil
}

// versions are those of the program and of the engine.
func versions() map[string]string {
	v := map[string]string{"go": runtime.Version()}
	for _, m := range kernels.Modules() {
		v[m.Path] = m.Version
	}
	return v
}
