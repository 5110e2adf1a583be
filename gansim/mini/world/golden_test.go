//go:build amd64 && !amd64.v3

package world

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// golden pins the bytes that the embedded networks were trained on: the start of the SHA-256 of the
// first 64 images of each set, seed 1, 64 pixels. If it moves, the networks must be trained again.
var golden = map[Set]string{
	ImageNet: "4390d2fb164e4d69",
	EcoSet:   "deafeeabe7bc5d91",
	Things:   "c408b9067265293d",
	COCO:     "6b6f8fd4ee7efee6",
	Train:    "1f5ba3b077989c25",
	Detector: "5db3ca300088cc18",
}

func TestGolden(t *testing.T) {
	for _, set := range Sets() {
		r := batch(t, Request{Set: set, Seed: 1, N: 64})
		if got := fmt.Sprintf("%x", sha256.Sum256(r.Pix))[:16]; got != golden[set] {
			t.Errorf("%v: hash is %s, want %s", set, got, golden[set])
		}
	}
}
