package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"gansim.example/weights"
)

// pieces keeps the finished parts of a command's work in a folder beside its results, so that an
// interrupted command goes on where it stopped. Parts of other settings are not taken.
type pieces struct{ dir, settings string }

// newPieces keeps pieces in out; settings are all that determines them, as something JSON can write.
func newPieces(out string, settings any) (*pieces, error) {
	b, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	p := &pieces{filepath.Join(out, ".pieces"), hex.EncodeToString(sum[:8])}
	return p, os.MkdirAll(p.dir, 0o755)
}

func (p *pieces) path(name string) string {
	return filepath.Join(p.dir, p.settings+"-"+name+".safetensors")
}

// do gives a piece: read, if it was finished before, else computed and written whole.
func (p *pieces) do(ctx context.Context, name string,
	compute func() ([]weights.Tensor, error)) (*weights.File, error) {
	if f, err := weights.OpenSafetensors(p.path(name)); err == nil {
		return f, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ts, err := compute()
	if err != nil {
		return nil, err
	}
	return p.put(name, ts, nil)
}

// put writes a piece, in place of one of that name.
func (p *pieces) put(name string, ts []weights.Tensor, meta map[string]string) (*weights.File, error) {
	var b bytes.Buffer
	if _, err := weights.WriteSafetensors(&b, ts, meta); err != nil {
		return nil, err
	}
	if err := renameio.WriteFile(p.path(name), b.Bytes(), 0o644); err != nil {
		return nil, err
	}
	return weights.ParseSafetensors(b.Bytes())
}

// done removes the pieces: the results are written.
func (p *pieces) done() error { return os.RemoveAll(p.dir) }

// kept is an error of interrupted work with the command that goes on.
func kept(err error) error {
	if errors.Is(err, context.Canceled) {
		return hinted{fmt.Errorf("interrupted, what is finished is kept: %w", err),
			"go on with the same command"}
	}
	return err
}

// values reads a piece's tensor.
func values(f *weights.File, name string) ([]float64, error) {
	t, ok := f.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("a piece has no tensor %q", name)
	}
	return t.Float64s()
}

// tensor64 makes a tensor of float64 values.
func tensor64(name string, v []float64, shape ...int) (weights.Tensor, error) {
	return weights.FromFloats(name, weights.F64, shape, v)
}
