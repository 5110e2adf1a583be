package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/models"
	"gansim.example/gansim/nn"
)

// timing is one line of bench.
type timing struct {
	Net      string  `json:"net"`
	Batch    int     `json:"batch"`
	Gradient bool    `json:"gradient"` // at the input, of the sum of the outputs' squares
	First    float64 `json:"first_s"`  // the first call: build, compile, run
	Best     float64 `json:"best_s"`   // the smallest of the later ones
	PerImage float64 `json:"ms_per_image"`
}

// timed are the networks of the figure that bench times by default.
var timed = []string{"deepsim_fc6", "biggan_deep_256", "alexnet", "resnet50", "fid_inception", "yolov8n"}

func benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Time networks, forward and with the gradient at their input",
		Long: "Bench times the published networks with random weights: the smallest of several calls.\n" +
			"GENERATOR+CLASSIFIER times both in a chain; its gradient is a step of panel D.\n" +
			"tools/reference/bench.py times the same jobs in PyTorch.",
		Example: "  gansim bench --net deepsim_fc6 --batch 8 --grad --backend xla:cpu\n" +
			"  gansim bench --net deepsim_fc6+resnet50 --grad",
		Args: arguments(),
	}
	var known []string
	for _, m := range models.All() {
		known = append(known, m.Name)
	}
	net := c.Flags().StringSlice("net", nil, "networks by `name` (default: "+
		strings.Join(timed[:3], ", ")+",\n"+strings.Join(timed[3:], ", ")+")")
	complete(c, "net", known)
	batch := c.Flags().Int("batch", 4, "images at once")
	calls := countFlag(c, 9, "of calls after the first")
	grad := c.Flags().Bool("grad", false, "only with the gradient (default: without and with)")
	size := c.Flags().Int("size", 0, "height and width of images in pixels (default: the network's)")
	backend, asJSON := backendFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *batch < 1 || *calls < 1 {
			return misused(c, "--batch %d, -n %d: want at least 1", *batch, *calls)
		}
		b, err := openBackend(c, *backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		if len(*net) == 0 {
			*net = timed
		}
		jobs := []bool{false, true}
		if *grad {
			jobs = jobs[1:]
		}
		var found []timing
		for _, name := range *net {
			t, err := timesOf(c, b, name, jobs, *size, *batch, *calls)
			if err != nil {
				return err
			}
			found = append(found, t...)
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), map[string]any{"device": b.Description(),
				"processors": runtime.GOMAXPROCS(0), "timings": found})
		}
		fmt.Fprintf(c.OutOrStdout(), "%s, %d processors\n", b.Description(), runtime.GOMAXPROCS(0))
		return writeTimings(c.OutOrStdout(), found)
	}
	return c
}

// timesOf clocks a network without its gradient, with it, or both.
func timesOf(c *cobra.Command, b compute.Backend, name string, gradients []bool, size, batch, calls int) (
	found []timing, err error) {
	net, shape, err := findTimed(name)
	if err != nil {
		return nil, misused(c, "%w", err)
	}
	if len(shape) == 3 && size > 0 {
		shape = []int{size, size, 3}
	}
	for _, gradient := range gradients {
		t := timing{Net: name, Batch: batch, Gradient: gradient}
		if err := t.clock(c, b, net, shape, calls); err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return found, nil
}

// findTimed gives a network with random tensors and the shape of one input: a published network, or
// GENERATOR+SCORER, whose gradient is a step of panel D.
func findTimed(name string) (models.Network, []int, error) {
	if generator, scorer, ok := strings.Cut(name, "+"); ok {
		g, shape, err := findTimed(generator)
		if err != nil {
			return nil, nil, err
		}
		s, _, err := findTimed(scorer)
		if err != nil {
			return nil, nil, err
		}
		var c models.Chain
		var okG, okS bool
		c.Generator, okG = g.(gansim.Generator)
		c.Scorer, okS = s.(gansim.Scorer)
		if !okG || !okS {
			return nil, nil, fmt.Errorf("%s: want a generator and a classifier, such as "+
				"deepsim_fc6+resnet50", name)
		}
		return c, shape, nil
	}
	m, err := models.Find(name)
	if err != nil {
		return nil, nil, err
	}
	net, err := m.Load(m.Table.Random(1), nn.LoadOptions{})
	return net, m.Plan.Input, err
}

// clock times one network on inputs of a shape.
func (t *timing) clock(c *cobra.Command, b compute.Backend, net models.Network, input []int,
	calls int) error {
	t.Best = math.Inf(1)
	shape := append([]int{t.Batch}, input...)
	job, err := models.NewJob(b, net, t.Gradient, draw(shape), shape...)
	if err != nil {
		return err
	}
	for k := range calls + 1 {
		if err := c.Context().Err(); err != nil {
			return err
		}
		begin := time.Now()
		if err := job(); err != nil {
			return fmt.Errorf("%s: %w", t.Net, err)
		}
		if took := time.Since(begin).Seconds(); k == 0 {
			t.First = took
		} else {
			t.Best = min(t.Best, took)
		}
	}
	t.PerImage = 1e3 * t.Best / float64(t.Batch)
	return nil
}

// draw draws codes from N(0, 1), images from [0, 1).
func draw(shape []int) []float32 {
	n := 1
	for _, d := range shape {
		n *= d
	}
	rng := rand.New(rand.NewPCG(1, 0))
	v := make([]float32, n)
	for i := range v {
		if len(shape) == 2 {
			v[i] = float32(rng.NormFloat64())
		} else {
			v[i] = rng.Float32()
		}
	}
	return v
}

func writeTimings(w io.Writer, found []timing) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "net\tbatch\tjob\tfirst call s\tbest s\tms per image\t")
	for _, x := range found {
		job := "forward"
		if x.Gradient {
			job = "gradient"
		}
		fmt.Fprintln(t, strings.Join([]string{x.Net, fmt.Sprint(x.Batch), job, fmt.Sprintf("%.2f", x.First),
			fmt.Sprintf("%.4f", x.Best), fmt.Sprintf("%.2f", x.PerImage), ""}, "\t"))
	}
	return t.Flush()
}
