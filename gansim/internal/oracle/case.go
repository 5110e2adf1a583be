package oracle

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"path/filepath"

	"gansim.example/weights"
)

// WeightFile tells how to fill a network.
type WeightFile struct {
	Net, Salt string
	Tensors   []Fill
}

// LoadWeights reads weights/<net>.json; nothing is filled yet, see [Fill.Float32s].
func LoadWeights(dir, net string) (WeightFile, error) {
	var w WeightFile
	err := Read(dir, filepath.Join("weights", net+".json"), &w)
	return w, err
}

// Case is one run of a network by its original program.
type Case struct {
	Name, Salt string
	Weights    []string // names for LoadWeights
	Notes      string
	Inputs     []Input
	Units      map[string][]int // layer to [channel, row, column] or [channel]
	Tensors    []string         // the names that Expected knows, in order of execution
	// Extra is the whole JSON object, for the fields of single cases (optimizer, steps, basis, ...).
	Extra json.RawMessage

	dir     string
	records map[string]record
	values  *weights.File
}

// Input tells how to make an input of a network.
type Input struct {
	Name, DType, Formula, Image, Gauss4, Affine, Embedding string
	Shape, Classes                                         []int
	Columns                                                int
	Offset                                                 float64
	Scale                                                  any // a number; a remark for pictures
	CRC32                                                  uint32
}

// OpenCase reads a case of a folder by its name.
func OpenCase(dir, name string) (*Case, error) {
	c := &Case{dir: dir, records: map[string]record{}}
	if err := Read(dir, name+".json", &c.Extra); err != nil {
		return nil, err
	}
	var file struct {
		Name, Salt, Notes string
		Weights           []string
		Inputs            []Input
		Units             map[string][]int
		Tensors           []record
	}
	if err := json.Unmarshal(c.Extra, &file); err != nil {
		return nil, fmt.Errorf("oracle: %s: %w", name, err)
	}
	c.Name, c.Salt, c.Notes = file.Name, file.Salt, file.Notes
	c.Weights, c.Inputs, c.Units = file.Weights, file.Inputs, file.Units
	for _, r := range file.Tensors {
		c.Tensors = append(c.Tensors, r.Name)
		c.records[r.Name] = r
	}
	var err error
	if c.values, err = weights.OpenSafetensors(filepath.Join(dir, name+".safetensors")); err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	return c, nil
}

// Expected is a tap, an output or a gradient of the case.
func (c *Case) Expected(name string) (Expected, error) {
	r, ok := c.records[name]
	if !ok {
		return Expected{}, fmt.Errorf("oracle: %s has no tensor %q", c.Name, name)
	}
	return r.expected(c.values)
}

// Input makes an input, checked by CRC-32. Pictures come as [batch, channel, row, column], in
// [0, 1], or whole numbers to 255 where the input's type is uint8.
func (c *Case) Input(name string) (Tensor, error) {
	for _, in := range c.Inputs {
		if in.Name == name {
			t, err := c.make(in)
			if err != nil {
				return Tensor{}, fmt.Errorf("oracle: %s: input %s: %w", c.Name, name, err)
			}
			return t, nil
		}
	}
	return Tensor{}, fmt.Errorf("oracle: %s has no input %q", c.Name, name)
}

func (c *Case) make(in Input) (Tensor, error) {
	if in.Formula == "image" {
		return c.picture(in)
	}
	if in.Embedding != "" {
		return c.conditioned(in)
	}
	scale, ok := in.Scale.(float64)
	if !ok {
		return Tensor{}, fmt.Errorf("scale is %v, want a number", in.Scale)
	}
	return Fill{Key: in.Gauss4 + in.Affine, Kind: in.Formula, Shape: in.Shape, Offset: in.Offset,
		Scale: scale, CRC32: in.CRC32}.Tensor(c.Salt)
}

// picture makes an input from [Image].
func (c *Case) picture(in Input) (Tensor, error) {
	n, err := count(in.Shape)
	if err != nil || len(in.Shape) != 4 || in.Shape[1] != 3 {
		return Tensor{}, fmt.Errorf("shape %v, want [n, 3, height, width]", in.Shape)
	}
	pixels := in.Shape[2] * in.Shape[3]
	planes := make([]byte, n)
	for i, v := range Image(c.Salt, in.Image, in.Shape[0], in.Shape[2], in.Shape[3]) {
		pixel, channel := i/3, i%3
		planes[(pixel/pixels*3+channel)*pixels+pixel%pixels] = v
	}
	out, f32 := make([]float64, n), make([]float32, n)
	for i, v := range planes {
		f32[i] = float32(float64(v) / 255)
		out[i] = float64(f32[i])
	}
	sum := checksum(f32)
	if in.DType == "uint8" {
		sum = crc32.ChecksumIEEE(planes)
		for i, v := range planes {
			out[i] = float64(v)
		}
	}
	if sum != in.CRC32 {
		return Tensor{}, fmt.Errorf("crc32 is %08x, want %08x", sum, in.CRC32)
	}
	return Tensor{Shape: in.Shape, Data: out}, nil
}

// conditioned makes an input of BigGAN: noise, and beside it the embedding of each row's class.
func (c *Case) conditioned(in Input) (Tensor, error) {
	n, err := count(in.Shape)
	scale, ok := in.Scale.(float64)
	if err != nil || !ok || len(c.Weights) == 0 ||
		len(in.Shape) != 2 || len(in.Classes) != in.Shape[0] {
		return Tensor{}, fmt.Errorf("bad description %+v", in)
	}
	e, err := c.embedding(in)
	if err != nil {
		return Tensor{}, err
	}
	hz, he := Hash(c.Salt, in.Gauss4), Hash(c.Salt, e.Key)
	f32, out := make([]float32, n), make([]float64, n)
	for i := range out {
		row, column := i/in.Shape[1], i%in.Shape[1]
		v := float64(scale * Gauss4(hz, row*in.Columns+column))
		if column >= in.Columns {
			at := (column-in.Columns)*e.Shape[1] + in.Classes[row]
			v = e.Offset + float64(e.Scale*U(he, uint64(at)))
		}
		f32[i] = float32(v)
		out[i] = float64(f32[i])
	}
	if sum := checksum(f32); sum != in.CRC32 {
		return Tensor{}, fmt.Errorf("crc32 is %08x, want %08x", sum, in.CRC32)
	}
	return Tensor{Shape: in.Shape, Data: out}, nil
}

// embedding finds the tensor [width, classes] that a conditioned input takes columns of.
func (c *Case) embedding(in Input) (Fill, error) {
	w, err := LoadWeights(c.dir, c.Weights[0])
	if err != nil {
		return Fill{}, err
	}
	for _, f := range w.Tensors {
		if f.Key == in.Embedding && len(f.Shape) == 2 {
			return f, nil
		}
	}
	return Fill{}, fmt.Errorf("%s has no matrix %s", c.Weights[0], in.Embedding)
}
