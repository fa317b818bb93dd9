// SPDX-License-Identifier: GPL-2.0
/*
 * winregion-map: of a process that has what the test knows, each number in each
 * format; what has changed between two moments; a program from begin to end; who may
 * look; and the screen, in a terminal that is emulated.
 *
 * programs/map brings what is run. The library of the terminal is the host's: for another
 * machine the screen is left out. With WR_SCREENSHOT in the environment the screen is
 * printed as a picture, too.
 */
/* vm: programs=map kernels=turn cpus=2 timeout=900 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <glob.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <winregion/windows.h>

#include "common.h"
#include "memory.h"
#include "programs.h"
#include "rounds.h"
#ifdef __x86_64__
#include "terminal.h"
#endif
#include "wr_test_util.h"

#define NOBODY 65534
#define DIRECTORY "/tmp/wr_map"
#define OUT DIRECTORY "/out"
#define ERRORS DIRECTORY "/errors"
#define DATA DIRECTORY "/data, with \"signs\""

/* Where the process has what it has */
#define HERE ((char *)0x310000000000)
#define AT(n) (HERE + (n) * MIB(16))

/* ---- a process that has memory ---- */

enum order {
	COMMIT_MORE,
	RESERVE_MORE,
	RELEASE_ONE,
	RESERVE_MANY,
	HIDE,
	END
};

/**
 * struct held - a process, and what it is told to do
 * @pid: its number
 * @orders: one byte each
 * @done: one byte for each
 */
struct held {
	pid_t pid;
	int orders;
	int done;
};

/* Single pages, as more of them can be in memory than were touched, otherwise */
static bool have_region(void)
{
	char *base = VirtualAlloc(AT(0), PAGES(253), MEM_RESERVE,
				  PAGE_READWRITE);
	static const DWORD protections[] = {
		PAGE_READWRITE, PAGE_READWRITE, PAGE_READONLY,
		PAGE_READWRITE | PAGE_GUARD,
	};
	size_t i;

	for (i = 0; base && i < ARRAY_SIZE(protections); i++)
		if (!VirtualAlloc(base + PAGES(2 * i), PAGE, MEM_COMMIT,
				  protections[i]))
			return false;
	if (!base || !VirtualLock(base, PAGE))
		return false;
	*base = 1;
	return VirtualAlloc(AT(1), 1, MEM_RESERVE, PAGE_NOACCESS);
}

static bool have_views(void)
{
	HANDLE file = CreateFileA(DATA, GENERIC_READ | GENERIC_WRITE, 0, NULL,
				  CREATE_ALWAYS, 0, NULL);
	HANDLE of_file = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0,
					    PAGES(3), NULL);
	HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
					    PAGE_READWRITE, 0, PAGES(32), NULL);
	char *memory = MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, AT(2));
	char *plain = MapViewOfFileEx(of_file, FILE_MAP_WRITE, 0, 0, 0, AT(3));
	char *copied = MapViewOfFileEx(of_file, FILE_MAP_COPY, 0, 0, 0, AT(4));

	if (!memory || !plain || !copied)
		return false;
	*memory = 1;
	*plain = 1;
	copied[PAGE] = 1;
	return true;
}

static bool have_mapping(char *addr, size_t pages, int protection, int flags)
{
	return mmap(addr, PAGES(pages), protection,
		    MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | flags, -1,
		    0) == addr;
}

/* What is none of the module's */
static bool have_mappings(void)
{
	const int rw = PROT_READ | PROT_WRITE;

	if (!have_mapping(AT(5), 5, rw, MAP_PRIVATE) ||
	    !have_mapping(AT(6), 3, PROT_NONE, MAP_PRIVATE) ||
	    !have_mapping(AT(7), 2, rw, MAP_SHARED))
		return false;
	AT(5)[0] = 1;
	AT(5)[PAGES(2)] = 1;
	AT(7)[PAGE] = 1;
	return !mlock(AT(7) + PAGE, PAGE);
}

/* As the module's own mappings are called, or nearly so */
#define LIKE_A_WINDOW "/dev/zero[winregion]"
#define NEARLY_A_WINDOW DIRECTORY "/[winregion]"

static bool have_file(const char *path, char *addr)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool there = fd >= 0 && !ftruncate(fd, PAGES(2)) &&
		     mmap(addr, PAGES(2), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) == addr;

	if (fd >= 0)
		close(fd);
	unlink(path);
	return there;
}

static DWORD WINAPI wait_for_ever(LPVOID where)
{
	char local = 1;

	__atomic_store_n((char **)where, &local, __ATOMIC_RELEASE);
	for (;;)
		pause();
	return 0;
}

/* Where the thread has its stack is told in the region. */
static bool have_thread(void)
{
	char **where = (char **)(AT(0) + 8);

	if (!CreateThread(NULL, 0, wait_for_ever, where, 0, NULL))
		return false;
	while (!__atomic_load_n(where, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	return true;
}

/* Every other one with a page that can be used */
static bool reserve_many(void)
{
	long i, nr = rounds(map_regions);
	char *base;

	for (i = 0; i < nr; i++) {
		base = VirtualAlloc(NULL, UNIT, MEM_RESERVE, PAGE_READWRITE);
		if (!base || (i % 2 && !VirtualAlloc(base, PAGE, MEM_COMMIT,
						     PAGE_READWRITE)))
			return false;
	}
	return true;
}

static bool obey(char order)
{
	switch (order) {
	case COMMIT_MORE:
		return VirtualAlloc(AT(0) + PAGES(10), PAGES(2), MEM_COMMIT,
				    PAGE_READWRITE);
	case RESERVE_MORE:
		return VirtualAlloc(AT(9), MIB(1), MEM_RESERVE,
				    PAGE_READWRITE);
	case RELEASE_ONE:
		return VirtualFree(AT(1), 0, MEM_RELEASE);
	case RESERVE_MANY:
		return reserve_many();
	case HIDE:
		return have_file(NEARLY_A_WINDOW, AT(10)) &&
		       have_file(LIKE_A_WINDOW, AT(11));
	default:
		return false;
	}
}

/* A process of another user becomes one that its user may look at. */
static void hold(int orders, int done, uid_t uid, bool all)
{
	char order, answer = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (uid && (setgid(uid) || setuid(uid) || prctl(PR_SET_DUMPABLE, 1)))
		_exit(2);
	if (!have_region() ||
	    (all && (!have_views() || !have_mappings() || !have_thread())))
		_exit(3);
	if (write(done, &answer, 1) != 1)
		_exit(4);
	while (read(orders, &order, 1) == 1 && order != END)
		if (!obey(order) || write(done, &answer, 1) != 1)
			_exit(5);
	_exit(0);
}

static bool is_done(const struct held *held)
{
	char answer;

	return read(held->done, &answer, 1) == 1;
}

static bool start_held(struct held *held, uid_t uid, bool all)
{
	int orders[2], done[2];

	if (pipe2(orders, O_CLOEXEC) || pipe2(done, O_CLOEXEC))
		return false;
	fflush(NULL);
	held->pid = fork();
	if (!held->pid) {
		close(orders[1]);
		close(done[0]);
		hold(orders[0], done[1], uid, all);
	}
	close(orders[0]);
	close(done[1]);
	held->orders = orders[1];
	held->done = done[0];
	return held->pid > 0 && is_done(held);
}

static bool give_order(const struct held *held, char order)
{
	return write(held->orders, &order, 1) == 1 && is_done(held);
}

static int end_held(struct held *held)
{
	int status = 0;

	close(held->orders);
	close(held->done);
	if (waitpid(held->pid, &status, 0) != held->pid)
		return -1000;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- to run the program ---- */

#define MAX_WORDS 16

/* As that user, with what it prints in @path and ERRORS. Return: its exit status */
static int run_to(const char *path, uid_t uid, const char *command)
{
	char text[PATH_MAX + 512], tool[PATH_MAX + 32], *words[MAX_WORDS + 1];
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int err = open(ERRORS, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int n = 0, status = 0;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", command);
	snprintf(tool, sizeof(tool), "%s/winregion-map", programs);
	words[n++] = tool;
	for (words[n] = strtok(text, " "); words[n] && n < MAX_WORDS;)
		words[++n] = strtok(NULL, " ");
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		if (uid && (setgid(uid) || setuid(uid)))
			_exit(99);
		execv(tool, words);
		_exit(98);
	}
	close(out);
	close(err);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_as(uid_t uid, const char *command)
{
	return run_to(OUT, uid, command);
}

static int run(const char *command)
{
	return run_as(0, command);
}

#define RUN(...) ({						\
	char _command[PATH_MAX + 512];				\
								\
	snprintf(_command, sizeof(_command), __VA_ARGS__);	\
	run(_command); })

/* All of a file; the caller's */
static char *text_of(const char *path)
{
	struct stat stat;
	FILE *file = fopen(path, "r");
	size_t n = 0;
	char *text;

	if (!file || fstat(fileno(file), &stat))
		return strdup("");
	text = malloc(stat.st_size + 1);
	if (text)
		n = fread(text, 1, stat.st_size, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static bool file_has(const char *path, const char *what)
{
	char *text = text_of(path);
	bool has = strstr(text, what);

	if (!has)
		fprintf(stderr, "# no \"%s\" in \"%.300s\"\n", what, text);
	free(text);
	return has;
}

static size_t widest_line(const char *path)
{
	char *text = text_of(path), *line = text;
	size_t widest = 0, length;

	while (*line) {
		length = strcspn(line, "\n");
		widest = length > widest ? length : widest;
		line += length + !!line[length];
	}
	free(text);
	return widest;
}

static size_t count_in(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* ---- what is to be seen ---- */

#define SIZES 6

/*
 * What is in memory can be more than what was touched, of files. What is locked of the
 * last one is a mapping of its own, but no block.
 */
struct expected {
	int at;
	const char *type;
	const char *of;
	uint64_t pages[SIZES];
	uint64_t most_resident;
	const char *protection;
};

static const struct expected all_expected[] = {
	{ 0, "private", "region", { 253, 4, 4, 1, 0, 1 }, 1, "rw-" },
	{ 1, "private", "region", { 1, 0, 0, 0, 0, 0 }, 0, "---" },
	{ 2, "shareable", "region", { 32, 32, 0, 1, 0, 0 }, 32, "rw-" },
	{ 3, "file", "region", { 3, 3, 0, 1, 0, 0 }, 3, "rw-" },
	{ 4, "file", "region", { 3, 3, 1, 1, 0, 0 }, 3, "rc-" },
	{ 5, "private", "mapping", { 5, 5, 5, 2, 0, 0 }, 2, "rw-" },
	{ 6, "private", "mapping", { 3, 0, 0, 0, 0, 0 }, 0, "reserved" },
	{ 7, "shareable", "mapping", { 2, 2, 0, 1, 0, 1 }, 1, "rw-" },
};

static bool sizes_fit(const struct expected *expected,
		      const unsigned long long *sizes)
{
	bool fit = true;
	int i;

	for (i = 0; i < SIZES; i++)
		if (i == 3)
			fit &= sizes[i] >= PAGES(expected->pages[i]) &&
			       sizes[i] <= PAGES(expected->most_resident);
		else
			fit &= sizes[i] == PAGES(expected->pages[i]);
	if (!fit)
		fprintf(stderr, "# at %d: %llu %llu %llu %llu %llu %llu\n",
			expected->at, sizes[0], sizes[1], sizes[2], sizes[3],
			sizes[4], sizes[5]);
	return fit;
}

#define SIZES_OF(sizes) &(sizes)[0], &(sizes)[1], &(sizes)[2], &(sizes)[3], \
			&(sizes)[4], &(sizes)[5]

static bool fits_csv(const char *text, const struct expected *expected)
{
	char begin[64], protection[32] = "";
	unsigned long long sizes[SIZES];
	const char *line;

	snprintf(begin, sizeof(begin), "\n%p,%s,%s,", (void *)AT(expected->at),
		 expected->type, expected->of);
	line = strstr(text, begin);
	if (!line ||
	    sscanf(line + strlen(begin), "%llu,%llu,%llu,%llu,%llu,%llu,%31[^,]",
		   SIZES_OF(sizes), protection) != SIZES + 1) {
		fprintf(stderr, "# no %s\n", begin + 1);
		return false;
	}
	return sizes_fit(expected, sizes) &&
	       !strcmp(protection, expected->protection);
}

static bool fits_json(const char *text, const struct expected *expected)
{
	char begin[96], region[32], protection[48];
	unsigned long long sizes[SIZES];
	const char *line;

	snprintf(begin, sizeof(begin), "\n{\"address\":\"%p\",\"type\":\"%s\",",
		 (void *)AT(expected->at), expected->type);
	line = strstr(text, begin);
	if (!line ||
	    sscanf(line + strlen(begin),
		   "\"size\":%llu,\"committed\":%llu,\"private\":%llu,\"resident\":%llu,\"swapped\":%llu,\"locked\":%llu,%30[^,],\"large\":false,%47[^,]",
		   SIZES_OF(sizes), region, protection) != SIZES + 2) {
		fprintf(stderr, "# no %s\n", begin + 1);
		return false;
	}
	return sizes_fit(expected, sizes) &&
	       !strcmp(region, strcmp(expected->of, "region") ?
				       "\"region\":false" : "\"region\":true") &&
	       strstr(protection, expected->protection);
}

static bool fits_text(const char *text, const struct expected *expected)
{
	char begin[64], protection[32] = "";
	unsigned long long sizes[SIZES];
	const char *line;

	snprintf(begin, sizeof(begin), "\n%012llx %s ",
		 (unsigned long long)(uintptr_t)AT(expected->at),
		 expected->type);
	line = strstr(text, begin);
	if (!line ||
	    sscanf(line + strlen(begin), "%llu %llu %llu %llu %llu %llu %31s",
		   SIZES_OF(sizes), protection) != SIZES + 1) {
		fprintf(stderr, "# no %s\n", begin + 1);
		return false;
	}
	return sizes_fit(expected, sizes) &&
	       !strcmp(protection, expected->protection);
}

typedef bool fits(const char *text, const struct expected *expected);

static bool all_fit(fits *fits)
{
	char *text = text_of(OUT);
	bool good = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all_expected); i++)
		good &= fits(text, &all_expected[i]);
	free(text);
	return good;
}

/* ---- JSON ---- */

static const char *skip_value(const char *at);

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

static const char *skip_string(const char *at)
{
	if (*at++ != '"')
		return "?";
	while (*at && *at != '"')
		at += *at == '\\' && at[1] ? 2 : 1;
	return *at ? skip_blanks(at + 1) : "?";
}

/* Behind what is between two brackets, with commas */
static const char *skip_list(const char *at, char end)
{
	at = skip_blanks(at + 1);
	if (*at == end)
		return skip_blanks(at + 1);
	for (;;) {
		if (end == '}') {
			at = skip_string(at);
			if (*at != ':')
				return "?";
			at = skip_blanks(at + 1);
		}
		at = skip_value(at);
		if (*at == end)
			return skip_blanks(at + 1);
		if (*at != ',')
			return "?";
		at = skip_blanks(at + 1);
	}
}

/* Behind a value, or at "?": it is none */
static const char *skip_value(const char *at)
{
	size_t length = strspn(at, "+-.0123456789aeflrstu");

	if (*at == '{' || *at == '[')
		return skip_list(at, *at == '{' ? '}' : ']');
	if (*at == '"')
		return skip_string(at);
	return length ? skip_blanks(at + length) : "?";
}

static bool is_json(const char *text)
{
	return *skip_blanks(text) == '{' && !*skip_value(skip_blanks(text));
}

static bool file_is_json(const char *path)
{
	char *text = text_of(path);
	bool good = is_json(text);

	free(text);
	return good;
}

/* ---- each number in each format ---- */

FIXTURE(map)
{
	struct held held;
};

FIXTURE_SETUP(map)
{
	ASSERT_TRUE(find_programs("map"));
	mkdir(DIRECTORY, 0777);
	ASSERT_TRUE(start_held(&self->held, 0, true));
}

FIXTURE_TEARDOWN(map)
{
	EXPECT_EQ(0, end_held(&self->held));
	unlink(DATA);
}

TEST_F_TIMEOUT(map, numbers, 60)
{
	EXPECT_EQ(0, RUN("-f csv %d", self->held.pid));
	EXPECT_TRUE(all_fit(fits_csv));
	EXPECT_EQ(0, RUN("-f json -r -F %d", self->held.pid));
	EXPECT_TRUE(all_fit(fits_json));
	EXPECT_TRUE(file_is_json(OUT));
	EXPECT_EQ(0, RUN("--format=text --bytes %d", self->held.pid));
	EXPECT_TRUE(all_fit(fits_text));
}

/* Each page that is not like the one before */
TEST_F_TIMEOUT(map, runs, 60)
{
	static const struct {
		int page;
		const char *text;
	} runs[] = {
		{ 0, "4096,4096,4096,4096,0,4096,rw-," },
		{ 1, "4096,0,0,0,0,0,reserved," },
		{ 2, "4096,4096,4096,0,0,0,rw-," },
		{ 3, "4096,0,0,0,0,0,reserved," },
		{ 4, "4096,4096,4096,0,0,0,r--," },
		{ 6, "4096,4096,4096,0,0,0,rw- guard," },
		{ 7, "1007616,0,0,0,0,0,reserved," },
	};
	char line[128];
	size_t i;

	EXPECT_EQ(0, RUN("-f csv -r -a %lx %d", (unsigned long)AT(0) + 77,
			 self->held.pid));
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		snprintf(line, sizeof(line), "%p,private,region,%p,%s\n",
			 (void *)AT(0), (void *)(AT(0) + PAGES(runs[i].page)),
			 runs[i].text);
		EXPECT_TRUE(file_has(OUT, line));
	}
	/* Of the view with a copy */
	EXPECT_EQ(0, RUN("-f csv -r -a %lx %d", (unsigned long)AT(4),
			 self->held.pid));
	snprintf(line, sizeof(line), "%p,4096,4096,4096,4096,0,0,rw-,\"%s",
		 (void *)(AT(4) + PAGE), "/tmp/wr_map/data, with \"\"signs\"\"\"");
	EXPECT_TRUE(file_has(OUT, line));
}

/* What is not there: behind a region its unit's rest, and the next free block */
TEST_F_TIMEOUT(map, holes, 60)
{
	char line[128];

	EXPECT_EQ(0, RUN("-f csv -F %d", self->held.pid));
	snprintf(line, sizeof(line), "%p,unusable,hole,%d,0,0,0,0,0,,\n",
		 (void *)(AT(0) + PAGES(253)), (int)PAGES(3));
	EXPECT_TRUE(file_has(OUT, line));
	snprintf(line, sizeof(line), "%p,free,hole,%d,0,0,0,0,0,,\n",
		 (void *)(AT(0) + MIB(1)), (int)MIB(15));
	EXPECT_TRUE(file_has(OUT, line));
	EXPECT_EQ(0, RUN("-f text -g -t free %d", self->held.pid));
	EXPECT_TRUE(file_has(OUT, "\nfree from "));
	EXPECT_TRUE(file_has(OUT, "\n  largest "));
}

/* The thread's stack is one, and so is the first thread's. */
TEST_F_TIMEOUT(map, stacks, 60)
{
	unsigned long long sizes[SIZES];
	char *text, *line;
	int n;

	EXPECT_EQ(0, RUN("-f csv -t stack %d", self->held.pid));
	text = text_of(OUT);
	EXPECT_EQ(2, count_in(text, ",stack,"));
	EXPECT_TRUE(strstr(text, "[stack]"));
	line = strstr(text, ",stack,region,");
	ASSERT_NE(NULL, line);
	n = sscanf(line, ",stack,region,%llu,%llu,%llu,%llu,%llu,%llu",
		   SIZES_OF(sizes));
	ASSERT_EQ(SIZES, n);
	EXPECT_LE(MIB(1), sizes[0]);
	EXPECT_LT(0, sizes[3]);
	EXPECT_LE(sizes[3], sizes[1]);
	free(text);
}

/* What the sums say is what the blocks come to, and is that of the kernel, too. */
TEST_F_TIMEOUT(map, sums, 60)
{
	unsigned long long sums[SIZES] = { 0 }, sizes[SIZES], private = 0;
	char *text, *line, type[16];
	unsigned int i, blocks;
	int n;

	EXPECT_EQ(0, RUN("-f csv %d", self->held.pid));
	text = text_of(OUT);
	for (line = strchr(text, '\n'); line; line = strchr(line + 1, '\n')) {
		if (sscanf(line, "\n%*x,%15[^,],%*[^,],%llu,%llu,%llu,%llu,%llu,%llu",
			   type, SIZES_OF(sizes)) != SIZES + 1)
			continue;
		for (i = 0; i < SIZES && !strcmp(type, "private"); i++)
			sums[i] += sizes[i];
		private += !strcmp(type, "private");
	}
	free(text);
	EXPECT_EQ(0, RUN("-f text -b %d", self->held.pid));
	text = text_of(OUT);
	line = strstr(text, "\nprivate ");
	ASSERT_NE(NULL, line);
	n = sscanf(line, "\nprivate %u %llu %llu %llu %llu %llu %llu", &blocks,
		   SIZES_OF(sizes));
	ASSERT_EQ(SIZES + 1, n);
	EXPECT_EQ(private, blocks);
	for (i = 0; i < SIZES; i++)
		EXPECT_EQ(sums[i], sizes[i]);
	free(text);
}

/* Pictures need nothing that is elsewhere, and show each block. */
TEST_F_TIMEOUT(map, pictures, 60)
{
	char title[64], *text, *data;

	snprintf(title, sizeof(title), "<title>%012lx private 1012 K </title>",
		 (unsigned long)AT(0));
	EXPECT_EQ(0, RUN("-f svg -o " OUT ".svg %d", self->held.pid));
	text = text_of(OUT ".svg");
	EXPECT_EQ(text, strstr(text, "<svg "));
	EXPECT_TRUE(strstr(text, title));
	EXPECT_TRUE(strstr(text, "data, with &#34;signs&#34;"));
	EXPECT_STREQ("</svg>\n", text + strlen(text) - 7);
	free(text);
	EXPECT_EQ(0, RUN("-f html %d", self->held.pid));
	text = text_of(OUT);
	EXPECT_EQ(text, strstr(text, "<!DOCTYPE html>"));
	EXPECT_TRUE(strstr(text, title));
	/* The language's name, and no other place */
	EXPECT_EQ(1, count_in(text, "http"));
	EXPECT_EQ(0, count_in(text, " src=") + count_in(text, " href="));
	data = strstr(text, "<script type=\"application/json\" id=\"data\">\n");
	ASSERT_NE(NULL, data);
	data = strchr(data, '\n');
	*strstr(data, "</script>") = '\0';
	EXPECT_TRUE(is_json(data));
	EXPECT_TRUE(fits_json(data, &all_expected[0]));
	free(text);
}

/* What is called like the module's own mappings is not the module's. */
TEST_F_TIMEOUT(map, hidden, 60)
{
	int i;

	ASSERT_TRUE(give_order(&self->held, HIDE));
	for (i = 10; i <= 11; i++) {
		EXPECT_EQ(0, RUN("-f csv -a %lx %d", (unsigned long)AT(i),
				 self->held.pid));
		EXPECT_TRUE(file_has(OUT, ",mapping,8192,8192,"));
	}
	EXPECT_TRUE(file_has(OUT, LIKE_A_WINDOW " (deleted)\n"));
}

TEST_F_TIMEOUT(map, order_and_choice, 60)
{
	char *text, *first, *second;

	EXPECT_EQ(0, RUN("-f csv -s size -t private,shareable %d",
			 self->held.pid));
	text = text_of(OUT);
	EXPECT_EQ(0, count_in(text, ",image,"));
	first = strstr(text, "\n0x310000000000,");
	second = strstr(text, "\n0x310001000000,");
	ASSERT_NE(NULL, first);
	ASSERT_NE(NULL, second);
	EXPECT_LT(first, second);
	free(text);
	EXPECT_EQ(0, RUN("-f csv -s size -R -t private %d", self->held.pid));
	text = text_of(OUT);
	EXPECT_GT(strstr(text, "\n0x310000000000,"),
		  strstr(text, "\n0x310001000000,"));
	free(text);
	/* In whatever order: a block that has the address, and is of the type */
	EXPECT_EQ(0, RUN("-f csv -a 310000000000 -t private %d", self->held.pid));
	EXPECT_TRUE(file_has(OUT, "\n0x310000000000,"));
	EXPECT_EQ(0, RUN("-f csv -a 310000000000 -t stack %d", self->held.pid));
	EXPECT_FALSE(file_has(OUT, "\n0x310000000000,"));
	EXPECT_EQ(0, RUN("-f csv -t stack -a 310000000000 %d", self->held.pid));
	EXPECT_FALSE(file_has(OUT, "\n0x310000000000,"));
	EXPECT_EQ(0, RUN("-f csv -F -t private %d", self->held.pid));
	EXPECT_TRUE(file_has(OUT, ",free,"));
	EXPECT_FALSE(file_has(OUT, ",image,"));
	EXPECT_EQ(0, RUN("-f csv -m SIGNS %d", self->held.pid));
	text = text_of(OUT);
	EXPECT_EQ(3, count_in(text, "\n"));
	free(text);
	/* None is there, which is said. */
	EXPECT_FALSE(file_has(ERRORS, "no block"));
	EXPECT_EQ(0, RUN("-f text -m no-such-name %d", self->held.pid));
	EXPECT_TRUE(file_has(ERRORS, "asked for by --match\n"));
	EXPECT_EQ(0, RUN("-f csv -t stack -a 310000000000 %d", self->held.pid));
	EXPECT_TRUE(file_has(ERRORS, "asked for by --type --at\n"));
	EXPECT_EQ(0, RUN("-f json -a ffffffffff000000 %d", self->held.pid));
	EXPECT_TRUE(file_has(ERRORS, "asked for by --at\n"));
}

/* A line has room for 80 columns, or what is asked for; what is longer goes on below. */
TEST_F_TIMEOUT(map, width, 60)
{
	char line[128];

	snprintf(line, sizeof(line), "\n%012lx file      %7d %7d %7d ",
		 (unsigned long)AT(3), 12, 12, 0);
	EXPECT_EQ(0, RUN("-f text -r -F -g -t file -m SIGNS %d",
			 self->held.pid));
	EXPECT_GE(80, widest_line(OUT));
	EXPECT_TRUE(file_has(OUT, line));
	EXPECT_TRUE(file_has(OUT, "\n             " DATA "\n"));
	EXPECT_EQ(0, RUN("-f text -r -F -g %d", self->held.pid));
	EXPECT_GE(80, widest_line(OUT));
	EXPECT_EQ(0, RUN("-f text -w 0 %d", self->held.pid));
	EXPECT_TRUE(file_has(OUT, " rw-      " DATA "\n"));
	EXPECT_EQ(0, RUN("-f text -w 200 %d", self->held.pid));
	EXPECT_TRUE(file_has(OUT, " rw-      " DATA "\n"));
	EXPECT_EQ(0, run("-l -f text"));
	EXPECT_GE(80, widest_line(OUT));
	EXPECT_EQ(0, run("-n 0.1 -f text -- /bin/sh -c sleep\t1"));
	EXPECT_GE(80, widest_line(OUT));
}

/* What a name has in it no terminal obeys, and no browser. */
TEST_F_TIMEOUT(map, names, 60)
{
	static const char program[] = DIRECTORY "/a<b>\033c";
	char steps[PATH_MAX + 32];

	snprintf(steps, sizeof(steps), "%s/map_steps", programs);
	unlink(program);
	ASSERT_EQ(0, symlink(steps, program));
	EXPECT_EQ(0, RUN("-n 0.1 -f text -- %s 100 0", program));
	EXPECT_TRUE(file_has(OUT, ": a<b>?c, the most of each"));
	EXPECT_EQ(0, RUN("-n 0.1 -f html -o " DIRECTORY "/page -- %s 100 0",
			 program));
	EXPECT_TRUE(file_has(DIRECTORY "/page", "a&#60;b&#62;"));
	EXPECT_FALSE(file_has(DIRECTORY "/page", "<b>"));
	/* One that has ended before the first look has a name, too. */
	EXPECT_EQ(0, run("-f text -- /bin/true"));
	EXPECT_TRUE(file_has(OUT, ": true, the most of each"));
	unlink(program);
}

/* A name of bytes that are obeyed, or are no characters, or a formula */
TEST_F_TIMEOUT(map, names_of_others, 60)
{
	char command[64], c;
	int named[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(named));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, "=\033\x9b\xc2\x9b\xed\xa0\x80\xc0\xaf,");
		if (write(named[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(named[1]);
	ASSERT_EQ(1, read(named[0], &c, 1));
	close(named[0]);
	EXPECT_EQ(0, run("-l -f csv"));
	EXPECT_TRUE(file_has(OUT, ",1,\"'=????????,\"\n"));
	EXPECT_EQ(0, run("-l -f text"));
	EXPECT_TRUE(file_has(OUT, " =????????,\n"));
	EXPECT_EQ(0, run("-l -f json"));
	EXPECT_TRUE(file_has(OUT, "\"=\\u001b\\u009b\\u009b"));
	EXPECT_TRUE(file_has(OUT, "\\u00ed\\u00a0\\u0080\\u00c0\\u00af,\""));
	EXPECT_TRUE(file_is_json(OUT));
	EXPECT_EQ(0, RUN("-f svg %d", pid));
	EXPECT_TRUE(file_has(OUT, ": =&#xfffd;&#xfffd;&#xfffd;"));
	snprintf(command, sizeof(command), "-f csv %d", pid);
	EXPECT_EQ(3, run_as(NOBODY, command));
	EXPECT_TRUE(file_has(ERRORS, ": =????????, is of user 0"));
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

/* ---- what is not there, or not whole ---- */

#define MANY_MAPPINGS 20000

/* In a child: one block each */
static void have_many(int ready)
{
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < MANY_MAPPINGS; i++)
		if (mmap(NULL, PAGES(2), i & 1 ? PROT_READ : PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			_exit(1);
	if (write(ready, "", 1) == 1)
		pause();
	_exit(1);
}

static size_t lines_in(const char *path)
{
	char *text = text_of(path);
	size_t n = count_in(text, "\n");

	free(text);
	return n;
}

/* Ends it so long after the look has begun. Return: the exit status of that */
static int look_and_kill(unsigned int ms)
{
	pid_t pid, killer;
	int ready[2], status;
	char c;

	if (pipe2(ready, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid)
		have_many(ready[1]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		return -1;
	close(ready[0]);
	killer = fork();
	if (!killer) {
		sleep_ms(ms);
		_exit(kill(pid, SIGKILL));
	}
	status = RUN("-f csv %d", pid);
	waitpid(killer, NULL, 0);
	waitpid(pid, NULL, 0);
	return status;
}

/* All of a process is told, or none. */
TEST_F_TIMEOUT(map, ends_meanwhile, 120)
{
	unsigned int ms, failed = 0;
	int status = 1;

	for (ms = 4; status && ms < 20000; ms += 1 + ms / 4) {
		status = look_and_kill(ms);
		ASSERT_TRUE(status == 0 || status == 1);
		failed += status;
	}
	EXPECT_LT(0, failed);
	EXPECT_EQ(0, status);
	EXPECT_LT(MANY_MAPPINGS, lines_in(OUT));
}

static void *stay(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* Other threads go on when the first one has ended. */
TEST_F_TIMEOUT(map, first_thread_has_ended, 60)
{
	pthread_t thread;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_create(&thread, NULL, stay, NULL))
			_exit(1);
		syscall(SYS_exit, 0);
	}
	EXPECT_TRUE(SETTLES(RUN("-f csv %d", pid) == 1));
	EXPECT_TRUE(file_has(ERRORS, "its first thread has ended"));
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

#define HUGE_PAGES "/proc/sys/vm/nr_hugepages"

/* They are in memory, though VmRSS has them not. */
TEST_F_TIMEOUT(map, huge_pages, 60)
{
	size_t size = MIB(4);
	char line[80], *base;

	ASSERT_TRUE(write_number(HUGE_PAGES, 2));
	base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, base);
	memset(base, 1, size);
	EXPECT_EQ(0, RUN("-f csv %d", getpid()));
	snprintf(line, sizeof(line), "0x%zx,private,mapping,%zu,%zu,%zu,%zu,",
		 (size_t)base, size, size, size, size);
	EXPECT_TRUE(file_has(OUT, line));
	EXPECT_EQ(0, munmap(base, size));
	EXPECT_TRUE(write_number(HUGE_PAGES, 0));
}

static int look_without_proc(void *unused)
{
	CHECK(!unused);
	CHECK(!unshare(CLONE_NEWNS) &&
	      !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	      !mount("none", "/proc", "tmpfs", 0, NULL));
	CHECK(run("-f csv -l") == 1);
	CHECK(file_has(ERRORS, "/proc is not mounted"));
	CHECK(run("-f csv -- /bin/true") == 125);
	return 0;
}

TEST_F(map, no_proc)
{
	EXPECT_EQ(0, in_child(look_without_proc, NULL));
}

/* ---- two moments ---- */

TEST_F_TIMEOUT(map, differences, 60)
{
	char line[128];

	EXPECT_EQ(0, RUN("-f snapshot -o " DIRECTORY "/a %d", self->held.pid));
	EXPECT_EQ(0, run("-d " DIRECTORY "/a " DIRECTORY "/a"));
	EXPECT_TRUE(file_has(OUT, ", in KiB\nno difference\n"));
	EXPECT_FALSE(file_has(OUT, "+0"));
	ASSERT_TRUE(give_order(&self->held, COMMIT_MORE));
	ASSERT_TRUE(give_order(&self->held, RESERVE_MORE));
	ASSERT_TRUE(give_order(&self->held, RELEASE_ONE));
	EXPECT_EQ(0, RUN("-f snapshot -o " DIRECTORY "/b %d", self->held.pid));
	EXPECT_EQ(1, run("-f csv -d " DIRECTORY "/a " DIRECTORY "/b"));
	snprintf(line, sizeof(line), "\nbefore,%p,private,region,1036288,16384,",
		 (void *)AT(0));
	EXPECT_TRUE(file_has(OUT, line));
	snprintf(line, sizeof(line), "\nafter,%p,private,region,1036288,24576,",
		 (void *)AT(0));
	EXPECT_TRUE(file_has(OUT, line));
	snprintf(line, sizeof(line), "\ngone,%p,private,region,4096,0,",
		 (void *)AT(1));
	EXPECT_TRUE(file_has(OUT, line));
	snprintf(line, sizeof(line), "\nnew,%p,private,region,1048576,0,",
		 (void *)AT(9));
	EXPECT_TRUE(file_has(OUT, line));
	EXPECT_EQ(1, run("-f json -d " DIRECTORY "/a " DIRECTORY "/b"));
	EXPECT_TRUE(file_is_json(OUT));
	EXPECT_EQ(1, run("--diff " DIRECTORY "/a " DIRECTORY "/b"));
	EXPECT_TRUE(file_has(OUT, "\n< 310000000000 private "));
	EXPECT_TRUE(file_has(OUT, "\n> 310000000000 private "));
	EXPECT_TRUE(file_has(OUT, "\n- 310001000000 private "));
	EXPECT_TRUE(file_has(OUT, "\nprivate "));
	EXPECT_FALSE(file_has(OUT, "\nheap "));
	EXPECT_TRUE(file_has(OUT, "\n+ 310009000000 private "));
	EXPECT_GE(80, widest_line(OUT));
}

/* A snapshot says all that the process says itself; a part of one is none. */
TEST_F_TIMEOUT(map, snapshots, 60)
{
	char *text;
	int fd;

	EXPECT_EQ(0, RUN("-f snapshot -o " DIRECTORY "/a %d", self->held.pid));
	EXPECT_EQ(0, run("-f json -r -F -L " DIRECTORY "/a"));
	EXPECT_TRUE(all_fit(fits_json));
	EXPECT_TRUE(file_is_json(OUT));
	text = text_of(DIRECTORY "/a");
	fd = open(DIRECTORY "/b", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, write(fd, text, strlen(text) * 3 / 4));
	close(fd);
	free(text);
	EXPECT_EQ(1, run("-f text -L " DIRECTORY "/b"));
	EXPECT_TRUE(file_has(ERRORS, "no snapshot"));
	EXPECT_EQ(2, run("-d " DIRECTORY "/a " DIRECTORY "/b"));
	EXPECT_EQ(2, run("-d " DIRECTORY "/a " DIRECTORY "/nothing"));
}

/* ---- a program from begin to end ---- */

/* Of private memory, the most and the last that was committed */
static void read_timeline(const char *path, unsigned long long *most,
			  unsigned long long *last, unsigned int *looks)
{
	unsigned long long committed;
	char *text = text_of(path), *line = text;
	double seconds;

	*most = 0;
	*last = 0;
	*looks = 0;
	for (; line; line = strchr(line + 1, '\n'))
		if (sscanf(line, "\n%lf,private,%*u,%*u,%llu,", &seconds,
			   &committed) == 2) {
			*last = committed;
			*most = committed > *most ? committed : *most;
			(*looks)++;
		}
	free(text);
}

TEST_F_TIMEOUT(map, timeline, 300)
{
	unsigned long long most = 0, last = 0;
	unsigned int looks = 0, ms;

	/* Looks are seldom where they take long, and miss what is there for less. */
	for (ms = 500; ms <= 8000 && (most < MIB(16) || last >= MIB(2) ||
				      looks < 3); ms *= 4) {
		EXPECT_EQ(7, RUN("-n 0.1 -f csv -o " DIRECTORY "/line -- %s/map_steps %u 7",
				 programs, ms));
		EXPECT_TRUE(file_has(OUT, "all steps done"));
		read_timeline(DIRECTORY "/line", &most, &last, &looks);
	}
	EXPECT_LE(MIB(16), most);
	EXPECT_GT(MIB(18), most);
	EXPECT_GT(MIB(2), last);
	EXPECT_LE(3, looks);
	EXPECT_EQ(0, RUN("-n 0.1 -f json -o " DIRECTORY "/line -- %s/map_steps 100 0",
			 programs));
	EXPECT_TRUE(file_is_json(DIRECTORY "/line"));
	EXPECT_EQ(0, RUN("-n 0.1 -f svg -o " DIRECTORY "/line -- %s/map_steps 100 0",
			 programs));
	EXPECT_TRUE(file_has(DIRECTORY "/line", "<polygon points="));
	EXPECT_TRUE(file_has(DIRECTORY "/line", "</svg>\n"));
}

static int mode_of(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) ? -1 : (int)(stat.st_mode & 0777);
}

/* What tells where memory is nobody else can read. */
TEST_F_TIMEOUT(map, files, 60)
{
	static const char new[] = DIRECTORY "/new";

	umask(0);
	unlink(new);
	EXPECT_EQ(0, RUN("-f snapshot -o %s %d", new, self->held.pid));
	EXPECT_EQ(0600, mode_of(new));
	unlink(new);
	EXPECT_EQ(0, RUN("-f csv -o %s -- /bin/sh -c true", new));
	EXPECT_EQ(0600, mode_of(new));
	/* One that was there stays as it was. */
	EXPECT_EQ(0, chmod(new, 0644));
	EXPECT_EQ(0, RUN("-f csv -o %s %d", new, self->held.pid));
	EXPECT_EQ(0644, mode_of(new));
	unlink(new);
}

TEST_F_TIMEOUT(map, end_of_programs, 60)
{
	EXPECT_EQ(127, run("-- /no/such/program"));
	EXPECT_EQ(126, run("-- /tmp"));
	EXPECT_EQ(128 + SIGKILL, run("-f csv -- /bin/sh -c kill\t-9\t$$"));
	/* One look says little. */
	EXPECT_EQ(0, run("-n 60 -f text -- /bin/sh -c sleep\t4"));
	EXPECT_TRUE(file_has(OUT, "by 1 look in"));
	EXPECT_TRUE(file_has(ERRORS, "a shorter --interval sees more"));
	EXPECT_EQ(127, run("-n 60 -f text -- /no/such/program"));
	EXPECT_FALSE(file_has(OUT, "look"));
	EXPECT_FALSE(file_has(ERRORS, "--interval"));
	/* One that does not run leaves what was written before. */
	EXPECT_EQ(0, run("-f csv -o " DIRECTORY "/kept -- /bin/sh -c true"));
	EXPECT_EQ(127, run("-f csv -o " DIRECTORY "/kept -- /no/such"));
	EXPECT_TRUE(file_has(DIRECTORY "/kept", "\n"));
	EXPECT_EQ(0, run("-f json -o " DIRECTORY "/kept -- /bin/sh -c true"));
	EXPECT_TRUE(file_is_json(DIRECTORY "/kept"));
}

/* ---- who may, and what is wrong ---- */

#define OWN_REGION "\n0x310000000000,private,region,1036288,16384,16384,4096,0,4096,rw-,\n"

TEST_F_TIMEOUT(map, other_users, 60)
{
	struct held own;
	char command[64];

	snprintf(command, sizeof(command), "-f csv %d", self->held.pid);
	EXPECT_EQ(3, run_as(NOBODY, command));
	EXPECT_TRUE(file_has(ERRORS, "is of user 0"));
	EXPECT_TRUE(file_has(ERRORS, "only root may look at it"));
	ASSERT_TRUE(start_held(&own, NOBODY, false));
	snprintf(command, sizeof(command), "-f csv %d", own.pid);
	EXPECT_EQ(0, run_as(NOBODY, command));
	EXPECT_TRUE(file_has(OUT, OWN_REGION));
	EXPECT_EQ(0, run_as(NOBODY, "-l -f csv"));
	snprintf(command, sizeof(command), "\n%d,%d,", own.pid, NOBODY);
	EXPECT_TRUE(file_has(OUT, command));
	EXPECT_EQ(0, end_held(&own));
}

#define DEVICE "/dev/winregion"

/* Whose regions nobody tells has the mappings that they are in. */
TEST_F_TIMEOUT(map, regions_that_are_not_told, 60)
{
	struct held own;
	char command[64];

	ASSERT_TRUE(start_held(&own, NOBODY, false));
	snprintf(command, sizeof(command), "-f csv %d", own.pid);
	ASSERT_EQ(0, chmod(DEVICE, 0600));
	EXPECT_EQ(0, run_as(NOBODY, command));
	EXPECT_EQ(0, chmod(DEVICE, 0666));
	EXPECT_TRUE(file_has(ERRORS, "no regions are told: "));
	EXPECT_TRUE(file_has(OUT, "/dev/zero[winregion]"));
	EXPECT_EQ(0, run_as(NOBODY, command));
	EXPECT_FALSE(file_has(OUT, "/dev/zero[winregion]"));
	EXPECT_EQ(0, end_held(&own));
}

/* With any of these a root may look; the last two are of kernels from 6.14 on. */
TEST_F_TIMEOUT(map, root_that_may_not, 60)
{
	const int rights[] = { CAP_SYS_PTRACE, CAP_PERFMON, CAP_SYS_ADMIN };
	size_t i;

	EXPECT_EQ(0, RUN("-f csv %d", self->held.pid));
	for (i = 0; i < ARRAY_SIZE(rights); i++)
		ASSERT_EQ(0, prctl(PR_CAPBSET_DROP, rights[i], 0, 0, 0));
	EXPECT_EQ(3, RUN("-f csv %d", self->held.pid));
	EXPECT_TRUE(file_has(ERRORS,
			     "only a root with CAP_SYS_PTRACE may look at it"));
}

TEST_F_TIMEOUT(map, wrong_words, 60)
{
	EXPECT_EQ(0, run("--help"));
	EXPECT_TRUE(file_has(OUT, "usage: winregion-map "));
	EXPECT_EQ(0, run("--version"));
	EXPECT_TRUE(file_has(OUT, "winregion-map 0."));
	EXPECT_EQ(1, run_to("/dev/full", 0, "--help"));
	EXPECT_TRUE(file_has(ERRORS, "cannot write: No space left"));
	EXPECT_EQ(1, run_to("/dev/full", 0, "--version"));
	EXPECT_EQ(2, run("--no-such-option"));
	EXPECT_TRUE(file_has(ERRORS, "winregion-map: unrecognized option"));
	EXPECT_FALSE(file_has(ERRORS, "/winregion-map: "));
	EXPECT_EQ(2, run("-f no-such-format 1"));
	EXPECT_TRUE(file_has(ERRORS, "\"; there is text, json, csv, html, svg, snapshot\n"));
	EXPECT_EQ(2, run("-t no-such-type 1"));
	EXPECT_EQ(2, run("-t heap,no-such-type,stack 1"));
	EXPECT_TRUE(file_has(ERRORS, "no such type: \"no-such-type\"; there is image, file, "));
	EXPECT_EQ(2, run("--type= 1"));
	EXPECT_TRUE(file_has(ERRORS, "no such type: \"\"; there is image, file, "));
	EXPECT_EQ(2, run("-s no-such-key 1"));
	EXPECT_TRUE(file_has(ERRORS, "\"; there is size, committed, private, "));
	EXPECT_TRUE(file_has(ERRORS, ", address, type, name\n"));
	EXPECT_EQ(2, run("-a no-address 1"));
	EXPECT_EQ(2, run("-a 10000000000000000 1"));
	EXPECT_EQ(2, run("-w wide 1"));
	EXPECT_EQ(2, run("-w -1 1"));
	EXPECT_EQ(2, run("--"));
	EXPECT_EQ(2, run("1 --"));
	EXPECT_TRUE(file_has(ERRORS, "a program is needed after --"));
	EXPECT_EQ(2, run("1 -- /bin/true"));
	EXPECT_TRUE(file_has(ERRORS, "a process or a program, not both: 1"));
	EXPECT_EQ(2, run("-l 1"));
	EXPECT_TRUE(file_has(ERRORS, "a list is of all processes"));
	EXPECT_EQ(2, run("-l -- /bin/true"));
	EXPECT_EQ(2, run("-L " OUT " -- /bin/true"));
	EXPECT_EQ(2, run("-L " OUT " -d " OUT " " OUT));
	EXPECT_EQ(2, run("-d " OUT " -- /bin/true"));
	EXPECT_EQ(1, run("-f text -L /dev/zero"));
	/* What would be in vain */
	EXPECT_EQ(2, run("-f csv -l -s size"));
	EXPECT_TRUE(file_has(ERRORS, "a list of processes has no: sort"));
	EXPECT_EQ(2, run("-f csv -l -t private"));
	EXPECT_EQ(2, run("-f csv -F"));
	EXPECT_EQ(2, run("-d -r " OUT " " OUT));
	EXPECT_EQ(2, run("-d -s size " OUT " " OUT));
	EXPECT_EQ(2, run("-d -R " OUT " " OUT));
	EXPECT_TRUE(file_has(ERRORS, "a difference has no: reverse"));
	EXPECT_EQ(2, run("-f svg -t heap 1"));
	EXPECT_EQ(2, run("-f svg -L " OUT " -a 10000"));
	EXPECT_TRUE(file_has(ERRORS, "a picture has no: at"));
	EXPECT_EQ(2, run("-f snapshot -s size 1"));
	EXPECT_TRUE(file_has(ERRORS, "a snapshot has no: sort"));
	EXPECT_EQ(2, run("-f csv -a 10000 -- /bin/true"));
	EXPECT_EQ(2, run("-n 0 1"));
	EXPECT_EQ(2, run("-n 86401 1"));
	EXPECT_EQ(2, run("-n 0.001 1"));
	EXPECT_TRUE(file_has(ERRORS, "seconds from 0.01 to 86400: 0.001"));
	EXPECT_EQ(2, run("no-number"));
	EXPECT_EQ(2, run("./program"));
	EXPECT_TRUE(file_has(ERRORS, "no number of a process: ./program\n"));
	EXPECT_TRUE(file_has(ERRORS, "\nto run a program: winregion-map -- ./program\n"));
	EXPECT_EQ(2, run("1 2"));
	EXPECT_EQ(2, run("1 -r 2"));
	EXPECT_TRUE(file_has(ERRORS, "too many words; a program comes after --: 2"));
	EXPECT_EQ(2, run("-d " OUT));
	EXPECT_EQ(1, run("-f text 4194303"));
	EXPECT_TRUE(file_has(ERRORS, "No such process"));
	/* A thread of the kernel */
	EXPECT_EQ(1, run("-f text 2"));
	EXPECT_EQ(1, RUN("-f text -o /dev/full %d", self->held.pid));
	EXPECT_EQ(1, RUN("-f text -o /no/such/place %d", self->held.pid));
}

/* Options come before or after what they are about; behind "--" there are none. */
TEST_F_TIMEOUT(map, order_of_words, 60)
{
	int correct;

	for (correct = 0; correct < 2; correct++) {
		EXPECT_EQ(0, RUN("%d -f csv -t private", self->held.pid));
		EXPECT_TRUE(file_has(OUT, "\n0x310000000000,private,"));
		EXPECT_FALSE(file_has(OUT, ",image,"));
		EXPECT_EQ(0, RUN("%d -f snapshot -o " DIRECTORY "/a",
				 self->held.pid));
		EXPECT_EQ(0, run("-d " DIRECTORY "/a -f csv " DIRECTORY "/a"));
		EXPECT_EQ(0, run("-f csv -- /bin/echo -f -- -x"));
		EXPECT_TRUE(file_has(OUT, "-f -- -x\n"));
		ASSERT_EQ(0, setenv("POSIXLY_CORRECT", "1", 1));
	}
	EXPECT_EQ(0, unsetenv("POSIXLY_CORRECT"));
}

/* The list has each process once, with its regions. */
TEST_F_TIMEOUT(map, processes, 60)
{
	char line[32], *text, *at;
	unsigned int regions = 0;
	int n;

	EXPECT_EQ(0, run("-l -f csv"));
	snprintf(line, sizeof(line), "\n%d,0,", self->held.pid);
	text = text_of(OUT);
	EXPECT_EQ(1, count_in(text, line));
	at = strstr(text, line);
	ASSERT_NE(NULL, at);
	n = sscanf(at + strlen(line), "%*u,%*u,%*u,%*u,%u,", &regions);
	EXPECT_EQ(1, n);
	/* Three, three views, and the stack */
	EXPECT_LE(5, regions);
	free(text);
	EXPECT_EQ(0, run("-l -f json"));
	EXPECT_TRUE(file_is_json(OUT));
}

#ifdef __x86_64__

/* ---- the screen ---- */

static bool open_screen_with(struct terminal *terminal, char *option, pid_t pid,
			     const char *name, int rows, int columns)
{
	char tool[PATH_MAX + 32], number[16];
	char *argv[] = { tool, option, number, NULL };

	snprintf(tool, sizeof(tool), "%s/winregion-map", programs);
	snprintf(number, sizeof(number), "%d", pid);
	if (!pid)
		argv[2] = NULL;
	return terminal_start(terminal, argv, programs, name, rows, columns);
}

static bool open_screen(struct terminal *terminal, pid_t pid, const char *name,
			int rows, int columns)
{
	char every[] = "-n0.5";

	return open_screen_with(terminal, every, pid, name, rows, columns);
}

/* Whether a row of the bar has a cell of that colour of the palette */
static bool has_paper(const struct terminal *terminal, int row, int colour)
{
	VTermScreenCell cell;
	int column;

	for (column = 0; column < terminal->columns; column++) {
		terminal_cell(terminal, row, column, &cell);
		if (VTERM_COLOR_IS_INDEXED(&cell.bg) &&
		    cell.bg.indexed.idx == colour)
			return true;
	}
	return false;
}

static bool is_reversed(const struct terminal *terminal, int row)
{
	VTermScreenCell cell;

	terminal_cell(terminal, row, 2, &cell);
	return cell.attrs.reverse;
}

#define WAITS(what) EXPECT_LE(0, terminal_wait(&terminal, what, 30))

TEST_F_TIMEOUT(map, screen, 180)
{
	struct terminal terminal;
	int row;

	ASSERT_TRUE(open_screen(&terminal, self->held.pid, "xterm-256color", 40,
				120));
	row = terminal_wait(&terminal, "> 310000000000 private", 30);
	ASSERT_LE(0, row);
	WAITS("q quit");
	/* The bar: private, free, images */
	EXPECT_TRUE(has_paper(&terminal, 1, 220));
	EXPECT_TRUE(has_paper(&terminal, 1, 240));
	EXPECT_TRUE(has_paper(&terminal, 1, 134));
	EXPECT_FALSE(has_paper(&terminal, 1, 77));
	terminal_press(&terminal, "Ga310000000077\r\r");
	row = terminal_wait(&terminal, "v 310000000000 private", 30);
	EXPECT_TRUE(is_reversed(&terminal, row));
	EXPECT_FALSE(is_reversed(&terminal, row + 1));
	WAITS("rw- guard");
	WAITS("  310000007000 run");
	if (getenv("WR_SCREENSHOT"))
		terminal_draw(&terminal);
	terminal_press(&terminal, "\r");
	WAITS("> 310000000000 private");

	/* What changes is marked; "m" keeps that. */
	terminal_press(&terminal, "m");
	WAITS("since the mark");
	ASSERT_TRUE(give_order(&self->held, COMMIT_MORE));
	ASSERT_TRUE(give_order(&self->held, RESERVE_MORE));
	WAITS("*> 310000000000 private");
	WAITS("+  310009000000 private");
	/* Code that runs for the first time comes into memory, and changes, too. */
	WAITS("+1 new *");
	WAITS("-0 gone since the mark");
	terminal_press(&terminal, "m");
	WAITS("  310009000000 private");

	terminal_press(&terminal, "f");
	WAITS("free blocks, the largest");
	/* They come back with what is about them. */
	terminal_press(&terminal, "ff/signs\r");
	WAITS("310003000000 file");
	EXPECT_TRUE(terminal_wait_gone(&terminal, "310000000000 private", 30));
	terminal_press(&terminal, "/\033");
	WAITS("310000000000 private");
	/* What is free is beside the type that is chosen. */
	terminal_press(&terminal, "tF");
	WAITS("[type image] [with free] ");
	terminal_press(&terminal, "t");
	WAITS("[type file] [with free] ");
	EXPECT_EQ(-1, terminal_find(&terminal, "310000000000 private"));
	terminal_press(&terminal, "F");
	EXPECT_TRUE(terminal_wait_gone(&terminal, "[with free]", 30));
	WAITS("[type file] ");
	terminal_press(&terminal, "FtttttF");
	EXPECT_TRUE(terminal_wait_gone(&terminal, "[type", 30));
	WAITS("310000000000 private");
	terminal_press(&terminal, "s");
	WAITS("by type");
	terminal_press(&terminal, "?");
	WAITS("go to the next block that has changed");
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
}

/* From the list to a process, which then ends; and with neither colours nor room */
TEST_F_TIMEOUT(map, small_screen, 180)
{
	struct terminal terminal;
	struct held other;
	char line[32];

	ASSERT_TRUE(start_held(&other, 0, false));
	ASSERT_TRUE(open_screen(&terminal, 0, "xterm-256color", 24, 80));
	WAITS("processes");
	terminal_press(&terminal, "/map_test\r");
	snprintf(line, sizeof(line), "%8d      0", other.pid);
	WAITS(line);
	WAITS("[name map_test] ");
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));

	ASSERT_TRUE(open_screen(&terminal, other.pid, "xterm-256color", 24, 80));
	WAITS("310000000000 private");
	EXPECT_EQ(0, end_held(&other));
	WAITS("ended");
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
}

#define HEADS "   address      type        size commit private resident "

/* Nothing of what is said there is cut where there are 80 columns. */
TEST_F_TIMEOUT(map, screen_of_80_columns, 180)
{
	struct terminal terminal;
	char line[512];

	ASSERT_TRUE(open_screen(&terminal, self->held.pid, "xterm-256color", 24,
				80));
	WAITS("310000000000 private");
	EXPECT_STREQ(" s", &terminal_row(&terminal, 0, line)[78]);
	WAITS("t type  / filter  l list  a address  m mark ");
	WAITS(HEADS "name (by address)");
	terminal_press(&terminal, "sss");
	WAITS(HEADS "name (by size)");
	terminal_press(&terminal, "sS");
	WAITS(HEADS "(by committed, reverse)");
	terminal_press(&terminal, "Sm");
	WAITS("gone since the mark ");
	terminal_press(&terminal, "?");
	WAITS("t                     one type after the other; F: what is free, too ");
	WAITS("m                     mark: compare with how it is now; again: no more ");
	WAITS(" In front of a block: + it is new, * it has changed, > it has several runs. ");
	terminal_press(&terminal, "?");
	ASSERT_TRUE(terminal_resize(&terminal, 24, 110));
	WAITS("    locked name (by committed)");
	terminal_press(&terminal, "S");
	WAITS("    locked (by committed, reverse)");
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
}

/* A process of that number, which waits until it is killed */
static bool have_number(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	pid_t child = syscall(SYS_clone3, &args, sizeof(args));

	if (child)
		return child == pid;
	for (;;)
		pause();
}

/* Who has the number of a process that has ended is not that process. */
TEST_F_TIMEOUT(map, number_of_another, 180)
{
	struct terminal terminal;
	struct held other;

	ASSERT_TRUE(start_held(&other, 0, false));
	ASSERT_TRUE(open_screen_with(&terminal, (char[]){ "-n3" }, other.pid,
				     "xterm-256color", 24, 80));
	WAITS("310000000000 private");
	EXPECT_EQ(0, end_held(&other));
	ASSERT_TRUE(have_number(other.pid));
	WAITS("ended");
	EXPECT_LE(0, terminal_find(&terminal, "310000000000 private"));
	EXPECT_EQ(0, kill(other.pid, SIGKILL));
	EXPECT_EQ(other.pid, waitpid(other.pid, NULL, 0));
	/* Ctrl-\ */
	terminal_press(&terminal, "\034");
	EXPECT_EQ(0, terminal_end(&terminal));
}

/* Of a screen that is paused: whether it draws at a new size, before it gets another one */
static bool draws_at(struct terminal *terminal, int rows, int columns)
{
	struct pollfd event = { .fd = terminal->fd, .events = POLLIN };

	while (poll(&event, 1, 500) > 0)
		if (!terminal_update(terminal, 0))
			return false;
	if (!terminal_resize(terminal, rows, columns) ||
	    poll(&event, 1, 30000) <= 0)
		return false;
	while (poll(&event, 1, 500) > 0)
		if (!terminal_update(terminal, 0))
			return false;
	return true;
}

/* A list where there is room for nothing else; and what it is a part of is said. */
TEST_F_TIMEOUT(map, tiny_screen, 180)
{
	struct terminal terminal;

	ASSERT_TRUE(open_screen(&terminal, self->held.pid, "xterm-256color", 5,
				20));
	WAITS("   address      type");
	WAITS("q quit");
	terminal_press(&terminal, "a310001000077\r");
	WAITS("310001000000 priv");
	terminal_press(&terminal, "?");
	WAITS("Enter, right");
	terminal_press(&terminal, "?");
	WAITS("310001000000 priv");
	terminal_press(&terminal, "p");
	ASSERT_TRUE(draws_at(&terminal, 1, 1));
	ASSERT_TRUE(draws_at(&terminal, 2, 3));
	terminal_press(&terminal, "jp");
	ASSERT_TRUE(terminal_resize(&terminal, 30, 80));
	WAITS("size commit private resident");
	terminal_press(&terminal, "/signs\r");
	WAITS("[name signs] ? help");
	/* The end of a path, where it is longer than the rest of the line */
	WAITS("310003000000 file ");
	WAITS(" rw- ..ata, with \"signs\"");
	terminal_press(&terminal, "/\033t");
	WAITS("[type image] ? help");
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
}

/* What it writes can be read, also where numbers have a comma. */
TEST_F_TIMEOUT(map, screen_with_commas, 60)
{
	struct terminal terminal;
	char path[PATH_MAX + 32];
	glob_t files;

	snprintf(path, sizeof(path), "%s/locale", programs);
	ASSERT_EQ(0, chdir(DIRECTORY));
	ASSERT_EQ(0, setenv("LOCPATH", path, 1));
	ASSERT_EQ(0, setenv("LC_ALL", "de_DE.UTF-8", 1));
	ASSERT_TRUE(open_screen(&terminal, self->held.pid, "xterm-256color", 24,
				80));
	WAITS("310000000000 private");
	terminal_press(&terminal, "w");
	WAITS(": written");
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
	snprintf(path, sizeof(path), "winregion-map.%d.*", self->held.pid);
	ASSERT_EQ(0, glob(path, 0, NULL, &files));
	EXPECT_EQ(0, RUN("-f json -L %s", files.gl_pathv[0]));
	EXPECT_TRUE(file_is_json(OUT));
	EXPECT_EQ(0600, mode_of(files.gl_pathv[0]));
	EXPECT_EQ(0, unlink(files.gl_pathv[0]));
	globfree(&files);
}

/* What another program writes on it goes at Ctrl-L; names have any characters. */
TEST_F_TIMEOUT(map, screen_in_the_way, 60)
{
	const char wall[] = "\033[3;1HBroadcast message from root";
	struct terminal terminal;

	ASSERT_TRUE(open_screen(&terminal, self->held.pid, "xterm-256color", 24,
				80));
	WAITS("310000000000 private");
	vterm_input_write(terminal.vt, wall, strlen(wall));
	WAITS("Broadcast");
	terminal_press(&terminal, "\f");
	EXPECT_TRUE(terminal_wait_gone(&terminal, "Broadcast", 30));
	WAITS("310000000000 private");
	terminal_press(&terminal, "/\xc3\xa9\r");
	EXPECT_TRUE(terminal_wait_gone(&terminal, "310000000000 private", 30));
	terminal_press(&terminal, "/\x7fsigns\r");
	WAITS("[name signs]");
	WAITS("310003000000 file");
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
}

/* By wish, and where a terminal has no places */
TEST_F_TIMEOUT(map, screen_without, 60)
{
	struct terminal terminal;

	ASSERT_EQ(0, setenv("NO_COLOR", "1", 1));
	ASSERT_TRUE(open_screen(&terminal, self->held.pid, "xterm-256color", 40,
				120));
	WAITS("310000000000 private");
	EXPECT_FALSE(has_paper(&terminal, 1, 220));
	EXPECT_FALSE(has_paper(&terminal, 1, 134));
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
	ASSERT_TRUE(open_screen(&terminal, self->held.pid, "dumb", 24, 80));
	WAITS("no terminal that is known");
	EXPECT_EQ(1, terminal_end(&terminal));
}

/* Who allocates from now on: all, and in one block */
TEST_F_TIMEOUT(map, screen_of_stacks, 180)
{
	struct terminal terminal;

	ASSERT_TRUE(open_screen_with(&terminal, (char[]){ "-kn0.5" },
				     self->held.pid, "xterm-256color", 40,
				     120));
	WAITS("310000000000 private");
	terminal_press(&terminal, "c");
	WAITS("who allocates, since followed");
	ASSERT_TRUE(give_order(&self->held, COMMIT_MORE));
	WAITS("> committed       8 K       8 K       8 K       1 VirtualAlloc");
	ASSERT_TRUE(give_order(&self->held, RESERVE_MORE));
	WAITS("> reserved     1024 K    1024 K    1024 K       1 VirtualAlloc");
	terminal_press(&terminal, "g\r");
	WAITS("v reserved     1024 K");
	WAITS("    VirtualAlloc");
	terminal_press(&terminal, "\rca310009000000\rC");
	WAITS("who has some of 310009000000");
	WAITS("> reserved     1024 K");
	EXPECT_EQ(-1, terminal_find(&terminal, "committed       8 K"));
	terminal_press(&terminal, "c");
	WAITS("310009000000 private");
	terminal_press(&terminal, "l");
	WAITS("call stacks are those of one process");
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
}

/* ---- many regions ---- */

static double cpu_seconds(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char path[40], *text, *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = malloc(4096);
	if (text) {
		FILE *file = fopen(path, "r");
		size_t n = file ? fread(text, 1, 4095, file) : 0;

		text[n] = '\0';
		if (file)
			fclose(file);
		at = strrchr(text, ')');
		if (at)
			sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			       &user, &system);
	}
	free(text);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double children_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Seconds of a processor that the tool takes to print all, or -1 */
static double printed(pid_t pid)
{
	double before = children_seconds();

	return RUN("%d", pid) ? -1 : children_seconds() - before;
}

/* For how long the refresh is looked at */
#define WATCH_SECONDS 20

/* How often a machine that is busy with something else may spoil it */
#define TRIES 6

/* Seconds of a processor until all of the first screen is there */
static double first_screen(struct terminal *terminal, pid_t pid)
{
	if (!open_screen(terminal, pid, "xterm-256color", 40, 120) ||
	    terminal_wait(terminal, "q quit", 60) < 0)
		return -1;
	return cpu_seconds(terminal->pid);
}

/* Seconds of a processor that its looks take in WATCH_SECONDS */
static double watched(struct terminal *terminal)
{
	double before = cpu_seconds(terminal->pid);
	uint64_t end = now_ms() + WATCH_SECONDS * 1000;

	while (now_ms() < end)
		terminal_update(terminal, 100);
	return cpu_seconds(terminal->pid) - before;
}

/*
 * The first screen takes no more than it takes to print all, more or less;
 * and all looks after it less than a twentieth of a processor, but for one that may be
 * just over.
 */
TEST_F_TIMEOUT(map, many_regions, 400)
{
	double once, first, later;
	struct terminal terminal;
	int tries = 1, more = 1;

	ASSERT_TRUE(give_order(&self->held, RESERVE_MANY));
	for (;; tries++) {
		once = printed(self->held.pid);
		ASSERT_LT(0, once);
		first = first_screen(&terminal, self->held.pid);
		ASSERT_LE(0, first);
		if (first <= once * 1.25 + 0.2 || tries == TRIES)
			break;
		terminal_press(&terminal, "q");
		EXPECT_EQ(0, terminal_end(&terminal));
	}
	EXPECT_LE(first, once * 1.25 + 0.2);
	do
		later = watched(&terminal);
	while (later > WATCH_SECONDS * 0.05 + first && more++ < TRIES);
	TH_LOG("%ld regions: printed in %.2f s, first screen %.2f s (try %d), then %.2f s in %d s",
	       rounds(map_regions), once, first, tries, later, WATCH_SECONDS);
	EXPECT_LE(later, WATCH_SECONDS * 0.05 + first);
	terminal_press(&terminal, "q");
	EXPECT_EQ(0, terminal_end(&terminal));
}

#endif /* __x86_64__ */

TEST_HARNESS_MAIN
