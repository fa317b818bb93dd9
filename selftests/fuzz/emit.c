// SPDX-License-Identifier: GPL-2.0
/*
 * Operations as a C program that needs nothing but the uapi header and libc,
 * and ends with status 1 where the kernel does not do what the model says.
 */
#include <stdarg.h>
#include <string.h>

#include "fuzz.h"

const char *const fuzz_names[OP_KINDS] = {
	[OP_NONE] = "nothing",
	[OP_RESERVE] = "reserve",
	[OP_RELEASE] = "release",
	[OP_COMMIT] = "commit",
	[OP_DECOMMIT] = "decommit",
	[OP_PROTECT] = "protect",
	[OP_QUERY] = "query",
	[OP_QUERY_RUNS] = "query_runs",
	[OP_INFO] = "get_info",
	[OP_WATCH] = "write_watch",
	[OP_RESET] = "reset",
	[OP_LOCK] = "lock",
	[OP_MAP_VIEW] = "map_view",
	[OP_UNMAP_VIEW] = "unmap_view",
	[OP_SET_STACK] = "set_stack",
	[OP_READ] = "read",
	[OP_WRITE] = "write",
	[OP_EXEC] = "exec",
	[OP_READ_CALL] = "read(2)",
	[OP_WRITE_CALL] = "write(2)",
	[OP_MADVISE] = "madvise(2)",
	[OP_MMAP] = "mmap(2)",
	[OP_MUNMAP] = "munmap(2)",
	[OP_UNMAP] = "munmap(2) of regions",
	[OP_VERIFY] = "verify",
	[OP_FORK] = "fork",
	[OP_END] = "end of child",
};

static const char *const errno_names[MODEL_ERRORS] = {
	"EINVAL", "E2BIG", "EFAULT", "EOPNOTSUPP", "EDOM", "EADDRNOTAVAIL",
	"EOVERFLOW", "EEXIST", "ENOENT", "EXDEV", "ESPIPE", "ENODATA",
	"ENOSPC", "EUNATCH", "ENOMSG", "ENOLCK", "ESTALE", "EPROTO", "EIO",
	"EBADSLT", "EBUSY", "EACCES",
};

static const char prelude[] =
"#define _GNU_SOURCE\n"
"#include <errno.h>\n"
"#include <fcntl.h>\n"
"#include <setjmp.h>\n"
"#include <signal.h>\n"
"#include <stdint.h>\n"
"#include <stdio.h>\n"
"#include <string.h>\n"
"#include <sys/ioctl.h>\n"
"#include <sys/mman.h>\n"
"#include <sys/wait.h>\n"
"#include <unistd.h>\n"
"\n"
"#include <linux/winregion.h>\n"
"\n"
"#define P(address) ((void *)(uintptr_t)(address))\n"
"#define GET_INFO ((struct winregion_get_info *)arg)\n"
"#define RESERVE ((struct winregion_reserve *)arg)\n"
"#define RELEASE ((struct winregion_release *)arg)\n"
"#define CHANGE ((struct winregion_change *)arg)\n"
"#define QUERY ((struct winregion_query *)arg)\n"
"#define QUERY_RUNS ((struct winregion_query_runs *)arg)\n"
"#define WATCH ((struct winregion_write_watch *)arg)\n"
"#define RESET ((struct winregion_reset *)arg)\n"
"#define LOCK ((struct winregion_lock *)arg)\n"
"#define UNMAP_VIEW ((struct winregion_unmap_view *)arg)\n"
"#define SET_STACK ((struct winregion_set_stack *)arg)\n"
"\n"
"enum { READ, WRITE, EXEC };\n"
"\n"
"static int fd, bad, pipes[2], hold[16][4];\n"
"static uint64_t h[16];\n"
"static uint32_t arg[128];\n"
"static struct winregion_range v[8];\n"
"static struct winregion_run runs[64];\n"
"static uint64_t told[1101];\n"
"static sigjmp_buf env;\n"
"\n"
"static void wrong(int line, const char *what, uint64_t is, uint64_t must)\n"
"{\n"
"	printf(\"line %d: %s: 0x%llx, but it must be 0x%llx\\n\", line, what,\n"
"	       (long long)is, (long long)must);\n"
"	fflush(stdout);\n"
"	bad = 1;\n"
"}\n"
"\n"
"static void same(int line, const char *what, uint64_t is, uint64_t must)\n"
"{\n"
"	if (is != must)\n"
"		wrong(line, what, is, must);\n"
"}\n"
"\n"
"/* The structure, what follows it, and the errors that are right */\n"
"static void call(int line, unsigned int cmd, int *errors)\n"
"{\n"
"	int ret = ioctl(fd, cmd, arg) ? errno : 0, first = *errors;\n"
"\n"
"	while (*errors >= 0 && *errors != ret)\n"
"		errors++;\n"
"	if (*errors < 0)\n"
"		wrong(line, \"errno\", ret, first);\n"
"}\n"
"\n"
"/* A view of memory that is new, in place of a placeholder */\n"
"static void map_view(int line, uint64_t address, uint64_t length, int *errors)\n"
"{\n"
"	struct winregion_create_section section = {\n"
"		.size = sizeof(section), .file = -1, .length = length,\n"
"		.protection = WINREGION_READWRITE,\n"
"		.access = WINREGION_SECTION_ALL,\n"
"	};\n"
"	int device = fd;\n"
"\n"
"	if (ioctl(fd, WINREGION_CREATE_SECTION, &section))\n"
"		_exit(2);\n"
"	memset(arg, 0, sizeof(arg));\n"
"	*(struct winregion_map_view *)arg = (struct winregion_map_view) {\n"
"		.size = sizeof(struct winregion_map_view),\n"
"		.flags = WINREGION_VIEW_REPLACE,\n"
"		.protection = WINREGION_READONLY,\n"
"		.address = address, .length = length,\n"
"	};\n"
"	fd = section.out_fd;\n"
"	call(line, WINREGION_MAP_VIEW, errors);\n"
"	close(fd);\n"
"	fd = device;\n"
"}\n"
"\n"
"static void on_fault(int sig)\n"
"{\n"
"	siglongjmp(env, sig);\n"
"}\n"
"\n"
"static void touch(int line, int how, uint64_t at, uint32_t value, int works)\n"
"{\n"
"	volatile uint32_t *word = P(at), seen = value;\n"
"	int sig = sigsetjmp(env, 1);\n"
"\n"
"	if (!sig && how == READ)\n"
"		seen = *word;\n"
"	else if (!sig && how == WRITE)\n"
"		*word = value;\n"
"	else if (!sig)\n"
"		((void (*)(void))(uintptr_t)at)();\n"
"	same(line, \"signal\", sig, works ? 0 : SIGSEGV);\n"
"	if (works < 2 || seen) /* or what was freed */\n"
"		same(line, \"contents\", seen, value);\n"
"}\n"
"\n"
"static void write_call(int line, uint64_t at, uint32_t value, int works)\n"
"{\n"
"	uint32_t seen = value;\n"
"	int n = write(pipes[1], P(at), 4);\n"
"\n"
"	if (n == 4 && read(pipes[0], &seen, 4) != 4)\n"
"		n = 0;\n"
"	same(line, \"write(2)\", n, works ? 4 : -1);\n"
"	if (works < 2 || seen)\n"
"		same(line, \"contents\", seen, value);\n"
"}\n"
"\n"
"static void read_call(int line, uint64_t at, uint32_t value, int works)\n"
"{\n"
"	int n = write(pipes[1], &value, 4) == 4 ? read(pipes[0], P(at), 4) : 0;\n"
"\n"
"	if (n != 4 && read(pipes[0], &value, 4) != 4)\n"
"		n = 0;\n"
"	same(line, \"read(2)\", n, works ? 4 : -1);\n"
"}\n"
"\n"
"static void is_run(int line, struct winregion_run *run,\n"
"		   struct winregion_run must, int open_end, uint64_t resident)\n"
"{\n"
"	same(line, \"address\", run->address, must.address);\n"
"	if (!open_end || run->length < must.length)\n"
"		same(line, \"length\", run->length, must.length);\n"
"	same(line, \"region\", run->region_address, must.region_address);\n"
"	same(line, \"region length\", run->region_length, must.region_length);\n"
"	same(line, \"region committed\", run->region_committed,\n"
"	     must.region_committed);\n"
"	same(line, \"region protection\", run->region_protection,\n"
"	     must.region_protection);\n"
"	same(line, \"state\", run->state, must.state);\n"
"	same(line, \"protection\", run->protection, must.protection);\n"
"	same(line, \"type\", run->type, must.type);\n"
"	if (run->resident < must.resident || run->resident > resident)\n"
"		wrong(line, \"resident\", run->resident, must.resident);\n"
"}\n"
"\n"
"static void query_runs(int line, uint64_t first, uint64_t last)\n"
"{\n"
"	memset(arg, 0, sizeof(arg));\n"
"	*QUERY_RUNS = (struct winregion_query_runs) {\n"
"		.size = sizeof(*QUERY_RUNS),\n"
"		.flags = WINREGION_QUERY_RESIDENT,\n"
"		.address = first,\n"
"		.last = last,\n"
"		.runs = (uintptr_t)runs,\n"
"		.nr_runs = 64,\n"
"	};\n"
"	call(line, WINREGION_QUERY_RUNS, (int[]){ 0, -1 });\n"
"}\n"
"\n"
"static void give_back(int line)\n"
"{\n"
"	uint64_t address = RESERVE->address;\n"
"\n"
"	memset(arg, 0, sizeof(arg));\n"
"	*RELEASE = (struct winregion_release) {\n"
"		.size = sizeof(*RELEASE), .address = address,\n"
"	};\n"
"	call(line, WINREGION_RELEASE, (int[]){ 0, -1 });\n"
"}\n"
"\n"
"/* It is released, or was gone with its mappings. */\n"
"static void bury(int line, uint64_t address)\n"
"{\n"
"	memset(arg, 0, sizeof(arg));\n"
"	*RELEASE = (struct winregion_release) {\n"
"		.size = sizeof(*RELEASE), .address = address,\n"
"	};\n"
"	call(line, WINREGION_RELEASE, (int[]){ 0, ENOENT, -1 });\n"
"}\n"
"\n"
"static void map(int line, uint64_t address, uint64_t length, int flags)\n"
"{\n"
"	if (mmap(P(address), length, PROT_READ | PROT_WRITE, MAP_PRIVATE |\n"
"		 MAP_ANONYMOUS | flags, -1, 0) == MAP_FAILED)\n"
"		wrong(line, \"mmap\", errno, 0);\n"
"}\n"
"\n"
"static void ask(int line, uint64_t address, uint64_t length)\n"
"{\n"
"	uint64_t end = address + length;\n"
"\n"
"	for (; address < end; address += QUERY->out.length) {\n"
"		memset(arg, 0, sizeof(arg));\n"
"		*QUERY = (struct winregion_query) {\n"
"			.size = sizeof(*QUERY), .address = address,\n"
"		};\n"
"		call(line, WINREGION_QUERY, (int[]){ 0, -1 });\n"
"		if (!QUERY->out.length)\n"
"			return;\n"
"	}\n"
"}\n"
"\n"
"static void unmap(int line, uint64_t address, uint64_t length, int works)\n"
"{\n"
"	same(line, \"munmap\", munmap(P(address), length), works ? 0 : -1);\n"
"}\n"
"\n"
"/* A child has a pipe and results of its own. */\n"
"static pid_t start_child(void)\n"
"{\n"
"	pid_t pid;\n"
"\n"
"	fflush(stdout);\n"
"	pid = fork();\n"
"	if (!pid && (pipe(pipes) || (bad = 0)))\n"
"		_exit(2);\n"
"	return pid;\n"
"}\n"
"\n"
"static void end_child(int line, pid_t pid)\n"
"{\n"
"	int status = -1;\n"
"\n"
"	waitpid(pid, &status, 0);\n"
"	same(line, \"status of the child\", status, 0);\n"
"}\n"
"\n"
"/* A child that is held does its part, and goes on when it is let go. */\n"
"static void make_hold(int n)\n"
"{\n"
"	if (pipe(hold[n]) || pipe(hold[n] + 2))\n"
"		_exit(2);\n"
"}\n"
"\n"
"static void in_hold(int n)\n"
"{\n"
"	char c = 0;\n"
"\n"
"	if (write(hold[n][1], &c, 1) != 1 || read(hold[n][2], &c, 1) != 1)\n"
"		_exit(2);\n"
"}\n"
"\n"
"static void await_hold(int n)\n"
"{\n"
"	char c;\n"
"\n"
"	close(hold[n][1]);\n"
"	if (read(hold[n][0], &c, 1) < 0)\n"
"		_exit(2);\n"
"}\n"
"\n"
"static void end_hold(int n)\n"
"{\n"
"	if (write(hold[n][3], \"\", 1) != 1)\n"
"		bad = 1;\n"
"	close(hold[n][3]);\n"
"}\n"
"\n"
"#define CALL(cmd, ...) \\\n"
"	call(__LINE__, cmd, (int[]){ __VA_ARGS__, -1 })\n"
"#define MAP_VIEW(at, length, ...) \\\n"
"	map_view(__LINE__, at, length, (int[]){ __VA_ARGS__, -1 })\n"
"#define SAME(words, i, must) same(__LINE__, #words, words[i], must)\n"
"#define OLD(i, must) same(__LINE__, \"old\", v[i].out_old_protection, must)\n"
"#define GONE(most) do { \\\n"
"	if (RESET->out_gone > (most)) \\\n"
"		wrong(__LINE__, \"gone\", RESET->out_gone, most); \\\n"
"} while (0)\n"
"#define AT(must) same(__LINE__, \"place\", RESERVE->address, must)\n"
"#define NR_RUNS(must) same(__LINE__, \"runs\", QUERY_RUNS->nr_runs, must)\n"
"#define COUNTS(regions, bytes) do { \\\n"
"	same(__LINE__, \"regions\", GET_INFO->out_regions, regions); \\\n"
"	same(__LINE__, \"committed\", GET_INFO->out_committed, bytes); \\\n"
"} while (0)\n"
"#define GO_ON() wrong(__LINE__, \"go on\", QUERY_RUNS->address, 0)\n"
"#define BAD_PLACE() wrong(__LINE__, \"place\", RESERVE->address, 0)\n"
"#define GIVE_BACK() give_back(__LINE__)\n"
"#define BURY(at) bury(__LINE__, at)\n"
"#define ASK(...) ask(__LINE__, __VA_ARGS__)\n"
"#define MMAP(...) map(__LINE__, __VA_ARGS__)\n"
"#define UNMAP(...) unmap(__LINE__, __VA_ARGS__)\n"
"#define TOUCH(...) touch(__LINE__, __VA_ARGS__)\n"
"#define READ_CALL(...) read_call(__LINE__, __VA_ARGS__)\n"
"#define WRITE_CALL(...) write_call(__LINE__, __VA_ARGS__)\n"
"#define TOLD(i, must) same(__LINE__, \"told\", told[i], must)\n"
"#define RUNS(...) query_runs(__LINE__, __VA_ARGS__)\n"
"#define IS_RUN(...) is_run(__LINE__, __VA_ARGS__)\n"
"\n"
"int main(void)\n"
"{\n"
"	struct sigaction action = { .sa_handler = on_fault };\n"
"	pid_t child[16];\n"
"\n"
"	fd = open(\"/dev/winregion\", O_RDWR | O_CLOEXEC);\n"
"	if (fd < 0 || pipe(pipes))\n"
"		return 2;\n"
"	sigaction(SIGSEGV, &action, NULL);\n"
"	sigaction(SIGBUS, &action, NULL);\n"
"	sigaction(SIGILL, &action, NULL);\n"
"	signal(SIGPIPE, SIG_IGN);\n"
"	(void)child;\n"
"	(void)h;\n"
"	(void)v;\n"
"	(void)runs;\n"
"	(void)told;\n"
"\n";

void emit_begin(FILE *file, uint64_t arena, const char *comment)
{
	if (!file)
		return;
	fprintf(file, "/* %s */\n#define ARENA 0x%lxULL\n%s", comment,
		arena, prelude);
	/* Functions that this program happens not to need */
	fprintf(file, "\t(void)touch, (void)write_call, (void)read_call;\n");
	fprintf(file, "\t(void)is_run, (void)query_runs, (void)give_back;\n");
	fprintf(file, "\t(void)map, (void)start_child, (void)end_child;\n");
	fprintf(file, "\t(void)ask, (void)bury, (void)unmap;\n");
	fprintf(file, "\t(void)make_hold, (void)in_hold, (void)end_hold;\n");
	fprintf(file, "\t(void)await_hold, (void)map_view;\n\n");
	fflush(file);
}

void emit_end(FILE *file)
{
	if (!file)
		return;
	fprintf(file, "\tputs(bad ? \"it differs\" : \"no difference\");\n"
		"\treturn bad;\n}\n");
	fflush(file);
}

void emit_line(struct fuzz *fuzz, const char *format, ...)
{
	va_list args;
	unsigned int i;

	if (!fuzz->emit)
		return;
	for (i = 0; i <= fuzz->depth; i++)
		putc('\t', fuzz->emit);
	va_start(args, format);
	vfprintf(fuzz->emit, format, args);
	va_end(args);
	putc('\n', fuzz->emit);
	fflush(fuzz->emit);
}

/* Good until the eighth call after it */
const char *emit_address(const struct op_range *range)
{
	static __thread char texts[8][48];
	static __thread unsigned int next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];

	if (range->space == OP_ABSOLUTE)
		snprintf(text, sizeof(texts[0]), "0x%lxULL",
			 range->offset);
	else if (range->space)
		snprintf(text, sizeof(texts[0]), "h[%u] + 0x%lx",
			 range->space, range->offset);
	else
		snprintf(text, sizeof(texts[0]), "ARENA + 0x%lx",
			 range->offset);
	return text;
}

void emit_errors(char *text, size_t size, uint32_t errors)
{
	unsigned int i;
	size_t n = 0;

	snprintf(text, size, "0");
	for (i = 0; i < MODEL_ERRORS && n < size; i++)
		if (errors & (1U << i))
			n += snprintf(text + n, size - n, "%s%s",
				      n ? ", " : "", errno_names[i]);
}

/* ---- the structures ---- */

static const char *const macros[OP_KINDS] = {
	[OP_RESERVE] = "RESERVE",
	[OP_RELEASE] = "RELEASE",
	[OP_COMMIT] = "CHANGE",
	[OP_DECOMMIT] = "CHANGE",
	[OP_PROTECT] = "CHANGE",
	[OP_QUERY] = "QUERY",
	[OP_QUERY_RUNS] = "QUERY_RUNS",
	[OP_INFO] = "GET_INFO",
	[OP_WATCH] = "WATCH",
	[OP_RESET] = "RESET",
	[OP_LOCK] = "LOCK",
	[OP_UNMAP_VIEW] = "UNMAP_VIEW",
	[OP_SET_STACK] = "SET_STACK",
};

static const char *const structs[OP_KINDS] = {
	[OP_RESERVE] = "reserve",
	[OP_RELEASE] = "release",
	[OP_COMMIT] = "change",
	[OP_DECOMMIT] = "change",
	[OP_PROTECT] = "change",
	[OP_QUERY] = "query",
	[OP_QUERY_RUNS] = "query_runs",
	[OP_INFO] = "get_info",
	[OP_WATCH] = "write_watch",
	[OP_RESET] = "reset",
	[OP_LOCK] = "lock",
	[OP_UNMAP_VIEW] = "unmap_view",
	[OP_SET_STACK] = "set_stack",
};

static const char *const cmds[OP_KINDS] = {
	[OP_RESERVE] = "RESERVE",
	[OP_RELEASE] = "RELEASE",
	[OP_COMMIT] = "COMMIT",
	[OP_DECOMMIT] = "DECOMMIT",
	[OP_PROTECT] = "PROTECT",
	[OP_QUERY] = "QUERY",
	[OP_QUERY_RUNS] = "QUERY_RUNS",
	[OP_INFO] = "GET_INFO",
	[OP_WATCH] = "WRITE_WATCH",
	[OP_RESET] = "RESET",
	[OP_LOCK] = "LOCK",
	[OP_UNMAP_VIEW] = "UNMAP_VIEW",
	[OP_SET_STACK] = "SET_STACK",
};

static void emit_place(struct fuzz *fuzz, const struct op *op)
{
	emit_line(fuzz, "\t.address = %s, .length = 0x%lx,",
		  emit_address(&op->range[0]), op->range[0].length);
}

static void emit_reserve(struct fuzz *fuzz, const struct op *op)
{
	emit_place(fuzz, op);
	emit_line(fuzz, "\t.protection = 0x%x,", op->range[0].protection);
	if (op->range[1].space != OP_ABSOLUTE || op->range[1].offset)
		emit_line(fuzz, "\t.lowest = %s,", emit_address(&op->range[1]));
	if (op->range[2].space != OP_ABSOLUTE || op->range[2].offset)
		emit_line(fuzz, "\t.highest = %s,",
			  emit_address(&op->range[2]));
	if (op->range[1].length)
		emit_line(fuzz, "\t.alignment = 0x%lx,",
			  op->range[1].length);
}

static void emit_range(struct fuzz *fuzz, const char *before,
		       const struct op_range *range, const char *after)
{
	emit_line(fuzz, "%s{ %s, 0x%lx, 0x%x, 0x%x }%s", before,
		  emit_address(range), range->length, range->protection,
		  FUZZ_POISON, after);
}

static void emit_vector(struct fuzz *fuzz, const struct op *op)
{
	char before[48];
	unsigned int i;

	for (i = 0; i < op->nr; i++) {
		snprintf(before, sizeof(before),
			 "v[%u] = (struct winregion_range)", i);
		emit_range(fuzz, before, &op->range[i], ";");
	}
}

static void emit_change(struct fuzz *fuzz, const struct op *op)
{
	bool bad = op->odd & OP_BAD_POINTER;

	if (op->nr)
		emit_line(fuzz, "\t.nr_ranges = %u,",
			  (op->odd & OP_TOO_MANY) && !bad ?
			  WINREGION_MAX_RANGES + 1 : op->nr);
	if (op->nr || (op->odd & OP_BOTH))
		emit_line(fuzz, "\t.ranges = (uintptr_t)%s,",
			  op->nr && bad ? "16" : "v");
	if (!op->nr || (op->odd & OP_BOTH))
		emit_range(fuzz, "\t.range = ", &op->range[0], ",");
}

static void emit_fields(struct fuzz *fuzz, const struct op *op)
{
	switch (op->kind) {
	case OP_RESERVE:
		emit_reserve(fuzz, op);
		break;
	case OP_RELEASE:
		emit_place(fuzz, op);
		break;
	case OP_COMMIT:
	case OP_DECOMMIT:
	case OP_PROTECT:
		emit_change(fuzz, op);
		break;
	case OP_RESET:
		emit_line(fuzz, "\t.operation = %u, .out_gone = ~0ULL,",
			  op->value);
		emit_change(fuzz, op);
		break;
	case OP_LOCK:
		emit_line(fuzz, "\t.operation = %u,", op->value);
		emit_place(fuzz, op);
		break;
	case OP_UNMAP_VIEW:
		emit_line(fuzz, "\t.address = %s, .out_length = ~0ULL,",
			  emit_address(&op->range[0]));
		break;
	case OP_SET_STACK:
		emit_line(fuzz, "\t.address = %s, .guarantee = 0x%lx,",
			  emit_address(&op->range[0]), op->range[0].length);
		break;
	case OP_QUERY:
		emit_line(fuzz, "\t.address = %s,",
			  emit_address(&op->range[0]));
		break;
	case OP_QUERY_RUNS:
		emit_line(fuzz, "\t.address = %s, .last = %s,",
			  emit_address(&op->range[0]),
			  emit_address(&op->range[1]));
		emit_line(fuzz, "\t.runs = (uintptr_t)runs, .nr_runs = %u,",
			  op->value);
		break;
	case OP_WATCH:
		emit_line(fuzz, "\t.address = %s, .length = 0x%lx,",
			  emit_address(&op->range[0]), op->range[0].length);
		emit_line(fuzz, "\t.pages = %s, .nr_pages = %u,",
			  op->value ? "(uintptr_t)told" : "0", op->value);
		break;
	}
	if ((op->odd & OP_RESERVED_FIELD) && op->kind == OP_RESERVE)
		emit_line(fuzz, "\t.node = ~0U,");
	else if ((op->odd & OP_RESERVED_FIELD) && op->kind != OP_RELEASE &&
		 op->kind != OP_QUERY && op->kind != OP_INFO &&
		 op->kind != OP_RESET && op->kind != OP_UNMAP_VIEW &&
		 op->kind != OP_SET_STACK)
		emit_line(fuzz, "\t.__reserved = 1,");
}

void emit_call(struct fuzz *fuzz, const struct op *op, uint32_t errors)
{
	static const char *const sizes[] = { "", " + 16", " + 16", " - 4" };
	const char *macro = macros[op->kind];
	char text[200];

	if (!fuzz->emit)
		return;
	emit_line(fuzz, "memset(arg, 0, sizeof(arg));");
	emit_vector(fuzz, op);
	emit_line(fuzz, "*%s = (struct winregion_%s) {", macro,
		  structs[op->kind]);
	emit_line(fuzz, "\t.size = sizeof(*%s)%s, .flags = 0x%x,", macro,
		  sizes[op->size], op->flags);
	emit_fields(fuzz, op);
	emit_line(fuzz, "};");
	if (op->size == OP_DIRTY)
		emit_line(fuzz, "arg[sizeof(*%s) / 4 + 2] = 1;", macro);
	emit_errors(text, sizeof(text), errors);
	emit_line(fuzz, "CALL(WINREGION_%s, %s);", cmds[op->kind], text);
}

/* An address of the model, by what it is relative to */
static void put_address(struct fuzz *fuzz, const char *field, uint64_t address)
{
	struct op_range range = { .space = OP_ABSOLUTE, .offset = address };
	struct model_spot spot;

	if (address && model_find(fuzz->model, address, &spot)) {
		range.space = spot.span - fuzz->model->span;
		range.offset = address - spot.span->base;
	}
	emit_line(fuzz, "\t.%s = %s,", field, emit_address(&range));
}

/* @run: where the program has what the kernel says */
void emit_run(struct fuzz *fuzz, const char *run,
	      const struct model_answer *answer, bool resident)
{
	const struct winregion_run *must = &answer->run;

	if (!fuzz->emit || answer->foreign)
		return;
	emit_line(fuzz, "IS_RUN(%s, (struct winregion_run) {", run);
	put_address(fuzz, "address", must->address);
	emit_line(fuzz, "\t.length = 0x%llx,", must->length);
	put_address(fuzz, "region_address", must->region_address);
	emit_line(fuzz, "\t.region_length = 0x%llx, .region_committed = 0x%llx,",
		  must->region_length, must->region_committed);
	emit_line(fuzz, "\t.region_protection = 0x%x, .state = 0x%x,",
		  must->region_protection, must->state);
	emit_line(fuzz, "\t.protection = 0x%x, .type = 0x%x,",
		  must->protection, must->type);
	emit_line(fuzz, "\t.resident = 0x%lx }, %d, 0x%lx);",
		  resident ? answer->resident_min : 0, answer->open_end,
		  resident ? answer->resident_max : 0);
}
