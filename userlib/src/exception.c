// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who is asked about an exception
 *
 * The vectored handlers first; then the blocks of the thread (try.c); then, by
 * signal.c or RaiseException(), the filter for what is unhandled. When one of them
 * wants the program to go on the continue handlers are called.
 *
 * Handlers are called from signal handlers, and may be added and removed at any time,
 * also by themselves: there are no locks. Each has a place, and a number that no other
 * ever has, which says which one comes first, and is its handle. A walk looks for the
 * next higher number each time. So nobody is called who was removed before, nor twice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "exception.h"

/* ---- lists of handlers ---- */

/* @number: 0 if it is free, TAKEN while it is being filled in */
struct place {
	_Atomic uintptr_t number;
	PVECTORED_EXCEPTION_HANDLER _Atomic handler;
};

#define TAKEN UINTPTR_MAX
#define PLACES 31

/* Blocks are added in front, and never freed. */
struct places {
	struct places *_Atomic next;
	struct place places[PLACES];
};

struct handlers {
	struct places first;
	struct places *_Atomic more;
};

static struct handlers exception_handlers, continue_handlers;

/* Numbers go down for those that are to be the first, and up for others. */
static _Atomic uintptr_t lowest = UINTPTR_MAX / 4 + 1;
static _Atomic uintptr_t highest = UINTPTR_MAX / 4 + 1;

/* A walk through all places of a list */
struct walk {
	struct handlers *list;
	struct places *block;
	size_t i;
};

static struct walk walk_through(struct handlers *list)
{
	return (struct walk){ list, &list->first, 0 };
}

static struct place *next_place(struct walk *walk)
{
	if (walk->i == PLACES) {
		walk->block = walk->block == &walk->list->first ?
				      atomic_load(&walk->list->more) :
				      atomic_load(&walk->block->next);
		walk->i = 0;
	}

	return walk->block ? &walk->block->places[walk->i++] : NULL;
}

static bool take(struct place *place)
{
	uintptr_t none = 0;

	return atomic_compare_exchange_strong(&place->number, &none, TAKEN);
}

static struct place *take_free(struct handlers *list)
{
	struct walk walk = walk_through(list);
	struct place *place;

	do {
		place = next_place(&walk);
	} while (place && !take(place));

	return place;
}

static struct place *take_new(struct handlers *list)
{
	struct places *block = mmap(NULL, sizeof(*block),
				    PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct places *next = list->more;

	if (block == MAP_FAILED)
		return NULL;
	block->places[0].number = TAKEN;
	do {
		block->next = next;
	} while (!atomic_compare_exchange_weak(&list->more, &next, block));

	return &block->places[0];
}

static PVOID add_handler(struct handlers *list, ULONG first,
			 PVECTORED_EXCEPTION_HANDLER handler)
{
	WR_KEEP_ERRNO();
	struct place *place;
	uintptr_t number;

	if (!handler) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	wr_exceptions_begin();
	place = take_free(list);
	if (!place)
		place = take_new(list);
	if (!place) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	number = first ? atomic_fetch_sub(&lowest, 1) - 1 :
			 atomic_fetch_add(&highest, 1) + 1;
	place->handler = handler;
	place->number = number;

	return (PVOID)number;
}

static ULONG remove_handler(struct handlers *list, PVOID handle)
{
	uintptr_t number = (uintptr_t)handle, expected = number;
	struct walk walk = walk_through(list);
	struct place *place;

	if (!number || number == TAKEN)
		return 0;
	while ((place = next_place(&walk))) {
		if (atomic_compare_exchange_strong(&place->number, &expected,
						   0))
			return 1;
		expected = number;
	}

	return 0;
}

/* The one with the lowest number above @last, or NULL */
static struct place *find_next(struct handlers *list, uintptr_t last,
			       uintptr_t *found)
{
	struct walk walk = walk_through(list);
	struct place *place, *best = NULL;
	uintptr_t number;

	*found = TAKEN;
	while ((place = next_place(&walk))) {
		number = atomic_load(&place->number);
		if (number <= last || number >= *found)
			continue;
		*found = number;
		best = place;
	}

	return best;
}

/* Return: whether one has said that the program goes on. */
static bool call_handlers(struct handlers *list, EXCEPTION_POINTERS *pointers)
{
	PVECTORED_EXCEPTION_HANDLER handler;
	struct place *place;
	uintptr_t last = 0, number;

	while ((place = find_next(list, last, &number))) {
		handler = place->handler;
		if (atomic_load(&place->number) != number)
			continue; /* removed; what took the place has another */
		if (handler(pointers) == EXCEPTION_CONTINUE_EXECUTION)
			return true;
		last = number;
	}

	return false;
}

PVOID WINAPI AddVectoredExceptionHandler(ULONG first,
					 PVECTORED_EXCEPTION_HANDLER handler)
{
	return add_handler(&exception_handlers, first, handler);
}

ULONG WINAPI RemoveVectoredExceptionHandler(PVOID handle)
{
	return remove_handler(&exception_handlers, handle);
}

PVOID WINAPI AddVectoredContinueHandler(ULONG first,
					PVECTORED_EXCEPTION_HANDLER handler)
{
	return add_handler(&continue_handlers, first, handler);
}

ULONG WINAPI RemoveVectoredContinueHandler(PVOID handle)
{
	return remove_handler(&continue_handlers, handle);
}

/* ---- stacks ---- */

bool wr_is_on_stack(const stack_t *stack, const void *address)
{
	uintptr_t at = (uintptr_t)address, base = (uintptr_t)stack->ss_sp;

	return !(stack->ss_flags & SS_DISABLE) && at >= base &&
	       at - base < stack->ss_size;
}

bool wr_is_over(const void *address, const void *sp, const stack_t *other)
{
	bool aside = wr_is_on_stack(other, address);

	if (aside != wr_is_on_stack(other, sp))
		return aside;
	return (uintptr_t)address < (uintptr_t)sp;
}

static stack_t other_stack(void)
{
	WR_KEEP_ERRNO();
	stack_t other = { .ss_flags = SS_DISABLE };

	sigaltstack(NULL, &other);

	return other;
}

/* ---- unhandled exceptions ---- */

static LPTOP_LEVEL_EXCEPTION_FILTER _Atomic top_filter;

/*
 * Where this thread has called the filter, which may have been left by a longjmp(), or
 * NULL: an exception there is the end.
 */
static __thread void *in_filter WR_ANY_TIME;

LPTOP_LEVEL_EXCEPTION_FILTER WINAPI
SetUnhandledExceptionFilter(LPTOP_LEVEL_EXCEPTION_FILTER filter)
{
	if (filter)
		wr_exceptions_begin();
	return atomic_exchange(&top_filter, filter);
}

static void may_continue(EXCEPTION_POINTERS *pointers);

/* @sp: of who asks. Return: EXCEPTION_CONTINUE_SEARCH also where there is none. */
static LONG ask_filter(EXCEPTION_POINTERS *pointers, const void *sp,
		       const stack_t *other)
{
	LPTOP_LEVEL_EXCEPTION_FILTER filter = top_filter;
	LONG result;

	if (in_filter && wr_is_over(in_filter, sp, other))
		in_filter = NULL;
	if (!filter || in_filter)
		return EXCEPTION_CONTINUE_SEARCH;
	in_filter = &result;
	result = filter(pointers);
	in_filter = NULL;

	return result;
}

LONG wr_exception_unhandled(EXCEPTION_POINTERS *pointers, const stack_t *other)
{
	const void *sp = (void *)pointers->ContextRecord->WR_SP;
	LONG result = ask_filter(pointers, sp, other);

	if (result == EXCEPTION_CONTINUE_EXECUTION) {
		may_continue(pointers);
		call_handlers(&continue_handlers, pointers);
	}

	return result;
}

LONG WINAPI UnhandledExceptionFilter(PEXCEPTION_POINTERS pointers)
{
	stack_t other = other_stack();
	LONG result = ask_filter(pointers, &other, &other);

	return result == EXCEPTION_CONTINUE_SEARCH ? EXCEPTION_EXECUTE_HANDLER :
						     result;
}

/* ---- raising ---- */

/* Does not return but to go on. */
static void raise_record(EXCEPTION_RECORD *record, CONTEXT *context)
{
	EXCEPTION_POINTERS pointers = { record, context };
	stack_t other = other_stack();

	if (wr_exception_dispatch(&pointers, &other))
		return;
	if (wr_exception_unhandled(&pointers, &other) !=
	    EXCEPTION_CONTINUE_EXECUTION)
		wr_exception_die(record->ExceptionCode);
}

/*
 * Somebody wants to go on. After an exception that forbids it that is another one,
 * which has to end otherwise.
 */
static void may_continue(EXCEPTION_POINTERS *pointers)
{
	EXCEPTION_RECORD *record = pointers->ExceptionRecord;
	EXCEPTION_RECORD refused = {
		.ExceptionCode = EXCEPTION_NONCONTINUABLE_EXCEPTION,
		.ExceptionFlags = EXCEPTION_NONCONTINUABLE,
		.ExceptionRecord = record,
		.ExceptionAddress = record->ExceptionAddress,
	};

	if (!(record->ExceptionFlags & EXCEPTION_NONCONTINUABLE))
		return;
	if (record->ExceptionCode == EXCEPTION_NONCONTINUABLE_EXCEPTION)
		wr_exception_die(record->ExceptionCode);
	raise_record(&refused, pointers->ContextRecord);
}

bool wr_exception_dispatch(EXCEPTION_POINTERS *pointers, const stack_t *other)
{
	if (!call_handlers(&exception_handlers, pointers) &&
	    wr_try_search(pointers, other) != EXCEPTION_CONTINUE_EXECUTION)
		return false;
	may_continue(pointers);
	call_handlers(&continue_handlers, pointers);

	return true;
}

void wr_raise(DWORD code, DWORD flags, DWORD nr_arguments,
	      const ULONG_PTR *arguments, CONTEXT *context)
{
	EXCEPTION_RECORD record = {
		.ExceptionCode = code,
		.ExceptionFlags = flags & EXCEPTION_NONCONTINUABLE,
		.ExceptionAddress = (PVOID)context->WR_IP,
	};
	CONTEXT wanted;

	if (nr_arguments > EXCEPTION_MAXIMUM_PARAMETERS)
		nr_arguments = EXCEPTION_MAXIMUM_PARAMETERS;
	if (arguments) {
		record.NumberParameters = nr_arguments;
		memcpy(record.ExceptionInformation, arguments,
		       nr_arguments * sizeof(*arguments));
	}
	wr_context_complete(context);
	wanted = *context;
	raise_record(&record, &wanted);
	wr_context_merge(context, &wanted);
}
