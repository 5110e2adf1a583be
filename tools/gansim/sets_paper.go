package main

import (
	"cmp"
	"slices"
	"strings"

	"gansim.example/gansim/experiment"
)

// paperName is what the paper's code calls a set: the condition that it is of, or its layout; empty
// where the paper has no such set. Those of the miniature world stand for the real ones, but are not.
func paperName(spec string) (name string, real bool) {
	path, _, _ := strings.Cut(spec, "?")
	prefix, name, _ := strings.Cut(path, ":")
	switch prefix {
	case "gen":
	case "mini":
		return name, false
	default:
		return prefix, true // a layout, or nothing that the paper knows
	}
	gan, recipe, _ := strings.Cut(name, "/")
	if c, err := experiment.FindCondition(cmp.Or(recipe, gan)); err == nil {
		return c.Name, c.Noise != "" || recipe != "" && !miniature(gan)
	}
	family := "DeePSim"
	if strings.Contains(strings.ToLower(gan), "biggan") {
		family = "BigGAN"
	}
	for _, c := range experiment.Conditions() {
		if c.Family == family && c.Recipe == cmp.Or(recipe, recipes(family)[0]) && !c.Blur {
			return c.Name, !miniature(gan)
		}
	}
	return "", false
}

// miniature says whether a generator of that name is one of the miniature world.
func miniature(gan string) bool {
	return slices.ContainsFunc(generators(), func(g string) bool { return strings.EqualFold(g, gan) })
}
