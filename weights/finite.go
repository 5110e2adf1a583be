package weights

import (
	"fmt"
	"strings"
)

// NonFiniteError lists the tensors of a file that hold NaN or infinite elements.
type NonFiniteError struct {
	Tensors []NonFinite // by name
}

// NonFinite counts such elements of one tensor.
type NonFinite struct {
	Name     string
	NaN, Inf int
}

// Error names up to eight of the tensors.
func (e *NonFiniteError) Error() string {
	var s strings.Builder
	s.WriteString("weights: not all finite:")
	for i, t := range e.Tensors {
		if i == 8 {
			fmt.Fprintf(&s, ", and %d tensors more", len(e.Tensors)-i)
			break
		}
		if i > 0 {
			s.WriteString(",")
		}
		fmt.Fprintf(&s, " %q has %d NaN, %d Inf", t.Name, t.NaN, t.Inf)
	}
	return s.String()
}

// CheckFinite looks at every floating-point element. It returns nil or a [*NonFiniteError].
func (f *File) CheckFinite() error {
	var e NonFiniteError
	for _, t := range f.Tensors {
		if nan, inf := t.NonFinite(); nan+inf > 0 {
			e.Tensors = append(e.Tensors, NonFinite{t.Name, nan, inf})
		}
	}
	if e.Tensors == nil {
		return nil
	}
	return &e
}
