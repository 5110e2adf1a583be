package weights

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// manifest is everything that is known about the published files. A field that nobody has
// published is left out, never guessed.
//
//go:embed manifest.json
var manifest []byte

// Entry is one published weight file.
type Entry struct {
	Name         string   `json:"name"`          // as commands take it
	File         string   `json:"file"`          // the publisher's name of the file, also on a mirror
	URLs         []string `json:"urls"`          // tried in this order; empty if only a page is known
	Page         string   `json:"page"`          // where a person finds the file
	Size         int64    `json:"size"`          // bytes, zero means not published
	SHA256       string   `json:"sha256"`        // hexadecimal, empty means not published
	SHA256Prefix string   `json:"sha256_prefix"` // first digits, where only they are published
	Licence      string   `json:"licence"`       // empty means not stated by the source
	Citation     string   `json:"citation"`      // the paper or program it comes from
	Architecture string   `json:"architecture"`  // the model package that reads it
	Panels       []string `json:"panels"`        // a to d: the panels of the figure that need it
	Needs        []string `json:"needs"`         // other entries it is used with
	Parameters   int64    `json:"parameters"`    // elements without buffers, zero means not stated
	Note         string   `json:"note"`
}

// Manifest lists the published files in the order of the embedded manifest.
func Manifest() ([]Entry, error) { return parseManifest(manifest) }

// Find returns the entry of a name; the error for another name lists those that are near.
func Find(name string) (Entry, error) {
	all, err := Manifest()
	if err != nil {
		return Entry{}, err
	}
	names := make([]string, len(all))
	for i, e := range all {
		if e.Name == name {
			return e, nil
		}
		names[i] = e.Name
	}
	return Entry{}, fmt.Errorf("weights: no published file is called %q; near are %s; "+
		"gansim weights list shows all", name, strings.Join(near(name, names), ", "))
}

// parseManifest reads and checks a manifest.
func parseManifest(b []byte) ([]Entry, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var all []Entry
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("weights: manifest: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("weights: manifest: more follows the list")
	}
	names := map[string]bool{}
	for _, e := range all {
		if names[e.Name] {
			return nil, fmt.Errorf("weights: manifest: %s is there twice", e.Name)
		}
		names[e.Name] = true
	}
	for _, e := range all {
		err := e.check()
		for _, need := range e.Needs {
			if !names[need] {
				err = fmt.Errorf("needs %q, which is not an entry", need)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("weights: manifest: %s: %w", e.Name, err)
		}
	}
	return all, nil
}

// entryFields are the forms of the fields that become file names or are compared with hashes.
var entryFields = []struct {
	field string
	form  *regexp.Regexp
	value func(Entry) string
}{
	{"name", regexp.MustCompile(`^[a-z0-9][a-z0-9_]*$`), func(e Entry) string { return e.Name }},
	{"file", regexp.MustCompile(`^[\w-][\w.-]*$`), func(e Entry) string { return e.File }},
	{"sha256", regexp.MustCompile(`^([0-9a-f]{64})?$`), func(e Entry) string { return e.SHA256 }},
	{"sha256_prefix", regexp.MustCompile(`^([0-9a-f]{8,63})?$`),
		func(e Entry) string { return e.SHA256Prefix }},
	{"architecture", regexp.MustCompile(`^[a-z0-9]+$`), func(e Entry) string { return e.Architecture }},
	{"citation", regexp.MustCompile(`.`), func(e Entry) string { return e.Citation }},
	{"panels", regexp.MustCompile(`^a?b?c?d?$`),
		func(e Entry) string { return strings.Join(e.Panels, "") }},
}

// check says what is wrong with one entry.
func (e Entry) check() error {
	for _, f := range entryFields {
		if v := f.value(e); !f.form.MatchString(v) {
			return fmt.Errorf("%s is %q, want the form %s", f.field, v, f.form)
		}
	}
	if !strings.HasPrefix(e.SHA256, e.SHA256Prefix) && e.SHA256 != "" {
		return fmt.Errorf("sha256 %s does not begin with sha256_prefix %s", e.SHA256, e.SHA256Prefix)
	}
	if e.Size < 0 || e.Parameters < 0 {
		return fmt.Errorf("size is %d, parameters %d, want no negative", e.Size, e.Parameters)
	}
	if len(e.URLs) == 0 && e.Page == "" && e.Note == "" {
		return errors.New("no urls, and neither page nor note says where to look")
	}
	for _, s := range append(slices.Clone(e.URLs), e.Page) {
		u, err := url.Parse(s)
		if err != nil || s != "" && (u.Scheme != "https" || u.Host == "" || u.User != nil) {
			return fmt.Errorf("address %q, want https://…", s)
		}
	}
	return nil
}

// near returns the up to five names that take the fewest edits to reach, the nearest first.
func near(name string, names []string) []string {
	type candidate struct {
		name  string
		edits int
	}
	var c []candidate
	for _, n := range names {
		c = append(c, candidate{n, edits(strings.ToLower(name), n)})
	}
	slices.SortStableFunc(c, func(a, b candidate) int { return a.edits - b.edits })
	var out []string
	for _, c := range c[:min(5, len(c))] {
		out = append(out, c.name)
	}
	return out
}

// edits is the Levenshtein distance of two names in bytes; of a very long name the start counts.
func edits(a, b string) int {
	a = a[:min(len(a), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
