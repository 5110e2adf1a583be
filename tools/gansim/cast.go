package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gansim.example/gansim"
	"gansim.example/gansim/actmax"
	"gansim.example/gansim/hessian"
	"gansim.example/gansim/mini"
	"gansim.example/gansim/models"
	"gansim.example/gansim/models/biggan"
	"gansim.example/gansim/models/deepsim"
	"gansim.example/gansim/nn"
	"gansim.example/weights"
)

// publishedPrefix picks the published network where the miniature world has one of the same name.
const publishedPrefix = "published:"

// cast finds generators and networks by name: those of the miniature world, or the published ones by
// the name of their weight file.
type cast struct {
	files *networkFiles
	world *mini.World
}

func newCast(files *networkFiles) (*cast, error) {
	w, err := mini.Open()
	return &cast{files, w}, err
}

// player is a generator with what its searches need.
type player struct {
	gansim.Generator
	hash   string // SHA-256 of the weights
	family string // "DeePSim" or "BigGAN": which published labels and recipes are its own
	noise  int    // dimensions of the noise in front of the class; 0 without such halves
	mini   bool
	metric *hessian.Metric // nil if unknown
}

// ganNames lists the generators.
func ganNames() []string {
	names := generators()
	for _, m := range models.All() {
		if strings.HasPrefix(m.Name, "deepsim_") || strings.HasPrefix(m.Name, "biggan_") {
			names = append(names, m.Name)
		}
	}
	return names
}

// ganUsage is the help of --gan.
const ganUsage = "generator; also published, as deepsim_fc6"

// netNames lists the networks whose units can be read.
func netNames(w *mini.World) []string {
	var names []string
	for _, s := range w.Scorers() {
		names = append(names, s.Name())
	}
	for _, m := range models.All() {
		for _, family := range []string{"alexnet", "caffenet", "resnet", "inception", "fid_inception"} {
			if strings.HasPrefix(m.Name, family) {
				names = append(names, publishedPrefix+m.Name)
			}
		}
	}
	return names
}

// known is an error of the command line that lists what a flag takes.
func known(flag, name string, names []string) error {
	return misuse{fmt.Errorf("%s %q is not known, known are %s", flag, name, strings.Join(names, ", "))}
}

// generator finds a generator.
func (c *cast) generator(name string) (*player, error) {
	i := slices.IndexFunc(ganNames(), func(k string) bool { return strings.EqualFold(k, name) })
	if i < 0 {
		return nil, known("--gan", name, ganNames())
	}
	name = ganNames()[i]
	p := &player{mini: i < len(generators())}
	if p.mini {
		g, err := c.world.Generator(name)
		if err != nil {
			return nil, err
		}
		p.Generator, p.hash = g, c.world.Hashes[strings.ToLower(name)]
		p.metric = &hessian.Metric{Values: actmax.Widen(c.world.Spectra[name]),
			Vectors: actmax.Widen(c.world.Bases[name])}
	} else {
		net, hash, err := c.files.open(name, nn.LoadOptions{})
		if err != nil {
			return nil, err
		}
		p.Generator, p.hash = net.(gansim.Generator), hash
	}
	switch g := p.Generator.(type) {
	case *biggan.Generator:
		p.family, p.noise = biggan.Deep256.Name, g.Noise
	case *deepsim.Generator:
		p.family = deepsim.FC6.Name
	}
	return p, nil
}

// scorer finds a network. A name that the miniature world has means the miniature, unless it has the
// prefix published: or a file is given for it by --weights.
func (c *cast) scorer(name string) (s gansim.Scorer, hash string, err error) {
	plain, published := strings.CutPrefix(name, publishedPrefix)
	if _, given := c.files.weightFiles[plain]; !given && !published {
		for _, s := range c.world.Scorers() {
			if strings.EqualFold(s.Name(), plain) {
				return s, c.world.Hashes[s.Name()], nil
			}
		}
	}
	if !slices.Contains(netNames(c.world), publishedPrefix+plain) {
		return nil, "", known("network", name, netNames(c.world))
	}
	net, hash, err := c.files.open(plain, nn.LoadOptions{})
	if err != nil {
		return nil, "", err
	}
	s, ok := net.(gansim.Scorer)
	if !ok {
		return nil, "", misuse{fmt.Errorf("%s has no units to read", plain)}
	}
	return s, hash, nil
}

// readMetric reads what gansim hessian wrote for a generator of the same size.
func (p *player) readMetric(path string) error {
	f, err := weights.OpenSafetensors(path)
	if err != nil {
		return err
	}
	m, err := hessian.FromFile(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(m.Values) != p.CodeSize() {
		return fmt.Errorf("%s is a metric of %d dimensions, %s has %d", path, len(m.Values), p.Name(),
			p.CodeSize())
	}
	p.metric = m
	return nil
}

// errNoMetric says how a generator's metric is made.
func (p *player) errNoMetric(label string) error {
	return hinted{fmt.Errorf("%s needs the averaged metric of %s, and the published one is not public",
		label, p.Name()), "gansim hessian --gan NAME --out results/hessian, then --basis " +
		"results/hessian/hessian.safetensors"}
}

// populationFlag is --unit, with --net as the network of a unit that names none.
type populationFlag struct{ unit, net *string }

func unitFlags(c *cobra.Command) populationFlag {
	return populationFlag{
		c.Flags().String("unit", "", "`units`: net/layer/channels[/row/col], the centre if not given"),
		c.Flags().String("net", "", "`name` of the network of a --unit without one"),
	}
}

// parse reads the flags; names of networks may hold a colon, but no slash.
func (f populationFlag) parse(c *cobra.Command) (actmax.Population, error) {
	text := *f.unit
	if text == "" {
		return actmax.Population{}, misused(c, "no --unit given, such as alexnet/conv5/7")
	}
	if n := strings.Count(text, "/"); *f.net != "" && (n == 1 || n == 3) {
		text = *f.net + "/" + text
	}
	p, err := actmax.ParsePopulation(text)
	if err != nil {
		return p, misused(c, "%w", err)
	}
	if *f.net != "" && !strings.EqualFold(*f.net, p.Net) {
		return p, misused(c, "--net %s and --unit %s name two networks", *f.net, *f.unit)
	}
	return p, nil
}
