package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/spf13/cobra"

	"github.com/gomlx/compute"

	"gansim.example/gansim"
	"gansim.example/gansim/decode"
	"gansim.example/gansim/models"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// verified is what verify found of one network.
type verified struct {
	Name       string  `json:"name"`
	SHA256     string  `json:"sha256"`
	Parameters int     `json:"parameters"`
	Output     string  `json:"output"` // of which run on a known input
	Mean       float64 `json:"mean"`
	Std        float64 `json:"std"`
}

func weightsVerifyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify NAME...",
		Short: "Check files, tensors and one run of networks",
		Long: "Verify hashes the fetched files again, checks every tensor's name, shape and values and\n" +
			"the number of parameters, and runs each network once: a generator on the code of seed 1,\n" +
			"any other network on a grey ramp.",
		Example: "  gansim weights verify --panel d\n" +
			"  gansim weights verify biggan_deep_256 --weights biggan_deep_256=my.bin",
	}
	chosen, files := selectionFlags(c), weightsFlag(c)
	backend, asJSON := backendFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		entries, err := chosen.entries(c, args)
		if err != nil {
			return err
		}
		b, err := openBackend(c, *backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		found := []verified{}
		var failed []error
		for _, e := range entries {
			v, err := verify(c, b, e, *files)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			found = append(found, v)
			if !*asJSON {
				fmt.Fprintf(c.OutOrStdout(), "%s: ok, %d parameters, %s mean %.4g std %.4g, sha256 %s\n",
					v.Name, v.Parameters, v.Output, v.Mean, v.Std, v.SHA256)
			}
		}
		if *asJSON {
			failed = append(failed, writeJSON(c.OutOrStdout(), found))
		}
		return errors.Join(failed...)
	}
	return c
}

func verify(c *cobra.Command, b compute.Backend, e weights.Entry, files weightFiles) (verified, error) {
	v := verified{Name: e.Name}
	if _, given := files[e.Name]; !given {
		if _, err := weights.Verify(e.Name); err != nil && !errors.Is(err, weights.ErrMissing) {
			return v, err
		}
	}
	m, err := models.Find(e.Name)
	if err != nil {
		return v, err
	}
	v.Parameters = m.Table.Count()
	if e.Parameters > 0 && int64(v.Parameters) != e.Parameters {
		return v, fmt.Errorf("%s: %d parameters, published are %d", e.Name, v.Parameters, e.Parameters)
	}
	net, hash, err := files.open(e.Name, nn.LoadOptions{})
	if err != nil {
		return v, err
	}
	v.SHA256 = hash
	out, name, err := runOnce(c, b, net)
	if err != nil {
		return v, fmt.Errorf("%s: %w", e.Name, err)
	}
	v.Output = name
	v.Mean, v.Std = spread(out)
	if math.IsNaN(v.Std) || math.IsInf(v.Std, 0) {
		return v, fmt.Errorf("%s: %s has values that are not finite", e.Name, name)
	}
	return v, nil
}

// runOnce runs a network on a known input.
func runOnce(c *cobra.Command, b compute.Backend, net models.Network) (out []float32, name string, err error) {
	if g, ok := net.(gansim.Generator); ok {
		codes, err := g.Draw(g.Recipes()[0], rand.New(rand.NewPCG(1, 0)), 1)
		if err != nil {
			return nil, "", err
		}
		d, err := decode.New(b, g)
		if err != nil {
			return nil, "", err
		}
		images, err := d.Images(c.Context(), codes)
		return images.Pix, "image of seed 1", err
	}
	return nil, "", errors.New("no way to run it")
}

func spread(v []float32) (mean, std float64) {
	for _, x := range v {
		mean += float64(x) / float64(len(v))
	}
	for _, x := range v {
		std += (float64(x) - mean) * (float64(x) - mean) / float64(len(v))
	}
	return mean, math.Sqrt(std)
}

var _ = Add
