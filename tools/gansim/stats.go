package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gansim.example/gansim/ranktest"
)

func statsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "stats",
		Short: "Test and describe columns of a CSV or Parquet file",
		Example: "  gansim stats signedrank results/smoke/panel_c.parquet \\\n" +
			"      --value r --by generator --pair image\n" +
			"  gansim stats describe - < scores.csv",
		Args: verbs,
		RunE: group,
	}
	c.AddCommand(
		testCommand("ranksum", "Wilcoxon rank-sum (Mann-Whitney) test of two samples",
			"  gansim stats ranksum panel_d.parquet --value maxscore --by generator \\\n"+
				"      --where net=resnet50", ranktest.RankSum),
		testCommand("signedrank", "Wilcoxon signed-rank test of paired samples",
			"  gansim stats signedrank panel_c.csv --value r --by generator --pair image",
			ranktest.SignedRank),
		describeCommand())
	return c
}

const fileHelp = "FILE is CSV with a header, Parquet, or - for CSV on standard input."

type rankTest func(x, y []float64, o ranktest.Options) (ranktest.Result, error)

func testCommand(name, short, example string, test rankTest) *cobra.Command {
	var s selection
	var exact bool
	c := &cobra.Command{
		Use: name + " FILE", Short: short, Example: example,
		Long: short + ".\n" + fileHelp + " The samples are\n" +
			"two columns (--a, --b), or one column of values (--value) split by another (--by).",
		Args: arguments("FILE"), ValidArgsFunction: tableFiles,
	}
	s.flags(c, name == "signedrank")
	program := choiceFlag(c, "program", "matlab", "conventions of",
		[]string{"matlab", "scipy", "scipy-ranksums"})
	alternative := choiceFlag(c, "alternative", "two-sided", "hypothesis",
		[]string{"two-sided", "greater", "less"})
	zeros := &choice{}
	if name == "signedrank" {
		zeros = choiceFlag(c, "zeros", "wilcox", "differences of zero",
			[]string{"wilcox", "pratt", "zsplit"})
	}
	c.Flags().BoolVar(&exact, "exact", false, "count the exact p instead of the program's rule")
	asJSON, seed := jsonFlag(c), seedFlag(c, "of the bootstrap")
	c.RunE = func(c *cobra.Command, args []string) error {
		pair, err := s.pair(c, args[0])
		if err != nil {
			return err
		}
		o := ranktest.Options{
			Program:     ranktest.Program(program.value),
			Alternative: ranktest.Alternative(alternative.value),
			Zeros:       ranktest.Zeros(zeros.value),
		}
		if exact {
			o.Method = ranktest.Exact
		}
		r, err := test(pair[0].values, pair[1].values, o)
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		out := tested{Result: r}
		if out.Samples, err = describe(pair, *seed); err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), out)
		}
		return out.write(c.OutOrStdout())
	}
	return c
}

func describeCommand() *cobra.Command {
	var s selection
	var columns []string
	c := &cobra.Command{
		Use:   "describe FILE",
		Short: "Mean, median and quartiles with their standard errors",
		Long: "Mean, median and quartiles with their standard errors.\n" + fileHelp + " Without flags\n" +
			"all columns of numbers are described.",
		Example: "  gansim stats describe panel_c.csv --value r --by generator",
		Args:    arguments("FILE"), ValidArgsFunction: tableFiles,
	}
	c.Flags().StringSliceVar(&columns, "column", nil, "`columns` of numbers")
	s.splitFlags(c)
	asJSON, seed := jsonFlag(c), seedFlag(c, "of the bootstrap")
	c.RunE = func(c *cobra.Command, args []string) error {
		samples, err := s.all(c, args[0], columns)
		if err != nil {
			return err
		}
		described, err := describe(samples, *seed)
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), map[string]any{"samples": described})
		}
		return writeSamples(c.OutOrStdout(), described)
	}
	return c
}

// tableFiles completes names of files that stats can read.
func tableFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"csv", "tsv", "parquet"}, cobra.ShellCompDirectiveFilterFileExt
}

// writeJSON writes a result for programs to read.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
