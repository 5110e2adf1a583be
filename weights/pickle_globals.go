package weights

import "strings"

// class is a global that a pickle names: a class or a function of Python, none of which exists
// here. What happens when one is called is in call; without it the call becomes a [record].
type class struct {
	module, name string
	call         func(m *machine, args tuple) (any, error)
	dtype        DType  // of a storage class or torch dtype, "" for others and unsupported types
	storage      bool   // torch.FloatStorage and the like
	unsupported  string // why tensors of this storage cannot be read
}

// String is the name with its module, in quotes.
func (c *class) String() string { return `"` + c.module + "." + c.name + `"` }

// setClass stands for sets of protocol 4.
var setClass = &class{module: "builtins", name: "set"}

// callables are the globals that mean something here. All names are whole; a prefix allows none.
var callables = map[string]func(*machine, tuple) (any, error){
	"torch._utils._rebuild_tensor":               rebuildTensor,
	"torch._utils._rebuild_tensor_v2":            rebuildTensor,
	"torch._utils._rebuild_tensor_v3":            rebuildTensor3,
	"torch._utils._rebuild_parameter":            rebuildParameter,
	"torch._utils._rebuild_parameter_with_state": rebuildParameter,
	"torch._tensor._rebuild_from_type_v2":        rebuildFromType,
	"torch.Size":                                 sizeTuple,
	"collections.OrderedDict":                    newDict,
	"collections.defaultdict": func(m *machine, _ tuple) (any,
		error) {
		return newDict(m, nil)
	},
	"_codecs.encode":          encode,
	"copyreg._reconstructor":  reconstruct,
	"copy_reg._reconstructor": reconstruct,
}

// inert are globals of PyTorch, NumPy and Python's library that pickles of training runs hold
// beside the weights. Calls of them become records.
const inert = `
	torch.Tensor torch.device torch.strided torch.contiguous_format torch.channels_last
	torch.preserve_format torch.serialization._get_layout
	torch.float16 torch.float32 torch.float64 torch.bfloat16 torch.half torch.float torch.double
	torch.uint8 torch.int8 torch.int16 torch.int32 torch.int64 torch.bool
	torch.uint16 torch.uint32 torch.uint64
	torch.complex64 torch.complex128
	numpy.dtype numpy.ndarray
	numpy.core.multiarray._reconstruct numpy.core.multiarray.scalar
	numpy._core.multiarray._reconstruct numpy._core.multiarray.scalar
	numpy.core.numeric._frombuffer numpy._core.numeric._frombuffer
	numpy.float16 numpy.float32 numpy.float64 numpy.int8 numpy.int16 numpy.int32 numpy.int64
	numpy.uint8 numpy.uint16 numpy.uint32 numpy.uint64 numpy.bool_ numpy.str_
	builtins.set builtins.frozenset builtins.list builtins.dict builtins.tuple builtins.bytearray
	builtins.bytes builtins.complex builtins.slice builtins.range builtins.object builtins.int
	builtins.float builtins.str builtins.bool
	__builtin__.set __builtin__.frozenset __builtin__.list __builtin__.dict __builtin__.tuple
	__builtin__.bytearray __builtin__.complex __builtin__.slice __builtin__.xrange
	__builtin__.object __builtin__.int __builtin__.long __builtin__.float __builtin__.str
	__builtin__.unicode __builtin__.bool
	collections.Counter collections.deque
	argparse.Namespace types.SimpleNamespace
	datetime.datetime datetime.date datetime.timedelta datetime.timezone
	pathlib.Path pathlib.PosixPath pathlib.WindowsPath pathlib.PurePosixPath
	dill._dill._load_type dill.dill._load_type
	pathlib.PureWindowsPath pathlib._local.PosixPath pathlib._local.WindowsPath uuid.UUID
`

var inertNames = wordSet(inert)

// storageTypes are the storages, all of module torch (UntypedStorage of torch.storage too); a value
// that is no known type says why it is not read.
var storageTypes = map[string]string{
	"DoubleStorage": string(F64), "FloatStorage": string(F32), "HalfStorage": string(F16),
	"BFloat16Storage": string(BF16), "LongStorage": string(I64), "IntStorage": string(I32),
	"ShortStorage": string(I16), "CharStorage": string(I8), "ByteStorage": string(U8),
	"BoolStorage": string(Bool), "UntypedStorage": string(U8),
	"ComplexFloatStorage":  "complex64 is not supported",
	"ComplexDoubleStorage": "complex128 is not supported",
	"QInt8Storage":         "quantized qint8 is not supported",
	"QUInt8Storage":        "quantized quint8 is not supported",
	"QInt32Storage":        "quantized qint32 is not supported",
	"QUInt4x2Storage":      "quantized quint4x2 is not supported",
	"QUInt2x4Storage":      "quantized quint2x4 is not supported",
}

// dtypes are the element types by their names in module torch.
var dtypes = map[string]DType{
	"float64": F64, "double": F64, "float32": F32, "float": F32, "float16": F16, "half": F16,
	"bfloat16": BF16, "int64": I64, "int32": I32, "int16": I16, "int8": I8,
	"uint64": U64, "uint32": U32, "uint16": U16, "uint8": U8, "bool": Bool,
}

func wordSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// findClass looks a global up. The reason is why it is refused, empty if it is not.
//
// Names of PyTorch, NumPy and Python's library must be on a list above. Of other modules, and of
// PyTorch's modules and optimizers, any name that is written like a class is let through, as a
// record: nothing of it is ever imported or called.
func findClass(module, name string) (c *class, reason string) {
	c = &class{module: module, name: name}
	full := module + "." + name
	top, _, _ := strings.Cut(module, ".")
	if s, ok := storageTypes[name]; ok && (module == "torch" || module == "torch.cuda" ||
		module == "torch.storage" && name == "UntypedStorage") {
		c.storage, c.dtype = true, DType(s)
		if c.dtype.Size() == 0 {
			c.dtype, c.unsupported = "", s
		}
		return c, ""
	}
	if c.call = callables[full]; c.call != nil {
		return c, ""
	}
	if inertNames[full] {
		if module == "torch" {
			c.dtype = dtypes[name]
		}
		return c, ""
	}
	switch {
	case !moduleName(module) || !plainName(name):
		return nil, "only tensors, plain values and the names of classes are accepted"
	case top == "torch":
		if !strings.HasPrefix(module, "torch.nn.") && !strings.HasPrefix(module, "torch.optim.") {
			return nil, "it is not on the list of PyTorch's names that are accepted"
		}
	case top == "numpy" && !strings.HasPrefix(full, "numpy.dtypes."):
		return nil, "it is not on the list of NumPy's names that are accepted"
	case pythonLibrary[top]:
		return nil, "it belongs to Python's library and is not on the list of names that are accepted"
	}
	if !className(name) {
		return nil, "it is not written like the name of a class"
	}
	return c, ""
}

func plainName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && r != '.' && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// moduleName is true for names with dots, without special parts such as __builtins__.
func moduleName(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if !plainName(part) || strings.HasPrefix(part, "__") && part != "__main__" {
			return false
		}
	}
	return true
}

// className is true for CamelCase, after an underscore too, and for classes within classes.
func className(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		part = strings.TrimPrefix(part, "_")
		if part == "" || part[0] < 'A' || part[0] > 'Z' {
			return false
		}
	}
	return true
}
