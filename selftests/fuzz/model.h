/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The semantics of winregion as simply as they can be put: an array of pages.
 *
 * The model knows nothing of windows, VMAs or run lengths; each call loops over
 * the pages that it is about. It is written from uapi/linux/winregion.h and the
 * rules, and shares no code with the module or the library.
 *
 * Pages are in spans. The first span is the arena: a fixed range of addresses
 * that nobody else uses, where each page is known. The others hold one region
 * each that the kernel has found a place for; what is around it is not known.
 *
 * A call takes the structure that the ioctl takes, and on success changes it as
 * the ioctl must. What it returns is a set of errors, each of which has a
 * reason to be reported; if several things are wrong with a call, the contract
 * does not say which error wins. No error: the call must succeed.
 */
#ifndef _FUZZ_MODEL_H
#define _FUZZ_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/winregion.h>

#define MODEL_PAGE 4096ULL
#define MODEL_UNIT 0x10000ULL
#define MODEL_LARGE 0x200000ULL
#define MODEL_LOWEST 0x10000ULL

/*
 * What depends on the machine: where addresses end, and whether regions have code. With
 * MODEL_FOR_ARM64 it is what is only printed, for that machine.
 */
#if defined(__aarch64__) || defined(MODEL_FOR_ARM64)
#define MODEL_HIGHEST 0xfffffffeffffULL
#define MODEL_HAS_CODE false
#else
#define MODEL_HIGHEST 0x7ffffffeffffULL
#define MODEL_HAS_CODE true
#endif

#define MODEL_SPANS 12
#define MODEL_ARENA_PAGES 4096U
#define MODEL_ROAMING_PAGES 1280U
#define MODEL_WORDS 3

/* What a call may fail with */
#define MODEL_EINVAL 0x1U
#define MODEL_E2BIG 0x2U
#define MODEL_EFAULT 0x4U
#define MODEL_EOPNOTSUPP 0x8U
#define MODEL_EDOM 0x10U
#define MODEL_EADDRNOTAVAIL 0x20U
#define MODEL_EOVERFLOW 0x40U
#define MODEL_EEXIST 0x80U
#define MODEL_ENOENT 0x100U
#define MODEL_EXDEV 0x200U
#define MODEL_ESPIPE 0x400U
#define MODEL_ENODATA 0x800U
#define MODEL_ENOSPC 0x1000U
#define MODEL_EUNATCH 0x2000U
#define MODEL_ENOMSG 0x4000U
#define MODEL_ENOLCK 0x8000U
#define MODEL_ESTALE 0x10000U
#define MODEL_EPROTO 0x20000U
#define MODEL_EIO 0x40000U
#define MODEL_EBADSLT 0x80000U
#define MODEL_EBUSY 0x100000U
#define MODEL_EACCES 0x200000U
#define MODEL_ERRORS 22
/* The model cannot tell: the call is about pages that it does not know. */
#define MODEL_UNKNOWN 0x80000000U
/* No error, but the place is the kernel's choice: model_adopt() is next. */
#define MODEL_ANYWHERE 0x40000000U

enum model_state {
	MODEL_FREE,
	MODEL_RESERVED,
	MODEL_COMMITTED,
	MODEL_FOREIGN,		/* somebody else's mapping */
	MODEL_NOT_KNOWN,
};

/* What a region is besides */
enum model_kind {
	MODEL_ORDINARY,
	MODEL_REPLACED,		/* it has replaced a placeholder */
	MODEL_PLACEHOLDER,
	MODEL_VIEW,		/* the same, but a view, of zeros and READONLY */
};

/**
 * struct model_page - one page
 * @state: MODEL_FREE and so on
 * @touched: an access to it went through, so it may be in memory
 * @ahead: so it may with an access to a page in front of it
 * @lost: the program has unmapped it: it is reserved, and stays so
 * @foreign: somebody else's mapping is there instead
 * @watched: its region has a write watch
 * @written: it was written since it was committed, or since the watch was reset
 * @offered: it cannot be accessed until it is reclaimed
 * @locked: it stays in memory
 * @doubt: its contents may have been freed: all of @word may be 0 by now
 * @told: that some contents of a range that it was in are gone, but not of which page;
 *	or it was in doubt when it was offered
 * @untold: if they were freed, nobody was told yet
 * @kind: of its region
 * @stack: its region is a stack
 * @leaps: a stack for code that leaps over its guard
 * @region: the first page of its region, an index into the span
 * @guarantee: pages of its stack that are left when that is full
 * @allocation: the allocation protection of its region
 * @protection: that of the page, 0 if it is not committed
 * @word: its contents at model_word_offset()
 */
struct model_page {
	uint8_t state;
	bool touched;
	bool ahead;
	bool lost;
	bool foreign;
	bool watched;
	bool written;
	bool offered;
	bool locked;
	bool doubt;
	bool told;
	bool untold;
	uint8_t kind;
	bool stack;
	bool leaps;
	uint16_t region;
	uint32_t guarantee;
	uint32_t allocation;
	uint32_t protection;
	uint32_t word[MODEL_WORDS];
};

/* A range of addresses; not in use if @pages is 0 */
struct model_span {
	uint64_t base;
	uint32_t pages;
	struct model_page *page;
};

/**
 * struct model - what a thread knows of its memory
 * @bug: 0, or which deliberate mistake the model makes, for the tests of the
 *	fuzzer itself
 * @lost: some pages are or were
 * @paging: pages that are not locked may be out of memory
 * @span: the arena, and roaming regions
 * @arena, @roaming: the pages of the spans
 */
struct model {
	unsigned int bug;
	bool lost;
	bool paging;
	struct model_span span[MODEL_SPANS];
	struct model_page arena[MODEL_ARENA_PAGES];
	struct model_page roaming[MODEL_SPANS - 1][MODEL_ROAMING_PAGES];
};

enum model_bug {
	MODEL_BUG_OLD = 1,	/* the old protection is the last page's */
	MODEL_BUG_CONTENTS,	/* decommit keeps the contents */
	MODEL_BUG_GUARD,	/* an alarm leaves the guard armed */
	MODEL_BUG_CHARGE,	/* NOACCESS pages are not charged */
	MODEL_BUG_VECTOR,	/* a vector that fails has changed its first */
	MODEL_BUG_LOST,		/* what is unmapped can be committed again */
	MODEL_BUG_WATCH,	/* a reset forgets what is not told as well */
	MODEL_BUG_OFFER,	/* what is offered can be used */
	MODEL_BUG_LOCK,		/* what was locked is told as it is after the call */
	MODEL_BUG_REPLACE,	/* what has replaced a placeholder is like others */
	MODEL_BUG_SPLIT,	/* a placeholder that is split leaves none behind it */
	MODEL_BUG_COALESCE,	/* one placeholder is enough to be made one */
	MODEL_BUG_VIEW,		/* a view leaves no placeholder */
	MODEL_BUG_STACK,	/* the guard of a stack is like others */
	MODEL_BUG_LEAP,		/* so is what is leapt to */
	MODEL_BUG_FULL,		/* a stack that is full has all but its last page */
	MODEL_BUGS
};

/* Places that a call is about */
struct model_spot {
	struct model_span *span;
	uint32_t page;
};

/* What a query may say beyond what it must */
struct model_answer {
	struct winregion_run run;
	bool open_end;		/* a longer run is right too */
	bool foreign;		/* only state and flags are known */
	uint64_t resident_min;
	uint64_t resident_max;
};

void model_init(struct model *model, uint64_t arena, unsigned int bug);
int model_errno(unsigned int bit);

/* The ioctls; @dirty: there is something after the structure that is not 0 */
uint32_t model_reserve(struct model *model, struct winregion_reserve *arg,
		       bool dirty);
uint32_t model_release(struct model *model, struct winregion_release *arg,
		       bool dirty);
uint32_t model_change(struct model *model, unsigned int cmd,
		      struct winregion_change *arg,
		      struct winregion_range *ranges, bool dirty);
uint32_t model_query(struct model *model, const struct winregion_query *arg,
		     bool dirty, struct model_answer *answer);
uint32_t model_check_query_runs(const struct winregion_query_runs *arg,
				bool dirty);
uint32_t model_get_info(const struct winregion_get_info *arg, bool dirty);

/* @pages: room for as many addresses as an array that is asked for can have */
uint32_t model_watch(struct model *model, struct winregion_write_watch *arg,
		     bool dirty, uint64_t *pages);

/* As model_change(); on success out_gone is set to the most that it can be */
uint32_t model_reset(struct model *model, struct winregion_reset *arg,
		     struct winregion_range *ranges, bool dirty);
/* It has succeeded, and @gone bytes were gone. */
void model_reset_told(struct model *model, const struct winregion_reset *arg,
		      const struct winregion_range *ranges, uint64_t gone);
uint32_t model_lock(struct model *model, struct winregion_lock *arg,
		    bool dirty);
uint32_t model_set_stack(struct model *model,
			 const struct winregion_set_stack *arg, bool dirty);

/* A view that replaces a placeholder: @arg says where */
uint32_t model_map_view(struct model *model, struct winregion_map_view *arg);
uint32_t model_unmap_view(struct model *model,
			  struct winregion_unmap_view *arg, bool dirty);

/* A region that the kernel has placed; its span, or -1 if it cannot be there */
int model_adopt(struct model *model, const struct winregion_reserve *arg,
		uint64_t address);

/* Parts of it, also for those who make calls up */
void model_touch(struct model *model, uint64_t address);
bool model_find(struct model *model, uint64_t address,
		struct model_spot *spot);
uint32_t model_region_end(const struct model_span *span, uint32_t page);
bool model_describe(const struct model *model, const struct model_span *span,
		    uint32_t page, struct model_answer *answer);
bool model_answer_fits(const struct model_answer *answer,
		       const struct winregion_run *run, bool resident);
uint64_t model_committed(const struct model *model);
uint64_t model_regions(const struct model *model);

/* Accesses */
enum model_access { MODEL_READ, MODEL_WRITE, MODEL_EXEC };

bool model_may(const struct model_page *page, enum model_access access);
/*
 * An access to a page that may not be: a stack grows, or there is an alarm. @call: by
 * the kernel, for a system call. Return: whether it goes on all the same.
 */
bool model_fault(struct model *model, uint64_t address,
		 enum model_access access, bool call);
void model_alarm(struct model *model, struct model_page *page);
unsigned int model_word_offset(unsigned int word);
/* What was freed: see @doubt. */
void model_gone(struct model_page *page);
/* This is a child now, in which nothing is locked. */
void model_in_child(struct model *model);

/* The program unmaps what is mapped for regions. */
void model_lose(struct model *model, uint64_t address, uint64_t end);
bool model_next_lost(struct model *model, struct model_spot *spot);
void model_bury(struct model *model, const struct model_spot *spot);

/* Somebody else's mapping comes or goes */
bool model_all_free(const struct model_span *span, uint32_t first, uint32_t n);
bool model_none_mapped(const struct model_span *span, uint32_t first,
		       uint32_t n);
bool model_is_foreign(const struct model_page *page);
void model_foreign(struct model_span *span, uint32_t first, uint32_t n,
		   bool there);

#endif /* _FUZZ_MODEL_H */
