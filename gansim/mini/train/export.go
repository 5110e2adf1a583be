package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// Record is what is kept of a training: enough to repeat it and to judge it.
type Record struct {
	Network  string             `json:"network"`
	Command  string             `json:"command"`
	Seed     uint64             `json:"seed"`
	Backend  string             `json:"backend"`
	DataHash string             `json:"data_sha256"`
	SHA256   string             `json:"weights_sha256"`
	Count    int                `json:"parameters"`
	Minutes  float64            `json:"minutes"`
	Notes    []string           `json:"notes,omitempty"`
	Final    map[string]float64 `json:"final"`
	Curve    []Point            `json:"curve"`
}

// export writes a network's tensors under their published names and layout as float16, and the
// record beside them. extra holds tensors that no optimiser trained, such as statistics.
func (r *runner) export(table nn.Table, params layout, flat []float32, extra map[string][]float32,
	rec Record) error {
	have := map[string][]float32{}
	params.values(flat, func(e entry, v []float32) {
		have[e.name] = e.layer.Export(e.name, e.published, v)
	})
	for name, v := range extra {
		have[name] = v
	}
	var ts []weights.Tensor
	for _, p := range table.Published() {
		if len(have[p.Name]) != count(p.Shape) {
			return fmt.Errorf("train: tensor %q has %d values, want %v", p.Name, len(have[p.Name]), p.Shape)
		}
		t, err := weights.FromFloats(p.Name, weights.F16, p.Shape, have[p.Name])
		if err != nil {
			return err
		}
		ts = append(ts, t)
	}
	rec.Count = table.Count()
	return r.write(ts, rec)
}

// write writes tensors as a weight file and the record beside it.
func (r *runner) write(ts []weights.Tensor, rec Record) error {
	var b bytes.Buffer
	sum, err := weights.WriteSafetensors(&b, ts, map[string]string{
		"network": r.network, "world": "miniature", "licence": "Apache-2.0"})
	if err != nil {
		return err
	}
	rec.Network, rec.Seed, rec.SHA256 = r.network, r.seed, sum
	rec.Curve, rec.Backend = r.curve, r.backend.Name()
	text, err := json.MarshalIndent(rec, "", " ")
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(r.dir, r.network+".json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return renameio.WriteFile(filepath.Join(r.dir, r.network+".safetensors"), b.Bytes(), 0o644)
}

// open reads a network's exported tensors.
func open(dir, network string) (nn.Source, error) {
	f, err := weights.OpenSafetensors(filepath.Join(dir, network+".safetensors"))
	if err != nil {
		return nn.Source{}, err
	}
	return nn.FromFile(f), nil
}

// loaded reads a network of the folder.
func loaded[N any](dir, network string, load func(nn.Source, nn.LoadOptions) (N, error)) (N, error) {
	src, err := open(dir, network)
	if err != nil {
		var none N
		return none, err
	}
	return load(src, nn.LoadOptions{})
}

// known says whether a network's name is one of those that are trained.
func known(name string) error {
	if slices.Contains(Networks(), name) {
		return nil
	}
	return fmt.Errorf("train: no network %q, want one of %q", name, Networks())
}
