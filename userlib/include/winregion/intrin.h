/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - <intrin.h>: what Microsoft's compiler has built in
 *
 * The compiler's own headers are the largest part of it.
 */
#ifndef _WINREGION_INTRIN_H
#define _WINREGION_INTRIN_H

#include "windows.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

#if defined(__x86_64__) || defined(__i386__)

/* <cpuid.h> has the first one too, with five arguments. */
static __inline__ void _winregion_cpuid(int info[4], int leaf, int subleaf)
{
	__asm__ __volatile__("cpuid"
			     : "=a"(info[0]), "=b"(info[1]), "=c"(info[2]),
			       "=d"(info[3])
			     : "0"(leaf), "2"(subleaf));
}

static __inline__ UINT64 _winregion_xgetbv(unsigned int which)
{
	unsigned int low, high;

	__asm__ __volatile__("xgetbv" : "=a"(low), "=d"(high) : "c"(which));

	return (UINT64)high << 32 | low;
}

#undef __cpuid
#if (defined(__cplusplus) && __cplusplus < 201103L) || \
	(!defined(__cplusplus) && \
	 (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L))
#define __cpuid(info, leaf) _winregion_cpuid((info), (leaf), 0)
#else
#define _winregion_cpuid2(info, leaf) _winregion_cpuid((info), (leaf), 0)
#define _winregion_cpuid5(leaf, a, b, c, d) \
	__asm__ __volatile__("cpuid" \
			     : "=a"(a), "=b"(b), "=c"(c), "=d"(d) \
			     : "0"(leaf))
#define _winregion_which(a, b, c, d, e, which, ...) which

#define __cpuid(...) \
	_winregion_which(__VA_ARGS__, _winregion_cpuid5, 0, 0, \
			 _winregion_cpuid2, 0)(__VA_ARGS__)
#endif
#undef __cpuidex
#define __cpuidex(info, leaf, subleaf) \
	_winregion_cpuid((info), (leaf), (subleaf))
#undef _xgetbv
#define _xgetbv(which) _winregion_xgetbv(which)
#endif

/* ---- counts and turns; a long has 32 bits ---- */

#define __popcnt16(number) ((unsigned short)__builtin_popcount((WORD)(number)))
#define __popcnt(number) ((unsigned int)__builtin_popcount((DWORD)(number)))
#define __popcnt64(number) ((UINT64)__builtin_popcountll((UINT64)(number)))

#define _byteswap_ushort(number) __builtin_bswap16((WORD)(number))
#define _byteswap_ulong(number) __builtin_bswap32((DWORD)(number))
#define _byteswap_uint64(number) __builtin_bswap64((UINT64)(number))

static __inline__ UINT32 _winregion_left(UINT32 number, int by)
{
	return number << (by & 31) | number >> (-by & 31);
}

static __inline__ UINT64 _winregion_left64(UINT64 number, int by)
{
	return number << (by & 63) | number >> (-by & 63);
}

#undef _rotl
#undef _rotr
#undef _lrotl
#undef _lrotr
#undef _rotl64
#undef _rotr64
#define _rotl(number, by) _winregion_left((UINT32)(number), (by))
#define _rotr(number, by) _winregion_left((UINT32)(number), -(by))
#define _lrotl(number, by) _winregion_left((UINT32)(number), (by))
#define _lrotr(number, by) _winregion_left((UINT32)(number), -(by))
#define _rotl64(number, by) _winregion_left64((UINT64)(number), (by))
#define _rotr64(number, by) _winregion_left64((UINT64)(number), -(by))

/* ---- products of 128 bits ---- */

/* Programs of 32 bits have none, as on Windows. */
#ifdef __SIZEOF_INT128__

__extension__ typedef __int128 _winregion_int128;
__extension__ typedef unsigned __int128 _winregion_uint128;

static __inline__ UINT64 __umulh(UINT64 a, UINT64 b)
{
	return (UINT64)((_winregion_uint128)a * b >> 64);
}

static __inline__ INT64 __mulh(INT64 a, INT64 b)
{
	return (INT64)((_winregion_int128)a * b >> 64);
}

/* high leads to 64 bits, of whatever type. */
static __inline__ UINT64 _umul128(UINT64 a, UINT64 b, void *high)
{
	UINT64 wide = __umulh(a, b);

	memcpy(high, &wide, sizeof(wide));

	return a * b;
}

static __inline__ INT64 _mul128(INT64 a, INT64 b, void *high)
{
	INT64 wide = __mulh(a, b);

	memcpy(high, &wide, sizeof(wide));

	return (INT64)((UINT64)a * (UINT64)b);
}

static __inline__ UINT64 __shiftleft128(UINT64 low, UINT64 high,
					unsigned char by)
{
	return by & 63 ? high << (by & 63) | low >> (64 - (by & 63)) : high;
}

static __inline__ UINT64 __shiftright128(UINT64 low, UINT64 high,
					 unsigned char by)
{
	return by & 63 ? low >> (by & 63) | high << (64 - (by & 63)) : low;
}

#endif /* __SIZEOF_INT128__ */

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

#endif /* _WINREGION_INTRIN_H */
