package experiment

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/features"
)

// TestKept: a second look at a part draws nothing; what lies a part behind is drawn again, and so is
// everything after a start from the front.
func TestKept(t *testing.T) {
	const piece = 64
	drawn := 0
	d := kept(Rounded(dataset.Drawn{N: 3 * features.PartSize,
		Draw: func(_ context.Context, from, to int) (gansim.Images, error) {
			drawn += to - from
			return dataset.White(from, to, 4, 7), nil
		}}))
	look := func(from, to int) {
		t.Helper()
		for at := from; at < to; at += piece {
			end := min(at+piece, to)
			got, err := d.Draw(t.Context(), at, end)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := Rounded(dataset.Drawn{Draw: func(context.Context, int, int) (gansim.Images, error) {
				return dataset.White(at, end, 4, 7), nil
			}}).Draw(t.Context(), at, end)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("images %d to %d (-want +got):\n%s", at, end, diff)
			}
		}
	}
	for _, c := range []struct{ from, to, drawn int }{
		{0, features.PartSize, features.PartSize},
		{0, features.PartSize, 0},
		{features.PartSize, 2 * features.PartSize, features.PartSize},
		{features.PartSize, 2 * features.PartSize, 0},
		{0, 40, 40}, // another cut than before
		{0, 40, 0},
	} {
		drawn = 0
		if look(c.from, c.to); drawn != c.drawn {
			t.Errorf("%d to %d: %d images drawn, want %d", c.from, c.to, drawn, c.drawn)
		}
	}
}
