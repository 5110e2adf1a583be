package native

import (
	"testing"

	"github.com/gomlx/compute/support/backendtest"
)

// TestConformance runs the tests that the authors of the interface wrote for all backends; they
// skip what a backend says that it lacks.
func TestConformance(t *testing.T) { backendtest.RunAll(t, New(), nil) }
