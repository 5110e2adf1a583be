package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// Open reads a weight file of any format that is known: safetensors, PyTorch (see [ParseTorch]),
// .npz and .npy. The format is told by the contents, not by the name. What is wrong with the file
// is reported as a [*FormatError].
func Open(path string) (*File, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(b)
	return f, atPath(path, err)
}

// Parse reads a weight file from memory as [Open] does. It keeps the memory and shares it with the
// tensors.
func Parse(b []byte) (*File, error) {
	switch {
	case len(b) == 0:
		return nil, &FormatError{Reason: "empty file"}
	case isZip(b):
		a, err := openArchive(b)
		if err != nil {
			return nil, err
		}
		return a.parse()
	case bytes.HasPrefix(b, []byte(npyMagic)):
		return ParseNPY(b)
	case len(b) > 8 && b[8] == '{' && binary.LittleEndian.Uint64(b) <= uint64(len(b)-8):
		return ParseSafetensors(b)
	case b[0] == 0x80: // PROTO, with which pickles start
		return ParseTorch(b)
	case len(b) < 9 || b[8] == '{':
		return ParseSafetensors(b)
	case strings.IndexByte("(]}cI", b[0]) >= 0: // perhaps a pickle of protocol 0: name what it wants
		m := newMachine("the pickle", b, 0)
		if _, err := m.run(); m.refused {
			return nil, err
		}
	}
	if what := otherFormat(b); what != "" {
		return nil, &FormatError{Reason: "this is " + what + ", not weights (a failed download?)"}
	}
	return nil, &FormatError{Reason: fmt.Sprintf(
		"no known weight format; the file starts with %.16q", b[:min(len(b), 16)])}
}

// isZip is true for archives, empty ones too.
func isZip(b []byte) bool {
	return bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("PK\x05\x06"))
}

// parse tells PyTorch's archives from NumPy's.
func (a *archive) parse() (*File, error) {
	arrays := 0
	for _, m := range a.members {
		if strings.HasSuffix(m.name, ".npy") && !strings.Contains(m.name, "/") {
			arrays++
		}
	}
	if len(a.members) == 0 || arrays > 0 {
		return a.npz()
	}
	c, err := torchArchive(a)
	if err != nil {
		return nil, err
	}
	return c.file(nil)
}

// atPath adds a path to a [*FormatError].
func atPath(path string, err error) error {
	var format *FormatError
	if errors.As(err, &format) {
		format.Path = path
	}
	return err
}

// readFile reads a whole regular file.
func readFile(path string) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("weights: %s: not a regular file", path)
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	return b, nil
}

// otherFormat names what people download or save by mistake, empty if nothing is recognised.
func otherFormat(start []byte) string {
	s := strings.TrimLeft(string(start[:min(len(start), 512)]), " \t\r\n\ufeff")
	for _, f := range [...]struct{ prefix, name string }{
		{"version https://git-lfs", "a Git LFS pointer"},
		{"<!doctype", "a web page"},
		{"<html", "a web page"},
		{"<?xml", "a web page"},
		{"PK\x03\x04", "a ZIP archive (PyTorch?)"},
		{npyMagic, "a NumPy array"},
		{"\x89HDF\r\n", "an HDF5 file (Keras?)"},
		{"\x1f\x8b", "a gzip file"},
		{"\x89PNG", "a PNG picture"},
		{"\xff\xd8\xff", "a JPEG picture"},
		{"{\"error", "an error message of a server"},
	} {
		if len(s) >= len(f.prefix) && strings.EqualFold(s[:len(f.prefix)], f.prefix) {
			return f.name + title(start)
		}
	}
	switch {
	case len(start) > 262 && string(start[257:262]) == "ustar":
		return "a tar archive (of PyTorch before 0.2, or one to unpack)"
	case len(s) > 0 && isText(s):
		line, _, _ := strings.Cut(s, "\n")
		return fmt.Sprintf("text that starts with %.60q", strings.TrimSpace(line))
	}
	return ""
}

// title is the title of a web page in quotes, such as "Google Drive - Quota exceeded", with a space
// before; empty if there is none near the start.
func title(page []byte) string {
	page = page[:min(len(page), 4096)]
	lower := bytes.ToLower(page)
	from := bytes.Index(lower, []byte("<title>"))
	if from < 0 || len(lower) != len(page) {
		return ""
	}
	from += len("<title>")
	n := bytes.Index(lower[from:], []byte("</title>"))
	if n < 0 {
		return ""
	}
	return fmt.Sprintf(" %.80q", bytes.TrimSpace(page[from:from+n]))
}

// isText is true for text of a natural language or markup, in UTF-8; the last character may be cut.
func isText(s string) bool {
	for i, r := range s {
		switch {
		case r == utf8.RuneError && len(s)-i > 3:
			return false
		case r < ' ' && r != '\n' && r != '\r' && r != '\t':
			return false
		}
	}
	return true
}
