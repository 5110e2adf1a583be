//go:build race

package native

// raceDetector tells that the race detector is on. It also checks pointers, and the reference's
// products do not pass.
const raceDetector = true
