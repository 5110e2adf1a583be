package ranktest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
)

// Tolerances of stats.json: the reference is double precision, its p below 1e-200 is not better.
const (
	relTol  = 1e-9
	absTol  = 1e-12
	tailTol = 1e-6
	tailP   = 1e-200
	// underflow is where the reference may have 0 and we a subnormal number.
	underflow = 1e-300
)

// number reads JSON numbers and the strings "NaN", "Inf", "-Inf".
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	*n = number(v)
	return err
}

type testCase struct {
	ZeroMethod    Zeros       `json:"zero_method"`
	Correction    bool        `json:"correction"`
	UseContinuity bool        `json:"use_continuity"`
	Alternative   Alternative `json:"alternative"`
	Method        string      `json:"method"`
	Statistic     number      `json:"statistic"`
	U             number      `json:"U"`
	Z             number      `json:"z"`
	P             number      `json:"p"`
	Log10P        *number     `json:"log10p"`
	ZSigned       number      `json:"z_signed"`
	R             number      `json:"r_z_over_sqrt_n"`
	RNonzero      number      `json:"r_z_over_sqrt_n_nonzero"`
	Error         string      `json:"error"`
}

func (c testCase) String() string {
	return fmt.Sprint(c.Method, " ", c.ZeroMethod, " ", c.Correction || c.UseContinuity, " ",
		c.Alternative)
}

func (c testCase) options() Options {
	method := Normal
	if c.Correction || c.UseContinuity {
		method = NormalContinuity
	}
	if c.Method == "exact" {
		method = Exact
	}
	return Options{Program: SciPy, Alternative: c.Alternative, Method: method, Zeros: c.ZeroMethod}
}

type resampled struct {
	SE      number    `json:"se_ddof1"`
	Mean    number    `json:"mean"`
	CI95    []float64 `json:"ci95_percentile"`
	CIBasic []float64 `json:"ci95_basic"`
	First5  []float64 `json:"first5"`
}

type oracle struct {
	Salt    string `json:"salt"`
	Samples map[string]struct {
		Name                string
		N                   int
		Offset, Scale, Step float64
		Values              []float64
		Sum                 *number
	} `json:"samples"`
	SignedRank []struct {
		Label        string
		N, Zeros     int
		RPlus        number `json:"r_plus"`
		RMinus       number `json:"r_minus"`
		RankBiserial number `json:"rank_biserial"`
		Cases        []testCase
	} `json:"signed_rank"`
	RankSum []struct {
		Label    string
		RankSums struct {
			Z, P, R number
			Log10P  number `json:"log10p"`
		} `json:"ranksums"`
		W              number `json:"rank_sum_W"`
		U              number `json:"U"`
		TieTerm        number `json:"tie_term"`
		Z              number `json:"z_tie_corrected"`
		ZContinuity    number `json:"z_tie_and_continuity"`
		Log10P         number `json:"log10p_tie_corrected"`
		Log10PCont     number `json:"log10p_tie_and_continuity"`
		R              number `json:"r_tie_corrected"`
		RankBiserial   number `json:"rank_biserial"`
		CommonLanguage number `json:"common_language"`
		Cases          []testCase
	} `json:"rank_sum"`
	Summary map[string]struct {
		N           int
		Mean        number
		SD          number `json:"std_ddof1"`
		SD0         number `json:"std_ddof0"`
		SEM         number
		Median      number
		Q1, Q3      number
		IQR         number
		Min, Max    number
		MAD         number
		Percentiles struct{ Q, Linear []float64 }
		SENormal    number `json:"median_se_normal"`
		SENotch     number `json:"median_se_iqr_notch"`
		SEDensity   number `json:"median_se_density"`
	} `json:"summary"`
	KDE map[string]struct {
		Factor        float64
		BandwidthSD   number `json:"bandwidth_sd"`
		Grid, Density []float64
	} `json:"kde"`
	Pearson   map[string]struct{ R, Rho *number } `json:"pearson"`
	Bootstrap map[string]struct {
		B            int
		FirstIndices []int `json:"first_indices"`
		Median, Mean resampled
	} `json:"bootstrap"`
	PearsonImages struct {
		A           string
		B           string
		N, H, W     int
		AllChannels []float64 `json:"all_channels"`
		PerChannel  []float64 `json:"per_channel_item0"`
	} `json:"pearson_images"`
	NormalTails []struct {
		Z     float64
		SF    number `json:"sf"`
		Log10 number `json:"log10_sf"`
	} `json:"normal_tails"`
}

func openOracle(t *testing.T) oracle {
	t.Helper()
	dir := os.Getenv("GANSIM_ORACLE")
	if dir == "" {
		dir = filepath.Join("..", "testdata", "oracle")
	}
	data, err := os.ReadFile(filepath.Join(dir, "stats.json"))
	if err != nil {
		t.Fatal(err)
	}
	var o oracle
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// u is the formula's uniform number in [-1, 1): splitmix64 of the FNV-1a hash of the salted name.
func (o oracle) u(name string, i int) float64 {
	h := fnv.New64a()
	io.WriteString(h, o.Salt+name)
	return uniform(h.Sum64(), uint64(i))
}

func uniform(h, i uint64) float64 {
	z := h + i + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11)*0x1p-52 - 1
}

// sample makes the values of a recipe, or takes those that the file has.
func (o oracle) sample(t *testing.T, label string) []float64 {
	t.Helper()
	name, cut, isCut := strings.Cut(label, "[:")
	s, ok := o.Samples[name]
	if !ok {
		t.Fatalf("no sample %q", name)
	}
	h := fnv.New64a()
	io.WriteString(h, o.Salt+s.Name)
	x := make([]float64, s.N)
	for i := range x {
		sum := 0.0
		for k := range 4 {
			sum += uniform(h.Sum64(), uint64(4*i+k))
		}
		x[i] = s.Offset + float64(s.Scale*float64(sum*math.Sqrt(0.75)))
		if s.Step != 0 {
			x[i] = math.Floor(x[i]/s.Step) * s.Step
		}
	}
	for i, v := range s.Values {
		near(t, fmt.Sprint(name, " value ", i), x[i], v)
	}
	if s.Sum != nil {
		near(t, name+" sum", floats.Sum(x), float64(*s.Sum))
	}
	if isCut {
		n, err := strconv.Atoi(strings.TrimSuffix(cut, "]"))
		if err != nil {
			t.Fatal(err)
		}
		x = x[:n]
	}
	return x
}

// pair makes both samples of a label such as "x8,y8 (remark)".
func (o oracle) pair(t *testing.T, label string) (x, y []float64) {
	t.Helper()
	label, _, _ = strings.Cut(label, " (")
	a, b, _ := strings.Cut(label, ",")
	return o.sample(t, a), o.sample(t, b)
}

// near compares numbers that are not tails of distributions.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= max(absTol, relTol*math.Abs(want))) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// nearP compares p-values, relatively however small; 0 stands for one that underflowed.
func nearP(t *testing.T, what string, got, want float64) {
	t.Helper()
	tol := relTol
	if want < tailP {
		tol = tailTol
	}
	if want == 0 && got < underflow {
		return
	}
	if !(math.Abs(got-want) <= tol*want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func nearAll(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) < len(want) {
		t.Fatalf("%s: got %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		near(t, fmt.Sprint(what, " ", i), got[i], want[i])
	}
}

// picture is item n of the formula picture, [h, w, 3] flattened, whole numbers in [0, 255].
func (o oracle) picture(name string, item, h, w int) []float64 {
	grains := []struct {
		size   int
		weight float64
		grey   bool
	}{{64, 0.5, false}, {16, 0.25, true}, {4, 0.125, false}, {1, 0.125, true}}
	pix := make([]float64, h*w*3)
	for i := range pix {
		y, x, c := i/3/w, i/3%w, i%3
		s := 0.0
		for _, g := range grains {
			lead := item*3 + c
			if g.grey {
				lead = item
			}
			rows, cols := (h+g.size-1)/g.size, (w+g.size-1)/g.size
			at := (lead*rows+y/g.size)*cols + x/g.size
			s += float64(g.weight * o.u(fmt.Sprint(name, "/b", g.size), at))
		}
		pix[i] = math.Floor((s + 1) * 128)
	}
	return pix
}
