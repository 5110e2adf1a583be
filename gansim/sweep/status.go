package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Status is where a sweep stands, from its folder alone.
type Status struct {
	Key      Key       `json:"key"`
	Mixed    []Key     `json:"mixed,omitempty"`
	Shards   Count     `json:"shards"`
	Runs     Count     `json:"runs"`
	Damaged  []int     `json:"damaged,omitempty"` // shards whose file is not as it was written
	Failed   []Failure `json:"failed,omitempty"`
	Working  []Worker  `json:"working,omitempty"`
	Notes    []string  `json:"notes,omitempty"`         // where batches were made smaller
	PerHour  float64   `json:"runs_per_hour,omitempty"` // over the last finished shards; zero if unknown
	HoursTo  float64   `json:"hours_left,omitempty"`
	Finished bool      `json:"finished"`
}

// Count is how many of how many.
type Count struct {
	Done    int `json:"done"`
	Running int `json:"running"`
	Failed  int `json:"failed"`
	Total   int `json:"total"`
}

// Worker holds the lease of a shard.
type Worker struct {
	Shard   int     `json:"shard"`
	Host    string  `json:"host"`
	PID     int     `json:"pid"`
	Seconds float64 `json:"seconds_since_beat"`
	Dead    bool    `json:"dead,omitempty"` // it ran on this machine and has ended
}

// rateShards is how many of the last finished shards the throughput is taken from.
const rateShards = 20

// ReadStatus reads a folder.
func ReadStatus(dir string) (s Status, err error) {
	p, err := readPlan(dir)
	if err != nil {
		return s, err
	}
	files, err := listShards(dir)
	if err != nil {
		return s, err
	}
	s.Key, s.Mixed = p.Key, p.Mixed
	if s.Failed, err = readFailures(dir); err != nil {
		return s, err
	}
	if s.Working, err = readWorkers(dir); err != nil {
		return s, err
	}
	notes, err := os.ReadFile(filepath.Join(dir, notesFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("sweep: %w", err)
	}
	s.Notes = slices.Collect(strings.Lines(string(notes)))
	var finished []finish
	for i, runs := range p.Runs {
		s.Shards.Total++
		s.Runs.Total += runs
		done, err := whole(files[i])
		if err != nil {
			return s, err
		}
		switch {
		case done != nil:
			s.Shards.Done++
			s.Runs.Done += runs
			finished = append(finished, finish{files[i][0].when, runs})
		case len(files[i]) > 0:
			s.Damaged = append(s.Damaged, i)
		}
	}
	for _, w := range s.Working {
		if w.Shard < len(p.Runs) && !w.Dead {
			s.Shards.Running++
			s.Runs.Running += p.Runs[w.Shard]
		}
	}
	for _, f := range s.Failed {
		if f.Shard < len(p.Runs) {
			s.Shards.Failed++
			s.Runs.Failed += p.Runs[f.Shard]
		}
	}
	s.Finished = s.Shards.Done == s.Shards.Total
	s.PerHour = perHour(finished)
	if s.PerHour > 0 {
		s.HoursTo = float64(s.Runs.Total-s.Runs.Done) / s.PerHour
	}
	return s, nil
}

// finish is when a shard was done.
type finish struct {
	when time.Time
	runs int
}

// perHour is the throughput over the last shards.
func perHour(all []finish) float64 {
	slices.SortFunc(all, func(a, b finish) int { return a.when.Compare(b.when) })
	all = all[max(0, len(all)-rateShards):]
	if len(all) < 2 {
		return 0
	}
	runs := 0
	for _, f := range all[1:] {
		runs += f.runs
	}
	took := all[len(all)-1].when.Sub(all[0].when).Hours()
	if took <= 0 {
		return 0
	}
	return float64(runs) / took
}

func readFailures(dir string) ([]Failure, error) {
	var out []Failure
	err := eachFile(dir, failedDir, func(path string, text []byte) error {
		var f Failure
		if err := json.Unmarshal(text, &f); err != nil {
			return fmt.Errorf("sweep: %s: %w", path, err)
		}
		out = append(out, f)
		return nil
	})
	return out, err
}

func readWorkers(dir string) ([]Worker, error) {
	var out []Worker
	err := eachFile(dir, leasesDir, func(path string, text []byte) error {
		var o owner
		w := Worker{}
		if _, err := fmt.Sscanf(filepath.Base(path), "%d.", &w.Shard); err != nil {
			return nil // not a lease
		}
		if err := json.Unmarshal(text, &o); err == nil { // else it is just being written
			w.Host, w.PID, w.Dead = o.Host, o.PID, o.dead()
		}
		if info, err := os.Stat(path); err == nil {
			w.Seconds = time.Since(info.ModTime()).Seconds()
		}
		out = append(out, w)
		return nil
	})
	return out, err
}

// eachFile reads the files of a folder of a sweep, in the order of their names. One that disappears
// meanwhile is left out.
func eachFile(dir, sub string, read func(path string, text []byte) error) error {
	entries, err := os.ReadDir(filepath.Join(dir, sub))
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, sub, e.Name())
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		if err := read(path, text); err != nil {
			return err
		}
	}
	return nil
}
