// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Call stacks by libdw, of a process that may have ended already: from the files that it
 * had mapped, and from the part of its stack that came with an event
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <elfutils/libdwfl.h>

#include "stacks.h"

/**
 * struct map - a file of a process
 * @base: where its beginning is
 * @path: its path
 */
struct map {
	uint64_t base;
	char *path;
};

/**
 * struct unwinder - a process' code
 * @dwfl: libdw's view of it, as soon as somebody wants to know
 * @pid: its number, by which libdw knows its only thread
 * @attached: whether libdw can ask for registers and memory
 * @maps: the files, for libdw, and for a process that is forked
 * @nr_maps: how many
 * @nr_told: how many of them libdw knows
 * @state: of the thread whose stack is walked
 * @frames: of that stack, so far
 * @nr: how many
 */
struct unwinder {
	Dwfl *dwfl;
	pid_t pid;
	bool attached;
	struct map *maps;
	size_t nr_maps;
	size_t nr_told;
	const struct user_state *state;
	uint64_t *frames;
	size_t nr;
};

/* ---- what libdw asks for ---- */

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
	struct unwinder *unwinder = arg;

	(void)dwfl;
	if (*thread)
		return 0;
	*thread = arg;
	return unwinder->pid;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct unwinder *unwinder = arg;
	Dwarf_Word words[DWARF_REGISTERS];
	unsigned int i;

	for (i = 0; i < DWARF_REGISTERS; i++)
		words[i] = unwinder->state->registers[i];
	return dwfl_thread_state_registers(thread, 0, i, words);
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word,
			void *arg)
{
	const struct user_state *state = ((struct unwinder *)arg)->state;
	uint64_t at = address - state->registers[STACK_POINTER];

	(void)dwfl;
	if (at > state->size || state->size - at < sizeof(*word))
		return false;
	memcpy(word, state->stack + at, sizeof(*word));
	return true;
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* ---- a process ---- */

struct unwinder *unwinder_new(pid_t pid)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder)
		abort();
	unwinder->pid = pid;
	return unwinder;
}

/**
 * unwinder_map - there is code of a file from now on
 * @unwinder: of which process
 * @base: where the file's beginning is, or would be
 * @path: the file's. What is none, such as [vdso], is not looked at.
 */
void unwinder_map(struct unwinder *unwinder, uint64_t base, const char *path)
{
	struct map *map;

	if (path[0] != '/' || !strncmp(path, "//", 2))
		return;
	unwinder->maps =
		realloc(unwinder->maps, (unwinder->nr_maps + 1) * sizeof(*map));
	if (!unwinder->maps)
		abort();
	map = &unwinder->maps[unwinder->nr_maps++];
	map->base = base;
	map->path = strdup(path);
	if (!map->path)
		abort();
}

struct unwinder *unwinder_copy(const struct unwinder *from, pid_t pid)
{
	struct unwinder *unwinder = unwinder_new(pid);
	size_t i;

	for (i = 0; i < from->nr_maps; i++)
		unwinder_map(unwinder, from->maps[i].base, from->maps[i].path);
	return unwinder;
}

void unwinder_free(struct unwinder *unwinder)
{
	size_t i;

	for (i = 0; i < unwinder->nr_maps; i++)
		free(unwinder->maps[i].path);
	free(unwinder->maps);
	dwfl_end(unwinder->dwfl);
	free(unwinder);
}

/*
 * Most processes allocate nothing, and libdw opens each file that it is told of. Return:
 * whether it can be asked
 */
static bool tell_libdw(struct unwinder *unwinder)
{
	const struct map *map;

	if (!unwinder->dwfl)
		unwinder->dwfl = dwfl_begin(&callbacks);
	if (!unwinder->dwfl)
		return false;
	if (unwinder->nr_told == unwinder->nr_maps)
		return true;
	dwfl_report_begin_add(unwinder->dwfl);
	while (unwinder->nr_told < unwinder->nr_maps) {
		map = &unwinder->maps[unwinder->nr_told++];
		dwfl_report_elf(unwinder->dwfl, map->path, map->path, -1,
				map->base, false);
	}
	dwfl_report_end(unwinder->dwfl, NULL, NULL);
	return true;
}

/* ---- a stack ---- */

/* A caller's frame is where it goes on: the call is before that. */
static int take_frame(Dwfl_Frame *frame, void *arg)
{
	struct unwinder *unwinder = arg;
	bool is_exact;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(frame, &pc, &is_exact))
		return DWARF_CB_ABORT;
	unwinder->frames[unwinder->nr++] = pc - !is_exact;
	return unwinder->nr < STACK_FRAMES ? DWARF_CB_OK : DWARF_CB_ABORT;
}

/**
 * unwinder_walk - the frames of a stack
 * @unwinder: of which process
 * @state: where its thread was
 * @frames: room for STACK_FRAMES; the innermost is the first
 *
 * Return: how many there are, at least one
 */
size_t unwinder_walk(struct unwinder *unwinder, const struct user_state *state,
		     uint64_t *frames)
{
	unwinder->state = state;
	unwinder->frames = frames;
	unwinder->nr = 0;
	if (tell_libdw(unwinder) && !unwinder->attached)
		unwinder->attached =
			dwfl_attach_state(unwinder->dwfl, NULL, unwinder->pid,
					  &thread_callbacks, unwinder);
	if (unwinder->attached)
		dwfl_getthread_frames(unwinder->dwfl, unwinder->pid, take_frame,
				      unwinder);
	if (!unwinder->nr)
		frames[unwinder->nr++] = state->registers[INSTRUCTION_POINTER];
	return unwinder->nr;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *file_of(Dwfl_Module *module)
{
	return last_part(dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL,
					  NULL, NULL));
}

/* Names can have anything in them; here they are words of a line. */
static void print_name(FILE *to, const char *name)
{
	for (; *name; name++)
		putc((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name,
		     to);
}

/* "function at source.c:12 (file)", or what of it is known */
void unwinder_print(struct unwinder *unwinder, FILE *to, uint64_t frame)
{
	Dwfl_Module *module =
		unwinder->dwfl ? dwfl_addrmodule(unwinder->dwfl, frame) : NULL;
	const char *name, *source = NULL;
	Dwfl_Line *line;
	int nr = 0;

	if (!module) {
		fprintf(to, "%#" PRIx64, frame);
		return;
	}
	name = dwfl_module_addrname(module, frame);
	line = dwfl_module_getsrc(module, frame);
	if (line)
		source = dwfl_lineinfo(line, NULL, &nr, NULL, NULL, NULL);
	print_name(to, name ? name : "?");
	if (source) {
		fputs(" at ", to);
		print_name(to, last_part(source));
		fprintf(to, ":%d", nr);
	}
	fputs(" (", to);
	print_name(to, file_of(module));
	putc(')', to);
}
