package metric

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// FID returns the Fréchet inception distance between two sets (Heusel et al. 2017, eq. 6):
//
//	|μa-μb|² + tr Σa + tr Σb - 2 tr (Σa^½ Σb Σa^½)^½
//
// With any factors Σa = FᵀF and Σb = GᵀG the last trace is the sum of the singular values of F·Gᵀ,
// which are the square roots of the eigenvalues of Σa^½ Σb Σa^½. We take them straight from F·Gᵀ:
// nothing is squared, so zero eigenvalues bring no noise, nothing can become negative or complex,
// and no small number is added to a diagonal. The factors are the centred features over √(n-1)
// where all are kept and N <= Dim, else a Cholesky factor with pivoting, which also takes singular
// covariances. pytorch-fid (sqrtm of Σa·Σb) and torch-fidelity (eigenvalues of Σa·Σb) agree to
// 1e-12 for N > Dim and, below, to their own noise of about 3e-7, relative.
//
// The result is never negative, is the same bit for bit when the arguments are swapped, and is 0 to
// rounding for a set and itself. It grows with 1/N: compare sets of equal size. See [FIDInterval].
func FID(a, b *Moments) (float64, error) {
	p, err := newProblem(a, b)
	if err != nil {
		return 0, err
	}
	return p.fid, nil
}

// Terms are the parts of a distance.
type Terms struct {
	FID            float64 // Mean + TraceA + TraceB - 2 TraceRoot, not below 0
	Mean           float64 // |μa-μb|²
	TraceA, TraceB float64 // tr Σa, tr Σb: the total variance of a set
	TraceRoot      float64 // tr (Σa^½ Σb Σa^½)^½
}

// FIDTerms returns [FID] with its terms.
func FIDTerms(a, b *Moments) (Terms, error) {
	p, err := newProblem(a, b)
	if err != nil {
		return Terms{}, err
	}
	return Terms{FID: p.fid, Mean: p.mean, TraceA: mat.Trace(a.Cov), TraceB: mat.Trace(b.Cov),
		TraceRoot: p.root}, nil
}

// problem is a pair of sets in a fixed order with what the distance and its interval share.
type problem struct {
	a, b    *Moments
	fa, fb  factor
	cross   *mat.Dense // fa.f · fb.fᵀ, [rank a, rank b]; nil where a covariance is zero
	largest float64    // largest singular value of cross
	mean    float64    // squared distance of the means
	root    float64    // sum of the singular values of cross
	fid     float64
}

func newProblem(a, b *Moments) (*problem, error) {
	for _, m := range []*Moments{a, b} {
		if err := m.check(); err != nil {
			return nil, err
		}
	}
	if a.Dim != b.Dim {
		return nil, fmt.Errorf("metric: sets have %d and %d features", a.Dim, b.Dim)
	}
	p := &problem{a: a, b: b}
	if compare(a, b) > 0 {
		p.a, p.b = b, a
	}
	p.fa, p.fb = factorOf(p.a), factorOf(p.b)
	values, err := p.singular()
	if err != nil {
		return nil, err
	}
	distance := floats.Distance(p.a.Mean, p.b.Mean, 2)
	p.mean, p.root = distance*distance, floats.Sum(values)
	traces := mat.Trace(p.a.Cov) + mat.Trace(p.b.Cov)
	p.fid = max(0, p.mean+(traces-2*p.root))
	return p, nil
}

// compare orders sets so that swapped arguments take the same path.
func compare(a, b *Moments) int {
	return cmp.Or(cmp.Compare(a.N, b.N), slices.Compare(a.Mean, b.Mean),
		cmp.Compare(mat.Trace(a.Cov), mat.Trace(b.Cov)))
}

// singular returns the singular values of fa·fbᵀ and keeps the product.
func (p *problem) singular() ([]float64, error) {
	if p.fa.f == nil || p.fb.f == nil {
		return nil, nil
	}
	p.cross = new(mat.Dense)
	p.cross.Mul(p.fa.f, p.fb.f.T())
	var svd mat.SVD
	if !svd.Factorize(p.cross, mat.SVDNone) {
		return nil, errors.New("metric: singular values did not converge")
	}
	values := svd.Values(nil)
	p.largest = values[0]
	return values, nil
}

// factor is a matrix f with fᵀf = covariance.
type factor struct {
	f *mat.Dense // [rank, dim]; nil for a covariance of zero
	// upper and pivots are set where f is a Cholesky factor: upper = f[:, pivots], triangular.
	upper  *mat.TriDense // [rank, rank]
	pivots []int         // [rank]
}

func factorOf(m *Moments) factor {
	if m.Rows.N == m.N && m.N <= m.Dim {
		f := centred(m.Rows, m.Mean)
		f.Scale(1/math.Sqrt(float64(m.N-1)), f)
		return factor{f: f}
	}
	var chol mat.PivotedCholesky
	chol.Factorize(m.Cov, -1) // -1: LAPACK's own tolerance, dim·eps·(largest variance)
	rank := chol.Rank()
	if rank == 0 || mat.Trace(m.Cov) <= 0 {
		return factor{}
	}
	upper, pivots := chol.RawU(), chol.ColumnPivots(nil)
	f := mat.NewDense(rank, m.Dim, nil)
	lead := mat.NewTriDense(rank, mat.Upper, nil)
	for i := range rank {
		for j := i; j < m.Dim; j++ {
			f.Set(i, pivots[j], upper.At(i, j))
			if j < rank {
				lead.SetTri(i, j, upper.At(i, j))
			}
		}
	}
	return factor{f: f, upper: lead, pivots: pivots[:rank]}
}

// centred returns rows less the mean, [rows.N, rows.Dim].
func centred(rows Features, mean []float64) *mat.Dense {
	x := mat.NewDense(rows.N, rows.Dim, nil)
	for i := range rows.N {
		to := x.RawRowView(i)
		for j, v := range rows.At(i) {
			to[j] = float64(v) - mean[j]
		}
	}
	return x
}
