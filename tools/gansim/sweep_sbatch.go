package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
)

// slurm is what an array job asks for.
type slurm struct {
	Tasks, CPUs                int
	Time, Partition, GPUs, Out string
	Command                    string // one worker, quoted for the shell
}

//go:embed sweep.sbatch
var sbatchText string

var sbatchTemplate = template.Must(template.New("sbatch").Parse(sbatchText))

func sweepSbatchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sbatch",
		Short: "Write a Slurm array that survives time limits and preemption",
		Long: `Sbatch writes sweep.sbatch into the sweep's folder: an array of workers. Each takes any
shard that nobody has; before its time limit, or when it is preempted, it drops the shard
in flight and is queued again. Submitting the file once more goes on with the same sweep.`,
		Example: "  gansim sweep sbatch --preset paper --out /scratch/panel_d --tasks 8 --gpus 1",
		Args:    arguments(),
	}
	f := sweepFlagsOf(c)
	backend := backendFlag(c)
	var s slurm
	c.Flags().IntVar(&s.Tasks, "tasks", 4, "workers of the array, at most 1000")
	c.Flags().IntVar(&s.CPUs, "cpus", 2, "processors of a worker")
	c.Flags().StringVar(&s.GPUs, "gpus", "", "`number` of graphics cards of a worker, or type:number")
	c.Flags().StringVar(&s.Time, "time", "04:00:00", "`limit` of a worker, as Slurm writes it")
	c.Flags().StringVar(&s.Partition, "partition", "", "Slurm's `partition`")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if s.Tasks < 1 || s.Tasks > 1000 || s.CPUs < 1 {
			return misused(c, "%d tasks of %d processors: want 1 to 1000 tasks, and at least 1 processor",
				s.Tasks, s.CPUs)
		}
		for _, word := range []string{s.GPUs, s.Time, s.Partition, *backend} {
			if strings.ContainsAny(word, " \t\n\r'\"$`\\") {
				return misused(c, "%q cannot stand in a Slurm script", word)
			}
		}
		if _, err := f.plan(c); err != nil {
			return err
		}
		return writeSbatch(c, f, *backend, s)
	}
	return c
}

func writeSbatch(c *cobra.Command, f *sweepFlags, backend string, s slurm) error {
	folder, err := filepath.Abs(f.folder())
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if strings.ContainsAny(folder, "\n%\"\\") {
		return misused(c, "folder %q cannot stand in a Slurm script", folder)
	}
	if err := checkOut(folder); err != nil {
		return err
	}
	if err := f.absolute(); err != nil { // Slurm may start the task elsewhere
		return err
	}
	words := append([]string{program, "sweep", "run"}, f.words(folder)...)
	words = append(words, "--backend", backend)
	for i, w := range words {
		words[i] = shellQuoted(w)
	}
	s.Out, s.Command = folder, strings.Join(words, " ")
	var text strings.Builder
	if err := sbatchTemplate.Execute(&text, s); err != nil {
		return err
	}
	path := filepath.Join(folder, "sweep.sbatch")
	if err := renameio.WriteFile(path, []byte(text.String()), 0o755); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "Wrote %s. Next: sbatch %s\n", path, shellQuoted(path))
	return nil
}

// shellQuoted is a word as a shell reads it.
func shellQuoted(w string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("-_./:=,+@", r)
	}
	if w != "" && strings.IndexFunc(w, func(r rune) bool { return !plain(r) }) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// LastTask is the highest number in the array.
func (s slurm) LastTask() int { return s.Tasks - 1 }
