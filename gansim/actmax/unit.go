// Package actmax searches codes whose images drive a unit of a network most: by CMA-ES (panel B)
// and by gradient ascent (panel D). It knows generators and networks by gansim's interfaces only.
//
// Which unit, learning rate, optimiser and basis are run-time inputs: one compiled program serves
// all runs of a generator on a layer.
package actmax

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"gansim.example/gansim"
)

// FindLayer gives a network's layer by its name in the checkpoint or by the paper's spelling; an
// unknown name is an error that lists the known ones.
func FindLayer(s gansim.Scorer, name string) (gansim.Layer, error) {
	layers := s.Layers()
	if l, ok := gansim.FindLayer(layers, name); ok {
		return l, nil
	}
	var known []string
	for _, l := range layers {
		known = append(known, l.Name)
	}
	return gansim.Layer{}, fmt.Errorf("actmax: %s has no layer %q, want one of %q", s.Name(), name, known)
}

// CenterUnit is channel c of a layer at the middle of its map.
func CenterUnit(s gansim.Scorer, l gansim.Layer, c int) gansim.Unit {
	u := gansim.Unit{Net: s.Name(), Layer: l.Name, Channel: c, Row: -1, Col: -1}
	if l.Height > 0 {
		u.Row, u.Col = l.Center()
	}
	return u
}

// pick reads one unit per image from a layer's activations [n, h, w, c] or [n, c]: channel, row and
// column are int32 [n]. The result is [n].
func pick(activations, channel, row, col *Node) *Node {
	d := activations.Shape().Dimensions
	dtype := activations.DType()
	mask := OneHot(channel, d[len(d)-1], dtype)
	if len(d) == 2 {
		return ReduceSum(Mul(activations, mask), -1)
	}
	place := Mul(ExpandAxes(OneHot(row, d[1], dtype), -1), ExpandAxes(OneHot(col, d[2], dtype), 1))
	column := ReduceSum(Mul(activations, ExpandAxes(place, -1)), 1, 2)
	return ReduceSum(Mul(column, mask), -1)
}

// indices are the run-time inputs of pick for units.
func indices(units []gansim.Unit) (channel, row, col []int32) {
	for _, u := range units {
		channel = append(channel, int32(u.Channel))
		row = append(row, int32(max(u.Row, 0)))
		col = append(col, int32(max(u.Col, 0)))
	}
	return channel, row, col
}
