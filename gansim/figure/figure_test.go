package figure

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLook writes pages for the eye when FIGURE_LOOK names a folder.
func TestLook(t *testing.T) {
	dir := os.Getenv("FIGURE_LOOK")
	if dir == "" {
		t.Skip("set FIGURE_LOOK to a folder to look at the pages")
	}
	w := newWorld(3)
	pages := map[string]Figure{
		"full":  full(2000),
		"smoke": {A: w.panelA(sevenSets(), 64), B: w.panelB(6, 80), C: w.panelC(12, 12), D: w.panelD(3, 4)},
		"odd": {A: w.panelA(sevenSets()[3:], 5), B: w.panelB(9, 3640), C: w.panelC(3, 4),
			D: w.panelD(10, 300)},
		"bd": {B: w.panelB(2, 30), D: w.panelD(1, 40), Note: "Note."},
	}
	for name, f := range pages {
		out := filepath.Join(dir, name)
		if err := os.MkdirAll(out, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Save(out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}
