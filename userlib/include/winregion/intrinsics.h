/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - bits, and the other names of the interlocked operations
 *
 * Pointers may lead to integers of any width, as those of the operations in
 * <winregion/windows.h>: sources say long. Where Windows has a width in a name, it
 * is that of the number that is looked at.
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_INTRINSICS_H
#define _WINREGION_INTRINSICS_H

/* C++ has casts of its own, and some ask for nothing else. */
#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

/* ---- scans ---- */

/* The number of a bit, or -1 if none is set */
static __inline__ int _winregion_lowest(UINT64 mask)
{
	return mask ? __builtin_ctzll(mask) : -1;
}

static __inline__ int _winregion_highest(UINT64 mask)
{
	return mask ? 63 - __builtin_clzll(mask) : -1;
}

/* Return: whether there is one */
static __inline__ unsigned char _winregion_found(void *index, size_t width,
						 int bit)
{
	UINT64 wide = (UINT64)bit;

	if (bit < 0)
		return 0;
	memcpy(index, &wide, width);

	return 1;
}

#define _BitScanForward(index, mask) \
	_winregion_found((index), sizeof(*(index)), \
			 _winregion_lowest((UINT32)(mask)))
#define _BitScanReverse(index, mask) \
	_winregion_found((index), sizeof(*(index)), \
			 _winregion_highest((UINT32)(mask)))
#define _BitScanForward64(index, mask) \
	_winregion_found((index), sizeof(*(index)), \
			 _winregion_lowest((UINT64)(mask)))
#define _BitScanReverse64(index, mask) \
	_winregion_found((index), sizeof(*(index)), \
			 _winregion_highest((UINT64)(mask)))
#define BitScanForward _BitScanForward
#define BitScanReverse _BitScanReverse
#define BitScanForward64 _BitScanForward64
#define BitScanReverse64 _BitScanReverse64

/* ---- single bits, of as many as follow each other ---- */

static __inline__ unsigned char _bittest(const volatile void *bits, INT64 bit)
{
	return ((const volatile unsigned char *)bits)[bit >> 3] >> (bit & 7) &
	       1;
}

#define _WINREGION_BIT(name, change) \
	static __inline__ unsigned char name(volatile void *bits, INT64 bit) \
	{ \
		volatile unsigned char *at = \
			(volatile unsigned char *)bits + (bit >> 3); \
		unsigned char mask = (unsigned char)(1 << (bit & 7)); \
		unsigned char old = change; \
\
		return (old & mask) != 0; \
	}

_WINREGION_BIT(_bittestandset, *at; *at = (unsigned char)(old | mask))
_WINREGION_BIT(_bittestandreset, *at; *at = (unsigned char)(old & ~mask))
_WINREGION_BIT(_bittestandcomplement, *at; *at = (unsigned char)(old ^ mask))
_WINREGION_BIT(_interlockedbittestandset,
	       __atomic_fetch_or(at, mask, __ATOMIC_SEQ_CST))
_WINREGION_BIT(_interlockedbittestandreset,
	       __atomic_fetch_and(at, (unsigned char)~mask, __ATOMIC_SEQ_CST))
_WINREGION_BIT(_interlockedbittestandcomplement,
	       __atomic_fetch_xor(at, mask, __ATOMIC_SEQ_CST))

#undef _WINREGION_BIT

#define _bittest64 _bittest
#define _bittestandset64 _bittestandset
#define _bittestandreset64 _bittestandreset
#define _bittestandcomplement64 _bittestandcomplement
#define _interlockedbittestandset64 _interlockedbittestandset
#define _interlockedbittestandreset64 _interlockedbittestandreset
#define BitTest _bittest
#define BitTest64 _bittest
#define BitTestAndSet _bittestandset
#define BitTestAndSet64 _bittestandset
#define BitTestAndReset _bittestandreset
#define BitTestAndReset64 _bittestandreset
#define BitTestAndComplement _bittestandcomplement
#define BitTestAndComplement64 _bittestandcomplement
#define InterlockedBitTestAndSet _interlockedbittestandset
#define InterlockedBitTestAndSet64 _interlockedbittestandset
#define InterlockedBitTestAndReset _interlockedbittestandreset
#define InterlockedBitTestAndReset64 _interlockedbittestandreset
#define InterlockedBitTestAndComplement _interlockedbittestandcomplement
#define InterlockedBitTestAndComplement64 _interlockedbittestandcomplement

/* ---- sixteen bytes at once ---- */

#ifdef __LP64__

struct _winregion_pair {
	UINT64 half[2];
};

#ifdef __aarch64__

/* Return: whether they were as in comparand, which becomes what they were */
static __inline__ unsigned char
_winregion_compare_exchange128(volatile void *target, UINT64 high, UINT64 low,
			       void *comparand)
{
	volatile struct _winregion_pair *pair =
		(volatile struct _winregion_pair *)target;
	UINT64 *old = (UINT64 *)comparand;
	UINT64 was_low, was_high, same;
	unsigned int again;

	/* What was there is stored again where it was another, or it may be torn. */
	__asm__ __volatile__("1:	ldaxp	%0, %1, %4\n"
			     "	cmp	%0, %5\n"
			     "	ccmp	%1, %6, #0, eq\n"
			     "	cset	%2, eq\n"
			     "	csel	x16, %7, %0, eq\n"
			     "	csel	x17, %8, %1, eq\n"
			     "	stlxp	%w3, x16, x17, %4\n"
			     "	cbnz	%w3, 1b\n"
			     "	dmb	ish"
			     : "=&r"(was_low), "=&r"(was_high), "=&r"(same),
			       "=&r"(again), "+Q"(*pair)
			     : "r"(old[0]), "r"(old[1]), "r"(low), "r"(high)
			     : "x16", "x17", "cc", "memory");
	old[0] = was_low;
	old[1] = was_high;

	return same != 0;
}

#else /* x86-64 */

/* The same */
static __inline__ unsigned char
_winregion_compare_exchange128(volatile void *target, UINT64 high, UINT64 low,
			       void *comparand)
{
	UINT64 *old = (UINT64 *)comparand;
	unsigned char done;

	__asm__ __volatile__("lock; cmpxchg16b %1"
			     : "=@ccz"(done),
			       "+m"(*(volatile struct _winregion_pair *)target),
			       "+a"(old[0]), "+d"(old[1])
			     : "b"(low), "c"(high)
			     : "memory");

	return done;
}

#endif /* x86-64 */

#define _InterlockedCompareExchange128(target, high, low, comparand) \
	_winregion_compare_exchange128((target), (UINT64)(high), \
				       (UINT64)(low), (comparand))
#define InterlockedCompareExchange128 _InterlockedCompareExchange128

#endif /* __LP64__ */

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/* ---- barriers ---- */

#define _ReadWriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _ReadBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _WriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define __faststorefence() __sync_synchronize()

#if defined(__x86_64__) || defined(__i386__)
#define __debugbreak() __asm__ __volatile__("int3")
#elif defined(__aarch64__)
#define __debugbreak() __asm__ __volatile__("brk #0xf000")
#else
#define __debugbreak() __builtin_trap()
#endif

/* ---- names of the interlocked operations: each works on any width ---- */
#define InterlockedIncrementAcquire InterlockedIncrement
#define InterlockedIncrementRelease InterlockedIncrement
#define InterlockedIncrementNoFence InterlockedIncrement
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedIncrement_acq InterlockedIncrement
#define _InterlockedIncrement_rel InterlockedIncrement
#define _InterlockedIncrement_nf InterlockedIncrement
#define InterlockedIncrement16 InterlockedIncrement
#define InterlockedIncrement16Acquire InterlockedIncrement
#define InterlockedIncrement16Release InterlockedIncrement
#define InterlockedIncrement16NoFence InterlockedIncrement
#define _InterlockedIncrement16 InterlockedIncrement
#define _InterlockedIncrement16_acq InterlockedIncrement
#define _InterlockedIncrement16_rel InterlockedIncrement
#define _InterlockedIncrement16_nf InterlockedIncrement
#define InterlockedIncrement64Acquire InterlockedIncrement
#define InterlockedIncrement64Release InterlockedIncrement
#define InterlockedIncrement64NoFence InterlockedIncrement
#define _InterlockedIncrement64 InterlockedIncrement
#define _InterlockedIncrement64_acq InterlockedIncrement
#define _InterlockedIncrement64_rel InterlockedIncrement
#define _InterlockedIncrement64_nf InterlockedIncrement
#define InterlockedDecrementAcquire InterlockedDecrement
#define InterlockedDecrementRelease InterlockedDecrement
#define InterlockedDecrementNoFence InterlockedDecrement
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedDecrement_acq InterlockedDecrement
#define _InterlockedDecrement_rel InterlockedDecrement
#define _InterlockedDecrement_nf InterlockedDecrement
#define InterlockedDecrement16 InterlockedDecrement
#define InterlockedDecrement16Acquire InterlockedDecrement
#define InterlockedDecrement16Release InterlockedDecrement
#define InterlockedDecrement16NoFence InterlockedDecrement
#define _InterlockedDecrement16 InterlockedDecrement
#define _InterlockedDecrement16_acq InterlockedDecrement
#define _InterlockedDecrement16_rel InterlockedDecrement
#define _InterlockedDecrement16_nf InterlockedDecrement
#define InterlockedDecrement64Acquire InterlockedDecrement
#define InterlockedDecrement64Release InterlockedDecrement
#define InterlockedDecrement64NoFence InterlockedDecrement
#define _InterlockedDecrement64 InterlockedDecrement
#define _InterlockedDecrement64_acq InterlockedDecrement
#define _InterlockedDecrement64_rel InterlockedDecrement
#define _InterlockedDecrement64_nf InterlockedDecrement
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedExchangeRelease InterlockedExchange
#define InterlockedExchangeNoFence InterlockedExchange
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchange_acq InterlockedExchange
#define _InterlockedExchange_rel InterlockedExchange
#define _InterlockedExchange_nf InterlockedExchange
#define InterlockedExchange8 InterlockedExchange
#define InterlockedExchange8Acquire InterlockedExchange
#define InterlockedExchange8Release InterlockedExchange
#define InterlockedExchange8NoFence InterlockedExchange
#define _InterlockedExchange8 InterlockedExchange
#define _InterlockedExchange8_acq InterlockedExchange
#define _InterlockedExchange8_rel InterlockedExchange
#define _InterlockedExchange8_nf InterlockedExchange
#define InterlockedExchange16 InterlockedExchange
#define InterlockedExchange16Acquire InterlockedExchange
#define InterlockedExchange16Release InterlockedExchange
#define InterlockedExchange16NoFence InterlockedExchange
#define _InterlockedExchange16 InterlockedExchange
#define _InterlockedExchange16_acq InterlockedExchange
#define _InterlockedExchange16_rel InterlockedExchange
#define _InterlockedExchange16_nf InterlockedExchange
#define InterlockedExchange64Acquire InterlockedExchange
#define InterlockedExchange64Release InterlockedExchange
#define InterlockedExchange64NoFence InterlockedExchange
#define _InterlockedExchange64 InterlockedExchange
#define _InterlockedExchange64_acq InterlockedExchange
#define _InterlockedExchange64_rel InterlockedExchange
#define _InterlockedExchange64_nf InterlockedExchange
#define InterlockedExchangePointerAcquire InterlockedExchangePointer
#define InterlockedExchangePointerRelease InterlockedExchangePointer
#define InterlockedExchangePointerNoFence InterlockedExchangePointer
#define _InterlockedExchangePointer InterlockedExchangePointer
#define _InterlockedExchangePointer_acq InterlockedExchangePointer
#define _InterlockedExchangePointer_rel InterlockedExchangePointer
#define _InterlockedExchangePointer_nf InterlockedExchangePointer
#define InterlockedExchangeAddAcquire InterlockedExchangeAdd
#define InterlockedExchangeAddRelease InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence InterlockedExchangeAdd
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedExchangeAdd_acq InterlockedExchangeAdd
#define _InterlockedExchangeAdd_rel InterlockedExchangeAdd
#define _InterlockedExchangeAdd_nf InterlockedExchangeAdd
#define InterlockedExchangeAdd8 InterlockedExchangeAdd
#define InterlockedExchangeAdd8Acquire InterlockedExchangeAdd
#define InterlockedExchangeAdd8Release InterlockedExchangeAdd
#define InterlockedExchangeAdd8NoFence InterlockedExchangeAdd
#define _InterlockedExchangeAdd8 InterlockedExchangeAdd
#define _InterlockedExchangeAdd8_acq InterlockedExchangeAdd
#define _InterlockedExchangeAdd8_rel InterlockedExchangeAdd
#define _InterlockedExchangeAdd8_nf InterlockedExchangeAdd
#define InterlockedExchangeAdd16 InterlockedExchangeAdd
#define InterlockedExchangeAdd16Acquire InterlockedExchangeAdd
#define InterlockedExchangeAdd16Release InterlockedExchangeAdd
#define InterlockedExchangeAdd16NoFence InterlockedExchangeAdd
#define _InterlockedExchangeAdd16 InterlockedExchangeAdd
#define _InterlockedExchangeAdd16_acq InterlockedExchangeAdd
#define _InterlockedExchangeAdd16_rel InterlockedExchangeAdd
#define _InterlockedExchangeAdd16_nf InterlockedExchangeAdd
#define InterlockedExchangeAdd64Acquire InterlockedExchangeAdd
#define InterlockedExchangeAdd64Release InterlockedExchangeAdd
#define InterlockedExchangeAdd64NoFence InterlockedExchangeAdd
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd
#define _InterlockedExchangeAdd64_acq InterlockedExchangeAdd
#define _InterlockedExchangeAdd64_rel InterlockedExchangeAdd
#define _InterlockedExchangeAdd64_nf InterlockedExchangeAdd
#define InterlockedAndAcquire InterlockedAnd
#define InterlockedAndRelease InterlockedAnd
#define InterlockedAndNoFence InterlockedAnd
#define _InterlockedAnd InterlockedAnd
#define _InterlockedAnd_acq InterlockedAnd
#define _InterlockedAnd_rel InterlockedAnd
#define _InterlockedAnd_nf InterlockedAnd
#define InterlockedAnd8 InterlockedAnd
#define InterlockedAnd8Acquire InterlockedAnd
#define InterlockedAnd8Release InterlockedAnd
#define InterlockedAnd8NoFence InterlockedAnd
#define _InterlockedAnd8 InterlockedAnd
#define _InterlockedAnd8_acq InterlockedAnd
#define _InterlockedAnd8_rel InterlockedAnd
#define _InterlockedAnd8_nf InterlockedAnd
#define InterlockedAnd16 InterlockedAnd
#define InterlockedAnd16Acquire InterlockedAnd
#define InterlockedAnd16Release InterlockedAnd
#define InterlockedAnd16NoFence InterlockedAnd
#define _InterlockedAnd16 InterlockedAnd
#define _InterlockedAnd16_acq InterlockedAnd
#define _InterlockedAnd16_rel InterlockedAnd
#define _InterlockedAnd16_nf InterlockedAnd
#define InterlockedAnd64Acquire InterlockedAnd
#define InterlockedAnd64Release InterlockedAnd
#define InterlockedAnd64NoFence InterlockedAnd
#define _InterlockedAnd64 InterlockedAnd
#define _InterlockedAnd64_acq InterlockedAnd
#define _InterlockedAnd64_rel InterlockedAnd
#define _InterlockedAnd64_nf InterlockedAnd
#define InterlockedOrAcquire InterlockedOr
#define InterlockedOrRelease InterlockedOr
#define InterlockedOrNoFence InterlockedOr
#define _InterlockedOr InterlockedOr
#define _InterlockedOr_acq InterlockedOr
#define _InterlockedOr_rel InterlockedOr
#define _InterlockedOr_nf InterlockedOr
#define InterlockedOr8 InterlockedOr
#define InterlockedOr8Acquire InterlockedOr
#define InterlockedOr8Release InterlockedOr
#define InterlockedOr8NoFence InterlockedOr
#define _InterlockedOr8 InterlockedOr
#define _InterlockedOr8_acq InterlockedOr
#define _InterlockedOr8_rel InterlockedOr
#define _InterlockedOr8_nf InterlockedOr
#define InterlockedOr16 InterlockedOr
#define InterlockedOr16Acquire InterlockedOr
#define InterlockedOr16Release InterlockedOr
#define InterlockedOr16NoFence InterlockedOr
#define _InterlockedOr16 InterlockedOr
#define _InterlockedOr16_acq InterlockedOr
#define _InterlockedOr16_rel InterlockedOr
#define _InterlockedOr16_nf InterlockedOr
#define InterlockedOr64Acquire InterlockedOr
#define InterlockedOr64Release InterlockedOr
#define InterlockedOr64NoFence InterlockedOr
#define _InterlockedOr64 InterlockedOr
#define _InterlockedOr64_acq InterlockedOr
#define _InterlockedOr64_rel InterlockedOr
#define _InterlockedOr64_nf InterlockedOr
#define InterlockedXorAcquire InterlockedXor
#define InterlockedXorRelease InterlockedXor
#define InterlockedXorNoFence InterlockedXor
#define _InterlockedXor InterlockedXor
#define _InterlockedXor_acq InterlockedXor
#define _InterlockedXor_rel InterlockedXor
#define _InterlockedXor_nf InterlockedXor
#define InterlockedXor8 InterlockedXor
#define InterlockedXor8Acquire InterlockedXor
#define InterlockedXor8Release InterlockedXor
#define InterlockedXor8NoFence InterlockedXor
#define _InterlockedXor8 InterlockedXor
#define _InterlockedXor8_acq InterlockedXor
#define _InterlockedXor8_rel InterlockedXor
#define _InterlockedXor8_nf InterlockedXor
#define InterlockedXor16 InterlockedXor
#define InterlockedXor16Acquire InterlockedXor
#define InterlockedXor16Release InterlockedXor
#define InterlockedXor16NoFence InterlockedXor
#define _InterlockedXor16 InterlockedXor
#define _InterlockedXor16_acq InterlockedXor
#define _InterlockedXor16_rel InterlockedXor
#define _InterlockedXor16_nf InterlockedXor
#define InterlockedXor64Acquire InterlockedXor
#define InterlockedXor64Release InterlockedXor
#define InterlockedXor64NoFence InterlockedXor
#define _InterlockedXor64 InterlockedXor
#define _InterlockedXor64_acq InterlockedXor
#define _InterlockedXor64_rel InterlockedXor
#define _InterlockedXor64_nf InterlockedXor
#define InterlockedCompareExchangeAcquire InterlockedCompareExchange
#define InterlockedCompareExchangeRelease InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedCompareExchange_acq InterlockedCompareExchange
#define _InterlockedCompareExchange_rel InterlockedCompareExchange
#define _InterlockedCompareExchange_nf InterlockedCompareExchange
#define InterlockedCompareExchange8 InterlockedCompareExchange
#define InterlockedCompareExchange8Acquire InterlockedCompareExchange
#define InterlockedCompareExchange8Release InterlockedCompareExchange
#define InterlockedCompareExchange8NoFence InterlockedCompareExchange
#define _InterlockedCompareExchange8 InterlockedCompareExchange
#define _InterlockedCompareExchange8_acq InterlockedCompareExchange
#define _InterlockedCompareExchange8_rel InterlockedCompareExchange
#define _InterlockedCompareExchange8_nf InterlockedCompareExchange
#define InterlockedCompareExchange16 InterlockedCompareExchange
#define InterlockedCompareExchange16Acquire InterlockedCompareExchange
#define InterlockedCompareExchange16Release InterlockedCompareExchange
#define InterlockedCompareExchange16NoFence InterlockedCompareExchange
#define _InterlockedCompareExchange16 InterlockedCompareExchange
#define _InterlockedCompareExchange16_acq InterlockedCompareExchange
#define _InterlockedCompareExchange16_rel InterlockedCompareExchange
#define _InterlockedCompareExchange16_nf InterlockedCompareExchange
#define InterlockedCompareExchange64Acquire InterlockedCompareExchange
#define InterlockedCompareExchange64Release InterlockedCompareExchange
#define InterlockedCompareExchange64NoFence InterlockedCompareExchange
#define _InterlockedCompareExchange64 InterlockedCompareExchange
#define _InterlockedCompareExchange64_acq InterlockedCompareExchange
#define _InterlockedCompareExchange64_rel InterlockedCompareExchange
#define _InterlockedCompareExchange64_nf InterlockedCompareExchange
#define InterlockedCompareExchangePointerAcquire \
	InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease \
	InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerNoFence \
	InterlockedCompareExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define _InterlockedCompareExchangePointer_acq InterlockedCompareExchangePointer
#define _InterlockedCompareExchangePointer_rel InterlockedCompareExchangePointer
#define _InterlockedCompareExchangePointer_nf InterlockedCompareExchangePointer
#define InterlockedAddAcquire InterlockedAdd
#define InterlockedAddRelease InterlockedAdd
#define InterlockedAddNoFence InterlockedAdd
#define _InterlockedAdd InterlockedAdd
#define _InterlockedAdd_acq InterlockedAdd
#define _InterlockedAdd_rel InterlockedAdd
#define _InterlockedAdd_nf InterlockedAdd
#define InterlockedAdd64 InterlockedAdd
#define InterlockedAdd64Acquire InterlockedAdd
#define InterlockedAdd64Release InterlockedAdd
#define InterlockedAdd64NoFence InterlockedAdd
#define _InterlockedAdd64 InterlockedAdd
#define _InterlockedAdd64_acq InterlockedAdd
#define _InterlockedAdd64_rel InterlockedAdd
#define _InterlockedAdd64_nf InterlockedAdd
#define InterlockedExchangeSubtractAcquire InterlockedExchangeSubtract
#define InterlockedExchangeSubtractRelease InterlockedExchangeSubtract
#define InterlockedExchangeSubtractNoFence InterlockedExchangeSubtract
#define _InterlockedExchangeSubtract InterlockedExchangeSubtract
#define _InterlockedExchangeSubtract_acq InterlockedExchangeSubtract
#define _InterlockedExchangeSubtract_rel InterlockedExchangeSubtract
#define _InterlockedExchangeSubtract_nf InterlockedExchangeSubtract

#endif /* _WINREGION_INTRINSICS_H */
