// Package dataset reads sets of images: [Folder] a folder of photographs as square images,
// [n, size, size, 3] in [0, 1], and [Open] and [Stream] sets of any size and form, image by image.
// Every file comes with its name and SHA-256. Files that cannot be read are skipped, counted and
// named with their reason. What is read does not depend on the number of workers or on the order in
// which the disk lists files; a subset is drawn from a seed, and both are part of the result.
//
// How a file becomes an image is the caller's: imaging.ReadPhotograph is the usual [Reader].
package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"gansim.example/gansim"
)

// ErrNoImages is wrapped when a folder holds no file that can be read as an image.
var ErrNoImages = errors.New("no readable images")

// Reader reads one file as an image [1, size, size, 3] in [0, 1]. It is called by several
// goroutines at once.
type Reader func(r io.Reader, size int) (gansim.Images, error)

// Options of [Open], [Folder] and [Files]; the zero value reads all files at the size of the paper.
type Options struct {
	// Size is the height and width of the images of Folder and Files; zero means 256, as BigGAN and
	// DeePSim draw.
	Size    int
	N       int    // images wanted; zero means every readable one
	Seed    uint64 // chooses the N
	Workers int    // files read at a time; zero means 2
	Strict  bool   // a file that cannot be read is an error
	// Openers know, by prefix, the specs of Open that draw images.
	Openers map[string]Opener

	// Progress is told how many files of how many are done; nil means quiet. Calls never overlap.
	// The total grows where other files replace bad ones in a subset.
	Progress func(done, total int)
}

// withDefaults fills zero fields and refuses negative ones.
func (o Options) withDefaults() (Options, error) {
	if o.Size < 0 || o.N < 0 || o.Workers < 0 {
		return o, fmt.Errorf("dataset: options: size %d, n %d, workers %d, want none negative",
			o.Size, o.N, o.Workers)
	}
	if o.Size == 0 {
		o.Size = 256
	}
	if o.Workers == 0 {
		o.Workers = 2
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	return o, nil
}

// Skipped is a file or folder that could not be read.
type Skipped struct {
	Name   string // path below the folder, with slashes
	Reason error
}

// Duplicate is an image whose file has the same bytes as an earlier one; both are kept.
type Duplicate struct{ Name, Of string }

// Photographs are the images of a folder, ordered by name. The caller owns them.
type Photographs struct {
	Images     gansim.Images
	Names      []string // paths below the folder, with slashes
	SHA256     []string // of the files, hexadecimal
	Skipped    []Skipped
	Duplicates []Duplicate

	Found int    // files in the folder
	N     int    // images asked for; zero means all
	Seed  uint64 // that chose them
}

// Folder reads the photographs of a folder and of the folders in it. With N, it draws files by
// [Choose] until N of them were readable; fewer are an error. A folder that is missing or empty, or
// has no readable image, is an error; the last two wrap [ErrNoImages] and also return what was
// skipped. If ctx ends, the error wraps its error.
func Folder(ctx context.Context, dir string, read Reader, o Options) (Photographs, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Photographs{}, err
	}
	names, unread, err := List(ctx, dir)
	if err != nil {
		return Photographs{}, err
	}
	out := Photographs{Skipped: unread, Found: len(names), N: o.N, Seed: o.Seed}
	if len(names) == 0 {
		return out, fmt.Errorf("dataset: folder %s has no files: %w", dir, ErrNoImages)
	}
	want := len(names)
	if o.N > 0 {
		names, want = Choose(names, o.Seed), o.N
	}
	b := batch{dir: dir, read: read, options: o}
	for next := 0; len(b.items) < want && next < len(names); {
		end := min(next+want-len(b.items), len(names))
		if err := b.add(ctx, names[next:end]); err != nil {
			return out, err
		}
		next = end
	}
	b.finish(&out)
	return out, out.check(dir, o)
}

// check turns what was found into an error where it is not what was asked for.
func (p *Photographs) check(dir string, o Options) error {
	bad := ""
	if len(p.Skipped) > 0 {
		first := p.Skipped[0]
		bad = fmt.Sprintf("; %d skipped, first %s: %v", len(p.Skipped), first.Name, first.Reason)
	}
	switch {
	case p.Images.N == 0:
		return fmt.Errorf("dataset: folder %s, %d files: %w%s", dir, p.Found, ErrNoImages, bad)
	case o.N > 0 && p.Images.N < o.N:
		return fmt.Errorf("dataset: folder %s: %d readable images of %d files, want %d%s", dir,
			p.Images.N, p.Found, o.N, bad)
	case o.Strict && bad != "":
		return fmt.Errorf("dataset: folder %s: strict%s", dir, bad)
	}
	return nil
}

// Files reads files of a folder by name, in the given order, for sets too large for memory: [List]
// once, then pieces of the list. N and Seed are not used. No readable image is not an error here,
// unless Strict.
func Files(ctx context.Context, dir string, names []string, read Reader, o Options) (Photographs,
	error) {
	o, err := o.withDefaults()
	if err != nil {
		return Photographs{}, err
	}
	o.N, o.Seed = 0, 0
	out := Photographs{Found: len(names)}
	b := batch{dir: dir, read: read, options: o}
	if err := b.add(ctx, names); err != nil {
		return out, err
	}
	b.finish(&out)
	if o.Strict && len(out.Skipped) > 0 {
		return out, out.check(dir, o)
	}
	return out, nil
}

// Choose returns the names in a random order that depends on the seed and on the names' sorted
// order alone: its first n are a sample without replacement (PCG, Fisher-Yates).
func Choose(names []string, seed uint64) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	shuffle(out, seed)
	return out
}

func shuffle[T any](list []T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}
