package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim/models"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// verified is what verify found of one network.
type verified struct {
	Name       string  `json:"name"`
	SHA256     string  `json:"sha256"`
	Parameters int     `json:"parameters"`
	Mean       float64 `json:"mean"` // of the output for a known input
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
				fmt.Fprintf(c.OutOrStdout(), "%s: ok, %d parameters, output mean %.4g std %.4g, sha256 %s\n",
					v.Name, v.Parameters, v.Mean, v.Std, v.SHA256)
			}
		}
		if *asJSON {
			failed = append(failed, writeJSON(c.OutOrStdout(), found))
		}
		return errors.Join(failed...)
	}
	return c
}

func verify(c *cobra.Command, b compute.Backend, e weights.Entry, files networkFiles) (verified, error) {
	v := verified{Name: e.Name}
	if _, given := files.weightFiles[e.Name]; !given {
		if _, err := weights.Verify(e.Name); err != nil && !errors.Is(err, weights.ErrMissing) {
			return v, err
		}
	}
	m, err := models.Find(e.Name)
	if err != nil { // a part of another network
		return v, v.part(files)
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
	out, err := runOnce(b, m, net)
	if err != nil {
		return v, fmt.Errorf("%s: %w", e.Name, err)
	}
	v.Mean, v.Std = spread(out)
	if math.IsNaN(v.Std) || math.IsInf(v.Std, 0) {
		return v, fmt.Errorf("%s: its output has values that are not finite", e.Name)
	}
	return v, nil
}

// part checks the values of a file that is no network by itself.
func (v *verified) part(files networkFiles) error {
	path, err := files.path(v.Name)
	if err != nil {
		return err
	}
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	for _, t := range f.Tensors {
		v.Parameters += t.Len()
	}
	v.SHA256 = f.SHA256()
	if *files.strict {
		return f.CheckFinite()
	}
	return nil
}

// runOnce runs a network on a known input: a generator on 0.7 N(0, 1) of seed 1, any other on a ramp
// of grey from left to right.
func runOnce(b compute.Backend, m models.Model, net models.Network) ([]float32, error) {
	shape := append([]int{1}, m.Plan.Input...)
	input := make([]float32, 1)
	for _, d := range shape {
		input = append(input, make([]float32, len(input)*(d-1))...)
	}
	rng := rand.New(rand.NewPCG(1, 0))
	for i := range input {
		if len(shape) == 2 {
			input[i] = float32(.7 * rng.NormFloat64())
		} else {
			input[i] = float32(i/3%shape[2]) / float32(shape[2])
		}
	}
	return models.Run(b, net, input, shape...)
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
