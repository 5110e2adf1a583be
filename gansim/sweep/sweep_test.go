package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gansim.example/gansim/sweep"
)

// row is a row of the toy job: its value depends on shard and place alone.
type row struct {
	Shard int     `parquet:"shard"`
	Place int     `parquet:"place"`
	Value float64 `parquet:"value"`
}

// toy is a job whose shards take some time.
type toy struct {
	shards, rows int
	seed         uint64
	took         time.Duration
	log          string // file that gets a line for each shard computed; empty for none
	compute      func(ctx context.Context, shard int) error
	batch        atomic.Int64
}

func (j *toy) Key() sweep.Key {
	return sweep.Key{Table: "toy", Plan: sweep.Hash(fmt.Sprint(j.shards, j.rows)), Seed: j.seed, Code: "1"}
}
func (j *toy) Shards() int     { return j.shards }
func (j *toy) ID(i int) string { return sweep.Hash(fmt.Sprint(i)) }
func (j *toy) Runs(int) int    { return j.rows }

func (j *toy) Halve() (int, bool) {
	b := j.batch.Load() / 2
	j.batch.Store(b)
	return int(b), b >= 1
}

func (j *toy) Compute(ctx context.Context, i int) ([]row, error) {
	if j.compute != nil {
		if err := j.compute(ctx, i); err != nil {
			return nil, err
		}
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(j.took):
	}
	if j.log != "" {
		f, err := os.OpenFile(j.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, err
		}
		if _, err := fmt.Fprintln(f, i); err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	rng := rand.New(rand.NewPCG(j.seed, uint64(i)))
	rows := make([]row, j.rows)
	for k := range rows {
		rows[k] = row{i, k, rng.NormFloat64()}
	}
	return rows, nil
}

// TestMain makes the test's program a worker where it is told to be one.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SWEEP_TEST_DIR"); dir != "" {
		j := &toy{shards: 40, rows: 5, took: 15 * time.Millisecond, log: os.Getenv("SWEEP_TEST_LOG")}
		if err := sweep.Run(context.Background(), dir, j, sweep.Options{Workers: 2}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// worker starts this program as a worker on the folder.
func worker(t *testing.T, dir, log string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), "SWEEP_TEST_DIR="+dir, "SWEEP_TEST_LOG="+log)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// merged is the table of a finished folder.
func merged(t *testing.T, dir string) []row {
	t.Helper()
	rows, _, key, err := sweep.Merge[row](dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if key.Table != "toy" {
		t.Errorf("table %q, want toy", key.Table)
	}
	return rows
}

// uninterrupted is the table that one worker makes.
func uninterrupted(t *testing.T) []row {
	dir := t.TempDir()
	j := &toy{shards: 40, rows: 5}
	if err := sweep.Run(t.Context(), dir, j, sweep.Options{}); err != nil {
		t.Fatal(err)
	}
	return merged(t, dir)
}

func TestKilled(t *testing.T) {
	const kills = 50
	want, dir, before := uninterrupted(t), t.TempDir(), 0
	rng := rand.New(rand.NewPCG(1, 2))
	for range kills {
		c := worker(t, dir, "")
		time.Sleep(time.Duration(1+rng.IntN(60)) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		s, err := sweep.ReadStatus(dir)
		if errors.Is(err, sweep.ErrNoPlan) { // killed before it wrote anything
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if s.Shards.Done < before {
			t.Errorf("%d shards are done, were %d", s.Shards.Done, before)
		}
		before = s.Shards.Done
	}
	t.Logf("%d of 40 shards after %d kills", before, kills)
	if err := worker(t, dir, "").Wait(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(merged(t, dir), want); diff != "" {
		t.Errorf("after kills (-got +want):\n%s", diff)
	}
	for _, sub := range []string{"shards/.*", "leases/*", "leases/.*"} {
		if left, _ := filepath.Glob(filepath.Join(dir, sub)); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

func TestWorkers(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(t.TempDir(), "log")
	a, b := worker(t, dir, log), worker(t, dir, log)
	if err := errors.Join(a.Wait(), b.Wait()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(merged(t, dir), uninterrupted(t)); diff != "" {
		t.Errorf("of two workers (-got +want):\n%s", diff)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, line := range strings.Fields(string(text)) {
		count[line]++
	}
	for i := range 40 {
		if n := count[strconv.Itoa(i)]; n != 1 {
			t.Errorf("shard %d was computed %d times, want once", i, n)
		}
	}
}

func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	j := &toy{shards: 6, rows: 5}
	if err := sweep.Run(t.Context(), dir, j, sweep.Options{}); err != nil {
		t.Fatal(err)
	}
	want := merged(t, dir)
	files, err := filepath.Glob(filepath.Join(dir, "shards", "*.parquet"))
	if err != nil || len(files) != 6 {
		t.Fatalf("files %v, error %v, want 6", files, err)
	}
	if err := os.Truncate(files[1], 40); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(files[4])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(files[4], text, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := sweep.ReadStatus(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Damaged, []int{1, 4}); diff != "" {
		t.Errorf("damaged (-got +want):\n%s", diff)
	}
	if _, missing, _, err := sweep.Merge[row](dir, false); !errors.Is(err, sweep.ErrUnfinished) || missing != 2 {
		t.Errorf("merge: %d missing, error %v, want 2 and ErrUnfinished", missing, err)
	}
	var warned []string
	err = sweep.Run(t.Context(), dir, j, sweep.Options{Warn: func(s string) { warned = append(warned, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if len(warned) != 2 || !strings.Contains(warned[0], files[1]) {
		t.Errorf("warned %q, want of two files", warned)
	}
	if diff := cmp.Diff(merged(t, dir), want); diff != "" {
		t.Errorf("after repair (-got +want):\n%s", diff)
	}
}

func TestKey(t *testing.T) {
	dir := t.TempDir()
	if err := sweep.Run(t.Context(), dir, &toy{shards: 2, rows: 1}, sweep.Options{}); err != nil {
		t.Fatal(err)
	}
	other := &toy{shards: 2, rows: 1, seed: 7}
	err := sweep.Run(t.Context(), dir, other, sweep.Options{})
	if !errors.Is(err, sweep.ErrKey) || !strings.Contains(err.Error(), "seed is 0, here 7") {
		t.Errorf("another seed: %v", err)
	}
	if err := sweep.Run(t.Context(), dir, other, sweep.Options{Mixed: true}); err != nil {
		t.Errorf("mixed: %v", err)
	}
	s, err := sweep.ReadStatus(dir)
	if err != nil || len(s.Mixed) != 1 || s.Mixed[0].Seed != 7 {
		t.Errorf("mixed keys %v, error %v", s.Mixed, err)
	}
	if err := sweep.Run(t.Context(), dir, &toy{shards: 3, rows: 1}, sweep.Options{Mixed: true}); !errors.Is(err,
		sweep.ErrPlan) {
		t.Errorf("another plan, mixed: %v", err)
	}
}

func TestFailures(t *testing.T) {
	dir := t.TempDir()
	var tries atomic.Int64
	j := &toy{shards: 4, rows: 1, compute: func(_ context.Context, i int) error {
		switch {
		case i == 1:
			return errors.New("no such layer")
		case i == 2 && tries.Add(1) == 1:
			return errors.New("once")
		}
		return nil
	}}
	err := sweep.Run(t.Context(), dir, j, sweep.Options{})
	if err == nil || !strings.Contains(err.Error(), "1 of 4 shards failed, first shard 1: no such layer") {
		t.Errorf("error %v", err)
	}
	s, err := sweep.ReadStatus(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []sweep.Failure{{Shard: 1, ID: j.ID(1), Attempts: 3, Reason: "no such layer"}}
	if diff := cmp.Diff(s.Failed, want); diff != "" || s.Shards.Done != 3 {
		t.Errorf("%d done; failed (-got +want):\n%s", s.Shards.Done, diff)
	}
	j.compute = nil
	if err := sweep.Run(t.Context(), dir, j, sweep.Options{}); err != nil {
		t.Errorf("once the cause is gone: %v", err)
	}
	if s, err := sweep.ReadStatus(dir); err != nil || !s.Finished || len(s.Failed) > 0 {
		t.Errorf("status %+v, error %v", s, err)
	}
}

func TestOutOfMemory(t *testing.T) {
	j := &toy{shards: 2, rows: 1}
	j.batch.Store(8)
	j.compute = func(context.Context, int) error {
		if j.batch.Load() > 2 {
			return errors.New("RESOURCE_EXHAUSTED: allocating 3 GB")
		}
		return nil
	}
	var warned []string
	dir := t.TempDir()
	err := sweep.Run(t.Context(), dir, j, sweep.Options{Attempts: 1,
		Warn: func(s string) { warned = append(warned, s) }})
	if err != nil || len(warned) != 2 || !strings.Contains(warned[1], "batches are now of 2") {
		t.Errorf("error %v, warned %q", err, warned)
	}
	s, err := sweep.ReadStatus(dir)
	if err != nil || len(s.Notes) != 2 || !strings.Contains(s.Notes[1], "batches are now of 2") {
		t.Errorf("notes %q, error %v", s.Notes, err)
	}
}

func TestStop(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	j := &toy{shards: 3, rows: 1, compute: func(_ context.Context, i int) error {
		if i == 1 {
			stop()
			<-released // as a call on a device, which cannot be broken off
		}
		return nil
	}}
	begin := time.Now()
	err := sweep.Run(ctx, dir, j, sweep.Options{Grace: 50 * time.Millisecond})
	if !errors.Is(err, context.Canceled) || time.Since(begin) > 5*time.Second {
		t.Errorf("error %v after %v", err, time.Since(begin))
	}
	s, err := sweep.ReadStatus(dir)
	if err != nil || s.Shards.Done != 1 || len(s.Working) != 0 {
		t.Errorf("status %+v, error %v, want one shard done and no lease", s, err)
	}
}

// TestElsewhere has the lease of a worker on another machine: it counts until it is still for long.
func TestElsewhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*") // what means something in patterns is plain in a path
	j := &toy{shards: 2, rows: 1}
	if err := sweep.Plan(dir, j, false); err != nil {
		t.Fatal(err)
	}
	lease := filepath.Join(dir, "leases", "000001.1")
	if err := os.WriteFile(lease, []byte(`{"host":"far","boot":"x","pid":1,"beat":3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	err := sweep.Run(ctx, dir, j, sweep.Options{Beat: 10 * time.Millisecond, Dead: time.Hour})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it may live: %v", err)
	}
	err = sweep.Run(t.Context(), dir, j, sweep.Options{Beat: 10 * time.Millisecond,
		Dead: 30 * time.Millisecond})
	if err != nil {
		t.Errorf("after its death: %v", err)
	}
}

func TestFolder(t *testing.T) {
	if _, err := sweep.ReadStatus(t.TempDir()); !errors.Is(err, sweep.ErrNoPlan) {
		t.Errorf("empty folder: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil { // nobody, root neither, can write into it
		t.Fatal(err)
	}
	err := sweep.Run(t.Context(), file, &toy{shards: 1, rows: 1}, sweep.Options{})
	if !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as folder: %v", err)
	}
}

// BenchmarkStatus reads and merges the published number of runs.
func BenchmarkStatus(b *testing.B) {
	dir := b.TempDir()
	j := &toy{shards: 490, rows: 200}
	if err := sweep.Run(b.Context(), dir, j, sweep.Options{}); err != nil {
		b.Fatal(err)
	}
	b.Run("status", func(b *testing.B) {
		for b.Loop() {
			if _, err := sweep.ReadStatus(dir); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("merge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, _, err := sweep.Merge[row](dir, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}
