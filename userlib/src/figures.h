/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much memory the system and this process have, in bytes
 */
#ifndef _WINREGION_FIGURES_H
#define _WINREGION_FIGURES_H

#include <stdint.h>

struct wr_target;

/* What the module, and /proc/meminfo, say of the system */
struct wr_system {
	uint64_t total;
	uint64_t available;
	uint64_t cache;
	/* The kernel's own: what it can give back, and the rest */
	uint64_t reclaimable;
	uint64_t kernel;
	/* What is promised, and what can be */
	uint64_t promised;
	uint64_t limit;
};

/* And of a process */
struct wr_own {
	/* Address space that is in use */
	uint64_t mapped;
	/* What of it is in memory and mapped, and of that regions, views and files */
	uint64_t resident;
	uint64_t shared;
	/* The most that was, and how often there was a fault */
	uint64_t peak;
	uint64_t faults;
	/* What is promised to it: pages of regions, and all private ones it writes */
	uint64_t promised;
	/* Addresses that regions can have */
	uint64_t lowest;
	uint64_t highest;
};

/* figures.c: what cannot be read is 0. Changes errno. */
void wr_system_figures(struct wr_system *system);
void wr_own_figures(struct wr_own *own);
void wr_figures_of(const struct wr_target *target, struct wr_own *own);

/* figures.c: what of @total is available, without asking the module. Changes errno. */
uint64_t wr_available(uint64_t *total);

/* figures.c: the bytes of line @name of what is told of our regions. Changes errno. */
uint64_t wr_told_of_regions(const char *name);

#endif /* _WINREGION_FIGURES_H */
