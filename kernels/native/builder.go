package native

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"
)

// builder records one graph, in its main function.
type builder struct {
	notimplemented.Builder
	engine   *engine
	name     string
	main     *function
	compiled bool
}

// newBuilder starts a graph.
func newBuilder(e *engine, name string) *builder {
	refuse := func(op compute.OpType) error { return missing("%s", op) }
	b := &builder{Builder: notimplemented.Builder{ErrFn: refuse}, engine: e, name: name}
	b.main = &function{Function: notimplemented.Function{ErrFn: refuse}, owner: b,
		same: make(map[string]*node)}
	return b
}

// Name of the graph.
func (b *builder) Name() string { return b.name }

// Main is the only function.
func (b *builder) Main() compute.Function { return b.main }

// NewFunction is refused: there is the main function alone.
func (b *builder) NewFunction(name string) (compute.Function, error) {
	return nil, missing("function %q besides the main one", name)
}

// OpShape is the shape of a value.
func (b *builder) OpShape(v compute.Value) (shapes.Shape, error) { return b.main.Shape(v) }

// Compile plans the graph.
func (b *builder) Compile() (compute.Executable, error) {
	switch {
	case b.engine.IsFinalized():
		return nil, errFinalized
	case b.compiled:
		return nil, fmt.Errorf("native: graph %q is compiled already", b.name)
	case !b.main.returned:
		return nil, fmt.Errorf("native: graph %q has no outputs yet", b.name)
	}
	b.compiled, b.main.same = true, nil
	return compile(b.engine, b.main)
}

// kind is how a node comes by its value.
type kind int

const (
	parameter kind = iota // an input of the graph
	constant              // known when the graph is built
	pointwise             // element by element from inputs of the same size
	reading               // a layout of its input
	reshaping             // its input's bytes under another shape
	working               // by code of its own
)

// node is a value of the graph.
type node struct {
	id     int // nodes come after their inputs
	owner  *function
	kind   kind
	op     compute.OpType
	shape  shapes.Shape
	inputs []*node

	name   string                        // parameter
	data   []byte                        // constant
	read   func(layout) layout           // reading
	work   func(out []byte, in [][]byte) // working
	kernel kernel                        // pointwise
}

func (n *node) dims() []int { return n.shape.Dimensions }

// function records operations.
type function struct {
	notimplemented.Function
	owner      *builder
	nodes      []*node
	parameters []*node
	outputs    []*node
	returned   bool
	same       map[string]*node // nodes by what they compute
}

var _ compute.Function = (*function)(nil)

// Name is that of the main function.
func (f *function) Name() string { return compute.MainName }

// Builder is the function's builder.
func (f *function) Builder() compute.Builder { return f.owner }

// Closure is refused: there is the main function alone.
func (f *function) Closure() (compute.Function, error) { return nil, missing("closures") }

// Call is refused: there is the main function alone.
func (f *function) Call(compute.Function, ...compute.Value) ([]compute.Value, error) {
	return nil, missing("%s", compute.OpTypeCall)
}

// Shape is the shape of a value.
func (f *function) Shape(v compute.Value) (shapes.Shape, error) {
	n, err := f.take("Shape", v)
	if err != nil {
		return shapes.Invalid(), err
	}
	return n[0].shape, nil
}

// take checks the operands of an operation.
func (f *function) take(what string, values ...compute.Value) ([]*node, error) {
	if f.returned && what != "Shape" {
		return nil, fmt.Errorf("native: %s: the graph is complete", what)
	}
	nodes := make([]*node, len(values))
	for i, v := range values {
		n, ok := v.(*node)
		if !ok || n == nil || n.owner != f {
			return nil, fmt.Errorf("native: %s: operand %d is no value of this graph", what, i)
		}
		nodes[i] = n
	}
	return nodes, nil
}

// add records a node, or finds the one that computes the same. The details tell apart nodes with
// the same operation and inputs.
func (f *function) add(n node, details ...any) *node {
	key := fmt.Sprint(n.kind, n.op, n.shape.DType, n.dims(), details)
	for _, in := range n.inputs {
		key += fmt.Sprint(" ", in.id)
	}
	if old := f.same[key]; old != nil {
		return old
	}
	n.id, n.owner = len(f.nodes), f
	f.nodes = append(f.nodes, &n)
	f.same[key] = &n
	return &n
}

// Parameter adds an input of the graph.
func (f *function) Parameter(name string, shape shapes.Shape, _ *compute.ShardingSpec) (
	compute.Value, error) {
	if f.returned {
		return nil, fmt.Errorf("native: parameter %q: the graph is complete", name)
	}
	if err := supported(shape); err != nil {
		return nil, fmt.Errorf("native: parameter %q: %w", name, err)
	}
	n := f.add(node{kind: parameter, name: name, shape: shape.Clone()}, len(f.parameters))
	f.parameters = append(f.parameters, n)
	return n, nil
}

// supported refuses types and dynamic shapes that the engine does not know.
func supported(s shapes.Shape) error {
	if _, ok := elementwise[s.DType]; !ok {
		return missing("type %s", s.DType)
	}
	if s.IsDynamic() {
		return missing("dynamic shape %s", s)
	}
	return nil
}

// Constant adds values that are known now; they are copied.
func (f *function) Constant(flat any, dims ...int) (compute.Value, error) {
	shape := shapes.Make(typeOf(flat), dims...)
	if err := supported(shape); err != nil {
		return nil, fmt.Errorf("native: constant: %w", err)
	}
	data := slices.Clone(dtypes.UnsafeByteSliceFromAny(flat))
	if len(data) != bytesOf(shape) {
		return nil, fmt.Errorf("native: constant of %s: %d bytes given", shape, len(data))
	}
	return f.constant(data, shape), nil
}

// sameConstants is the largest constant, in bytes, that is compared with others.
const sameConstants = 64

func (f *function) constant(data []byte, shape shapes.Shape) *node {
	var details any = len(f.nodes)
	if len(data) <= sameConstants {
		details = data
	}
	return f.add(node{kind: constant, shape: shape, data: data}, "constant", details)
}

// Return marks the outputs.
func (f *function) Return(outputs []compute.Value, _ []*compute.ShardingSpec) error {
	nodes, err := f.take("Return", outputs...)
	if err != nil {
		return err
	}
	f.outputs, f.returned = nodes, true
	return nil
}
