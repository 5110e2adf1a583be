package oracle

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gansim.example/weights"
)

// OpCase is one operator with its inputs and what must come out.
type OpCase struct {
	Name, Op, Note string
	Args           Args
	Salt           string

	// InputNames lists the inputs in the operator's order, such as x, w, b.
	InputNames []string
	Inputs     map[string]Tensor
	// Cotangent is what the output is multiplied with to give the scalar that is differentiated.
	Cotangent Tensor
	// Outputs lists what [OpCase.Expected] knows: y, and grad(NAME) for the differentiable inputs.
	Outputs []string

	expected map[string]Expected
}

// Expected is the output "y" or a gradient such as "grad(x)"; false if the case has none.
func (c OpCase) Expected(name string) (e Expected, ok bool) {
	e, ok = c.expected[name]
	return e, ok
}

// Probe is the number that an output's Stats.Probe is compared with.
func (c OpCase) Probe(output string, full []float64) float64 {
	return Probe(c.Salt, "ops/"+c.Name+"/"+output+"/probe", full)
}

// Args are the arguments of an operator by name, as JSON gives them.
type Args map[string]any

// Has says whether an argument is there and not null.
func (a Args) Has(name string) bool { return a[name] != nil }

// Float is a number, 0 if there is none.
func (a Args) Float(name string) float64 {
	v, _ := a[name].(float64)
	return v
}

// Int is a whole number, 0 if there is none.
func (a Args) Int(name string) int { return int(a.Float(name)) }

// Bool is a truth value, false if there is none.
func (a Args) Bool(name string) bool {
	v, _ := a[name].(bool)
	return v
}

// Ints is a list of whole numbers, or the one number of that name.
func (a Args) Ints(name string) []int {
	if v, ok := a[name].(float64); ok {
		return []int{int(v)}
	}
	list, _ := a[name].([]any)
	var out []int
	for _, v := range list {
		if v, ok := v.(float64); ok {
			out = append(out, int(v))
		}
	}
	return out
}

// LoadOps reads all operator cases of a folder and makes their inputs, checked by CRC-32.
func LoadOps(dir string) ([]OpCase, error) {
	var file struct {
		Salt  string
		Cases []struct {
			Name, Op, Note string
			Args           Args
			Inputs         []Fill
			Cotangent      Fill
			Tensors        []record
		}
	}
	if err := Read(dir, "ops.json", &file); err != nil {
		return nil, err
	}
	values, err := weights.OpenSafetensors(filepath.Join(dir, "ops.safetensors"))
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	cases := make([]OpCase, len(file.Cases))
	for i, in := range file.Cases {
		c := OpCase{Name: in.Name, Op: in.Op, Note: in.Note, Args: in.Args, Salt: file.Salt,
			Inputs: map[string]Tensor{}, expected: map[string]Expected{}}
		for _, f := range in.Inputs {
			c.InputNames = append(c.InputNames, f.Name)
			if c.Inputs[f.Name], err = f.Tensor(c.Salt); err != nil {
				return nil, fmt.Errorf("%w (case %s)", err, c.Name)
			}
		}
		if c.Cotangent, err = in.Cotangent.Tensor(c.Salt); err != nil {
			return nil, fmt.Errorf("%w (case %s)", err, c.Name)
		}
		for _, r := range in.Tensors {
			e, err := r.expected(values)
			if err != nil {
				return nil, err
			}
			output := strings.TrimPrefix(e.Name, c.Name+"/")
			c.Outputs = append(c.Outputs, output)
			c.expected[output] = e
		}
		cases[i] = c
	}
	return slices.Clip(cases), nil
}
