package main

import (
	"fmt"
	"strconv"
	"strings"

	"gansim.example/gansim"
	"gansim.example/gansim/invert"
	"gansim.example/gansim/models/lpips"
	"gansim.example/gansim/nn"
)

// lossOf reads a loss: a name, or a sum of names with weights.
func lossOf(files *networkFiles, text string) (gansim.Distance, error) {
	var parts []gansim.Distance
	var shares []float64
	for term := range strings.SplitSeq(text, "+") {
		share, name := 1., term
		if number, rest, ok := strings.Cut(term, "*"); ok {
			x, err := strconv.ParseFloat(number, 64)
			if err != nil {
				return gansim.Distance{}, misuse{fmt.Errorf("--loss %s: %q is no number", text, number)}
			}
			share, name = x, rest
		}
		l, err := oneLoss(files, name)
		if err != nil {
			return l, err
		}
		parts, shares = append(parts, l), append(shares, share)
	}
	if len(parts) == 1 && shares[0] == 1 {
		return parts[0], nil
	}
	mixed, err := invert.Mixed(parts, shares)
	if err != nil {
		err = misuse{err}
	}
	return mixed, err
}

func oneLoss(files *networkFiles, name string) (gansim.Distance, error) {
	switch name {
	case "mse":
		return nn.PixelMSE(), nil
	case "l1":
		return invert.L1(), nil
	}
	return perceptual(files, name, false)
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
