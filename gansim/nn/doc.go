// Package nn holds the layers of gansim's networks as functions on GoMLX graphs, with values and
// gradients that are right on every backend. Several of GoMLX's own gradients are wrong without an
// error (convolutions with even kernels or input dilation, interpolation, padded pooling), so
// models build on this package alone.
//
// Layout: images and activations are [batch, height, width, channels], kernels [height, width, in,
// out], dense weights [in, out]. Float type is that of the inputs: float32, or float64 in parity.
//
// Graph functions panic with an error on a shape that does not fit; package graphx is the border
// that turns such panics into returned errors.
package nn
