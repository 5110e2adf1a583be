// Package imports holds no code, only the test that keeps packages from importing upward or
// sideways.
package imports
