package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim/serve"
)

// serveFlags are the flags of gansim serve.
type serveFlags struct {
	idle         time.Duration
	memory       memorySize
	status, json bool
}

func serveCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Hold models for notebook cells",
		Long: `Serve holds networks, compiled programs and values for notebook cells, which start it
by themselves. There is one server per user, program and backend, on a socket that
belongs to the user alone. It prints the socket, logs to stderr, and ends when it has
had no client for a while.`,
		Example: "  gansim serve --backend xla:cpu --memory 8GB\n  gansim serve --status",
		Args:    arguments(),
	}
	backend, files := backendFlag(c), weightsFlag(c)
	c.Flags().DurationVar(&f.idle, "idle", 10*time.Second, "end after so long without a client")
	c.Flags().Var(&f.memory, "memory", "`limit` for models and values, such as 8GB (default half of all)")
	c.Flags().BoolVar(&f.status, "status", false, "say what the running server holds")
	c.Flags().BoolVar(&f.json, "json", false, "with --status, as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		program, err := os.Executable()
		if err != nil {
			return err
		}
		switch {
		case f.json && !f.status:
			return misused(c, "--json goes with --status")
		case f.idle <= 0:
			return misused(c, "--idle %v: want more than 0", f.idle)
		case f.status:
			return serveStatus(c, f, program, *backend)
		}
		return runServe(c, f, program, *backend, files.weightFiles)
	}
	return c
}

func runServe(c *cobra.Command, f serveFlags, program, backend string, files weightFiles) error {
	// What to type is lost in the errors of a package that knows no commands.
	open := func() (compute.Backend, error) { return openBackend(c, backend) }
	err := serve.Run(c.Context(), serve.Config{Open: open, Backend: backend, Program: program,
		Idle: f.idle, Memory: int64(f.memory), Weights: files, Versions: versions(),
		Log: slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))},
		func(socket string) { fmt.Fprintln(c.OutOrStdout(), socket) })
	if errors.Is(err, serve.ErrRunning) {
		fmt.Fprintln(c.ErrOrStderr(), "gansim: a server is running already: gansim serve --status")
		return nil
	}
	return err
}

func serveStatus(c *cobra.Command, f serveFlags, program, backend string) error {
	s, err := serve.Ask(c.Context(), program, backend)
	if err != nil && !errors.Is(err, serve.ErrNone) {
		return err
	}
	w := c.OutOrStdout()
	switch {
	case f.json:
		return writeJSON(w, s) // null where there is none
	case s == nil:
		_, err := fmt.Fprintf(w, "No server is running for --backend %s.\n", backend)
		return err
	}
	fmt.Fprintf(w, "process    %d, up %v\nsocket     %s\nbackend    %s (%s)\n", s.PID,
		time.Duration(s.Uptime*float64(time.Second)).Round(time.Second), s.Socket, s.Backend, s.Device)
	fmt.Fprintf(w, "memory     %s of %s held, %s resident, %d evicted\n", megabytes(s.Memory.Held),
		megabytes(s.Memory.Limit), megabytes(s.Memory.Resident), s.Memory.Evicted)
	for _, k := range s.Clients {
		fmt.Fprintf(w, "client     %s, process %d, %d requests\n", k.Name, k.PID, k.Requests)
	}
	for _, pid := range s.Owners {
		fmt.Fprintf(w, "stays for  process %d\n", pid)
	}
	for _, m := range s.Models {
		fmt.Fprintf(w, "model      %s, %s\n", m.Name, megabytes(m.Bytes))
	}
	for _, m := range s.Values {
		fmt.Fprintf(w, "value      %s, %s\n", m.Name, megabytes(m.Bytes))
	}
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// memorySize is the value of a flag for a number of bytes; zero means the default.
type memorySize int64

// String is the number of bytes with its unit.
func (m *memorySize) String() string {
	if *m == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*m), 10) + "B"
}

// Type is the flag's placeholder in the help.
func (m *memorySize) Type() string { return "size" }

// Set reads a number with B, KB, MB, GB or TB, powers of 1000.
func (m *memorySize) Set(s string) error {
	unit := int64(1)
	number := strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(s)), "B")
	for i, prefix := range []string{"K", "M", "G", "T"} {
		if cut, ok := strings.CutSuffix(number, prefix); ok {
			number = cut
			for range i + 1 {
				unit *= 1000
			}
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v*float64(unit) >= 1) || v*float64(unit) > 1e18 {
		return errors.New("want a size such as 800MB or 8GB")
	}
	*m = memorySize(v * float64(unit))
	return nil
}
