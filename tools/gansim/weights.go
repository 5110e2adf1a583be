package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"gansim.example/weights"
)

func weightsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "weights",
		Short: "Fetch, check and look into the published weights",
		Example: "  gansim weights list\n  gansim weights fetch --panel d\n" +
			"  gansim weights show resnet50 --layers",
		Args: verbs,
		RunE: group,
	}
	c.AddCommand(weightsListCommand(), weightsFetchCommand(), weightsVerifyCommand(),
		weightsShowCommand(), weightsConvertCommand())
	return c
}

// fileSelection is which published files a verb works on.
type fileSelection struct {
	panel *choice
	all   *bool
}

func selectionFlags(c *cobra.Command) fileSelection {
	return fileSelection{choiceFlag(c, "panel", "", "files that a panel of the figure needs",
		[]string{"a", "b", "c", "d"}), c.Flags().Bool("all", false, "all published files")}
}

// entries gives the chosen files, by name, panel or all.
func (s fileSelection) entries(c *cobra.Command, names []string) ([]weights.Entry, error) {
	all, err := weights.Manifest()
	if err != nil {
		return nil, err
	}
	var chosen []weights.Entry
	for _, name := range names {
		e, err := weights.Find(name)
		if err != nil {
			return nil, hinted{misuse{err}, "gansim weights list"}
		}
		chosen = append(chosen, e)
	}
	for _, e := range all {
		if *s.all || s.panel.value != "" && slices.Contains(e.Panels, s.panel.value) {
			chosen = append(chosen, e)
		}
	}
	if len(chosen) == 0 {
		return nil, misused(c, "%s: no network given, want names, --panel or --all", c.CommandPath())
	}
	return chosen, nil
}

// withNeeds adds the files that others are used with, and drops repetitions.
func withNeeds(entries []weights.Entry) []weights.Entry {
	var all []weights.Entry
	for len(entries) > 0 {
		e := entries[0]
		entries = entries[1:]
		if slices.ContainsFunc(all, func(o weights.Entry) bool { return o.Name == e.Name }) {
			continue
		}
		all = append(all, e)
		for _, name := range e.Needs {
			if needed, err := weights.Find(name); err == nil {
				entries = append(entries, needed)
			}
		}
	}
	return all
}

// weightStatus is a published file as --json writes it.
type weightStatus struct {
	weights.Entry
	State    weights.State     `json:"state"`
	Path     string            `json:"path,omitempty"`
	Bytes    int64             `json:"bytes"` // that are here
	Expected string            `json:"expected_sha256,omitempty"`
	Hash     weights.HashState `json:"hash"`
}

func newWeightStatus(s weights.Status) weightStatus {
	return weightStatus{s.Entry, s.State, s.Path, s.Size, s.SHA256, s.Hash}
}

func weightsListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the published files and what is here",
		Example: "  gansim weights list --panel d",
		Args:    arguments(),
	}
	panel := choiceFlag(c, "panel", "", "files that a panel of the figure needs",
		[]string{"a", "b", "c", "d"})
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		all, err := weights.List()
		if err != nil {
			return err
		}
		statuses := []weightStatus{}
		for _, s := range all {
			if panel.value == "" || slices.Contains(s.Entry.Panels, panel.value) {
				statuses = append(statuses, newWeightStatus(s))
			}
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), statuses)
		}
		return listWeights(c.OutOrStdout(), statuses)
	}
	return c
}

func listWeights(w io.Writer, statuses []weightStatus) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tHERE\tMB\tSHA-256\tPANELS\tLICENCE\tFILE")
	for _, s := range statuses {
		size, licence, panels := "", s.Licence, strings.Join(s.Panels, "")
		if s.Bytes > 0 {
			size = fmt.Sprintf("%.1f", float64(s.Bytes)/1e6)
		}
		if licence == "" {
			licence = "not stated"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, s.State, size, s.Hash, panels, licence,
			s.File)
	}
	return t.Flush()
}

func weightsFetchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "fetch NAME...",
		Short: "Fetch published files",
		Long: "Fetch downloads published weight files, goes on with what was interrupted, and accepts a\n" +
			"file only if its hash is right. Where nobody has published a hash, the first one seen is\n" +
			"recorded and holds from then on.",
		Example: "  gansim weights fetch --panel d\n" +
			"  gansim weights fetch deepsim_fc6 --mirror https://mirror.example/gansim",
	}
	chosen := selectionFlags(c)
	mirror := c.Flags().String("mirror", "", "`URL` that is asked first, for the files' own names below it")
	offline := c.Flags().Bool("offline", false, "open no connection: only say what is here")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		entries, err := chosen.entries(c, args)
		if err != nil {
			return err
		}
		entries = withNeeds(entries)
		log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{ReplaceAttr: terse}))
		fetched := []weightStatus{}
		var failed []error
		for _, e := range entries {
			progress := newProgress(c.ErrOrStderr(), e.Name+" KB")
			s, err := weights.Fetch(c.Context(), e, weights.Options{Mirror: *mirror, Offline: *offline, Log: log,
				Progress: func(done, total int64) { progress(int(done/1000), int(total/1000)) }})
			if err != nil {
				failed = append(failed, fetchHint(err))
				if c.Context().Err() != nil {
					break
				}
				continue
			}
			fetched = append(fetched, newWeightStatus(s))
			if !*asJSON {
				fmt.Fprintf(c.OutOrStdout(), "%s: %s, sha256 %s (%s)\n", e.Name, s.Path, s.SHA256, s.Hash)
			}
		}
		if *asJSON {
			failed = append(failed, writeJSON(c.OutOrStdout(), fetched))
		}
		return errors.Join(failed...)
	}
	return c
}

// terse drops what a line on the terminal does not need.
func terse(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
		return slog.Attr{}
	}
	return a
}

// fetchHint sets an error's remedy on a line of its own.
func fetchHint(err error) error {
	var f *weights.FetchError
	if errors.As(err, &f) && f.Hint != "" {
		return hinted{fmt.Errorf("%s: %w", f.Name, f.Err), f.Hint}
	}
	return err
}

func weightsConvertCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "convert FILE",
		Short: "Rewrite a weight file as safetensors",
		Long: "Convert reads a weight file of any known format (PyTorch, npz, safetensors) without\n" +
			"running anything in it, and writes its tensors under their own names.",
		Example: "  gansim weights convert upconvGAN_fc6.pt --to deepsim_fc6.safetensors",
		Args:    arguments("FILE"),
	}
	to := c.Flags().String("to", "", "`file` to write (default: FILE with the ending .safetensors)")
	c.RunE = func(c *cobra.Command, args []string) error {
		f, err := weights.Open(args[0])
		if err != nil {
			return err
		}
		path := *to
		if path == "" {
			path = strings.TrimSuffix(args[0], filepath.Ext(args[0])) + ".safetensors"
		}
		if path == args[0] {
			return misused(c, "%s would be overwritten by itself, choose another --to", path)
		}
		hash, err := writeSafetensors(path, f)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %d tensors, sha256 %s\n", path, len(f.Tensors), hash)
		return err
	}
	return c
}

// writeSafetensors writes a file that appears whole or not at all.
func writeSafetensors(path string, f *weights.File) (hash string, err error) {
	out, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return "", err
	}
	defer out.Cleanup() //nolint:errcheck // only matters after an error
	if hash, err = weights.WriteSafetensors(out, f.Tensors, map[string]string{"source_sha256": f.SHA256()}); err != nil {
		return "", err
	}
	return hash, out.CloseAtomicallyReplace()
}
