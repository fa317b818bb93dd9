// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Call stacks by libdw, of a process that may have ended already: from the files that it
 * had mapped, and from the part of its stack that came with an event
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>
#include <gelf.h>

#include "../common/text.h"
#include "stacks.h"

/**
 * struct unwinder - a process' code
 * @dwfl: libdw's view of it, as soon as somebody wants to know
 * @pid: its number, by which libdw knows its only thread
 * @attached: whether libdw can ask for registers and memory
 * @maps: its files, for libdw, and for a process that is forked
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
	struct code *maps;
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

/* Files may name others that have their debug information: these are not opened. */
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_build_id_find_debuginfo,
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
 * @code: where, and of which file. What is none, such as [vdso], is not looked at.
 */
void unwinder_map(struct unwinder *unwinder, const struct code *code)
{
	struct code *map;

	if (code->path[0] != '/' || !strncmp(code->path, "//", 2))
		return;
	unwinder->maps =
		realloc(unwinder->maps, (unwinder->nr_maps + 1) * sizeof(*map));
	if (!unwinder->maps)
		abort();
	map = &unwinder->maps[unwinder->nr_maps++];
	*map = *code;
	map->path = strdup(code->path);
	if (!map->path)
		abort();
}

struct unwinder *unwinder_copy(const struct unwinder *from, pid_t pid)
{
	struct unwinder *unwinder = unwinder_new(pid);
	size_t i;

	for (i = 0; i < from->nr_maps; i++)
		unwinder_map(unwinder, &from->maps[i]);
	return unwinder;
}

/* libdw keeps all files of a process open, so it knows some processes only. */
#define MAX_KNOWN 32

/* They, the one that was asked for last first */
static struct unwinder *known[MAX_KNOWN];

static void close_libdw(struct unwinder *unwinder)
{
	dwfl_end(unwinder->dwfl);
	unwinder->dwfl = NULL;
	unwinder->attached = false;
	unwinder->nr_told = 0;
}

/* Where it is, or else the last place */
static size_t place_of(const struct unwinder *unwinder)
{
	size_t i;

	for (i = 0; i < MAX_KNOWN - 1 && known[i] != unwinder; i++)
		;
	return i;
}

static void put_first(struct unwinder *unwinder)
{
	size_t place = place_of(unwinder);

	if (known[place] && known[place] != unwinder)
		close_libdw(known[place]);
	memmove(&known[1], &known[0], place * sizeof(*known));
	known[0] = unwinder;
}

void unwinder_free(struct unwinder *unwinder)
{
	size_t place = place_of(unwinder), i;

	if (known[place] == unwinder)
		known[place] = NULL;
	for (i = 0; i < unwinder->nr_maps; i++)
		free((char *)unwinder->maps[i].path);
	free(unwinder->maps);
	close_libdw(unwinder);
	free(unwinder);
}

static bool is_part(const GElf_Phdr *part, const struct code *code)
{
	return part->p_type == PT_LOAD && part->p_flags & PF_X &&
	       part->p_offset < code->offset + code->length &&
	       code->offset < part->p_offset + part->p_filesz;
}

/*
 * What is added to addresses as the file has them. They may have gaps between its parts
 * where the file has none: lld leaves some.
 */
static uint64_t bias_of(int fd, const struct code *code)
{
	uint64_t bias = code->address - code->offset;
	GElf_Phdr part;
	size_t nr = 0;
	Elf *elf;
	int i;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_getphdrnum(elf, &nr))
		nr = 0;
	for (i = 0; i < (int)nr && gelf_getphdr(elf, i, &part); i++) {
		if (!is_part(&part, code))
			continue;
		bias += part.p_offset - part.p_vaddr;
		break;
	}
	elf_end(elf);
	return bias;
}

/* Another part of a file that it knows would have libdw forget both. */
static bool is_told(const struct unwinder *unwinder, const struct code *code)
{
	const struct code *map;

	for (map = unwinder->maps; map < code; map++)
		if (map->bias == code->bias && !strcmp(map->path, code->path))
			return true;
	return false;
}

static void tell_of(const struct unwinder *unwinder, struct code *code)
{
	int fd = binary_open(unwinder->pid, code);

	code->bias = UINT64_MAX;
	if (fd < 0)
		return;
	code->bias = bias_of(fd, code);
	/* It closes what it takes. */
	if (is_told(unwinder, code) ||
	    !dwfl_report_elf(unwinder->dwfl, code->path, code->path, fd,
			     code->bias, true))
		close(fd);
}

/*
 * Most processes allocate nothing, and libdw opens each file that it is told of. Return:
 * whether it can be asked
 */
static bool tell_libdw(struct unwinder *unwinder)
{
	put_first(unwinder);
	if (!unwinder->dwfl)
		unwinder->dwfl = dwfl_begin(&callbacks);
	if (!unwinder->dwfl)
		return false;
	if (unwinder->nr_told == unwinder->nr_maps)
		return true;
	dwfl_report_begin_add(unwinder->dwfl);
	while (unwinder->nr_told < unwinder->nr_maps)
		tell_of(unwinder, &unwinder->maps[unwinder->nr_told++]);
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
	text_print(to, name ? name : "?");
	if (source) {
		fputs(" at ", to);
		text_print(to, last_part(source));
		fprintf(to, ":%d", nr);
	}
	fputs(" (", to);
	text_print(to, file_of(module));
	putc(')', to);
}
