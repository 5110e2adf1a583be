package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

type statRow struct {
	Image     string   `parquet:"image,dict"`
	Generator string   `parquet:"generator"`
	R         float64  `parquet:"r"`
	Loss      *float32 `parquet:"loss,optional"`
	Seed      uint64   `parquet:"seed"`
	Tags      []string `parquet:"tags,list"`
}

// writeRows writes rows of two generators whose images come in another order.
func writeRows(t *testing.T) string {
	t.Helper()
	loss := float32(.1)
	rows := []statRow{
		{"a", "DeePSim", .9, &loss, math.MaxUint64, nil}, {"b", "DeePSim", .8, nil, 2, []string{"x"}},
		{"c", "DeePSim", .7, &loss, 3, nil},
		{"c", "BigGAN", .1, &loss, 4, nil}, {"b", "BigGAN", .3, &loss, 5, []string{"x", "y"}},
		{"a", "BigGAN", .2, &loss, 6, nil}, {"a", "Noise", .0, &loss, 6, nil},
	}
	path := filepath.Join(t.TempDir(), "rows.parquet")
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

// runStats runs the command and gives its output or the text of its error.
func runStats(t *testing.T, args ...string) string {
	t.Helper()
	var out, talk bytes.Buffer
	if err := run(t.Context(), &out, &talk, append([]string{"stats"}, args...)); err != nil {
		return err.Error()
	}
	return out.String()
}

func TestStatsParquet(t *testing.T) {
	path := writeRows(t)
	var got tested
	out := runStats(t, "signedrank", path, "--value", "r", "--by", "generator", "--pair", "image",
		"--groups", "BigGAN,DeePSim", "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err, out)
	}
	if got.N != 3 || got.RankSum1 != 0 || got.P != .25 || got.Samples[0].Name != "BigGAN" ||
		got.Samples[1].Median != .8 {
		t.Errorf("got %+v", got)
	}
	for _, test := range []struct{ args, want string }{
		{"ranksum --value r --by generator --where generator=DeePSim", "has 1 groups, want 2"},
		{"ranksum --value r --by generator", "among DeePSim, BigGAN, Noise"},
		{"signedrank --value r --by generator --groups DeePSim,Noise --pair image",
			`"b" in column "image" has no partner in group Noise`},
		{"signedrank --value r --by image --groups a,b --pair generator", "no partner in group b"},
		{"signedrank --value r --by image --groups a,b --pair seed", `"6" is twice in column "seed"`},
		{"describe --column loss", `row 2, column "loss": no value`},
		{"describe --column image", `row 1, column "image": "a" is not a number`},
		{"describe --column tags", `no column "tags", it has image, generator, r, loss, seed`},
		{"describe --value r --by seed --groups 18446744073709551615", "18446744073709551615"},
	} {
		args := strings.Fields(test.args)
		args = append([]string{args[0], path}, args[1:]...)
		if got := runStats(t, args...); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.args, got, test.want)
		}
	}
}

// TestStatsDamaged cuts and changes a file: always an error or an answer, never a panic.
func TestStatsDamaged(t *testing.T) {
	whole, err := os.ReadFile(writeRows(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bad.parquet")
	for i := 4; i < len(whole); i += 7 {
		changed := bytes.Clone(whole)
		changed[i] ^= 0x55
		for _, b := range [][]byte{whole[:i], changed} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			_, _ = readTable(path, nil)
		}
	}
}

func TestProbability(t *testing.T) {
	for _, test := range []struct {
		p, log10 float64
		want     string
	}{
		{.05, math.Log10(.05), "p = 0.05"},
		{1, 0, "p = 1"},
		{2.664894e-18, -17.574, "p = 2.66e-18"},
		{0, -349.437, "p = 3.66e-350"},
	} {
		if got := probability(test.p, test.log10); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
