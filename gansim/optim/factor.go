package optim

import "gonum.org/v1/gonum/floats"

// factor is an n x n matrix kept as scale*base + sum_i coef_i * left_i (column) * right_i (row).
// The base is the identity until half as many terms as dimensions have come together; then they
// are folded into a dense matrix, which is cheaper from there on. Nothing is approximated.
type factor struct {
	n     int
	scale float64
	dense []float64 // [n, n] base, row-major; nil for the identity
	coef  []float64
	left  [][]float64 // owned
	right [][]float64 // owned
}

// identity returns the n x n identity.
func identity(n int) factor { return factor{n: n, scale: 1} }

// mulRow sets dst = x M for a row vector x. dst and x must not overlap.
func (m *factor) mulRow(dst, x []float64) {
	if m.dense == nil {
		floats.ScaleTo(dst, m.scale, x)
	} else {
		clear(dst)
		for i, v := range x {
			floats.AddScaled(dst, m.scale*v, m.dense[i*m.n:(i+1)*m.n])
		}
	}
	for i, c := range m.coef {
		floats.AddScaled(dst, c*floats.Dot(x, m.left[i]), m.right[i])
	}
}

// mulCol returns M x for a column vector x, in new memory.
func (m *factor) mulCol(x []float64) []float64 {
	dst := make([]float64, m.n)
	if m.dense == nil {
		floats.ScaleTo(dst, m.scale, x)
	} else {
		for i := range dst {
			dst[i] = m.scale * floats.Dot(m.dense[i*m.n:(i+1)*m.n], x)
		}
	}
	for i, c := range m.coef {
		floats.AddScaled(dst, c*floats.Dot(x, m.right[i]), m.left[i])
	}
	return dst
}

// rescale multiplies the matrix by s.
func (m *factor) rescale(s float64) {
	m.scale *= s
	floats.Scale(s, m.coef)
}

// add adds coef * left (column) * right (row) and keeps both slices.
func (m *factor) add(coef float64, left, right []float64) {
	m.coef = append(m.coef, coef)
	m.left = append(m.left, left)
	m.right = append(m.right, right)
	if 2*len(m.coef) > m.n {
		m.fold()
	}
}

// fold makes the base dense and drops the terms.
func (m *factor) fold() {
	m.dense = m.matrix()
	m.scale = 1
	m.coef, m.left, m.right = nil, nil, nil
}

// matrix writes the matrix out, [n, n] row-major.
func (m *factor) matrix() []float64 {
	out := make([]float64, m.n*m.n)
	for i := range m.n {
		row := out[i*m.n : (i+1)*m.n]
		if m.dense == nil {
			row[i] = m.scale
		} else {
			floats.ScaleTo(row, m.scale, m.dense[i*m.n:(i+1)*m.n])
		}
		for t, c := range m.coef {
			floats.AddScaled(row, c*m.left[t][i], m.right[t])
		}
	}
	return out
}
