// SPDX-License-Identifier: GPL-2.0
/*
 * Names of sections, by the ioctls themselves: whose they are, how long they last,
 * and who can be in whose way.
 */
/* vm: timeout=600 */
#include "kselftest_harness.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common.h"
#include "descriptors.h"
#include "wr_test_util.h"
#include "race.h"
#include "sections.h"
#include "fail_nth.h"

#define GLOBAL WINREGION_NAME_GLOBAL
#define READ WINREGION_SECTION_MAP_READ
#define WRITE WINREGION_SECTION_MAP_WRITE
#define QUERY WINREGION_SECTION_QUERY
#define ALL WINREGION_SECTION_ALL

#define UNIT 0x10000UL

/* Users who have nothing else to do here */
#define ALICE 61001
#define BOB 61002
#define MALLORY 61003

FIXTURE(name)
{
	int fd;
};

FIXTURE_SETUP(name)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(name)
{
	close(self->fd);
}

/* ---- for the tests ---- */

/* The rest of the statement is what @uid does. Root's capabilities do not matter. */
#define AS(uid, expression) ({						\
	ASSERT_EQ(0, seteuid(uid));					\
	long __ret = (expression);					\
	ASSERT_EQ(0, seteuid(0));					\
	__ret;								\
})

#define NEEDS_USERS() do {						\
	if (geteuid())							\
		SKIP(return, "only root can be other users");		\
} while (0)

static int open_any(int fd, const char *name, uint32_t flags)
{
	return sec_open(fd, name, flags, READ | WRITE | QUERY);
}

/* Whether a descriptor is of a section with such a number in it */
static bool has_number(int fd, int section, uint64_t number)
{
	bool good;
	char *base;

	if (section < 0 || sec_map(section, 0, 0, RO, &base))
		return false;
	good = page_has(base, number);
	return !sec_unmap(fd, base) && good;
}

static bool put_number(int fd, int section, uint64_t number)
{
	char *base;

	if (section < 0 || sec_map(section, 0, 0, RW, &base))
		return false;
	fill_page(base, number);
	return !sec_unmap(fd, base);
}

/* Whether a name leads to the section with that number: 1, 0 or -errno */
static int leads_to(int fd, const char *name, uint32_t flags, uint64_t number)
{
	int section = sec_open(fd, name, flags, READ);
	bool good;

	if (section < 0)
		return section;
	good = has_number(fd, section, number);
	close(section);
	return good;
}

/* A new section with a name and a number in it; 0 if the name was there */
static int make(int fd, const char *name, uint32_t flags, uint32_t others,
		uint64_t number)
{
	int section = sec_create_named(fd, name, flags, others);

	if (section > 0 && !put_number(fd, section, number))
		return -EIO;
	return section;
}

static uint32_t owner_of(int section)
{
	struct winregion_query_section info;

	if (sec_query(section, &info) ||
	    !(info.out_flags & WINREGION_SECTION_NAMED))
		return ~1U;
	return info.out_owner;
}

/* ---- names ---- */

/* Rules: CM-41, OM-01. Whatever a second one was to be. */
TEST_F(name, one_section)
{
	struct winregion_create_section arg = {
		.length = MIB(3),
		.protection = RO,
		.flags = WINREGION_SECTION_RESERVE,
		.access = READ | QUERY,
	};
	int first, second, third;
	struct winregion_query_section info;

	EXPECT_EQ(-ESRCH, open_any(self->fd, "one", 0));
	first = make(self->fd, "one", 0, 0, 7);
	ASSERT_LT(0, first);
	second = sec_create_named_with(self->fd, "one", &arg);
	ASSERT_LE(0, second);
	EXPECT_EQ(1, arg.out_existed);
	EXPECT_EQ(UNIT, arg.length);
	EXPECT_TRUE(has_number(self->fd, second, 7));
	ASSERT_EQ(0, sec_query(second, &info));
	EXPECT_EQ(UNIT, info.out_length);
	EXPECT_EQ(WINREGION_SECTION_NAMED, info.out_flags);
	EXPECT_EQ(RW, info.out_protection);
	EXPECT_EQ(READ | QUERY, info.out_access);
	EXPECT_EQ(geteuid(), info.out_owner);
	EXPECT_EQ(0, info.out_others);
	third = open_any(self->fd, "one", 0);
	EXPECT_TRUE(put_number(self->fd, third, 8));
	EXPECT_TRUE(has_number(self->fd, first, 8));
	close(third);
	close(second);
	close(first);
	EXPECT_EQ(-ESRCH, open_any(self->fd, "one", 0));
}

/* Rules: CM-43. Bytes are compared, and how many there are. */
TEST_F(name, bytes)
{
	static const char longest[WINREGION_MAX_NAME + 1] = { 'x' };
	static const struct {
		const char *text;
		uint32_t length;
		uint32_t flags;
	} names[] = {
		{ "name", 4, 0 },     { "Name", 4, 0 },
		{ "nam", 3, 0 },      { "name ", 5, 0 },
		{ "n\0me", 4, 0 },    { "n\0m\\", 4, 0 },
		{ "name", 4, GLOBAL }, { "\\", 1, 0 },
		{ "\xff\xfe", 2, 0 }, { longest, WINREGION_MAX_NAME, 0 },
		{ longest, WINREGION_MAX_NAME - 1, 0 },
	};
	int sections[ARRAY_SIZE(names)], opened;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct winregion_create_section arg = {
			.name_flags = names[i].flags,
			.name_length = names[i].length,
		};

		sections[i] = sec_create_named_with(self->fd, names[i].text,
						    &arg);
		ASSERT_LE(0, sections[i]);
		EXPECT_EQ(0, arg.out_existed);
		EXPECT_TRUE(put_number(self->fd, sections[i], i));
	}
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct winregion_open_section arg = {
			.flags = names[i].flags,
			.name_length = names[i].length,
			.access = READ,
		};

		opened = sec_open_with(self->fd, names[i].text, &arg);
		EXPECT_TRUE(has_number(self->fd, opened, i));
		close(opened);
		close(sections[i]);
	}
}

static int create_with(int fd, struct winregion_create_section *arg)
{
	int ret = wr_ioctl(fd, WINREGION_CREATE_SECTION, arg);

	return ret ? ret : arg->out_fd;
}

/* And a refused call leaves no name, and tells nothing. */
TEST_F(name, create_errors)
{
	const struct winregion_create_section good = {
		.size = sizeof(good),
		.file = -1,
		.protection = RW,
		.access = ALL,
		.out_fd = -77,
		.length = UNIT,
		.name = (uintptr_t)"good",
		.name_length = 4,
		.out_existed = 77,
	};
	struct winregion_create_section arg, larger[2];
	int section;

#define REFUSED(error, ...) do {					\
	arg = good;							\
	__VA_ARGS__;							\
	EXPECT_EQ(-(error), create_with(self->fd, &arg));		\
	EXPECT_EQ(-77, arg.out_fd);					\
	EXPECT_EQ(77, arg.out_existed);					\
	EXPECT_EQ(-ESRCH, open_any(self->fd, "good", 0));		\
} while (0)
	REFUSED(EINVAL, arg.name_length = 0);
	REFUSED(ENAMETOOLONG, arg.name_length = WINREGION_MAX_NAME + 1);
	REFUSED(ENAMETOOLONG, arg.name_length = ~0U);
	REFUSED(EFAULT, arg.name = 1);
	REFUSED(EFAULT, arg.name = ~0ULL << 12);
	REFUSED(EINVAL, arg.name = 0);
	REFUSED(EINVAL, arg.name = 0, arg.name_length = 0, arg.others = READ);
	REFUSED(EINVAL, arg.name = 0, arg.name_length = 0,
		arg.name_flags = GLOBAL);
	REFUSED(EOPNOTSUPP, arg.name_flags = WINREGION_NAME_OWNER);
	REFUSED(EOPNOTSUPP, arg.name_flags = 1U << 31);
	REFUSED(EOPNOTSUPP, arg.others = 0x20);
	REFUSED(EINVAL, arg.name_flags = WINREGION_NAME_NEW |
					 WINREGION_NAME_EXISTING);
	REFUSED(ESRCH, arg.name_flags = WINREGION_NAME_EXISTING);
	REFUSED(EDOM, arg.protection = NA);
	REFUSED(EINVAL, arg.length = 0);
	REFUSED(EFBIG, arg.length = 1ULL << 47);
	REFUSED(EBADF, arg.file = 999);
	REFUSED(EINVAL, arg.size = sizeof(arg) - 1, arg.size = 31);
	memset(larger, 0, sizeof(larger));
	larger[0] = good;
	larger[0].size = sizeof(larger);
	larger[1].size = 1;
	EXPECT_EQ(-E2BIG, create_with(self->fd, larger));
	EXPECT_EQ(-ESRCH, open_any(self->fd, "good", 0));
	larger[1].size = 0;
	section = create_with(self->fd, larger);
	EXPECT_LE(0, section);
	EXPECT_LE(0, close(section));
	/* As it was before there were names: what follows is not looked at. */
	arg = good;
	arg.size = offsetof(struct winregion_create_section, name);
	section = create_with(self->fd, &arg);
	EXPECT_LE(0, section);
	EXPECT_EQ(77, arg.out_existed);
	EXPECT_EQ(~1U, owner_of(section));
	close(section);
}

TEST_F(name, open_errors)
{
	const struct winregion_open_section good = {
		.size = sizeof(good),
		.name = (uintptr_t)"good",
		.name_length = 4,
		.access = READ,
		.out_fd = -77,
	};
	int section = sec_create_named(self->fd, "good", 0, 0);
	struct winregion_open_section arg;

	ASSERT_LT(0, section);
#define NOT_OPENED(error, ...) do {					\
	arg = good;							\
	__VA_ARGS__;							\
	EXPECT_EQ(-(error), wr_ioctl(self->fd, WINREGION_OPEN_SECTION,	\
				     &arg));				\
	EXPECT_EQ(-77, arg.out_fd);					\
} while (0)
	NOT_OPENED(EINVAL, arg.size--);
	NOT_OPENED(EOPNOTSUPP, arg.flags = WINREGION_NAME_NEW);
	NOT_OPENED(EOPNOTSUPP, arg.flags = 1U << 31);
	NOT_OPENED(EOPNOTSUPP, arg.access = 0x100);
	NOT_OPENED(EINVAL, arg.name_length = 0);
	NOT_OPENED(ENAMETOOLONG, arg.name_length = WINREGION_MAX_NAME + 1);
	NOT_OPENED(EFAULT, arg.name = 0);
	NOT_OPENED(EINVAL, arg.owner = 1);
	NOT_OPENED(EINVAL, arg.flags = WINREGION_NAME_OWNER, arg.owner = ~0U);
	NOT_OPENED(ESRCH, arg.flags = WINREGION_NAME_OWNER,
		   arg.owner = geteuid() + 1);
	NOT_OPENED(ESRCH, arg.flags = GLOBAL);
	NOT_OPENED(ESRCH, arg.name_length = 3);
	EXPECT_EQ(-ENOTTY, wr_ioctl(section, WINREGION_OPEN_SECTION, &arg));
	close(section);
}

/* A program can ask for a new one, or for one that is there. */
TEST_F(name, new_or_existing)
{
	struct winregion_create_section arg = {
		.name_flags = WINREGION_NAME_NEW,
	};
	int first = sec_create_named_with(self->fd, "name", &arg), second;

	ASSERT_LE(0, first);
	EXPECT_EQ(0, arg.out_existed);
	EXPECT_EQ(-ENOTUNIQ, sec_create_named_with(self->fd, "name", &arg));
	arg.name_flags = WINREGION_NAME_EXISTING;
	second = sec_create_named_with(self->fd, "name", &arg);
	EXPECT_LE(0, second);
	EXPECT_EQ(1, arg.out_existed);
	close(second);
	close(first);
	EXPECT_EQ(-ESRCH, sec_create_named_with(self->fd, "name", &arg));
}

/* Of a file, too; which does not matter if there is one. */
TEST_F(name, of_file)
{
	int file = memfd_create("file", MFD_CLOEXEC), first, second;
	struct winregion_create_section arg = { .file = file };

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, UNIT));
	first = sec_create_named_with(self->fd, "file", &arg);
	ASSERT_LE(0, first);
	EXPECT_TRUE(put_number(self->fd, first, 5));
	arg.file = self->fd; /* a device */
	second = sec_create_named_with(self->fd, "file", &arg);
	ASSERT_LE(0, second);
	EXPECT_EQ(1, arg.out_existed);
	EXPECT_TRUE(has_number(self->fd, second, 5));
	close(first);
	close(second);
	EXPECT_EQ(-EMEDIUMTYPE, sec_create_named_with(self->fd, "file", &arg));
	EXPECT_EQ(-ESRCH, open_any(self->fd, "file", 0));
	close(file);
}

/* Rules: OM-02, OM-03. What a descriptor may do is said when it is opened. */
TEST_F(name, rights)
{
	int section = make(self->fd, "rights", 0, 0, 3), reader, writer, none;
	struct winregion_query_section info;
	char *base;

	ASSERT_LT(0, section);
	reader = sec_open(self->fd, "rights", 0, READ);
	EXPECT_EQ(-EKEYREJECTED, sec_map(reader, 0, 0, RW, &base));
	EXPECT_EQ(-EKEYREJECTED, sec_query(reader, &info));
	EXPECT_EQ(-EKEYREJECTED, sec_duplicate(reader, READ | WRITE));
	EXPECT_TRUE(has_number(self->fd, reader, 3));
	writer = sec_open(self->fd, "rights", 0, WRITE);
	EXPECT_EQ(-EKEYREJECTED, sec_map(writer, 0, 0, RO, &base));
	EXPECT_TRUE(put_number(self->fd, writer, 4));
	none = sec_open(self->fd, "rights", 0, 0);
	ASSERT_LE(0, none);
	EXPECT_EQ(-EKEYREJECTED, sec_map(none, 0, 0, NA, &base));
	close(reader);
	close(writer);
	close(none);
	close(section);
	/* A section that nobody can write */
	section = make(self->fd, "rights", 0, 0, 3);
	close(section);
	{
		struct winregion_create_section arg = { .protection = RO };

		section = sec_create_named_with(self->fd, "rights", &arg);
	}
	writer = open_any(self->fd, "rights", 0);
	EXPECT_EQ(-EKEYREJECTED, sec_map(writer, 0, 0, RW, &base));
	close(writer);
	close(section);
}

/* ---- how long they last ---- */

/* Rules: CM-44, CM-45, CM-46. */
TEST_F(name, last_descriptor)
{
	int first = make(self->fd, "last", 0, 0, 1), second;
	char *base;

	ASSERT_LT(0, first);
	ASSERT_EQ(0, sec_map(first, 0, 0, RW, &base));
	close(first);
	EXPECT_EQ(-ESRCH, open_any(self->fd, "last", 0));
	EXPECT_TRUE(page_has(base, 1));
	second = make(self->fd, "last", 0, 0, 2);
	EXPECT_LT(0, second);
	EXPECT_TRUE(page_has(base, 1));
	EXPECT_EQ(1, leads_to(self->fd, "last", 0, 2));
	EXPECT_EQ(0, sec_unmap(self->fd, base));
	EXPECT_EQ(1, leads_to(self->fd, "last", 0, 2));
	close(second);
}

static int close_it(void *arg)
{
	int *fds = arg;

	close(fds[1]);
	CHECK(open_any(fds[0], "any", 0) == -ESRCH);
	return 0;
}

/* Whatever descriptor it is, and wherever. */
TEST_F(name, any_descriptor)
{
	int section = make(self->fd, "any", 0, 0, 1), other, sockets[2];
	int fds[2] = { self->fd };

	ASSERT_LT(0, section);
	other = sec_duplicate(section, 0);
	close(section);
	EXPECT_EQ(1, leads_to(self->fd, "any", 0, 1));
	section = open_any(self->fd, "any", 0);
	close(other);
	EXPECT_EQ(1, leads_to(self->fd, "any", 0, 1));
	other = dup(section);
	close(section);
	EXPECT_EQ(1, leads_to(self->fd, "any", 0, 1));
	/* Under way to somebody */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_fd(sockets[0], other));
	close(other);
	EXPECT_EQ(1, leads_to(self->fd, "any", 0, 1));
	fds[1] = receive_fd(sockets[1], MSG_CMSG_CLOEXEC);
	EXPECT_EQ(1, leads_to(self->fd, "any", 0, 1));
	ASSERT_TRUE(send_fd(sockets[0], fds[1]));
	close(fds[1]);
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_TRUE(SETTLES(open_any(self->fd, "any", 0) == -ESRCH));
	/* A child's is one more. */
	fds[1] = make(self->fd, "any", 0, 0, 1);
	EXPECT_LT(0, in_child(close_it, fds));
	EXPECT_EQ(1, leads_to(self->fd, "any", 0, 1));
	close(fds[1]);
	EXPECT_EQ(-ESRCH, open_any(self->fd, "any", 0));
}

static int keep_name(void *arg)
{
	struct rendezvous *rv = arg;

	CHECK(sec_create_named(wr_open(), "kept", 0, 0) > 0);
	rendezvous_signal(rv, 0);
	pause();
	return 0;
}

/* It is gone once who had it is. */
TEST_F(name, killed)
{
	struct rendezvous rv;
	struct child child;

	ASSERT_TRUE(rendezvous_init(&rv));
	child = start_child(keep_name, &rv);
	rendezvous_wait(&rv, 1);
	EXPECT_EQ(0, sec_create_named(self->fd, "kept", 0, 0));
	kill(child.pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, end_child(&child));
	EXPECT_EQ(-ESRCH, open_any(self->fd, "kept", 0));
}

/* A program has no use for a descriptor that it is not told of. */
TEST_F(name, answer_cannot_be_written)
{
	struct winregion_create_section *arg;
	int section, round;

	arg = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, arg);
	for (round = 0; round < 2; round++) {
		*arg = (struct winregion_create_section){
			.size = sizeof(*arg),
			.file = -1,
			.protection = RW,
			.access = ALL,
			.length = UNIT,
			.name = (uintptr_t)"answer",
			.name_length = 6,
		};
		ASSERT_EQ(0, mprotect(arg, 4096, PROT_READ));
		EXPECT_EQ(-EFAULT, create_with(self->fd, arg));
		ASSERT_EQ(0, mprotect(arg, 4096, PROT_READ | PROT_WRITE));
		section = open_any(self->fd, "answer", 0);
		if (!round) {
			EXPECT_EQ(-ESRCH, section);
			section = create_with(self->fd, arg);
		}
		EXPECT_LE(0, section);
	}
	munmap(arg, 4096);
}

static int use_last_descriptor(void *arg)
{
	struct rlimit limit = { 64, 64 };
	int fd = *(int *)arg, last = -1, next;

	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	while ((next = dup(0)) >= 0)
		last = next;
	CHECK(sec_create_named(fd, "full", 0, 0) == -EMFILE);
	CHECK(open_any(fd, "full", 0) == -ESRCH);
	close(last);
	next = make(fd, "full", 0, 0, 1);
	CHECK(next > 0);
	CHECK(sec_create_named(fd, "full", 0, 0) == -EMFILE);
	CHECK(open_any(fd, "full", 0) == -EMFILE);
	CHECK(has_number(fd, next, 1));
	close(next);
	CHECK(open_any(fd, "full", 0) == -ESRCH);
	return 0;
}

TEST_F(name, no_descriptor_left)
{
	EXPECT_EQ(0, in_child(use_last_descriptor, &self->fd));
}

/* ---- users ---- */

/* Each user has names of his own, and there is no way to another's. */
TEST_F(name, own_names)
{
	int alice, bob;
	unsigned int i;

	NEEDS_USERS();
	for (i = 0; i < 2; i++) {
		uint32_t flags = i ? GLOBAL : 0;

		alice = AS(ALICE, make(self->fd, "own", flags, 0, 1));
		ASSERT_LT(0, alice);
		EXPECT_EQ(-ESRCH, AS(BOB, open_any(self->fd, "own", flags)));
		EXPECT_EQ(-ESRCH, open_any(self->fd, "own", flags));
		bob = AS(BOB, make(self->fd, "own", flags, 0, 2));
		ASSERT_LT(0, bob);
		EXPECT_EQ(1, AS(ALICE, leads_to(self->fd, "own", flags, 1)));
		EXPECT_EQ(1, AS(BOB, leads_to(self->fd, "own", flags, 2)));
		EXPECT_EQ(-ESRCH, AS(MALLORY, open_any(self->fd, "own", flags)));
		EXPECT_EQ(0, AS(ALICE, make(self->fd, "own", flags, 0, 1)));
		EXPECT_EQ(ALICE, owner_of(alice));
		EXPECT_EQ(BOB, owner_of(bob));
		/* Who has it is not who made it. */
		EXPECT_EQ(-ESRCH, AS(MALLORY, open_any(self->fd, "own", flags)));
		close(alice);
		EXPECT_EQ(-ESRCH, AS(ALICE, open_any(self->fd, "own", flags)));
		EXPECT_EQ(1, AS(BOB, leads_to(self->fd, "own", flags, 2)));
		close(bob);
	}
}

/* What only the user's own names have nobody gets, whatever is said of others. */
TEST_F(name, others_are_for_all_users)
{
	struct winregion_query_section info;
	int alice;

	NEEDS_USERS();
	alice = AS(ALICE, make(self->fd, "own", 0, ALL, 1));
	ASSERT_LT(0, alice);
	EXPECT_EQ(-ESRCH, AS(BOB, open_any(self->fd, "own", 0)));
	EXPECT_EQ(-ESRCH, AS(BOB, open_any(self->fd, "own", GLOBAL)));
	ASSERT_EQ(0, sec_query(alice, &info));
	EXPECT_EQ(0, info.out_others);
	close(alice);
}

/* The owner says what others can do, and can do all himself. */
TEST_F(name, shared)
{
	static const uint32_t kinds[] = {
		READ, WRITE, READ | QUERY, READ | WRITE, QUERY, ALL,
	};
	struct winregion_query_section info;
	int alice, bob;
	unsigned int i;
	uint32_t access;

	NEEDS_USERS();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		alice = AS(ALICE, make(self->fd, "shared", GLOBAL, kinds[i], 1));
		ASSERT_LT(0, alice);
		for (access = 0; access <= ALL; access++) {
			if (access & ~ALL)
				continue;
			bob = AS(BOB, sec_open(self->fd, "shared", GLOBAL,
					       access));
			if (access & ~kinds[i]) {
				EXPECT_EQ(-EKEYREJECTED, bob);
				continue;
			}
			ASSERT_LE(0, bob);
			if (access != ALL)
				EXPECT_EQ(-EKEYREJECTED, sec_duplicate(bob, ALL));
			close(bob);
		}
		bob = AS(ALICE, sec_open(self->fd, "shared", GLOBAL, ALL));
		ASSERT_LE(0, bob);
		ASSERT_EQ(0, sec_query(bob, &info));
		EXPECT_EQ(kinds[i], info.out_others);
		EXPECT_EQ(ALICE, info.out_owner);
		close(bob);
		close(alice);
	}
}

/* Bob keeps the name with what he has opened, and it is Alice's then, too. */
TEST_F(name, kept_by_others)
{
	int alice, bob;

	NEEDS_USERS();
	alice = AS(ALICE, make(self->fd, "kept", GLOBAL, READ | QUERY, 1));
	ASSERT_LT(0, alice);
	bob = AS(BOB, sec_open(self->fd, "kept", GLOBAL, READ | QUERY));
	ASSERT_LE(0, bob);
	close(alice);
	EXPECT_EQ(ALICE, owner_of(bob));
	EXPECT_EQ(-EKEYREJECTED, AS(BOB, open_any(self->fd, "kept", GLOBAL)));
	EXPECT_EQ(1, AS(MALLORY, leads_to(self->fd, "kept", GLOBAL, 1)));
	alice = AS(ALICE, open_any(self->fd, "kept", GLOBAL));
	EXPECT_LE(0, alice);
	close(bob);
	close(alice);
	EXPECT_EQ(-ESRCH, AS(ALICE, open_any(self->fd, "kept", GLOBAL)));
}

/* Whoever has taken a name has nobody's data by that. */
TEST_F(name, taken_before)
{
	static const uint32_t offers[] = { 0, READ, READ | WRITE | QUERY, ALL };
	int mallory, alice, bob;
	unsigned int i;

	NEEDS_USERS();
	for (i = 0; i < ARRAY_SIZE(offers); i++) {
		mallory = AS(MALLORY, make(self->fd, "mine", GLOBAL, offers[i],
					   666));
		ASSERT_LT(0, mallory);
		bob = AS(MALLORY, make(self->fd, "mine", 0, offers[i], 666));
		ASSERT_LT(0, bob);
		close(bob);
		/* For herself alone: she has her own. */
		alice = AS(ALICE, make(self->fd, "mine", GLOBAL, 0, 1));
		ASSERT_LT(0, alice);
		EXPECT_EQ(1, AS(ALICE, leads_to(self->fd, "mine", GLOBAL, 1)));
		EXPECT_EQ(0, AS(ALICE, make(self->fd, "mine", GLOBAL, 0, 1)));
		close(alice);
		alice = AS(ALICE, make(self->fd, "mine", 0, 0, 1));
		ASSERT_LT(0, alice);
		close(alice);
		/* For others to see: not what is Mallory's. */
		alice = AS(ALICE, make(self->fd, "mine", GLOBAL, READ, 1));
		if (offers[i]) {
			EXPECT_EQ(-EKEYREJECTED, alice);
			EXPECT_EQ(-EKEYREJECTED,
				  AS(ALICE, sec_create_named(self->fd, "mine",
							     GLOBAL |
							     WINREGION_NAME_NEW,
							     READ)));
		} else {
			EXPECT_LT(0, alice);
			close(alice);
		}
		close(mallory);
	}
}

/* Everybody was to write it anyway: what is there will do. */
TEST_F(name, everybodys)
{
	struct winregion_create_section arg = {
		.name_flags = GLOBAL,
		.others = ALL,
		.access = READ | WRITE | QUERY,
	};
	int alice, bob;

	NEEDS_USERS();
	alice = AS(ALICE, make(self->fd, "all", GLOBAL, READ | WRITE | QUERY, 1));
	ASSERT_LT(0, alice);
	bob = AS(BOB, sec_create_named_with(self->fd, "all", &arg));
	ASSERT_LE(0, bob);
	EXPECT_EQ(1, arg.out_existed);
	EXPECT_TRUE(has_number(self->fd, bob, 1));
	EXPECT_EQ(ALICE, owner_of(bob));
	close(bob);
	/* But no more than Alice gives */
	arg.access = ALL;
	EXPECT_EQ(-EKEYREJECTED,
		  AS(BOB, sec_create_named_with(self->fd, "all", &arg)));
	arg.access = READ;
	arg.name_flags |= WINREGION_NAME_NEW;
	EXPECT_EQ(-ENOTUNIQ,
		  AS(BOB, sec_create_named_with(self->fd, "all", &arg)));
	close(alice);
	alice = AS(ALICE, make(self->fd, "all", GLOBAL, READ, 1));
	arg.access = READ | WRITE;
	arg.name_flags = GLOBAL;
	EXPECT_EQ(-EKEYREJECTED,
		  AS(BOB, sec_create_named_with(self->fd, "all", &arg)));
	close(alice);
}

/*
 * Of a stranger's only what nobody can take away again will do: memory that is
 * there, not a file, which he can cut, or whose pages he can keep from coming.
 */
TEST_F(name, everybodys_files)
{
	struct winregion_create_section arg = {
		.name_flags = GLOBAL,
		.others = READ | WRITE,
		.access = READ | WRITE,
	};
	struct winregion_create_section offer = arg;
	int mallory, alice;

	NEEDS_USERS();
	offer.file = memfd_create("file", MFD_CLOEXEC);
	ASSERT_LE(0, offer.file);
	ASSERT_EQ(0, ftruncate(offer.file, UNIT));
	mallory = AS(MALLORY, sec_create_named_with(self->fd, "cut", &offer));
	ASSERT_LE(0, mallory);
	alice = AS(ALICE, sec_create_named_with(self->fd, "cut", &arg));
	EXPECT_EQ(-EKEYREJECTED, alice);
	if (alice >= 0) {
		char *base;

		ASSERT_EQ(0, sec_map(alice, 0, 0, RW, &base));
		ASSERT_EQ(0, ftruncate(offer.file, 0));
		EXPECT_TRUE(try_read(base));
		EXPECT_EQ(0, sec_unmap(self->fd, base));
		close(alice);
	}
	close(mallory);
	/* Memory of which no page is there */
	offer = arg;
	offer.flags = WINREGION_SECTION_RESERVE;
	mallory = AS(MALLORY, sec_create_named_with(self->fd, "cut", &offer));
	ASSERT_LE(0, mallory);
	EXPECT_EQ(-EKEYREJECTED,
		  AS(ALICE, sec_create_named_with(self->fd, "cut", &arg)));
	arg.length = 2 * UNIT;
	arg.flags = WINREGION_SECTION_RESERVE;
	EXPECT_EQ(-EKEYREJECTED,
		  AS(ALICE, sec_create_named_with(self->fd, "cut", &arg)));
	arg.length = UNIT;
	/* She would commit them anyway. */
	alice = AS(ALICE, sec_create_named_with(self->fd, "cut", &arg));
	EXPECT_LE(0, alice);
	close(alice);
	close(mallory);
	close(offer.file);
}

/* Who opens a name that all have can say, and see, whose it is. */
TEST_F(name, whose)
{
	struct winregion_open_section arg = {
		.flags = GLOBAL | WINREGION_NAME_OWNER,
		.access = READ | QUERY,
		.owner = ALICE,
	};
	int mallory, alice, bob;

	NEEDS_USERS();
	mallory = AS(MALLORY, make(self->fd, "whose", GLOBAL, ALL, 666));
	ASSERT_LT(0, mallory);
	EXPECT_EQ(-ESRCH, AS(BOB, sec_open_with(self->fd, "whose", &arg)));
	bob = AS(BOB, open_any(self->fd, "whose", GLOBAL));
	EXPECT_EQ(MALLORY, owner_of(bob));
	close(bob);
	close(mallory);
	alice = AS(ALICE, make(self->fd, "whose", GLOBAL, ALL, 1));
	bob = AS(BOB, sec_open_with(self->fd, "whose", &arg));
	EXPECT_TRUE(has_number(self->fd, bob, 1));
	close(bob);
	arg.owner = MALLORY;
	EXPECT_EQ(-ESRCH, AS(BOB, sec_open_with(self->fd, "whose", &arg)));
	arg.flags = WINREGION_NAME_OWNER;
	EXPECT_EQ(-ESRCH, AS(BOB, sec_open_with(self->fd, "whose", &arg)));
	close(alice);
}

/* Nobody is in root's way, and root's names come before those that users share. */
TEST_F(name, roots)
{
	struct winregion_create_section arg = {
		.name_flags = GLOBAL,
		.access = READ,
	};
	int mallory, root, alice;

	NEEDS_USERS();
	mallory = AS(MALLORY, make(self->fd, "root", GLOBAL, ALL, 666));
	ASSERT_LT(0, mallory);
	root = make(self->fd, "root", GLOBAL, READ, 1);
	ASSERT_LT(0, root);
	EXPECT_EQ(0, owner_of(root));
	EXPECT_EQ(1, AS(ALICE, leads_to(self->fd, "root", GLOBAL, 1)));
	EXPECT_EQ(1, AS(MALLORY, leads_to(self->fd, "root", GLOBAL, 1)));
	EXPECT_EQ(-EKEYREJECTED, AS(ALICE, open_any(self->fd, "root", GLOBAL)));
	/* A new one is root's, even if it was to be for oneself. */
	alice = AS(ALICE, sec_create_named_with(self->fd, "root", &arg));
	EXPECT_LE(0, alice);
	EXPECT_EQ(1, arg.out_existed);
	EXPECT_TRUE(has_number(self->fd, alice, 1));
	close(alice);
	EXPECT_EQ(-EKEYREJECTED,
		  AS(ALICE, sec_create_named(self->fd, "root", GLOBAL, 0)));
	close(root);
	EXPECT_EQ(1, AS(ALICE, leads_to(self->fd, "root", GLOBAL, 666)));
	/* For root alone: found, and refused */
	root = make(self->fd, "root", GLOBAL, 0, 1);
	ASSERT_LT(0, root);
	EXPECT_EQ(-EKEYREJECTED,
		  AS(ALICE, sec_open(self->fd, "root", GLOBAL, 0)));
	EXPECT_EQ(1, leads_to(self->fd, "root", GLOBAL, 1));
	close(root);
	close(mallory);
}

/* ---- namespaces ---- */

struct inside {
	int fd;
	int socket;
};

static int see_nothing(void *arg)
{
	struct inside *inside = arg;
	int own;

	CHECK(!unshare(CLONE_NEWIPC));
	CHECK(open_any(inside->fd, "space", 0) == -ESRCH);
	CHECK(open_any(inside->fd, "space", GLOBAL) == -ESRCH);
	own = make(inside->fd, "space", GLOBAL, ALL, 2);
	CHECK(own > 0);
	CHECK(leads_to(inside->fd, "space", GLOBAL, 2) == 1);
	if (inside->socket >= 0)
		CHECK(send_fd(inside->socket, own));
	return 0;
}

static bool has_ipc_namespaces(void)
{
	return !access("/proc/self/ns/ipc", F_OK);
}

/*
 * A name is one of an IPC namespace, also when that has nobody else any more: it
 * is in no namespace that comes later.
 */
TEST_F(name, ipc_namespaces)
{
	struct inside inside = { .fd = self->fd, .socket = -1 };
	int section, local, sockets[2], other;
	unsigned int i;

	NEEDS_USERS();
	if (!has_ipc_namespaces())
		SKIP(return, "this kernel has no IPC namespaces");
	section = make(self->fd, "space", GLOBAL, ALL, 1);
	local = make(self->fd, "space", 0, 0, 1);
	ASSERT_LT(0, section);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	inside.socket = sockets[0];
	ASSERT_EQ(0, in_child(see_nothing, &inside));
	other = receive_fd(sockets[1], MSG_CMSG_CLOEXEC);
	EXPECT_TRUE(has_number(self->fd, other, 2));
	EXPECT_EQ(1, leads_to(self->fd, "space", GLOBAL, 1));
	inside.socket = -1;
	for (i = 0; i < 30; i++)
		EXPECT_EQ(0, in_child(see_nothing, &inside));
	close(section);
	close(local);
	EXPECT_EQ(-ESRCH, open_any(self->fd, "space", GLOBAL));
	EXPECT_TRUE(has_number(self->fd, other, 2));
	close(other);
}

static int be_contained(void *arg)
{
	int fd = *(int *)arg, section;
	struct winregion_open_section of = {
		.flags = GLOBAL | WINREGION_NAME_OWNER,
		.access = READ | QUERY,
	};
	char map[32];

	CHECK(!setuid(BOB));
	prctl(PR_SET_DUMPABLE, 1);
	CHECK(!unshare(CLONE_NEWUSER));
	snprintf(map, sizeof(map), "0 %d 1", BOB);
	CHECK(write_text("/proc/self/uid_map", map));
	CHECK(!geteuid());
	/* The same user as outside, for names; and the root of nobody's. */
	CHECK(leads_to(fd, "user", 0, 2) == 1);
	CHECK(leads_to(fd, "user", GLOBAL, 1) == 1);
	section = sec_open(fd, "user", GLOBAL, READ | QUERY);
	CHECK(owner_of(section) == ~0U);
	CHECK(sec_open_with(fd, "user", &of) == -ESRCH);
	of.owner = ALICE;
	CHECK(sec_open_with(fd, "user", &of) == -EINVAL);
	CHECK(make(fd, "user", GLOBAL, READ, 3) == -EKEYREJECTED);
	section = make(fd, "user", GLOBAL, 0, 3);
	CHECK(section > 0);
	CHECK(owner_of(section) == 0);
	of.owner = 0;
	CHECK(sec_open_with(fd, "user", &of) > 0);
	return 0;
}

/* Who has become root in a namespace of his own is who he was. */
TEST_F(name, user_namespaces)
{
	int alice, bob;

	NEEDS_USERS();
	if (access("/proc/self/ns/user", F_OK))
		SKIP(return, "this kernel has no user namespaces");
	alice = AS(ALICE, make(self->fd, "user", GLOBAL, READ | QUERY, 1));
	bob = AS(BOB, make(self->fd, "user", 0, 0, 2));
	ASSERT_LT(0, alice);
	ASSERT_LT(0, bob);
	EXPECT_EQ(0, in_child(be_contained, &self->fd));
	close(alice);
	close(bob);
}

/* ---- many at once ---- */

#define NR_NAMES 3000

static const char *nth_name(unsigned int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "many names %u", i * 7919 % NR_NAMES);
	return name;
}

static int make_many(void *arg)
{
	static int sections[NR_NAMES];
	struct rlimit limit = { NR_NAMES + 100, NR_NAMES + 100 };
	int fd = *(int *)arg;
	unsigned int i;

	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < NR_NAMES; i++) {
		struct winregion_create_section create = {
			.flags = WINREGION_SECTION_RESERVE,
			.length = 4096 * (i + 1ULL),
		};

		sections[i] = sec_create_named_with(fd, nth_name(i), &create);
		CHECK(sections[i] >= 0 && !create.out_existed);
	}
	for (i = 0; i < NR_NAMES; i++) {
		struct winregion_create_section create = { 0 };
		int found = sec_create_named_with(fd, nth_name(i), &create);

		CHECK(found >= 0 && create.out_existed);
		CHECK(create.length == 4096 * (i + 1ULL));
		close(found);
	}
	/* Every other one, and then the rest from the end */
	for (i = 0; i < NR_NAMES; i += 2)
		close(sections[i]);
	for (i = NR_NAMES; i-- > 0;) {
		int found = sec_open(fd, nth_name(i), 0, 0);

		CHECK(i % 2 ? found >= 0 : found == -ESRCH);
		close(found);
		if (i % 2)
			close(sections[i]);
	}
	return 0;
}

TEST_F_TIMEOUT(name, thousands, 100)
{
	struct rlimit limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	if (geteuid() && limit.rlim_max < NR_NAMES + 100)
		SKIP(return, "too few descriptors");
	EXPECT_EQ(0, in_child(make_many, &self->fd));
	EXPECT_EQ(-ESRCH, open_any(self->fd, nth_name(1), 0));
}

struct creators {
	int fd;
	long rounds;
	pthread_barrier_t start;
	volatile uint64_t made;
	volatile uint64_t wrong;
};

/* All of them create one name: one makes it. */
static void *create_together(void *arg)
{
	struct creators *all = arg;
	struct winregion_create_section create;
	int section;
	long i;

	for (i = 0; i < all->rounds; i++) {
		create = (struct winregion_create_section){ 0 };
		pthread_barrier_wait(&all->start);
		section = sec_create_named_with(all->fd, "one", &create);
		if (section < 0)
			race_add(&all->wrong, 1);
		else
			race_add(&all->made, !create.out_existed);
		pthread_barrier_wait(&all->start);
		close(section);
	}
	return NULL;
}

static void run_creators(struct creators *all, unsigned int n, void *(*fn)(void *))
{
	pthread_t threads[RACE_MAX_THREADS];
	unsigned int i;

	pthread_barrier_init(&all->start, NULL, n);
	for (i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, fn, all))
			abort();
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

TEST_F_TIMEOUT(name, one_creator, 100)
{
	struct creators all = { .fd = self->fd, .rounds = race_rounds(800) };

	run_creators(&all, 4, create_together);
	EXPECT_EQ(0, all.wrong);
	EXPECT_EQ(all.rounds, all.made);
	EXPECT_EQ(-ESRCH, open_any(self->fd, "one", 0));
}

/*
 * While others end it, a name leads to a section that is all there, or to none; and
 * who keeps one sees the same as who finds it.
 */
static void *create_and_close(void *arg)
{
	struct creators *all = arg;
	struct winregion_create_section create;
	int section, again;
	long i;

	for (i = 0; i < all->rounds; i++) {
		create = (struct winregion_create_section){ 0 };
		section = sec_create_named_with(all->fd, "one", &create);
		if (section < 0 || create.length != UNIT) {
			race_add(&all->wrong, 1);
			continue;
		}
		race_add(&all->made, !create.out_existed);
		again = open_any(all->fd, "one", 0);
		if (again < 0)
			race_add(&all->wrong, 1);
		close(again);
		close(section);
		again = open_any(all->fd, "one", 0);
		if (again < 0 && again != -ESRCH)
			race_add(&all->wrong, 1);
		close(again);
	}
	return NULL;
}

TEST_F_TIMEOUT(name, ends_while_found, 100)
{
	struct creators all = { .fd = self->fd, .rounds = race_rounds(2000) };

	run_creators(&all, 4, create_and_close);
	EXPECT_EQ(0, all.wrong);
	EXPECT_NE(0, all.made);
	EXPECT_EQ(-ESRCH, open_any(self->fd, "one", 0));
}

static void *use_names(void *arg)
{
	int fd = *(int *)arg, sections[4];
	unsigned int i;
	char *base;

	for (;;) {
		for (i = 0; i < 4; i++)
			sections[i] = sec_create_named(fd, i % 2 ? "a" : "b",
						       i / 2 ? GLOBAL : 0,
						       i / 2 ? ALL : 0);
		if (!sec_map(sections[0], 0, 0, RW, &base))
			sec_unmap(fd, base);
		close(sec_duplicate(sections[1], READ));
		for (i = 0; i < 4; i++)
			if (sections[i] > 0)
				close(sections[i]);
	}
	return NULL;
}

static int use_until_killed(void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, use_names, arg))
		return 1;
	use_names(arg);
	return 0;
}

/* Killed at any point of a call, nobody leaves a name. */
TEST_F_TIMEOUT(name, killed_anywhere, 100)
{
	long i, n = race_rounds(150);
	uint64_t state = 99;
	struct child child[2];

	for (i = 0; i < n; i++) {
		child[0] = start_child(use_until_killed, &self->fd);
		child[1] = start_child(use_until_killed, &self->fd);
		usleep(race_random(&state, 20000));
		kill(child[0].pid, SIGKILL);
		kill(child[1].pid, SIGKILL);
		EXPECT_EQ(-SIGKILL, end_child(&child[0]));
		EXPECT_EQ(-SIGKILL, end_child(&child[1]));
		ASSERT_EQ(-ESRCH, open_any(self->fd, "a", 0));
		ASSERT_EQ(-ESRCH, open_any(self->fd, "b", GLOBAL));
	}
}

/* With no memory, or no access to the program's, there is no name either. */
TEST_F_TIMEOUT(name, failing, 100)
{
	unsigned int nth = 0, kind;
	int section, kept;
	bool hit;

	if (!fail_open())
		SKIP(return, "this kernel injects no faults");
	ASSERT_TRUE(fail_everything());
	kept = make(self->fd, "failing kept", 0, 0, 1);
	ASSERT_LT(0, kept);
	for (kind = 0; kind < 3; kind++) {
		const char *name = kind ? "failing kept" : "failing";
		struct winregion_create_section arg;

		nth = 0;
		do {
			ASSERT_GT(400, ++nth);
			arg = (struct winregion_create_section){ 0 };
			ASSERT_TRUE(fail_set(nth));
			if (kind < 2)
				section = sec_create_named_with(self->fd, name,
								&arg);
			else
				section = open_any(self->fd, name, 0);
			hit = fail_clear();
			EXPECT_TRUE(section >= 0 || hit);
			if (!kind && section < 0)
				EXPECT_EQ(-ESRCH, open_any(self->fd, name, 0));
			if (section >= 0)
				close(section);
		} while (hit);
		TH_LOG("%u: %u places", kind, nth - 1);
	}
	EXPECT_EQ(1, leads_to(self->fd, "failing kept", 0, 1));
	close(kept);
	EXPECT_EQ(-ESRCH, open_any(self->fd, "failing kept", 0));
	EXPECT_EQ(-ESRCH, open_any(self->fd, "failing", 0));
}

TEST_HARNESS_MAIN
