package deepsim

import "slices"

// FC6 is the published generator that the paper calls DeePSim (upconvGAN_fc6).
var FC6 = vector("DeePSim", 4096)

// Published are the published generators by the name of their weight file. Layers are those of
// GAN_utils.py (Animadversio/Neuro-ActMax-GAN-comparison), upconvGAN.
func Published() map[string]Config {
	conv := func(name string) Config {
		return squashed(name, [3]int{384, 13, 13}, 256, fromConv)
	}
	return map[string]Config{
		"deepsim_fc6":      FC6,
		"deepsim_fc6_eucl": vector("DeePSim-fc6_eucl", 4096),
		"deepsim_fc7":      vector("DeePSim-fc7", 4096),
		"deepsim_fc8":      vector("DeePSim-fc8", 1000),
		"deepsim_pool5": caffe(Config{Name: "DeePSim-pool5", Map: [3]int{256, 6, 6}, Image: 256,
			Stack: fromPool}),
		"deepsim_conv4": conv("DeePSim-conv4"),
		"deepsim_conv3": conv("DeePSim-conv3"),
		"deepsim_norm2": squashed("DeePSim-norm2", [3]int{256, 13, 13}, 240,
			slices.Concat([]Layer{conv3("Rconv6", 256, 256, 2), conv3("Rconv7", 256, 128, 1)}, fromNorm)),
		"deepsim_norm1": squashed("DeePSim-norm1", [3]int{96, 27, 27}, 240,
			slices.Concat([]Layer{{Conv, "Rconv6", 96, 128, 3, 2, 2, false}, conv3("Rconv7", 128, 128, 1)},
				fromNorm)),
	}
}

// caffe completes a published generator: it gives BGR of 0 to 255 less CaffeNet's mean.
func caffe(c Config) Config {
	if c.Map[0] > 0 {
		c.Code = c.Map[0] * c.Map[1] * c.Map[2]
	}
	c.Gain, c.Mean, c.BGR = 1./255, [3]float64{123. / 255, 117. / 255, 104. / 255}, true
	return c
}

// vector is a generator whose code is a dense layer's activation.
func vector(name string, code int) Config {
	return caffe(Config{Name: name, Code: code, Image: 256, View: [3]int{256, 4, 4},
		Stack: slices.Concat([]Layer{dense("defc7", code, 4096), dense("defc6", 4096, 4096),
			dense("defc5", 4096, 4096), double("deconv5", 256, 256)}, trunk)})
}

// squashed is a generator that ends in 255*tanh.
func squashed(name string, code [3]int, image int, stack []Layer) Config {
	return caffe(Config{Name: name, Map: code, Image: image, Stack: stack, Squash: 255})
}

// trunk is what the generators from fc6, fc7, fc8 and pool5 share, behind deconv5.
var trunk = []Layer{
	deconv("conv5_1", 256, 512),
	double("deconv4", 512, 256),
	deconv("conv4_1", 256, 256),
	double("deconv3", 256, 128),
	deconv("conv3_1", 128, 128),
	double("deconv2", 128, 64),
	double("deconv1", 64, 32),
	double("deconv0", 32, 3),
}

var fromPool = slices.Concat([]Layer{
	conv3("Rconv6", 256, 512, 1),
	conv3("Rconv7", 512, 512, 1),
	conv3("Rconv8", 512, 512, 0), // 6 to 4
	double("deconv5", 512, 256),
}, trunk)

// fromConv is both generators from conv3 and conv4.
var fromConv = []Layer{
	conv3("Rconv6", 384, 384, 0),               // 13 to 11
	conv3("Rconv7", 384, 512, 0),               // to 9
	{Conv, "Rconv8", 512, 512, 2, 1, 0, false}, // to 8
	double("deconv5", 512, 256),
	deconv("conv5_1", 256, 256),
	double("deconv4", 256, 128),
	deconv("conv4_1", 128, 128),
	double("deconv3", 128, 128),
	deconv("conv3_1", 128, 128),
	double("deconv2", 128, 64),
	conv3("conv2_1", 64, 32, 1),
	double("deconv1", 32, 16),
	conv3("conv1_1", 16, 3, 1),
}

// fromNorm is what the generators from norm1 and norm2 share: maps of 15x15 to 240x240.
var fromNorm = []Layer{
	conv3("Rconv8", 128, 128, 1),
	double("deconv4", 128, 128),
	conv3("conv4_1", 128, 128, 1),
	double("deconv3", 128, 64),
	conv3("conv3_1", 64, 64, 1),
	double("deconv2", 64, 32),
	conv3("conv2_1", 32, 32, 1),
	{Deconv, "deconv1", 32, 16, 4, 2, 1, true},
	conv3("conv1_1", 16, 3, 1),
}
