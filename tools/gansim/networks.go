package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gansim.example/gansim/models"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// weightFiles is the value of --weights: files of networks by name.
type weightFiles map[string]string

// networkFiles opens networks: by --weights NAME=PATH or from what was fetched.
type networkFiles struct {
	weightFiles
	command *cobra.Command
	strict  *bool
}

// weightsFlag adds --weights NAME=PATH and --strict.
func weightsFlag(c *cobra.Command) *networkFiles {
	v := &networkFiles{weightFiles: weightFiles{}, command: c}
	c.Flags().Var(v, "weights", "a network's `NAME=PATH` in place of the fetched file; may be repeated")
	v.strict = c.Flags().Bool("strict", false, "refuse weights that are not finite, in place of a warning")
	return v
}

// String lists the files.
func (v weightFiles) String() string {
	var all []string
	for name, path := range v {
		all = append(all, name+"="+path)
	}
	return strings.Join(all, ",")
}

// Type is the flag's placeholder in the help.
func (v weightFiles) Type() string { return "name=path" }

// Set takes NAME=PATH.
func (v weightFiles) Set(s string) error {
	name, path, ok := strings.Cut(s, "=")
	if !ok || name == "" || path == "" {
		return errors.New("want NAME=PATH")
	}
	if _, err := weights.Find(name); err != nil {
		return err
	}
	v[name] = path
	return nil
}

// path is the file of a network: the one given, or the fetched one.
func (v weightFiles) path(name string) (string, error) {
	if path, ok := v[name]; ok {
		return path, nil
	}
	path, err := weights.Path(name)
	if errors.Is(err, weights.ErrMissing) {
		err = hinted{fmt.Errorf("the weights of %s are not here", name),
			fmt.Sprintf("gansim weights fetch %s, or --weights %s=PATH", name, name)}
	}
	return path, err
}

// absent says that a network's weights are neither given nor fetched.
func (v weightFiles) absent(name string) bool {
	if _, given := v[name]; given {
		return false
	}
	_, err := weights.Path(name)
	return errors.Is(err, weights.ErrMissing)
}

// open loads a published network; hash is the SHA-256 of its file.
func (v networkFiles) open(name string, o nn.LoadOptions) (net models.Network, hash string, err error) {
	if !*v.strict {
		o.Warn = func(text string) { fmt.Fprintf(v.command.ErrOrStderr(), "gansim: %s: %s\n", name, text) }
	}
	m, err := models.Find(name)
	if err != nil {
		return nil, "", misuse{err}
	}
	path, err := v.path(name)
	if err != nil {
		return nil, "", err
	}
	paths := []string{path}
	if e, err := weights.Find(name); err == nil {
		for _, needed := range e.Needs {
			if p, err := v.path(needed); err == nil { // else the file may hold everything
				paths = append(paths, p)
			}
		}
	}
	net, file, err := m.Open(o, paths...)
	if err != nil {
		return nil, "", err
	}
	return net, file.SHA256(), nil
}
