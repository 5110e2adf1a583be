package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/cobra"

	"gansim.example/kernels"
)

// TestHalve computes a shard with the batch as it was and then in halves: of the same runs come the
// same scores, up to the rounding of another compiled shape.
func TestHalve(t *testing.T) {
	b, err := kernels.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	c := &cobra.Command{}
	f := sweepFlagsOf(c)
	if err := c.ParseFlags([]string{"--preset", "smoke", "--batch", "5"}); err != nil {
		t.Fatal(err)
	}
	j, err := f.job(c, b)
	if err != nil {
		t.Fatal(err)
	}
	want, err := j.Compute(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{2, 1} {
		if n, ok := j.Halve(); n != batch || !ok {
			t.Fatalf("halved to %d, %v, want %d", n, ok, batch)
		}
		got, err := j.Compute(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, want, cmpopts.EquateApprox(1e-4, 1e-6)); diff != "" {
			t.Errorf("batches of %d (-got +want):\n%s", batch, diff)
		}
	}
	if _, ok := j.Halve(); ok {
		t.Error("batches of 1 were halved")
	}
}
