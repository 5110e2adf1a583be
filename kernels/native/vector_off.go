//go:build !amd64 || !goexperiment.simd

package native

import "github.com/gomlx/compute"

// vectorForms are kernels by vector instructions; there are none in this build.
func vectorForms() forms { return nil }

// vectorSelects are selectForms by vector instructions; there are none in this build.
func vectorSelects() forms { return nil }

// vectorRows are row kernels by vector instructions; there are none in this build.
func vectorRows() map[compute.OpType]rowKernel { return nil }
