package parity

import (
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"

	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/objectness"
	"gansim.example/weights"
)

// boxTolerance is for sums in another order in float64, pixels.
const boxTolerance = 1e-9

// autoshapeFile is autoshape.json: YOLOv5's preparation of batches, and its suppression.
type autoshapeFile struct {
	Salt    string
	Size    int
	Batches []struct {
		Shape  []int
		Images []struct {
			Image  string
			H, W   int
			Inner  []int // scaled for the batch's shape, rows and columns
			Ratio  float64
			New    []int `json:"resized"`
			Pad    []int `json:"pad_top_bottom_left_right"`
			CRC32  uint32
			Sample struct {
				Tensor string
				Stride int
			}
			In   [][4]float64 `json:"boxes_in"`
			Back [][4]float64 `json:"boxes_scaled_back"`
		}
	}
	NMS []nmsV5
}

// autoshape compares batches picture by picture, and the kept boxes.
func autoshape(r *run) error {
	var f autoshapeFile
	if err := r.read(&f); err != nil {
		return err
	}
	samples, err := weights.OpenSafetensors(filepath.Join(r.dir, r.name+".safetensors"))
	if err != nil {
		return err
	}
	for b := range f.Batches {
		if err := f.batch(r, b, samples); err != nil {
			return fmt.Errorf("batch %d: %w", b, err)
		}
	}
	for _, c := range f.NMS {
		if err := c.compare(r, f.Salt); err != nil {
			return err
		}
	}
	return nil
}

func (f autoshapeFile) batch(r *run, b int, samples *weights.File) error {
	batch := f.Batches[b]
	var pictures []imaging.RGB
	for _, c := range batch.Images {
		pictures = append(pictures, formulaPicture(f.Salt, c.Image, c.H, c.W))
	}
	boxed, frames, err := objectness.AutoShape(pictures, f.Size)
	if err != nil {
		return err
	}
	for i, c := range batch.Images {
		stage, got := fmt.Sprintf("batch %d/%d ", b, i), boxed[i]
		size := imaging.Size{Width: c.W, Height: c.H}
		inner := size.Within(f.Size)
		p, err := imaging.Place(size, imaging.LetterboxOptions{Width: got.Width, Height: got.Height})
		if err != nil {
			return err
		}
		sizes := []int{got.Height, got.Width, inner.Height, inner.Width, p.Height, p.Width,
			p.Top, p.Bottom, p.Left, p.Right}
		want := slices.Concat(batch.Shape, c.Inner, c.New, c.Pad)
		r.exact(stage+"sizes", slices.Equal(sizes, want), fmt.Sprintf("got %v, want %v", sizes, want))
		r.relative(stage+"ratio", []float64{p.Ratio}, []float64{c.Ratio}, boxTolerance)
		sum := crc32.ChecksumIEEE(got.Pix)
		r.exact(stage+"pixels", sum == c.CRC32, fmt.Sprintf("crc32 %08x, want %08x", sum, c.CRC32))
		if err := comparePixels(r, stage+"sample", samples, c.Sample.Tensor, c.Sample.Stride, got); err != nil {
			return err
		}
		compareBack(r, stage+"boxes", frames[i], c.In, c.Back)
	}
	return nil
}

// formulaPicture is a picture of [oracle.Image].
func formulaPicture(salt, name string, height, width int) imaging.RGB {
	m := imaging.NewRGB(width, height)
	copy(m.Pix, oracle.Image(salt, name, 1, height, width))
	return m
}

// comparePixels holds every stride-th byte of a picture against a stored tensor.
func comparePixels(r *run, stage string, f *weights.File, name string, stride int, m imaging.RGB) error {
	t, ok := f.Tensor(name)
	if !ok {
		return fmt.Errorf("no tensor %q", name)
	}
	var g, w []float64
	for i := 0; i < len(m.Pix); i += stride {
		g = append(g, float64(m.Pix[i]))
	}
	for _, v := range t.Data {
		w = append(w, float64(v))
	}
	r.absolute(stage, g, w, 0)
	return nil
}

// compareBack compares boxes brought back to a picture.
func compareBack(r *run, stage string, f objectness.Frame, in, back [][4]float64) {
	var got, want []float64
	for i, box := range in {
		b := f.Back(box)
		got, want = append(got, b[:]...), append(want, back[i][:]...)
	}
	r.absolute(stage, got, want, boxTolerance)
}
