// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stacks: regions in which the module moves the guard down
 *
 * How large they are by default is what the program's file says: the linker's
 * "-z stack-size=" is what /STACK is on Windows. What the C library needs of a
 * thread's stack for itself is at its upper end, and committed. Behind the stacks of
 * threads, in the same region, there is a page that nothing can use, and the alternate
 * stack of the thread: what an overflow of the first one takes.
 *
 * A few that have been given back are kept, as most programs make as many threads as
 * they end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <winregion/process.h>
#include <winregion/winregion.h>

#include "threads.h"

#define PAGE ((size_t)4096)
#define UNIT ((size_t)WINREGION_GRANULARITY)
#define MIB ((size_t)1 << 20)

/* Where neither the program nor its file says anything */
#define DEFAULT_RESERVE MIB

/* What the C library has in a thread's stack beside __thread: about this */
#define LIBC_SIZE (4 * PAGE)

/* What handlers have on an alternate stack beside the registers */
#define HANDLER_SIZE (8 * PAGE)

#define MAX_KEPT 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wr_stack kept[MAX_KEPT];
static unsigned int nr_kept;

static atomic_uint new_flags;

/* Whether any stack may have more guaranteed than a new one has */
static atomic_bool guarantees;

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/* ---- what the files of the program say ---- */

struct files {
	size_t stack;
	size_t tls;
	bool first;
};

static int look_at_file(struct dl_phdr_info *info, size_t size, void *data)
{
	struct files *files = data;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		/* The program itself comes first. */
		if (header->p_type == PT_GNU_STACK && files->first)
			files->stack = header->p_memsz;
		if (header->p_type == PT_TLS)
			files->tls += round_up(header->p_memsz,
					       header->p_align ?: 1) +
				      header->p_align;
	}
	files->first = false;

	return 0;
}

static struct files look_at_files(void)
{
	struct files files = { .first = true };

	dl_iterate_phdr(look_at_file, &files);

	return files;
}

static size_t default_reserve(void)
{
	static _Atomic size_t reserve;
	size_t size = reserve;

	if (!size) {
		size = look_at_files().stack;
		size = size ? round_up(size, UNIT) : DEFAULT_RESERVE;
		reserve = size;
	}

	return size;
}

static size_t alternate_size(void)
{
	return round_up(HANDLER_SIZE + getauxval(AT_MINSIGSTKSZ), PAGE);
}

size_t wr_stack_aside(void)
{
	return round_up(PAGE + alternate_size(), UNIT);
}

size_t wr_stack_tls_size(void)
{
	return round_up(look_at_files().tls + LIBC_SIZE, PAGE);
}

/* ---- regions ---- */

static int change(unsigned long request, char *address, size_t length,
		  uint32_t protection)
{
	struct winregion_change change = {
		.size = sizeof(change),
		.range = {
			.address = (uintptr_t)address,
			.length = length,
			.protection = protection,
		},
	};

	return wr_device_ioctl(request, &change);
}

static int set_stack(const struct wr_stack *stack, size_t guarantee)
{
	struct winregion_set_stack set = {
		.size = sizeof(set),
		.flags = stack->flags,
		.address = (uintptr_t)stack->base,
		.guarantee = guarantee,
	};

	return wr_device_ioctl(WINREGION_SET_STACK, &set);
}

static int release(char *base)
{
	struct winregion_release release = {
		.size = sizeof(release),
		.address = (uintptr_t)base,
	};

	return wr_device_ioctl(WINREGION_RELEASE, &release);
}

static char *guard_of(const struct wr_stack *stack)
{
	return stack->base + stack->size - stack->committed - PAGE;
}

static char *alternate_of(const struct wr_stack *stack)
{
	return stack->base + stack->size + stack->aside - alternate_size();
}

/* Whoever made the thread may count on finding it, and handlers on as much room. */
void wr_stack_alternate(const struct wr_stack *stack, stack_t *before)
{
	const stack_t alternate = {
		.ss_sp = alternate_of(stack),
		.ss_size = alternate_size(),
	};

	*before = (stack_t){ .ss_flags = SS_DISABLE };
	sigaltstack(NULL, before);
	if (before->ss_flags & SS_DISABLE ||
	    before->ss_size < alternate.ss_size)
		sigaltstack(&alternate, NULL);
}

/* Without one before, it is of use to what the thread's end calls. */
void wr_stack_alternate_back(const struct wr_stack *stack,
			     const stack_t *before)
{
	stack_t now;

	if (before->ss_flags & SS_DISABLE || sigaltstack(NULL, &now))
		return;
	if (now.ss_sp == alternate_of(stack))
		sigaltstack(before, NULL);
}

static int commit_alternate(const struct wr_stack *stack)
{
	if (!stack->aside)
		return 0;

	return change(WINREGION_COMMIT, alternate_of(stack), alternate_size(),
		      WINREGION_READWRITE);
}

/* Its upper end, the guard, and what is behind it */
static int commit_top(const struct wr_stack *stack)
{
	char *guard = guard_of(stack);
	int err;

	err = change(WINREGION_COMMIT, guard + PAGE, stack->committed,
		     WINREGION_READWRITE);
	if (!err)
		err = change(WINREGION_COMMIT, guard, PAGE,
			     WINREGION_READWRITE | WINREGION_GUARD);
	if (!err)
		err = commit_alternate(stack);
	if (!err && stack->flags)
		err = set_stack(stack, 0);

	return err;
}

static int reserve(struct wr_stack *stack)
{
	struct winregion_reserve reserve = {
		.size = sizeof(reserve),
		.flags = WINREGION_RESERVE_STACK,
		.protection = WINREGION_READWRITE,
		.length = stack->size + stack->aside,
	};
	int err = wr_device_ioctl(WINREGION_RESERVE, &reserve);

	if (err)
		return err;
	stack->base = (char *)(uintptr_t)reserve.address;
	err = commit_top(stack);
	if (err)
		release(stack->base);

	return err;
}

/*
 * AddressSanitizer, in a program that has it, takes what lies between the variables of
 * a function for such that nobody uses, until the function returns.
 */
extern void __asan_unpoison_memory_region(const void *address, size_t size)
	__attribute__((weak, visibility("default")));

static void forget_frames(const struct wr_stack *stack)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(stack->base,
					      stack->size + stack->aside);
}

/* ---- those that are kept ---- */

static bool is_alike(const struct wr_stack *a, const struct wr_stack *b)
{
	return a->size == b->size && a->committed == b->committed &&
	       a->aside == b->aside && a->flags == b->flags;
}

static bool take_kept(struct wr_stack *stack)
{
	bool found = false;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = nr_kept; i-- && !found;) {
		if (!is_alike(&kept[i], stack))
			continue;
		*stack = kept[i];
		kept[i] = kept[--nr_kept];
		found = true;
	}
	pthread_mutex_unlock(&lock);

	return found;
}

/* As it was when it was made, but for what is written in it */
static bool is_as_new(const struct wr_stack *stack)
{
	struct winregion_query query = {
		.size = sizeof(query),
		.address = (uintptr_t)stack->base,
	};
	size_t committed =
		stack->committed + PAGE + (stack->aside ? alternate_size() : 0);

	return !wr_device_ioctl(WINREGION_QUERY, &query) &&
	       query.out.state == WINREGION_STATE_RESERVE &&
	       query.out.address + query.out.length ==
		       (uintptr_t)guard_of(stack) &&
	       query.out.region_address == (uintptr_t)stack->base &&
	       query.out.region_length == stack->size + stack->aside &&
	       query.out.region_committed == committed;
}

/*
 * It is made as new, if what it takes is less than a new one. The program may have done
 * anything with its pages.
 */
static bool make_as_new(const struct wr_stack *stack)
{
	if (guarantees && set_stack(stack, 0))
		return false;
	if (is_as_new(stack))
		return true;
	if (change(WINREGION_DECOMMIT, stack->base, 0, 0))
		return false;

	return !commit_top(stack) && is_as_new(stack);
}

static bool has_room(void)
{
	bool room;

	pthread_mutex_lock(&lock);
	room = nr_kept < MAX_KEPT;
	pthread_mutex_unlock(&lock);

	return room;
}

static bool keep(const struct wr_stack *stack)
{
	bool room;

	pthread_mutex_lock(&lock);
	room = nr_kept < MAX_KEPT;
	if (room)
		kept[nr_kept++] = *stack;
	pthread_mutex_unlock(&lock);

	return room;
}

void wr_stack_free(struct wr_stack *stack)
{
	if (!stack->base)
		return;
	forget_frames(stack);
	if (stack->size > 8 * MIB || stack->committed > 4 * UNIT ||
	    !has_room() || !make_as_new(stack) || !keep(stack))
		release(stack->base);
	stack->base = NULL;
}

/* ---- making them ---- */

/* What fits, in whole pages; false if it is more than there are addresses. */
static bool set_sizes(struct wr_stack *stack, size_t size, size_t commit,
		      size_t least)
{
	size_t most = (size_t)1 << (WR_32BIT ? 30 : 46);

	if (size > most || commit > most)
		return false;
	stack->size = size ? round_up(size, UNIT) : default_reserve();
	if (commit >= stack->size)
		stack->size = round_up(commit, MIB);
	/* What the C library needs is not to be missing. */
	if (least > stack->size / 4)
		stack->size += round_up(least, UNIT);
	stack->committed = round_up(commit > least ? commit : least, PAGE);
	/* A page that stays reserved, the last one, and the guard's */
	if (stack->committed + 3 * PAGE > stack->size)
		stack->committed = stack->size - 3 * PAGE;
	stack->flags = new_flags;

	return true;
}

int wr_stack_make(struct wr_stack *stack, size_t size, size_t commit,
		  size_t least)
{
	if (!set_sizes(stack, size, commit, least))
		return -ENOMEM;
	if (take_kept(stack))
		return 0;

	return reserve(stack);
}

/* ---- for programs ---- */

int winregion_stack_flags(unsigned int flags)
{
	if (flags & ~(unsigned int)WINREGION_STACK_LEAPS)
		return -EOPNOTSUPP;
	new_flags = flags;

	return 0;
}

/* Plain threads do not touch each page on their way down. */
int winregion_thread_attr(pthread_attr_t *attr, size_t size)
{
	struct wr_stack stack = { 0 };
	int err;

	if (!set_sizes(&stack, size, 0, wr_stack_tls_size() + UNIT / 4))
		return -ENOMEM;
	stack.flags = WINREGION_STACK_LEAPS;
	err = reserve(&stack);
	if (err)
		return err;

	err = -pthread_attr_setstack(attr, stack.base, stack.size);
	if (err)
		release(stack.base);

	return err;
}

/* ---- the stack that one is on ---- */

char *wr_stack_limit(char *base, const char *sp)
{
	struct winregion_query query = { .size = sizeof(query) };
	char *at = base, *limit = base, *end;

	while (at <= sp) {
		query.address = (uintptr_t)at;
		if (wr_device_ioctl(WINREGION_QUERY, &query))
			return base;
		end = at + query.out.length -
		      ((uintptr_t)at - query.out.address);
		if (query.out.state != WINREGION_STATE_COMMIT ||
		    query.out.protection & WINREGION_GUARD)
			limit = end;
		at = end;
	}

	return limit;
}

/* The bounds of the stack of the caller; @sp: a variable of its own */
static void find_bounds(TEB *teb, char *sp)
{
	pthread_attr_t attr;
	size_t size = 0;
	void *base = NULL;

	(void)sp;
	if (pthread_getattr_np(pthread_self(), &attr))
		return;
	pthread_attr_getstack(&attr, &base, &size);
	pthread_attr_destroy(&attr);
	teb->DeallocationStack = base;
	teb->NtTib.StackBase = (char *)base + size;
}

/* And not on one for signals */
static bool is_on_stack(const TEB *teb, const char *sp)
{
	return sp >= (char *)teb->DeallocationStack &&
	       sp < (char *)teb->NtTib.StackBase;
}

/* What is not known yet is found out, and what the module moves is asked. */
static TEB *teb_of(struct wr_thread *thread)
{
	char here, *sp = &here;
	TEB *teb = &thread->teb;

	if (!teb->NtTib.StackBase)
		find_bounds(teb, sp);
	if (!is_on_stack(teb, sp))
		sp = (char *)teb->NtTib.StackBase - 1;
	teb->NtTib.StackLimit = wr_stack_limit(teb->DeallocationStack, sp);

	return teb;
}

struct _TEB *WINAPI NtCurrentTeb(VOID)
{
	struct wr_thread *thread = wr_thread_self();

	WR_KEEP_ERRNO();

	return thread ? teb_of(thread) : NULL;
}

VOID WINAPI GetCurrentThreadStackLimits(PULONG_PTR low, PULONG_PTR high)
{
	TEB *teb = NtCurrentTeb();

	*low = teb ? (ULONG_PTR)teb->DeallocationStack : 0;
	*high = teb ? (ULONG_PTR)teb->NtTib.StackBase : 0;
}

/* The module takes what is behind the stack for a part of it. */
static bool has_room_for(const struct wr_thread *thread, ULONG guarantee)
{
	const struct wr_stack *stack = &thread->stack;

	return thread->teb.DeallocationStack != stack->base ||
	       round_up(guarantee, PAGE) + 3 * PAGE <= stack->size;
}

static NTSTATUS set_guarantee(ULONG *bytes)
{
	struct wr_thread *thread = wr_thread_self();
	struct wr_stack stack = { 0 };
	ULONG old, new;
	TEB *teb;
	int err;

	if (!thread)
		return STATUS_NO_MEMORY;
	teb = teb_of(thread);
	old = teb->GuaranteedStackBytes;
	new = round_up(*bytes, PAGE);
	if (*bytes > old) {
		if (!has_room_for(thread, *bytes))
			return STATUS_INVALID_PARAMETER;
		guarantees = true;
		stack.base = teb->DeallocationStack;
		stack.flags = thread->stack_flags;
		err = set_stack(&stack, *bytes);
		if (err == -EXDEV)
			return STATUS_INVALID_PARAMETER;
		if (err)
			return STATUS_NOT_SUPPORTED;
		teb->GuaranteedStackBytes = new;
	}
	*bytes = old;

	return STATUS_SUCCESS;
}

BOOL WINAPI SetThreadStackGuarantee(PULONG bytes)
{
	WR_KEEP_ERRNO();

	if (!wr_writable(bytes, sizeof(*bytes)))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);

	return wr_succeeded(set_guarantee(bytes));
}

/* Whether there is a guard anywhere in the stack below @limit, or needs to be none */
static bool has_guard(const TEB *teb, const char *limit)
{
	struct winregion_query query = {
		.size = sizeof(query),
		.address = (uintptr_t)limit - PAGE,
	};

	if (limit == teb->DeallocationStack)
		return true; /* nothing that we know of moves there */

	return wr_device_ioctl(WINREGION_QUERY, &query) ||
	       query.out.protection & WINREGION_GUARD ||
	       query.out.flags & WINREGION_RUN_FOREIGN;
}

int _resetstkoflw(void)
{
	struct wr_thread *thread = wr_thread_self();
	char here, *line, *guard;
	TEB *teb;

	WR_KEEP_ERRNO();

	if (!thread)
		return 0;
	teb = teb_of(thread);
	guard = teb->NtTib.StackLimit;
	if (has_guard(teb, guard))
		return 1;
	line = (char *)teb->DeallocationStack + PAGE +
	       round_up(teb->GuaranteedStackBytes, PAGE);
	if (guard < line)
		guard = line;
	/* What is in use stays: that of this very call, too. */
	if (!is_on_stack(teb, &here) || &here < guard + 3 * PAGE)
		return 0;
	if (guard > (char *)teb->DeallocationStack &&
	    change(WINREGION_DECOMMIT, teb->DeallocationStack,
		   guard - (char *)teb->DeallocationStack, 0))
		return 0;

	return !change(WINREGION_COMMIT, guard, PAGE,
		       WINREGION_READWRITE | WINREGION_GUARD);
}

/* ---- forks ---- */

WR_HOLD_ACROSS_FORK(lock, WR_EARLY)
