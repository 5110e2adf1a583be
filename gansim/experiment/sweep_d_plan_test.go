package experiment

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func findD(t *testing.T, name string, change func(*ConfigD)) *PlanD {
	t.Helper()
	c, err := FindConfigD(name)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	p, err := NewPlanD(*c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// allRows are the rows of a plan before anything is computed.
func allRows(p *PlanD) (rows []RowD) {
	for i := range p.Shards() {
		rows = append(rows, p.rows(i, Origin{})...)
	}
	return rows
}

// planMemory is the limit of what the published grid's plan allocates in all, so of more than it ever
// holds. Its time is in BenchmarkPlanD.
const planMemory = 200 << 20

// TestPaperD: the published grid has the published number of runs in each part, in shards of a
// minute, with few programs, and is listed in little memory.
func TestPaperD(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	p := findD(t, "paper", nil)
	wall := time.Since(begin)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > planMemory {
		t.Errorf("the plan took %d MB, want at most %d MB", took>>20, planMemory>>20)
	}
	sum, err := p.Summary(1000)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, part := range sum.Parts {
		got[part.Part] = part.Runs
	}
	want := map[string]int{"sweep 1 BigGAN": 57600, "sweep 1 fc6": 24000, "sweep 2 BigGAN": 24000,
		"sweep 2 fc6": 60000}
	if !reflect.DeepEqual(got, want) || sum.All.Runs != 165600 {
		t.Errorf("%d runs in %v, want %v", sum.All.Runs, got, want)
	}
	// Six conditions of each sweep for each generator, of which the logits are in both.
	if sum.All.Programs != 22 {
		t.Errorf("%d programs, want 22", sum.All.Programs)
	}
	if sum.All.Hours != 165600*100/1000./3600 || sum.BytesPerRow < 10 || sum.BytesPerRow > 200 {
		t.Errorf("%v hours, %v bytes a row", sum.All.Hours, sum.BytesPerRow)
	}
	for i := range p.Shards() {
		if n := p.Runs(i); n < 100 || n > 400 {
			t.Errorf("shard %d has %d runs, want 100 to 400", i, n)
		}
	}
	ids := map[string]bool{}
	for _, r := range allRows(p) {
		ids[r.Run] = true
	}
	if len(ids) != 165600 {
		t.Errorf("%d ids of 165600 runs", len(ids))
	}
	t.Logf("%v, %d shards, %.1f bytes a row, %d KB allocated", wall, p.Shards(), sum.BytesPerRow,
		(after.TotalAlloc-before.TotalAlloc)>>10)
}

// TestMiniaturesD: smoke and class hold the runs of the figure's presets; smoke more.
func TestMiniaturesD(t *testing.T) {
	for _, name := range []string{"smoke", "class"} {
		preset, err := FindPreset(name)
		if err != nil {
			t.Fatal(err)
		}
		e := &env{preset: preset, Options: Options{Seed: 1}}
		figure, err := e.planD()
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, r := range allRows(figure) {
			want[fmt.Sprint(r.Net, r.Layer, r.Unit, r.Generator, r.Label)] = true
		}
		if n := map[string]int{"smoke": 48, "class": 840}[name]; len(want) != n {
			t.Errorf("%s: the figure has %d runs, want %d", name, len(want), n)
		}
		p := findD(t, name, nil)
		got := map[string]bool{}
		for _, r := range allRows(p) {
			got[fmt.Sprint(r.Net, r.Layer, r.Unit, r.Generator, r.Label)] = true
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d kinds of runs, the preset has %d", name, len(got), len(want))
		}
		n := len(allRows(p))
		switch {
		case name == "class" && n != len(want):
			t.Errorf("class: %d runs, want %d", n, len(want))
		case name == "smoke" && n < 300:
			t.Errorf("smoke: %d runs, want at least 300", n)
		}
		for i := range p.Shards() {
			if k := p.Runs(i); name == "smoke" && (k < 8 || k > 16) {
				t.Errorf("smoke: shard %d has %d runs, want 8 to 16", i, k)
			}
		}
	}
}

// TestProgramsTogether: who holds the two programs used last compiles each once in every plan that is
// shipped, though its networks are listed one after the other; and the generators take turns.
func TestProgramsTogether(t *testing.T) {
	for _, name := range []string{"smoke", "class", "paper"} {
		p := findD(t, name, nil)
		var held []programD // the last is the one used last
		compiled := map[programD]int{}
		networks := map[programD]map[string]bool{}
		for _, shard := range p.shards {
			c := p.conditions[shard.condition]
			key := c.program()
			if at := slices.Index(held, key); at >= 0 {
				held = slices.Delete(held, at, at+1)
			} else {
				compiled[key]++
			}
			held = append(held, key)
			held = held[max(0, len(held)-2):]
			if networks[key] == nil {
				networks[key] = map[string]bool{}
			}
			networks[key][c.net] = true
		}
		shared := 0
		for key, n := range compiled {
			if n > 1 {
				t.Errorf("%s: %v is compiled %d times", name, key, n)
			}
			if len(networks[key]) > 1 {
				shared++
			}
		}
		if shared == 0 {
			t.Errorf("%s: no program serves two networks", name)
		}
		first, second := p.conditions[p.shards[0].condition], conditionD{}
		for _, shard := range p.shards {
			if second = p.conditions[shard.condition]; second != first {
				break
			}
		}
		if first.generator == second.generator || first.net != second.net {
			t.Errorf("%s: after %s comes %s, want the other generator", name, first, second)
		}
	}
}

// TestContentD: ids depend on the runs and the seed, not on the name, the order or the parts.
func TestContentD(t *testing.T) {
	p := findD(t, "smoke", nil)
	turned := findD(t, "smoke", func(c *ConfigD) {
		c.Name = "other"
		slices.Reverse(c.Parts)
		for i := range c.Parts {
			part := &c.Parts[i]
			slices.Reverse(part.Networks)
			slices.Reverse(part.Full)
			slices.Reverse(part.Labels)
			part.Channels = "1,0"
		}
		half := c.Parts[0] // a part cut in two
		half.Part, half.Replicates, half.FirstReplicate = "half", 1, 1
		c.Parts[0].Replicates = 1
		c.Parts = append(c.Parts, half)
	})
	if p.Hash() != turned.Hash() || !slices.Equal(p.ids, turned.ids) {
		t.Error("the same runs in another order have other ids")
	}
	if wide := findD(t, "smoke", func(c *ConfigD) { c.Shard = 400 }); wide.Hash() != p.Hash() ||
		wide.Shards() >= p.Shards() {
		t.Error("the size of shards changes the runs")
	}
	known := map[string]bool{}
	for _, id := range p.ids {
		known[id] = true
	}
	for name, change := range map[string]func(*ConfigD){
		"seed":      func(c *ConfigD) { c.Seed++ },
		"steps":     func(c *ConfigD) { c.Parts[0].Steps++; c.Parts[1].Steps++ },
		"replicate": func(c *ConfigD) { c.Parts[0].FirstReplicate = 9; c.Parts[1].FirstReplicate = 9 },
		"samples":   func(c *ConfigD) { c.Parts[0].Samples++; c.Parts[1].Samples++ },
		"channel":   func(c *ConfigD) { c.Parts[0].Channels = "2-3"; c.Parts[1].Channels = "2-3" },
	} {
		other := findD(t, "smoke", change)
		for _, id := range other.ids {
			if known[id] {
				t.Errorf("%s: shard %s is in both plans", name, id)
			}
		}
		if other.Hash() == p.Hash() {
			t.Errorf("%s: equal hashes", name)
		}
	}
}

// TestSubsetD: a subset has exactly the rows asked for, each stratum its share up to two series, and
// holds the smaller ones.
func TestSubsetD(t *testing.T) {
	whole := map[string]int{}
	stratum := func(r RowD) string {
		return fmt.Sprint(r.Net, r.Layer, r.RF, r.Generator, r.Label, r.Replicate >= 10)
	}
	for _, r := range allRows(findD(t, "paper", nil)) {
		whole[stratum(r)]++
	}
	smaller := map[string]bool{}
	for _, n := range []int{2000, 20001, 97730} {
		p := findD(t, "paper", func(c *ConfigD) { c.Rows = n })
		rows := allRows(p)
		if len(rows) != n {
			t.Errorf("%d rows, want %d", len(rows), n)
		}
		got, ids := map[string]int{}, map[string]bool{}
		for _, r := range rows {
			got[stratum(r)]++
			ids[r.Run] = true
		}
		for s, all := range whole {
			share := float64(all) * float64(n) / 165600
			if math.Abs(float64(got[s])-share) > 20 {
				t.Errorf("%d rows: %s has %d, want about %.1f", n, s, got[s], share)
			}
		}
		missing := 0
		for id := range smaller {
			if !ids[id] {
				missing++
			}
		}
		if missing >= 10 { // the smaller one's last series may be cut, so that its ranks differ
			t.Errorf("%d rows lack %d of the smaller subset", n, missing)
		}
		smaller = ids
	}
	if lab := findD(t, "lab", nil); lab.Hash() != findD(t, "paper", func(c *ConfigD) { c.Rows = 2000 }).Hash() {
		t.Error("lab is not 2,000 runs of the published grid")
	}
	turned := findD(t, "lab", func(c *ConfigD) { slices.Reverse(c.Parts) })
	if turned.Hash() != findD(t, "lab", nil).Hash() {
		t.Error("the subset depends on the order of the parts")
	}
	other := findD(t, "lab", func(c *ConfigD) { c.Seed = 5 })
	if reflect.DeepEqual(other.shards, findD(t, "lab", nil).shards) {
		t.Error("two seeds draw the same subset")
	}
}

// TestSplit: shards hold whole series, about equally many, none above the limit if a series is not.
func TestSplit(t *testing.T) {
	for _, c := range []struct{ n, samples, limit int }{{1, 1, 1}, {700, 10, 400}, {33, 3, 16}, {7, 10, 15},
		{5, 3, 3}, {100, 1, 400}} {
		series := slices.Repeat([]seriesD{{samples: int32(c.samples)}}, c.n)
		total := 0
		for _, s := range split(series, c.limit) {
			n := shardD{series: s}.runs()
			if n == 0 || n > c.limit {
				t.Errorf("%+v: a shard of %d runs", c, n)
			}
			total += n
		}
		if total != c.n*c.samples {
			t.Errorf("%+v: %d runs", c, total)
		}
	}
	if _, err := FindConfigD("huge"); err == nil || !strings.Contains(err.Error(), "smoke, class, lab, paper") {
		t.Errorf("got %v, want an error that lists the known sweeps", err)
	}
}
