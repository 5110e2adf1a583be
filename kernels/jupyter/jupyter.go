// Package jupyter installs and runs gansim's kernels for Jupyter. A kernel is GoNB, which compiles and
// runs cells of Go, with pinned tools, in a module that requires the checkout at hand; package proxy
// stands before it. Jupyter itself lives in a Python environment of pinned wheels, see [Environment].
package jupyter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// module is the path of the module that notebooks import.
const module = "gansim.example"

// ErrNoCheckout says that no folder with gansim's source code was found.
var ErrNoCheckout = errors.New("no checkout of gansim: cd into it, or set GANSIM_ROOT to its folder")

// Root is the checkout of gansim that a folder lies in; else $GANSIM_ROOT, the one that this program
// lies in, or the one that it was built from.
func Root(dir string) (string, error) {
	if root := above(dir); root != "" {
		return root, nil
	}
	if root := os.Getenv("GANSIM_ROOT"); root != "" {
		if found := above(root); found != "" {
			return found, nil
		}
		return "", fmt.Errorf("jupyter: GANSIM_ROOT is %s: %w", root, ErrNoCheckout)
	}
	if exe, err := os.Executable(); err == nil {
		if root := above(filepath.Dir(exe)); root != "" {
			return root, nil
		}
	}
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		if root := above(filepath.Dir(file)); root != "" {
			return root, nil
		}
	}
	return "", fmt.Errorf("jupyter: %w", ErrNoCheckout)
}

// above looks for the module's folder from dir upwards; empty if there is none.
func above(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module "+module+"\n")) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}
