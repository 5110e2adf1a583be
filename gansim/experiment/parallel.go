package experiment

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

// maxWorkers bounds the parts that are computed at once: each holds a compiled program's memory.
const maxWorkers = 2

// each calls fn for 0 to n-1 on a few goroutines, which all end before it returns. Results do not
// depend on how many: fn(i) is to write to place i only. The first error, by index, is returned, and
// no further part is begun after one.
func each(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, n)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(maxWorkers, runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if errs[i] = fn(ctx, i); errs[i] != nil {
					stop()
					return
				}
			}
		})
	}
	workers.Wait()
	return first(errs)
}

// first is the first error that is not a consequence of another part's.
func first(errs []error) error {
	var found error
	for _, err := range errs {
		if err == nil {
			continue
		}
		if found == nil || errors.Is(found, context.Canceled) && !errors.Is(err, context.Canceled) {
			found = err
		}
	}
	return found
}
