// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded before a program and behind the library that has its malloc(): at the end it
 * adds a line to the file that PROOF names, with what the process' heap says of itself:
 *
 *	NAME BLOCKS BYTES COMMITTED
 *
 * or, instead of the numbers, what is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <winregion/heapapi.h>

static const char *find_fault(HANDLE heap)
{
	void *volatile block = malloc(1234);
	SIZE_T size = HeapSize(heap, 0, block);

	if (size != 1234)
		return "malloc() is not the heap's";
	free(block);
	if (HeapSize(heap, 0, block) != (SIZE_T)-1)
		return "free() is not the heap's";

	return HeapValidate(heap, 0, NULL) ? NULL : "the heap is broken";
}

static unsigned long count_blocks(HANDLE heap)
{
	PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
	unsigned long n = 0;

	while (HeapWalk(heap, &entry))
		n += !!(entry.wFlags & PROCESS_HEAP_ENTRY_BUSY);

	return n;
}

__attribute__((destructor)) static void tell(void)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };
	const char *name = getenv("PROOF");
	HANDLE heap = GetProcessHeap();
	const char *fault;
	char line[200];
	int fd;

	if (!name)
		return;
	fault = heap ? find_fault(heap) : "there is no heap";
	if (!fault && !HeapSummary(heap, 0, &summary))
		fault = "there are no sums";
	if (fault)
		snprintf(line, sizeof(line), "%s %s\n",
			 program_invocation_short_name, fault);
	else
		snprintf(line, sizeof(line), "%s %lu %zu %zu\n",
			 program_invocation_short_name, count_blocks(heap),
			 summary.cbAllocated, summary.cbCommitted);
	fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		_exit(99);
	close(fd);
}
