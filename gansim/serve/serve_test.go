package serve_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"

	"gansim.example/gansim/hessian"
	"gansim.example/gansim/internal/wire"
	"gansim.example/gansim/serve"
	"gansim.example/kernels"
	"gansim.example/weights"
)

// TestMain lets the test binary stand in for the gansim command, so that clients can start it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		err := run(context.Background(), program(), func(*serve.Config) {}, nil)
		if err != nil && !errors.Is(err, serve.ErrRunning) {
			fmt.Fprintln(os.Stderr, "gansim:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func program() string {
	p, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return p
}

// run serves on the go backend.
func run(ctx context.Context, program string, change func(*serve.Config), ready func(string)) error {
	c := serve.Config{Program: program, Backend: "go", Idle: 2 * time.Second,
		Open: func() (compute.Backend, error) { return kernels.Open("go") }}
	change(&c)
	return serve.Run(ctx, c, ready)
}

// folder gives the test a short folder of its own for sockets.
func folder(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "g")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
}

// start runs a server in this process until the test ends, and gives its socket and how it ended.
func start(t *testing.T, change func(*serve.Config)) (socket string, ended <-chan error) {
	t.Helper()
	folder(t)
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		err := run(ctx, program(), change, func(s string) { ready <- s })
		done <- err
		close(done)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	select {
	case socket = <-ready:
	case err := <-done:
		t.Fatalf("the server ended: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("no server after 10 s")
	}
	return socket, done
}

func dial(t *testing.T, socket string) *wire.Conn {
	t.Helper()
	c, err := wire.Dial(socket, wire.Greeting{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask demands an answer.
func ask(t *testing.T, c *wire.Conn, verb string, q wire.Query, parts ...[]byte) (wire.Answer, [][]byte) {
	t.Helper()
	a, data, err := c.Call(t.Context(), verb, q, parts, nil)
	if err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return a, data
}

// rows are those of a small panel c.
func rows() []byte {
	var b strings.Builder
	b.WriteString("run,preset,seed,weights,precision,image,sha256,generator,r,mse,loss_first,loss_last,lr,steps\n")
	for i := range 6 {
		for k, g := range []string{"DeePSim", "BigGAN"} {
			fmt.Fprintf(&b, "x,smoke,1,w,float32,image %d,,%s,%g,.1,.2,.1,.1,100\n", i, g,
				.9-.2*float64(k)+.01*float64(i))
		}
	}
	return []byte(b.String())
}

// TestVerbs asks for everything but whole panels.
func TestVerbs(t *testing.T) {
	socket, _ := start(t, func(*serve.Config) {})
	c := dial(t, socket)
	a, parts := ask(t, c, "sample", wire.Query{Model: "biggan", N: 3, Seed: 1})
	if len(parts) != 2 || a.Shapes[0] != (wire.Shape{N: 3, Height: 64, Width: 64}) ||
		a.Origin.Recipe != "trunc0.7" || len(a.Origin.Weights) != 8 {
		t.Fatalf("sample: got %d parts, %+v", len(parts), a)
	}
	images, shapes := parts[0], a.Shapes
	two := []wire.Shape{shapes[0], shapes[0]}
	for _, v := range []struct {
		verb  string
		q     wire.Query
		parts [][]byte
		check func(a wire.Answer, parts [][]byte) bool
	}{
		{"decode", wire.Query{Model: "BigGAN", Codes: a.Codes}, parts[1:], func(_ wire.Answer, p [][]byte) bool {
			return string(p[0]) == string(images)
		}},
		{"pictures", wire.Query{Set: "mini:ecoset", N: 2}, nil, func(a wire.Answer, _ [][]byte) bool {
			return len(a.Names) == 2
		}},
		{"pictures", wire.Query{Set: picture(t), Model: "DeePSim"}, nil, func(a wire.Answer, _ [][]byte) bool {
			return a.Shapes[0] == wire.Shape{N: 1, Height: 64, Width: 64}
		}},
		{"layers", wire.Query{Model: "resnet50"}, nil, func(a wire.Answer, _ [][]byte) bool {
			return len(a.Layers) > 10
		}},
		{"basis", wire.Query{Model: "DeePSim", N: 2}, nil, func(a wire.Answer, p [][]byte) bool {
			return len(p[0]) == 2*4*a.Codes
		}},
		{"basis", wire.Query{Model: "BigGAN", N: 1, Basis: axes(t, 64)}, nil, func(a wire.Answer, p [][]byte) bool {
			v, err := wire.ToFloats(p[0])
			return err == nil && a.Codes == 64 && v[63] == 1 && slices.Max(v[:63]) == 0
		}},
		{"activations", wire.Query{Unit: "alexnet/conv5/3", Shapes: shapes}, [][]byte{images},
			func(a wire.Answer, p [][]byte) bool {
				l := a.Layers[0]
				return len(a.Values[0]) == 3 && len(p[0]) == 12*l.Height*l.Width*l.Channels
			}},
		{"gradients", wire.Query{Unit: "resnet50/fc/2", Shapes: shapes}, [][]byte{images},
			func(a wire.Answer, p [][]byte) bool { return len(p[0]) == len(images) && len(a.Values[0]) == 3 }},
		{"invert", wire.Query{Model: "DeePSim", Steps: 3, Shapes: shapes}, [][]byte{images},
			func(a wire.Answer, p [][]byte) bool {
				return len(p) == 3 && len(a.Values) == 3 && a.Values[2][0] < a.Values[1][0]
			}},
		{"maximize", wire.Query{Model: "BigGAN", Unit: "resnet50/layer3/2", N: 2, Steps: 3}, nil,
			func(a wire.Answer, p [][]byte) bool { return len(a.Values) == 2 && len(a.Values[0]) == 3 }},
		{"evolve", wire.Query{Model: "DeePSim", Unit: "alexnet/conv5/3", Steps: 2}, nil,
			func(a wire.Answer, p [][]byte) bool { return len(a.Values) == 2 && len(a.Values[0]) == 2 }},
		{"features", wire.Query{Shapes: shapes}, [][]byte{images}, func(a wire.Answer, p [][]byte) bool {
			return len(p[0]) == 12*a.Layers[0].Channels
		}},
		{"fid", wire.Query{Shapes: two}, [][]byte{images, images}, func(a wire.Answer, _ [][]byte) bool {
			return a.Estimate.Value < 1e-6 && len(a.Notes) == 2
		}},
		{"distance", wire.Query{Loss: "mse+0.5*l1", Shapes: two}, [][]byte{images, make([]byte, len(images))},
			func(a wire.Answer, _ [][]byte) bool {
				return len(a.Values[0]) == 3 && a.Values[0][0] > 0 && a.Names[0] == "1*mse+0.5*l1"
			}},
		{"detect", wire.Query{Shapes: shapes}, [][]byte{images}, func(a wire.Answer, _ [][]byte) bool {
			return len(a.Boxes) == 3 && len(a.Values[0]) == 3
		}},
		{"test", wire.Query{Samples: [][]float64{{1, 2, 3, 4, 5, 6}, {2, 4, 6, 8, 10, 13}}, Method: "signed-rank",
			Names: []string{"x", "y"}}, nil, func(a wire.Answer, _ [][]byte) bool {
			return strings.HasPrefix(a.Test.Sentence, "x (median 3.5) is lower than y (median 7): ")
		}},
		{"describe", wire.Query{Samples: [][]float64{{1, 2, 3}, {4}}}, nil, func(a wire.Answer, _ [][]byte) bool {
			return a.Values[0][1] == 2 && strings.Contains(a.Markdown, "| b | 1 | 4 |")
		}},
		{"montage", wire.Query{Shapes: two, Names: []string{"originals", "BigGAN"}}, [][]byte{images, images},
			func(a wire.Answer, p [][]byte) bool {
				return strings.HasPrefix(string(p[0]), "\x89PNG") && strings.HasPrefix(a.Alt, "originals: 3 images")
			}},
		{"figure", wire.Query{Panel: "panel_c", Dir: t.TempDir()}, [][]byte{rows()},
			func(a wire.Answer, p [][]byte) bool {
				return len(p) == 2 && strings.Contains(string(p[1]), "<svg") && strings.Contains(a.Markdown, "Pearson r")
			}},
		{"keep", wire.Query{Key: "v", Method: "T"}, [][]byte{[]byte("value")}, nil},
		{"load", wire.Query{Key: "v"}, nil, func(a wire.Answer, p [][]byte) bool {
			return string(p[0]) == "value" && a.Names[0] == "T"
		}},
		{"status", wire.Query{}, nil, func(a wire.Answer, _ [][]byte) bool {
			s := a.Status
			return len(s.Clients) == 1 && len(s.Models) > 10 && s.Memory.Held > 0 && len(s.Values) == 1 &&
				s.Memory.Resident > s.Memory.Held
		}},
	} {
		a, parts := ask(t, c, v.verb, v.q, v.parts...)
		if v.check != nil && !v.check(a, parts) {
			t.Errorf("%s: got %d parts, %+v", v.verb, len(parts), a)
		}
	}
}

// picture writes an image file.
func picture(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "photo.ppm")
	if err := os.WriteFile(path, tinyPNG(t), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRefusals: bad requests give an error and leave the server as it was.
func TestRefusals(t *testing.T) {
	socket, _ := start(t, func(c *serve.Config) { c.Memory = 32 << 20 })
	c := dial(t, socket)
	one := []wire.Shape{{N: 1, Height: 2, Width: 2}}
	for _, v := range []struct {
		verb, want string
		q          wire.Query
		parts      [][]byte
	}{
		{"paint", `no verb "paint", known are sample,`, wire.Query{}, nil},
		{"sample", `no network "StyleGAN"`, wire.Query{Model: "StyleGAN"}, nil},
		{"sample", "no network is named", wire.Query{}, nil},
		{"sample", "resnet50 is not a generator", wire.Query{Model: "resnet50"}, nil},
		{"sample", "more than the server takes", wire.Query{Model: "BigGAN", N: 1 << 40}, nil},
		{"sample", "more than the server takes", wire.Query{Model: "BigGAN", N: -1}, nil},
		{"sample", `no recipe "std9"`, wire.Query{Model: "BigGAN", Recipe: "std9"}, nil},
		{"sample", "the weights of biggan_deep_256 are not here", wire.Query{Model: "biggan_deep_256"}, nil},
		{"decode", "no codes", wire.Query{Model: "BigGAN"}, nil},
		{"decode", "are no codes of 64", wire.Query{Model: "BigGAN", Codes: 64}, [][]byte{make([]byte, 4)}},
		{"decode", "codes of 1 dimensions", wire.Query{Model: "BigGAN", Codes: 1}, [][]byte{make([]byte, 4)}},
		{"basis", "not absolute", wire.Query{Model: "BigGAN", Basis: "x"}, nil},
		{"basis", "metric of 5 dimensions, BigGAN has 64", wire.Query{Model: "BigGAN", Basis: axes(t, 5)}, nil},
		{"invert", "no images", wire.Query{Model: "BigGAN"}, nil},
		{"invert", "want 12", wire.Query{Model: "BigGAN", Shapes: one}, [][]byte{make([]byte, 4)}},
		{"invert", "0 images", wire.Query{Model: "BigGAN", Shapes: make([]wire.Shape, 1)}, [][]byte{nil}},
		{"invert", "-1 steps", wire.Query{Model: "BigGAN", Steps: -1, Shapes: one}, [][]byte{make([]byte, 48)}},
		{"maximize", "names no channel", wire.Query{Model: "BigGAN", Unit: "alexnet/conv5"}, nil},
		{"maximize", `no layer "conv9"`, wire.Query{Model: "BigGAN", Unit: "alexnet/conv9/0"}, nil},
		{"evolve", "below", wire.Query{Model: "BigGAN", Unit: "alexnet/conv5/0/99/0"}, nil},
		{"fid", "no images number 1", wire.Query{Shapes: one}, [][]byte{make([]byte, 48)}},
		{"distance", `no distance "ssim"`, wire.Query{Loss: "ssim"}, nil},
		{"distance", "the weights of lpips_alex are not here", wire.Query{Loss: "lpips_alex"}, nil},
		{"distance", `"x" is no number`, wire.Query{Loss: "x*mse"}, nil},
		{"invert", `no distance "ssim"`, wire.Query{Model: "BigGAN", Loss: "ssim", Shapes: one},
			[][]byte{make([]byte, 48)}},
		{"test", "2 samples, got 0", wire.Query{}, nil},
		{"test", "empty sample", wire.Query{Samples: make([][]float64, 2)}, nil},
		{"montage", "no images", wire.Query{}, nil},
		{"figure", "no panel", wire.Query{Panel: "e", Dir: "/"}, nil},
		{"figure", "no rows of panel c", wire.Query{Panel: "c", Dir: t.TempDir()}, nil},
		{"panel", "not absolute", wire.Query{Panel: "c", Dir: "x"}, nil},
		{"load", `no value "nothing": nothing is kept`, wire.Query{Key: "nothing"}, nil},
		{"keep", "do not fit", wire.Query{Key: "big"}, [][]byte{make([]byte, 32<<20+1)}},
		{"pictures", `no images "photos"`, wire.Query{Set: "photos"}, nil},
	} {
		_, _, err := c.Call(t.Context(), v.verb, v.q, v.parts, nil)
		var fault *wire.FaultError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s %+v: got %v, want %q", v.verb, v.q, err, v.want)
		} else if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "panicked") {
			t.Errorf("%s: got %q", v.verb, err)
		}
	}
	ask(t, c, "status", wire.Query{})
}

func tinyPNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 9, 7))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// axes writes a metric whose eigenvectors are the axes of d dimensions.
func axes(t *testing.T, d int) string {
	t.Helper()
	m := &hessian.Metric{Values: make([]float64, d), Vectors: make([]float64, d*d)}
	for i := range d {
		m.Values[i], m.Vectors[i*d+i] = float64(i), 1
	}
	tensors, err := m.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "hessian.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := weights.WriteSafetensors(f, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return path
}
