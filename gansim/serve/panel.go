package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"gansim.example/gansim/experiment"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/internal/wire"
)

// panel computes a Panel ("a" to "d") of a Preset into the folder Dir, as gansim figure --resume does,
// and answers as figure. A cancelled panel goes on where it was.
func panel(c *call) (a wire.Answer, err error) {
	letter, err := panelLetter(c.Panel)
	if err != nil {
		return a, err
	}
	if !filepath.IsAbs(c.Dir) {
		return a, fmt.Errorf("folder of the results %q is not absolute", c.Dir)
	}
	folder := c.server.folder(c.Dir)
	folder.Lock()
	defer folder.Unlock()
	var notes []string
	_, err = experiment.Run(c, c.server.backend, experiment.Options{Preset: c.Preset,
		Panels: []string{letter}, Photos: c.Set, Out: c.Dir, Resume: true, Seed: c.Seed,
		Versions: c.server.Versions,
		Progress: func(what string, done, total int) {
			c.tell(done, total, func() string { return what }, nil)
		},
		Warn: func(text string) { notes = append(notes, text) }})
	if err != nil {
		return a, err
	}
	if a, err = c.redraw(letter, nil); err == nil {
		a.Notes = notes
	}
	return a, err
}

// folder is the lock of a results folder: panels are written one after the other.
func (s *server) folder(dir string) *sync.Mutex {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir = filepath.Clean(dir)
	if s.folders[dir] == nil {
		s.folders[dir] = &sync.Mutex{}
	}
	return s.folders[dir]
}

// drawFigure draws a Panel from the rows in the folder Dir, or from those in the first part, as CSV.
// Files: PNG and SVG. Markdown: values beside the paper's, and tests.
func drawFigure(c *call) (a wire.Answer, err error) {
	letter, err := panelLetter(c.Panel)
	if err != nil {
		return a, err
	}
	if !filepath.IsAbs(c.Dir) {
		return a, fmt.Errorf("folder of the results %q is not absolute", c.Dir)
	}
	var rows io.Reader
	if len(c.parts) > 0 {
		rows = bytes.NewReader(c.parts[0])
	}
	return c.redraw(letter, rows)
}

func (c *call) redraw(letter string, rows io.Reader) (a wire.Answer, err error) {
	d, err := experiment.Redraw(c.Dir, letter, rows)
	if errors.Is(err, experiment.ErrNoRows) {
		err = &hinted{err, fmt.Sprintf("compute them first: lab.Panel(%q)", letter)}
	}
	if err != nil {
		return a, err
	}
	for _, f := range []struct{ kind, format string }{{"image/png", "png"}, {"image/svg+xml", "svg"}} {
		data, err := d.Figure.Encode(f.format)
		if err == nil && f.format == "png" {
			data, err = narrow(data)
		}
		if err != nil {
			return a, err
		}
		c.putFile(&a, f.kind, data)
	}
	a.Alt, a.Markdown = d.Figure.Alt(), d.Section.Markdown()
	a.Origin = wire.Origin{Model: "miniature world", Recipe: "preset " + d.Origin.Preset,
		Seed: d.Origin.Seed, Weights: d.Origin.Weights, Backend: c.server.name, Commit: commit()}
	return a, nil
}

// figureWidth is that of a figure in a notebook, pixels: as wide as a page shows it, since notebooks
// keep every output. The results folder has it as wide as print wants it.
const figureWidth = 1000

// narrow scales a PNG down to figureWidth.
func narrow(png []byte) ([]byte, error) {
	m, err := imaging.Decode(bytes.NewReader(png), imaging.DecodeOptions{})
	if err == nil && m.Width > figureWidth {
		m, err = imaging.Resize(m, figureWidth, (m.Height*figureWidth+m.Width/2)/m.Width, imaging.Bicubic)
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = imaging.EncodePNG(&b, m)
	return b.Bytes(), err
}

// commit is the commit that this program was built from, with + if files were changed; empty where
// the build does not know.
func commit() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	short, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			short = s.Value[:min(8, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	if short == "" {
		return ""
	}
	return short + changed
}

// panelLetter takes "c" and "panel_c".
func panelLetter(name string) (string, error) {
	letter := strings.ToLower(strings.TrimPrefix(name, "panel_"))
	for _, p := range experiment.Panels() {
		if p == letter {
			return p, nil
		}
	}
	return "", fmt.Errorf("no panel %q, want panel_a to panel_d", name)
}
