/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times of Windows: 100 ns each, since the beginning of 1601
 */
#ifndef _WINREGION_FILETIME_H
#define _WINREGION_FILETIME_H

#include <stdint.h>
#include <time.h>

#include <winregion/windows.h>

#define WR_TICKS_PER_SECOND 10000000LL
#define WR_NS_PER_TICK 100
/* From the beginning of 1601 to that of 1970 */
#define WR_EPOCH_SECONDS 11644473600LL

static inline FILETIME wr_filetime(uint64_t ticks)
{
	return (FILETIME){ .dwLowDateTime = ticks,
			   .dwHighDateTime = ticks >> 32 };
}

static inline uint64_t wr_ticks_of(const struct timespec *time)
{
	return time->tv_sec * WR_TICKS_PER_SECOND +
	       time->tv_nsec / WR_NS_PER_TICK;
}

#endif /* _WINREGION_FILETIME_H */
