package experiment

import (
	"reflect"
	"strings"
	"testing"
)

// oneD is a configuration of one part, with lines in place of some of its own.
func oneD(lines ...string) string {
	part := []string{"networks: [resnet50]", "full: [fc]", "channels: 0-1", "generators: [BigGAN]",
		"labels: [Adam001]", "steps: 2"}
	text := "name: one\nworld: miniature\nparts:\n  - part: p\n"
	for _, own := range part {
		field, _, _ := strings.Cut(own, ":")
		given := false
		for _, l := range lines {
			given = given || strings.HasPrefix(l, field+":")
		}
		if !given {
			lines = append(lines, own)
		}
	}
	return text + "    " + strings.Join(lines, "\n    ") + "\n"
}

func readD(t *testing.T, text string) *PlanD {
	t.Helper()
	c, err := ReadConfigD(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlanD(*c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestChannelsD: all spellings of a choice of channels.
func TestChannelsD(t *testing.T) {
	for text, want := range map[string]int{"7": 1, "0-9": 10, "[0-3, 9, \"12\"]": 6, "\n    - 1\n    - 2-3": 3,
		"random:6": 6, "all": 16} {
		if got := len(allRows(readD(t, oneD("channels: "+text)))); got != want {
			t.Errorf("channels %s: %d runs, want %d", text, got, want)
		}
	}
	a := readD(t, "seed: 1\n"+oneD("channels: random:6"))
	b := readD(t, "seed: 2\n"+oneD("channels: random:6"))
	if reflect.DeepEqual(a.shards, b.shards) {
		t.Error("two seeds draw the same channels")
	}
}

// TestRefusedD: what a configuration may not say is one line without control characters, which names
// the line or part and the field, and for names the known ones.
func TestRefusedD(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"unknown field", oneD("network: [a]"), []string{"line 5", `"network"`}},
		{"unknown top field", "name: a\nfoo: 1\n", []string{"line 2", `"foo"`}},
		{"same field twice", "name: a\nname: b\n", []string{"line 2", `"name"`}},
		{"not closed", "name: [a\n", []string{"line 1"}},
		{"text for number", "rows: many\n", []string{"line 1", "Rows", "int"}},
		{"text for list", oneD("networks: resnet50"), []string{"line 5", "sequence"}},
		{"list in list", oneD("networks: [[resnet50]]"), []string{"line 5"}},
		{"map for channels", oneD("channels: {a: 1}"), []string{"line 5", "random:6"}},
		{"channels of fractions", oneD("channels: 1.5"), []string{"line 5", "random:6"}},
		{"overflow", "rows: 99999999999999999999\n", []string{"line 1", "overflow"}},
		{"two documents", "name: a\n---\nname: b\n", []string{"more than one document"}},
		{"empty", "", []string{"empty"}},
		{"comment", "# nothing\n", []string{"empty"}},
		{"sequence", "- a\n", []string{"line 1"}},
		{"not UTF-8", "name: \xff\n", []string{"UTF-8"}},
		{"long", "name: " + strings.Repeat("a", maxConfig), []string{"16384 bytes"}},
		{"anchor", "name: &a b\n", []string{"line 1", "anchors"}},
		{"alias", "parts: [*a]\n", []string{"line 1", "anchors"}},
		{"tag", "name: !!binary aaaa\n", []string{"line 1", "tags"}},
		{"merge", "<<: {name: a}\n", []string{"line 1"}},
		{"many lines", "name: |\n" + strings.Repeat("\n", maxLines), []string{"1000 lines"}},
		{"deep in brackets", strings.Repeat("[", 10000), []string{"line 1", "8 deep"}},
		{"deep in dashes", strings.Repeat("- ", 5000), []string{"line 1", "8 deep"}},
		{"unknown like", "like: huge\n", []string{`"huge"`, "smoke, class, lab, paper"}},
		{"no parts", "name: a\nworld: miniature\n", []string{"no parts"}},
		{"no name", "world: miniature\nparts: [{part: p}]\n", []string{`name ""`}},
		{"unknown world", "name: a\nworld: mars\nparts: [{part: p}]\n", []string{`"mars"`, "published"}},
		{"path in name", "name: ../../etc\nlike: smoke\n", []string{"../../etc", "letters, digits"}},
		{"path in part", "name: a\nworld: miniature\nparts: [{part: /etc/passwd}]\n", []string{"/etc/passwd"}},
		{"control in name", "name: \"\\e[31mred\"\nlike: smoke\n", []string{`\x1b[31mred`}},
		{"control in field", "\"\\e[31m\": 1\n", []string{`\u001b[31m`}},
		{"control in label", oneD(`labels: ["\e[2Jx"]`), []string{`\x1b[2Jx`, "Adam01Hess"}},
		{"control in channels", oneD(`channels: "\e[2Jx"`), []string{`x1b[2Jx`, "0-9"}},
		{"newline in layer", oneD(`full: ["fc\nfc"]`), []string{`"p"`, `fc\nfc`}},
		{"path in network", oneD("networks: [../resnet50]"), []string{`"../resnet50"`, "resnet50_linf8"}},
		{"unknown layer", oneD("full: [layer9]"), []string{`"layer9"`, "layer4", "fc", `part "p"`}},
		{"unknown generator", oneD("generators: [StyleGAN]"), []string{`"StyleGAN"`, "BigGAN, DeePSim"}},
		{"unknown label", oneD("labels: [adam01]"), []string{`"adam01"`, "SGD0001Hess"}},
		{"no networks", oneD("networks: []"), []string{`"p"`, "no networks"}},
		{"no layers", oneD("full: []"), []string{"no rf or full"}},
		{"no channels", oneD("channels: []"), []string{"no channels"}},
		{"no generators", oneD("generators: []"), []string{"no generators"}},
		{"no labels", oneD("labels: []"), []string{"no labels"}},
		{"no steps", oneD("steps: 0"), []string{"steps 0", "1 to 100000"}},
		{"a billion steps", oneD("steps: 1000000000"), []string{"steps 1000000000"}},
		{"a billion units", oneD("channels: 0-999999999"), []string{"channels", "0-999999999"}},
		{"a channel too many", oneD("channels: 0-16"), []string{"16 channels", "no channel 16"}},
		{"too many drawn", oneD("channels: random:17"), []string{"17 units", "16 channels"}},
		{"first", oneD("channels: first:3"), []string{"first:3"}},
		{"a billion replicates", oneD("replicates: 1000000000"), []string{"replicates 1000000000"}},
		{"a million replicates", oneD("replicates: 1000000", "samples: 2"), []string{"4e+06 runs", "2000000"}},
		{"a billion samples", oneD("samples: 1000000000"), []string{"samples 1000000000", "0 to 400"}},
		{"less than none", oneD("replicates: -1"), []string{"replicates -1"}},
		{"a run twice", oneD("labels: [Adam001, Adam001]"), []string{"Adam001", "first_replicate"}},
		{"a layer twice", oneD("full: [layer2, .layer2]"), []string{"layer2", "first_replicate"}},
		{"too many rows", "rows: 3\n" + oneD(), []string{"3 rows wanted of 2 runs"}},
		{"rows below none", "rows: -3\n" + oneD(), []string{"rows -3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := ReadConfigD(strings.NewReader(c.text))
			if err == nil {
				_, err = NewPlanD(*config)
			}
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
			if strings.ContainsAny(err.Error(), "\n\r\x1b") || len(err.Error()) > 2000 {
				t.Errorf("%d characters, not one clear line: %q", len(err.Error()), err)
			}
		})
	}
}

// FuzzConfigD: whatever is read is refused in one line, or gives a plan whose shards hold its runs.
func FuzzConfigD(f *testing.F) {
	for _, name := range ConfigNamesD() {
		text, err := configsD.ReadFile("panel_d/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(oneD("channels: [0-3, 9]"))
	f.Add("rows: 1\n" + oneD("channels: random:2", "samples: 3"))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ReadConfigD(strings.NewReader(text))
		var p *PlanD
		if err == nil {
			p, err = NewPlanD(*c)
		}
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("not one line: %q", err)
			}
			return
		}
		n := 0
		for i := range p.Shards() {
			n += p.Runs(i)
		}
		if n == 0 || c.Rows > 0 && n != c.Rows {
			t.Errorf("%d runs, %d wanted", n, c.Rows)
		}
	})
}
