package biggan

import "slices"

// The published BigGAN-deep; the paper's is Deep256.
var (
	Deep128 = deep("BigGAN-deep-128", 128, slices.Concat(blocks[:5], blocks[7:]))
	Deep256 = deep("BigGAN", 256, blocks)
	Deep512 = deep("BigGAN-deep-512", 512,
		slices.Concat(blocks, []Block{{In: 1, Out: 1}, {Up: true, In: 1, Out: 1}}))
)

// Published are the published generators by the name of their weight file.
func Published() map[string]Config {
	return map[string]Config{"biggan_deep_128": Deep128, "biggan_deep_256": Deep256,
		"biggan_deep_512": Deep512}
}

// blocks are those of BigGAN-deep-256 (pytorch-pretrained-biggan, config.py, layers).
var blocks = []Block{
	{In: 16, Out: 16}, {Up: true, In: 16, Out: 16},
	{In: 16, Out: 16}, {Up: true, In: 16, Out: 8},
	{In: 8, Out: 8}, {Up: true, In: 8, Out: 8},
	{In: 8, Out: 8}, {Up: true, In: 8, Out: 4},
	{In: 4, Out: 4}, {Up: true, In: 4, Out: 2},
	{In: 2, Out: 2}, {Up: true, In: 2, Out: 1},
}

// deep is the published generator of an image size: the self-attention precedes block 8
// (config.py, attention_layer_position).
func deep(name string, image int, bs []Block) Config {
	const position = 8
	attention := Block{In: bs[position].In, Out: bs[position].In, Attention: true}
	return Config{
		Name: name, Noise: 128, Class: 128, Classes: 1000, Image: image, Channels: 128,
		Blocks: slices.Insert(slices.Clone(bs), position, attention),
		Rows:   51, RGB: 128, Eps: 1e-4, Truncation: .7, RandomStd: .08,
	}
}
