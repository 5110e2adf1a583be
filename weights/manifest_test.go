package weights

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestManifest checks what the design promises of the embedded manifest.
func TestManifest(t *testing.T) {
	all, err := Manifest()
	if err != nil {
		t.Fatal(err)
	}
	panels := map[string][]string{}
	for _, e := range all {
		for _, p := range e.Panels {
			panels[p] = append(panels[p], e.Name)
		}
		if strings.HasPrefix(e.Name, "yolov8") && e.Licence != "AGPL-3.0" {
			t.Errorf("%s: licence %q", e.Name, e.Licence)
		}
		if f, err := Find(e.Name); err != nil || f.File != e.File {
			t.Errorf("%s: found %q, %v", e.Name, f.File, err)
		}
	}
	for panel, want := range map[string]string{
		"a": "deepsim_fc6 biggan_deep_256 fid_inception yolov8n yolov8x yolov5x",
		"b": "deepsim_fc6 biggan_deep_256 alexnet",
		"c": "deepsim_fc6 biggan_deep_256",
		"d": "deepsim_fc6 biggan_deep_256 resnet50 resnet50_linf8 lpips_squeeze squeezenet1_1",
	} {
		if got := strings.Join(panels[panel], " "); got != want {
			t.Errorf("panel %s needs %s, want %s", panel, got, want)
		}
	}
	for _, name := range strings.Fields(`deepsim_fc6_eucl deepsim_fc7 deepsim_fc8 deepsim_pool5
		deepsim_conv4 deepsim_conv3 deepsim_norm2 deepsim_norm1 biggan_deep_128 biggan_deep_512 caffenet
		resnet50_linf4 resnet50_l2_3 inception_v3 yolov8s yolov8m yolov8l lpips_alex`) {
		if !slices.ContainsFunc(all, func(e Entry) bool { return e.Name == name }) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestFindNear(t *testing.T) {
	for name, want := range map[string]string{
		"resnet": "resnet50", "BigGAN_deep_265": "biggan_deep_256", "": "near are",
		strings.Repeat("yolo", 1000): "weights list",
	} {
		_, err := Find(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s named", name, err, want)
		}
	}
	if got := near("caffe", []string{"alexnet", "caffenet"}); got[0] != "caffenet" {
		t.Errorf("near caffe is %q", got)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"kitten", "sitting", 3}, {"abc", "abc", 0}, {"ab", "ba", 2}} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("edits(%q, %q) is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestManifestErrors(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for _, c := range []struct {
		name   string
		change func(*Entry)
		want   string
	}{
		{"good", func(*Entry) {}, ""},
		{"hash and prefix", func(e *Entry) { e.SHA256, e.SHA256Prefix = sum, sum[:8] }, ""},
		{"name", func(e *Entry) { e.Name = "../x" }, "name"},
		{"file", func(e *Entry) { e.File = "a/b.pt" }, "file"},
		{"hidden file", func(e *Entry) { e.File = ".pt" }, "file"},
		{"hash", func(e *Entry) { e.SHA256 = sum[1:] }, "sha256"},
		{"prefix", func(e *Entry) { e.SHA256Prefix = "xyz" }, "sha256_prefix"},
		{"other prefix", func(e *Entry) { e.SHA256, e.SHA256Prefix = sum, "12345678" }, "begin with"},
		{"size", func(e *Entry) { e.Size = -1 }, "size"},
		{"panels", func(e *Entry) { e.Panels = []string{"e"} }, "panels"},
		{"needs", func(e *Entry) { e.Needs = []string{"y"} }, `needs "y"`},
		{"address", func(e *Entry) { e.URLs = []string{"http://x/y"} }, "https"},
		{"password", func(e *Entry) { e.URLs = []string{"https://me:too@x/y"} }, "https"},
		{"page", func(e *Entry) { e.Page = "x" }, "https"},
		{"nowhere", func(e *Entry) { e.Note = "" }, "no urls"},
		{"citation", func(e *Entry) { e.Citation = "" }, "citation"},
	} {
		e := Entry{Name: "x", File: "x.pt", Architecture: "x", Citation: "x", Note: "x"}
		c.change(&e)
		b, err := json.Marshal([]Entry{e})
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseManifest(b)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	one := `{"name":"x","file":"x.pt","architecture":"x","citation":"x","note":"x"}`
	for _, text := range []string{"", "{}", "[" + one + "," + one + "]", "[" + one + "] []",
		`[{"name":"x","colour":"red"}]`} {
		if _, err := parseManifest([]byte(text)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}
