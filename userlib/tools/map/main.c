// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * winregion-map: where the memory of a process is
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "../common/create.h"
#include "../common/say.h"
#include "../common/text.h"
#include "output.h"
#include "screen.h"

/* Statuses to exit with; those of differences are as of diff(1). */
#define DIFFERENT 1
#define FAILED 1
#define DIFF_FAILED 2
#define DENIED 3
#define RECORD_FAILED 125

/* Of a program: fewer looks say little of it, which is told. */
#define ENOUGH_LOOKS 3

/**
 * struct options - what is asked for
 * @out: how to write
 * @format: in which format
 * @has_format: it was asked for
 * @path: where to, or NULL
 * @list: to list processes
 * @diff: to compare two snapshots
 * @stacks: to tell who allocates
 * @free: to tell what is free, too
 * @load: a snapshot, or NULL
 * @interval: seconds between two looks
 * @has_width: so many columns
 * @given: letters of options that were there
 * @words: those that are no options
 * @nr: so many
 * @program: what comes after "--", to the end; or NULL
 */
struct options {
	struct map_output out;
	enum map_format format;
	bool has_format;
	const char *path;
	bool list;
	bool diff;
	bool stacks;
	bool free;
	const char *load;
	double interval;
	bool has_width;
	bool given[128];
	char **words;
	int nr;
	char **program;
};

static const char help[] =
	"usage: winregion-map [OPTION]... [PID]\n"
	"       winregion-map [OPTION]... -- PROGRAM [ARGUMENT]...\n"
	"       winregion-map [OPTION]... --diff OLD NEW\n"
	"       winregion-map [OPTION]... --load=FILE\n"
	"\n"
	"Show where the memory of a process is: by types, by allocations and page by\n"
	"page. On a terminal it is a screen that goes on; without a PID it has one\n"
	"picked from a list. With a PROGRAM, run it and tell what it had, over time.\n"
	"\n"
	"  -f, --format=FORMAT    text, json, csv, html, svg or snapshot (a file for\n"
	"                         --load and --diff); none: the screen, or text\n"
	"  -o, --output=FILE      not to standard output\n"
	"  -l, --list             list processes\n"
	"  -r, --runs             tell the runs of pages of each block, too\n"
	"  -g, --fragmentation    tell in a text how free space is cut up\n"
	"  -F, --free             list what is free and what is unusable, too\n"
	"  -b, --bytes            a text has bytes, not KiB, and is as wide as that is\n"
	"  -w, --width=COLUMNS    of a text; 0: no limit; none: the terminal's, or 80\n"
	"  -t, --type=TYPE[,...]  only these: image, file, shareable, heap, stack,\n"
	"                         private, table, unusable, free\n"
	"  -a, --at=ADDRESS       only the block that has the (hexadecimal) ADDRESS\n"
	"  -m, --match=TEXT       only blocks with TEXT in their names\n"
	"  -s, --sort=KEY         address, size, committed, private, resident,\n"
	"                         swapped, locked, type or name\n"
	"  -R, --reverse          the other way round\n"
	"  -n, --interval=SECONDS between two looks, 0.01 to 86400 (1)\n"
	"  -k, --stacks           as root: tell who allocates regions and views, too, by\n"
	"                         call stacks: of a PROGRAM, or from now on until the\n"
	"                         process ends, or Ctrl-C (the screen, text or json)\n"
	"  -L, --load=FILE        show a snapshot, not a process\n"
	"  -d, --diff             show what is not the same in two snapshots\n"
	"  -h, --help             this\n"
	"  -V, --version          the version\n"
	"\n"
	"Exit status: 0; 1 no such process, or other trouble; 2 bad usage; 3 the process\n"
	"may not be looked at. Of --diff: 0 no difference, 1 some, 2 trouble. With a\n"
	"PROGRAM: its own, 128+N if signal N has killed it, 127 not found, 126 not\n"
	"executable, 125 other trouble.\n";

static const struct option longs[] = {
	{ "format", required_argument, NULL, 'f' },
	{ "output", required_argument, NULL, 'o' },
	{ "list", no_argument, NULL, 'l' },
	{ "runs", no_argument, NULL, 'r' },
	{ "fragmentation", no_argument, NULL, 'g' },
	{ "free", no_argument, NULL, 'F' },
	{ "bytes", no_argument, NULL, 'b' },
	{ "width", required_argument, NULL, 'w' },
	{ "type", required_argument, NULL, 't' },
	{ "at", required_argument, NULL, 'a' },
	{ "match", required_argument, NULL, 'm' },
	{ "sort", required_argument, NULL, 's' },
	{ "reverse", no_argument, NULL, 'R' },
	{ "interval", required_argument, NULL, 'n' },
	{ "stacks", no_argument, NULL, 'k' },
	{ "load", required_argument, NULL, 'L' },
	{ "diff", no_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char *const formats[MAP_FORMATS] = {
	[MAP_TEXT] = "text", [MAP_JSON] = "json", [MAP_CSV] = "csv",
	[MAP_HTML] = "html", [MAP_SVG] = "svg",	  [MAP_SNAPSHOT] = "snapshot",
};

/* ---- to read the options ---- */

static const char *format_name(unsigned int format)
{
	return formats[format];
}

static const char *type_name(unsigned int type)
{
	return map_type_name(type);
}

/* Ends, and tells what there is instead. */
static void __attribute__((__noreturn__))
refuse_word(const char *what, const char *text, size_t length,
	    const char *(*name)(unsigned int), unsigned int nr)
{
	unsigned int i;

	fprintf(stderr, "winregion-map: %s: \"%.*s\"; there is ", what,
		(int)length, text);
	for (i = 0; i < nr; i++)
		fprintf(stderr, "%s%s", i ? ", " : "", name(i));
	fputc('\n', stderr);
	say_usage(NULL, NULL);
}

static void set_format(struct options *options, const char *text)
{
	unsigned int i;

	for (i = 0; i < MAP_FORMATS; i++)
		if (!strcmp(formats[i], text)) {
			options->format = i;
			options->has_format = true;
			return;
		}
	refuse_word("no such format", text, strlen(text), format_name,
		    MAP_FORMATS);
}

static void set_types(struct map_choice *choice, const char *text)
{
	enum map_type type;
	size_t length;

	choice->types = 0;
	do {
		length = strcspn(text, ",");
		if (!map_type_by_name(text, length, &type))
			refuse_word("no such type", text, length, type_name,
				    MAP_TYPES);
		choice->types |= 1U << type;
		text += length;
	} while (*text++);
}

static void set_interval(struct options *options, const char *text)
{
	char *end;

	options->interval = strtod(text, &end);
	if (end == text || *end ||
	    !(options->interval >= MAP_LEAST_INTERVAL &&
	      options->interval <= MAP_MOST_INTERVAL))
		say_usage("no number of seconds from 0.01 to 86400", text);
}

static void set_width(struct options *options, const char *text)
{
	char *end;
	long width = strtol(text, &end, 10);

	if (end == text || *end || width < 0 || width > INT32_MAX)
		say_usage("no number of columns", text);
	options->out.width = (int)width;
	options->has_width = true;
}

/* Words that choose blocks, and have a value */
static void set_choice(struct map_choice *choice, int option, const char *text)
{
	if (option == 't') {
		set_types(choice, text);
	} else if (option == 'm') {
		if (strlen(text) >= sizeof(choice->text))
			say_usage("too long", text);
		memcpy(choice->text, text, strlen(text) + 1);
	} else if (option == 's') {
		if (!map_key_by_name(text, &choice->key))
			refuse_word("cannot sort by that", text, strlen(text),
				    map_key_name, MAP_KEYS);
	} else {
		if (!map_parse_address(text, &choice->address))
			say_usage("no address", text);
		choice->has_address = true;
	}
}

static void set_option(struct options *options, int option)
{
	if (option == 'f')
		set_format(options, optarg);
	else if (option == 'o')
		options->path = optarg;
	else if (option == 'l')
		options->list = true;
	else if (option == 'r')
		options->out.runs = true;
	else if (option == 'g')
		options->out.holes = true;
	else if (option == 'F')
		options->free = true;
	else if (option == 'b')
		options->out.bytes = true;
	else if (option == 'w')
		set_width(options, optarg);
	else if (option == 'R')
		options->out.choice.reverse = true;
	else if (option == 'n')
		set_interval(options, optarg);
	else if (option == 'k')
		options->stacks = true;
	else if (option == 'L')
		options->load = optarg;
	else if (option == 'd')
		options->diff = true;
	else if (strchr("tams", option))
		set_choice(&options->out.choice, option, optarg);
	else
		say_usage(NULL, NULL); /* what was wrong is said already */
}

/* Whatever the order of the words: what was asked for, and what is free if that was, too */
static void settle_types(struct options *options)
{
	struct map_choice *choice = &options->out.choice;

	if (!choice->types)
		choice->types = choice->has_address ?
					MAP_ALL_TYPES :
					MAP_ALL_TYPES & ~MAP_HOLES;
	if (options->free)
		choice->types |= MAP_HOLES;
}

/*
 * Options may come after a process, too, whatever POSIXLY_CORRECT says: "-" has words told
 * in their order. They go to where all has been read already.
 */
static void read_options(struct options *options, int argc, char **argv)
{
	int option;

	/* What getopt_long() says begins with that. */
	*argv = program_invocation_short_name;
	options->words = argv + 1;
	while ((option = getopt_long(argc, argv,
				     "-f:o:lrgFbw:t:a:m:s:Rn:kL:dhV", longs,
				     NULL)) != -1) {
		if (option == 1) {
			options->words[options->nr++] = optarg;
			continue;
		}
		if (option == 'h')
			say_and_exit(help, FAILED);
		if (option == 'V')
			say_and_exit("winregion-map " VERSION "\n", FAILED);
		set_option(options, option);
		options->given[option] = true;
	}
	/* It is "--" only that leaves something. */
	if (optind < argc)
		options->program = argv + optind;
	else if (!strcmp(argv[argc - 1], "--"))
		say_usage("a program is needed after --", NULL);
	settle_types(options);
}

/* Whoever gives one of these options expects what would not come. */
static void refuse(const struct options *options, const char *letters,
		   const char *where)
{
	const struct option *word;

	for (word = longs; word->name; word++)
		if (strchr(letters, word->val) && options->given[word->val])
			say_usage(where, word->name);
}

/* ---- to write ---- */

static bool open_output(struct options *options, int flags)
{
	options->out.file = options->path ? create_file(options->path, flags) :
					    stdout;
	if (!options->out.file)
		fprintf(stderr, "winregion-map: %s: %s\n", options->path,
			strerror(errno));
	else if (!options->has_width && !options->out.bytes)
		options->out.width = map_text_width(options->out.file);

	return options->out.file;
}

/* Pipes and terminals have nothing yet. */
static void empty_output(struct options *options)
{
	if (options->path && ftruncate(fileno(options->out.file), 0) &&
	    errno != EINVAL)
		fprintf(stderr, "winregion-map: %s: %s\n", options->path,
			strerror(errno));
}

/* What could not be written is a failure, too. */
static bool close_output(struct options *options)
{
	bool good = !ferror(options->out.file);

	good &= !(options->path ? fclose(options->out.file) :
				  fflush(options->out.file));
	if (!good)
		fprintf(stderr, "winregion-map: cannot write: %s\n",
			strerror(errno));

	return good;
}

/* An empty list could also be one that was not made. */
static void tell_none(const struct options *options, const struct map *map)
{
	const bool *given = options->given;
	const struct option *word;
	struct map_list list = { 0 };

	if (!(given['t'] || given['a'] || given['m']))
		return;
	map_select(map, &options->out.choice, &list);
	if (!list.nr) {
		fprintf(stderr,
			"winregion-map: no block has what is asked for by");
		for (word = longs; word->name; word++)
			if (strchr("tam", word->val) && given[word->val])
				fprintf(stderr, " --%s", word->name);
		fputc('\n', stderr);
	}
	map_list_free(&list);
}

static bool write_map(struct options *options, const struct map *map)
{
	static void (*const write[MAP_FORMATS])(const struct map_output *,
						const struct map *) = {
		[MAP_TEXT] = map_write_text,
		[MAP_JSON] = map_write_json,
		[MAP_CSV] = map_write_csv,
		[MAP_HTML] = map_write_html,
		[MAP_SVG] = map_write_svg,
		[MAP_SNAPSHOT] = map_write_snapshot,
	};

	if (!open_output(options, O_TRUNC))
		return false;
	write[options->format](&options->out, map);
	if (!close_output(options))
		return false;
	tell_none(options, map);

	return true;
}

/* ---- what it can do ---- */

/* What everybody can know of it, and who can know more */
static void tell_denied(pid_t pid)
{
	const char *who = map_who_may_look();
	struct map_process *processes = NULL, *found = NULL;
	size_t room = 0, nr = map_list_processes(&processes, &room), i;
	struct passwd *user;

	for (i = 0; i < nr; i++)
		if (processes[i].pid == pid)
			found = &processes[i];
	if (!found) {
		fprintf(stderr, "winregion-map: %d: %s may look at it\n", pid,
			who);
	} else {
		user = getpwuid(found->uid);
		text_clean(found->command);
		fprintf(stderr,
			"winregion-map: %d: %s is of user %u (%s): %s may look at it.\n"
			"It has %" PRIu64
			" KiB; everybody can know that %" PRIu64
			" KiB are in\nmemory, %" PRIu64
			" KiB in swap and %" PRIu64 " KiB locked.\n",
			pid, found->command, found->uid,
			user ? user->pw_name : "?", who, found->size / 1024,
			found->resident / 1024, found->swapped / 1024,
			found->locked / 1024);
	}
	free(processes);
}

static int fail_to_read(pid_t pid, int err)
{
	if (err == -EACCES || err == -EPERM) {
		tell_denied(pid);
		return DENIED;
	}
	fprintf(stderr, "winregion-map: %d: %s\n", pid, strerror(-err));

	return FAILED;
}

static bool load(const char *path, struct map *map)
{
	int err = map_load(path, map);

	if (err)
		fprintf(stderr, "winregion-map: %s: %s\n", path,
			err == -EINVAL ? "no snapshot, or not all of it" :
					 strerror(-err));

	return !err;
}

static bool wants_screen(const struct options *options)
{
	return !options->has_format && !options->path && isatty(1) && isatty(0);
}

static int show_screen(struct options *options, pid_t pid, struct map *loaded)
{
	struct map_screen screen = {
		.pid = pid,
		.loaded = loaded,
		.interval = options->interval,
		.stacks = options->stacks,
		.choice = options->out.choice,
	};
	int err;

	if (options->stacks && (trace_check() || stacks_attach(pid)))
		return RECORD_FAILED;
	err = map_show_screen(&screen);
	if (!err || err == -ENOTTY)
		return err ? FAILED : 0;

	return fail_to_read(screen.pid, err);
}

/* Why there are mappings only */
static void tell_unknown(int err)
{
	const char *why = winregion_unavailable();

	if (!why && err == -ENOEXEC)
		why = "this is a program of 32 bits";
	if (!why)
		why = strerror(-err);
	fprintf(stderr, "winregion-map: no regions are told: %s\n", why);
}

/* These have all that there is. */
static void check_map(const struct options *options)
{
	if (options->format == MAP_SVG)
		refuse(options, "rgFtamsR", "a picture has no");
	if (options->format == MAP_SNAPSHOT)
		refuse(options, "rgFtamsR", "a snapshot has no");
}

/* The first thread's memory is none once that has ended, though others have it still. */
static void tell_empty(pid_t pid)
{
	struct map_source source;
	char path[40];
	bool others;

	map_source_init(&source, pid);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	others = map_read_file(&source, path) > 0 &&
		 map_line_of(source.text, "Threads") > 1024;
	map_source_done(&source);
	if (others)
		fprintf(stderr,
			"winregion-map: %d: its first thread has ended; the number of another one, of those in\n"
			"/proc/%d/task, tells what it has\n",
			pid, pid);
	else
		fprintf(stderr,
			"winregion-map: %d: it has no memory: it has ended, or is the kernel's\n",
			pid);
}

static int show_process(struct options *options, pid_t pid)
{
	struct map map = { 0 };
	struct map_source source;
	int err, unknown;

	check_map(options);
	if (wants_screen(options))
		return show_screen(options, pid, NULL);
	map_source_init(&source, pid);
	err = map_read(&source, &map);
	unknown = source.error;
	map_source_done(&source);
	if (err)
		return fail_to_read(pid, err);
	if (!map.module)
		tell_unknown(unknown);
	if (!map.nr_runs) {
		tell_empty(pid);
		return FAILED;
	}

	return write_map(options, &map) ? 0 : FAILED;
}

static int show_loaded(struct options *options)
{
	struct map map = { 0 };

	check_map(options);
	if (!load(options->load, &map))
		return FAILED;
	if (wants_screen(options))
		return show_screen(options, 0, &map);

	return write_map(options, &map) ? 0 : FAILED;
}

/* There can be none, or one with the numbers of another container. */
static bool has_proc(void)
{
	bool has = !access("/proc/self/smaps", F_OK);

	if (!has)
		fprintf(stderr,
			"winregion-map: /proc is not mounted, or is that of another container\n");

	return has;
}

static int show_list(struct options *options)
{
	if (options->format > MAP_CSV)
		say_usage("a list is text, json or csv", NULL);
	refuse(options, "rgFtamsRn", "a list of processes has no");
	if (!has_proc() || !open_output(options, O_TRUNC))
		return FAILED;
	map_write_processes(&options->out, options->format);

	return close_output(options) ? 0 : FAILED;
}

static int show_differences(struct options *options, char **paths)
{
	static size_t (*const write[])(const struct map_output *,
				       const struct map *,
				       const struct map *) = {
		[MAP_TEXT] = map_diff_text,
		[MAP_JSON] = map_diff_json,
		[MAP_CSV] = map_diff_csv,
	};
	struct map old = { 0 }, new = { 0 };
	size_t nr;

	if (options->format > MAP_CSV)
		say_usage("a difference is text, json or csv", NULL);
	refuse(options, "rgsRn", "a difference has no");
	if (!load(paths[0], &old) || !load(paths[1], &new) ||
	    !open_output(options, O_TRUNC))
		return DIFF_FAILED;
	nr = write[options->format](&options->out, &old, &new);
	if (!close_output(options))
		return DIFF_FAILED;

	return nr ? DIFFERENT : 0;
}

static void check_timeline(const struct options *options)
{
	if (options->format > MAP_SVG)
		say_usage("a timeline is text, json, csv, html or svg", NULL);
	if (options->stacks && options->format > MAP_JSON)
		say_usage("call stacks are text or json", NULL);
	refuse(options, "rgFtamsR", "a timeline has no");
}

/* One that has not been looked at leaves what was in the file. */
static bool write_timeline(struct options *options,
			   struct map_timeline *timeline)
{
	static void (*const write[])(const struct map_output *,
				     const struct map_timeline *) = {
		[MAP_TEXT] = map_timeline_text, [MAP_JSON] = map_timeline_json,
		[MAP_CSV] = map_timeline_csv,	[MAP_HTML] = map_timeline_html,
		[MAP_SVG] = map_timeline_svg,
	};

	if (timeline->pid) {
		empty_output(options);
		write[options->format](&options->out, timeline);
	}
	if (timeline->pid && timeline->nr < ENOUGH_LOOKS)
		fprintf(stderr, "winregion-map: fewer than %d looks; %s\n",
			ENOUGH_LOOKS,
			options->interval > MAP_LEAST_INTERVAL ?
				"a shorter --interval sees more, 0.01 the most" :
				"it has ended too soon for more");
	free(timeline->samples);

	return close_output(options);
}

static int record(struct options *options, char **argv)
{
	struct map_timeline timeline;
	int status;

	check_timeline(options);
	if (!has_proc() || !open_output(options, O_APPEND))
		return RECORD_FAILED;
	status =
		map_record(argv, options->interval, options->stacks, &timeline);

	return write_timeline(options, &timeline) ? status : RECORD_FAILED;
}

/* Who allocates in a process that runs */
static int follow(struct options *options, pid_t pid)
{
	struct map_timeline timeline;
	int status;

	if (wants_screen(options))
		return show_screen(options, pid, NULL);
	check_timeline(options);
	if (!open_output(options, O_APPEND))
		return RECORD_FAILED;
	status = map_follow(pid, options->interval, &timeline);

	return write_timeline(options, &timeline) ? status : RECORD_FAILED;
}

/* What there is to do is one of these; none is a process, or all of them. */
static void check_words(const struct options *options)
{
	bool program = options->program;
	int ways = options->list + options->diff + !!options->load + program;

	if (ways > 1)
		say_usage("one of --list, --load, --diff and a program", NULL);
	if (options->diff && options->nr != 2)
		say_usage("two snapshots are needed", NULL);
	if (options->list && options->nr)
		say_usage("a list is of all processes", options->words[0]);
	if (program && options->nr)
		say_usage("a process or a program, not both",
			  options->words[0]);
	if (!options->diff && options->nr > !options->load)
		say_usage("too many words; a program comes after --",
			  options->words[options->nr - 1]);
	if (options->stacks && !program && (ways || !options->nr))
		say_usage("call stacks are those of a process or a program",
			  NULL);
}

static pid_t parse_pid(const char *text)
{
	char advice[512];

	snprintf(advice, sizeof(advice),
		 "to run a program: winregion-map -- %.400s\n"
		 "to list processes: winregion-map -l\n",
		 text);

	return say_parse_pid(text, advice);
}

static int act(struct options *options)
{
	check_words(options);
	if (options->diff)
		return show_differences(options, options->words);
	if (options->program)
		return record(options, options->program);
	if (options->load)
		return show_loaded(options);
	if (options->nr && options->stacks)
		return follow(options, parse_pid(options->words[0]));
	if (options->nr)
		return show_process(options, parse_pid(options->words[0]));
	if (options->list || !wants_screen(options))
		return show_list(options);

	return show_screen(options, 0, NULL);
}

int main(int argc, char **argv)
{
	struct options options = {
		.interval = 1,
		.out.choice = {
			.key = MAP_BY_ADDRESS,
		},
	};

	read_options(&options, argc, argv);

	return act(&options);
}
