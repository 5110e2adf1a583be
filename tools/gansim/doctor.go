package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gansim.example/gansim/mini"
	"gansim.example/gansim/mini/train"
	"gansim.example/kernels"
)

// diagnosis is what doctor found.
type diagnosis struct {
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	Cgo      bool              `json:"cgo"`
	SIMD     bool              `json:"simd"`
	Reminder string            `json:"reminder,omitempty"`
	Home     string            `json:"home"`
	Auto     string            `json:"auto"` // the backend that auto takes
	Backends []backendState    `json:"backends"`
	Modules  map[string]string `json:"modules"`
	Weights  []weightState     `json:"weights"`
	Problem  string            `json:"weights_problem,omitempty"`
}

type backendState struct {
	Name        string   `json:"name"`
	Opens       bool     `json:"opens"`
	Description string   `json:"description,omitempty"`
	Plugin      string   `json:"plugin,omitempty"`
	Devices     []string `json:"devices,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Fix         string   `json:"fix,omitempty"`
}

// weightState is one embedded file of weights with its training record, which may be empty.
type weightState struct {
	Name   string       `json:"name"`
	SHA256 string       `json:"sha256"`
	Record train.Record `json:"record"`
	Note   string       `json:"note,omitempty"`
}

func doctorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what works here: backends, versions, weights",
		Long: "Doctor opens every backend and reads the weights inside the program. It fails only\n" +
			"when not even the go backend works.",
		Example: "  gansim doctor",
		Args:    arguments(),
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		d := diagnose()
		write := d.write
		if *asJSON {
			write = func(w io.Writer) error { return writeJSON(w, d) }
		}
		if err := write(c.OutOrStdout()); err != nil {
			return err
		}
		for _, b := range d.Backends {
			if b.Name == "go" && !b.Opens {
				return fmt.Errorf("the go backend does not open: %s", b.Reason)
			}
		}
		return nil
	}
	return c
}

func diagnose() diagnosis {
	s := kernels.Inspect()
	d := diagnosis{Go: s.Go, Platform: s.Platform, Cgo: s.Cgo, SIMD: s.SIMD, Home: s.Home,
		Reminder: kernels.SIMDReminder(), Modules: map[string]string{}, Weights: []weightState{}}
	for _, m := range s.Modules {
		d.Modules[m.Path] = m.Version
	}
	for _, b := range s.Backends {
		state := backendState{Name: b.Name, Opens: b.Err == nil, Plugin: b.Plugin,
			Description: b.Description, Devices: b.Devices}
		if b.Err != nil {
			state.Reason, state.Fix = reason(b.Err)
		} else if d.Auto == "" {
			d.Auto = b.Name
		}
		d.Backends = append(d.Backends, state)
	}
	if err := d.weights(); err != nil {
		d.Problem = err.Error()
	}
	return d
}

// reason takes an error of a backend apart: why it does not open and what mends that.
func reason(err error) (why, fix string) {
	var missing *kernels.PluginError
	switch {
	case errors.As(err, &missing):
		return missing.Err.Error(), missing.Command
	case errors.Is(err, kernels.ErrNoXLA):
		return "built without cgo", "CGO_ENABLED=1 go build ./tools/gansim (needs a C compiler)"
	}
	return err.Error(), ""
}

// weights reads the embedded networks and their records.
func (d *diagnosis) weights() error {
	w, err := mini.Open()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(w.Hashes)) {
		state := weightState{Name: name, SHA256: w.Hashes[name]}
		record, err := mini.Record(name)
		if err == nil {
			err = json.Unmarshal(record, &state.Record)
		}
		switch hash := state.Record.SHA256; {
		case err != nil:
			state.Note = err.Error()
		case hash != "" && hash != state.SHA256:
			state.Note = "the record is of another file"
		}
		state.Record.Curve = nil
		d.Weights = append(d.Weights, state)
	}
	return nil
}

func (d diagnosis) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "program\t%s, %s, cgo %s, SIMD %s\n", d.Go, d.Platform, onOff(d.Cgo),
		onOff(d.SIMD))
	if d.Reminder != "" {
		fmt.Fprintf(t, "\t%s\n", d.Reminder)
	}
	fmt.Fprintf(t, "home\t%s (GANSIM_HOME)\n\nbackends\tauto is %s\n", d.Home, d.Auto)
	for _, b := range d.Backends {
		b.write(t)
	}
	fmt.Fprintln(t, "\nmodules")
	for _, path := range slices.Sorted(maps.Keys(d.Modules)) {
		fmt.Fprintf(t, "  %s\t%s\n", path, d.Modules[path])
	}
	fmt.Fprintf(t, "\nweights\t%s\n", d.Problem)
	for _, s := range d.Weights {
		s.write(t)
	}
	return t.Flush()
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func (b backendState) write(w io.Writer) {
	if b.Opens {
		what := b.Plugin // which XLA's description repeats
		if what == "" {
			what = b.Description
		}
		fmt.Fprintf(w, "  %s\tok: %s; %s\n", b.Name, what, strings.Join(b.Devices, "; "))
		return
	}
	fmt.Fprintf(w, "  %s\tno: %s\n", b.Name, b.Reason)
	if b.Fix != "" {
		fmt.Fprintf(w, "\tfix: %s\n", b.Fix)
	}
}

func (s weightState) write(w io.Writer) {
	fmt.Fprintf(w, "  %s\tsha256 %s\n", s.Name, s.SHA256)
	if r := s.Record; r.Command != "" {
		fmt.Fprintf(w, "\t%d parameters by %s on %s, %.0f min\n", r.Count, r.Command, r.Backend,
			r.Minutes)
		var final []string
		for _, name := range slices.Sorted(maps.Keys(r.Final)) {
			final = append(final, fmt.Sprintf("%s %.4g", name, r.Final[name]))
		}
		if len(final) > 0 {
			fmt.Fprintf(w, "\t%s\n", strings.Join(final, ", "))
		}
	}
	if s.Note != "" {
		fmt.Fprintf(w, "\t%s\n", s.Note)
	}
}
