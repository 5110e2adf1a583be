// Package parity compares every part of gansim with what the original programs computed: it repeats
// the cases of a folder of fixtures (see package oracle) and prints, stage by stage, how far the two
// are apart. Salts, sizes and seeds come from the fixtures.
package parity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim/internal/oracle"
)

// Line is the comparison of one stage of a case.
type Line struct {
	Case      string  `json:"case"`
	Stage     string  `json:"stage"`
	Reference string  `json:"reference"` // the original program
	MaxAbs    float64 `json:"max_abs"`
	RelL2     float64 `json:"rel_l2"`
	Tolerance float64 `json:"tolerance"` // of the measure that Limits names
	Measure   string  `json:"measure"`   // "rel_l2", "max_abs", "each" number by itself, or "exact"
	OK        bool    `json:"ok"`
	Error     string  `json:"error,omitempty"` // why the stage could not be compared
}

// String is the line as the command prints it.
func (l Line) String() string {
	verdict := "ok"
	if !l.OK {
		verdict = "FAIL"
	}
	if l.Error != "" {
		return fmt.Sprintf("%s %s - - - %s: %s", l.Case, l.Stage, verdict, l.Error)
	}
	return fmt.Sprintf("%s %s %.3g %.3g %.3g %s", l.Case, l.Stage, l.MaxAbs, l.RelL2, l.Tolerance, verdict)
}

// Options of a comparison.
type Options struct {
	Dir  string   // folder of fixtures
	Only []string // cases by name; empty means all
	// Report is given each line as it is found; nil means quiet.
	Report func(Line)
	// Start is told the case that begins and how many there are; nil means quiet.
	Start func(name string, index, total int)
}

// Result counts stages; a case that there is no code for counts as one that failed.
type Result struct {
	Cases  int    `json:"cases"`
	Passed int    `json:"passed"`
	Failed int    `json:"failed"`
	Lines  []Line `json:"lines"`
}

// check repeats the cases of some of a folder's files.
type check struct {
	// name is that of the file without .json, or a pattern in the manner of path.Match.
	name      string
	reference string // the original program
	run       func(r *run) error
}

// The original programs that several cases come from.
const (
	torchvision = "torchvision 0.29.2"
	layerTables = "PyTorch 2.15.0, the published layer tables"
)

// checks are all that gansim can compare. A file with weights that is not listed here is a network.
func checks() []check {
	return []check{
		{"formula_vectors", "the formula's own definition", formula},
		{"alexnet", torchvision, network(classify)},
		{"resnet50", torchvision, network(classify)},
		{"inception_v3", torchvision, network(classify)},
		{"caffenet", layerTables, network(classify)},
		{"fid_inception", "pytorch-fid 0.3.0", network(features)},
		{"fidelity_inception", "torch-fidelity 0.4.0", network(fidelity)},
		{"lpips_*", "lpips 0.1.4", network(perceive)},
		{"*_scorer", torchvision, network(score)},
		{"deepsim_*+*", torchvision, network(generateAndScore)},
		{"biggan_*+*", torchvision, network(generateAndScore)},
		{"deepsim_*", layerTables, network(generate)},
		{"biggan_deep_*", "pytorch-pretrained-biggan 0.1.1", network(generate)},
		{"inversion_fc6", layerTables, network(inversion)},
		{"inversion_fc6_adam", layerTables, following(invertSteps)},
		{"actmax_fc6_*", torchvision, following(ascendSteps)},
		{"actmax_biggan_*", torchvision, following(ascendSteps)},
		{"trajectory_*", torchvision, trajectoryOf},
		{"yolov8*", "ultralytics 8.4.190", network(detect)},
		{"biggan_truncation", "pytorch-pretrained-biggan 0.1.1", truncation},
		{"fid", "pytorch-fid 0.3.0, torch-fidelity 0.4.0, NumPy 2.4", fid},
		{"images", "Pillow 13.0.0, libjpeg-turbo 3.2.0, libwebp 1.6.0, libtiff 4.7.2", images},
		{"imgstats", "scikit-image 0.26, OpenCV 5.0, NumPy 2.4", imgstats},
		{"resize", "PyTorch 2.15, Pillow 13.0.0, clean-fid 0.1.35, OpenCV 5.0", resize},
		{"spectra", "SciPy 1.17, scikit-image 0.26, NumPy 2.4", spectra},
		{"stats", "SciPy 1.17", stats},
		{"ops", "PyTorch 2.15", ops},
		{"cma", "cma 4.5.0, CholeskyCMAES", cma},
		{"optim", "torch.optim of PyTorch 2.15", optimisers},
		{"detector", "ultralytics 8.4.190", detector},
		{"autoshape", "YOLOv5's rules with OpenCV 5.0.0 and torchvision 0.29.2", autoshape},
		{"actmax_tiny", "PyTorch 2.15", actmaxTiny},
		{"receptive_field", "PyTorch 2.15, torchvision 0.29.2", receptiveField},
		{"hessian_tiny", "PyTorch 2.15, lpips 0.1.4", hessianTiny},
		{"formats", "PyTorch 2.15, NumPy 2.4, safetensors 0.8", formats},
		{"redraw", "torch.optim.Adam of PyTorch 2.15", redraw},
	}
}

// run is one case while it is compared.
type run struct {
	ctx     context.Context
	backend compute.Backend
	dir     string
	name    string // of the case
	check   check
	result  *Result
	report  func(Line)
}

// Run repeats the cases. It ends early only when ctx is done or the folder cannot be read.
func Run(ctx context.Context, backend compute.Backend, o Options) (Result, error) {
	var result Result
	names, err := Cases(o.Dir)
	if err != nil {
		return result, err
	}
	if names, err = chosen(names, o.Only); err != nil {
		return result, err
	}
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return result, fmt.Errorf("parity: %d of %d cases done: %w", i, len(names), err)
		}
		if o.Start != nil {
			o.Start(name, i, len(names))
		}
		r := &run{ctx: ctx, backend: backend, dir: o.Dir, name: name, result: &result, report: o.Report}
		r.all()
		result.Cases++
	}
	return result, nil
}

// all runs a case, turning what goes wrong into a line that failed.
func (r *run) all() {
	i := slices.IndexFunc(checks(), func(c check) bool {
		match, err := filepath.Match(c.name, r.name)
		return err == nil && match
	})
	if i < 0 {
		r.line(Line{Stage: "-", Error: "no code for this case"})
		return
	}
	r.check = checks()[i]
	before := r.result.Passed + r.result.Failed
	var failed error
	err := exceptions.TryCatch[error](func() { failed = r.check.run(r) })
	if err == nil {
		err = failed
	}
	if err == nil && r.result.Passed+r.result.Failed == before {
		err = errors.New("nothing was compared")
	}
	if err != nil {
		r.line(Line{Stage: "-", Error: err.Error()})
	}
}

// line records a line; Case and Reference are filled in.
func (r *run) line(l Line) {
	l.Case, l.Reference = r.name, r.check.reference
	if l.OK {
		r.result.Passed++
	} else {
		r.result.Failed++
	}
	r.result.Lines = append(r.result.Lines, l)
	if r.report != nil {
		r.report(l)
	}
}

// relative compares a stage by the relative L2 difference.
func (r *run) relative(stage string, got, want []float64, tolerance float64) {
	d := oracle.Compare(got, want)
	r.line(Line{Stage: stage, MaxAbs: d.MaxAbs, RelL2: d.RelL2, Tolerance: tolerance,
		Measure: "rel_l2", OK: d.RelL2 <= tolerance})
}

// absolute compares a stage by the largest absolute difference.
func (r *run) absolute(stage string, got, want []float64, tolerance float64) {
	d := oracle.Compare(got, want)
	r.line(Line{Stage: stage, MaxAbs: d.MaxAbs, RelL2: d.RelL2, Tolerance: tolerance,
		Measure: "max_abs", OK: d.MaxAbs <= tolerance})
}

// exact demands equality; differences are named by text.
func (r *run) exact(stage string, equal bool, difference string) {
	l := Line{Stage: stage, Measure: "exact", OK: equal}
	if !equal {
		l.Error = difference
	}
	r.line(l)
}

// read decodes the case's JSON file.
func (r *run) read(v any) error { return oracle.Read(r.dir, r.name+".json", v) }

// Cases lists the cases of a folder: its JSON files, and its folder of checkpoint files.
func Cases(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	if _, err := os.Stat(filepath.Join(dir, "formats", "index.json")); err == nil {
		names = append(names, "formats")
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("parity: no fixtures in %q, want a folder with <case>.json files", dir)
	}
	slices.Sort(names)
	return names, nil
}

func chosen(names, only []string) ([]string, error) {
	if len(only) == 0 {
		return names, nil
	}
	for _, o := range only {
		if !slices.Contains(names, o) {
			return nil, fmt.Errorf("parity: no case %q, known are %s", o, strings.Join(names, ", "))
		}
	}
	return only, nil
}

// Dir is the default folder of fixtures: $GANSIM_ORACLE, or gansim/testdata/oracle in the working
// directory or above it.
func Dir() (string, error) { return oracle.Dir() }
