package lab

import (
	"encoding/base64"
	"fmt"
	"html"
	"strings"

	"gansim.example/gansim/internal/wire"
)

// slides is the most images that Slide takes: each is a picture in the cell's output.
const slides = 200

// Slide shows images one at a time under a slider, as those of a walk through codes. Moving it asks
// nothing of the kernel. Where no script may run, as in a notebook that is not trusted, in a saved one
// or on a terminal, it is a contact sheet.
func Slide(images Images, opts ...Option) {
	q := collect(opts)
	if images.N < 2 || images.N > slides {
		must(fmt.Errorf("Slide: %d images, want 2 to %d", images.N, slides))
	}
	w := wire.Query{Columns: q.Columns, Names: q.Names, Shapes: []wire.Shape{images.shape()}}
	png, err := montage(w, wire.Floats(images.Pix))
	must(err)
	var frames []string
	for i := range images.N {
		one := images.Pick(i)
		w.Columns, w.Shapes = 1, []wire.Shape{one.shape()}
		frame, err := montage(w, wire.Floats(one.Pix))
		must(err)
		frames = append(frames, base64.StdEncoding.EncodeToString(frame))
	}
	out().slides(png, sliderHTML(frames, images.title()), images.title())
	origins([]Images{images})
}

// sliderHTML is a slider that shows one of the frames, PNGs in base64; the middle one at first.
func sliderHTML(frames []string, alt string) string {
	var b strings.Builder
	middle := len(frames) / 2
	fmt.Fprintf(&b, `<div><input type="range" min="0" max="%d" value="%d" aria-label="image" `+
		`style="width:256px" oninput="this.parentNode.querySelectorAll('img').forEach(`+
		`(e,i)=>e.style.display=i==this.value?'block':'none')">`, len(frames)-1, middle)
	for i, f := range frames {
		shown := "none"
		if i == middle {
			shown = "block"
		}
		fmt.Fprintf(&b, `<img alt="%s, number %d" style="display:%s;width:256px;image-rendering:pixelated" `+
			`src="data:image/png;base64,%s">`, html.EscapeString(alt), i+1, shown, f)
	}
	return b.String() + "</div>"
}
