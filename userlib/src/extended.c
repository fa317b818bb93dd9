// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The list of MEM_EXTENDED_PARAMETER that newer calls take
 */
#include "extended.h"

static NTSTATUS read_requirements(const MEM_ADDRESS_REQUIREMENTS *from,
				  struct wr_extended *extended)
{
	if (!from)
		return STATUS_INVALID_PARAMETER;
	if (!wr_all_readable(from, sizeof(*from)))
		return STATUS_ACCESS_VIOLATION;
	extended->lowest = (uintptr_t)from->LowestStartingAddress;
	extended->highest = (uintptr_t)from->HighestEndingAddress;
	extended->alignment = from->Alignment;

	return STATUS_SUCCESS;
}

/* Rule VX-08 */
static NTSTATUS read_node(ULONG node, struct wr_extended *extended)
{
	if (node == NUMA_NO_PREFERRED_NODE)
		return STATUS_SUCCESS;
	if (!wr_node_is_there(node))
		return STATUS_INVALID_PARAMETER;
	extended->has_node = true;
	extended->node = node;

	return STATUS_SUCCESS;
}

/* Rules VX-05 to VX-08 */
static NTSTATUS read_one(const MEM_EXTENDED_PARAMETER *parameter,
			 struct wr_extended *extended)
{
	switch (parameter->Type) {
	case MemExtendedParameterAddressRequirements:
		return read_requirements(parameter->Pointer, extended);
	case MemExtendedParameterNumaNode:
		return read_node(parameter->ULong, extended);
	case MemExtendedParameterAttributeFlags:
		return parameter->ULong64 ? STATUS_INVALID_PARAMETER :
					    STATUS_SUCCESS;
	case MemExtendedParameterImageMachine:
		return STATUS_NOT_SUPPORTED;
	default:
		return STATUS_INVALID_PARAMETER;
	}
}

/* Rules VX-02 to VX-04, VX-12 */
NTSTATUS wr_extended_read(const MEM_EXTENDED_PARAMETER *list, ULONG count,
			  struct wr_extended *extended)
{
	unsigned int seen = 0, bit;
	NTSTATUS status;
	ULONG i;

	*extended = (struct wr_extended){ 0 };
	if (count && !list)
		return STATUS_INVALID_PARAMETER;
	for (i = 0; i < count; i++) {
		if (!wr_all_readable(&list[i], sizeof(list[i])))
			return STATUS_ACCESS_VIOLATION;
		if (list[i].Type >= MemExtendedParameterMax)
			return STATUS_INVALID_PARAMETER;
		bit = 1U << list[i].Type;
		if (seen & bit)
			return STATUS_INVALID_PARAMETER;
		seen |= bit;
		status = read_one(&list[i], extended);
		if (status != STATUS_SUCCESS)
			return status;
	}

	return STATUS_SUCCESS;
}
