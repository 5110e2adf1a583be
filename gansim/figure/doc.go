// Package figure draws the four panels of the comparison of two image generators, and the page
// that they form, from plain data. It runs nothing and computes no test: every number that it
// prints comes in with the data, except means, standard errors, quartiles and densities of the
// values that it draws.
//
// Each panel is a struct ([PanelA] to [PanelD]) that knows its height and how to draw itself on a
// canvas 180 mm wide; [Figure] stacks those that are present, and [Figure.Save] writes the page and
// its panels as PNG, SVG and PDF from the same drawing. The plotters that the panels are made of
// ([Violin], [Strip], [Bars], [Paired], [Curve], [ImageGrid], [Matrix]) also work in any plot of
// gonum.org/v1/plot.
//
// Colours, sizes and fonts live here and nowhere else. DeePSim is blue and BigGAN red in every
// panel; the two differ in lightness as well, so they survive grey printing and the three
// dichromacies (see the tests).
package figure
