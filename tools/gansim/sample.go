package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/imaging"
	"gansim.example/gansim/mini"
	"gansim.example/weights"
)

// sheetLimit is the largest number of images on the contact sheet.
const sheetLimit = 400

// recipes lists a generator's recipes for codes; the first is that of its images in panel A.
func recipes(gan string) []string {
	return map[string][]string{
		"DeePSim": {"std4", "std1", "std0.5"},
		"BigGAN":  {"trunc0.7", "random", "std0.7", "std1", "norm0.7", "norm1.2", "evolve"},
	}[gan]
}

// sampling is one run of gansim sample; what is exported is its result as JSON.
type sampling struct {
	Generator string   `json:"generator"`
	Recipe    string   `json:"recipe"`
	Seed      uint64   `json:"seed"`
	N         int      `json:"n"`
	Weights   string   `json:"weights"` // SHA-256
	Backend   string   `json:"backend"`
	Sheet     string   `json:"sheet"`
	Codes     string   `json:"codes"`
	Images    []string `json:"images"`

	out   string
	cells []imaging.Cell
}

func sampleCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sample --gan NAME",
		Short: "Draw images from a generator",
		Long: "Sample draws codes and writes their images as NAME_000.png and on, a contact sheet of\n" +
			"the first " + strconv.Itoa(sheetLimit) +
			" as sample.png, and the codes as codes.safetensors.\nThe same seed gives the same bytes.",
		Example: "  gansim sample --gan BigGAN -n 32 --seed 7 --out results/biggan",
		Args:    arguments(),
	}
	gan, n := ganFlag(c), countFlag(c, 16, "of images")
	seed, out := seedFlag(c, "of the codes"), outFlag(c, "results/sample")
	backend, asJSON := backendFlag(c), jsonFlag(c)
	recipe := c.Flags().String("recipe", "", "of the codes (default: that of panel A), for\nDeePSim "+
		strings.Join(recipes("DeePSim"), ", ")+"; for\nBigGAN "+strings.Join(recipes("BigGAN"), ", "))
	complete(c, "recipe", append(recipes("DeePSim"), recipes("BigGAN")...))
	c.RunE = func(c *cobra.Command, _ []string) error {
		switch {
		case gan.value == "":
			return misused(c, "no --gan given, known are %s", strings.Join(gan.known, ", "))
		case *n < 1:
			return misused(c, "-n %d: want at least 1", *n)
		}
		s := &sampling{Generator: gan.value, Recipe: *recipe, Seed: *seed, N: *n,
			Backend: *backend, out: *out}
		if err := s.run(c); err != nil {
			return interrupted(err, "the same command: it starts over and gives the same images")
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), s)
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s: %d images by %s, recipe %s, seed %d\n", s.Sheet,
			s.N, s.Generator, s.Recipe, s.Seed)
		return err
	}
	return c
}

func (s *sampling) run(c *cobra.Command) error {
	w, err := mini.Open()
	if err != nil {
		return err
	}
	g, err := w.Generator(s.Generator)
	if err != nil {
		return err
	}
	if s.Recipe == "" {
		s.Recipe = recipes(s.Generator)[0]
	}
	codes, err := g.Draw(s.Recipe, rand.New(rand.NewPCG(s.Seed, 0)), s.N)
	if err != nil {
		return misused(c, "%w", err)
	}
	if err := checkOut(s.out); err != nil {
		return err
	}
	b, err := openBackend(c, s.Backend)
	if err != nil {
		return err
	}
	defer b.Finalize()
	s.Backend, s.Weights = b.Description(), w.Hashes[strings.ToLower(s.Generator)]
	progress := newProgress(c.ErrOrStderr(), s.Generator+" images")
	progress(0, s.N)
	decoder, err := decode.New(b, g)
	if err != nil {
		return err
	}
	err = decoder.Each(c.Context(), codes, func(first int, images gansim.Images) error {
		for i := range images.N {
			if err := s.image(images, i, first+i); err != nil {
				return err
			}
		}
		progress(first+images.N, s.N)
		return nil
	})
	if err != nil {
		return err
	}
	return s.finish(codes)
}

// image writes image i of a batch, which is number k of all.
func (s *sampling) image(images gansim.Images, i, k int) error {
	m, err := imaging.FromImages(images, i)
	if err != nil {
		return fmt.Errorf("%s: image %d: %w", s.Generator, k, err)
	}
	path := filepath.Join(s.out, fmt.Sprintf("%s_%03d.png", s.Generator, k))
	s.Images = append(s.Images, path)
	if len(s.cells) < sheetLimit {
		s.cells = append(s.cells, imaging.Cell{Picture: m})
	}
	return writePNG(path, m)
}

// finish writes the contact sheet and the codes.
func (s *sampling) finish(codes gansim.Codes) error {
	columns := int(math.Ceil(math.Sqrt(float64(len(s.cells)))))
	sheet, err := imaging.Montage(s.cells, imaging.MontageOptions{Columns: columns, Gap: 2})
	if err != nil {
		return err
	}
	s.Sheet = filepath.Join(s.out, "sample.png")
	if err := writePNG(s.Sheet, sheet); err != nil {
		return err
	}
	z, err := weights.FromFloats("z", weights.F32, []int{codes.N, codes.Dim}, codes.Z)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := weights.WriteSafetensors(&b, []weights.Tensor{z}, map[string]string{
		"generator": s.Generator, "recipe": s.Recipe, "seed": strconv.FormatUint(s.Seed, 10),
		"weights": s.Weights}); err != nil {
		return err
	}
	s.Codes = filepath.Join(s.out, "codes.safetensors")
	return renameio.WriteFile(s.Codes, b.Bytes(), 0o644)
}

// writePNG writes a picture, whole or not at all.
func writePNG(path string, m imaging.RGB) error {
	var b bytes.Buffer
	if err := imaging.EncodePNG(&b, m); err != nil {
		return err
	}
	return renameio.WriteFile(path, b.Bytes(), 0o644)
}
