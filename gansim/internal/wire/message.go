package wire

// Greeting opens a connection: the client says who it is, the server answers.
type Greeting struct {
	Version int    `json:"version"`
	Build   string `json:"build"`             // of the program that serves, see [Build]
	Name    string `json:"name,omitempty"`    // of the client, such as "notebook"
	Owner   int    `json:"owner,omitempty"`   // process for which the server stays, 0 for none
	PID     int    `json:"pid"`               // of the sender
	Backend string `json:"backend,omitempty"` // as the server was asked for it
}

// Step is progress of a request.
type Step struct {
	Done  int    `json:"done"`
	Total int    `json:"total"`
	Text  string `json:"text,omitempty"` // such as the loss or the score
}

// Fault is why a request failed, in one line, and what to do about it.
type Fault struct {
	Error     string `json:"error"`
	Hint      string `json:"hint,omitempty"`
	Cancelled bool   `json:"cancelled,omitempty"`
}

// Shape is that of a batch of images in a part, float32 [N, Height, Width, 3] in [0, 1].
type Shape struct {
	N      int `json:"n"`
	Height int `json:"height"`
	Width  int `json:"width"`
}

// Origin says how a result came about.
type Origin struct {
	Model   string `json:"model,omitempty"`
	Recipe  string `json:"recipe,omitempty"`
	Seed    uint64 `json:"seed,omitempty"`
	Weights string `json:"weights,omitempty"` // SHA-256, shortened; several joined by "+"
	Backend string `json:"backend,omitempty"`
	Steps   int    `json:"steps,omitempty"`
	Commit  string `json:"commit,omitempty"` // of the program, shortened; with + if it was changed since
}

// Query is the body of every request; each verb reads the fields that it needs.
type Query struct {
	Model  string  `json:"model,omitempty"`  // generator, network or detector
	Unit   string  `json:"unit,omitempty"`   // net/layer/channel[/row/col], or net/layer
	Recipe string  `json:"recipe,omitempty"` // empty means the model's first
	Set    string  `json:"set,omitempty"`    // mini:NAME, a folder or a file
	N      int     `json:"n,omitempty"`
	Seed   uint64  `json:"seed,omitempty"`
	Steps  int     `json:"steps,omitempty"` // zero means the verb's default
	Rate   float64 `json:"rate,omitempty"`  // zero means the panel's
	Method string  `json:"method,omitempty"`
	Loss   string  `json:"loss,omitempty"`  // of images, as invert.ParseLoss reads it; empty means mse
	Basis  string  `json:"basis,omitempty"` // absolute path of a generator's metric; empty means the miniature's
	// Shapes are those of the parts that hold images, in order.
	Shapes []Shape `json:"shapes,omitempty"`
	// Codes is the number of dimensions of the codes in the last part, if any.
	Codes int `json:"codes,omitempty"`
	// Samples are values for the verbs of statistics.
	Samples [][]float64 `json:"samples,omitempty"`
	Names   []string    `json:"names,omitempty"`
	Panel   string      `json:"panel,omitempty"`
	Dir     string      `json:"dir,omitempty"` // absolute
	Preset  string      `json:"preset,omitempty"`
	Key     string      `json:"key,omitempty"` // of a kept value
	Columns int         `json:"columns,omitempty"`
}

// Answer is the body of every result; each verb sets what it has.
type Answer struct {
	Origin   Origin      `json:"origin"`
	Shapes   []Shape     `json:"shapes,omitempty"` // of the parts that hold images, in order
	Codes    int         `json:"codes,omitempty"`  // dimensions of the codes in the last part
	Values   [][]float64 `json:"values,omitempty"`
	Names    []string    `json:"names,omitempty"`
	Boxes    [][]Box     `json:"boxes,omitempty"` // by image
	Layers   []Layer     `json:"layers,omitempty"`
	Estimate *Estimate   `json:"estimate,omitempty"`
	Test     *Test       `json:"test,omitempty"`
	Markdown string      `json:"markdown,omitempty"`
	Alt      string      `json:"alt,omitempty"`   // of the pictures in the parts, in words
	Types    []string    `json:"types,omitempty"` // media types of the parts that are files
	Status   *Status     `json:"status,omitempty"`
	Notes    []string    `json:"notes,omitempty"`
}

// Box is an object that a detector found: x0, y0, x1, y1 in pixels of the image.
type Box struct {
	Corners    [4]float64 `json:"corners"`
	Confidence float64    `json:"confidence"`
	Class      string     `json:"class"`
}

// Layer of a network; Height and Width are 0 for a dense one.
type Layer struct {
	Name     string `json:"name"`
	Height   int    `json:"height"`
	Width    int    `json:"width"`
	Channels int    `json:"channels"`
}

// Estimate is a distance with its 95 % interval; Lo and Hi are nil where there is none.
type Estimate struct {
	Value float64  `json:"value"`
	Lo    *float64 `json:"lo"`
	Hi    *float64 `json:"hi"`
	NA    int      `json:"n_a"`
	NB    int      `json:"n_b"`
}

// Test is a test of significance.
type Test struct {
	Name      string  `json:"name"`
	N         int     `json:"n"`
	Statistic float64 `json:"statistic"`
	Z         float64 `json:"z"`
	P         float64 `json:"p"`
	Log10P    float64 `json:"log10_p"`
	Effect    float64 `json:"effect_size"`
	Sentence  string  `json:"sentence"`
}

// Status is what a server holds and whom it serves.
type Status struct {
	PID     int      `json:"pid"`
	Build   string   `json:"build"`
	Backend string   `json:"backend"`
	Device  string   `json:"device"`
	Socket  string   `json:"socket"`
	Uptime  float64  `json:"uptime_s"`
	Clients []Client `json:"clients"`
	Owners  []int    `json:"owners"` // processes for which the server stays
	Running []string `json:"running"`
	Models  []Item   `json:"models"`
	Values  []Item   `json:"values"`
	Memory  Memory   `json:"memory"`
}

// Client is a connection.
type Client struct {
	Name     string `json:"name"`
	PID      int    `json:"pid"`
	Requests int    `json:"requests"`
}

// Item is something that the server holds.
type Item struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	InUse int    `json:"in_use"`
}

// Memory is measured in bytes: the limit, what models and values take, and the process's resident
// size, 0 where the system does not say.
type Memory struct {
	Limit    int64 `json:"limit"`
	Held     int64 `json:"held"`
	Resident int64 `json:"resident"`
	Evicted  int   `json:"evicted"` // networks and programs so far
}
