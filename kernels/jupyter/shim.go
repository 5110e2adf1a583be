package jupyter

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// shim stands in for the go command where GoNB calls it.
//
//go:embed go.sh
var shim []byte

// ModInit makes the module of a kernel in dir: it has the requirements of the checkout at root, and
// requires that checkout itself. Goes by the name of the go command's own mod init, which it replaces.
func ModInit(ctx context.Context, dir, name, root string) error {
	if root == "" {
		return fmt.Errorf("jupyter: %w", ErrNoCheckout)
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, os.ErrNotExist) && file == "go.sum" {
			continue // nothing is required
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			return err
		}
	}
	text, err := goCommand(ctx, dir, "mod", "edit", "-json")
	if err != nil {
		return err
	}
	var m struct {
		Tool    []struct{ Path string }
		Ignore  []struct{ Path string }
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	edit := []string{"mod", "edit", "-module=" + name, "-require=" + module + "@v0.0.0",
		"-replace=" + module + "=" + root}
	for _, t := range m.Tool {
		edit = append(edit, "-droptool="+t.Path)
	}
	for _, i := range m.Ignore {
		edit = append(edit, "-dropignore="+i.Path)
	}
	for _, r := range m.Replace {
		if r.New.Version != "" || filepath.IsAbs(r.New.Path) {
			continue
		}
		old := r.Old.Path
		if r.Old.Version != "" {
			old += "@" + r.Old.Version
		}
		edit = append(edit, "-replace="+old+"="+filepath.Join(root, r.New.Path))
	}
	_, err = goCommand(ctx, dir, edit...)
	return err
}

// goCommand runs the real go command, not the shim.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	name := os.Getenv("GANSIM_GO")
	if name == "" {
		name = "go"
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("go %s: %w: %s", args[0], err, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}
