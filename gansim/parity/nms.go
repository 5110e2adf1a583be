package parity

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"gansim.example/gansim/internal/oracle"
	"gansim.example/gansim/objectness"
)

// Predictions that suppression is tried on are formula numbers: the four columns of a box are
// offset + scale*u of a stream each, scores are powers of a uniform number.

// boxColumns are centre and size of the boxes of the recipe.
var boxColumns = []struct {
	name          string
	offset, scale float64
}{{"cx", 128, 96}, {"cy", 128, 96}, {"w", 48, 32}, {"h", 48, 32}, {"obj", 0.5, 0.5}}

// formulaColumns are the first k of boxColumns for an item, each [n].
func formulaColumns(salt, prefix string, item, n, k int) [][]float32 {
	columns := make([][]float32, k)
	for c, b := range boxColumns[:k] {
		h := oracle.Hash(salt, fmt.Sprintf("%s/%s%d", prefix, b.name, item))
		for i := range n {
			columns[c] = append(columns[c], float32(b.offset+float64(b.scale*oracle.U(h, uint64(i)))))
		}
	}
	return columns
}

// checkCRC refuses an input that is not the fixture's.
func checkCRC(want uint32, values ...[]float32) error {
	sum := crc32.NewIEEE()
	for _, list := range values {
		if err := binary.Write(sum, binary.LittleEndian, list); err != nil {
			return err
		}
	}
	if got := sum.Sum32(); got != want {
		return fmt.Errorf("input: crc32 %08x, want %08x", got, want)
	}
	return nil
}

// nmsV5 is a case of YOLOv5's suppression.
type nmsV5 struct {
	Item, Boxes, Classes int
	CRC32                uint32
	Args                 struct {
		Conf, IoU float64
		MaxDet    int `json:"max_det"`
	}
	Rows [][]float64
}

func (c nmsV5) compare(r *run, salt string) error {
	columns := formulaColumns(salt, "nms5", c.Item, c.Boxes, 5)
	h := oracle.Hash(salt, fmt.Sprintf("nms5/cls%d", c.Item))
	var rows []float32
	for i := range c.Boxes {
		for _, column := range columns {
			rows = append(rows, column[i])
		}
		for class := range c.Classes {
			v := 0.5 * (oracle.U(h, uint64(i*c.Classes+class)) + 1)
			rows = append(rows, float32(v*v))
		}
	}
	if err := checkCRC(c.CRC32, rows); err != nil {
		return err
	}
	o := objectness.YOLOv5()
	o.Confidence, o.IoU = c.Args.Conf, c.Args.IoU
	if c.Args.MaxDet > 0 {
		o.MaxDetections = c.Args.MaxDet
	}
	p, err := objectness.FromYOLOv5(rows, c.Classes, o.Confidence)
	if err != nil {
		return err
	}
	found, err := objectness.Suppress(p, o)
	if err != nil {
		return err
	}
	r.absolute(fmt.Sprintf("nms item %d %+v", c.Item, c.Args), detectionRows(found),
		slices.Concat(c.Rows...), 0)
	return nil
}

// detectionRows are x0, y0, x1, y1, confidence and class of detections.
func detectionRows(found []objectness.Detection) []float64 {
	var rows []float64
	for _, d := range found {
		rows = append(append(rows, d.Box[:]...), d.Confidence, float64(d.Class))
	}
	return rows
}

// nmsInput tells how the input of YOLOv8's cases is made.
type nmsInput struct {
	Batch, Boxes, Classes int
	CRC32                 uint32
}

// predictions makes the input, [batch, 4+classes, boxes].
func (f nmsInput) predictions(salt string) ([]objectness.Prediction, error) {
	var all []objectness.Prediction
	var values [][]float32
	for b := range f.Batch {
		columns := formulaColumns(salt, "nms", b, f.Boxes, 4)
		h := oracle.Hash(salt, fmt.Sprintf("nms/s%d", b))
		for c := range f.Classes {
			column := make([]float32, f.Boxes)
			for i := range column {
				column[i] = formulaScore(oracle.U(h, uint64(c*f.Boxes+i)), c)
			}
			columns = append(columns, column)
		}
		values = append(values, columns...)
		all = append(all, byBox(columns))
	}
	return all, checkCRC(f.CRC32, values...)
}

// formulaScore is v^16 with v in [0, 1), made small from class 5 on.
func formulaScore(u float64, class int) float32 {
	s := (u + 1) * 0.5
	for range 4 {
		s *= s
	}
	if class >= 5 {
		s *= 0.0625
	}
	return float32(s)
}

// byBox turns rows of YOLOv8's output, [4+classes][boxes], into boxes with their scores.
func byBox(columns [][]float32) objectness.Prediction {
	p := objectness.Prediction{Classes: len(columns) - 4}
	for i := range columns[0] {
		box := [4]float32{columns[0][i], columns[1][i], columns[2][i], columns[3][i]}
		p.Boxes = append(p.Boxes, objectness.Corners(box)...)
		for _, column := range columns[4:] {
			p.Scores = append(p.Scores, column[i])
		}
	}
	return p
}

// surest is the largest confidence, and its class; 0 and -1 for none.
func surest(found []objectness.Detection) (confidence float64, class int) {
	class = -1
	for _, d := range found {
		if d.Confidence > confidence {
			confidence, class = d.Confidence, d.Class
		}
	}
	return confidence, class
}
