package weights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
)

// partSuffix and sourceSuffix are the names of an unfinished download and of what is known of it.
const (
	partSuffix   = ".part"
	sourceSuffix = ".part.json"
)

// source says where the bytes of a part come from, so that two files are never mixed.
type source struct {
	URL       string `json:"url"`
	Validator string `json:"validator"` // a strong ETag or a time, for If-Range
	Total     int64  `json:"total"`     // bytes of the whole file, zero means unknown
}

// part is an unfinished download with the hash of what it has. Its methods return plain errors of
// the file system.
type part struct {
	file    *os.File
	sum     hash.Hash
	n       int64
	resumed bool // some bytes are from an earlier answer
	from    source
	sidecar string // the file of from
}

// openPart opens or makes a part and hashes what is there already.
func openPart(ctx context.Context, base string) (*part, error) {
	f, err := os.OpenFile(base+partSuffix, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	p := &part{file: f, sum: sha256.New(), sidecar: base + sourceSuffix}
	if p.n, err = io.Copy(p.sum, &contextReader{ctx, f}); err != nil {
		f.Close()
		return nil, err
	}
	b, err := os.ReadFile(p.sidecar)
	if err == nil && json.Unmarshal(b, &p.from) != nil {
		p.from = source{}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Close()
		return nil, err
	}
	return p, nil
}

// Write appends to file and hash; what did reach the disk counts also if there is an error.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	p.sum.Write(b[:n])
	p.n += int64(n)
	return n, err
}

// describe records where the bytes come from, before the first of them is written.
func (p *part) describe(s source) error {
	if s == p.from {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := replaceFile(p.sidecar, b); err != nil {
		return err
	}
	p.from = s
	return nil
}

// reset throws the bytes away.
func (p *part) reset() error {
	if err := p.file.Truncate(0); err != nil {
		return err
	}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	p.sum.Reset()
	p.n, p.resumed = 0, false
	return nil
}

// sha256 is the hash of the bytes so far, hexadecimal.
func (p *part) sha256() string { return hex.EncodeToString(p.sum.Sum(nil)) }

// publish gives the finished file its final name.
func (p *part) publish(path string) error {
	if err := syncRename(p.file, path); err != nil {
		return err
	}
	os.Remove(p.sidecar)
	return nil
}

// close keeps the part to be resumed, unless it is empty. After publish it does nothing.
func (p *part) close() {
	p.file.Sync()
	if p.file.Close() == nil && p.n == 0 {
		os.Remove(p.file.Name())
		os.Remove(p.sidecar)
	}
}

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
