package inception

// Unit is a convolution without bias, its norm and a rectifier (torchvision's BasicConv2d).
type Unit struct {
	Name    string
	Out     int
	Size    [2]int // of the kernel: height, width
	Stride  int
	Padding [2]int // above and below; left and right
}

// same is a unit that keeps the image's size.
func same(name string, out, height, width int) Unit {
	return Unit{name, out, [2]int{height, width}, 1, [2]int{height / 2, width / 2}}
}

// valid is a unit of 3x3 pixels without padding.
func valid(name string, out, stride int) Unit {
	return Unit{name, out, [2]int{3, 3}, stride, [2]int{}}
}

// Pool is what a branch does with its input before its units; all windows are 3x3.
type Pool int

// The kinds of pools.
const (
	None    Pool = iota
	Average      // stride 1, padded
	Maximum      // stride 1, padded
	Reduce       // maximum, stride 2, no padding
)

// Branch is a chain of units behind a pool. The chain may fork into units side by side, whose
// outputs are joined.
type Branch struct {
	Pool  Pool
	Units []Unit
	Fork  []Unit
}

// Block is a row of branches that read the same input and whose outputs are joined. Class is its
// name in torchvision.
type Block struct {
	Name, Class string
	Branches    []Branch
}

// Stem is a unit at the beginning of the network, and the name of the 3x3 max pool of stride 2
// behind it, if there is one.
type Stem struct {
	Unit
	Pool string
}

var stem = []Stem{
	{valid("Conv2d_1a_3x3", 32, 2), ""},
	{valid("Conv2d_2a_3x3", 32, 1), ""},
	{same("Conv2d_2b_3x3", 64, 3, 3), "maxpool1"},
	{same("Conv2d_3b_1x1", 80, 1, 1), ""},
	{valid("Conv2d_4a_3x3", 192, 1), "maxpool2"},
}

// blocks are those of the paper; last is the pool of the very last one.
func blocks(last Pool) []Block {
	return []Block{
		blockA("Mixed_5b", 32), blockA("Mixed_5c", 64), blockA("Mixed_5d", 64),
		blockB("Mixed_6a"),
		blockC("Mixed_6b", 128), blockC("Mixed_6c", 160), blockC("Mixed_6d", 160),
		blockC("Mixed_6e", 192),
		blockD("Mixed_7a"),
		blockE("Mixed_7b", Average), blockE("Mixed_7c", last),
	}
}

// blockA is the paper's figure 5; pooled is the width of the branch behind the pool.
func blockA(name string, pooled int) Block {
	return Block{name, "InceptionA", []Branch{
		{Units: []Unit{same("branch1x1", 64, 1, 1)}},
		{Units: []Unit{same("branch5x5_1", 48, 1, 1), same("branch5x5_2", 64, 5, 5)}},
		{Units: []Unit{same("branch3x3dbl_1", 64, 1, 1), same("branch3x3dbl_2", 96, 3, 3),
			same("branch3x3dbl_3", 96, 3, 3)}},
		{Pool: Average, Units: []Unit{same("branch_pool", pooled, 1, 1)}},
	}}
}

// blockB halves the image.
func blockB(name string) Block {
	return Block{name, "InceptionB", []Branch{
		{Units: []Unit{valid("branch3x3", 384, 2)}},
		{Units: []Unit{same("branch3x3dbl_1", 64, 1, 1), same("branch3x3dbl_2", 96, 3, 3),
			valid("branch3x3dbl_3", 96, 2)}},
		{Pool: Reduce},
	}}
}

// blockC is the paper's figure 6; narrow is the width of the inner units.
func blockC(name string, narrow int) Block {
	return Block{name, "InceptionC", []Branch{
		{Units: []Unit{same("branch1x1", 192, 1, 1)}},
		{Units: []Unit{same("branch7x7_1", narrow, 1, 1), same("branch7x7_2", narrow, 1, 7),
			same("branch7x7_3", 192, 7, 1)}},
		{Units: []Unit{same("branch7x7dbl_1", narrow, 1, 1), same("branch7x7dbl_2", narrow, 7, 1),
			same("branch7x7dbl_3", narrow, 1, 7), same("branch7x7dbl_4", narrow, 7, 1),
			same("branch7x7dbl_5", 192, 1, 7)}},
		{Pool: Average, Units: []Unit{same("branch_pool", 192, 1, 1)}},
	}}
}

// blockD halves the image.
func blockD(name string) Block {
	return Block{name, "InceptionD", []Branch{
		{Units: []Unit{same("branch3x3_1", 192, 1, 1), valid("branch3x3_2", 320, 2)}},
		{Units: []Unit{same("branch7x7x3_1", 192, 1, 1), same("branch7x7x3_2", 192, 1, 7),
			same("branch7x7x3_3", 192, 7, 1), valid("branch7x7x3_4", 192, 2)}},
		{Pool: Reduce},
	}}
}

// blockE is the paper's figure 7.
func blockE(name string, pool Pool) Block {
	return Block{name, "InceptionE", []Branch{
		{Units: []Unit{same("branch1x1", 320, 1, 1)}},
		{Units: []Unit{same("branch3x3_1", 384, 1, 1)},
			Fork: []Unit{same("branch3x3_2a", 384, 1, 3), same("branch3x3_2b", 384, 3, 1)}},
		{Units: []Unit{same("branch3x3dbl_1", 448, 1, 1), same("branch3x3dbl_2", 384, 3, 3)},
			Fork: []Unit{same("branch3x3dbl_3a", 384, 1, 3), same("branch3x3dbl_3b", 384, 3, 1)}},
		{Pool: pool, Units: []Unit{same("branch_pool", 192, 1, 1)}},
	}}
}
