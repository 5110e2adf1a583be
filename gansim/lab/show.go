package lab

import (
	"fmt"
	"slices"
	"strings"

	"gansim.example/gansim/internal/wire"
)

// Show shows what a function of this package returned, Markdown as a string, or any other value as
// text.
func Show(value any, opts ...Option) {
	q := collect(opts)
	switch v := value.(type) {
	case Images:
		must(sheet(q, v.title(), v))
	case Inversion:
		must(v.show(q))
	case Search:
		must(v.show(q))
	case Detections:
		must(v.show(q))
	case Distance:
		out().markdown(v.markdown())
		out().line(provenance(v.From))
	case Outcome:
		out().markdown("**" + v.Sentence + "**\n\n" + v.Markdown + notes(v.Notes))
	case Layers:
		out().markdown(v.markdown())
	case RowSet:
		Table(v)
	case string:
		out().markdown(v)
	default:
		out().line(fmt.Sprint(v))
	}
}

// Grid shows batches of images of equal number below each other, one row each. [Labels] name them;
// else their models do.
func Grid(rows []Images, opts ...Option) {
	q := collect(opts)
	if len(rows) == 0 {
		must(fmt.Errorf("Grid: no images"))
	}
	var names []string
	for i, m := range rows {
		name := m.From.Model
		if i < len(q.Names) {
			name = q.Names[i]
		}
		names = append(names, name)
	}
	q.Names = names
	must(sheet(q, "rows from the top: "+strings.Join(names, ", "), rows...))
}

// title describes a batch.
func (m Images) title() string {
	text := fmt.Sprintf("%d images of %d × %d pixels", m.N, m.Width, m.Height)
	if m.From.Model != "" {
		text = fmt.Sprintf("%d images by %s of %d × %d pixels", m.N, m.From.Model, m.Width, m.Height)
	}
	if len(m.Names) > 0 && m.N <= 16 {
		text += ": " + strings.Join(m.Names, ", ")
	}
	return text
}

// sheet shows batches of images as one picture.
func sheet(q query, alt string, batches ...Images) error {
	w := wire.Query{Columns: q.Columns, Names: q.Names}
	var parts [][]byte
	for i, m := range batches {
		w.Shapes, parts = append(w.Shapes, m.shape()), append(parts, wire.Floats(m.Pix))
		if len(w.Names) == i && len(batches) > 1 {
			w.Names = append(w.Names, m.From.Model)
		}
	}
	png, err := montage(w, parts...)
	if err != nil {
		return err
	}
	out().picture(png, nil, alt)
	origins(batches)
	return nil
}

// montage has batches drawn as one PNG.
func montage(w wire.Query, parts ...[]byte) ([]byte, error) {
	_, data, err := ask("montage", "Show", w, parts...)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("Show: the server sent no picture")
	}
	if err != nil {
		return nil, err
	}
	return data[0], nil
}

// origins says where batches come from, once where several are of one origin.
func origins(batches []Images) {
	last := ""
	for _, m := range batches {
		if text := provenance(m.From); text != "" && text != last {
			out().line(text)
			last = text
		}
	}
}

// provenance is a line that says how to get a result again; empty if there is nothing to say.
func provenance(o Origin) string {
	if o == (Origin{}) {
		return ""
	}
	var part []string
	for _, p := range []struct{ name, value string }{
		{"", o.Model}, {"", o.Recipe}, {"seed ", number(o.Seed)},
		{"steps ", number(uint64(max(0, o.Steps)))},
		{"weights ", o.Weights}, {"backend ", o.Backend}, {"commit ", o.Commit},
	} {
		if p.value != "" {
			part = append(part, p.name+p.value)
		}
	}
	return strings.Join(part, " · ")
}

func number(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func (v Inversion) show(q query) error {
	gan := v.Images.From.Model
	q.Names = []string{"originals", gan}
	alt := fmt.Sprintf("%d originals above their reconstructions by %s", v.Images.N, gan)
	if err := sheet(q, alt, v.Originals, v.Images); err != nil {
		return err
	}
	out().line("Pearson r: " + list(v.R))
	return nil
}

func (v Search) show(q query) error {
	q.Names = []string{v.Images.From.Model}
	alt := fmt.Sprintf("%d images that drive %s, by %s", v.Images.N, v.Unit, v.Method)
	if v.Images.N > searchShown {
		alt = fmt.Sprintf("%d of ", searchShown) + alt
	}
	if err := sheet(q, alt, v.Images.First(searchShown)); err != nil {
		return err
	}
	out().line("Activation: " + list(v.Scores))
	if text := v.climb(); text != "" {
		out().line(text)
	}
	return nil
}

// searchShown is how many images of a search are shown; of an evolution they are the best.
const searchShown = 8

// bars are the heights of a curve in text, and curveWidth is how many of them are drawn.
var bars = []rune("▁▂▃▄▅▆▇█")

const curveWidth = 40

// climb is the course of the score in a line of bars, as the mean over runs; empty if there is none.
func (v Search) climb() string {
	if len(v.Course) == 0 || len(v.Course[0]) < 2 {
		return ""
	}
	mean := make([]float64, len(v.Course[0]))
	for _, run := range v.Course {
		for i, x := range run[:min(len(run), len(mean))] {
			mean[i] += x / float64(len(v.Course))
		}
	}
	lo, hi := slices.Min(mean), slices.Max(mean)
	if !(hi > lo) {
		return ""
	}
	var curve []rune
	n := min(curveWidth, len(mean))
	for k := range n {
		x := mean[k*(len(mean)-1)/(n-1)]
		curve = append(curve, bars[int((x-lo)/(hi-lo)*float64(len(bars)-1)+.5)])
	}
	return fmt.Sprintf("Course:     %s from %.3f to %.3f in %d steps", string(curve), mean[0],
		mean[len(mean)-1], len(mean))
}

// listed is the number of values that a line shows.
const listed = 16

func list(v []float64) string {
	var text []string
	for i, x := range v {
		if i == listed {
			text = append(text, fmt.Sprintf("… (%d in all)", len(v)))
			break
		}
		text = append(text, fmt.Sprintf("%.3f", x))
	}
	return strings.Join(text, ", ")
}

func (d Distance) markdown() string {
	text := fmt.Sprintf("**FID %.4g**", d.Value)
	if d.Hi > 0 {
		text += fmt.Sprintf(" (95 %% interval %.4g to %.4g)", d.Lo, d.Hi)
	}
	return text + fmt.Sprintf(", %d and %d images", d.NA, d.NB) + notes(d.Notes)
}

func notes(all []string) string {
	text := ""
	for _, n := range all {
		text += "\n\n*" + n + "*"
	}
	return text + "\n"
}

func (l Layers) markdown() string {
	var b strings.Builder
	b.WriteString("| layer | channels | map |\n|---|--:|---|\n")
	for _, x := range l {
		size := "–"
		if x.Height > 0 {
			size = fmt.Sprintf("%d × %d", x.Height, x.Width)
		}
		fmt.Fprintf(&b, "| %s | %d | %s |\n", x.Name, x.Channels, size)
	}
	return b.String()
}

// show draws the boxes into the images.
func (d Detections) show(q query) error {
	m := d.Images
	m.Pix = append([]float32(nil), m.Pix...)
	var found []string
	for i, boxes := range d.Boxes {
		for _, b := range boxes {
			m.outline(i, b)
		}
		text := "nothing"
		if len(boxes) > 0 {
			text = fmt.Sprintf("%s %.2f", boxes[0].Class, boxes[0].Confidence)
		}
		found = append(found, text)
	}
	m.From = d.From
	if err := sheet(q, fmt.Sprintf("%d images with the objects found", m.N), m); err != nil {
		return err
	}
	out().line(fmt.Sprintf("Objects in %.0f %% of %d images: %s", 100*d.Rate(), m.N,
		strings.Join(found[:min(listed, len(found))], ", ")))
	return nil
}

// outline draws a box one pixel wide in yellow.
func (m Images) outline(i int, b Box) {
	clamp := func(v float64, n int) int { return min(max(int(v), 0), n-1) }
	x0, x1 := clamp(b.Corners[0], m.Width), clamp(b.Corners[2], m.Width)
	y0, y1 := clamp(b.Corners[1], m.Height), clamp(b.Corners[3], m.Height)
	set := func(x, y int) {
		at := ((i*m.Height+y)*m.Width + x) * 3
		m.Pix[at], m.Pix[at+1], m.Pix[at+2] = 1, .85, 0
	}
	for x := x0; x <= x1; x++ {
		set(x, y0)
		set(x, y1)
	}
	for y := y0; y <= y1; y++ {
		set(x0, y)
		set(x1, y)
	}
}
