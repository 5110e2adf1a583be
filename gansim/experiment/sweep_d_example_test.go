package experiment_test

import (
	"fmt"
	"log"
	"strings"

	"gansim.example/gansim/experiment"
)

// The optimiser of DeePSim's runs for both generators, on a few units.
func ExampleReadConfigD() {
	config, err := experiment.ReadConfigD(strings.NewReader(`
name: fair
world: miniature
seed: 7
parts:
  - part: Adam at 0.1
    networks: [resnet50, resnet50_linf8]
    rf: [layer1]
    full: [layer3, fc]
    channels: 0-3
    generators: [BigGAN, DeePSim]
    labels: [Adam01, Adam01Hess]
    replicates: 5
    samples: 4
    steps: 100
`))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := experiment.NewPlanD(*config)
	if err != nil {
		log.Fatal(err)
	}
	sum, err := plan.Summary(500)
	if err != nil {
		log.Fatal(err)
	}
	for _, part := range sum.Parts {
		fmt.Printf("%s: %d runs in %d shards, %d programs, %.2f hours\n", part.Part, part.Runs, part.Shards,
			part.Programs, part.Hours)
	}
	// Output: Adam at 0.1: 1920 runs in 12 shards, 6 programs, 0.11 hours
}
