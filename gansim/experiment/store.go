package experiment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/parquet-go/parquet-go"

	"gansim.example/gansim/imaging"
	"gansim.example/gansim/sweep"
)

// Origin is what every row says of its causes.
type Origin struct {
	Run       string `parquet:"run" csv:"run"` // hash of all that determines the row's values
	Preset    string `parquet:"preset"`
	Seed      uint64 `parquet:"seed"`
	Weights   string `parquet:"weights"` // hash of the weights in use, shortened
	Precision string `parquet:"precision"`
}

// store keeps finished parts of a run, so that an interrupted one can go on.
type store struct {
	dir    string // the run's folder
	origin Origin
	inputs string // hash of the photographs and image sets, if any
}

const partsDir = ".parts"

// origin of the rows of one part.
func (s store) of(panel, key string) Origin {
	o := s.origin
	sum := sha256.Sum256([]byte(strings.Join([]string{panel, key, o.Preset,
		strconv.FormatUint(o.Seed, 10), o.Weights, o.Precision, s.inputs}, "\x00")))
	o.Run = hex.EncodeToString(sum[:8])
	return o
}

// part gives the rows of one part of a panel: read, if it was finished before, else computed and
// written whole.
func part[Row any](ctx context.Context, s store, panel, key string,
	compute func(o Origin) ([]Row, error)) ([]Row, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := s.of(panel, key)
	path := filepath.Join(s.dir, partsDir, panel+"-"+o.Run+".parquet")
	rows, err := parquet.ReadFile[Row](path)
	if err == nil {
		return rows, nil
	}
	if !errors.Is(err, fs.ErrNotExist) { // damaged: compute it again
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("experiment: %w", err)
		}
	}
	if rows, err = compute(o); err != nil {
		return nil, err
	}
	return rows, writeParquet(path, rows)
}

func writeParquet[Row any](path string, rows []Row) error {
	data, err := sweep.Encode(rows)
	if err != nil {
		return fmt.Errorf("experiment: %s: %w", path, err)
	}
	return write(path, data)
}

func write(path string, data []byte) error {
	if err := renameio.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	return nil
}

// table writes a panel's rows as PANEL.parquet and PANEL.csv.
func table[Row any](s store, panel string, rows []Row) error { return WriteRows(s.dir, panel, rows) }

// WriteRows writes rows, which have parquet tags, as NAME.parquet and NAME.csv in a folder, each whole or
// not at all.
func WriteRows[Row any](dir, name string, rows []Row) error {
	if err := writeParquet(filepath.Join(dir, name+".parquet"), rows); err != nil {
		return err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	header, _ := columns(reflect.ValueOf(new(Row)).Elem())
	if err := w.Write(header); err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	for _, row := range rows {
		_, values := columns(reflect.ValueOf(row))
		if err := w.Write(values); err != nil {
			return fmt.Errorf("experiment: %w", err)
		}
	}
	w.Flush()
	return write(filepath.Join(dir, name+".csv"), b.Bytes())
}

// columns lists the names and values of a row's fields, embedded ones in place.
func columns(row reflect.Value) (names, values []string) {
	for i := range row.NumField() {
		f := row.Type().Field(i)
		if f.Anonymous {
			n, v := columns(row.Field(i))
			names, values = append(names, n...), append(values, v...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		names = append(names, name)
		values = append(values, text(row.Field(i)))
	}
	return names, values
}

func text(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Float64 {
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// savePictures keeps square pictures of equal size as one strip.
func (s store) savePictures(name string, pictures []imaging.RGB) error {
	size := pictures[0].Width
	strip := imaging.NewRGB(size*len(pictures), size)
	for i, p := range pictures {
		for y := range size {
			copy(strip.Row(y)[i*size*3:], p.Row(y))
		}
	}
	var b bytes.Buffer
	if err := imaging.EncodePNG(&b, strip); err != nil {
		return err
	}
	return write(filepath.Join(s.dir, partsDir, name+".png"), b.Bytes())
}

// pictures reads a strip; nil if there is none.
func (s store) pictures(name string) ([]imaging.RGB, error) {
	strip, err := imaging.Open(filepath.Join(s.dir, partsDir, name+".png"), imaging.DecodeOptions{})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []imaging.RGB
	for at := 0; at+strip.Height <= strip.Width; at += strip.Height {
		p, err := imaging.Crop(strip, at, 0, strip.Height, strip.Height)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
