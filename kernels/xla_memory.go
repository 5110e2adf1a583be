//go:build cgo && linux

package kernels

// XLA on the processor takes all buffers of a call from malloc and frees them at its end. glibc gives
// blocks of their size back to the system; to get them again, page by page, cost a fifth of the time
// of the miniature networks. So the program keeps up to a gibibyte of freed memory, in one heap: the
// others hold blocks of 64 MiB at most, larger ones are mapped anew each time. Compiling takes a third
// longer with one, the lecture's panel D a tenth less. This must be said before the first thread asks
// for memory.

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
__attribute__((constructor)) static void keep_memory(void) {
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
}
static void release_memory(void) { malloc_trim(0); }
#else
static void release_memory(void) {}
#endif
*/
import "C"

import "runtime/debug"

// ReleaseMemory gives what Go and XLA keep of freed memory back to the system: programs of one kind
// follow programs of another, whose blocks do not fit. It takes some ten milliseconds.
func ReleaseMemory() {
	debug.FreeOSMemory()
	C.release_memory()
}
