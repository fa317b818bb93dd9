// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * winregion-trace: the calls of programs to the winregion module, as they happen
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/create.h"
#include "../common/ends.h"
#include "../common/say.h"
#include "trace.h"

/* Statuses to exit with; a program's own, otherwise */
#define FAILED 125
#define NOT_EXECUTABLE 126
#define NOT_FOUND 127

/* Milliseconds between two looks at what has come */
#define TICK 20
/* Parts of the buffer, a page at most, that are told without a look at the process */
#define AT_ONCE 64

struct options {
	struct trace_options out;
	bool faults;
	bool all;
	bool stacks;
	pid_t pid;
	const char *path;
	const struct passwd *user;
	char **program;
};

static const char help[] =
	"usage: winregion-trace [OPTION]... -p PID\n"
	"       winregion-trace [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
	"\n"
	"Print the calls that a process, or a PROGRAM and all that it starts, makes to\n"
	"the winregion module: what was asked, what was answered, how long it took.\n"
	"\n"
	"  -p, --pid=PID       of a process that runs, and of what it starts from now on\n"
	"  -f, --faults        tell of faults, refused accesses and guards, too\n"
	"  -a, --all           tell of all that happens to its memory\n"
	"  -c, --count         tell only how often and how long, when it ends\n"
	"  -k, --stacks        tell only who allocates how much, when it ends: each call\n"
	"                      stack; of a process that runs, from now on\n"
	"  -t, --times         tell when: seconds since the system has started\n"
	"  -o, --output=FILE   not to standard error\n"
	"  -u, --user=USER     run the PROGRAM as this user, a name or a number\n"
	"  -h, --help          this\n"
	"  -V, --version       the version\n"
	"\n"
	"Exit status: that of the PROGRAM, 128+N if signal N has killed it, 127 not\n"
	"found, 126 not executable; 0 with -p; 2 bad usage; 125 other trouble.\n";

static const struct option longs[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "faults", no_argument, NULL, 'f' },
	{ "all", no_argument, NULL, 'a' },
	{ "count", no_argument, NULL, 'c' },
	{ "stacks", no_argument, NULL, 'k' },
	{ "times", no_argument, NULL, 't' },
	{ "output", required_argument, NULL, 'o' },
	{ "user", required_argument, NULL, 'u' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* What ends it: somebody who types, the terminal that goes, who no more reads */
static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM };

/* None of them leaves a buffer behind. */
static void catch_ends(void)
{
	ends_catch(ends, ARRAY_SIZE(ends));
}

/* ---- options ---- */

/* One without an entry has the group of the same number, and no others. */
static const struct passwd *user_of_number(uid_t uid)
{
	static struct passwd unnamed;
	const struct passwd *user = getpwuid(uid);

	unnamed.pw_uid = uid;
	unnamed.pw_gid = uid;
	return user ? user : &unnamed;
}

static const struct passwd *find_user(const char *name)
{
	const struct passwd *user = getpwnam(name);
	unsigned long long uid;
	char *end;

	if (user)
		return user;
	uid = strtoull(name, &end, 10);
	if (name[0] < '0' || name[0] > '9' || *end || uid >= (uid_t)-1)
		say_usage("no such user", name);
	return user_of_number(uid);
}

static void set_option(struct options *options, int option)
{
	if (option == 'p')
		options->pid = say_parse_pid(optarg, "");
	else if (option == 'f')
		options->faults = true;
	else if (option == 'a')
		options->all = true;
	else if (option == 'c')
		options->out.summary = true;
	else if (option == 'k')
		options->stacks = true;
	else if (option == 't')
		options->out.times = true;
	else if (option == 'o')
		options->path = optarg;
	else if (option == 'u')
		options->user = find_user(optarg);
	else
		say_usage(NULL, NULL); /* what was wrong is said already */
}

static void parse_stacks(const struct options *options)
{
	static const char alone[] =
		"-k tells of nothing else, so no -a, -c, -f or -t with it";

	if (options->faults || options->all || options->out.summary ||
	    options->out.times)
		say_usage(alone, NULL);
}

static void parse(struct options *options, int argc, char **argv)
{
	int option;

	/* What getopt_long() says begins with that. */
	*argv = program_invocation_short_name;
	while ((option = getopt_long(argc, argv, "+p:fackto:u:hV", longs,
				     NULL)) != -1) {
		if (option == 'h')
			say_and_exit(help, FAILED);
		if (option == 'V')
			say_and_exit("winregion-trace " VERSION "\n", FAILED);
		set_option(options, option);
	}
	options->program = argv + optind;
	if (options->pid && optind < argc)
		say_usage("a process or a program, not both", argv[optind]);
	if (!options->pid && optind == argc)
		say_usage("a process or a program is needed", NULL);
	if (options->user && options->pid)
		say_usage("that process has its user already", NULL);
	if (options->stacks)
		parse_stacks(options);
	if (options->out.summary && options->out.times)
		say_usage("-c tells only sums, so no -t with it", NULL);
}

/* ---- the program ---- */

static bool become(const struct passwd *user)
{
	if (!user)
		return true;
	if (user->pw_name ? initgroups(user->pw_name, user->pw_gid) :
			    setgroups(0, NULL))
		return false;
	return !setgid(user->pw_gid) && !setuid(user->pw_uid);
}

static void run_program(const struct options *options, int go)
{
	char byte;
	int err;

	/* Until it is followed */
	if (read(go, &byte, 1) != 1)
		_exit(FAILED);
	if (!become(options->user)) {
		perror("winregion-trace: that user");
		_exit(FAILED);
	}
	execvp(options->program[0], options->program);
	err = errno;
	fprintf(stderr, "winregion-trace: %s: %s\n", options->program[0],
		strerror(err));
	_exit(err == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

/* Return: its number, or -1. It goes on when there is a byte for @go. */
static pid_t start_program(const struct options *options, int *go)
{
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		close(pipes[1]);
		ends_leave(ends, ARRAY_SIZE(ends));
		run_program(options, pipes[0]);
	}
	close(pipes[0]);
	*go = pipes[1];
	return pid;
}

/* ---- what has come ---- */

/* The first error of writing, or 0 */
static int not_written;

static void write_out(FILE *to)
{
	if ((fflush(to) || ferror(to)) && !not_written)
		not_written = errno;
}

/* Nobody wants more, by so many signals, or nobody gets it. */
static bool has_enough(unsigned int enough)
{
	return ends_count() >= enough || not_written;
}

/* A line may come in two parts. */
static struct {
	char text[65536];
	size_t length;
} unread;

static void tell_lines(const struct trace_options *options)
{
	char *line = unread.text, *end;

	while ((end = trace_line_end(line,
				     unread.text + unread.length - line))) {
		*end = '\0';
		trace_line(options, line);
		line = end + 1;
	}
	unread.length -= line - unread.text;
	memmove(unread.text, line, unread.length);
}

/* Return: whether there was something */
static bool tell_some(const struct trace_options *options)
{
	ssize_t n = trace_read(unread.text + unread.length,
			       sizeof(unread.text) - unread.length);

	if (n <= 0)
		return false;
	unread.length += n;
	tell_lines(options);
	write_out(options->to);
	/* No line of an event is that long. */
	if (unread.length == sizeof(unread.text)) {
		trace_no_line();
		unread.length = 0;
	}
	return true;
}

/*
 * Who makes calls all the time fills the buffer as fast as it is read. Return: whether
 * there is more
 */
static bool read_some(const struct options *options)
{
	unsigned int i = 0;

	if (options->stacks) {
		stacks_read();
		return false;
	}
	while (i < AT_ONCE && !has_enough(1) && tell_some(&options->out))
		i++;
	return i == AT_ONCE;
}

/*
 * Nothing is added meanwhile, by whoever goes on. It takes its time where there is much,
 * so one more signal ends that, too.
 */
static void read_rest(const struct options *options)
{
	unsigned int enough = ends_count() + 1;

	if (options->stacks)
		return; /* as stacks_end() does */
	trace_stop();
	while (!has_enough(enough) && tell_some(&options->out))
		;
}

static void finish(const struct options *options)
{
	if (options->stacks)
		trace_print_allocated(options->out.to);
	else
		trace_finish(&options->out);
	write_out(options->out.to);
}

/* Until the process has ended, or somebody has had enough */
static void watch(const struct options *options, int process)
{
	struct pollfd end = { .fd = process, .events = POLLIN };
	bool more = false;

	while (!has_enough(1) && poll(&end, 1, more ? 0 : TICK) <= 0)
		more = read_some(options);
	read_rest(options);
	finish(options);
}

/* ---- all of it ---- */

/* What is typed is for the program, too, which may take its time; but not if it comes again. */
static int status_of(pid_t pid)
{
	bool typed = ends_signal() == SIGINT || ends_signal() == SIGQUIT;
	int status;

	if (waitpid(pid, &status, typed ? 0 : WNOHANG) != pid)
		return 0; /* it goes on without us */
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

static int follow_program(const struct options *options, pid_t pid)
{
	int status;

	if (options->stacks)
		return stacks_open(pid);
	status = trace_follow(pid);
	return status ? status : trace_start();
}

static int trace_program(const struct options *options)
{
	int go = -1, status, process;
	pid_t pid = start_program(options, &go);

	if (pid < 0) {
		perror("winregion-trace: fork");
		return FAILED;
	}
	process = say_open_process(pid);
	status = process < 0 ? FAILED : follow_program(options, pid);
	if (!status && write(go, "", 1) != 1)
		status = FAILED;
	close(go);
	if (status) {
		waitpid(pid, NULL, 0);
		return status;
	}
	watch(options, process);
	return status_of(pid);
}

static int attach(const struct options *options)
{
	int status;

	if (options->stacks)
		return stacks_attach(options->pid);
	status = trace_follow(options->pid);
	return status ? status : trace_start();
}

/* It may have nothing to tell before it ends, so it is said that there is something to end. */
static int follow_process(const struct options *options)
{
	int status = attach(options);

	if (!status)
		fprintf(stderr,
			"winregion-trace: %d is followed until it ends, or Ctrl-C\n",
			options->pid);
	return status;
}

static int trace_process(const struct options *options)
{
	int process = say_open_process(options->pid), status;

	if (process < 0)
		return FAILED;
	status = follow_process(options);
	if (!status)
		watch(options, process);
	return status;
}

/* What could not be written is a failure, too, but not where nobody wants more. */
static int close_output(struct options *options, int status)
{
	write_out(options->out.to);
	if (options->path && fclose(options->out.to) && !not_written)
		not_written = errno;
	if (!not_written || ends_signal() == SIGPIPE)
		return status;
	fprintf(stderr, "winregion-trace: cannot write: %s\n",
		strerror(not_written));
	return FAILED;
}

int main(int argc, char **argv)
{
	struct options options = { .out = { .to = stderr } };
	int status;

	/* Lines are whole among those that the program prints. */
	setvbuf(stderr, NULL, _IOLBF, 0);
	parse(&options, argc, argv);
	/* Who may not, or cannot, leaves what was in the file. */
	status = trace_check();
	if (status)
		return status;
	if (options.path)
		options.out.to = create_file(options.path, O_TRUNC);
	if (!options.out.to) {
		fprintf(stderr, "winregion-trace: %s: %s\n", options.path,
			strerror(errno));
		return FAILED;
	}
	catch_ends();
	/* Call stacks come by another way than the buffer. */
	status = options.stacks ? 0 : trace_open(options.faults, options.all);
	if (status)
		return status;
	status = options.pid ? trace_process(&options) :
			       trace_program(&options);
	if (!options.stacks)
		trace_close();
	return close_output(&options, status);
}
