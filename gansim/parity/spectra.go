package parity

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"gansim.example/gansim/imstat"
	"gansim.example/gansim/internal/oracle"
)

// Tolerances of spectra.json, as the file states them; the others are for what comes of splines,
// and for turned pictures, which are stored as float32 and hold zeros.
var (
	spectraLimit = limit{relative: 1e-9}
	splineLimit  = limit{relative: 1e-6}
	turnedLimit  = limit{relative: 1e-6, absolute: 1e-10}
)

type spectraFile struct {
	Salt, Name string
	N, Side    int
	CRC32      uint32
	K          []value
	Images     []json.RawMessage
	Group      map[string]struct {
		Mean, SEM lists
		Fit       *fitted `json:"fit_of_mean"`
	}
}

// lists reads one number or a list of them.
type lists []value

func (l *lists) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]value)(l))
	}
	*l = make(lists, 1)
	return json.Unmarshal(b, &(*l)[0])
}

type fitted struct{ Slope, Intercept value }

func (f fitted) compare(r *run, stage string, got imstat.Line) {
	r.values(stage, []float64{got.Slope, got.Intercept}, []value{f.Slope, f.Intercept}, spectraLimit)
}

// splined says what comes of rotation by splines.
func splined(name string) limit {
	if strings.HasPrefix(name, "orientation") {
		return splineLimit
	}
	return spectraLimit
}

// spectra repeats the statistics of panel B on square pictures, and over the group of them.
func spectra(r *run) error {
	var f spectraFile
	if err := r.read(&f); err != nil {
		return err
	}
	all := oracle.Image(f.Salt, f.Name, f.N, f.Side, f.Side)
	if sum := crc32.ChecksumIEEE(all); sum != f.CRC32 {
		return fmt.Errorf("pictures: crc32 is %08x, want %08x", sum, f.CRC32)
	}
	r.values("k", imstat.Frequencies(f.Side/2), f.K, limit{})
	rows := map[string][][]float64{}
	size := f.Side * f.Side * 3
	for i := range f.N {
		p, err := imstat.NewBytes(f.Side, f.Side, all[i*size:][:size])
		if err != nil {
			return err
		}
		numbers, err := spectraOf(p)
		if err != nil {
			return err
		}
		for name, v := range numbers {
			rows[name] = append(rows[name], v)
		}
		if i < len(f.Images) {
			if err := compareSpectra(r, fmt.Sprint("item ", i), numbers, f.Images[i]); err != nil {
				return err
			}
		}
		if i == 0 {
			if err := f.rotations(r, p.Plane(imstat.Gray)); err != nil {
				return err
			}
		}
	}
	return f.groups(r, rows)
}

// spectraOf are the statistics of a picture under the names of the file.
func spectraOf(p *imstat.Picture) (map[string][]float64, error) {
	numbers := map[string][]float64{}
	for name, of := range map[string]func() ([]float64, error){
		"spectrum":              func() ([]float64, error) { return p.Spectrum(imstat.Gray) },
		"spectrum_per_variance": p.PerVariance,
		"normalised_spectrum":   func() ([]float64, error) { return p.Spectrum(imstat.Normalised) },
		"orientation":           p.Orientation,
	} {
		v, err := of()
		if err != nil {
			return nil, err
		}
		numbers[name] = v
	}
	numbers["spectrum_share"] = imstat.Share(numbers["spectrum"])
	for _, s := range imstat.Statistics() {
		numbers[s.Name] = []float64{s.Value(p)}
	}
	return numbers, nil
}

// compareSpectra compares all fields of an image's record.
func compareSpectra(r *run, label string, got map[string][]float64, record []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(record, &fields); err != nil {
		return err
	}
	var scalars table
	for _, name := range sorted(fields) {
		switch name {
		case "item":
			continue
		case "fit":
			var fits map[string]fitted
			if err := json.Unmarshal(fields[name], &fits); err != nil {
				return err
			}
			for _, of := range sorted(fits) {
				fits[of].compare(r, label+"/fit of "+of, imstat.Fit(got[of]))
			}
			continue
		}
		var want lists
		if err := json.Unmarshal(fields[name], &want); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(want) == 1 {
			scalars.all(name, got[name], want, splined(name))
		} else {
			r.values(label+"/"+name, got[name], want, splined(name))
		}
	}
	r.table(label+"/scalars", scalars, spectraLimit)
	return nil
}

// groups compares means and standard errors over the pictures.
func (f *spectraFile) groups(r *run, rows map[string][][]float64) error {
	for _, name := range sorted(f.Group) {
		want := f.Group[name]
		mean, sem, err := imstat.Band(rows[name], 1)
		if err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
		r.values("group/mean of "+name, mean, want.Mean, splined(name))
		r.values("group/standard error of "+name, sem, want.SEM, splined(name))
		if want.Fit != nil {
			want.Fit.compare(r, "group/fit of mean "+name, imstat.Fit(mean))
		}
	}
	return nil
}

// rotations compares the first picture's gray, turned and as spline coefficients.
func (f *spectraFile) rotations(r *run, gray []float64) error {
	stored, err := r.tensors()
	if err != nil {
		return err
	}
	rotator, err := imstat.NewRotator(f.Side)
	if err != nil {
		return err
	}
	return r.corners(stored, f.Side, turnedLimit, func(name string) ([]float64, error) {
		switch degrees, turned := strings.CutPrefix(name, "rotated_"); {
		case turned:
			angle, err := strconv.ParseFloat(degrees, 64)
			if err != nil {
				return nil, fmt.Errorf("tensor %q: %w", name, err)
			}
			return rotator.Rotate(gray, angle)
		case name == "spline_coefficients":
			return rotator.Coefficients(gray)
		case name == "gray_item0":
			return slices.Clone(gray), nil
		}
		return nil, fmt.Errorf("unknown tensor %q", name)
	})
}
