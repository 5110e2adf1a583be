// Package native executes GoMLX graphs on the processor, in Go without cgo.
//
// A graph is recorded as nodes, planned once and run many times. Planning drops what no output
// needs and turns the rest into steps: elementwise operations that belong together become one loop
// over blocks that stay in the cache, moves of data that no other step has to see (slices,
// transposes, broadcasts) are read in place by the loops that use them, products and convolutions
// go to package kern. Results of steps share one block of memory, each only as long as it is
// needed.
//
// Loops, products and reductions are cut in pieces for several processors. Where it matters for the
// result, the cuts depend on the shapes alone: equal inputs give equal bytes on any number of
// processors.
//
// What the engine lacks (control flow, sorting, complex numbers, half precision, dynamic shapes,
// several devices) is refused with an error that wraps [compute.ErrNotImplemented].
package native
