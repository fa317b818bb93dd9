// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the test machine: mounts what programs expect, loads the module,
 * runs the programs that the host asked for, unloads the module, reboots.
 *
 * Serial ports lead to the host:
 *	ttyS0	the kernel's log
 *	ttyS1	the report: one line per event, the last one is "done"
 *	ttyS2	what the programs print; the terminal of an interactive one
 *	ttyS3	what was counted for coverage, a tar archive
 *
 * What to do is read from /vm/jobs, a list of NUL-terminated strings. Each
 * record is a keyword and its fields:
 *	load    NAME			load the kernel's own module /vm/NAME.ko
 *	module  PARAMS			load /vm/winregion.ko
 *	env     NAME=VALUE		for the programs that follow
 *	folder  DIR			have the host's folder there
 *	size    ROWS COLUMNS		of the terminal
 *	marks				tell programs apart in the output
 *	count   DIR			send coverage at the end: the module's,
 *					and what programs left below DIR
 *	run     NAME TIMEOUT UID DIR N ARG...	run a program
 *	shell   NAME TIMEOUT UID DIR N ARG...	the same, with a terminal
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MODULE		"winregion"
#define REPORT_PORT	"/dev/ttyS1"
#define OUTPUT_PORT	"/dev/ttyS2"
#define COVERAGE_PORT	"/dev/ttyS3"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define MAX_ARGS	1024
#define GRACE		10	/* seconds for killed processes to be gone */

struct job {
	const char *name;
	const char *dir;
	long timeout;		/* seconds, 0: none */
	uid_t uid;
	bool interactive;
	char *argv[MAX_ARGS + 1];
};

static int report_fd = -1;
static struct winsize window;
static bool marks;
static const char *counted_below;

/* ---- telling the host ---- */

static int open_port(const char *path, bool cooked)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;

	if (fd < 0 || tcgetattr(fd, &t))
		return fd;
	/* What a program writes must arrive byte for byte. */
	if (!cooked)
		cfmakeraw(&t);
	t.c_cflag |= CLOCAL;
	cfsetspeed(&t, B115200);
	tcsetattr(fd, TCSANOW, &t);
	if (cooked && window.ws_row)
		ioctl(fd, TIOCSWINSZ, &window);
	return fd;
}

static void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vdprintf(report_fd, format, args);
	va_end(args);
	tcdrain(report_fd);
}

static void log_line(const char *what, const char *name)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[256];
	int n;

	if (fd < 0)
		return;
	/* Not dprintf(): it seeks, and this file refuses that. */
	n = snprintf(line, sizeof(line), "<6>vm: %s %s\n", what, name);
	if (n > 0 && (size_t)n < sizeof(line) && write(fd, line, n) != n)
		report("error log: %s\n", strerror(errno));
	close(fd);
}

static void output_mark(const char *format, ...)
{
	va_list args;
	int fd;

	if (!marks)
		return;
	fd = open_port(OUTPUT_PORT, false);
	if (fd < 0)
		return;
	va_start(args, format);
	vdprintf(fd, format, args);
	va_end(args);
	tcdrain(fd);
	close(fd);
}

static void leave(void)
{
	report("done\n");
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void fail(const char *what)
{
	report("error %s: %s\n", what, strerror(errno));
	leave();
}

/* ---- the machine ---- */

static void try_mount(const char *type, const char *where, const char *options)
{
	mkdir(where, 0755);
	mount(type, where, type, 0, options);
}

static void mount_all(void)
{
	try_mount("proc", "/proc", NULL);
	try_mount("sysfs", "/sys", NULL);
	try_mount("devtmpfs", "/dev", NULL);
	try_mount("devpts", "/dev/pts", NULL);
	try_mount("tmpfs", "/dev/shm", "mode=1777");
	/* Where a program was carried in from /tmp it must stay visible. */
	if (!rmdir("/tmp") || errno == ENOENT)
		try_mount("tmpfs", "/tmp", "mode=1777");
	else
		chmod("/tmp", 01777);
	try_mount("cgroup2", "/sys/fs/cgroup", NULL);
	try_mount("tracefs", "/sys/kernel/tracing", NULL);
	try_mount("debugfs", "/sys/kernel/debug", NULL);
}

static void mount_folder(const char *where)
{
	mkdir(where, 0755);
	if (mount("shared", where, "9p", 0,
		  "trans=virtio,version=9p2000.L,msize=131072"))
		fail(where);
}

static bool write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, word, strlen(word)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Of what the kernel itself lost before, nothing more shall be heard. */
static void forget_leaks(void)
{
	if (!access(KMEMLEAK, F_OK)) {
		write_word(KMEMLEAK, "scan");
		write_word(KMEMLEAK, "clear");
	}
}

/*
 * With the module gone, nothing can refer to what it did not free. What is
 * younger than five seconds is not looked at, and one scan may be misled by
 * what lies around on a stack.
 */
static void find_leaks(void)
{
	char line[256];
	int n = 0;
	FILE *f;

	if (access(KMEMLEAK, F_OK))
		return;
	sleep(6);
	write_word(KMEMLEAK, "scan");
	sleep(1);
	write_word(KMEMLEAK, "scan");
	f = fopen(KMEMLEAK, "re");
	while (f && fgets(line, sizeof(line), f) && n++ < 40)
		report("error kmemleak: %s", line);
	if (f)
		fclose(f);
}

static void load_module(const char *name, const char *params)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/vm/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, params, 0))
		fail(name);
	close(fd);
	report("insmod %s ok\n", name);
}

/* What a program left behind may need a moment to let go of the module. */
static void unload_module(void)
{
	const struct timespec tenth = { .tv_nsec = 100 * 1000 * 1000 };
	int tries = 50;

	while (syscall(SYS_delete_module, MODULE, O_NONBLOCK)) {
		if (errno == ENOENT || !--tries) {
			report("error rmmod: %s\n", strerror(errno));
			return;
		}
		nanosleep(&tenth, NULL);
	}
	report("rmmod ok\n");
}

/* ---- programs ---- */

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void set_output(const struct job *job)
{
	int out = open_port(OUTPUT_PORT, job->interactive);
	int in = job->interactive ? out : open("/dev/null", O_RDONLY);

	if (job->interactive)
		ioctl(out, TIOCSCTTY, 1);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
}

static void run_child(const struct job *job)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	set_output(job);
	if (job->uid && (setgroups(0, NULL) || setgid(job->uid) ||
			 setuid(job->uid)))
		_exit(126);
	if (chdir(job->dir) && chdir("/"))
		_exit(126);
	execvp(job->argv[0], job->argv);
	dprintf(2, "%s: %s\n", job->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Wait until @end for @pid. False: it still runs. */
static bool wait_for(pid_t pid, time_t end, int *status)
{
	const struct timespec second = { .tv_sec = 1 };
	sigset_t set;
	pid_t got;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		while ((got = waitpid(-1, status, WNOHANG)) > 0)
			if (got == pid)
				return true;
		if (end && now() >= end)
			return false;
		sigtimedwait(&set, NULL, &second);
	}
}

/* Nothing of one program may be there when the next one starts. */
static bool kill_all(void)
{
	const struct timespec tick = { .tv_nsec = 20 * 1000 * 1000 };
	time_t end = now() + GRACE;

	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) >= 0 || errno == EINTR) {
		if (now() >= end)
			return false;
		nanosleep(&tick, NULL);
	}
	return true;
}

/* Let the log tell where processes that cannot be killed are. */
static void log_blocked(void)
{
	if (write_word("/proc/sysrq-trigger", "w"))
		sleep(1);
}

static void report_end(const struct job *job, bool ended, int status)
{
	char how[32];

	if (!ended)
		snprintf(how, sizeof(how), "timeout %ld", job->timeout);
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "exit %d", WEXITSTATUS(status));
	log_line(how, job->name);
	output_mark("\n##vm## end %s %s\n", job->name, how);
	report("end %s %s\n", job->name, how);
}

static void run(const struct job *job)
{
	time_t end = job->timeout ? now() + job->timeout : 0;
	int status = 0;
	bool ended;
	pid_t pid;

	log_line("begin", job->name);
	report("begin %s\n", job->name);
	output_mark("##vm## begin %s\n", job->name);
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid)
		run_child(job);
	ended = wait_for(pid, end, &status);
	if (!kill_all()) {
		log_blocked();
		report("error %s: processes cannot be killed\n", job->name);
	}
	report_end(job, ended, status);
}

/* ---- coverage ---- */

/*
 * Programs leave their counts here. Not on tmpfs, the files of which count as
 * promised memory, and tests look at that.
 */
static void count_below(const char *dir)
{
	char path[4096];
	char *p;

	counted_below = dir;
	snprintf(path, sizeof(path), "%s", dir);
	for (p = path + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(path, 0755);
			*p = '/';
		}
	try_mount("ramfs", path, NULL);
}

/*
 * The kernel's files of counts say that they are empty, so that tar would
 * believe it; they are copied first. Those of a module outlive it.
 */
static void send_counts(void)
{
	static const char script[] =
		"take() { cd \"$1\" && find . -name '*.gcda' |\n"
		"while read -r f; do mkdir -p \"$2/${f%/*}\"\n"
		"cat \"$f\" >\"$2/$f\"; done; }\n"
		"mkdir -p /run/counts; take /sys/kernel/debug/gcov /run/counts\n"
		"[ ! -d \"$0\" ] || take \"$0\" \"/run/counts$0\"\n"
		"tar -C /run/counts -c . | gzip -1";
	int port = open_port(COVERAGE_PORT, false);
	int status;
	pid_t pid = fork();

	if (!pid) {
		dup2(port, 1);
		execl("/usr/bin/busybox", "sh", "-c", script, counted_below,
		      NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		report("error coverage: status %d\n", status);
	tcdrain(port);
	close(port);
}

/* ---- what to do ---- */

static char *read_jobs(size_t *size)
{
	int fd = open("/vm/jobs", O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st))
		fail("jobs");
	text = malloc(st.st_size + 1);
	if (!text || read(fd, text, st.st_size) != st.st_size)
		fail("jobs");
	text[st.st_size] = '\0';
	close(fd);
	*size = st.st_size;
	return text;
}

/* The string at @p; steps over it. Past the end of the list: empty. */
static char *next(char **p, char *end)
{
	char *field = *p;

	if (field >= end)
		return end;
	*p += strlen(field) + 1;
	return field;
}

static void read_job(struct job *job, char **p, char *end)
{
	int i, n;

	job->name = next(p, end);
	job->timeout = atol(next(p, end));
	job->uid = strtoul(next(p, end), NULL, 10);
	job->dir = next(p, end);
	n = atoi(next(p, end));
	if (n < 1 || n > MAX_ARGS) {
		errno = E2BIG;
		fail("jobs");
	}
	for (i = 0; i < n; i++)
		job->argv[i] = next(p, end);
	job->argv[n] = NULL;
}

static void do_record(char *word, char **p, char *end)
{
	struct job job = { .interactive = !strcmp(word, "shell") };

	if (!strcmp(word, "module")) {
		forget_leaks();
		load_module(MODULE, next(p, end));
	} else if (!strcmp(word, "load")) {
		load_module(next(p, end), "");
	} else if (!strcmp(word, "env")) {
		putenv(next(p, end));
	} else if (!strcmp(word, "folder")) {
		mount_folder(next(p, end));
	} else if (!strcmp(word, "size")) {
		window.ws_row = atoi(next(p, end));
		window.ws_col = atoi(next(p, end));
	} else if (!strcmp(word, "count")) {
		count_below(next(p, end));
	} else if (!strcmp(word, "marks")) {
		marks = true;
	} else if (!strcmp(word, "run") || job.interactive) {
		read_job(&job, p, end);
		run(&job);
	} else {
		errno = EINVAL;
		fail(word);
	}
}

int main(void)
{
	char *p, *end;
	sigset_t set;
	size_t size;

	mount_all();
	report_fd = open_port(REPORT_PORT, false);
	report("ready\n");
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	umask(022);
	clearenv();
	putenv("PATH=/usr/sbin:/usr/bin");
	putenv("HOME=/root");
	putenv("TERM=dumb");

	p = read_jobs(&size);
	end = p + size;
	while (p < end)
		do_record(next(&p, end), &p, end);
	if (!access("/sys/module/" MODULE, F_OK)) {
		unload_module();
		find_leaks();
	}
	if (counted_below)
		send_counts();
	leave();
}
