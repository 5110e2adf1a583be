package graphx_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gansim.example/gansim"
	"gansim.example/gansim/internal/graphx"
	"gansim.example/kernels"
)

func open(t *testing.T) compute.Backend {
	t.Helper()
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func params(value float32) gansim.Params {
	return gansim.Params{Names: []string{"w"}, Tensors: []*tensors.Tensor{tensors.FromScalar(value)}}
}

// TestNetworksByName: each network sees its own tensors.
func TestNetworksByName(t *testing.T) {
	p, err := graphx.New(open(t), []gansim.Params{params(2), params(10)},
		func(nets []gansim.Weights, in []*Node) []*Node {
			return []*Node{Add(Mul(nets[0]("w"), in[0]), nets[1]("w"))}
		})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float32{1, 3} {
		got, err := p.Rows(1, 2, []float32{x, x + 1})
		if err != nil {
			t.Fatal(err)
		}
		if want := []float32{2*x + 10, 2*x + 12}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestBind: a program runs on another network, and refuses one of other names or shapes.
func TestBind(t *testing.T) {
	p, err := graphx.New(open(t), []gansim.Params{params(2)},
		func(nets []gansim.Weights, in []*Node) []*Node {
			return []*Node{Mul(nets[0]("w"), in[0])}
		})
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.Bind(params(5))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		program *graphx.Program
		want    float32
	}{{p, 6}, {other, 15}} {
		if got, err := c.program.Rows(1, 1, []float32{3}); err != nil || got[0] != c.want {
			t.Errorf("got %v, %v, want %v", got, err, c.want)
		}
	}
	wide := gansim.Params{Names: []string{"w"},
		Tensors: []*tensors.Tensor{tensors.FromValue([]float32{1, 2})}}
	named := gansim.Params{Names: []string{"v"}, Tensors: params(1).Tensors}
	for _, nets := range [][]gansim.Params{{}, {wide}, {named}, {params(1), params(2)}} {
		if _, err := p.Bind(nets...); err == nil {
			t.Errorf("bound to %v", nets)
		}
	}
	p.Close()
	p.Close()
	if got, err := other.Rows(1, 1, []float32{3}); err != nil || got[0] != 15 {
		t.Errorf("after the first was closed: got %v, %v, want 15", got, err)
	}
	other.Close()
}

// TestPanicsBecomeErrors: what graph building finds wrong comes back as an error.
func TestPanicsBecomeErrors(t *testing.T) {
	for _, c := range []struct {
		name, want string
		build      graphx.Func
	}{
		{"unknown tensor", `"v"`, func(nets []gansim.Weights, in []*Node) []*Node {
			return []*Node{nets[0]("v")}
		}},
		{"shapes", "", func(_ []gansim.Weights, in []*Node) []*Node {
			return []*Node{MatMul(in[0], in[0])}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := graphx.New(open(t), []gansim.Params{params(1)}, c.build)
			if err == nil {
				_, err = p.Call([][]float32{{1, 2, 3}})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestPadded(t *testing.T) {
	var rows [][]int
	var valid []int
	err := graphx.Padded(5, 3, func(r []int, n int) error {
		rows, valid = append(rows, r), append(valid, n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(slices.Concat(rows...), []int{0, 1, 2, 3, 4, 4}) || !slices.Equal(valid, []int{3, 2}) {
		t.Errorf("rows %v, valid %v", rows, valid)
	}
}

// TestSharedNetwork: programs on two backends use one network's tensors at the same time.
func TestSharedNetwork(t *testing.T) {
	net := params(3)
	backends := []compute.Backend{open(t), open(t)}
	var workers sync.WaitGroup
	for k := range 8 {
		workers.Go(func() {
			p, err := graphx.New(backends[k%2], []gansim.Params{net},
				func(nets []gansim.Weights, in []*Node) []*Node {
					return []*Node{Mul(nets[0]("w"), in[0])}
				})
			if err != nil {
				t.Error(err)
				return
			}
			var calls sync.WaitGroup
			for range 4 {
				calls.Go(func() {
					got, err := p.Rows(1, 2, []float32{1, 2})
					if err != nil || !slices.Equal(got, []float32{3, 6}) {
						t.Errorf("got %v, %v, want [3 6]", got, err)
					}
				})
			}
			calls.Wait()
		})
	}
	workers.Wait()
}
