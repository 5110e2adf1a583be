// Command readme writes the README's numbers from a run's report, so that none is typed by hand:
//
//	bin/gansim figure --preset class --out results/class
//	go run ./tools/readme results/class
//
// It replaces what stands between <!--numbers--> and <!--/numbers--> and between <!--panels--> and
// <!--/panels-->, and copies the figure and the report to gansim/experiment/testdata.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gansim.example/gansim/experiment"
)

const testdata = "gansim/experiment/testdata"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./tools/readme RESULTS")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "readme:", err)
		os.Exit(1)
	}
}

func run(results string) error {
	if err := os.MkdirAll(testdata, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"figure.png", "report.json", "report.md"} {
		b, err := os.ReadFile(filepath.Join(results, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(testdata, name), b, 0o644); err != nil {
			return err
		}
	}
	return update("README.md", filepath.Join(testdata, "report.json"))
}

// update rewrites the blocks of a README from a report.
func update(readme, report string) error {
	b, err := os.ReadFile(report)
	if err != nil {
		return err
	}
	var r experiment.Report
	if err := json.Unmarshal(b, &r); err != nil {
		return fmt.Errorf("%s: %w", report, err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	out, err := fill(string(text), r)
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	return os.WriteFile(readme, []byte(out), 0o644)
}

func fill(text string, r experiment.Report) (string, error) {
	for _, b := range []struct{ name, content string }{{"numbers", numbers(r)}, {"panels", panels(r)}} {
		before, rest, ok := strings.Cut(text, "<!--"+b.name+"-->\n")
		_, after, closed := strings.Cut(rest, "<!--/"+b.name+"-->")
		if !ok || !closed {
			return "", fmt.Errorf("no block <!--%s-->", b.name)
		}
		text = before + "<!--" + b.name + "-->\n" + b.content + "<!--/" + b.name + "-->" + after
	}
	return text, nil
}

// sections are the report's, by letter.
func sections(r experiment.Report) map[string]*experiment.Section {
	return map[string]*experiment.Section{"A": r.A, "B": r.B, "C": r.C, "D": r.D}
}

// find is a value of a section; false if it is not there.
func find(s *experiment.Section, name, group string) (experiment.Value, bool) {
	if s == nil {
		return experiment.Value{}, false
	}
	for _, v := range s.Values {
		if v.Name == name && v.Group == group {
			return v, true
		}
	}
	return experiment.Value{}, false
}

// numbers is the table of the paper's numbers beside ours.
func numbers(r experiment.Report) string {
	var b strings.Builder
	b.WriteString("| | quantity | paper | ours |\n| --- | --- | --- | --- |\n")
	for _, row := range []struct{ panel, label, name, group, paper string }{
		{"A", "FID to ImageNet, BigGAN", "FID BigGAN to ImageNet-like", "BigGAN", "12.15"},
		{"A", "FID to ImageNet, DeePSim", "FID DeePSim to ImageNet-like", "DeePSim", "242.09"},
		{"A", "object detection rate, ImageNet", "object detection rate", "ImageNet-like", "–"},
		{"A", "object detection rate, BigGAN", "object detection rate", "BigGAN", "about ImageNet's"},
		{"A", "object detection rate, DeePSim", "object detection rate", "DeePSim", "far lower"},
		{"B", "images of the last generation", "images of the last generation", "both", "3,640"},
		{"C", "Pearson r, DeePSim, median ± SE", "Pearson r, median", "DeePSim", "0.89 ± 0.01"},
		{"C", "Pearson r, BigGAN, median ± SE", "Pearson r, median", "BigGAN", "0.60 ± 0.02"},
		{"D", "activation, DeePSim, median ± SE", "maximum score, median", "DeePSim", "5.22 ± 0.04"},
		{"D", "activation, BigGAN, median ± SE", "maximum score, median", "BigGAN", "1.115 ± 0.005"},
	} {
		ours := "–"
		if v, ok := find(sections(r)[row.panel], row.name, row.group); ok {
			ours = fmt.Sprintf("%.4g", float64(v.Ours))
			if se := float64(v.SE); se > 0 {
				ours += fmt.Sprintf(" ± %.2g", se)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.panel, row.label, row.paper, ours)
	}
	for _, row := range []struct{ panel, label, paper string }{
		{"C", "Wilcoxon signed-rank", "N = 101, P < 1e-5"},
		{"D", "Wilcoxon rank-sum", "N = 97,730, P < 1e-5, r = -0.533"},
	} {
		ours := "–"
		if s := sections(r)[row.panel]; s != nil {
			ours = test(s.Tests[0])
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.panel, row.label, row.paper, ours)
	}
	fmt.Fprintf(&b, "\nOurs: preset %s, seed %d, on the miniature world.\n", r.Preset, r.Seed)
	return b.String()
}

func test(t experiment.Test) string {
	return fmt.Sprintf("N = %d, P = 10^%.1f, r = %.3f", t.N, t.Log10P, t.EffectSize)
}

// panels is the table of panels with commands and times.
func panels(r experiment.Report) string {
	var b strings.Builder
	b.WriteString("| panel | claim of the paper | ours | command | time |\n| --- | --- | --- | --- | --- |\n")
	for _, p := range []struct{ letter, title, claim string }{
		{"A", "images, FID, objectness", "BigGAN is near natural images and as full of objects, DeePSim is neither"},
		{"B", "images evolved for conv5 units", "their low-level statistics differ (not named)"},
		{"C", "inversion", "DeePSim reproduces photographs better"},
		{"D", "activation maximisation", "DeePSim drives units of ResNet-50 and its robust twin more"},
	} {
		s := sections(r)[p.letter]
		if s == nil {
			continue
		}
		fmt.Fprintf(&b, "| %s: %s | %s | %s | `make figure PRESET=%s PANEL=%s` | %.0f s |\n", p.letter, p.title,
			p.claim, ours(p.letter, s), r.Preset, strings.ToLower(p.letter), s.Wall)
	}
	fmt.Fprintf(&b, "\nTimes: %s, two cores.\n", device(r.Device))
	return b.String()
}

// ours says in numbers whether a panel's claim holds here.
func ours(letter string, s *experiment.Section) string {
	pair := func(name, a, b string) string {
		x, _ := find(s, name, a)
		y, _ := find(s, name, b)
		return fmt.Sprintf("%s %.3g, %s %.3g", a, float64(x.Ours), b, float64(y.Ours))
	}
	switch letter {
	case "A":
		return "detection rate " + pair("object detection rate", "BigGAN", "DeePSim")
	case "B":
		return "RMS contrast " + pair("rms_contrast", "BigGAN", "DeePSim")
	case "C":
		return "r " + pair("Pearson r, median", "BigGAN", "DeePSim")
	}
	return "score " + pair("maximum score, median", "BigGAN", "DeePSim")
}

func device(d string) string {
	if strings.HasPrefix(d, "xla") {
		return "XLA on the CPU"
	}
	return "pure Go"
}
