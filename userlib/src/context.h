/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What CONTEXTs have in common: context.c, context32.c, context_arm64.c
 */
#ifndef _WINREGION_CONTEXT_H
#define _WINREGION_CONTEXT_H

#include "exception.h"

static inline bool wr_context_has(const CONTEXT *context, DWORD part)
{
	return (context->ContextFlags & part) == part;
}

#ifdef __aarch64__

/* What the processor has said of a fault, or 0 */
uint64_t wr_signal_syndrome(const ucontext_t *from);

#else /* x86 */

/* Bits that the processor does not have would be a fault. */
static inline DWORD wr_valid_mxcsr(DWORD mxcsr, DWORD mask)
{
	return mxcsr & (mask ? mask & 0xffff : 0xffbf);
}

/*
 * In what fxsave stores, behind the last register, in a signal's: the kernel's own. A word
 * behind all that says which parts are not at their initial values.
 */
#define WR_XSTATE_MAGIC 0x46505853U
#define WR_XSTATE_NOTE 464

struct wr_xstate_note {
	uint32_t magic;
	uint32_t size;
	uint64_t features;
};

/* @saved: what fxsave has stored. Return: that word, or NULL if there is none. */
static inline uint64_t *wr_xstate_parts(void *saved)
{
	char *base = saved;
	struct wr_xstate_note *note =
		(struct wr_xstate_note *)(base + WR_XSTATE_NOTE);

	return note->magic == WR_XSTATE_MAGIC ?
		       (uint64_t *)(base + sizeof(XSAVE_FORMAT)) :
		       NULL;
}

#endif /* x86 */

#endif /* _WINREGION_CONTEXT_H */
