//go:build cgo && linux

package kernels

// XLA on the processor takes all buffers of a call from malloc and frees them at its end. glibc gives
// blocks of their size back to the system; to get them again, page by page, cost a fifth of the time
// of the miniature networks. So the program keeps up to a gibibyte of freed memory, in two heaps: of
// one a thread, those that a thread has emptied would be given back all the same, and with one alone
// compiling takes a third longer. This must be said before the first thread asks for memory.

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
__attribute__((constructor)) static void keep_memory(void) {
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
}
#endif
*/
import "C"
