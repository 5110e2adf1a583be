package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/models"
	"gansim.example/weights"
)

func weightsShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show NAME|FILE",
		Short: "Show the tensors of a network or a file, or a network's layers",
		Long: "Show lists what a file of weights holds, or what a network needs. With --layers it lists\n" +
			"the activations that can be read, in the checkpoint's spelling and in the paper's.",
		Example: "  gansim weights show resnet50 --layers\n  gansim weights show upconvGAN_fc6.pt",
		Args:    arguments("NAME or FILE"),
	}
	layers := c.Flags().Bool("layers", false, "list a network's layers with their shapes")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		m, unknown := models.Find(args[0])
		_, missing := os.Stat(args[0])
		var list any
		var write func(io.Writer) error
		switch {
		case unknown == nil && *layers:
			l := layersOf(m)
			list, write = l, l.write
		case *layers:
			return hinted{misuse{unknown}, "gansim weights show NAME --layers"}
		case unknown == nil:
			t := tensorsOf(m)
			list, write = t, t.write
		case errors.Is(missing, fs.ErrNotExist):
			return hinted{misuse{fmt.Errorf("%q is neither a network nor a file", args[0])},
				"gansim weights list"}
		default:
			f, err := weights.Open(args[0])
			if err != nil {
				return err
			}
			t := tensorsIn(f)
			list, write = t, t.write
		}
		if *asJSON {
			return writeJSON(c.OutOrStdout(), list)
		}
		return write(c.OutOrStdout())
	}
	return c
}

// layerLine is one activation of a network.
type layerLine struct {
	Name  string `json:"name"`
	Paper string `json:"paper,omitempty"` // in the spelling of the paper's scripts
	Shape []int  `json:"shape"`           // height, width, channels; or channels
}

type layerList []layerLine

func layersOf(m models.Model) layerList {
	layers := m.Plan.Layers()
	paper := gansim.PaperNames(layers)
	var list layerList
	for _, l := range layers {
		shape := []int{l.Channels}
		if l.Height > 0 {
			shape = []int{l.Height, l.Width, l.Channels}
		}
		list = append(list, layerLine{l.Name, paper[l.Name], shape})
	}
	return list
}

func (ls layerList) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "LAYER\tIN THE PAPER\tHEIGHT, WIDTH, CHANNELS")
	for _, l := range ls {
		fmt.Fprintf(t, "%s\t%s\t%v\n", l.Name, l.Paper, l.Shape)
	}
	return t.Flush()
}

// tensorLine is one tensor.
type tensorLine struct {
	Name  string `json:"name"`
	DType string `json:"dtype,omitempty"`
	Shape []int  `json:"shape"`
}

type tensorList struct {
	SHA256  string       `json:"sha256,omitempty"` // of a file
	Count   int          `json:"parameters"`       // of a network without buffers, of a file with all
	Tensors []tensorLine `json:"tensors"`
}

func tensorsOf(m models.Model) tensorList {
	list := tensorList{Count: m.Table.Count()}
	for _, p := range m.Table.Published() {
		list.Tensors = append(list.Tensors, tensorLine{Name: p.Name, Shape: p.Shape})
	}
	return list
}

func tensorsIn(f *weights.File) tensorList {
	list := tensorList{SHA256: f.SHA256()}
	for _, t := range f.Tensors {
		list.Tensors = append(list.Tensors, tensorLine{t.Name, string(t.DType), t.Shape})
		list.Count += t.Len()
	}
	return list
}

func (l tensorList) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range l.Tensors {
		fmt.Fprintf(t, "%s\t%s\t%v\n", x.Name, x.DType, x.Shape)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d tensors, %d values\n", len(l.Tensors), l.Count)
	if err == nil && l.SHA256 != "" {
		_, err = fmt.Fprintf(w, "sha256 %s\n", l.SHA256)
	}
	return err
}
