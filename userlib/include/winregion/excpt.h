/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - blocks that handle exceptions
 *
 *	WINREGION_TRY {
 *		...
 *	} WINREGION_EXCEPT(filter) {
 *		...
 *	} WINREGION_END
 *
 * is what __try and __except are on Windows; see winregion_try_begin(3) for what a
 * compiler that knows nothing of it cannot do.
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_EXCPT_H
#define _WINREGION_EXCPT_H

#include "winnt.h"

/* What filters and handlers return */
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

typedef enum _EXCEPTION_DISPOSITION {
	ExceptionContinueExecution,
	ExceptionContinueSearch,
	ExceptionNestedException,
	ExceptionCollidedUnwind
} EXCEPTION_DISPOSITION;

#ifdef __aarch64__
#define _WINREGION_TRY_REGISTERS 22
#else
#define _WINREGION_TRY_REGISTERS 8
#endif

/*
 * A block that has been entered: where to go on, and with which exception. The two control
 * words are of x86.
 */
struct winregion_try {
	ULONG_PTR registers[_WINREGION_TRY_REGISTERS];
	DWORD mxcsr;
	DWORD control_word;
	DWORD code;
	int phase;
	EXCEPTION_POINTERS *pointers;
	PVOID back;
};

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* What the macros below are made of */
SIZE_T winregion_try_begin(VOID);
struct winregion_try *winregion_try_enter(struct winregion_try *block);
int winregion_try_mark(struct winregion_try *block)
	__attribute__((__returns_twice__));
VOID winregion_try_filter(struct winregion_try *block, LONG result)
	__attribute__((__noreturn__));
VOID winregion_try_leave(PVOID block);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

/*
 * The filter is evaluated in the function of the block, but on the stack of the
 * exception, as what has been called from the block is not over yet. So the function's
 * variables must not be found by the stack pointer: an array of variable length, of
 * one element, sees to that.
 */
#define _WINREGION_TRY_OF(length) \
	_winregion_try[length] __attribute__((__cleanup__(winregion_try_leave)))

#define WINREGION_TRY \
	{ \
		__extension__ struct winregion_try _WINREGION_TRY_OF( \
			winregion_try_begin()); \
		if (winregion_try_mark(winregion_try_enter(_winregion_try)) == \
		    0)

#define WINREGION_EXCEPT(filter) \
	else if (_winregion_try->phase == 1) \
		winregion_try_filter(_winregion_try, (filter)); \
	else

#define WINREGION_END }

/*
 * Without an end they need a loop of one round, so "break" and "continue" in the blocks
 * are about that. Not for C++, whose library uses the name, nor for C89.
 */
#if !defined(__cplusplus) && defined(__STDC_VERSION__) && \
	__STDC_VERSION__ >= 199901L && !defined(__try) && \
	!defined(WINREGION_NO_TRY)
#define __try \
	for (SIZE_T _winregion_once = winregion_try_begin(); _winregion_once; \
	     _winregion_once = 0) \
		for (struct winregion_try _WINREGION_TRY_OF(_winregion_once); \
		     _winregion_once; _winregion_once = 0) \
			if (winregion_try_mark( \
				    winregion_try_enter(_winregion_try)) == 0)
/*
 * The filter may be one with commas, as the keyword of other compilers takes any
 * expression. To clang-format it is a keyword, and would get a blank behind it.
 */
/* clang-format off */
#define __except(...) WINREGION_EXCEPT((__VA_ARGS__))
/* clang-format on */
#endif

/* In a filter both, in the block behind it the code only */
#define GetExceptionCode() (_winregion_try->code)
#define GetExceptionInformation() (_winregion_try->pointers)
#define _exception_code() GetExceptionCode()
#define _exception_info() GetExceptionInformation()

#endif /* _WINREGION_EXCPT_H */
