package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// readParquet reads the columns of a Parquet file that hold at most one value a row. What panics in
// the reader of a damaged file becomes an error.
func (t *table) readParquet(b []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged Parquet file: %v", r)
		}
	}()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	t.rows = int(f.NumRows())
	var columns []*parquetColumn
	if columns, err = leaves(f.Root(), t.rows, columns); err != nil {
		return err
	}
	for _, c := range columns {
		t.columns = append(t.columns, c.name)
	}
	t.cell = func(i, j int) string { return columns[j].text(i) }
	t.number = func(i, j int) (float64, bool) { return columns[j].number(i) }
	return nil
}

// parquetColumn is a column with its values, one a row.
type parquetColumn struct {
	name     string
	unsigned bool
	values   []parquet.Value
}

// leaves reads the columns below a node; lists are left out.
func leaves(node *parquet.Column, rows int, all []*parquetColumn) ([]*parquetColumn, error) {
	for _, c := range node.Columns() {
		var err error
		switch {
		case c.Repeated():
		case !c.Leaf():
			all, err = leaves(c, rows, all)
		default:
			p := &parquetColumn{name: strings.Join(c.Path(), ".")}
			if l := c.Type().LogicalType(); l != nil {
				i, ok := l.Value.(*format.IntType)
				p.unsigned = ok && !i.IsSigned
			}
			if err = p.read(c.Pages()); err == nil && len(p.values) != rows {
				err = fmt.Errorf("%d values in %d rows", len(p.values), rows)
			}
			if err != nil {
				err = fmt.Errorf("column %q: %w", p.name, err)
			}
			all = append(all, p)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p *parquetColumn) read(pages parquet.Pages) error {
	defer pages.Close()
	buffer := make([]parquet.Value, 1024)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for values := page.Values(); ; {
			n, err := values.ReadValues(buffer)
			for _, v := range buffer[:n] {
				p.values = append(p.values, v.Clone())
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(page)
	}
}

func (p *parquetColumn) number(i int) (float64, bool) {
	v := p.values[i]
	switch v.Kind() {
	case parquet.Int32:
		if p.unsigned {
			return float64(v.Uint32()), true
		}
		return float64(v.Int32()), true
	case parquet.Int64:
		if p.unsigned {
			return float64(v.Uint64()), true
		}
		return float64(v.Int64()), true
	case parquet.Float:
		return float64(v.Float()), true
	case parquet.Double:
		return v.Double(), true
	}
	return 0, false
}

func (p *parquetColumn) text(i int) string {
	v := p.values[i]
	switch {
	case v.IsNull():
		return ""
	case p.unsigned && v.Kind() == parquet.Int64:
		return strconv.FormatUint(v.Uint64(), 10)
	case p.unsigned && v.Kind() == parquet.Int32:
		return strconv.FormatUint(uint64(v.Uint32()), 10)
	case v.Kind() == parquet.Double:
		return strconv.FormatFloat(v.Double(), 'g', -1, 64)
	case v.Kind() == parquet.Float:
		return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32)
	}
	return v.String()
}
