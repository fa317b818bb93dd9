// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory nodes: what there are, as the kernel tells it, and preferences of views
 *
 * A node of Windows is the node of that number here. Processors are those of one group,
 * as in SYSTEM_INFO.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <winregion/processthreadsapi.h>
#include <winregion/systemtopologyapi.h>
#include <winregion/winbase.h>

#include "internal.h"

#define KIB 1024

/* As many as Windows has */
#define MOST_NODES 64
#define MOST_PROCESSORS 64

#define NODES "/sys/devices/system/node/"

/* Without a kernel that has any, all is one. */
static uint64_t nodes(void)
{
	uint64_t mask = wr_read_list(NODES "online");

	return mask ? mask : 1;
}

bool wr_node_is_there(ULONG node)
{
	return node < MOST_NODES && nodes() >> node & 1;
}

void wr_node_prefer(void *address, size_t size, ULONG node)
{
	uint64_t mask = (uint64_t)1 << node;

	WR_KEEP_ERRNO();

	/* With one more than there are bits, which is what the kernel takes away */
	syscall(SYS_mbind, address, size, MPOL_PREFERRED, &mask, MOST_NODES + 1,
		0);
}

static uint64_t processors_of(ULONG node)
{
	char name[64];
	uint64_t mask;

	snprintf(name, sizeof(name), NODES "node%u/cpulist", node);
	mask = wr_read_list(name);
	/* Where the kernel tells nothing */
	if (!mask && nodes() == 1)
		mask = wr_read_list("/sys/devices/system/cpu/online");

	return mask;
}

/* A line is "Node 0 MemFree:   1234 kB". */
static uint64_t number_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) * KIB : 0;
}

/* Free, or with contents of files */
static uint64_t available_of(ULONG node)
{
	char name[64], text[4096];

	snprintf(name, sizeof(name), NODES "node%u/meminfo", node);
	if (!wr_read_text(name, text, sizeof(text)))
		wr_read_text("/proc/meminfo", text, sizeof(text));

	return number_of(text, " MemFree:") + number_of(text, "\nMemFree:") +
	       number_of(text, "Active(file):") +
	       number_of(text, "Inactive(file):");
}

/* The node of a processor, or -1 */
static int node_of(ULONG processor)
{
	uint64_t left = nodes();
	int node;

	if (processor >= MOST_PROCESSORS)
		return -1;
	for (; left; left &= left - 1) {
		node = __builtin_ctzll(left);
		if (processors_of(node) >> processor & 1)
			return node;
	}

	return -1;
}

/* ---- nodes ---- */

BOOL WINAPI GetNumaHighestNodeNumber(PULONG highest)
{
	WR_KEEP_ERRNO();

	if (!wr_writable(highest, sizeof(*highest)))
		return wr_fail(ERROR_NOACCESS);
	*highest = MOST_NODES - 1 - __builtin_clzll(nodes());

	return TRUE;
}

static NTSTATUS check(ULONG node, const void *result, size_t size)
{
	if (!wr_writable(result, size))
		return STATUS_ACCESS_VIOLATION;

	return wr_node_is_there(node) ? STATUS_SUCCESS :
					STATUS_INVALID_PARAMETER;
}

static void fill_affinity(PGROUP_AFFINITY mask, ULONG node)
{
	memset(mask, 0, sizeof(*mask));
	mask->Mask = processors_of(node);
}

BOOL WINAPI GetNumaNodeProcessorMaskEx(USHORT node, PGROUP_AFFINITY mask)
{
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = check(node, mask, sizeof(*mask));
	if (status == STATUS_SUCCESS)
		fill_affinity(mask, node);

	return wr_succeeded(status);
}

BOOL WINAPI GetNumaNodeProcessorMask(UCHAR node, PULONGLONG mask)
{
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = check(node, mask, sizeof(*mask));
	if (status == STATUS_SUCCESS)
		*mask = processors_of(node);

	return wr_succeeded(status);
}

BOOL WINAPI GetNumaAvailableMemoryNodeEx(USHORT node, PULONGLONG bytes)
{
	NTSTATUS status;

	WR_KEEP_ERRNO();

	status = check(node, bytes, sizeof(*bytes));
	if (status == STATUS_SUCCESS)
		*bytes = available_of(node);

	return wr_succeeded(status);
}

BOOL WINAPI GetNumaAvailableMemoryNode(UCHAR node, PULONGLONG bytes)
{
	return GetNumaAvailableMemoryNodeEx(node, bytes);
}

/* ---- processors ---- */

BOOL WINAPI GetNumaProcessorNodeEx(PPROCESSOR_NUMBER processor, PUSHORT node)
{
	int found = -1;

	WR_KEEP_ERRNO();

	if (!wr_writable(node, sizeof(*node)) ||
	    !wr_all_readable(processor, sizeof(*processor)))
		return wr_fail(ERROR_NOACCESS);
	if (!processor->Group && !processor->Reserved)
		found = node_of(processor->Number);
	*node = found;

	return found >= 0 || wr_fail(ERROR_INVALID_PARAMETER);
}

BOOL WINAPI GetNumaProcessorNode(UCHAR processor, PUCHAR node)
{
	int found;

	WR_KEEP_ERRNO();

	if (!wr_writable(node, sizeof(*node)))
		return wr_fail(ERROR_NOACCESS);
	found = node_of(processor);
	*node = found;

	return found >= 0 || wr_fail(ERROR_INVALID_PARAMETER);
}

DWORD WINAPI GetCurrentProcessorNumber(VOID)
{
	WR_KEEP_ERRNO();

	return sched_getcpu() % MOST_PROCESSORS;
}

VOID WINAPI GetCurrentProcessorNumberEx(PPROCESSOR_NUMBER processor)
{
	int number;

	WR_KEEP_ERRNO();

	number = sched_getcpu();
	processor->Group = number / MOST_PROCESSORS;
	processor->Number = number % MOST_PROCESSORS;
	processor->Reserved = 0;
}
