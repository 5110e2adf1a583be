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
			"tools/reference/bench.py times the same jobs in PyTorch.",
		Example: "  gansim bench --net deepsim_fc6 --batch 8 --grad --backend xla:cpu",
		Args:    arguments(),
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
		var found []timing
		for _, name := range *net {
			m, err := models.Find(name)
			if err != nil {
				return misused(c, "%w", err)
			}
			if len(m.Plan.Input) == 3 && *size > 0 {
				m.Plan.Input = []int{*size, *size, 3}
			}
			for _, gradient := range []bool{false, true} {
				if *grad && !gradient {
					continue
				}
				t, err := clock(c, b, m, *batch, *calls, gradient)
				if err != nil {
					return err
				}
				found = append(found, t)
			}
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

// clock times one network.
func clock(c *cobra.Command, b compute.Backend, m models.Model, batch, calls int, gradient bool) (
	timing, error) {
	t := timing{Net: m.Name, Batch: batch, Gradient: gradient, Best: math.Inf(1)}
	net, err := m.Load(m.Table.Random(1), nn.LoadOptions{})
	if err != nil {
		return t, err
	}
	shape := append([]int{batch}, m.Plan.Input...)
	job, err := models.NewJob(b, net, gradient, input(shape), shape...)
	if err != nil {
		return t, err
	}
	for k := range calls + 1 {
		if err := c.Context().Err(); err != nil {
			return t, err
		}
		begin := time.Now()
		if err := job(); err != nil {
			return t, fmt.Errorf("%s: %w", m.Name, err)
		}
		if took := time.Since(begin).Seconds(); k == 0 {
			t.First = took
		} else {
			t.Best = min(t.Best, took)
		}
	}
	t.PerImage = 1e3 * t.Best / float64(batch)
	return t, nil
}

// input draws codes from N(0, 1), images from [0, 1).
func input(shape []int) []float32 {
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
