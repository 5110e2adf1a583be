package figure

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/png"
	"path/filepath"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Save writes figure.png, figure.svg and figure.pdf, and for each panel panel_x.png and
// panel_x.svg, into a folder that exists. Each file appears whole or not at all. It returns the names of the
// files that it wrote, in that order. The same figure always gives the same bytes.
func (f Figure) Save(dir string) ([]string, error) {
	all := f.panels()
	if len(all) == 0 {
		return nil, ErrEmpty
	}
	var written []string
	save := func(stem string, panels []lettered, formats ...string) error {
		for _, format := range formats {
			data, err := f.encode(format, panels)
			if err != nil {
				return err
			}
			name := filepath.Join(dir, stem+"."+format)
			if err := renameio.WriteFile(name, data, 0o644); err != nil {
				return fmt.Errorf("figure: %w", err)
			}
			written = append(written, name)
		}
		return nil
	}
	if err := save("figure", all, "png", "svg", "pdf"); err != nil {
		return written, err
	}
	for _, p := range all {
		if err := save("panel_"+p.letter, []lettered{p}, "png", "svg"); err != nil {
			return written, err
		}
	}
	return written, nil
}

// Encode returns the page as a file of a format: "png", "svg" or "pdf".
func (f Figure) Encode(format string) ([]byte, error) { return f.encode(format, f.panels()) }

func (f Figure) encode(format string, panels []lettered) ([]byte, error) {
	w, h := f.size(panels)
	alt := f.alt(panels)
	switch format {
	case "png":
		c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(pixelsPerInch))
		if err := f.draw(draw.New(c), panels); err != nil {
			return nil, err
		}
		return encodePNG(c, f.title(), alt)
	case "svg":
		c := newSVG(w, h)
		if err := f.draw(draw.New(c), panels); err != nil {
			return nil, err
		}
		return c.encode(f.title(), alt)
	case "pdf":
		c := newPDF(w, h, f.title(), alt)
		if err := f.draw(draw.New(c), panels); err != nil {
			return nil, err
		}
		return c.encode()
	}
	return nil, fmt.Errorf("figure: unknown format %q, want png, svg or pdf", format)
}

// encodePNG adds the resolution, the title and the alternative text (PNG specification, 11.3.3,
// 11.3.4.3) between header and pixels.
func encodePNG(c *vgimg.Canvas, title, alt string) ([]byte, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, c.Image()); err != nil {
		return nil, fmt.Errorf("figure: png: %w", err)
	}
	const header = 8 + 25 // signature and IHDR
	raw := b.Bytes()
	out := append([]byte(nil), raw[:header]...)
	const perMetre = pixelsPerInch * 10000 / 254
	phys := binary.BigEndian.AppendUint32(nil, perMetre)
	phys = binary.BigEndian.AppendUint32(phys, perMetre)
	out = appendChunk(out, "pHYs", append(phys, 1))
	out = appendText(out, "Title", title)
	out = appendText(out, "Description", alt)
	return append(out, raw[header:]...), nil
}

// appendText adds a tEXt chunk, which holds Latin-1; other characters are replaced, at worst by '?'.
func appendText(out []byte, keyword, text string) []byte {
	data := append([]byte(keyword), 0)
	for _, r := range text {
		switch {
		case r == '\u2212' || r == '\u2013':
			data = append(data, '-')
		case r == '\u2019':
			data = append(data, '\'')
		case r == '…':
			data = append(data, "..."...)
		case r < 0x100:
			data = append(data, byte(r))
		default:
			data = append(data, '?')
		}
	}
	return appendChunk(out, "tEXt", data)
}

func appendChunk(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	body := append([]byte(kind), data...)
	out = append(out, body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}
