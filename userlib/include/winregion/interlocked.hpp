/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - the interlocked operations of <winregion/windows.h> for C++
 *
 * They are functions, so that "::" can stand before them and a class can have
 * members of their names. The names are macros too, as sources test with #ifdef
 * which they have.
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_INTERLOCKED_HPP
#define _WINREGION_INTERLOCKED_HPP

/* Sources may include this file inside extern "C". */
extern "C++" {

/* Of the arguments only the target says what the type is. */
template <class T> struct _winregion_same {
	typedef T type;
};

#define _WINREGION_INTERLOCKED_1(name, builtin) \
	template <class T> inline T name(T volatile *target) \
	{ \
		return builtin(target, 1, __ATOMIC_SEQ_CST); \
	}
#define _WINREGION_INTERLOCKED_2(name, builtin) \
	template <class T> \
	inline T name(T volatile *target, \
		      typename _winregion_same<T>::type value) \
	{ \
		return builtin(target, value, __ATOMIC_SEQ_CST); \
	}
#define _WINREGION_INTERLOCKED_3(name) \
	template <class T> \
	inline T name(T volatile *target, \
		      typename _winregion_same<T>::type value, \
		      typename _winregion_same<T>::type comparand) \
	{ \
		return __sync_val_compare_and_swap(target, comparand, value); \
	}

_WINREGION_INTERLOCKED_1(InterlockedIncrement, __atomic_add_fetch)
_WINREGION_INTERLOCKED_1(InterlockedDecrement, __atomic_sub_fetch)
_WINREGION_INTERLOCKED_2(InterlockedExchange, __atomic_exchange_n)
_WINREGION_INTERLOCKED_2(InterlockedExchangeAdd, __atomic_fetch_add)
_WINREGION_INTERLOCKED_2(InterlockedExchangeSubtract, __atomic_fetch_sub)
_WINREGION_INTERLOCKED_2(InterlockedAdd, __atomic_add_fetch)
_WINREGION_INTERLOCKED_2(InterlockedAnd, __atomic_fetch_and)
_WINREGION_INTERLOCKED_2(InterlockedOr, __atomic_fetch_or)
_WINREGION_INTERLOCKED_2(InterlockedXor, __atomic_fetch_xor)
_WINREGION_INTERLOCKED_3(InterlockedCompareExchange)
_WINREGION_INTERLOCKED_1(InterlockedIncrement64, __atomic_add_fetch)
_WINREGION_INTERLOCKED_1(InterlockedDecrement64, __atomic_sub_fetch)
_WINREGION_INTERLOCKED_2(InterlockedExchange64, __atomic_exchange_n)
_WINREGION_INTERLOCKED_2(InterlockedExchangeAdd64, __atomic_fetch_add)
_WINREGION_INTERLOCKED_2(InterlockedAnd64, __atomic_fetch_and)
_WINREGION_INTERLOCKED_2(InterlockedOr64, __atomic_fetch_or)
_WINREGION_INTERLOCKED_2(InterlockedXor64, __atomic_fetch_xor)
_WINREGION_INTERLOCKED_3(InterlockedCompareExchange64)
_WINREGION_INTERLOCKED_2(InterlockedExchangePointer, __atomic_exchange_n)
_WINREGION_INTERLOCKED_3(InterlockedCompareExchangePointer)

#undef _WINREGION_INTERLOCKED_1
#undef _WINREGION_INTERLOCKED_2
#undef _WINREGION_INTERLOCKED_3

#define InterlockedIncrement InterlockedIncrement
#define InterlockedDecrement InterlockedDecrement
#define InterlockedExchange InterlockedExchange
#define InterlockedExchangeAdd InterlockedExchangeAdd
#define InterlockedExchangeSubtract InterlockedExchangeSubtract
#define InterlockedAdd InterlockedAdd
#define InterlockedAnd InterlockedAnd
#define InterlockedOr InterlockedOr
#define InterlockedXor InterlockedXor
#define InterlockedCompareExchange InterlockedCompareExchange
#define InterlockedIncrement64 InterlockedIncrement64
#define InterlockedDecrement64 InterlockedDecrement64
#define InterlockedExchange64 InterlockedExchange64
#define InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define InterlockedAnd64 InterlockedAnd64
#define InterlockedOr64 InterlockedOr64
#define InterlockedXor64 InterlockedXor64
#define InterlockedCompareExchange64 InterlockedCompareExchange64
#define InterlockedExchangePointer InterlockedExchangePointer
#define InterlockedCompareExchangePointer InterlockedCompareExchangePointer

inline void MemoryBarrier()
{
	__sync_synchronize();
}

inline void YieldProcessor()
{
	_winregion_pause();
}

} /* extern "C++" */

#define MemoryBarrier MemoryBarrier
#define YieldProcessor YieldProcessor

#endif /* _WINREGION_INTERLOCKED_HPP */
