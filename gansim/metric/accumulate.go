package metric

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

const (
	// defaultKeep is twice the features of Inception: every rank-deficient set is kept whole.
	defaultKeep = 4096
	// blockRows is how many rows enter the covariance at once. Blocks are counted from the first
	// image, so the cut into batches does not change a bit of the result.
	blockRows = 256
	// blockCols is the width of a strip of the covariance; only its upper triangle is computed.
	blockCols = 256
)

// Accumulator collects [Moments] from batches without holding all features. Its zero value is
// ready.
// Sums are centred per block and joined pairwise (Chan, Golub & LeVeque 1983), so a large mean
// costs no digits. It is not safe for concurrent use; accumulate shards apart and Merge them.
type Accumulator struct {
	// Keep is the largest number of rows kept for intervals: from there on every second row is
	// dropped. Zero means 4096 (32 MiB at 2048 features), negative keeps none.
	Keep int

	dim     int
	n       int        // rows in mean and scatter
	mean    []float64  // [dim]
	scatter *mat.Dense // [dim, dim], sum of outer products about the mean; upper triangle only
	pending []float64  // [fewer than blockRows, dim], not yet in mean and scatter
	kept    []float32  // [*, dim]
	stride  int        // every stride-th row is kept
}

// N returns the number of images added.
func (a *Accumulator) N() int {
	if a.dim == 0 {
		return 0
	}
	return a.n + len(a.pending)/a.dim
}

// Add adds a batch of any size. All batches must have as many features as the first. A batch with a
// value that is not finite is refused whole with a [*NotFiniteError] and changes nothing.
func (a *Accumulator) Add(f Features) error {
	if err := f.check(a.N()); err != nil {
		return err
	}
	if err := a.init(f.Dim); err != nil {
		return err
	}
	for i := range f.N {
		a.keep(f.At(i))
		for _, v := range f.At(i) {
			a.pending = append(a.pending, float64(v))
		}
		if len(a.pending) == blockRows*a.dim {
			a.flush()
		}
	}
	return nil
}

// init sets the number of features at the first call and compares it later.
func (a *Accumulator) init(dim int) error {
	if a.dim == 0 {
		a.dim, a.stride = dim, 1
		a.mean, a.scatter = make([]float64, dim), mat.NewDense(dim, dim, nil)
		a.pending = make([]float64, 0, blockRows*dim)
	}
	if a.dim != dim {
		return fmt.Errorf("metric: %d features, want %d as in earlier batches", dim, a.dim)
	}
	return nil
}

// keep appends a row to the kept ones if its turn has come. It is called before the row is counted.
func (a *Accumulator) keep(row []float32) {
	if limit := a.limit(); a.N()%a.stride == 0 && limit > 0 {
		a.kept = append(a.kept, row...)
		a.thin(limit)
	}
}

func (a *Accumulator) limit() int {
	if a.Keep == 0 {
		return defaultKeep
	}
	return max(a.Keep, 0)
}

// thin drops every second kept row until no more than limit are left.
func (a *Accumulator) thin(limit int) {
	for len(a.kept) > limit*a.dim && len(a.kept) > a.dim {
		a.halve()
	}
}

func (a *Accumulator) halve() {
	to := a.dim
	for from := 2 * a.dim; from < len(a.kept); from += 2 * a.dim {
		to += copy(a.kept[to:], a.kept[from:from+a.dim])
	}
	a.kept, a.stride = a.kept[:to], 2*a.stride
}

// flush moves the pending rows into mean and scatter.
func (a *Accumulator) flush() {
	n := len(a.pending) / a.dim
	if n == 0 {
		return
	}
	block := blas64.General{Rows: n, Cols: a.dim, Stride: a.dim, Data: a.pending}
	mean := make([]float64, a.dim)
	for i := range n {
		for j, v := range a.pending[i*a.dim : (i+1)*a.dim] {
			mean[j] += v / float64(n)
		}
	}
	for i := range n {
		row := a.pending[i*a.dim : (i+1)*a.dim]
		for j := range row {
			row[j] -= mean[j]
		}
	}
	addOuter(a.scatter.RawMatrix(), block)
	a.join(n, mean)
	a.pending = a.pending[:0]
}

// addOuter adds xᵀx to the upper triangle of dst.
func addOuter(dst, x blas64.General) {
	for from := 0; from < x.Cols; from += blockCols {
		rows := min(blockCols, x.Cols-from)
		left, right, out := x, x, dst
		left.Cols, left.Data = rows, x.Data[from:]
		right.Cols, right.Data = x.Cols-from, x.Data[from:]
		out.Rows, out.Cols, out.Data = rows, x.Cols-from, dst.Data[from*dst.Stride+from:]
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, left, right, 1, out)
	}
}

// join moves the mean for n more rows, whose own scatter has been added already.
func (a *Accumulator) join(n int, mean []float64) {
	total := float64(a.n + n)
	delta := make([]float64, a.dim)
	for j := range delta {
		delta[j] = mean[j] - a.mean[j]
		a.mean[j] += delta[j] * float64(n) / total
	}
	if a.n > 0 {
		w := float64(a.n) * float64(n) / total
		for i, di := range delta {
			row := a.scatter.RawRowView(i)
			for j := i; j < a.dim; j++ {
				row[j] += w * di * delta[j]
			}
		}
	}
	a.n += n
}

// Merge adds all images of b behind those of a and leaves b as it was. The result equals that of
// adding the images in one go to rounding (about 1e-14 relative).
func (a *Accumulator) Merge(b *Accumulator) error {
	if b.dim == 0 {
		return nil
	}
	if err := a.init(b.dim); err != nil {
		return err
	}
	other := b.clone()
	a.mergeKept(other)
	a.flush()
	other.flush()
	a.scatter.Add(a.scatter, other.scatter)
	a.join(other.n, other.mean)
	return nil
}

// mergeKept brings both sets of kept rows to one stride and joins them. It changes b.
func (a *Accumulator) mergeKept(b *Accumulator) {
	if a.limit() == 0 || (b.limit() == 0 && b.N() > 0) {
		a.kept, a.Keep = nil, -1
		return
	}
	for a.stride < b.stride && len(a.kept) > 0 {
		a.halve()
	}
	for b.stride < a.stride && len(b.kept) > 0 {
		b.halve()
	}
	a.stride = max(a.stride, b.stride)
	a.kept = append(a.kept, b.kept...)
	a.thin(a.limit())
}

func (a *Accumulator) clone() *Accumulator {
	c := *a
	c.mean, c.scatter = slices.Clone(a.mean), mat.DenseCopyOf(a.scatter)
	c.pending, c.kept = slices.Clone(a.pending), slices.Clone(a.kept)
	return &c
}

// Moments returns the moments of all images so far, at least two. The accumulator can go on.
func (a *Accumulator) Moments() (*Moments, error) {
	if a.N() < 2 {
		return nil, fmt.Errorf("metric: %d images, want at least 2 for a covariance", a.N())
	}
	c := a.clone()
	c.flush()
	c.scatter.Scale(1/float64(c.n-1), c.scatter)
	return &Moments{
		N: c.n, Dim: c.dim, Mean: c.mean, Cov: mat.NewSymDense(c.dim, c.scatter.RawMatrix().Data),
		Rows: Features{N: len(c.kept) / c.dim, Dim: c.dim, X: c.kept},
	}, nil
}
