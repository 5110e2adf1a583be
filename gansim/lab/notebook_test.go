//go:build unix

package lab_test

import (
	"encoding/gob"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// kernel plays GoNB for one cell: it reads what the cell shows from a pipe and confirms each sync.
func kernel(t *testing.T, name string) (shown []*protocol.DisplayData, stdout string) {
	t.Helper()
	dir := t.TempDir()
	to, from := filepath.Join(dir, "to"), filepath.Join(dir, "from")
	if err := errors.Join(syscall.Mkfifo(to, 0o600), syscall.Mkfifo(from, 0o600)); err != nil {
		t.Skip(err)
	}
	var text strings.Builder
	c := cell(t, name)
	c.Env = append(c.Env, protocol.GONB_PIPE_ENV+"="+to, protocol.GONB_PIPE_BACK_ENV+"="+from)
	c.Stdout, c.Stderr = &text, os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r, err := os.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := os.OpenFile(from, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	in, out := gob.NewDecoder(r), gob.NewEncoder(w)
	for {
		var d protocol.DisplayData
		if err := in.Decode(&d); err != nil {
			break // the cell has ended
		}
		if v, ok := d.Data[protocol.MIMECommValue]; ok {
			sync := v.(protocol.CommValue)
			sync.Address = protocol.GonbuiSyncAckAddress
			if err := out.Encode(&sync); err != nil {
				t.Error(err)
			}
			continue
		}
		shown = append(shown, &d)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	return shown, text.String()
}

// TestNotebook: a picture is one display of PNG and text with its provenance on a line; progress is
// one display that is updated, and its last word is no script or HTML.
func TestNotebook(t *testing.T) {
	shown, stdout := kernel(t, "show")
	if len(shown) < 4 {
		t.Fatalf("%d displays", len(shown))
	}
	first := shown[0].Data
	if _, ok := first[protocol.MIMEImagePNG].([]byte); !ok || shown[0].DisplayID != "" ||
		first[protocol.MIMETextPlain] != "2 images by BigGAN of 64 × 64 pixels" {
		t.Errorf("got %v", first[protocol.MIMETextPlain])
	}
	if !strings.HasPrefix(stdout, "BigGAN · trunc0.7 · seed 1 · weights ") {
		t.Errorf("got %q", stdout)
	}
	progress := shown[1 : len(shown)-1]
	for _, d := range progress {
		if d.DisplayID == "" || d.DisplayID != progress[0].DisplayID {
			t.Errorf("progress under %q and %q", progress[0].DisplayID, d.DisplayID)
		}
	}
	last := progress[len(progress)-1].Data
	word, _ := last[protocol.MIMETextMarkdown].(string)
	if !strings.Contains(word, "400 of 400") || last[protocol.MIMETextHTML] != nil {
		t.Errorf("got %v", last)
	}
}

// TestSlide: a slider with one picture each is HTML beside a contact sheet, in one display.
func TestSlide(t *testing.T) {
	shown, _ := kernel(t, "slide")
	if len(shown) != 1 {
		t.Fatalf("%d displays, want 1", len(shown))
	}
	html, _ := shown[0].Data[protocol.MIMETextHTML].(string)
	if n := strings.Count(html, "<img "); n != 3 || !strings.Contains(html, `type="range" min="0" max="2"`) {
		t.Errorf("%d pictures in %.100s", n, html)
	}
	if _, ok := shown[0].Data[protocol.MIMEImagePNG].([]byte); !ok {
		t.Error("no PNG")
	}
}
