/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mappings of a process, as smaps of /proc has them
 */
#ifndef _WINREGION_SMAPS_H
#define _WINREGION_SMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A mapping: what of it is in memory, and whether it is locked there */
struct wr_mapping {
	uintptr_t first;
	uintptr_t end;
	size_t resident;
	bool locked;
	bool large;
};

struct wr_smaps {
	FILE *file;
	char *line;
	size_t room;
};

struct wr_target;

/* Return: whether it can be read. wr_smaps_close() in any case. */
bool wr_smaps_open(struct wr_smaps *smaps, const struct wr_target *target);
bool wr_smaps_next(struct wr_smaps *smaps, struct wr_mapping *mapping);
void wr_smaps_close(struct wr_smaps *smaps);

#endif /* _WINREGION_SMAPS_H */
