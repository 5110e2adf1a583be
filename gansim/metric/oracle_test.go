package metric

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"

	"gansim.example/gansim/internal/oracle"
)

const (
	// tolFID is what the reference states for the exact route where N > Dim; ours is exact for
	// N < Dim too, where it states 1e-6.
	tolFID = 1e-9
	// tolSingular holds where only moments are known of a set with N < Dim: noise of the zero
	// eigenvalues of the covariance under a square root.
	tolSingular = 1e-6
	// tolScores is for sums in another order in float64.
	tolScores = 1e-10
)

type featureSet struct {
	Name  string
	N, D  int
	Shift float64
	CRC32 uint32
}

type fidFile struct {
	Salt string
	FID  []struct {
		A, B  featureSet
		Exact struct {
			FID float64
		}
	}
	KID []struct {
		A, B string
		Rows int
		MMD2 float64 `json:"mmd2_unbiased_first_rows"`
	}
	IS []struct {
		Logits    featureSet
		Splits    int
		Mean, Std float64
	}
}

func readFID(t *testing.T) fidFile {
	t.Helper()
	dir, err := oracle.Dir()
	if err != nil {
		t.Fatal(err)
	}
	var f fidFile
	if err := oracle.Read(dir, "fid.json", &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// features makes a set by the formula of the file: float32((g·s + f/2) + shift·m).
func (f fidFile) features(t *testing.T, s featureSet) Features {
	t.Helper()
	shared, scale := oracle.Hash(f.Salt, s.Name+"/shared"), oracle.Hash(f.Salt, s.Name+"/s")
	own, mean := oracle.Hash(f.Salt, s.Name), oracle.Hash(f.Salt, s.Name+"/m")
	return f.make(t, s, func(i, j int) float64 {
		sj := 1 + 0.5*oracle.U(scale, uint64(j))
		x := float64(oracle.Gauss4(own, i*s.D+j)*sj) + 0.5*oracle.Gauss4(shared, i*5+j%5)
		return x + float64(s.Shift*oracle.U(mean, uint64(j)))
	})
}

func (f fidFile) logits(t *testing.T, s featureSet) Features {
	t.Helper()
	h := oracle.Hash(f.Salt, s.Name)
	return f.make(t, s, func(i, j int) float64 { return 2 * oracle.Gauss4(h, i*s.D+j) })
}

func (f fidFile) make(t *testing.T, s featureSet, at func(i, j int) float64) Features {
	t.Helper()
	out := Features{N: s.N, Dim: s.D, X: make([]float32, s.N*s.D)}
	sum := crc32.NewIEEE()
	var b [4]byte
	for i := range out.X {
		out.X[i] = float32(at(i/s.D, i%s.D))
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(out.X[i]))
		sum.Write(b[:])
	}
	if got := sum.Sum32(); got != s.CRC32 {
		t.Fatalf("%s: CRC-32 %08x, want %08x", s.Name, got, s.CRC32)
	}
	return out
}

func moments(t testing.TB, f Features) *Moments {
	t.Helper()
	m, err := MomentsOf(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func near(t testing.TB, name string, got, want, relative float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > relative*math.Abs(want) {
		t.Errorf("%s: got %.15g, want %.15g (off by %.2g relative, allowed %.2g)",
			name, got, want, math.Abs(got/want-1), relative)
	}
}

// TestFIDOracle compares with the singular values computed by NumPy.
func TestFIDOracle(t *testing.T) {
	f := readFID(t)
	for _, c := range f.FID {
		t.Run(c.A.Name, func(t *testing.T) {
			a, b := moments(t, f.features(t, c.A)), moments(t, f.features(t, c.B))
			got, err := FID(a, b)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "rows kept", got, c.Exact.FID, tolFID)
			if swapped, _ := FID(b, a); swapped != got {
				t.Errorf("swapped: got %v, want the same bits as %v", swapped, got)
			}
			e, err := FIDInterval(a, b)
			if err != nil || e.Value != got || !(e.Lo < got && got < e.Hi) {
				t.Errorf("interval: got %+v (%v), want one around %v", e, err, got)
			}
			ma, mb := *a, *b
			ma.Rows, mb.Rows = Features{}, Features{}
			if got, err = FID(&ma, &mb); err != nil {
				t.Fatal(err)
			}
			tolerance := tolFID
			if min(c.A.N, c.B.N) <= c.A.D {
				tolerance = tolSingular
			}
			near(t, "moments alone", got, c.Exact.FID, tolerance)
		})
	}
}

// TestKIDOracle compares with torch-fidelity.
func TestKIDOracle(t *testing.T) {
	f := readFID(t)
	sets := map[string]featureSet{}
	for _, c := range f.FID {
		sets[c.A.Name], sets[c.B.Name] = c.A, c.B
	}
	for _, c := range f.KID {
		a, b := f.features(t, sets[c.A]), f.features(t, sets[c.B])
		a.N, b.N = c.Rows, c.Rows
		a.X, b.X = a.X[:c.Rows*a.Dim], b.X[:c.Rows*b.Dim]
		got, err := KID(a, b)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.A, got, c.MMD2, tolScores)
	}
}

// TestInceptionScoreOracle compares with torch-fidelity.
func TestInceptionScoreOracle(t *testing.T) {
	f := readFID(t)
	for _, c := range f.IS {
		mean, std, err := InceptionScore(f.logits(t, c.Logits), c.Splits)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "mean", mean, c.Mean, tolScores)
		if math.Abs(std-c.Std) > tolScores {
			t.Errorf("%d splits: std got %v, want %v", c.Splits, std, c.Std)
		}
	}
}
