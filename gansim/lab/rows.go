package lab

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gansim.example/gansim/internal/wire"
)

// RowSet is the rows of a panel. Given to [Figure] as an option, it is what is drawn.
type RowSet struct {
	Columns []string
	Values  [][]string // by row
	Source  string     // file, from the checkout's folder
	Hash    string     // SHA-256 of the file, shortened
}

func (r RowSet) apply(q *query) { q.rows = &r }

// Rows reads a panel's rows ("panel_a" to "panel_d") of a [Preset], or a CSV file.
func Rows(panel string, opts ...Option) RowSet {
	q := collect(opts)
	path := panel
	if filepath.Ext(panel) != ".csv" {
		path = filepath.Join(results(q.preset), stem(panel)+".csv")
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		letter := strings.TrimPrefix(stem(panel), "panel_")
		err = remedy{fmt.Errorf("Rows: no rows in %s", short(path)),
			fmt.Sprintf("compute them first: lab.Panel(%q, lab.Preset(%q))", letter, q.preset)}
	}
	must(err)
	lines, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err == nil && len(lines) == 0 {
		err = errors.New("there is no header")
	}
	if err != nil {
		must(fmt.Errorf("Rows: %s: %w", short(path), err))
	}
	sum := sha256.Sum256(b)
	return RowSet{Columns: lines[0], Values: lines[1:], Source: short(path),
		Hash: hex.EncodeToString(sum[:4])}
}

// stem takes "c" and "panel_c".
func stem(panel string) string {
	if len(panel) == 1 {
		return "panel_" + strings.ToLower(panel)
	}
	return panel
}

// results is the folder of a preset's results.
func results(preset string) string { return filepath.Join(checkout(), "results", preset) }

// short is a path from the checkout's folder, if it lies there.
func short(path string) string {
	if rel, err := filepath.Rel(checkout(), path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

// column is the index of a column; an unknown name ends the cell.
func (r RowSet) column(name string) int {
	i := slices.Index(r.Columns, name)
	if i < 0 {
		must(fmt.Errorf("no column %q, there are %s", name, strings.Join(r.Columns, ", ")))
	}
	return i
}

// Where gives the rows whose column has a value.
func (r RowSet) Where(column, value string) RowSet {
	at := r.column(column)
	out := r
	out.Values = nil
	for _, row := range r.Values {
		if row[at] == value {
			out.Values = append(out.Values, row)
		}
	}
	return out
}

// First gives the first n rows, all if there are fewer.
func (r RowSet) First(n int) RowSet {
	r.Values = r.Values[:min(max(n, 0), len(r.Values))]
	return r
}

// Sorted gives the rows by a column's numbers, smallest first; rows without one come last.
func (r RowSet) Sorted(column string) RowSet {
	at := r.column(column)
	number := func(row []string) float64 {
		v, err := strconv.ParseFloat(row[at], 64)
		if err != nil {
			return math.Inf(1)
		}
		return v
	}
	r.Values = slices.Clone(r.Values)
	slices.SortStableFunc(r.Values, func(a, b []string) int { return cmp.Compare(number(a), number(b)) })
	return r
}

// Floats are a column's numbers; rows that are empty there are left out.
func (r RowSet) Floats(column string) []float64 {
	at := r.column(column)
	var out []float64
	for i, row := range r.Values {
		if row[at] == "" {
			continue
		}
		v, err := strconv.ParseFloat(row[at], 64)
		if err != nil {
			must(fmt.Errorf("column %q, row %d: %q is no number", column, i+1, row[at]))
		}
		out = append(out, v)
	}
	return out
}

// By gives the numbers of a column for each value of another, such as r by generator; values without
// a number are left out.
func (r RowSet) By(value, group string) map[string][]float64 {
	at := r.column(group)
	out := map[string][]float64{}
	for _, row := range r.Values {
		out[row[at]] = nil
	}
	for name := range out {
		if out[name] = r.Where(group, name).Floats(value); len(out[name]) == 0 {
			delete(out, name)
		}
	}
	return out
}

// tableRows is the number of rows that Table shows.
const tableRows = 20

// Table shows the first rows as a table, all columns or those named.
func Table(r RowSet, columns ...string) {
	out().markdown(r.markdown(columns))
}

func (r RowSet) markdown(columns []string) string {
	if len(columns) == 0 {
		columns = r.Columns
	}
	var b strings.Builder
	b.WriteString("| " + strings.Join(columns, " | ") + " |\n")
	b.WriteString("|" + strings.Repeat("---|", len(columns)) + "\n")
	for i, row := range r.Values {
		if i == tableRows {
			break
		}
		b.WriteString("|")
		for _, c := range columns {
			b.WriteString(" " + cell(row[r.column(c)]) + " |")
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\n%d of %d rows", min(tableRows, len(r.Values)), len(r.Values))
	if r.Source != "" {
		fmt.Fprintf(&b, " of %s (%s)", r.Source, r.Hash)
	}
	return b.String() + "\n"
}

// cell shortens numbers, and hides what would break a table.
func cell(s string) string {
	if v, err := strconv.ParseFloat(s, 64); err == nil && strings.Contains(s, ".") {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return strings.NewReplacer("|", "\\|", "\n", " ").Replace(s)
}

// csv writes the rows as they were read.
func (r RowSet) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(r.Columns); err != nil {
		return nil, err
	}
	err := w.WriteAll(r.Values)
	return b.Bytes(), err
}

// Figure shows a panel ("panel_a" to "panel_d") of a [Preset], drawn from its rows, or from the
// [RowSet] given, with the paper's numbers beside ours.
func Figure(panel string, opts ...Option) {
	q := collect(opts)
	q.Panel, q.Dir = stem(panel), results(q.preset)
	var parts [][]byte
	if q.rows != nil {
		b, err := q.rows.csv()
		must(err)
		parts = append(parts, b)
	}
	a, data, err := ask("figure", "Figure "+q.Panel, q.Query, parts...)
	must(err)
	rows := q.rows
	if rows == nil {
		read := Rows(q.Panel, opts...)
		rows = &read
	}
	must(showFiles(a, data, *rows))
}

// Panel computes a panel ("a" to "d") of a [Preset] into results/PRESET, shows it and gives its rows.
// What is there already, or was finished before an interrupt, is not computed again.
func Panel(letter string, opts ...Option) RowSet {
	q := collect(opts)
	q.Panel, q.Preset, q.Dir = stem(letter), q.preset, results(q.preset)
	a, data, err := ask("panel", "Panel "+letter, q.Query)
	must(err)
	rows := Rows(q.Panel, opts...)
	must(showFiles(a, data, rows))
	for _, n := range a.Notes {
		out().line(n)
	}
	return rows
}

// showFiles shows a drawing with its table, and a line on where both come from.
func showFiles(a wire.Answer, data [][]byte, rows RowSet) error {
	var png, svg []byte
	for i, t := range a.Types {
		switch {
		case i >= len(data):
			return errors.New("the server's answer has too few parts")
		case t == "image/png":
			png = data[i]
		case t == "image/svg+xml":
			svg = data[i]
		}
	}
	out().picture(png, svg, a.Alt)
	if a.Markdown != "" {
		out().markdown(a.Markdown)
	}
	out().line(fmt.Sprintf("%s (%s) · %s", rows.Source, rows.Hash, provenance(a.Origin)))
	return nil
}
