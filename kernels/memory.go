//go:build !cgo || !linux

package kernels

import "runtime/debug"

// ReleaseMemory gives what Go keeps of freed memory back to the system.
func ReleaseMemory() { debug.FreeOSMemory() }
