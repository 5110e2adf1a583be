package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// sample is a named list of numbers.
type sample struct {
	name   string
	values []float64
}

// selection says which numbers of a table make samples.
type selection struct {
	a, b      string   // two columns
	value, by string   // or one column split by the labels of another
	groups    []string // the labels wanted, in order
	key       string   // column that tells which rows make a pair
	paired    bool
	where     []string
}

func (s *selection) flags(c *cobra.Command, paired bool) {
	s.paired = paired
	c.Flags().StringVar(&s.a, "a", "", "`column` of the first sample")
	c.Flags().StringVar(&s.b, "b", "", "`column` of the second sample")
	s.splitFlags(c)
	if paired {
		c.Flags().StringVar(&s.key, "pair", "",
			"`column` that is equal in both rows of a pair (default: by order)")
	}
}

func (s *selection) splitFlags(c *cobra.Command) {
	c.Flags().StringVar(&s.value, "value", "", "`column` of numbers, split by --by")
	c.Flags().StringVar(&s.by, "by", "", "`column` of labels that split --value")
	c.Flags().StringVar(&s.by, "group", "", "same as --by")
	c.Flags().Lookup("group").Hidden = true
	c.Flags().StringSliceVar(&s.groups, "groups", nil, "`labels` of --by to take, in this order")
	c.Flags().StringArrayVar(&s.where, "where", nil, "keep rows with `COLUMN=VALUE` (may be repeated)")
}

// check refuses flags that do not go together.
func (s *selection) check(c *cobra.Command) error {
	switch {
	case (s.value == "") != (s.by == ""):
		return misused(c, "--value and --by go together")
	case s.by != "" && (s.a != "" || s.b != ""):
		return misused(c, "choose --a and --b, or --value and --by")
	case (s.a == "") != (s.b == ""):
		return misused(c, "--a and --b go together")
	case s.by == "" && (len(s.groups) > 0 || s.key != ""):
		return misused(c, "--groups and --pair need --value and --by")
	}
	for _, w := range s.where {
		if !strings.Contains(w, "=") {
			return misused(c, "--where %q: want COLUMN=VALUE", w)
		}
	}
	return nil
}

// open reads the table and the rows that --where keeps.
func (s *selection) open(c *cobra.Command, file string) (*table, []int, error) {
	if err := s.check(c); err != nil {
		return nil, nil, err
	}
	t, err := readTable(file, c.InOrStdin())
	if err != nil {
		return nil, nil, err
	}
	rows, err := t.where(s.where)
	return t, rows, err
}

// pair reads the two samples of a test.
func (s *selection) pair(c *cobra.Command, file string) ([]sample, error) {
	t, rows, err := s.open(c, file)
	if err != nil {
		return nil, err
	}
	if s.by != "" {
		return s.split(c, t, rows, 2)
	}
	names := []string{s.a, s.b}
	if s.a == "" {
		if names = t.numeric(rows); len(names) != 2 {
			return nil, misused(c, "%s: choose samples by --a and --b, or --value and --by, "+
				"among its columns %s", t.file, strings.Join(t.columns, ", "))
		}
	}
	return columnSamples(t, rows, names, s.paired)
}

// all reads the samples to describe: given columns, groups, or all columns of numbers.
func (s *selection) all(c *cobra.Command, file string, columns []string) ([]sample, error) {
	t, rows, err := s.open(c, file)
	if err != nil {
		return nil, err
	}
	switch {
	case s.by != "" && len(columns) > 0:
		return nil, misused(c, "choose --column, or --value and --by")
	case s.by != "":
		return s.split(c, t, rows, 0)
	case len(columns) == 0:
		if columns = t.numeric(rows); len(columns) == 0 {
			return nil, fmt.Errorf("%s: no column holds numbers alone, it has %s", t.file,
				strings.Join(t.columns, ", "))
		}
	}
	return columnSamples(t, rows, columns, false)
}

func columnSamples(t *table, rows []int, names []string, paired bool) ([]sample, error) {
	var all []sample
	for _, name := range names {
		kept := rows
		if !paired {
			kept = t.filled(name, rows)
		}
		if len(kept) == 0 {
			return nil, fmt.Errorf("%s: column %q is empty", t.file, name)
		}
		values, err := t.numbers(name, kept)
		if err != nil {
			return nil, err
		}
		all = append(all, sample{name, values})
	}
	return all, nil
}

// split makes one sample of each group, exactly want of them unless that is zero.
func (s *selection) split(c *cobra.Command, t *table, rows []int, want int) ([]sample, error) {
	j, err := t.index(s.by)
	if err != nil {
		return nil, err
	}
	members, labels := map[string][]int{}, []string(nil)
	for _, i := range rows {
		label := t.cell(i, j)
		if members[label] == nil {
			labels = append(labels, label)
		}
		members[label] = append(members[label], i)
	}
	groups := labels
	if len(s.groups) > 0 {
		groups = s.groups
	}
	if want > 0 && len(groups) != want {
		return nil, misused(c, "%s: column %q has %d groups, want %d; choose by --groups among %s",
			t.file, s.by, len(groups), want, shown(labels))
	}
	var all []sample
	for _, g := range groups {
		if members[g] == nil {
			return nil, fmt.Errorf("%s: column %q has no group %q, it has %s", t.file, s.by, g,
				shown(labels))
		}
	}
	if s.key != "" {
		if err := s.align(t, members, groups); err != nil {
			return nil, err
		}
	}
	for _, g := range groups {
		values, err := t.numbers(s.value, members[g])
		if err != nil {
			return nil, err
		}
		all = append(all, sample{g, values})
	}
	return all, nil
}

// shown lists labels, the first ten of them.
func shown(labels []string) string {
	if len(labels) > 10 {
		return fmt.Sprintf("%s and %d more", strings.Join(labels[:10], ", "), len(labels)-10)
	}
	return strings.Join(labels, ", ")
}

// align puts the second group's rows in the order of the first, by the column of the pairs.
func (s *selection) align(t *table, members map[string][]int, groups []string) error {
	j, err := t.index(s.key)
	if err != nil {
		return err
	}
	at := make([]map[string]int, len(groups))
	for k, g := range groups {
		at[k] = map[string]int{}
		for _, i := range members[g] {
			key := t.cell(i, j)
			if other, twice := at[k][key]; twice {
				return fmt.Errorf("%s: rows %d and %d: %q is twice in column %q of group %s",
					t.file, other+1, i+1, key, s.key, g)
			}
			at[k][key] = i
		}
	}
	for k, g := range groups {
		for _, i := range members[g] {
			if _, ok := at[1-k][t.cell(i, j)]; !ok {
				return fmt.Errorf("%s: row %d: %q in column %q has no partner in group %s",
					t.file, i+1, t.cell(i, j), s.key, groups[1-k])
			}
		}
	}
	second := slices.Clone(members[groups[0]])
	for n, i := range second {
		second[n] = at[1][t.cell(i, j)]
	}
	members[groups[1]] = second
	return nil
}
