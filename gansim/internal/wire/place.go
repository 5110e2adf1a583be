package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// maxSocket is shorter than what systems take as the path of a unix socket (104 bytes on macOS).
const maxSocket = 100

// Socket is the socket of the server of a program, by its path, and a backend; its folder is made
// if need be and belongs to the user alone.
func Socket(program, backend string) (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	if backend == "" {
		backend = "auto"
	}
	sum := sha256.Sum256([]byte(program + "\x00" + backend))
	path := filepath.Join(dir, hex.EncodeToString(sum[:6])+".sock")
	if len(path) >= maxSocket {
		return "", fmt.Errorf("wire: path of the socket is too long: %s", path)
	}
	return path, nil
}

// folder is $XDG_RUNTIME_DIR/gansim, or gansim-UID in the folder for temporary files.
func folder() (string, error) {
	own := "gansim-" + strconv.Itoa(os.Getuid())
	var dirs []string
	if run := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(run) {
		dirs = append(dirs, filepath.Join(run, "gansim"))
	}
	dirs = append(dirs, filepath.Join(os.TempDir(), own), filepath.Join("/tmp", own))
	var errs []error
	for _, dir := range dirs {
		if len(dir) > maxSocket-20 {
			errs = append(errs, fmt.Errorf("%s is too long for a socket", dir))
			continue
		}
		err := private(dir)
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("wire: no folder for the socket: %w", errors.Join(errs...))
}

// private makes a folder that belongs to the user alone, and refuses one that does not.
func private(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || !mine(info) {
		return fmt.Errorf("%s is not a folder of this user", dir)
	}
	if info.Mode().Perm() != 0o700 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// Build tells one build of a program from the next by its file's size and time.
func Build(program string) (string, error) {
	info, err := os.Stat(program)
	if err != nil {
		return "", fmt.Errorf("wire: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d", Version, info.Size(), info.ModTime().UnixNano()))
	return hex.EncodeToString(sum[:6]), nil
}
