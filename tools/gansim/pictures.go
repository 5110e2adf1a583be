package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/dataset"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/mini/world"
)

// pictureSet is a set of pictures of one size.
type pictureSet struct {
	images        gansim.Images
	names, hashes []string // hashes are empty for renders
}

// openPictures reads n pictures of a set, or all it has if those are fewer: photographs of a folder,
// drawn by the seed, or renders of the miniature world (mini:NAME).
func openPictures(c *cobra.Command, set string, size, n int, seed uint64) (pictureSet, error) {
	name, isMini := strings.CutPrefix(set, "mini:")
	if !isMini {
		p, err := dataset.Folder(c.Context(), set, imaging.ReadPhotograph, dataset.Options{Size: size, N: n,
			Seed: seed, Progress: newProgress(c.ErrOrStderr(), "photographs")})
		for _, s := range p.Skipped {
			fmt.Fprintf(c.ErrOrStderr(), "gansim: skipped %s: %v\n", s.Name, s.Reason)
		}
		if err != nil && p.Found > 0 && !errors.Is(err, dataset.ErrNoImages) {
			err = hinted{err, "choose fewer with -n, or fewer for the pilot"}
		}
		return pictureSet{p.Images, p.Names, p.SHA256}, err
	}
	r, err := renders(c, name, n, seed)
	if err != nil {
		return pictureSet{}, err
	}
	s := pictureSet{images: r, hashes: make([]string, n)}
	for i := range n {
		s.names = append(s.names, fmt.Sprintf("%s %03d", set, i))
	}
	if r.Height != size {
		return s, fmt.Errorf("%s has pictures of %d pixels, the generator makes %d", set, r.Height, size)
	}
	return s, nil
}

func renders(c *cobra.Command, name string, n int, seed uint64) (gansim.Images, error) {
	set, err := world.ParseSet(name)
	if err != nil {
		return gansim.Images{}, misused(c, "%w", err)
	}
	r, err := world.Batch(c.Context(), world.Request{Set: set, Seed: seed + heldOut, N: n})
	if err != nil {
		return gansim.Images{}, err
	}
	return r.Images(), nil
}

// heldOut is added to the seed for renders that no network has learned from.
const heldOut = 1 << 33
