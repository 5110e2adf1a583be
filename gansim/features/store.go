package features

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"gansim.example/gansim/dataset"
	"gansim.example/gansim/metric"
	"gansim.example/weights"
)

// PartSize is the number of positions of a set whose features are kept in one file: about 10 MB at
// 2048 features. An interrupted run loses no more.
const PartSize = 1024

// part are the features of the images at some positions of a set.
type part struct {
	metric.Features
	Logits  metric.Features
	Names   []string
	Sums    []string // SHA-256 of the files
	Skipped []skipped

	path string // of the file that holds the values, where they are not here
}

// skipped is a file that could not be read.
type skipped struct{ Name, Reason string }

// store is the folder of one set's parts; the zero value keeps nothing.
type store struct{ dir string }

// version changes when features do: with it, those kept before are computed again.
const version = "1"

// store is where the features of a set under this convention and network are kept.
func (x *Extractor) store(s *dataset.Set, list string) store {
	if x.options.Cache == "" {
		return store{}
	}
	way := "natural"
	if s.Generated {
		way = "generated"
	}
	key := sha256.New()
	for _, v := range []any{version, list, x.Network.Hash, x.Network.Label(), x.Network.Logits,
		x.Convention.Name, way, x.size} {
		fmt.Fprintf(key, "%v\n", v)
	}
	return store{filepath.Join(x.options.Cache, hex.EncodeToString(key.Sum(nil)[:16]))}
}

func (k store) path(from int) string {
	return filepath.Join(k.dir, fmt.Sprintf("part-%08d.safetensors", from))
}

// labels are a part without its numbers.
type labels struct {
	Names, Sums []string
	Skipped     []skipped
}

// write keeps a part, whole or not at all.
func (k store) write(from int, p *part) error {
	if k.dir == "" {
		return nil
	}
	text, err := json.Marshal(labels{p.Names, p.Sums, p.Skipped})
	if err != nil {
		return err
	}
	var ts []weights.Tensor
	for name, f := range map[string]metric.Features{"features": p.Features, "logits": p.Logits} {
		t, err := weights.FromFloats(name, weights.F32, []int{p.N, f.Dim}, f.X)
		if err != nil {
			return err
		}
		ts = append(ts, t)
	}
	var b bytes.Buffer
	if _, err := weights.WriteSafetensors(&b, ts, map[string]string{"labels": string(text)}); err != nil {
		return err
	}
	if err := os.MkdirAll(k.dir, 0o755); err != nil {
		return fmt.Errorf("features: cache: %w", err)
	}
	if err := renameio.WriteFile(k.path(from), b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("features: cache: %w", err)
	}
	return nil
}

// read gives a part that was kept, nil if there is none that can be read: it is computed again then.
func (k store) read(from, width, logits, want int) *part {
	if k.dir == "" {
		return nil
	}
	p, err := readPart(k.path(from))
	if err != nil || p.Dim != width || p.Logits.Dim != logits || p.N > want {
		return nil
	}
	return p
}

func readPart(path string) (*part, error) {
	f, err := weights.OpenSafetensors(path)
	if err != nil {
		return nil, err
	}
	var l labels
	if err := json.Unmarshal([]byte(f.Metadata["labels"]), &l); err != nil {
		return nil, err
	}
	p := &part{Names: l.Names, Sums: l.Sums, Skipped: l.Skipped}
	for name, to := range map[string]*metric.Features{"features": &p.Features, "logits": &p.Logits} {
		t, ok := f.Tensor(name)
		if !ok || len(t.Shape) != 2 || t.Shape[0] != len(l.Names) {
			return nil, fmt.Errorf("features: %s holds no %s of %d images", path, name, len(l.Names))
		}
		if to.X, err = t.Float32s(); err != nil {
			return nil, err
		}
		to.N, to.Dim = t.Shape[0], t.Shape[1]
	}
	return p, nil
}

// slim is a part whose values stay in its file, if there is one.
func (k store) slim(from int, p *part) *part {
	if k.dir == "" {
		return p
	}
	return &part{path: k.path(from)}
}
