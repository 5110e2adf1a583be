package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gansim.example/gansim/mini/train"
	"gansim.example/kernels"
)

func trainCommand() *cobra.Command {
	var o train.Options
	var backend string
	c := &cobra.Command{
		Use:     "train",
		Short:   "Train the miniature world's networks",
		Example: "  gansim train --only biggan --resume",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := kernels.Open(backend)
			if err != nil {
				return err
			}
			defer b.Finalize()
			begin, first := map[string]time.Time{}, map[string]int{}
			o.Progress = func(network, phase string, done, total int) {
				if _, ok := begin[phase]; !ok {
					begin[phase], first[phase] = time.Now(), done
				}
				if done%20 != 0 && done != total {
					return
				}
				per := time.Since(begin[phase]) / time.Duration(max(done-first[phase], 1))
				fmt.Fprintf(c.ErrOrStderr(), "gansim: %s: %d of %d, %s left\n", phase, done, total,
					(per * time.Duration(total-done)).Round(time.Second))
			}
			o.Log = func(network string, p train.Point) {
				fmt.Fprintf(c.OutOrStdout(), "%s step %d %v\n", p.Phase, p.Step, p.Values)
			}
			return train.All(c.Context(), b, o)
		},
	}
	c.Flags().StringVar(&o.Dir, "out", "gansim/mini/weights", "folder of checkpoints and weights")
	c.Flags().StringSliceVar(&o.Only, "only", nil, "networks to train")
	c.Flags().BoolVar(&o.Resume, "resume", false, "go on from checkpoints")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "of data, initial tensors and noise")
	c.Flags().StringVar(&backend, "backend", "auto", "auto, go, xla:cpu or xla:cuda")
	return c
}
