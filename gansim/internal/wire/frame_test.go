package wire_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"gansim.example/gansim/internal/wire"
)

func TestRoundTrip(t *testing.T) {
	for _, f := range []wire.Frame{
		{Head: wire.Head{Kind: wire.Cancel, ID: 3}},
		{Head: wire.Head{Kind: wire.Request, ID: 1 << 60, Verb: "sample", Body: []byte(`{"n":3}`)},
			Parts: [][]byte{{}, {1, 2, 3}, bytes.Repeat([]byte{7}, 3<<20)}},
	} {
		var b bytes.Buffer
		if err := wire.Write(&b, f); err != nil {
			t.Fatal(err)
		}
		got, err := wire.Read(&b)
		if err != nil {
			t.Fatal(err)
		}
		f.Sizes = got.Sizes
		if !reflect.DeepEqual(got, f) {
			t.Errorf("got %+v, want %+v", got.Head, f.Head)
		}
		if _, err := wire.Read(&b); err != io.EOF {
			t.Errorf("got %v after the frame", err)
		}
	}
}

func TestRefusedFrames(t *testing.T) {
	head := func(s string) string { return string([]byte{0, 0, 0, byte(len(s))}) + s }
	for _, c := range []struct {
		name, bytes string
		want        error
	}{
		{"cut length", "\x00\x00", io.ErrUnexpectedEOF},
		{"cut head", "\x00\x00\x00\x09{}", io.ErrUnexpectedEOF},
		{"long head", "\xff\xff\xff\xff", wire.ErrFrame},
		{"no JSON", head("hello"), wire.ErrFrame},
		{"negative size", head(`{"sizes":[-1]}`), wire.ErrFrame},
		{"sum of sizes", head(`{"sizes":[4294967296,1]}`), wire.ErrFrame},
		{"overflow", head(`{"sizes":[9223372036854775807,9223372036854775807]}`), wire.ErrFrame},
		{"many parts", head(`{"sizes":[` + strings.Repeat("0,", 64) + `0]}`), wire.ErrFrame},
		{"cut part", head(`{"sizes":[4294967296]}`) + "abc", io.ErrUnexpectedEOF},
	} {
		if _, err := wire.Read(strings.NewReader(c.bytes)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestFloats(t *testing.T) {
	want := []float32{0, -1.5, 3e38}
	if got, err := wire.ToFloats(wire.Floats(want)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := wire.ToFloats(make([]byte, 5)); err == nil {
		t.Error("5 bytes are no float32 values")
	}
}

// FuzzRead: no panic, no memory beyond a multiple of the bytes, and what is read is written again.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02{}"))
	f.Add([]byte("\x00\x00\x00\x1a{\"kind\":\"x\",\"sizes\":[1,2]}abc"))
	f.Add([]byte("\x00\x00\x00\x16{\"sizes\":[4000000000]}a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		frame, err := wire.Read(bytes.NewReader(b))
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20+uint64(64*len(b)) {
			t.Errorf("%d bytes took %d of memory", len(b), grown)
		}
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := wire.Write(&out, frame); err != nil {
			t.Fatal(err)
		}
		again, err := wire.Read(&out)
		if err != nil || again.ID != frame.ID || len(again.Parts) != len(frame.Parts) {
			t.Errorf("got %+v, %v after %+v", again.Head, err, frame.Head)
		}
	})
}
