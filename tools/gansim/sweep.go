package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gansim.example/gansim/experiment"
	"gansim.example/gansim/sweep"
)

func sweepCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sweep",
		Short: "Run panel D's sweep so that nothing is lost",
		Long: `Sweep computes panel D's maximisations, of which the paper has 97,730, in shards that
are written whole. Any number of processes on any number of machines that share the
folder work on it at once; whatever is killed, finished shards stay, and the same
command goes on.`,
		Example: "  gansim sweep plan --preset paper\n" +
			"  gansim sweep run --preset smoke --out results/sweep\n" +
			"  gansim sweep status --out results/sweep\n" +
			"  gansim sweep merge --out results/sweep",
		Args: verbs,
		RunE: group,
	}
	c.AddCommand(sweepPlanCommand(), sweepRunCommand(), sweepStatusCommand(), sweepMergeCommand(),
		sweepSbatchCommand())
	return c
}

// requeue is an error after which a scheduler should start the command again: exit code 85.
type requeue struct{ error }

func (r requeue) Unwrap() error { return r.error }

const requeueCode = 85

func sweepRunCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Compute what is missing, beside other workers on the folder",
		Long: `Run computes the sweep's missing shards. Start it as often as you like, on one folder:
workers share the shards, wait for each other's and take over those of dead ones.
SIGTERM and SIGUSR1 (of Slurm) drop the shard in flight and exit with 85.`,
		Example: "  gansim sweep run --preset smoke --out results/sweep\n" +
			"  gansim sweep run --config my.yaml --out /scratch/sweep --backend xla:cuda",
		Args: arguments(),
	}
	f := sweepFlagsOf(c)
	backend := backendFlag(c)
	var o sweep.Options
	c.Flags().IntVar(&o.Workers, "workers", 1, "shards computed at once by this process")
	c.Flags().IntVar(&o.Attempts, "attempts", 3, "of a shard that fails")
	c.Flags().DurationVar(&o.Dead, "dead", time.Minute,
		"`time` after which a silent worker elsewhere counts as dead")
	c.Flags().BoolVar(&o.Mixed, "allow-mixed", false,
		"add rows of another seed, weights or code version; it is recorded")
	c.RunE = func(c *cobra.Command, _ []string) error { return runSweep(c, f, *backend, o) }
	return c
}

func runSweep(c *cobra.Command, f *sweepFlags, backend string, o sweep.Options) error {
	ctx, asked := untilRequeue(c.Context()) // first: models may take minutes to load
	if err := checkOut(f.folder()); err != nil {
		return err
	}
	b, err := openBackend(c, backend)
	if err != nil {
		return err
	}
	job, err := f.job(c, b)
	if err != nil {
		return err
	}
	o.Progress = newProgress(c.ErrOrStderr(), "runs")
	o.Warn = func(text string) { fmt.Fprintf(c.ErrOrStderr(), "gansim: %s\n", text) }
	err = sweep.Run(ctx, f.folder(), job, o)
	command := f.command("run") + " --backend " + backend
	switch {
	case err == nil:
		b.Finalize()
		fmt.Fprintf(c.OutOrStdout(), "All runs are in %s. Next: %s\n", f.folder(),
			f.command("merge"))
		return nil
	case errors.Is(err, sweep.ErrPlan):
		return hinted{err, "take another folder with --out"}
	case errors.Is(err, sweep.ErrKey):
		return hinted{err, "take another folder with --out, or " + command + " --allow-mixed"}
	case asked():
		return requeue{interrupted(err, command)}
	}
	return interrupted(err, command)
}

// untilRequeue gives a context that ends with the signals by which a scheduler ends a job, and says
// whether one came.
func untilRequeue(parent context.Context) (context.Context, func() bool) {
	ctx, stop := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1)
	asked := errors.New("asked to end")
	go func() {
		<-signals
		stop(asked)
	}()
	return ctx, func() bool {
		if context.Cause(ctx) == asked {
			return true
		}
		select { // the parent may have ended first, of the same signal
		case <-signals:
			return true
		case <-time.After(50 * time.Millisecond):
			return context.Cause(ctx) == asked
		}
	}
}

func sweepStatusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show what is done, running and failed",
		Example: "  gansim sweep status --out results/sweep",
		Args:    arguments(),
	}
	out := sweepFolderFlag(c)
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := sweep.ReadStatus(*out)
		if err != nil {
			return noSweep(err)
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), s)
		}
		w := c.OutOrStdout()
		fmt.Fprintf(w, "%s: %s, preset %s, seed %d\n", *out, s.Key.Table, s.Key.Preset, s.Key.Seed)
		for _, k := range s.Mixed {
			fmt.Fprintf(w, "mixed with: seed %d, weights %s, code version %s\n", k.Seed, k.Weights, k.Code)
		}
		for _, n := range []struct {
			name string
			sweep.Count
		}{{"shards", s.Shards}, {"runs", s.Runs}} {
			fmt.Fprintf(w, "%-7s %d of %d done, %d running, %d failed\n", n.name, n.Done, n.Total, n.Running,
				n.Failed)
		}
		if s.PerHour > 0 {
			fmt.Fprintf(w, "%.0f runs an hour", s.PerHour)
			if !s.Finished {
				fmt.Fprintf(w, ", %.2g hours left", s.HoursTo)
			}
			fmt.Fprintln(w)
		}
		for _, x := range s.Working {
			state := fmt.Sprintf("sign of life %.0f s ago", x.Seconds)
			if x.Dead {
				state = "has ended; the next worker takes its shard over"
			}
			fmt.Fprintf(w, "shard %d: process %d on %s, %s\n", x.Shard, x.PID, x.Host, state)
		}
		for _, i := range s.Damaged {
			fmt.Fprintf(w, "shard %d: its file is damaged; the next worker computes it again\n", i)
		}
		for _, note := range s.Notes {
			fmt.Fprint(w, note)
		}
		for _, x := range s.Failed {
			fmt.Fprintf(w, "shard %d failed %d times: %s\n", x.Shard, x.Attempts, x.Reason)
		}
		return nil
	}
	return c
}

func sweepFolderFlag(c *cobra.Command) *string {
	out := outFlag(c, "")
	c.Flags().Lookup("out").Usage = "`folder` of the sweep"
	if err := c.MarkFlagRequired("out"); err != nil {
		panic(err) // only if there were no such flag
	}
	return out
}

// noSweep adds the command that makes a sweep.
func noSweep(err error) error {
	if errors.Is(err, sweep.ErrNoPlan) {
		return hinted{err, "gansim sweep run --preset smoke --out FOLDER"}
	}
	return err
}

func sweepMergeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "merge",
		Short: "Write the table of all rows, and panel D of it",
		Long: "Merge writes panel_d.parquet and .csv into the sweep's folder: the same, byte for byte,\n" +
			"however the sweep was interrupted and shared. Of the table it makes panel D: figure.png,\n" +
			".svg and .pdf, report.md and report.json with all tests.",
		Example: "  gansim sweep merge --out results/sweep\n" +
			"  gansim sweep merge --out results/sweep --partial",
		Args: arguments(),
	}
	out := sweepFolderFlag(c)
	partial := c.Flags().Bool("partial", false, "leave out what is missing")
	c.RunE = func(c *cobra.Command, _ []string) error {
		rows, missing, key, err := sweep.Merge[experiment.RowD](*out, *partial)
		if errors.Is(err, sweep.ErrUnfinished) {
			return hinted{err, "gansim sweep status --out " + *out + ", or merge --partial"}
		}
		if err != nil {
			return noSweep(err)
		}
		if len(rows) == 0 {
			return hinted{fmt.Errorf("no shard of %s is finished", *out), "gansim sweep status --out " + *out}
		}
		if err := experiment.WriteRows(*out, key.Table, rows); err != nil {
			return err
		}
		report, err := experiment.ReportD(*out, rows, experiment.Report{Preset: key.Preset, World: key.World,
			Seed: key.Seed, Weights: map[string]string{"all": key.Weights}, Versions: versions()})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "%s\nWrote %d rows to %s, panel D to %s", report.Summary(), len(rows),
			filepath.Join(*out, key.Table+".parquet"), filepath.Join(*out, "figure.png"))
		if missing > 0 {
			fmt.Fprintf(c.OutOrStdout(), "; %d shards are missing", missing)
		}
		fmt.Fprintln(c.OutOrStdout(), ".")
		return nil
	}
	return c
}

// codeVersion is the hash of the program's file.
func codeVersion() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
