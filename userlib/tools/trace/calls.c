// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A call as a line: its name, what it was asked, and what it has answered
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>

#include <linux/winregion.h>

#include "trace.h"

static void print_address(FILE *to, uint64_t address)
{
	if (address)
		fprintf(to, "%#" PRIx64, address);
	else
		fputs("NULL", to);
}

/* ---- regions ---- */

/* A reserve is one without any of them, too. */
static const struct trace_name reserve_flags[] = {
	{ WINREGION_RESERVE_COMMIT, "MEM_COMMIT" },
	{ WINREGION_RESERVE_TOP_DOWN, "MEM_TOP_DOWN" },
	{ WINREGION_RESERVE_PLACEHOLDER, "MEM_RESERVE_PLACEHOLDER" },
	{ WINREGION_RESERVE_REPLACE, "MEM_REPLACE_PLACEHOLDER" },
	{ WINREGION_RESERVE_WRITE_WATCH, "MEM_WRITE_WATCH" },
	{ WINREGION_RESERVE_LARGE_PAGES, "MEM_LARGE_PAGES" },
	{ WINREGION_RESERVE_PHYSICAL, "MEM_PHYSICAL" },
	{ WINREGION_RESERVE_STACK, "STACK" },
	{ WINREGION_RESERVE_NODE, "NODE" },
};

/* What is done, and the flags that go with it, if there are any */
static void print_type(FILE *to, const char *type,
		       const struct trace_name *names, size_t nr,
		       uint32_t flags)
{
	fputs(type, to);
	if (!flags)
		return;
	fputs("|", to);
	trace_print_bits(to, names, nr, flags);
}

static void print_reserve(FILE *to, const struct trace_call *call)
{
	const struct winregion_reserve *args = &call->before.reserve;

	print_address(to, args->address);
	fprintf(to, ", %#llx, ", args->length);
	print_type(to, "MEM_RESERVE", reserve_flags, ARRAY_SIZE(reserve_flags),
		   args->flags);
	fputs(", ", to);
	trace_print_protection(to, args->protection);
	if (args->lowest || args->highest || args->alignment)
		fprintf(to, ", {%#llx, %#llx, %#llx}", args->lowest,
			args->highest, args->alignment);
	if (args->flags & WINREGION_RESERVE_NODE)
		fprintf(to, ", node %u", args->node);
}

static void answer_reserve(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%#llx", call->after.reserve.address);
}

static const struct trace_name release_flags[] = {
	{ WINREGION_RELEASE_PRESERVE, "MEM_PRESERVE_PLACEHOLDER" },
	{ WINREGION_RELEASE_COALESCE, "MEM_COALESCE_PLACEHOLDERS" },
};

static void print_release(FILE *to, const struct trace_call *call)
{
	const struct winregion_release *args = &call->before.release;

	print_address(to, args->address);
	fprintf(to, ", %#llx, ", args->length);
	print_type(to, "MEM_RELEASE", release_flags, ARRAY_SIZE(release_flags),
		   args->flags);
}

static void answer_release(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%#llx", call->after.release.length);
}

/* ---- pages ---- */

static void print_range(FILE *to, const struct winregion_range *range)
{
	print_address(to, range->address);
	fprintf(to, ", %#llx", range->length);
}

/* Those of many ranges are where the program has them, and are not told. */
static bool print_ranges(FILE *to, const struct winregion_range *range,
			 uint32_t nr, uint64_t ranges)
{
	if (nr)
		fprintf(to, "%u ranges at %#" PRIx64, nr, ranges);
	else
		print_range(to, range);
	return !nr;
}

static void print_decommit(FILE *to, const struct trace_call *call)
{
	const struct winregion_change *args = &call->before.change;

	print_ranges(to, &args->range, args->nr_ranges, args->ranges);
}

static void print_change(FILE *to, const struct trace_call *call)
{
	const struct winregion_change *args = &call->before.change;

	if (!print_ranges(to, &args->range, args->nr_ranges, args->ranges))
		return;
	fputs(", ", to);
	trace_print_protection(to, args->range.protection);
}

static void answer_protect(FILE *to, const struct trace_call *call)
{
	const struct winregion_change *args = &call->after.change;

	if (args->nr_ranges)
		fputs("0", to);
	else
		trace_print_protection(to, args->range.out_old_protection);
}

static const char *const operations[] = {
	[WINREGION_OP_RESET] = "MEM_RESET",
	[WINREGION_OP_UNDO] = "MEM_RESET_UNDO",
	[WINREGION_OP_DISCARD] = "DISCARD",
	[WINREGION_OP_OFFER] = "OFFER",
	[WINREGION_OP_RECLAIM] = "RECLAIM",
};

static void print_named(FILE *to, const char *const *names, size_t nr,
			uint32_t number)
{
	if (number < nr && names[number])
		fputs(names[number], to);
	else
		fprintf(to, "%u", number);
}

static void print_reset(FILE *to, const struct trace_call *call)
{
	const struct winregion_reset *args = &call->before.reset;

	print_ranges(to, &args->range, args->nr_ranges, args->ranges);
	fputs(", ", to);
	print_named(to, operations, ARRAY_SIZE(operations), args->operation);
	if (args->operation == WINREGION_OP_OFFER && !args->nr_ranges)
		fprintf(to, ", priority %u", args->range.protection);
}

static void answer_reset(FILE *to, const struct trace_call *call)
{
	const struct winregion_reset *args = &call->after.reset;

	fprintf(to, "0, %#llx gone", args->out_gone);
}

static const char *const lock_operations[] = {
	[WINREGION_LOCK_ADD] = "LOCK",
	[WINREGION_LOCK_REMOVE] = "UNLOCK",
	[WINREGION_LOCK_TRIM] = "TRIM",
	[WINREGION_LOCK_COUNT] = "COUNT",
};

static void print_lock(FILE *to, const struct trace_call *call)
{
	const struct winregion_lock *args = &call->before.lock;

	print_address(to, args->address);
	fprintf(to, ", %#llx, ", args->length);
	print_named(to, lock_operations, ARRAY_SIZE(lock_operations),
		    args->operation);
}

static void answer_lock(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%#llx", call->after.lock.out_locked);
}

/* ---- questions ---- */

static void print_query(FILE *to, const struct trace_call *call)
{
	print_address(to, call->before.query.address);
}

static void answer_query(FILE *to, const struct trace_call *call)
{
	const struct winregion_run *run = &call->after.query.out;

	fprintf(to, "{%#llx, %#llx, ", run->address, run->length);
	if (run->state == WINREGION_STATE_COMMIT)
		fputs("MEM_COMMIT, ", to);
	else if (run->state == WINREGION_STATE_RESERVE)
		fputs("MEM_RESERVE, ", to);
	else
		fputs("MEM_FREE, ", to);
	trace_print_protection(to, run->protection);
	fputs("}", to);
}

static void print_query_runs(FILE *to, const struct trace_call *call)
{
	const struct winregion_query_runs *args = &call->before.query_runs;

	print_address(to, args->address);
	fprintf(to, ", %#llx, %u runs", args->last, args->nr_runs);
}

static void answer_query_runs(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%u", call->after.query_runs.nr_runs);
}

static const struct trace_name watch_flags[] = {
	{ WINREGION_WATCH_GET, "GET" },
	{ WINREGION_WATCH_RESET, "WRITE_WATCH_FLAG_RESET" },
};

static void print_watch(FILE *to, const struct trace_call *call)
{
	const struct winregion_write_watch *args = &call->before.write_watch;

	print_address(to, args->address);
	fprintf(to, ", %#llx, ", args->length);
	trace_print_bits(to, watch_flags, ARRAY_SIZE(watch_flags), args->flags);
}

static void answer_watch(FILE *to, const struct trace_call *call)
{
	const struct winregion_write_watch *args = &call->after.write_watch;

	fprintf(to, "%llu",
		args->flags & WINREGION_WATCH_GET ? args->nr_pages : 0ULL);
}

static const char *const reasons[] = {
	[WINREGION_FAULT_NONE] = "none",
	[WINREGION_FAULT_RESERVED] = "reserved",
	[WINREGION_FAULT_PROTECTION] = "protection",
	[WINREGION_FAULT_GUARD] = "guard",
	[WINREGION_FAULT_STACK_OVERFLOW] = "stack overflow",
	[WINREGION_FAULT_IN_PAGE] = "in page",
	[WINREGION_FAULT_BEHIND_END] = "behind end",
	[WINREGION_FAULT_POISONED] = "poisoned",
};

static void answer_last_fault(FILE *to, const struct trace_call *call)
{
	const struct winregion_last_fault *args = &call->after.last_fault;

	print_address(to, args->out_address);
	fputs(", ", to);
	print_named(to, reasons, ARRAY_SIZE(reasons), args->out_reason);
}

/* ---- the others ---- */

static void print_set_stack(FILE *to, const struct trace_call *call)
{
	const struct winregion_set_stack *args = &call->before.set_stack;

	print_address(to, args->address);
	fprintf(to, ", %#llx%s", args->guarantee,
		args->flags & WINREGION_STACK_LEAPS ? ", LEAPS" : "");
}

static void print_frames(FILE *to, const struct trace_call *call)
{
	const struct winregion_frames *args = &call->before.frames;

	fprintf(to, "%s, %llu",
		args->flags & WINREGION_FRAMES_FREE ? "FREE" : "ALLOCATE",
		args->count);
}

static void answer_frames(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%llu", call->after.frames.count);
}

static void print_map_frames(FILE *to, const struct trace_call *call)
{
	const struct winregion_map_frames *args = &call->before.map_frames;

	print_address(to, args->address);
	fprintf(to, ", %llu, %s", args->count,
		args->frames ? "frames" : "NULL");
}

static void answer_open_process(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%d", call->after.open_process.out_fd);
}

/* ---- sections and views ---- */

static const struct trace_name section_flags[] = {
	{ WINREGION_SECTION_RESERVE, "SEC_RESERVE" },
	{ WINREGION_SECTION_NOCACHE, "SEC_NOCACHE" },
	{ WINREGION_SECTION_WRITECOMBINE, "SEC_WRITECOMBINE" },
	{ WINREGION_SECTION_IMAGE, "SEC_IMAGE" },
};

static void print_create(FILE *to, const struct trace_call *call)
{
	const struct winregion_create_section *args =
		&call->before.create_section;

	fprintf(to, "%d, ", args->file);
	trace_print_protection(to, args->protection);
	fputs(", ", to);
	trace_print_bits(to, section_flags, ARRAY_SIZE(section_flags),
			 args->flags);
	fprintf(to, ", %#llx%s", args->length, args->name ? ", name" : "");
}

static void answer_create(FILE *to, const struct trace_call *call)
{
	const struct winregion_create_section *args =
		&call->after.create_section;

	fprintf(to, "%d%s", args->out_fd,
		args->name && args->out_existed == 1 ? " ERROR_ALREADY_EXISTS" :
						       "");
}

static void answer_open(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%d", call->after.open_section.out_fd);
}

static const struct trace_name view_flags[] = {
	{ WINREGION_VIEW_TOP_DOWN, "MEM_TOP_DOWN" },
	{ WINREGION_VIEW_REPLACE, "MEM_REPLACE_PLACEHOLDER" },
	{ WINREGION_VIEW_RESERVE, "MEM_RESERVE" },
	{ WINREGION_VIEW_IMAGE, "IMAGE" },
};

static void print_map(FILE *to, const struct trace_call *call)
{
	const struct winregion_map_view *args = &call->before.map_view;

	print_address(to, args->address);
	fprintf(to, ", %#llx, %#llx, ", args->offset, args->length);
	trace_print_bits(to, view_flags, ARRAY_SIZE(view_flags), args->flags);
	fputs(", ", to);
	trace_print_protection(to, args->protection);
}

static void answer_map(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%#llx", call->after.map_view.address);
}

static void print_unmap(FILE *to, const struct trace_call *call)
{
	const struct winregion_unmap_view *args = &call->before.unmap_view;

	print_address(to, args->address);
	if (args->flags & WINREGION_UNMAP_PRESERVE)
		fputs(", MEM_PRESERVE_PLACEHOLDER", to);
}

static void answer_unmap(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%#llx", call->after.unmap_view.out_length);
}

static void print_flush(FILE *to, const struct trace_call *call)
{
	const struct winregion_flush_view *args = &call->before.flush_view;

	print_address(to, args->address);
	fprintf(to, ", %#llx", args->length);
}

static void print_extend(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%#llx", call->before.extend_section.length);
}

static void print_duplicate(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%#x", call->before.duplicate_section.access);
}

static void answer_duplicate(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%d", call->after.duplicate_section.out_fd);
}

static void print_query_file(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%d", call->before.query_file.file);
}

static void answer_query_file(FILE *to, const struct trace_call *call)
{
	fprintf(to, "%#llx", call->after.query_file.out_length);
}

/* ---- all of them ---- */

/**
 * struct kind - a call
 * @name: its name
 * @print: prints what it was asked, if that can be told
 * @answer: prints the answer, if there is more than that it went well
 */
struct kind {
	const char *name;
	void (*print)(FILE *to, const struct trace_call *call);
	void (*answer)(FILE *to, const struct trace_call *call);
};

#define KIND(nr, ...) \
	[WINREGION_CMD_##nr - WINREGION_CMD_BASE] = { __VA_ARGS__ }

static const struct kind kinds[] = {
	KIND(GET_INFO, "get_info", NULL, NULL),
	KIND(RESERVE, "reserve", print_reserve, answer_reserve),
	KIND(RELEASE, "release", print_release, answer_release),
	KIND(COMMIT, "commit", print_change, NULL),
	KIND(DECOMMIT, "decommit", print_decommit, NULL),
	KIND(PROTECT, "protect", print_change, answer_protect),
	KIND(QUERY, "query", print_query, answer_query),
	KIND(QUERY_RUNS, "query_runs", print_query_runs, answer_query_runs),
	KIND(CREATE_SECTION, "create_section", print_create, answer_create),
	KIND(MAP_VIEW, "map_view", print_map, answer_map),
	KIND(UNMAP_VIEW, "unmap_view", print_unmap, answer_unmap),
	KIND(FLUSH_VIEW, "flush_view", print_flush, NULL),
	KIND(QUERY_SECTION, "query_section", NULL, NULL),
	KIND(EXTEND_SECTION, "extend_section", print_extend, NULL),
	KIND(DUPLICATE_SECTION, "duplicate_section", print_duplicate,
	     answer_duplicate),
	KIND(QUERY_FILE, "query_file", print_query_file, answer_query_file),
	KIND(OPEN_SECTION, "open_section", NULL, answer_open),
	KIND(LAST_FAULT, "last_fault", NULL, answer_last_fault),
	KIND(WRITE_WATCH, "write_watch", print_watch, answer_watch),
	KIND(RESET, "reset", print_reset, answer_reset),
	KIND(LOCK, "lock", print_lock, answer_lock),
	KIND(SET_STACK, "set_stack", print_set_stack, NULL),
	KIND(FRAMES, "frames", print_frames, answer_frames),
	KIND(MAP_FRAMES, "map_frames", print_map_frames, NULL),
	KIND(OPEN_PROCESS, "open_process", NULL, answer_open_process),
};

static const struct kind *kind_of(unsigned int nr)
{
	static const struct kind unknown = { "ioctl", NULL, NULL };

	nr -= WINREGION_CMD_BASE;
	return nr < ARRAY_SIZE(kinds) && kinds[nr].name ? &kinds[nr] : &unknown;
}

const char *trace_call_name(unsigned int nr)
{
	return kind_of(nr)->name;
}

/* Without a time, and without the end of the line. */
void trace_print_call(FILE *to, const struct trace_call *call)
{
	const struct kind *kind = kind_of(call->nr);
	const char *name = strerrorname_np(-call->result);

	fprintf(to, "%s(", kind->name);
	if (kind->print)
		kind->print(to, call);
	fputs(") = ", to);
	if (call->result)
		fprintf(to, "-1 %s (%s)", name ? name : "?",
			strerror(-call->result));
	else if (kind->answer)
		kind->answer(to, call);
	else
		fputs("0", to);
}
