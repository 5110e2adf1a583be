package experiment

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"gansim.example/gansim/ranktest"
)

// Report is report.json.
type Report struct {
	Preset   string            `json:"preset"`
	World    string            `json:"world"` // Miniature, not the paper's networks, or Published
	Seed     uint64            `json:"seed"`
	Weights  map[string]string `json:"weights"` // SHA-256 by network
	Versions map[string]string `json:"versions"`
	Device   string            `json:"device"`
	Wall     float64           `json:"wall_s"`
	A        *Section          `json:"panel_a,omitempty"`
	B        *Section          `json:"panel_b,omitempty"`
	C        *Section          `json:"panel_c,omitempty"`
	D        *Section          `json:"panel_d,omitempty"`
}

// Section is one panel's part of the report.
type Section struct {
	N      int      `json:"n"`
	Values []Value  `json:"values"`
	Tests  []Test   `json:"tests"`
	Notes  []string `json:"notes"`
	Wall   float64  `json:"wall_s"`
}

// Value is a number with its standard error and the paper's.
type Value struct {
	Name  string   `json:"name"`
	Group string   `json:"group"`
	Ours  Number   `json:"ours"`
	SE    Number   `json:"se"`
	Paper *float64 `json:"paper"`
	N     int      `json:"n,omitempty"`
	Lo    *float64 `json:"lo,omitempty"`
	Hi    *float64 `json:"hi,omitempty"`
}

// Number is a float64 that JSON writes as null when it is not finite.
type Number float64

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// MarshalJSON writes null for NaN and infinities.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return json.Marshal(f)
	}
	return []byte("null"), nil
}

// Test is a test of significance beside the paper's.
type Test struct {
	ranktest.Result
	Question string    `json:"question"`
	Paper    PaperTest `json:"paper"`
}

// PaperTest is what the legend states.
type PaperTest struct {
	N      int      `json:"n"`
	P      string   `json:"p"`
	Effect *float64 `json:"effect_size,omitempty"`
}

func paper(v float64) *float64 { return &v }

// median describes values as median and bootstrap standard error.
func median(name, group string, values []float64, seed uint64, published *float64) (Value, error) {
	if len(values) == 1 { // no spread to tell an error from
		return Value{Name: name, Group: group, Ours: Number(values[0]), SE: Number(math.NaN()),
			Paper: published, N: 1}, nil
	}
	d, err := ranktest.Describe(values, ranktest.Bootstrap{Seed: seed})
	if err != nil {
		return Value{}, fmt.Errorf("experiment: %s of %s: %w", name, group, err)
	}
	return Value{Name: name, Group: group, Ours: Number(d.Median), SE: Number(d.MedianSE),
		Paper: published, N: d.N}, nil
}

// save writes report.json and report.md.
func (r Report) save(dir string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	if err := write(filepath.Join(dir, "report.json"), append(text, '\n')); err != nil {
		return err
	}
	return write(filepath.Join(dir, "report.md"), []byte(r.Markdown()))
}

// Markdown is report.md.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Extended Data Fig. 1, preset %s\n\n", r.Preset)
	if r.World == Miniature {
		b.WriteString("Computed with the **miniature world**: small networks trained on rendered " +
			"pictures, not the paper's. Only the direction of an effect can be compared.\n")
	}
	for _, s := range []struct {
		letter, title string
		section       *Section
	}{
		{"A", "Image sets: Fréchet inception distance and objectness", r.A},
		{"B", "Low-level statistics of evolved images", r.B},
		{"C", "Inversion of photographs", r.C},
		{"D", "Activation maximisation", r.D},
	} {
		if s.section != nil {
			fmt.Fprintf(&b, "\n## Panel %s. %s\n\n", s.letter, s.title)
			s.section.markdown(&b)
		}
	}
	fmt.Fprintf(&b, "\n---\nSeed %d", r.Seed)
	if r.Device != "" { // else it was computed in several places
		fmt.Fprintf(&b, ", %s, %.1f s", r.Device, r.Wall)
	}
	b.WriteString(".\n")
	return b.String()
}

// Markdown is the panel's part of the report: values beside the paper's, tests, notes.
func (s Section) Markdown() string {
	var b strings.Builder
	s.markdown(&b)
	return b.String()
}

func (s Section) markdown(b *strings.Builder) {
	b.WriteString("| quantity | group | n | ours | SE | paper |\n|---|---|--:|--:|--:|--:|\n")
	for _, v := range s.Values {
		n, published := "", "–"
		if v.N > 0 {
			n = fmt.Sprint(v.N)
		}
		if v.Paper != nil {
			published = format(*v.Paper)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", v.Name, v.Group, n,
			format(float64(v.Ours)), format(float64(v.SE)), published)
	}
	for _, t := range s.Tests {
		fmt.Fprintf(b, "\n%s: %s, n = %d, statistic %s, z = %.3f, %s, r = %.3f.", t.Question, t.Name,
			t.N, format(t.Statistic), t.Z, pText(t.P, t.Log10P), t.EffectSize)
		if t.Paper.P != "" {
			fmt.Fprintf(b, " Paper: N = %d, P %s", t.Paper.N, t.Paper.P)
			if t.Paper.Effect != nil {
				fmt.Fprintf(b, ", r = %.3f", *t.Paper.Effect)
			}
			b.WriteString(".")
		}
		b.WriteString("\n")
	}
	for _, n := range s.Notes {
		fmt.Fprintf(b, "\n- %s", n)
	}
	b.WriteString("\n")
}

func pText(p, log10 float64) string {
	if p == 0 {
		return fmt.Sprintf("P = 10^%.1f", log10)
	}
	return fmt.Sprintf("P = %.3g", p)
}

func format(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v == math.Trunc(v) && math.Abs(v) < 1e7:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

// Summary is the report in a few lines: the paper's headline numbers beside ours.
func (r Report) Summary() string {
	var b strings.Builder
	for _, p := range []struct {
		letter string
		s      *Section
	}{{"a", r.A}, {"b", r.B}, {"c", r.C}, {"d", r.D}} {
		if p.s == nil {
			continue
		}
		for _, v := range p.s.Values {
			if v.Paper == nil {
				continue
			}
			fmt.Fprintf(&b, "%s  %-34s %-12s %9s", p.letter, v.Name, v.Group, format(float64(v.Ours)))
			if se := float64(v.SE); !math.IsNaN(se) {
				fmt.Fprintf(&b, " ± %-8s", format(se))
			} else {
				b.WriteString(strings.Repeat(" ", 11))
			}
			fmt.Fprintf(&b, " paper %s\n", format(*v.Paper))
		}
		for _, t := range p.s.Tests {
			fmt.Fprintf(&b, "%s  %s: %s, n = %d, z = %.2f, %s, r = %.3f\n", p.letter, t.Question, t.Name,
				t.N, t.Z, pText(t.P, t.Log10P), t.EffectSize)
		}
	}
	if r.World == Miniature {
		b.WriteString("Miniature world: not the paper's networks; compare directions, not sizes.\n")
	}
	return b.String()
}
