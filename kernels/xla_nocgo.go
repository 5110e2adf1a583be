//go:build !cgo

package kernels

import "github.com/gomlx/compute"

// hasXLA says whether XLA was compiled in.
const hasXLA = false

func newXLA(path, options string) (compute.Backend, error) { return nil, ErrNoXLA }
