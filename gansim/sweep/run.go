package sweep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options of [Run]; the zero value is one worker with the usual times.
type Options struct {
	Workers  int           // shards computed at once by this process; zero means 1
	Attempts int           // of a shard that fails, in this run; zero means 3
	Beat     time.Duration // between two signs of life; zero means 5 s
	Dead     time.Duration // without a sign, a worker of another machine counts as dead; zero means 1 min
	Grace    time.Duration // for shards in flight when ctx ends; zero means 3 s
	Mixed    bool          // allow another key in the folder, see [Plan]

	// Progress is told how many runs of how many are done, by all workers on the folder. Warn is told
	// of damage, failures and smaller batches. Nil means quiet. Calls never overlap.
	Progress func(done, total int)
	Warn     func(text string)
}

func (o Options) withDefaults() Options {
	o.Workers, o.Attempts = max(o.Workers, 1), max(o.Attempts, 0)
	if o.Attempts == 0 {
		o.Attempts = 3
	}
	for _, d := range []struct {
		to   *time.Duration
		zero time.Duration
	}{{&o.Beat, 5 * time.Second}, {&o.Dead, time.Minute}, {&o.Grace, 3 * time.Second}} {
		if *d.to == 0 {
			*d.to = d.zero
		}
	}
	return o
}

// Failure is why a shard failed.
type Failure struct {
	Shard    int    `json:"shard"`
	ID       string `json:"id"`
	Attempts int    `json:"attempts"`
	Reason   string `json:"reason"`
}

// runner is one process at work on a folder.
type runner[R any] struct {
	Options
	dir   string
	job   Job[R]
	watch watch

	mu       sync.Mutex
	settled  []bool // done, by whomever, or given up here
	done     int    // runs
	total    int
	attempts map[int]int
}

// Run computes what is missing in a folder, beside any number of other processes that do the same, and
// returns when all shards are done. It waits for shards of other workers and takes over those of dead
// ones. Files that are damaged are computed again. When ctx ends, shards in flight get the grace time
// to finish and are then dropped; the error wraps ctx's. Shards that fail too often are an error at the
// end, each recorded in the folder with its reason.
func Run[R any](ctx context.Context, dir string, job Job[R], o Options) error {
	if err := Plan(dir, job, o.Mixed); err != nil {
		return err
	}
	r := &runner[R]{Options: o.withDefaults(), dir: dir, job: job, settled: make([]bool, job.Shards()),
		attempts: map[int]int{}}
	r.watch.dead = r.Dead
	for i := range r.settled {
		r.total += job.Runs(i)
	}
	if err := r.verify(); err != nil {
		return err
	}
	for {
		claimed, waiting, err := r.pass(ctx)
		if err != nil {
			return err
		}
		if waiting == 0 {
			return errors.Join(r.failures(), r.tidy())
		}
		if claimed == 0 { // all that is left is in the hands of others
			select {
			case <-ctx.Done():
				return fmt.Errorf("sweep: %w", ctx.Err())
			case <-time.After(min(r.Beat, time.Second)):
			}
		}
	}
}

// verify reads all finished shards once and removes damaged ones.
func (r *runner[R]) verify() error {
	files, err := listShards(r.dir)
	if err != nil {
		return err
	}
	for i := range r.settled {
		for _, f := range files[i] {
			_, ok, err := f.intact()
			if err != nil {
				return err
			}
			if ok {
				r.finished(i)
				continue
			}
			r.warn("%s is damaged and is computed again", f.path)
			if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("sweep: %w", err)
			}
		}
	}
	return nil
}

// finished marks a shard as done.
func (r *runner[R]) finished(i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled[i] {
		return
	}
	r.settled[i] = true
	r.done += r.job.Runs(i)
	if r.Progress != nil {
		r.Progress(r.done, r.total)
	}
}

func (r *runner[R]) warn(format string, args ...any) {
	if r.Warn == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Warn(fmt.Sprintf(format, args...))
}

// pass goes once over all shards that are not settled, with several workers. It returns how many were
// claimed and how many are left.
func (r *runner[R]) pass(ctx context.Context) (claimed, waiting int, err error) {
	files, err := listShards(r.dir)
	if err != nil {
		return 0, 0, err
	}
	var open []int
	for i, settled := range r.settled {
		switch {
		case settled:
		case len(files[i]) > 0:
			r.finished(i)
		default:
			open = append(open, i)
		}
	}
	next := make(chan int)
	results := make(chan error, len(open))
	var mu sync.Mutex
	var workers sync.WaitGroup
	work, stop := context.WithCancel(ctx)
	defer stop()
	for range r.Workers {
		workers.Go(func() {
			for i := range next {
				took, err := r.shard(work, i)
				mu.Lock()
				if took {
					claimed++
				}
				mu.Unlock()
				if err != nil {
					results <- err
					stop()
				}
			}
		})
	}
	go func() {
		defer close(next)
		for _, i := range open {
			select {
			case next <- i:
			case <-work.Done():
				return
			}
		}
	}()
	workers.Wait()
	close(results)
	for _, settled := range r.settled {
		if !settled {
			waiting++
		}
	}
	if err := ctx.Err(); err != nil {
		return claimed, waiting, fmt.Errorf("sweep: %w", err)
	}
	return claimed, waiting, <-results
}

// shard claims and computes one shard, unless another worker has it or has done it.
func (r *runner[R]) shard(ctx context.Context, i int) (took bool, err error) {
	l, err := r.watch.claim(r.dir, i)
	if l == nil || err != nil {
		return false, err
	}
	defer l.release()
	switch already, err := done(r.dir, i); { // since the pass began
	case err != nil:
		return true, fmt.Errorf("sweep: %w", err)
	case already:
		r.finished(i)
		return true, nil
	}
	rows, err := r.compute(ctx, i, l)
	switch {
	case ctx.Err() != nil && err != nil:
		return true, fmt.Errorf("sweep: %w", ctx.Err())
	case err == nil && len(rows) != r.job.Runs(i):
		err = fmt.Errorf("%d rows, want %d", len(rows), r.job.Runs(i))
	}
	if err != nil {
		return true, r.failed(i, err)
	}
	if err := writeShard(r.dir, i, rows); err != nil {
		return true, err // a disk that is full or read-only fails all shards alike
	}
	if err := os.Remove(r.failurePath(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return true, fmt.Errorf("sweep: %w", err)
	}
	r.finished(i)
	return true, nil
}

// compute runs the job while the lease is kept alive. When ctx ends it waits for the grace time only:
// a call on a device cannot be broken off.
func (r *runner[R]) compute(ctx context.Context, i int, l *lease) ([]R, error) {
	type result struct {
		rows []R
		err  error
	}
	done := make(chan result, 1)
	go func() {
		rows, err := r.job.Compute(ctx, i)
		done <- result{rows, err}
	}()
	beat := time.NewTicker(r.Beat)
	defer beat.Stop()
	ended := ctx.Done()
	var grace <-chan time.Time
	for {
		select {
		case x := <-done:
			return x.rows, x.err
		case <-beat.C:
			if err := l.beat(); err != nil && !errors.Is(err, fs.ErrNotExist) {
				r.warn("shard %d: no sign of life: %v", i, err)
			}
		case <-ended:
			ended, grace = nil, time.After(r.Grace)
		case <-grace:
			return nil, ctx.Err()
		}
	}
}

// failed records a failure; too little memory for the batch is none while batches can be halved.
func (r *runner[R]) failed(i int, cause error) error {
	if h, ok := any(r.job).(Halver); ok && OutOfMemory(cause) {
		if batch, ok := h.Halve(); ok {
			text := fmt.Sprintf("shard %d: the device of process %d has too little memory, batches are now of %d: %v",
				i, os.Getpid(), batch, cause)
			r.warn("%s", text)
			return r.note(text)
		}
	}
	r.mu.Lock()
	r.attempts[i]++
	n := r.attempts[i]
	r.settled[i] = n >= r.Attempts
	r.mu.Unlock()
	r.warn("shard %d failed, attempt %d of %d: %v", i, n, r.Attempts, cause)
	return writeJSON(r.failurePath(i), Failure{Shard: i, ID: r.job.ID(i), Attempts: n,
		Reason: cause.Error()})
}

// note adds a line to the notes of the folder, which [ReadStatus] shows.
func (r *runner[R]) note(text string) error {
	f, err := os.OpenFile(filepath.Join(r.dir, notesFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	_, err = f.WriteString(strings.Join(strings.Fields(text), " ") + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

func (r *runner[R]) failurePath(i int) string {
	return filepath.Join(r.dir, failedDir, fmt.Sprintf("%06d.json", i))
}

// tidy removes what killed workers left: files that they were writing, and leases of shards that are
// done. All shards are settled, so nobody writes now.
func (r *runner[R]) tidy() error {
	files, err := listShards(r.dir)
	if err != nil {
		return err
	}
	var left []string
	var errs []error
	find := func(sub, pattern string) {
		paths, err := matching(r.dir, sub, pattern)
		left, errs = append(left, paths...), append(errs, err)
	}
	find(shardsDir, ".*")
	find(leasesDir, ".*")
	for i := range files {
		find(leasesDir, fmt.Sprintf("%06d.*", i))
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("sweep: %w", err))
		}
	}
	return errors.Join(errs...)
}

// failures is the error of the shards that were given up.
func (r *runner[R]) failures() error {
	fs, err := readFailures(r.dir)
	if err != nil || len(fs) == 0 {
		return err
	}
	return fmt.Errorf("sweep: %d of %d shards failed, first shard %d: %s", len(fs), len(r.settled),
		fs[0].Shard, fs[0].Reason)
}

// OutOfMemory says whether an error is a device's lack of memory, by XLA's status or its words.
func OutOfMemory(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "resource_exhausted") || strings.Contains(text, "out of memory")
}
