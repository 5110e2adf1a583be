//go:build race

package weights

// The race detector makes everything about ten times as slow.
func init() { limit = 10 }
