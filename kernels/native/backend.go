package native

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"

	"gansim.example/kernels/native/kern"
)

// engine is the backend; it owns the memory that executions share.
type engine struct {
	notimplemented.Backend
	arenas    arenas
	finalized atomic.Bool
}

var _ compute.Backend = (*engine)(nil)

// New opens the engine. It is safe for concurrent use, and so are its executables.
func New() compute.Backend { return &engine{} }

// Name is "gansim Go".
func (*engine) Name() string { return "gansim Go" }

// String is the name.
func (e *engine) String() string { return e.Name() }

// Description tells the language, the number of processors and the kind of vector instructions.
func (*engine) Description() string {
	return fmt.Sprintf("gansim's own engine in Go, %d processors, SIMD: %s",
		runtime.GOMAXPROCS(0), kern.SIMD())
}

// DeviceDescription describes the only device.
func (e *engine) DeviceDescription(d compute.DeviceNum) string {
	return fmt.Sprintf("device %d, the processor", d)
}

// Capabilities lists operations and types that some graph can use; an operation may lack kernels
// for some of the types.
func (*engine) Capabilities() compute.Capabilities {
	c := compute.Capabilities{
		Operations: make(map[compute.OpType]bool),
		DTypes:     make(map[dtypes.DType]bool),
	}
	for _, op := range structural {
		c.Operations[op] = true
	}
	for dtype, table := range elementwise {
		c.DTypes[dtype] = true
		for op := range table {
			c.Operations[op] = true
		}
	}
	return c
}

// structural are the operations besides the elementwise ones.
var structural = []compute.OpType{
	compute.OpTypeParameter, compute.OpTypeConstant, compute.OpTypeIdentity,
	compute.OpTypeReduceWindow, compute.OpTypeBatchNormForInference, compute.OpTypeArgMinMax,
	compute.OpTypeBitcast, compute.OpTypeBroadcastInDim, compute.OpTypeClamp,
	compute.OpTypeConcatenate, compute.OpTypeConvGeneral, compute.OpTypeConvertDType,
	compute.OpTypeCumSum, compute.OpTypeDot, compute.OpTypeDotGeneral, compute.OpTypeDynamicSlice,
	compute.OpTypeDynamicUpdateSlice, compute.OpTypeGather, compute.OpTypeIota, compute.OpTypePad,
	compute.OpTypeReduceBitwiseAnd, compute.OpTypeReduceBitwiseOr, compute.OpTypeReduceBitwiseXor,
	compute.OpTypeReduceLogicalAnd, compute.OpTypeReduceLogicalOr, compute.OpTypeReduceLogicalXor,
	compute.OpTypeReduceMax, compute.OpTypeReduceMin, compute.OpTypeReduceProduct,
	compute.OpTypeReduceSum, compute.OpTypeReshape, compute.OpTypeReverse,
	compute.OpTypeScatterMax, compute.OpTypeScatterMin, compute.OpTypeScatterSum,
	compute.OpTypeSelectAndScatterMax, compute.OpTypeSelectAndScatterMin, compute.OpTypeSlice,
	compute.OpTypeTranspose, compute.OpTypeOptimizationBarrier, compute.OpTypeSchedulingBarrier,
}

// Builder starts a graph.
func (e *engine) Builder(name string) compute.Builder { return newBuilder(e, name) }

// BufferFromFlatData copies values to a new buffer.
func (e *engine) BufferFromFlatData(_ compute.DeviceNum, flat any, shape shapes.Shape) (
	compute.Buffer, error) {
	if e.IsFinalized() {
		return nil, errFinalized
	}
	if _, ok := elementwise[shape.DType]; !ok {
		return nil, missing("buffers of %s", shape.DType)
	}
	if got := typeOf(flat); got != shape.DType {
		return nil, fmt.Errorf("native: buffer of %s: values are %T", shape, flat)
	}
	values := dtypes.UnsafeByteSliceFromAny(flat)
	if len(values) != bytesOf(shape) {
		return nil, fmt.Errorf("native: buffer of %s: %d bytes given, want %d",
			shape, len(values), bytesOf(shape))
	}
	return &buffer{owner: e, shape: shape.Clone(), data: append([]byte(nil), values...)}, nil
}

// Finalize gives the memory back.
func (e *engine) Finalize() {
	e.finalized.Store(true)
	e.arenas.clear()
}

// IsFinalized tells whether Finalize was called.
func (e *engine) IsFinalized() bool { return e.finalized.Load() }
