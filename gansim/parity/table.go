package parity

import (
	"fmt"
	"io"
	"strings"
)

// row sums up the lines of a case that were judged by one measure.
type row struct {
	name, reference, measure string
	stages, failed           int
	least, most              float64 // tolerances
	largest                  float64 // difference, of the stage nearest to its tolerance
	stage                    string  // that stage
	nearness                 float64
}

// WriteTable writes a result as a table in Markdown, a row for each case and measure: the original
// program, the tolerances, and the stage that comes nearest to its tolerance.
func (r Result) WriteTable(w io.Writer) error {
	var rows []*row
	find := func(l Line, measure string) *row {
		for _, x := range rows {
			if x.name == l.Case && x.measure == measure {
				return x
			}
		}
		x := &row{name: l.Case, reference: l.Reference, measure: measure, least: l.Tolerance}
		rows = append(rows, x)
		return x
	}
	for _, l := range r.Lines {
		find(l, measureOf(l)).add(l)
	}
	var b strings.Builder
	b.WriteString("| case | original program | measure | stages | tolerance | nearest to it | |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, x := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s | %s | %s |\n", x.name, x.reference, x.measure,
			x.stages, x.tolerance(), x.nearest(), x.verdict())
	}
	fmt.Fprintf(&b, "\n%d passed, %d failed.\n", r.Passed, r.Failed)
	_, err := io.WriteString(w, b.String())
	return err
}

// measureOf is a line's measure with its precision, which network stages carry in their names.
func measureOf(l Line) string {
	for _, precision := range []string{"float64", "float32"} {
		if strings.HasSuffix(l.Stage, " "+precision) {
			return l.Measure + ", " + precision
		}
	}
	return l.Measure
}

func (x *row) add(l Line) {
	x.stages++
	if !l.OK {
		x.failed++
	}
	x.least, x.most = min(x.least, l.Tolerance), max(x.most, l.Tolerance)
	seen := l.RelL2
	if l.Measure == "max_abs" {
		seen = l.MaxAbs
	}
	if l.Tolerance > 0 && (x.stage == "" || seen/l.Tolerance > x.nearness) {
		x.nearness, x.largest, x.stage = seen/l.Tolerance, seen, l.Stage
	}
}

func (x *row) tolerance() string {
	if x.least == x.most {
		return fmt.Sprintf("%.3g", x.most)
	}
	return fmt.Sprintf("%.3g to %.3g", x.least, x.most)
}

func (x *row) nearest() string {
	if x.stage == "" {
		return ""
	}
	return fmt.Sprintf("%.2g, %s", x.largest, strings.ReplaceAll(x.stage, "|", `\|`))
}

func (x *row) verdict() string {
	if x.failed > 0 {
		return fmt.Sprintf("%d FAIL", x.failed)
	}
	return "ok"
}
