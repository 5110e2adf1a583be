package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// table is a file of rows with named columns. Rows count from 1, the header apart.
type table struct {
	file    string
	columns []string
	rows    int
	// cell is row i (from 0) of column j as text, empty where there is no value.
	cell func(i, j int) string
	// number is the same as a number; ok is false where it is none.
	number func(i, j int) (v float64, ok bool)
}

// readTable reads CSV or Parquet, told apart by their first bytes; "-" is standard input.
func readTable(file string, stdin io.Reader) (*table, error) {
	var b []byte
	var err error
	if file == "-" {
		file = "standard input"
		b, err = io.ReadAll(stdin)
	} else {
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	t := &table{file: file}
	if bytes.HasPrefix(b, []byte("PAR1")) {
		err = t.readParquet(b)
	} else {
		err = t.readCSV(b)
	}
	if err == nil && t.rows == 0 {
		err = errors.New("has no rows")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for j, name := range t.columns {
		if slices.Contains(t.columns[:j], name) {
			return nil, fmt.Errorf("%s: two columns are named %q", file, name)
		}
	}
	return t, nil
}

// readCSV reads text with a header; its separator is a comma, or else a tab or a semicolon.
func (t *table) readCSV(b []byte) error {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if len(bytes.TrimSpace(b)) == 0 {
		return errors.New("is empty, want a header line and rows")
	}
	r := csv.NewReader(bytes.NewReader(b))
	header, _, _ := bytes.Cut(b, []byte("\n"))
	for _, comma := range ",\t;" {
		if bytes.ContainsRune(header, comma) {
			r.Comma = comma
			break
		}
	}
	r.TrimLeadingSpace = r.Comma != '\t'
	all, err := r.ReadAll()
	if err != nil {
		return err
	}
	for _, name := range all[0] {
		t.columns = append(t.columns, strings.TrimSpace(name))
	}
	rows := all[1:]
	t.rows = len(rows)
	t.cell = func(i, j int) string { return strings.TrimSpace(rows[i][j]) }
	t.number = func(i, j int) (float64, bool) {
		v, err := strconv.ParseFloat(t.cell(i, j), 64)
		return v, err == nil
	}
	return nil
}

// index finds a column; an unknown name is an error that lists the known ones.
func (t *table) index(name string) (int, error) {
	if j := slices.Index(t.columns, name); j >= 0 {
		return j, nil
	}
	return 0, fmt.Errorf("%s: no column %q, it has %s", t.file, name, strings.Join(t.columns, ", "))
}

// numbers reads a column at the given rows; each must hold a finite number.
func (t *table) numbers(column string, rows []int) ([]float64, error) {
	j, err := t.index(column)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(rows))
	for k, i := range rows {
		v, ok := t.number(i, j)
		what := fmt.Sprintf("%q is not a number", t.cell(i, j))
		switch {
		case t.cell(i, j) == "":
			ok, what = false, "no value"
		case ok && (math.IsNaN(v) || math.IsInf(v, 0)):
			ok, what = false, fmt.Sprintf("%s is not finite", t.cell(i, j))
		}
		if !ok {
			return nil, fmt.Errorf("%s: row %d, column %q: %s", t.file, i+1, column, what)
		}
		values[k] = v
	}
	return values, nil
}

// where keeps the rows whose cells are equal to those of COLUMN=VALUE conditions.
func (t *table) where(conditions []string) ([]int, error) {
	rows := make([]int, t.rows)
	for i := range rows {
		rows[i] = i
	}
	for _, c := range conditions {
		column, value, _ := strings.Cut(c, "=")
		j, err := t.index(column)
		if err != nil {
			return nil, err
		}
		rows = slices.DeleteFunc(rows, func(i int) bool { return t.cell(i, j) != value })
		if len(rows) == 0 {
			return nil, fmt.Errorf("%s: no row has %s", t.file, strings.Join(conditions, " and "))
		}
	}
	return rows, nil
}

// filled drops the rows at the end that have no value in a column: columns of a spreadsheet may
// differ in length.
func (t *table) filled(column string, rows []int) []int {
	j := slices.Index(t.columns, column)
	for n := len(rows); j >= 0 && n > 0 && t.cell(rows[n-1], j) == ""; n-- {
		rows = rows[:n-1]
	}
	return rows
}

// numeric lists the columns that hold numbers alone, empty ends apart.
func (t *table) numeric(rows []int) []string {
	var names []string
	for _, name := range t.columns {
		kept := t.filled(name, rows)
		if _, err := t.numbers(name, kept); err == nil && len(kept) > 0 {
			names = append(names, name)
		}
	}
	return names
}
