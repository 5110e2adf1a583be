//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package weights

// tryFlock is for systems that have flock.
func tryFlock(string) (held, error) { return nil, errNoFlock }
