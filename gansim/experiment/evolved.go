package experiment

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"gansim.example/gansim"
	"gansim.example/gansim/imaging"
	"gansim.example/weights"
)

// evolvedDir holds panel B's last generations, if they are kept.
const evolvedDir = "evolved"

// keepEvolved writes a last generation: its images as one sheet, in the order of the rows, and its codes.
func (e *env) keepEvolved(generator string, u gansim.Unit, codes [][]float64, images gansim.Images) error {
	dir := filepath.Join(e.Out, evolvedDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	all, err := pictures(images, images.N)
	if err != nil {
		return err
	}
	var cells []imaging.Cell
	for _, m := range all {
		cells = append(cells, imaging.Cell{Picture: m})
	}
	sheet, err := imaging.Montage(cells, imaging.MontageOptions{
		Columns: int(math.Ceil(math.Sqrt(float64(len(cells)))))})
	if err != nil {
		return err
	}
	stem := filepath.Join(dir, fmt.Sprintf("%s_%s_%03d", generator, u.Layer, u.Channel))
	var b bytes.Buffer
	if err := imaging.EncodePNG(&b, sheet); err != nil {
		return err
	}
	if err := write(stem+".png", b.Bytes()); err != nil {
		return err
	}
	var flat []float64
	for _, z := range codes {
		flat = append(flat, z...)
	}
	t, err := weights.FromFloats("z", weights.F32, []int{len(codes), len(codes[0])}, flat)
	if err != nil {
		return err
	}
	b.Reset()
	if _, err := weights.WriteSafetensors(&b, []weights.Tensor{t}, map[string]string{"generator": generator,
		"unit": u.String()}); err != nil {
		return err
	}
	return write(stem+".safetensors", b.Bytes())
}
