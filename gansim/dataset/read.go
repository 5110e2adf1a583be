package dataset

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"gansim.example/gansim"
)

// item is one file that was read.
type item struct {
	name, sum string
	pix       []float32 // [size, size, 3]
	err       error
}

// batch collects the files of a folder.
type batch struct {
	dir         string
	read        Reader
	options     Options
	items       []item // readable, in the order asked for
	skipped     []Skipped
	done, total int
}

// add reads files in parallel and keeps their order.
func (b *batch) add(ctx context.Context, names []string) error {
	b.total += len(names)
	results := make([]item, len(names))
	jobs := make(chan int)
	var workers sync.WaitGroup
	var progress sync.Mutex
	for range min(b.options.Workers, len(names)) {
		workers.Go(func() {
			for i := range jobs {
				results[i] = b.file(names[i])
				progress.Lock()
				b.done++
				b.options.Progress(b.done, b.total)
				progress.Unlock()
			}
		})
	}
	err := feed(ctx, jobs, len(names))
	workers.Wait()
	if err != nil {
		return fmt.Errorf("dataset: folder %s: %w", b.dir, err)
	}
	for _, r := range results {
		if r.err != nil {
			b.skipped = append(b.skipped, Skipped{r.name, r.err})
			continue
		}
		b.items = append(b.items, r)
	}
	return nil
}

// feed sends 0..n-1 until ctx ends, and closes jobs.
func feed(ctx context.Context, jobs chan<- int, n int) error {
	defer close(jobs)
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		select {
		case jobs <- i:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// file reads and hashes one file.
func (b *batch) file(name string) item {
	f, err := os.Open(filepath.Join(b.dir, filepath.FromSlash(name)))
	if err != nil {
		return item{name: name, err: err}
	}
	defer f.Close()
	hash := sha256.New()
	tee := io.TeeReader(f, hash)
	size := b.options.Size
	image, err := b.read(tee, size)
	if err != nil {
		return item{name: name, err: err}
	}
	if image.N != 1 || image.Height != size || image.Width != size ||
		len(image.Pix) != size*size*3 {
		return item{name: name, err: fmt.Errorf("reader gave [%d, %d, %d, 3], want [1, %d, %d, 3]",
			image.N, image.Height, image.Width, size, size)}
	}
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return item{name: name, err: err}
	}
	return item{name: name, sum: hex.EncodeToString(hash.Sum(nil)), pix: image.Pix}
}

// finish moves everything into the result, ordered by name if a subset was drawn.
func (b *batch) finish(out *Photographs) {
	if out.N > 0 {
		slices.SortStableFunc(b.items, func(x, y item) int { return cmp.Compare(x.name, y.name) })
	}
	size := b.options.Size
	out.Images = gansim.NewImages(len(b.items), size, size)
	first := map[string]string{}
	for i := range b.items {
		it := &b.items[i]
		copy(out.Images.At(i), it.pix)
		it.pix = nil
		out.Names = append(out.Names, it.name)
		out.SHA256 = append(out.SHA256, it.sum)
		if of, seen := first[it.sum]; seen {
			out.Duplicates = append(out.Duplicates, Duplicate{it.name, of})
		} else {
			first[it.sum] = it.name
		}
	}
	out.Skipped = append(out.Skipped, b.skipped...)
	sortSkipped(out.Skipped)
}
