package figure

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// gridPlan is how sample images are laid out: every grid has the same number of columns.
type gridPlan struct {
	columns int
	cell    vg.Length
	labels  vg.Length // width of the labels' column
	upright bool      // labels run from bottom to top
}

const (
	cellGap  = 0.35 * mm
	blockGap = 1.4 * mm
)

// planGrids finds the number of columns that gives the largest cells in a box.
func planGrids(grids []Grid, size vg.Point) gridPlan {
	widest, longest := vg.Length(0), 1
	for _, g := range grids {
		widest = max(widest, plain(shortName(g.Set.Name)).width(labelPt))
		longest = max(longest, len(g.Images))
	}
	var best gridPlan
	for _, upright := range []bool{true, false} {
		labels := widest + 1.5*mm
		if upright {
			labels = labelPt*0.9 + 1.2*mm
		}
		for cols := 1; cols <= longest; cols++ {
			rows, shortest := 0, math.MaxInt
			for _, g := range grids {
				r := max(1, (len(g.Images)+cols-1)/cols)
				rows, shortest = rows+r, min(shortest, r)
			}
			height := size.Y - vg.Length(len(grids)-1)*blockGap -
				vg.Length(rows-len(grids))*cellGap
			width := size.X - labels - vg.Length(cols-1)*cellGap
			cell := min(width/vg.Length(cols), height/vg.Length(rows))
			if upright && cell*vg.Length(shortest) < widest {
				continue
			}
			if cell > best.cell {
				best = gridPlan{cols, cell, labels, upright}
			}
		}
	}
	return best
}

// height is the height of a grid.
func (p gridPlan) height(g Grid) vg.Length {
	rows := vg.Length(max(1, (len(g.Images)+p.columns-1)/p.columns))
	return rows*p.cell + (rows-1)*cellGap
}

// gap is the space between grids: wider, up to a limit, when there is height to spare.
func (p gridPlan) gap(grids []Grid, height vg.Length) vg.Length {
	const widest = 4 * mm
	gaps := vg.Length(max(1, len(grids)-1))
	for _, g := range grids {
		height -= p.height(g)
	}
	return min(widest, max(blockGap, height/gaps))
}

// drawGrids draws the samples of each set below each other, with coloured labels at the left.
func drawGrids(c draw.Canvas, grids []Grid) {
	plan := planGrids(grids, c.Size())
	if plan.cell <= 0 {
		return
	}
	y, gap := c.Max.Y, plan.gap(grids, c.Size().Y)
	for _, g := range grids {
		h := plan.height(g)
		w := vg.Length(plan.columns)*plan.cell + vg.Length(plan.columns-1)*cellGap
		box := rect(c.Min.X+plan.labels, y-h, w, h)
		grid := &ImageGrid{Images: g.Images, Columns: plan.columns, Gap: cellGap}
		grid.Plot(draw.Canvas{Canvas: c.Canvas, Rectangle: box}, nil)
		ink := labelInk(g.Set.Kind)
		b := textBox{size: labelPt, ay: 0.5, ax: 1, color: ink}
		pt := vg.Point{X: box.Min.X - 1.1*mm, Y: (box.Min.Y + box.Max.Y) / 2}
		if plan.upright {
			b = textBox{size: labelPt, ax: 0.5, turn: math.Pi / 2, color: ink}
		}
		line{{s: shortName(g.Set.Name), bold: true}}.draw(c, pt, b)
		y -= h + gap
	}
}
