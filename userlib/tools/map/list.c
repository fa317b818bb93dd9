// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The processes that there are, and what can be said of each without reading its map
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/text.h"
#include "output.h"

/* To look is decided when the file is opened. */
static bool can_look(pid_t pid)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);

	return fd >= 0;
}

static uid_t user_of(const char *text)
{
	const char *line = strstr(text, "\nUid:");

	return line ? strtoul(line + 5, NULL, 10) : (uid_t)-1;
}

/* false: it has ended, or it is the kernel's, and has no memory */
static bool look_at(struct map_source *source, struct map_process *process)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/status", source->pid);
	if (map_read_file(source, path) < 0 ||
	    !strstr(source->text, "\nVmSize:"))
		return false;
	*process = (struct map_process){
		.pid = source->pid,
		.uid = user_of(source->text),
		.size = map_line_of(source->text, "VmSize"),
		.resident = map_line_of(source->text, "VmRSS"),
		.swapped = map_line_of(source->text, "VmSwap"),
		.locked = map_line_of(source->text, "VmLck"),
		.readable = can_look(source->pid),
	};
	map_command_of(source->pid, process->command, sizeof(process->command));
	if (process->readable)
		map_ask_regions(source, &process->regions, &process->committed);

	return true;
}

static int by_pid(const void *x, const void *y)
{
	const struct map_process *a = x, *b = y;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

const char *map_who_may_look(void)
{
	return geteuid() ? "only root" : "only a root with CAP_SYS_PTRACE";
}

size_t map_list_processes(struct map_process **processes, size_t *room)
{
	struct map_process process;
	struct map_source source;
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	size_t nr = 0;

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name < '1' || *entry->d_name > '9')
			continue;
		map_source_init(&source, atoi(entry->d_name));
		if (look_at(&source, &process)) {
			*processes = map_grow(*processes, room, nr + 1,
					      sizeof(process));
			(*processes)[nr++] = process;
		}
		map_source_done(&source);
	}
	if (dir)
		closedir(dir);
	if (nr)
		qsort(*processes, nr, sizeof(process), by_pid);

	return nr;
}

/* ---- as a text, and for others ---- */

/* Of a process that may not be looked at nobody has asked for its regions. */
static void write_text(const struct map_output *out,
		       const struct map_process *process)
{
	fprintf(out->file, "%7d %6u", process->pid, process->uid);
	map_text_size(out, MAP_SIZE, process->size);
	map_text_size(out, MAP_RESIDENT, process->resident);
	map_text_size(out, MAP_SWAPPED, process->swapped);
	map_text_size(out, MAP_LOCKED, process->locked);
	if (process->readable) {
		fprintf(out->file, " %7" PRIu64, process->regions);
		map_text_size(out, MAP_COMMITTED, process->committed);
	} else {
		fprintf(out->file, " %7s %*s", "-", out->bytes ? 16 : 7, "-");
	}
	putc(' ', out->file);
	text_print(out->file, process->command);
	putc('\n', out->file);
}

static void write_csv(FILE *file, const struct map_process *process)
{
	fprintf(file,
		"%d,%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		",%" PRIu64 ",%d,",
		process->pid, process->uid, process->size, process->resident,
		process->swapped, process->locked, process->regions,
		process->committed, process->readable);
	map_quote_csv(file, process->command);
	putc('\n', file);
}

static void write_json(FILE *file, const struct map_process *process)
{
	fprintf(file,
		"{\"pid\":%d,\"user\":%u,\"size\":%" PRIu64
		",\"resident\":%" PRIu64 ",\"swapped\":%" PRIu64
		",\"locked\":%" PRIu64 ",\"regions\":%" PRIu64
		",\"committed\":%" PRIu64 ",\"readable\":%s,\"command\":",
		process->pid, process->uid, process->size, process->resident,
		process->swapped, process->locked, process->regions,
		process->committed, process->readable ? "true" : "false");
	map_quote_json(file, process->command);
	putc('}', file);
}

static void write_text_head(const struct map_output *out)
{
	fprintf(out->file, "%7s %6s", "pid", "user");
	map_text_head(out, MAP_SIZE);
	map_text_head(out, MAP_RESIDENT);
	map_text_head(out, MAP_SWAPPED);
	map_text_head(out, MAP_LOCKED);
	fprintf(out->file, " %7s", "regions");
	map_text_head(out, MAP_COMMITTED);
	fputs(" command\n", out->file);
}

static void write_head(const struct map_output *out, enum map_format format)
{
	if (format == MAP_JSON)
		fputs("{\"processes\":[\n", out->file);
	else if (format == MAP_CSV)
		fputs("pid,user,size,resident,swapped,locked,regions,committed,readable,command\n",
		      out->file);
	else
		write_text_head(out);
}

void map_write_processes(const struct map_output *out, enum map_format format)
{
	struct map_process *processes = NULL;
	size_t room = 0, nr, i;

	nr = map_list_processes(&processes, &room);
	write_head(out, format);
	for (i = 0; i < nr; i++) {
		if (format == MAP_JSON) {
			write_json(out->file, &processes[i]);
			fputs(i + 1 < nr ? ",\n" : "\n", out->file);
		} else if (format == MAP_CSV) {
			write_csv(out->file, &processes[i]);
		} else {
			write_text(out, &processes[i]);
		}
	}
	if (format == MAP_JSON)
		fputs("]}\n", out->file);
	free(processes);
}
