package main

import (
	"errors"
	"fmt"

	"gansim.example/gansim"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/nn"
)

// lossOf reads a loss: a name, or a sum of names with weights.
func lossOf(files *networkFiles, text string) (gansim.Distance, error) {
	l, err := invert.ParseLoss(text, func(name string) (gansim.Distance, error) {
		return perceptual(files, name, false)
	})
	if errors.Is(err, invert.ErrLoss) {
		err = misuse{fmt.Errorf("--loss %s: %w", text, err)}
	}
	return l, err
}

// perceptual opens an LPIPS network; unscaled reads images in [0, 1] as they are.
func perceptual(files *networkFiles, name string, unscaled bool) (gansim.Distance, error) {
	if _, ok := lpips.Published()[name]; !ok {
		return gansim.Distance{}, misuse{fmt.Errorf("no distance %q, known are mse, l1, lpips_alex, "+
			"lpips_squeeze, lpips_vgg", name)}
	}
	net, _, err := files.open(name, nn.LoadOptions{})
	if err != nil {
		return gansim.Distance{}, err
	}
	n := net.(*lpips.Network)
	n.Unscaled = unscaled
	return gansim.Distance{Name: name, Params: n.Params(), Graph: n.Distance}, nil
}
