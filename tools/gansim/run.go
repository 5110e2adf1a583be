package main

import (
	"fmt"
	"slices"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"gansim.example/gansim/models"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

func runCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run NAME",
		Short: "Run a published network on a file of inputs",
		Long: "Run reads codes [n, d] or images [n, 3, height, width] in [0, 1] from the first tensor of a\n" +
			"file (safetensors, npy, npz, PyTorch), runs the network on them, and writes its output, or the\n" +
			"activation of a layer, as safetensors. Arrays are in PyTorch's layout.",
		Example: "  gansim run deepsim_fc6 --input codes.npy --to images.safetensors\n" +
			"  gansim run resnet50 --layer .layer2.Bottleneck3 --input images.npy --to act.safetensors",
		Args: arguments("NAME"),
	}
	input := c.Flags().String("input", "", "`file` with the inputs")
	to := c.Flags().String("to", "", "`file` for the output, safetensors")
	layer := c.Flags().String("layer", "", "`name` of a layer (default: the network's output)")
	batch := c.Flags().Int("batch", 8, "items at once")
	files, backend := weightsFlag(c), backendFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *input == "":
			return misused(c, "no --input given")
		case *to == "":
			return misused(c, "no --to given")
		case *batch < 1:
			return misused(c, "--batch %d: want at least 1", *batch)
		}
		shape, values, err := firstTensor(*input)
		if err != nil {
			return err
		}
		m, err := models.Find(args[0])
		if err != nil {
			return misused(c, "%w", err)
		}
		if len(shape) != len(m.Plan.Input)+1 || len(shape) == 2 && shape[1] != m.Plan.Input[0] ||
			len(shape) == 4 && shape[1] != 3 {
			return fmt.Errorf("%s: the first tensor is %v, %s reads %s", *input, shape, m.Name, reads(m))
		}
		net, _, err := files.open(args[0], nn.LoadOptions{})
		if err != nil {
			return err
		}
		b, err := openBackend(c, *backend)
		if err != nil {
			return err
		}
		defer b.Finalize()
		progress := newProgress(c.ErrOrStderr(), m.Name)
		out, dims, err := models.Outputs(c.Context(), b, net, *layer, values, shape,
			models.OutputOptions{Batch: *batch, Progress: progress})
		if err != nil {
			return interrupted(err, "the same command: it starts over")
		}
		if err := writeOutput(*to, dims, out); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s: output %v of %s\n", *to, dims, m.Name)
		return err
	}
	return c
}

// writeOutput writes one tensor as safetensors; the file appears whole or not at all.
func writeOutput(path string, dims []int, values []float32) error {
	t, err := weights.FromFloats("output", weights.F32, dims, values)
	if err != nil {
		return err
	}
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer f.Cleanup() //nolint:errcheck // only matters after an error
	if _, err = weights.WriteSafetensors(f, []weights.Tensor{t}, nil); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

// reads says what a network's inputs are, in PyTorch's layout.
func reads(m models.Model) string {
	if d := m.Plan.Input; len(d) == 1 {
		return fmt.Sprintf("codes [n, %d]", d[0])
	}
	return "images [n, 3, height, width]"
}

// firstTensor reads the first tensor of a file.
func firstTensor(path string) (shape []int, values []float32, err error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, nil, err
	}
	if len(f.Tensors) == 0 {
		return nil, nil, fmt.Errorf("%s holds no tensor", path)
	}
	t := f.Tensors[0]
	values, err = t.Float32s()
	if err == nil && (len(values) == 0 || slices.Contains(t.Shape, 0)) {
		err = fmt.Errorf("%s: the first tensor, %s %v, is empty", path, t.Name, t.Shape)
	}
	return t.Shape, values, err
}
