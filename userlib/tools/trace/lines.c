// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A line of the kernel's buffer becomes one of ours:
 *
 *	            name-123     [000]    10.384026: wr_fault: pid=123 address=...
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/say.h"
#include "trace.h"

/* A name has 15 characters at most, of any kind, and is padded to 16. */
#define NAME_WIDTH 16

static unsigned long lost, strange;

/* "{0x38,0x4,...}" */
static bool parse_words(const char *text, uint64_t *words)
{
	unsigned int i;
	char *end;

	for (i = 0; i < TRACE_WORDS; i++) {
		if (*text != (i ? ',' : '{'))
			return false;
		words[i] = strtoull(text + 1, &end, 0);
		if (end == text + 1)
			return false;
		text = end;
	}
	return *text == '}';
}

static bool parse_call(const char *text, struct trace_call *call)
{
	const char *before = strstr(text, " before=");
	const char *after = strstr(text, " after=");

	return sscanf(text, "nr=%x result=%ld took=%" SCNu64, &call->nr,
		      &call->result, &call->took) == 3 &&
	       before && after && parse_words(before + 8, call->before.words) &&
	       parse_words(after + 7, call->after.words);
}

static void tell_call(const struct trace_options *options, const char *text)
{
	struct trace_call call;

	if (!parse_call(text, &call)) {
		strange++;
		if (!options->summary)
			fprintf(options->to, "%s\n", text);
		return;
	}
	if (options->summary) {
		trace_count_call(&call);
		return;
	}
	trace_print_call(options->to, &call);
	fprintf(options->to, " <%.6f>\n", call.took / 1e9);
}

/* The value of " NAME=" in an event, or NULL */
static char *field(char *text, const char *name)
{
	char *at = strstr(text, name);

	return at ? at + strlen(name) : NULL;
}

/*
 * The kernel's LOCKED and NOPAGE say that the page is there, and what it calls locked is
 * none of VirtualLock().
 */
static void clear_answer(char *text)
{
	static const char *const there[] = { "LOCKED", "NOPAGE" };
	char *at = field(text, " answer=");
	size_t length, i;

	for (i = 0; at && i < ARRAY_SIZE(there); i++) {
		length = strlen(there[i]);
		if (strncmp(at, there[i], length) ||
		    (at[length] && at[length] != '|'))
			continue;
		memcpy(at, "ok", 2);
		memmove(at + 2, at + length, strlen(at + length) + 1);
	}
}

/* What is counted of an event: faults by their answer, and refusals by their reason. */
static void count_event(const char *name, char *text)
{
	char *detail = field(text, " reason=");
	char counted[80];

	if (!detail && !strcmp(name, "fault"))
		detail = field(text, " answer=");
	snprintf(counted, sizeof(counted), "%s%s%s", name, detail ? " " : "",
		 detail ? detail : "");
	trace_count_event(counted);
}

/* Without the process, where that is the number in front */
static char *without_pid(char *text, int pid)
{
	char own[24];
	int length = snprintf(own, sizeof(own), "pid=%d ", pid);

	return strncmp(text, own, length) ? text : text + length;
}

/* A protection in numbers becomes one in words. */
static void print_event(FILE *to, const char *name, char *text)
{
	char *at = field(text, " protection=");
	char *end;
	uint32_t protection;

	if (!at) {
		fprintf(to, "-- %s %s\n", name, text);
		return;
	}
	protection = strtoul(at, &end, 0);
	fprintf(to, "-- %s %.*s", name, (int)(at - text), text);
	trace_print_protection(to, protection);
	fprintf(to, "%s\n", end);
}

static void tell_event(const struct trace_options *options, const char *name,
		       char *text, int pid)
{
	if (!strcmp(name, "fault"))
		clear_answer(text);
	if (options->summary)
		count_event(name, text);
	else
		print_event(options->to, name, without_pid(text, pid));
}

/* Whether the kernel says that its buffer was full */
static bool is_lost(const char *line)
{
	const char *at = strstr(line, "[LOST ");
	unsigned long n;

	if (strncmp(line, "CPU:", 4) || !at || sscanf(at, "[LOST %lu", &n) != 1)
		return false;
	lost += n;
	return true;
}

/**
 * trace_line_end - where a line ends
 * @text: its beginning, and what follows
 * @length: of all of it
 *
 * A name, which is on the right of its columns, can have an end of a line in it.
 *
 * Return: its end, or NULL if there is not all of it yet
 */
char *trace_line_end(char *text, size_t length)
{
	size_t skip = length && *text == ' ' ? NAME_WIDTH : 0;

	return length > skip ? memchr(text + skip, '\n', length - skip) : NULL;
}

/* There is something that is none. */
void trace_no_line(void)
{
	strange++;
}

/*
 * "-123 [000] 10.384026: wr_fault: ..."; before the processor there is the process, too, in
 * brackets, if somebody has the kernel record that. Return: the name of the event, or NULL
 */
static char *parse_head(char *text, int *pid, double *time)
{
	int end = 0;

	if (sscanf(text, "-%d %n", pid, &end) != 1 || !end)
		return NULL;
	text += end;
	if (*text == '(') {
		text += strcspn(text, ")");
		text += *text == ')';
	}
	end = 0;
	if (sscanf(text, " [%*d] %lf: %n", time, &end) != 1 || !end)
		return NULL;
	text += end;
	return strncmp(text, "wr_", 3) || !strstr(text, ": ") ? NULL : text + 3;
}

static void tell(const struct trace_options *options, const char *name,
		 char *text, int pid)
{
	if (!strcmp(name, "call"))
		tell_call(options, text);
	else
		tell_event(options, name, text, pid);
}

/**
 * trace_line - tell of an event
 * @options: how
 * @line: as the kernel has it, without its end; is changed
 */
void trace_line(const struct trace_options *options, char *line)
{
	char *name = NULL, *text;
	double time;
	int pid;

	if (is_lost(line))
		return;
	if (strnlen(line, NAME_WIDTH) == NAME_WIDTH)
		name = parse_head(line + NAME_WIDTH, &pid, &time);
	if (!name) {
		strange++;
		return;
	}
	text = strstr(name, ": ");
	*text = '\0';
	text += 2;
	if (!options->summary && options->times)
		fprintf(options->to, "%.6f ", time);
	if (!options->summary)
		fprintf(options->to, "%d ", pid);
	tell(options, name, text, pid);
}

/* All has been read. */
void trace_finish(const struct trace_options *options)
{
	if (options->summary)
		trace_print_summary(options->to);
	say_lost(lost);
	if (strange)
		fprintf(stderr,
			"winregion-trace: %lu lines of the kernel's buffer are not understood\n",
			strange);
}
