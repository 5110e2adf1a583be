// Command world draws the page of samples of the miniature world, gansim/mini/README.md:
//
//	go run ./tools/world
//
// Its test fails when the page is not what the renderer draws today.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gansim.example/gansim/imaging"
	"gansim.example/gansim/mini/world"
)

// Where the page is, and the seed and the columns of its pictures.
const (
	folder  = "gansim/mini"
	seed    = 5
	columns = 12
)

func main() {
	files, err := page(context.Background())
	if err == nil {
		err = save(folder, files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "world:", err)
		os.Exit(1)
	}
}

func save(dir string, files map[string][]byte) error {
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// sets are the rows of the second picture, two each.
var sets = []struct {
	set        world.Set
	name, like string
}{
	{world.ImageNet, "ImageNet-like", "one object an image, classes in turn, any backdrop"},
	{world.EcoSet, "EcoSet-like", "smaller objects off centre on a ground, classes at uneven odds, one in " +
		"twelve a texture"},
	{world.Things, "THINGS-like", "one large, centred object before a nearly white backdrop"},
	{world.COCO, "COCO-like", "two to four small objects on a ground"},
}

// page draws the files of the page by name.
func page(ctx context.Context) (map[string][]byte, error) {
	classes, err := classRows(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := setRows(ctx)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"classes.png": classes, "sets.png": rows, "README.md": []byte(text())}, nil
}

// classRows has one row per label.
func classRows(ctx context.Context) ([]byte, error) {
	r, err := world.Batch(ctx, world.Request{Set: world.Train, Seed: seed, N: columns * world.NumClasses})
	if err != nil {
		return nil, err
	}
	var cells []imaging.Cell
	for label := range world.NumClasses {
		for i := range r.N {
			if int(r.Labels[i]) == label {
				cells = append(cells, cell(r.At(i)))
			}
		}
	}
	return montage(cells)
}

func setRows(ctx context.Context) ([]byte, error) {
	var cells []imaging.Cell
	for _, s := range sets {
		r, err := world.Batch(ctx, world.Request{Set: s.set, Seed: seed, N: 2 * columns})
		if err != nil {
			return nil, err
		}
		for i := range r.N {
			cells = append(cells, cell(r.At(i)))
		}
	}
	return montage(cells)
}

func cell(r world.Render) imaging.Cell {
	return imaging.Cell{Picture: imaging.RGB{Width: world.DefaultSize, Height: world.DefaultSize, Pix: r.Pix}}
}

func montage(cells []imaging.Cell) ([]byte, error) {
	m, err := imaging.Montage(cells, imaging.MontageOptions{Columns: columns, Gap: 2})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = imaging.EncodePNG(&b, m)
	return b.Bytes(), err
}

func text() string {
	var b bytes.Buffer
	fmt.Fprint(&b, `# The miniature world

A renderer draws twelve kinds of objects and four of textures; the embedded networks have learned from
its pictures. This page is drawn by `+"`go run ./tools/world`"+`, from a seed that no network has seen.

## Classes

Rows from the top: `)
	for i, name := range world.Classes() {
		if i > 0 {
			fmt.Fprint(&b, ", ")
		}
		fmt.Fprint(&b, name)
	}
	fmt.Fprint(&b, ".\n\n![Twelve samples of each of sixteen classes](classes.png)\n\n## Natural sets\n\n")
	for i, s := range sets {
		fmt.Fprintf(&b, "%d. rows %d and %d: **%s**, %s\n", i+1, 2*i+1, 2*i+2, s.name, s.like)
	}
	fmt.Fprint(&b, "\n![Two rows of samples of each of four sets](sets.png)\n")
	return b.String()
}
