package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/experiment"
	"gansim.example/gansim/imaging"
	"gansim.example/weights"
)

// show turns codes into pictures and puts them on a contact sheet.
type show struct {
	out      string
	decoders map[*player]*decode.Decoder
	rows     [][]imaging.Cell
	sheet    string
}

func newShow(out string, b compute.Backend, players ...*player) (*show, error) {
	s := &show{out: out, decoders: map[*player]*decode.Decoder{}}
	for _, g := range players {
		d, err := decode.New(b, g)
		if err != nil {
			return nil, err
		}
		s.decoders[g] = d
	}
	return s, nil
}

func (s *show) close() {
	for _, d := range s.decoders {
		d.Close()
	}
}

// images writes codes' images under paths; an empty path is not written. The cells are in their order.
func (s *show) images(ctx context.Context, g *player, codes []float64, paths []string) ([]imaging.Cell,
	error) {
	c := gansim.Codes{N: len(paths), Dim: g.CodeSize()}
	for _, v := range codes {
		c.Z = append(c.Z, float32(v))
	}
	images, err := s.decoders[g].Images(ctx, c)
	if err != nil {
		return nil, err
	}
	cells := make([]imaging.Cell, images.N)
	for i := range cells {
		if cells[i].Picture, err = imaging.FromImages(images, i); err != nil {
			return nil, fmt.Errorf("%s: image %d: %w", g.Name(), i, err)
		}
		if paths[i] == "" {
			continue
		}
		if err := writePNG(paths[i], cells[i].Picture); err != nil {
			return nil, err
		}
	}
	return cells, nil
}

// add puts a row on the sheet.
func (s *show) add(cells ...imaging.Cell) { s.rows = append(s.rows, cells) }

// finish writes the sheet as NAME.png. Short rows end in white, and rows beyond the limit are left out.
func (s *show) finish(name string) error {
	columns, size := 1, 1
	for _, r := range s.rows {
		columns, size = max(columns, len(r)), max(size, r[0].Picture.Width)
	}
	white := imaging.NewRGB(size, size)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	var cells []imaging.Cell
	for _, r := range s.rows {
		for i := range columns {
			if i < len(r) {
				cells = append(cells, r[i])
			} else {
				cells = append(cells, imaging.Cell{Picture: white})
			}
		}
		if len(cells) >= sheetLimit {
			break
		}
	}
	m, err := imaging.Montage(cells, imaging.MontageOptions{Columns: columns, Gap: 2})
	if err != nil {
		return err
	}
	s.sheet = filepath.Join(s.out, name+".png")
	return writePNG(s.sheet, m)
}

// named are values for a file of tensors, in rows of a width.
type named struct {
	name  string
	v     []float64
	width int
}

// writeTensors writes values as NAME.safetensors in float32.
func writeTensors(out, name string, all []named, meta map[string]string) error {
	var ts []weights.Tensor
	for _, v := range all {
		t, err := weights.FromFloats(v.name, weights.F32, []int{len(v.v) / v.width, v.width}, v.v)
		if err != nil {
			return err
		}
		ts = append(ts, t)
	}
	var b bytes.Buffer
	if _, err := weights.WriteSafetensors(&b, ts, meta); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(out, name+".safetensors"), b.Bytes(), 0o644)
}

// finished is what a verb tells at its end.
type finished[Row any] struct {
	Sheet string `json:"sheet"`
	Table string `json:"table"`
	Codes string `json:"codes"`
	Rows  []Row  `json:"rows"`
}

// finish writes sheet, rows and codes under a verb's name.
func finish[Row any](s *show, name string, rows []Row, codes []named, meta map[string]string) (
	*finished[Row], error) {
	if err := s.finish(name); err != nil {
		return nil, err
	}
	if err := experiment.WriteRows(s.out, name, rows); err != nil {
		return nil, err
	}
	f := &finished[Row]{Sheet: s.sheet, Table: filepath.Join(s.out, name+".parquet"),
		Codes: filepath.Join(s.out, name+".safetensors"), Rows: rows}
	return f, writeTensors(s.out, name, codes, meta)
}

// tell writes the result: as JSON, or a line for each row and where things are.
func (f *finished[Row]) tell(c *cobra.Command, asJSON bool, line func(Row) string) error {
	if asJSON {
		return writeJSON(c.OutOrStdout(), f)
	}
	for _, r := range f.Rows {
		if _, err := fmt.Fprintln(c.OutOrStdout(), line(r)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "Written to %s, %s and %s.\n", f.Sheet, f.Table, f.Codes)
	return err
}
