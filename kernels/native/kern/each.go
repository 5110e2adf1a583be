package kern

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls f(0), f(1), … f(n-1), several at once on at most GOMAXPROCS goroutines, and returns
// when all calls are done. When a call panics, no further ones start and Each panics with the first
// value once the running ones ended.
func Each(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var (
		next   atomic.Int64
		group  sync.WaitGroup
		once   sync.Once
		failed any
	)
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				next.Store(int64(n))
				once.Do(func() { failed = r })
			}
		}()
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			f(i)
		}
	}
	for range workers - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
	if failed != nil {
		panic(failed)
	}
}
