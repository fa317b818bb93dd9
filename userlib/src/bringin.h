/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private memory that is out, in swap
 */
#ifndef _WINREGION_BRINGIN_H
#define _WINREGION_BRINGIN_H

#include <stdbool.h>
#include <stdint.h>

struct winregion_run;

/* Whether anything of the process's regions is. Changes errno, as do the others. */
bool wr_any_out(void);

/* Whether something of a run can be, and may be read back */
bool wr_may_be_out(const struct winregion_run *run);

/* Reads it back, in whole pages, as far as it is found, and not more than @room bytes. */
void wr_bring_in(uintptr_t first, uintptr_t end, uint64_t *room);

#endif /* _WINREGION_BRINGIN_H */
