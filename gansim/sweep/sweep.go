// Package sweep computes a long list of runs so that nothing is lost: in one process, in many on one
// machine, or on many machines that share a folder. The folder is all there is, no database and no
// lock of the file system:
//
//	plan.json                what the sweep computes and by what it is determined
//	shards/N-HASH.parquet    rows of shard N; HASH is of the file's bytes, so damage shows
//	leases/N.K               who computes shard N; the highest K counts
//	failed/N.json            why shard N failed, last
//	notes.txt                where batches were made smaller
//
// A file appears under its name complete or not at all. Rows depend on the plan alone; so a shard that
// two workers compute by accident is one file, and the merged table is the same whatever was killed.
package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// Job is a deterministic list of shards; R is a row with parquet tags. Its methods are safe for
// concurrent use.
type Job[R any] interface {
	Key() Key
	Shards() int
	ID(shard int) string // hash of the shard's runs
	Runs(shard int) int  // rows of the shard
	Compute(ctx context.Context, shard int) ([]R, error)
}

// Halver is a job that can go on in smaller batches when the device has too little memory.
type Halver interface {
	// Halve returns the new size of batches, or false where they cannot be smaller.
	Halve() (batch int, ok bool)
}

// Key is all that determines the rows. A folder holds rows of one key, unless mixing is allowed.
type Key struct {
	Table     string `json:"table"` // name of the merged table, such as panel_d
	Plan      string `json:"plan"`  // hash of all runs
	Seed      uint64 `json:"seed"`
	Preset    string `json:"preset"`
	World     string `json:"world"`   // of the networks, such as miniature
	Weights   string `json:"weights"` // hash of all tensors
	Precision string `json:"precision"`
	Code      string `json:"code"` // version of the program
}

// fields lists the parts of a key with their names.
func (k Key) fields() [][2]string {
	return [][2]string{{"table", k.Table}, {"plan", k.Plan}, {"seed", fmt.Sprint(k.Seed)},
		{"preset", k.Preset}, {"world", k.World}, {"weights", k.Weights}, {"precision", k.Precision}, {"code version", k.Code}}
}

var (
	// ErrKey is wrapped when a folder holds rows of another key.
	ErrKey = errors.New("holds another sweep")
	// ErrPlan is an [ErrKey] of other runs, which cannot be mixed.
	ErrPlan = fmt.Errorf("%w, of other runs", ErrKey)
	// ErrNoPlan is wrapped when a folder holds no sweep.
	ErrNoPlan = errors.New("holds no sweep")
	// ErrUnfinished is wrapped when shards are missing.
	ErrUnfinished = errors.New("sweep is not finished")
)

// plan is the file plan.json.
type plan struct {
	Key
	Mixed  []Key    `json:"mixed,omitempty"` // other keys that were allowed to add rows
	Shards []string `json:"shards"`          // ids
	Runs   []int    `json:"runs"`            // of each shard
}

const (
	planFile  = "plan.json"
	shardsDir = "shards"
	leasesDir = "leases"
	failedDir = "failed"
	notesFile = "notes.txt"
)

// readPlan reads the plan of a folder.
func readPlan(dir string) (p plan, err error) {
	text, err := os.ReadFile(filepath.Join(dir, planFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("sweep: %s %w", dir, ErrNoPlan)
	}
	if err != nil {
		return p, fmt.Errorf("sweep: %w", err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("sweep: %s: %w", filepath.Join(dir, planFile), err)
	}
	if len(p.Shards) != len(p.Runs) {
		return p, fmt.Errorf("sweep: %s: %d shards, %d numbers of runs, want as many",
			filepath.Join(dir, planFile), len(p.Shards), len(p.Runs))
	}
	return p, nil
}

// Plan writes the plan of a job into its folder, which it makes. A folder with the plan of another key
// is refused with [ErrKey], naming what differs, unless mixed is set; the key is then added to the plan.
// Other runs are always refused, with [ErrPlan].
func Plan[R any](dir string, job Job[R], mixed bool) error {
	p, err := readPlan(dir)
	if errors.Is(err, ErrNoPlan) {
		return create(dir, job)
	}
	if err != nil {
		return err
	}
	key := job.Key()
	if key == p.Key || slices.Contains(p.Mixed, key) {
		return nil
	}
	var differ []string
	want := p.Key.fields()
	for i, f := range key.fields() {
		if f[1] != want[i][1] {
			differ = append(differ, fmt.Sprintf("%s is %s, here %s", f[0], want[i][1], f[1]))
		}
	}
	switch what := strings.Join(differ, "; "); {
	case key.Plan != p.Plan || key.Table != p.Table:
		return fmt.Errorf("sweep: %s %w: %s", dir, ErrPlan, what)
	case !mixed:
		return fmt.Errorf("sweep: %s %w: %s", dir, ErrKey, what)
	}
	p.Mixed = append(p.Mixed, key)
	return p.write(dir)
}

func create[R any](dir string, job Job[R]) error {
	p := plan{Key: job.Key()}
	for i := range job.Shards() {
		p.Shards, p.Runs = append(p.Shards, job.ID(i)), append(p.Runs, job.Runs(i))
	}
	for _, sub := range []string{shardsDir, leasesDir, failedDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return p.write(dir)
}

// matching lists the files of a folder of a sweep whose names match a pattern; the sweep's own path may
// hold what means something in patterns.
func matching(dir, sub, pattern string) ([]string, error) {
	folder := filepath.Join(dir, sub)
	names, err := fs.Glob(os.DirFS(folder), pattern)
	for i, name := range names {
		names[i] = filepath.Join(folder, name)
	}
	return names, err
}

func (p plan) write(dir string) error { return writeJSON(filepath.Join(dir, planFile), p) }

// writeJSON writes a file whole or not at all.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if err := renameio.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// Hash is the SHA-256 of parts, hexadecimal, shortened to 16 digits.
func Hash(parts ...string) string {
	sum := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(sum, "%d %s\n", len(p), p)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
