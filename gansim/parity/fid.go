package parity

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/metric"
)

// Tolerances of fid.json, as the file states them. The second is for sets with fewer images than
// features, whose covariances are singular: routes by covariances find noise there.
var (
	fidLimit      = limit{relative: 1e-9}
	singularLimit = limit{relative: 1e-6}
	scoreLimit    = limit{relative: 1e-9, absolute: 1e-12}
)

// featureSet is the recipe of a set of features, or of logits.
type featureSet struct {
	Name  string
	N, D  int
	Shift float64
	CRC32 uint32
	First []value
}

type fidFile struct {
	Salt string
	FID  []struct {
		A, B  featureSet
		Exact struct {
			FID       value
			MeanTerm  value `json:"mean_term"`
			TraceA    value `json:"trace_a"`
			TraceB    value `json:"trace_b"`
			TraceRoot value `json:"trace_sqrt"`
		}
		Eigh          value
		PytorchFID    *value `json:"pytorch_fid_sqrtm"` // missing where it failed
		TorchFidelity *value `json:"torch_fidelity_eigvals"`
		Self          value
	}
	KID []struct {
		A, B string
		Rows int
		MMD2 value `json:"mmd2_unbiased_first_rows"`
	}
	IS []struct {
		Logits    featureSet
		Splits    int
		Mean, Std value
	}
}

// fid repeats distances between sets of features, and scores of logits.
func fid(r *run) error {
	var f fidFile
	if err := r.read(&f); err != nil {
		return err
	}
	sets := map[string]metric.Features{}
	for i, c := range f.FID {
		stage := fmt.Sprintf("%s,%s %dx%d", c.A.Name, c.B.Name, c.A.N, c.A.D)
		for _, s := range []featureSet{c.A, c.B} {
			made, err := s.make(f.features(s))
			if err != nil {
				return err
			}
			sets[s.Name] = made
			r.values(s.Name+"/first", float64s(made.X[:min(len(s.First), len(made.X))]), s.First, limit{})
		}
		if err := f.distance(r, i, stage, sets); err != nil {
			return err
		}
	}
	for _, c := range f.KID {
		a, b := firstRows(sets[c.A], c.Rows), firstRows(sets[c.B], c.Rows)
		got, err := metric.KID(a, b)
		if err != nil {
			return err
		}
		r.values(c.A+","+c.B+"/kid", []float64{got}, []value{c.MMD2}, scoreLimit)
	}
	for _, c := range f.IS {
		h := oracle.Hash(f.Salt, c.Logits.Name)
		logits, err := c.Logits.make(func(i, j int) float64 { // of kind "gauss4 scale 2"
			return 2 * oracle.Gauss4(h, i*c.Logits.D+j)
		})
		if err != nil {
			return err
		}
		mean, std, err := metric.InceptionScore(logits, c.Splits)
		if err != nil {
			return err
		}
		r.values(fmt.Sprintf("%s/inception score in %d", c.Logits.Name, c.Splits),
			[]float64{mean, std}, []value{c.Mean, c.Std}, scoreLimit)
	}
	return nil
}

// distance compares the i-th distance by all routes.
func (f *fidFile) distance(r *run, i int, stage string, sets map[string]metric.Features) error {
	c := f.FID[i]
	a, err := metric.MomentsOf(sets[c.A.Name])
	if err != nil {
		return err
	}
	b, err := metric.MomentsOf(sets[c.B.Name])
	if err != nil {
		return err
	}
	got, err := metric.FIDTerms(a, b)
	if err != nil {
		return err
	}
	self, err := metric.FID(a, a)
	if err != nil {
		return err
	}
	bare, bareB := *a, *b
	bare.Rows, bareB.Rows = metric.Features{}, metric.Features{}
	moments, err := metric.FID(&bare, &bareB)
	if err != nil {
		return err
	}
	tolerance := fidLimit
	if min(c.A.N, c.B.N) <= c.A.D {
		tolerance = singularLimit
	}
	var exact, others table
	exact.add("fid", got.FID, c.Exact.FID, tolerance)
	exact.add("mean term", got.Mean, c.Exact.MeanTerm, fidLimit)
	exact.add("trace a", got.TraceA, c.Exact.TraceA, fidLimit)
	exact.add("trace b", got.TraceB, c.Exact.TraceB, fidLimit)
	exact.add("trace of the root", got.TraceRoot, c.Exact.TraceRoot, tolerance)
	r.table(stage+"/exact", exact, tolerance)
	others.add("eigh", moments, c.Eigh, tolerance)
	for name, want := range map[string]*value{"pytorch-fid": c.PytorchFID,
		"torch-fidelity": c.TorchFidelity} {
		if want != nil {
			others.add(name, got.FID, *want, tolerance)
		}
	}
	r.table(stage+"/other routes", others, tolerance)
	// The distance of a set to itself is a difference of traces.
	noise := limit{absolute: fidLimit.relative * got.TraceA}
	r.values(stage+"/self", []float64{self}, []value{c.Self}, noise)
	return nil
}

// features is the formula of a set: (g·s + f/2) + shift·m, with f shared by every fifth feature.
func (f *fidFile) features(s featureSet) func(i, j int) float64 {
	shared, scale := oracle.Hash(f.Salt, s.Name+"/shared"), oracle.Hash(f.Salt, s.Name+"/s")
	own, mean := oracle.Hash(f.Salt, s.Name), oracle.Hash(f.Salt, s.Name+"/m")
	return func(i, j int) float64 {
		sj := 1 + float64(0.5*oracle.U(scale, uint64(j)))
		x := float64(oracle.Gauss4(own, i*s.D+j)*sj) + float64(0.5*oracle.Gauss4(shared, i*5+j%5))
		return x + float64(s.Shift*oracle.U(mean, uint64(j)))
	}
}

// make fills a set and checks its CRC-32.
func (s featureSet) make(at func(i, j int) float64) (metric.Features, error) {
	out := metric.Features{N: s.N, Dim: s.D, X: make([]float32, s.N*s.D)}
	sum := crc32.NewIEEE()
	var b [4]byte
	for i := range out.X {
		out.X[i] = float32(at(i/s.D, i%s.D))
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(out.X[i]))
		sum.Write(b[:])
	}
	if got := sum.Sum32(); got != s.CRC32 {
		return out, fmt.Errorf("%s: crc32 is %08x, want %08x", s.Name, got, s.CRC32)
	}
	return out, nil
}

// firstRows are the first n rows of a set, as many as there are.
func firstRows(f metric.Features, n int) metric.Features {
	n = min(n, f.N)
	return metric.Features{N: n, Dim: f.Dim, X: f.X[:n*f.Dim]}
}

func float64s[T float32 | int64 | byte](v []T) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
