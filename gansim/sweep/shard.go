package sweep

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/parquet-go/parquet-go"
)

// found is a shard's file.
type found struct {
	path string
	sum  string // that its name promises
	when time.Time
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// listShards finds the shards' files, unread. Of a shard there may be several, after damage.
func listShards(dir string) (map[int][]found, error) {
	entries, err := os.ReadDir(filepath.Join(dir, shardsDir))
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	out := map[int][]found{}
	for _, e := range entries {
		number, rest, ok := strings.Cut(e.Name(), "-")
		sum, parquet := strings.CutSuffix(rest, ".parquet")
		i, err := strconv.Atoi(number)
		if !ok || !parquet || err != nil {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // another worker has just removed it
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("sweep: %w", err)
		}
		out[i] = append(out[i], found{path: filepath.Join(dir, shardsDir, e.Name()), sum: sum,
			when: info.ModTime()})
	}
	return out, nil
}

// done says whether there is a file of a shard.
func done(dir string, i int) (bool, error) {
	files, err := matching(dir, shardsDir, fmt.Sprintf("%06d-*.parquet", i))
	return len(files) > 0, err
}

// intact reads a file; ok is false if its bytes are not those that were written.
func (f found) intact() (data []byte, ok bool, err error) {
	data, err = os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("sweep: %w", err)
	}
	return data, digest(data) == f.sum, nil
}

// whole finds the undamaged file of a shard; nil data if there is none.
func whole(files []found) (data []byte, err error) {
	for _, f := range files {
		data, ok, err := f.intact()
		if ok || err != nil {
			return data, err
		}
	}
	return nil, nil
}

// writeShard writes rows under the name of their hash.
func writeShard[R any](dir string, i int, rows []R) error {
	data, err := Encode(rows)
	if err != nil {
		return fmt.Errorf("sweep: shard %d: %w", i, err)
	}
	path := filepath.Join(dir, shardsDir, fmt.Sprintf("%06d-%s.parquet", i, digest(data)))
	if err := renameio.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("sweep: shard %d: %w", i, err)
	}
	return nil
}

// Encode writes rows, which have parquet tags, as a Parquet file.
func Encode[R any](rows []R) ([]byte, error) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[R](&b, parquet.Compression(&parquet.Zstd))
	if _, err := w.Write(rows); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// readRows reads the rows of a shard's bytes.
func readRows[R any](data []byte) ([]R, error) {
	return parquet.Read[R](bytes.NewReader(data), int64(len(data)))
}

// Merge reads the rows of all shards in order. A missing or damaged shard is an error that wraps
// [ErrUnfinished], or with partial is left out and counted.
func Merge[R any](dir string, partial bool) (rows []R, missing int, key Key, err error) {
	p, err := readPlan(dir)
	if err != nil {
		return nil, 0, key, err
	}
	files, err := listShards(dir)
	if err != nil {
		return nil, 0, key, err
	}
	total := 0
	for _, n := range p.Runs {
		total += n
	}
	rows = make([]R, 0, total)
	for i, want := range p.Runs {
		data, err := whole(files[i])
		if err != nil {
			return nil, 0, key, err
		}
		if data == nil {
			missing++
			continue
		}
		part, err := readRows[R](data)
		if err != nil {
			return nil, 0, key, fmt.Errorf("sweep: shard %d: %w", i, err)
		}
		if len(part) != want {
			return nil, 0, key, fmt.Errorf("sweep: shard %d has %d rows, want %d", i, len(part), want)
		}
		rows = append(rows, part...)
	}
	if missing > 0 && !partial {
		return nil, missing, key, fmt.Errorf("sweep: %s: %w: %d of %d shards are missing", dir,
			ErrUnfinished, missing, len(p.Runs))
	}
	return rows, missing, p.Key, nil
}
