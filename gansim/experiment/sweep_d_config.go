package experiment

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// ConfigD describes a sweep of panel D. It is read from YAML, with the fields' names in lower case.
type ConfigD struct {
	Name string `yaml:"name"` // preset of the rows
	// Like names a known configuration that gives the world, the parts, the rows and the size of shards
	// where this one does not.
	Like  string  `yaml:"like"`
	World string  `yaml:"world"` // of networks and generators: miniature or published
	Seed  uint64  `yaml:"seed"`
	Rows  int     `yaml:"rows"`  // so many runs, drawn by the seed with equal shares; zero means all
	Shard int     `yaml:"shard"` // the most runs that one shard holds; zero means 400
	Parts []PartD `yaml:"parts"`
}

// PartD is a full grid of runs: all networks, layers, channels, generators, labels and replicates.
type PartD struct {
	Part     string   `yaml:"part"` // its name in the plan's summary
	Networks []string `yaml:"networks"`
	// RF are layers whose runs show the images in the unit's receptive field, Full those whose images
	// fill the visual field; in either spelling, and a layer may be in both.
	RF         []string `yaml:"rf"`
	Full       []string `yaml:"full"`
	Channels   Choice   `yaml:"channels"`
	Generators []string `yaml:"generators"`
	Labels     []string `yaml:"labels"` // optimisers, see actmax.Labels
	// Replicates counts the batches of each unit and label, from number FirstReplicate; zero means 1.
	Replicates     int `yaml:"replicates"`
	FirstReplicate int `yaml:"first_replicate"`
	// Samples is the size of these batches, within which runs are ranked; zero means 1. All labels of
	// a unit start from the same samples, as in the original script.
	Samples int `yaml:"samples"`
	Steps   int `yaml:"steps"`
}

// Choice is a choice of channels in the form of actmax.ParseChannels. In YAML it is one, as 0-9, or a
// list.
type Choice string

// UnmarshalYAML takes 7, 0-9, random:6 or a list of numbers and ranges.
func (c *Choice) UnmarshalYAML(node ast.Node) error {
	var v any
	if err := yaml.NodeToValue(node, &v); err != nil {
		return err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var all []string
	for _, item := range list {
		switch item.(type) {
		case string, uint64:
			all = append(all, fmt.Sprint(item))
		default:
			return fmt.Errorf("line %d: channels of %T, want 7, 0-9, random:6 or a list",
				node.GetToken().Position.Line, item)
		}
	}
	*c = Choice(strings.Join(all, ","))
	return nil
}

//go:embed panel_d/*.yaml
var configsD embed.FS

// ConfigNamesD lists the known configurations.
func ConfigNamesD() []string { return []string{"smoke", "class", "lab", "paper"} }

// FindConfigD gives a configuration by name; an unknown name is an error that lists the known ones.
func FindConfigD(name string) (*ConfigD, error) {
	if !slices.Contains(ConfigNamesD(), name) {
		return nil, fmt.Errorf("experiment: no sweep %q, want one of %s", name,
			strings.Join(ConfigNamesD(), ", "))
	}
	f, err := configsD.Open(path.Join("panel_d", name+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	defer f.Close()
	return ReadConfigD(f)
}

// Limits of a configuration. Its size is bounded by the YAML library, whose time grows with the square:
// 64 KiB of line ends in a text took it 53 s.
const (
	maxConfig  = 16 << 10 // bytes; the published grid takes 1,900
	maxLines   = 1000     // the published grid has 51
	maxNesting = 8        // the published grid nests 3 deep
)

// ReadConfigD reads a configuration. Unknown fields, wrong types and whatever is no plain YAML are
// errors of one line that name line and field; what the fields say is checked by [NewPlanD].
func ReadConfigD(r io.Reader) (*ConfigD, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("experiment: sweep: %w", err)
	}
	c := &ConfigD{}
	if err := c.read(text); err != nil {
		return nil, fmt.Errorf("experiment: sweep: %w", err)
	}
	if c.Like == "" {
		return c, nil
	}
	like, err := FindConfigD(c.Like)
	if err != nil {
		return nil, err
	}
	c.World = cmp.Or(c.World, like.World)
	c.Rows, c.Shard = cmp.Or(c.Rows, like.Rows), cmp.Or(c.Shard, like.Shard)
	if len(c.Parts) == 0 {
		c.Parts = like.Parts
	}
	return c, nil
}

func (c *ConfigD) read(text []byte) error {
	switch {
	case len(text) > maxConfig:
		return fmt.Errorf("more than %d bytes", maxConfig)
	case bytes.Count(text, []byte("\n")) > maxLines:
		return fmt.Errorf("more than %d lines", maxLines)
	case !utf8.Valid(text):
		return errors.New("not UTF-8")
	}
	if err := checkTokens(lexer.Tokenize(string(text))); err != nil {
		return err
	}
	d := yaml.NewDecoder(strings.NewReader(string(text)), yaml.Strict())
	if err := d.Decode(c); errors.Is(err, io.EOF) {
		return errors.New("empty")
	} else if err != nil {
		return lineOf(err)
	}
	if err := d.Decode(new(ConfigD)); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}

// checkTokens refuses what a configuration has no use for and what can blow up a reader: anchors,
// aliases, tags and deep nesting.
func checkTokens(all token.Tokens) error {
	depth, entries, line := 0, 0, 0
	for _, t := range all {
		if t.Position.Line != line {
			entries, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.TagType, token.MergeKeyType:
			return fmt.Errorf("line %d: anchors, aliases and tags are not taken", line)
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType:
			entries++
		}
		if depth > maxNesting || entries > maxNesting || t.Position.IndentNum > 8*maxNesting {
			return fmt.Errorf("line %d: nested more than %d deep", line, maxNesting)
		}
	}
	return nil
}

// lineOf is a YAML error as one line that can be shown.
func lineOf(err error) error {
	message, line := err.Error(), 0
	var e yaml.Error
	if errors.As(err, &e) && e.GetToken() != nil {
		message, line = e.GetMessage(), e.GetToken().Position.Line
	}
	message = printable(message)
	if line > 0 {
		return fmt.Errorf("line %d: %s", line, message)
	}
	return errors.New(message)
}

// maxShown is how much of a text of others an error repeats, in runes.
const maxShown = 200

// printable escapes what is not printable and shortens.
func printable(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxShown {
			b.WriteString("...")
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
