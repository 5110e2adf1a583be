package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/google/renameio/v2"

	"gansim.example/gansim/internal/graphx"
	"gansim.example/weights"
)

// save writes the state of a phase, whole or not at all.
func (r *runner) save(phase string, state []*tensors.Tensor, step int) error {
	var ts []weights.Tensor
	for i, s := range state {
		v, err := graphx.Floats(s)
		if err != nil {
			return err
		}
		t, err := weights.FromFloats(fmt.Sprintf("state.%02d", i), weights.F32, s.Shape().Dimensions, v)
		if err != nil {
			return err
		}
		ts = append(ts, t)
	}
	curve, err := json.Marshal(r.curve)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	var b bytes.Buffer
	_, err = weights.WriteSafetensors(&b, ts, map[string]string{
		"phase": phase, "step": strconv.Itoa(step), "seed": strconv.FormatUint(r.seed, 10),
		"curve": string(curve)})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return renameio.WriteFile(r.checkpoint(), b.Bytes(), 0o644)
}

func (r *runner) checkpoint() string {
	return filepath.Join(r.dir, r.network+".checkpoint.safetensors")
}

// resumed is what a checkpoint holds.
type resumed struct {
	phase string
	step  int
	state []*tensors.Tensor
}

// resume reads a checkpoint; ok is false if there is none. One made with another seed is refused.
func (r *runner) resume() (c resumed, ok bool, err error) {
	f, err := weights.OpenSafetensors(r.checkpoint())
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	meta := f.Metadata
	if seed := strconv.FormatUint(r.seed, 10); meta["seed"] != seed {
		return c, false, fmt.Errorf("train: %s was made with seed %s, not %s; delete it to start over",
			r.checkpoint(), meta["seed"], seed)
	}
	if c.step, err = strconv.Atoi(meta["step"]); err != nil {
		return c, false, fmt.Errorf("train: %s: step: %w", r.checkpoint(), err)
	}
	if err := json.Unmarshal([]byte(meta["curve"]), &r.curve); err != nil {
		return c, false, fmt.Errorf("train: %s: curve: %w", r.checkpoint(), err)
	}
	c.phase = meta["phase"]
	for i := 0; ; i++ {
		t, found := f.Tensor(fmt.Sprintf("state.%02d", i))
		if !found {
			return c, true, nil
		}
		v, err := t.Float32s()
		if err != nil {
			return c, false, err
		}
		c.state = append(c.state, graphx.Tensor(v, t.Shape...))
	}
}
