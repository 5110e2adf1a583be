package native

import "github.com/gomlx/compute/dtypes"

// conversions are the kernels from one type to another. Numbers convert to bool by x != 0; floats
// lose their fraction when they become integers.
var conversions = map[dtypes.DType]map[dtypes.DType]kernel{
	dtypes.Bool:    fromBool(),
	dtypes.Int8:    fromNumber[int8](),
	dtypes.Int16:   fromNumber[int16](),
	dtypes.Int32:   fromNumber[int32](),
	dtypes.Int64:   fromNumber[int64](),
	dtypes.Uint8:   fromNumber[uint8](),
	dtypes.Uint16:  fromNumber[uint16](),
	dtypes.Uint32:  fromNumber[uint32](),
	dtypes.Uint64:  fromNumber[uint64](),
	dtypes.Float32: fromNumber[float32](),
	dtypes.Float64: fromNumber[float64](),
}

func fromNumber[F number]() map[dtypes.DType]kernel {
	return map[dtypes.DType]kernel{
		dtypes.Bool:    unary(func(x F) bool { return x != 0 }),
		dtypes.Int8:    unary(func(x F) int8 { return int8(x) }),
		dtypes.Int16:   unary(func(x F) int16 { return int16(x) }),
		dtypes.Int32:   unary(func(x F) int32 { return int32(x) }),
		dtypes.Int64:   unary(func(x F) int64 { return int64(x) }),
		dtypes.Uint8:   unary(func(x F) uint8 { return uint8(x) }),
		dtypes.Uint16:  unary(func(x F) uint16 { return uint16(x) }),
		dtypes.Uint32:  unary(func(x F) uint32 { return uint32(x) }),
		dtypes.Uint64:  unary(func(x F) uint64 { return uint64(x) }),
		dtypes.Float32: unary(func(x F) float32 { return float32(x) }),
		dtypes.Float64: unary(func(x F) float64 { return float64(x) }),
	}
}

func fromBool() map[dtypes.DType]kernel {
	return map[dtypes.DType]kernel{
		dtypes.Bool:    unary(func(x bool) bool { return x }),
		dtypes.Int8:    unary(oneIf[int8]),
		dtypes.Int16:   unary(oneIf[int16]),
		dtypes.Int32:   unary(oneIf[int32]),
		dtypes.Int64:   unary(oneIf[int64]),
		dtypes.Uint8:   unary(oneIf[uint8]),
		dtypes.Uint16:  unary(oneIf[uint16]),
		dtypes.Uint32:  unary(oneIf[uint32]),
		dtypes.Uint64:  unary(oneIf[uint64]),
		dtypes.Float32: unary(oneIf[float32]),
		dtypes.Float64: unary(oneIf[float64]),
	}
}

func oneIf[T number](x bool) T {
	if x {
		return 1
	}
	return 0
}
