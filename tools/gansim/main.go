// Command gansim compares image generators through networks and reproduces Extended Data Fig. 1 of
// Wang & Ponce (Nature Neuroscience 2026). Run gansim help for its verbs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	err := run(ctx, os.Stdout, os.Stderr, os.Args[1:])
	stop()
	os.Exit(report(os.Stderr, err))
}

// run executes one command line; results go to stdout, all else to stderr.
func run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

// misuse is an error of the command line itself: exit code 2.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// hinted is an error with the next command to type.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// report prints an error with its hint and gives the exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	clearLine(w)
	fmt.Fprintf(w, "gansim: %v\n", err)
	var h hinted
	if errors.As(err, &h) {
		fmt.Fprintf(w, "gansim: hint: %s\n", h.hint)
	}
	var m misuse
	if errors.As(err, &m) {
		return 2
	}
	var r requeue
	if errors.As(err, &r) {
		return requeueCode
	}
	return 1
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "gansim",
		Short:         "Compare image generators through networks",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          verbs,
		RunE:          group,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return hinted{misuse{err}, c.CommandPath() + " -h"}
	})
	root.AddCommand(figureCommand(), sampleCommand(), fidCommand(), detectCommand(), imstatCommand(),
		invertCommand(), evolveCommand(), maximizeCommand(), hessianCommand(), sweepCommand(), statsCommand(),
		trainCommand(), labCommand(), serveCommand(), kernelCommand(), setupCommand(), doctorCommand(), parityCommand(),
		weightsCommand(), benchCommand(), runCommand())
	return root
}
