// Package graphx compiles graph functions once and calls them many times. It feeds the networks'
// tensors as run-time inputs, so that one program serves other weights of the same shapes, and it is
// the border where panics of graph building become errors.
package graphx

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/support/exceptions"

	"gansim.example/gansim"
)

// Func builds a graph: weights of each network, then the call's inputs.
type Func func(nets []gansim.Weights, in []*graph.Node) []*graph.Node

// Program is a compiled graph function with its networks' tensors. It is safe for concurrent use.
type Program struct {
	backend compute.Backend
	exec    *graph.Exec
	users   *atomic.Int64 // programs that share exec
	nets    []gansim.Params
	params  []any // the networks' tensors on the device
}

// New prepares a program; it is compiled at the first call for each set of input shapes (at most 32).
func New(backend compute.Backend, nets []gansim.Params, build Func) (*Program, error) {
	p := &Program{backend: backend, users: new(atomic.Int64), nets: nets}
	fn := func(in []*graph.Node) []*graph.Node {
		views := make([]gansim.Weights, len(nets))
		at := 0
		for i, net := range nets {
			views[i] = View(net.Names, in[at:at+len(net.Names)])
			at += len(net.Names)
		}
		return build(views, in[at:])
	}
	err := exceptions.TryCatch[error](func() { p.exec = graph.MustNewExec(backend, fn) })
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return p.Bind(nets...)
}

// Bind is the same program, compiled once for both, on other networks with tensors of the same names
// and shapes.
func (p *Program) Bind(nets ...gansim.Params) (*Program, error) {
	if len(nets) != len(p.nets) {
		return nil, fmt.Errorf("graph: %d networks, want %d", len(nets), len(p.nets))
	}
	bound := &Program{backend: p.backend, nets: nets, exec: p.exec, users: p.users}
	for k, net := range nets {
		if !slices.Equal(net.Names, p.nets[k].Names) {
			return nil, fmt.Errorf("graph: network %d of %d has other tensors", k+1, len(nets))
		}
		for i, t := range net.Tensors {
			if want := p.nets[k].Tensors[i].Shape(); !t.Shape().Equal(want) {
				return nil, fmt.Errorf("graph: tensor %q is %s, want %s", net.Names[i], t.Shape(), want)
			}
			own, err := OnDevice(p.backend, t)
			if err != nil {
				return nil, fmt.Errorf("graph: tensor %q: %w", net.Names[i], err)
			}
			bound.params = append(bound.params, own)
		}
	}
	p.users.Add(1)
	return bound, nil
}

// OnDevice copies a tensor to the backend's device. A network's own tensors stay on the host: a tensor
// that moves to a device on first use may not be used by two programs at once, nor by two backends.
func OnDevice(backend compute.Backend, t *tensors.Tensor) (*tensors.Tensor, error) {
	own, err := t.LocalClone()
	if err != nil {
		return nil, err
	}
	return own, own.MaterializeOnDevice(backend, false, 0)
}

// Bytes is what the networks' tensors take on the device.
func (p *Program) Bytes() int64 {
	var n int64
	for _, net := range p.nets {
		for _, t := range net.Tensors {
			n += int64(t.Shape().ByteSize())
		}
	}
	return n
}

// Close frees the networks' tensors on the device, and what was compiled if no other program bound
// from it or that it was bound from is open. The program itself is not to be used afterwards.
func (p *Program) Close() {
	if p.exec == nil {
		return
	}
	for _, t := range p.params {
		Free(t.(*tensors.Tensor))
	}
	if p.users.Add(-1) == 0 {
		p.exec.Finalize()
	}
	p.params, p.exec = nil, nil
}

// View looks nodes up by name; the function it returns panics with an error on an unknown name.
func View(names []string, nodes []*graph.Node) gansim.Weights {
	table := make(map[string]*graph.Node, len(names))
	for i, name := range names {
		table[name] = nodes[i]
	}
	return func(name string) *graph.Node {
		n, ok := table[name]
		if !ok {
			exceptions.Panicf("graph: the network has no tensor %q", name)
		}
		return n
	}
}

// Call runs the program on tensors, Go slices or scalars. The results stay on the device until read.
func (p *Program) Call(in ...any) ([]*tensors.Tensor, error) {
	args := make([]any, 0, len(p.params)+len(in))
	args = append(append(args, p.params...), in...)
	var out []*tensors.Tensor
	var failed error
	err := exceptions.TryCatch[error](func() { out, failed = p.exec.Call(args...) })
	if err == nil {
		err = failed
	}
	return out, err
}

// Floats copies a float32 tensor to the host.
func Floats(t *tensors.Tensor) ([]float32, error) {
	v, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return v, nil
}

// Tensor makes a tensor of float32 values with the given shape; the values are copied.
func Tensor(values []float32, shape ...int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, shape...)
}

// Padded calls fn for successive batches of exactly size rows out of n: the last one is filled up by
// repeating its last row, so that one compiled shape serves all. rows holds the indices; only the
// first valid of them count.
func Padded(n, size int, fn func(rows []int, valid int) error) error {
	for from := 0; from < n; from += size {
		rows := make([]int, size)
		for i := range rows {
			rows[i] = min(from+i, n-1)
		}
		if err := fn(rows, min(size, n-from)); err != nil {
			return err
		}
	}
	return nil
}

// Free gives tensors' memory back at once; it is not to be used afterwards. Tensors that are freed
// already are left alone.
func Free(ts ...*tensors.Tensor) {
	for _, t := range ts {
		_ = t.FinalizeAll()
	}
}

// Rows calls a program with one output and copies its first rows, each of the given width.
func (p *Program) Rows(valid, width int, in ...any) ([]float32, error) {
	out, err := p.Call(in...)
	if err != nil {
		return nil, err
	}
	v, err := Floats(out[0])
	Free(out...)
	if err != nil {
		return nil, err
	}
	return v[:valid*width], nil
}

// Gather copies rows of images into one tensor [len(rows), h, w, 3].
func Gather(images gansim.Images, rows []int) *tensors.Tensor {
	pix := make([]float32, 0, len(rows)*images.Height*images.Width*3)
	for _, r := range rows {
		pix = append(pix, images.At(r)...)
	}
	return Tensor(pix, len(rows), images.Height, images.Width, 3)
}
