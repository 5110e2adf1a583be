package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gomlx/compute"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/figure"
	"gansim.example/gansim/imaging"
)

// Options of a run.
type Options struct {
	Preset string   // see PresetNames
	Panels []string // letters; empty means all
	Photos string   // folder of photographs; empty means renders
	Out    string   // folder of the results
	// World holds the networks; nil means the miniature ones, which only some presets go with.
	World *World
	// Rates are Adam's in panel C, of DeePSim and BigGAN; zero means 0.1.
	Rates  [2]float64
	Rows   int  // of panel D, drawn from its grid with equal shares; zero means all
	Resume bool // go on from the finished parts of an interrupted run
	Seed   uint64
	// Images keeps all images and codes of panel B's last generations in the folder evolved.
	Images bool
	// Versions go to the report.
	Versions map[string]string
	// Progress is told what is done of a panel's work, one call at a time; nil means quiet.
	Progress func(panel string, done, total int)
	// Warn is told what was left out, such as unreadable photographs; nil means quiet.
	Warn func(text string)
	// Release is called after each panel, and each shard of panel D, to give freed memory back
	// (kernels.ReleaseMemory); nil means to keep it.
	Release func()

	preset *Preset // instead of the one named, in tests
}

// ErrInterrupted says that a folder holds an interrupted run.
var ErrInterrupted = errors.New("holds an interrupted run")

// env is what the panels share.
type env struct {
	Options
	preset  Preset
	backend compute.Backend
	world   *World
	store   store
	photos  *dataset.Photographs // nil without --photos
}

// Run computes the panels and writes every file of a result: figure, panels, rows and report.
func Run(ctx context.Context, backend compute.Backend, o Options) (*Report, error) {
	begin := time.Now()
	e, err := prepare(ctx, backend, o)
	if err != nil {
		return nil, err
	}
	report := &Report{Preset: e.preset.Name, World: e.world.Name, Seed: o.Seed,
		Weights: e.world.Hashes, Versions: o.Versions, Device: backend.Description()}
	page := figure.Figure{Miniature: e.world.Name == Miniature,
		Note: fmt.Sprintf("Preset %s, seed %d.", e.preset.Name, o.Seed)}
	for _, letter := range e.Panels {
		from := time.Now()
		var section *Section
		switch letter {
		case "a":
			section, page.A, err = e.panelA(ctx)
			report.A = section
		case "b":
			section, page.B, err = e.panelB(ctx)
			report.B = section
		case "c":
			section, page.C, err = e.panelC(ctx)
			report.C = section
		case "d":
			section, page.D, err = e.panelD(ctx)
			report.D = section
		}
		if err != nil {
			return nil, fmt.Errorf("panel %s: %w", letter, err)
		}
		section.Wall = time.Since(from).Seconds()
		e.release()
	}
	if _, err := page.Save(o.Out); err != nil {
		return nil, err
	}
	report.Wall = time.Since(begin).Seconds()
	if err := e.finish(report); err != nil {
		return nil, err
	}
	return report, nil
}

// release gives freed memory back, if there is a way.
func (e *env) release() {
	if e.Release != nil {
		e.Release()
	}
}

// prepare checks the options before anything is computed.
func prepare(ctx context.Context, backend compute.Backend, o Options) (*env, error) {
	var preset Preset
	var err error
	if o.preset != nil {
		preset = *o.preset
	} else if preset, err = FindPreset(o.Preset); err != nil {
		return nil, err
	}
	if o.Panels, err = chosen(o.Panels); err != nil {
		return nil, err
	}
	e := &env{Options: o, preset: preset, backend: backend}
	if e.world = o.World; e.world == nil {
		if e.world, err = MiniatureWorld(); err != nil {
			return nil, err
		}
	}
	if e.world.Name != preset.World {
		return nil, fmt.Errorf("experiment: preset %s is for %s networks, these are %s", preset.Name,
			preset.World, e.world.Name)
	}
	if preset.World == Published && o.Photos == "" && slices.Contains(o.Panels, "c") {
		return nil, ErrNoPhotos
	}
	e.store = store{dir: o.Out, origin: Origin{Preset: preset.Name, Seed: o.Seed,
		Weights: combined(e.world.Hashes), Precision: "float32"}}
	if o.Photos != "" {
		if err := e.readPhotos(ctx); err != nil {
			return nil, err
		}
	}
	e.store.inputs = e.inputs()
	return e, e.folder()
}

// inputs is a hash of what the user gives besides the networks, empty for nothing.
func (e *env) inputs() string {
	var given []string
	if e.world.Name != Miniature {
		for _, n := range e.world.Natural {
			given = append(given, n.Spec)
		}
	}
	if e.photos != nil {
		given = append(given, e.photos.SHA256...)
	}
	if given == nil {
		return ""
	}
	sum := sha256.New()
	for _, text := range given {
		fmt.Fprintln(sum, text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func chosen(letters []string) ([]string, error) {
	if len(letters) == 0 {
		return Panels(), nil
	}
	var out []string
	for _, known := range Panels() {
		if slices.Contains(letters, known) {
			out = append(out, known)
		}
	}
	for _, l := range letters {
		if !slices.Contains(Panels(), l) {
			return nil, fmt.Errorf("experiment: no panel %q, want some of %s", l,
				strings.Join(Panels(), ", "))
		}
	}
	return out, nil
}

// combined hashes the hashes of all networks.
func combined(hashes map[string]string) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(hashes)) {
		fmt.Fprintln(sum, name, hashes[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// folder makes the results' folder, proves that it can be written to and clears the parts of an
// earlier run. Those of an interrupted one are kept until the user decides.
func (e *env) folder() error {
	parts := filepath.Join(e.Out, partsDir)
	finished := filepath.Join(parts, "finished")
	if !e.Resume {
		kept, err := fs.Glob(os.DirFS(parts), "*.parquet")
		if err != nil {
			return fmt.Errorf("experiment: %w", err)
		}
		if _, err := os.Stat(finished); err != nil && len(kept) > 0 {
			return fmt.Errorf("experiment: %s %w", e.Out, ErrInterrupted)
		}
		if err := os.RemoveAll(parts); err != nil {
			return fmt.Errorf("experiment: %w", err)
		}
	}
	if err := os.MkdirAll(parts, 0o755); err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	if err := os.Remove(finished); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("experiment: %w", err)
	}
	f, err := os.CreateTemp(e.Out, ".writable-*")
	if err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (e *env) readPhotos(ctx context.Context) error {
	photos, err := dataset.Folder(ctx, e.Photos, imaging.ReadPhotograph, dataset.Options{
		Size: e.world.DeePSim.ImageSize(), Seed: e.Seed, Progress: e.tell("photographs")})
	if err != nil {
		return err
	}
	for _, s := range photos.Skipped {
		e.warn("skipped %s: %v", s.Name, s.Reason)
	}
	if len(photos.Skipped) > 0 {
		e.warn("%d of %d files in %s skipped", len(photos.Skipped), photos.Found, e.Photos)
	}
	e.photos = &photos
	return nil
}

func (e *env) warn(format string, args ...any) {
	if e.Warn != nil {
		e.Warn(fmt.Sprintf(format, args...))
	}
}

// tell gives a panel's progress function, which may be nil.
func (e *env) tell(panel string) func(done, total int) {
	if e.Progress == nil {
		return nil
	}
	return func(done, total int) { e.Progress(panel, done, total) }
}

// steps gives a function that counts a panel's finished steps; it is safe for concurrent use.
func (e *env) steps(panel string, total int) func() {
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if e.Progress != nil {
			e.Progress(panel, done, total)
		}
	}
}

// finish writes the report and marks the run as finished.
func (e *env) finish(r *Report) error {
	if err := r.save(e.Out); err != nil {
		return err
	}
	return write(filepath.Join(e.Out, partsDir, "finished"), nil)
}

// rng is the stream of random numbers of one use; it depends on the seed and the use alone.
func (e *env) rng(use string, index int) *rand.Rand {
	return rand.New(rand.NewPCG(e.stream(use), uint64(index)))
}

// stream is the seed of one use.
func (e *env) stream(use string) uint64 {
	sum := sha256.Sum256([]byte(use))
	var h uint64
	for _, b := range sum[:8] {
		h = h<<8 | uint64(b)
	}
	return e.Seed ^ h
}

// pictures turns images into 8-bit pictures.
func pictures(m gansim.Images, n int) ([]imaging.RGB, error) {
	var out []imaging.RGB
	for i := range min(n, m.N) {
		p, err := imaging.FromImages(m, i)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// kind is a generator's colour.
func kind(name string) figure.Kind {
	isControl := func(c Condition) bool { return c.Label == name && c.kind() == control }
	switch {
	case slices.ContainsFunc(Conditions(), isControl):
		return figure.Control
	case strings.HasPrefix(name, "DeePSim"):
		return figure.DeePSim
	case strings.HasPrefix(name, "BigGAN"):
		return figure.BigGAN
	}
	return figure.Natural
}
