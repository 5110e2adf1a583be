package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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
	rows                int
	rates               map[string]string
	*publishedFlags
}

func figureCommand() *cobra.Command {
	var f figureFlags
	c := &cobra.Command{
		Use:   "figure",
		Short: "Compute the figure: four panels, rows, tests and report",
		Long: `Compute Extended Data Fig. 1 of Wang & Ponce (2026): figure.png, .svg and .pdf, a
picture, .parquet and .csv per panel, report.md and report.json. Presets smoke and class
use the miniature world in the program; lab (a night on a workstation) and paper (the
figure's own size) published networks, photographs (c) and image sets (a).`,
		Example: "  gansim figure --preset smoke\n" +
			"  gansim figure --preset class --panel c --photos ~/Pictures\n" +
			"  gansim figure --preset lab --set imagenet:/data/val --photos /data/photos\n" +
			"    --basis BigGAN=biggan.safetensors,DeePSim=fc6.safetensors",
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
	c.Flags().IntVar(&f.rows, "rows", 0, "of panel d's runs, drawn with equal shares; 0 means all")
	c.Flags().StringToStringVar(&f.rates, "rate", nil, "`GAN=RATE` of panel c (default .1 for both)")
	f.publishedFlags = publishedFlagsOf(c)
	c.Flags().BoolVar(&f.json, "json", false, "print the report as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error { return runFigure(c, f, *backend, *seed) }
	return c
}

func runFigure(c *cobra.Command, f figureFlags, backend string, seed uint64) error {
	preset, err := experiment.FindPreset(f.preset)
	if err != nil {
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
	o := experiment.Options{Preset: f.preset, Panels: f.panels, Photos: f.photos, Out: f.out,
		Resume: f.resume, Images: f.images, Seed: seed, Rows: f.rows, Versions: versions(),
		Release: kernels.ReleaseMemory}
	if o.Rates, err = f.readRates(c); err != nil {
		return err
	}
	name := backend
	if preset.World == experiment.Published {
		if o.World, err = f.open(c, f.panels); err != nil {
			return err
		}
	} else {
		for _, flag := range f.names() {
			if c.Flags().Changed(flag) {
				return misused(c, "--%s goes with presets lab and paper, not %s", flag, f.preset)
			}
		}
		if name == "auto" {
			name = kernels.Small()
		}
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
	o.Progress = func(panel string, done, total int) {
		if show[panel] == nil {
			label := panel
			if len(panel) == 1 {
				label = "panel " + panel
			}
			show[panel] = newProgress(c.ErrOrStderr(), label)
		}
		show[panel](done, total)
	}
	o.Warn = func(text string) { fmt.Fprintf(c.ErrOrStderr(), "gansim: %s\n", text) }
	report, err := experiment.Run(c.Context(), b, o)
	if err != nil {
		return figureError(err, f, backend, seed)
	}
	return printReport(c, report, f)
}

// readRates reads panel C's learning rates.
func (f figureFlags) readRates(c *cobra.Command) (rates [2]float64, err error) {
	for name, text := range f.rates {
		i := slices.Index(generators(), name)
		if i < 0 {
			return rates, known("--rate", name, generators())
		}
		if rates[i], err = strconv.ParseFloat(text, 64); err != nil || !(rates[i] > 0 && rates[i] < 1e6) {
			return rates, misused(c, "--rate %s=%s: want a positive number", name, text)
		}
	}
	return rates, nil
}

// words are the flags as arguments.
func (f figureFlags) words(seed uint64, backend string) []string {
	w := []string{os.Args[0], "figure", "--preset", f.preset, "--out", f.out, "--seed", fmt.Sprint(seed),
		"--backend", backend}
	add := func(flag, value string) {
		if value != "" {
			w = append(w, flag, value)
		}
	}
	add("--panel", strings.Join(f.panels, ","))
	add("--photos", f.photos)
	if f.images {
		w = append(w, "--images")
	}
	if f.rows > 0 {
		add("--rows", fmt.Sprint(f.rows))
	}
	for _, s := range f.sets {
		add("--set", s)
	}
	for _, pairs := range []struct {
		flag string
		all  map[string]string
	}{{"--rate", f.rates}, {"--basis", f.bases}, {"--weights", f.files.weightFiles}} {
		for _, name := range slices.Sorted(maps.Keys(pairs.all)) {
			add(pairs.flag, name+"="+pairs.all[name])
		}
	}
	if preset, err := experiment.FindPreset(f.preset); err == nil && preset.World == experiment.Published {
		add("--net", f.detector)
		add("--size", fmt.Sprint(f.size))
	}
	for i := range w {
		w[i] = shellQuoted(w[i])
	}
	return w
}

// figureError adds the next command to type.
func figureError(err error, f figureFlags, backend string, seed uint64) error {
	again := strings.Join(f.words(seed, backend), " ")
	switch {
	case errors.Is(err, experiment.ErrNoPhotos):
		return hinted{err, "give --photos FOLDER, or choose others with --panel"}
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
