package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// display is where results go.
type display interface {
	picture(png, svg []byte, alt string)
	// slides are a picture that a live notebook replaces by what HTML can do.
	slides(png []byte, html, alt string)
	markdown(text string)
	line(text string)
	// update shows progress in place; preview is a PNG or nil.
	update(id, text string, preview []byte)
	// settle replaces the progress by its last word, which stays.
	settle(id, text string)
	sync()
}

// inNotebook reports whether a GoNB kernel runs this program.
func inNotebook() bool { return gonbui.IsNotebook }

// out is the process's display.
var out = sync.OnceValue(func() display {
	if inNotebook() {
		go followKernel()
		return notebook{}
	}
	return &terminal{}
})

// followEvery is how often a cell looks whether its kernel is still there.
const followEvery = 500 * time.Millisecond

// followKernel ends a cell whose kernel was killed; it would wait for it for ever.
func followKernel() {
	for kernel := os.Getppid(); os.Getppid() == kernel; {
		time.Sleep(followEvery)
	}
	os.Exit(1)
}

// notebook shows in a cell's output. Each call waits until the kernel has it: a cell that ends at
// once would lose its last picture.
type notebook struct{}

func (notebook) send(data map[protocol.MIMEType]any, id string) {
	gonbui.SendData(&protocol.DisplayData{Data: data, DisplayID: id})
	gonbui.Sync()
}

func (n notebook) picture(png, svg []byte, alt string) {
	data := map[protocol.MIMEType]any{protocol.MIMETextPlain: alt}
	if len(png) > 0 {
		data[protocol.MIMEImagePNG] = png
	}
	if len(svg) > 0 {
		data[protocol.MIMEImageSVG] = string(svg)
	}
	n.send(data, "")
}

func (n notebook) slides(png []byte, html, alt string) {
	n.send(map[protocol.MIMEType]any{protocol.MIMEImagePNG: png, protocol.MIMETextHTML: html,
		protocol.MIMETextPlain: alt}, "")
}

func (n notebook) markdown(text string) {
	n.send(map[protocol.MIMEType]any{protocol.MIMETextMarkdown: text, protocol.MIMETextPlain: text}, "")
}

func (n notebook) line(text string) { fmt.Println(text) }

func (n notebook) update(id, text string, preview []byte) {
	n.send(map[protocol.MIMEType]any{protocol.MIMETextHTML: progressHTML(text, preview),
		protocol.MIMETextPlain: text}, id)
}

func (n notebook) settle(id, text string) {
	n.send(map[protocol.MIMEType]any{protocol.MIMETextMarkdown: text, protocol.MIMETextPlain: text}, id)
}

func (notebook) sync() { gonbui.Sync() }

// terminal writes pictures to files.
type terminal struct {
	mu       sync.Mutex
	pictures int
}

// pictureFolder is where a program that is no notebook leaves its pictures.
const pictureFolder = "pictures"

func (t *terminal) picture(png, svg []byte, alt string) {
	t.mu.Lock()
	t.pictures++
	base := filepath.Join(pictureFolder, fmt.Sprintf("%03d", t.pictures))
	t.mu.Unlock()
	must(os.MkdirAll(pictureFolder, 0o755))
	for _, f := range []struct {
		ending string
		data   []byte
	}{{".png", png}, {".svg", svg}} {
		if len(f.data) > 0 {
			must(os.WriteFile(base+f.ending, f.data, 0o644))
		}
	}
	fmt.Printf("%s.png: %s\n", filepath.ToSlash(base), alt)
}

func (t *terminal) slides(png []byte, _, alt string) { t.picture(png, nil, alt) }

func (t *terminal) markdown(text string) { fmt.Println(text) }

func (t *terminal) line(text string) { fmt.Println(text) }

func (t *terminal) update(_, text string, _ []byte) { fmt.Println(text) }

func (t *terminal) settle(_, text string) { fmt.Println(text) }

func (t *terminal) sync() {}
