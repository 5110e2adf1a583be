package lab

import (
	"bytes"
	"encoding/gob"
	"fmt"

	"gansim.example/gansim/internal/wire"
)

// Images is a batch of RGB images.
type Images struct {
	N, Height, Width int
	Pix              []float32 // [N, Height, Width, 3], values in [0, 1]
	Names            []string  // of photographs, or the classes of renders; may be nil
	Codes            Codes     // that they were decoded from; N is 0 where there are none
	From             Origin
}

// Pick gives some of the images by index, in that order.
func (m Images) Pick(index ...int) Images {
	out := Images{Height: m.Height, Width: m.Width, From: m.From}
	size := m.Height * m.Width * 3
	for _, i := range index {
		if i < 0 || i >= m.N {
			must(fmt.Errorf("Pick: no image %d, there are %d", i, m.N))
		}
		out.N++
		out.Pix = append(out.Pix, m.Pix[i*size:(i+1)*size]...)
		if i < len(m.Names) {
			out.Names = append(out.Names, m.Names[i])
		}
	}
	if m.Codes.N == m.N {
		out.Codes = m.Codes.Pick(index...)
	}
	return out
}

// First gives the first n images, all if there are fewer.
func (m Images) First(n int) Images { return m.Pick(upTo(min(n, m.N))...) }

// upTo are the numbers from 0 to below n.
func upTo(n int) []int {
	index := make([]int, max(n, 0))
	for i := range index {
		index[i] = i
	}
	return index
}

func (m Images) shape() wire.Shape { return wire.Shape{N: m.N, Height: m.Height, Width: m.Width} }

// Codes is a batch of latent codes.
type Codes struct {
	N, Dim int
	Z      []float32 // [N, Dim]
}

// Pick gives some of the codes by index.
func (c Codes) Pick(index ...int) Codes {
	out := Codes{Dim: c.Dim}
	for _, i := range index {
		if i < 0 || i >= c.N {
			must(fmt.Errorf("Pick: no code %d, there are %d", i, c.N))
		}
		out.N++
		out.Z = append(out.Z, c.Z[i*c.Dim:(i+1)*c.Dim]...)
	}
	return out
}

// Between gives n codes on the line from code 0 to code 1, ends included.
func (c Codes) Between(n int) Codes {
	if c.N < 2 || n < 2 {
		must(fmt.Errorf("Between: %d steps through %d codes, want at least 2 of each", n, c.N))
	}
	out := Codes{N: n, Dim: c.Dim}
	for k := range n {
		t := float32(k) / float32(n-1)
		for j := range c.Dim {
			out.Z = append(out.Z, (1-t)*c.Z[j]+t*c.Z[c.Dim+j])
		}
	}
	return out
}

// Along gives n codes on the line through code 0 in a direction, from -reach to +reach times it.
func (c Codes) Along(direction Codes, reach float64, n int) Codes {
	if c.N < 1 || direction.N < 1 || direction.Dim != c.Dim || n < 2 {
		must(fmt.Errorf("Along: %d steps from %d codes of %d dimensions in %d directions of %d",
			n, c.N, c.Dim, direction.N, direction.Dim))
	}
	out := Codes{N: n, Dim: c.Dim}
	for k := range n {
		t := float32(reach * (2*float64(k)/float64(n-1) - 1))
		for j := range c.Dim {
			out.Z = append(out.Z, c.Z[j]+t*direction.Z[j])
		}
	}
	return out
}

// Keep keeps a value by a name, for later cells of this notebook; it goes when the kernel ends.
// Exported fields of structs are kept, as encoding/gob does.
func Keep(name string, value any) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(value); err != nil {
		must(remedy{fmt.Errorf("Keep: %w", err), "keep plain values, slices, maps or structs of these"})
	}
	_, _, err := ask("keep", "Keep", wire.Query{Key: name, Method: fmt.Sprintf("%T", value)}, b.Bytes())
	must(err)
}

// Load gives the value that a cell kept by a name.
func Load[T any](name string) T {
	var value T
	a, data, err := ask("load", "Load", wire.Query{Key: name})
	must(err)
	want := fmt.Sprintf("%T", value)
	if len(a.Names) != 1 || len(data) != 1 || a.Names[0] != want {
		must(remedy{fmt.Errorf("Load: %q is not a %s", name, want),
			fmt.Sprintf("write lab.Load[%s](%q)", a.Names[0], name)})
	}
	if err := gob.NewDecoder(bytes.NewReader(data[0])).Decode(&value); err != nil {
		must(remedy{fmt.Errorf("Load: %w", err), "run the cell that keeps it again"})
	}
	return value
}

// read takes the batches of images and the codes out of an answer.
func read(a wire.Answer, parts [][]byte) ([]Images, error) {
	var all []Images
	codes := Codes{Dim: a.Codes}
	if a.Codes > 0 && len(parts) > 0 {
		z, err := wire.ToFloats(parts[len(parts)-1])
		if err != nil {
			return nil, err
		}
		codes.N, codes.Z = len(z)/a.Codes, z
	}
	for i, s := range a.Shapes {
		if i >= len(parts) {
			return nil, fmt.Errorf("the server's answer has %d parts, want more", len(parts))
		}
		pix, err := wire.ToFloats(parts[i])
		if err != nil {
			return nil, err
		}
		if len(pix) != s.N*s.Height*s.Width*3 {
			return nil, fmt.Errorf("the server's answer has %d pixel values for %v", len(pix), s)
		}
		m := Images{N: s.N, Height: s.Height, Width: s.Width, Pix: pix, From: a.Origin}
		if i == 0 {
			m.Codes = codes
		}
		all = append(all, m)
	}
	return all, nil
}
