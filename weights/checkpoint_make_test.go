package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"testing"
)

// text8 is a string in a pickle, int4 an integer, tuple4 a tuple of integers.
func text8(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func int4(n int) string {
	if n != int(int32(n)) {
		return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	}
	return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
}

func tuple4(v []int) string {
	s := "("
	for _, n := range v {
		s += int4(n)
	}
	return s + "t"
}

// planned is a tensor to write into a checkpoint.
type planned struct {
	name, storage, key  string
	numel, offset       int
	size, stride        []int
	rebuild, dtype, pid string // empty: _rebuild_tensor_v2, none, ('storage', ...)
}

func (p planned) pickle() string {
	global := func(module, name string) string { return "c" + module + "\n" + name + "\n" }
	rebuild, pid, end := "_rebuild_tensor_v2", p.pid, ""
	if p.rebuild != "" {
		rebuild = p.rebuild
	}
	if p.dtype != "" {
		end = global("torch", p.dtype)
	}
	if pid == "" {
		pid = "(" + text8("storage") + global("torch", p.storage) + text8(p.key) + text8("cpu") +
			int4(p.numel) + "tQ"
	}
	return global("torch._utils", rebuild) + "(" + pid + int4(p.offset) + tuple4(p.size) +
		tuple4(p.stride) + "\x89ccollections\nOrderedDict\n)R" + end + "tR"
}

// stateDict is the pickle of a dictionary of tensors.
func stateDict(tensors ...planned) string {
	s := "\x80\x02}"
	for _, p := range tensors {
		s += text8(p.name) + p.pickle() + "s"
	}
	return s + "."
}

// contents is a member to write.
type contents struct{ name, data string }

func zipOf(tb testing.TB, method uint16, members ...contents) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: method}
		create := z.CreateHeader
		if method == zip.Store { // without data descriptors, so that tests can change sizes
			h.CRC32 = crc32.ChecksumIEEE([]byte(m.data))
			h.CompressedSize64, h.UncompressedSize64 = uint64(len(m.data)), uint64(len(m.data))
			create = z.CreateRaw
		}
		w, err := create(h)
		if err == nil {
			_, err = w.Write([]byte(m.data))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// torchOf is a checkpoint of a pickle and the records 0, 1, ...
func torchOf(tb testing.TB, pickle string, records ...string) []byte {
	members := []contents{{"a/data.pkl", pickle}, {"a/byteorder", "little"}}
	for i, r := range records {
		members = append(members, contents{fmt.Sprintf("a/data/%d", i), r})
	}
	return zipOf(tb, zip.Store, append(members, contents{"a/version", "3\n"})...)
}

// legacyOf is the same in the layout before PyTorch 1.6.
func legacyOf(pickle string, records map[string]string, numel map[string]int) []byte {
	s := "\x80\x02\x8a\x0a" + string(legacyMagic) + ".\x80\x02M\xe9\x03.\x80\x02}" +
		text8("little_endian") + "\x88s." + pickle + "\x80\x02]"
	var data strings.Builder
	for key, r := range records {
		s += text8(key) + "a"
		data.Write(binary.LittleEndian.AppendUint64(nil, uint64(numel[key])))
		data.WriteString(r)
	}
	return []byte(s + "." + data.String())
}

// ramp are the float32 numbers 0 to n-1.
func ramp(n int) string {
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(i)))
	}
	return string(b)
}
