// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events, mutexes and semaphores with names, which processes share
 *
 * Each is a section of the module's with a name that no section of a program can have.
 * So a name is for whom names of sections are for, nobody can take one from somebody
 * else, and it is gone with the last descriptor, that of a process that is killed as
 * well. The section has one page, and in it what there is to know of the object: words
 * that are changed in one step each. None of them leads anywhere, so that another user
 * whom the program lets have the object can do no more than use it.
 *
 * Who owns a mutex has a section, too, which must be new, by the object's number as a
 * name: a lock that the kernel takes away from who dies. Then a word still says that it
 * is owned, and the next owner knows. Another such section is had by who makes or opens
 * an object, so that no process of the user finds one that is half made.
 *
 * A process has an object once, however often it is opened: its threads know each other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "futex.h"
#include "named.h"

#define PAGE 4096

/* To see what it is, and to use it */
#define ACCESS \
	(WINREGION_SECTION_QUERY | WINREGION_SECTION_MAP_READ | \
	 WINREGION_SECTION_MAP_WRITE)

/* Another user may be making it at the moment, or never. */
#define HALF_MADE STATUS_TIMEOUT

/* How long to leave alone who makes an object of the same name, and how often */
#define NS_PER_TRY 500000
#define TRIES 2000

/* ... and who has released a mutex, of whose owner's name somebody still has a copy */
#define NS_PER_OWNER_TRY 200000
#define OWNER_TRIES 50

/* All of it, of all processes that have it, whatever their width */
struct wr_words {
	/* Which one it is */
	uint64_t id;
	uint32_t ready;
	uint32_t kind;
	uint32_t manual;
	/* What other users can have it for: WINREGION_SECTION_* */
	uint32_t others;
	/* Each change, and those who sleep */
	uint32_t changes;
	uint32_t set;
	int32_t count;
	int32_t most;
	/* Somebody owns it, or has died as he did */
	uint32_t owned;
};

/* Held as one is made, opened or closed, and over forks: a child must have no lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wr_shared *all;

/* ---- names ---- */

/* A name of a program's has no backslash. */
struct full_name {
	/* WINREGION_NAME_*, and for whom it is */
	uint32_t flags;
	uint32_t others;
	uint32_t length;
	char text[WINREGION_MAX_NAME + 2];
};

static void name_object(const struct wr_name *name, uint32_t others,
			struct full_name *full)
{
	full->text[0] = '\\';
	memcpy(full->text + 1, name->text, name->length);
	full->length = name->length + 1;
	full->flags = name->flags;
	full->others = others;
}

/* Of those who make or open it: each user's own, so that no other user is in the way */
static void name_makers(const struct wr_name *name, struct full_name *full)
{
	full->text[0] = name->flags ? 'G' : 'L';
	full->text[1] = '\\';
	memcpy(full->text + 2, name->text, name->length);
	full->length = name->length + 2;
	full->flags = WINREGION_NAME_NEW;
	full->others = 0;
}

/* Of who owns it */
static void name_owner(const struct wr_shared *shared, struct full_name *full)
{
	full->length = snprintf(full->text, sizeof(full->text),
				"owner\\%016llx",
				(unsigned long long)shared->id);
	full->flags = shared->name_flags | WINREGION_NAME_NEW;
	full->others = shared->others;
}

/* Or -errno. Without WINREGION_NAME_NEW it may be one that is there. */
static int create_section(const struct full_name *name, bool *existed)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		/* Whoever has only a lock uses no memory for it. */
		.flags = name->flags & WINREGION_NAME_NEW ?
				 WINREGION_SECTION_RESERVE :
				 0,
		.file = -1,
		.protection = WINREGION_READWRITE,
		.access = ACCESS,
		.length = PAGE,
		.name = (uintptr_t)name->text,
		.name_length = name->length,
		.name_flags = name->flags,
		.others = name->others,
	};
	int err = wr_device_ioctl(WINREGION_CREATE_SECTION, &arg);

	if (err)
		return err;
	*existed = arg.out_existed;

	return arg.out_fd;
}

/* Or -errno */
static int open_section(const char *text, uint32_t length, uint32_t flags,
			uint32_t access)
{
	struct winregion_open_section arg = {
		.size = sizeof(arg),
		.flags = flags,
		.name = (uintptr_t)text,
		.name_length = length,
		.access = access,
	};
	int err = wr_device_ioctl(WINREGION_OPEN_SECTION, &arg);

	return err ? err : arg.out_fd;
}

/* 0: there is one of that name, whosesoever; or -errno. -ESRCH: there is none. */
static int look_for(const char *text, uint32_t length, uint32_t flags)
{
	int fd = open_section(text, length, flags, 0);

	WR_NO_CANCEL();

	if (fd >= 0)
		wr_close(fd);

	return fd >= 0 || fd == -EKEYREJECTED ? 0 : fd;
}

bool wr_named_has(const struct wr_name *name)
{
	struct full_name full;

	name_object(name, 0, &full);

	return !look_for(full.text, full.length, full.flags);
}

/* Forks, and who closes an object, go first. */
static void wait_unlocked(void)
{
	const struct timespec pause = { .tv_nsec = NS_PER_TRY };

	pthread_mutex_unlock(&lock);
	nanosleep(&pause, NULL);
	pthread_mutex_lock(&lock);
}

/* The lock of a name: a descriptor, or -errno. */
static int lock_name(const struct wr_name *name)
{
	struct full_name full;
	bool existed;
	int fd;

	name_makers(name, &full);
	while ((fd = create_section(&full, &existed)) == -ENOTUNIQ)
		wait_unlocked();

	return fd;
}

/* ---- memory ---- */

static struct wr_words *map_words(int fd, int *err)
{
	struct winregion_map_view arg = {
		.size = sizeof(arg),
		.protection = WINREGION_READWRITE,
		.length = PAGE,
	};

	*err = wr_section_ioctl(fd, WINREGION_MAP_VIEW, &arg);

	return *err ? NULL : (struct wr_words *)(uintptr_t)arg.address;
}

static void unmap_words(struct wr_words *words)
{
	struct winregion_unmap_view arg = {
		.size = sizeof(arg),
		.address = (uintptr_t)words,
	};

	wr_device_ioctl(WINREGION_UNMAP_VIEW, &arg);
}

static NTSTATUS init_words(struct wr_words *words, const struct wr_named *named)
{
	words->kind = named->kind;
	words->manual = named->manual;
	words->others = named->others;
	words->set = named->set;
	words->count = named->count;
	words->most = named->most;

	return getrandom(&words->id, sizeof(words->id), 0) ==
			       sizeof(words->id) ?
		       STATUS_SUCCESS :
		       STATUS_NO_MEMORY;
}

/* ---- objects of this process; the lock is held ---- */

/* The one that it has already, with one user more */
static struct wr_waitable *find_object(const struct wr_words *words,
				       const struct wr_kind *kind)
{
	struct wr_shared *shared;

	for (shared = all; shared; shared = shared->next)
		if (shared->id == words->id &&
		    shared->object->object.kind == kind &&
		    wr_object_get_living(&shared->object->object))
			return shared->object;

	return NULL;
}

static struct wr_waitable *new_object(const struct wr_kind *kind, size_t size,
				      int fd, struct wr_words *words)
{
	struct wr_waitable *object = calloc(1, size);
	struct wr_shared *shared = calloc(1, sizeof(*shared));

	if (!object || !shared) {
		free(object);
		free(shared);
		return NULL;
	}
	wr_waitable_init(object, kind);
	wr_object_init(&object->object, kind, fd);
	object->shared = shared;
	shared->words = words;
	shared->id = words->id;
	shared->others = words->others;
	shared->owner = -1;
	shared->object = object;
	shared->next = all;
	shared->self = &all;
	if (all)
		all->self = &shared->next;
	all = shared;

	return object;
}

void wr_named_destroy(struct wr_waitable *object)
{
	struct wr_shared *shared = object->shared;

	WR_NO_CANCEL();

	pthread_mutex_lock(&lock);
	*shared->self = shared->next;
	if (shared->next)
		shared->next->self = shared->self;
	unmap_words(shared->words);
	wr_object_close(&object->object);
	pthread_mutex_unlock(&lock);
	free(shared);
	free(object);
}

/* Takes both over, if it succeeds. */
static NTSTATUS give_object(const struct wr_kind *kind, size_t size, int fd,
			    struct wr_words *words, struct wr_waitable **object)
{
	*object = find_object(words, kind);
	if (*object) {
		unmap_words(words);
		wr_close(fd);
		return STATUS_SUCCESS;
	}
	*object = new_object(kind, size, fd, words);

	return *object ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

static NTSTATUS check_words(struct wr_words *words, struct wr_named *named)
{
	if (!named->existed)
		return init_words(words, named);
	if (!__atomic_load_n(&words->ready, __ATOMIC_ACQUIRE))
		return HALF_MADE;

	return words->kind == named->kind ? STATUS_SUCCESS :
					    STATUS_OBJECT_TYPE_MISMATCH;
}

/* It is known to this process; all the others may know it now. */
static NTSTATUS complete(const struct wr_named *named,
			 struct wr_waitable *object)
{
	struct wr_shared *shared = object->shared;
	NTSTATUS status = STATUS_SUCCESS;
	bool abandoned;

	shared->name_flags = named->name->flags;
	if (named->existed)
		return STATUS_SUCCESS;
	if (named->owned)
		status = wr_named_grab_mutex(object, &abandoned);
	/* Nobody knows the mutex yet: its owner's name is something else's. */
	if (status == STATUS_TIMEOUT)
		return STATUS_OBJECT_TYPE_MISMATCH;
	if (status != STATUS_SUCCESS)
		return status;
	__atomic_store_n(&shared->words->ready, 1, __ATOMIC_RELEASE);

	return STATUS_SUCCESS;
}

/*
 * Whether its page is there as long as it is mapped. Any program can give any section such
 * a name, also to a file, which can be cut, or to pages that nobody has committed.
 */
static NTSTATUS check_section(int fd)
{
	struct winregion_query_section arg = { .size = sizeof(arg) };
	int err = wr_section_ioctl(fd, WINREGION_QUERY_SECTION, &arg);

	if (err)
		return wr_status(WR_CREATE_SECTION, err);

	return arg.out_flags == WINREGION_SECTION_NAMED ?
		       STATUS_SUCCESS :
		       STATUS_OBJECT_TYPE_MISMATCH;
}

static NTSTATUS use_section(struct wr_named *named, const struct wr_kind *kind,
			    size_t size, int fd, struct wr_waitable **object)
{
	NTSTATUS status = check_section(fd);
	struct wr_words *words;
	int err;

	if (status != STATUS_SUCCESS)
		return status;
	words = map_words(fd, &err);
	if (!words)
		return wr_status(WR_MAP, err);
	status = check_words(words, named);
	if (status == STATUS_SUCCESS)
		status = give_object(kind, size, fd, words, object);
	if (status != STATUS_SUCCESS)
		unmap_words(words);

	return status;
}

static bool is_section(const struct wr_name *name)
{
	return !look_for(name->text, name->length, name->flags);
}

/*
 * The name is locked. Names of sections are no object's, nor the other way round: each
 * looks for the other before it is there, and after.
 */
static NTSTATUS get_locked(struct wr_named *named, const struct wr_kind *kind,
			   size_t size, struct wr_waitable **object)
{
	const struct wr_name *name = named->name;
	struct full_name full;
	NTSTATUS status;
	int fd;

	if (is_section(name))
		return STATUS_OBJECT_TYPE_MISMATCH;
	name_object(name, named->others, &full);
	named->existed = true;
	if (named->create)
		fd = create_section(&full, &named->existed);
	else
		fd = open_section(full.text, full.length, full.flags, ACCESS);
	if (fd < 0)
		return wr_status(WR_CREATE_SECTION, fd);
	fd = wr_above_stderr(fd);
	if (fd < 0)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!named->existed && is_section(name))
		status = STATUS_OBJECT_TYPE_MISMATCH;
	else
		status = use_section(named, kind, size, fd, object);
	if (status != STATUS_SUCCESS)
		wr_close(fd);

	return status;
}

static NTSTATUS get_once(struct wr_named *named, const struct wr_kind *kind,
			 size_t size, struct wr_waitable **object)
{
	int fd = lock_name(named->name);
	NTSTATUS status;

	if (fd >= 0)
		status = get_locked(named, kind, size, object);
	else
		status = wr_status(WR_CREATE_SECTION, fd);
	if (status == STATUS_SUCCESS)
		status = complete(named, *object);
	if (fd >= 0)
		wr_close(fd);

	return status;
}

NTSTATUS wr_named_get(struct wr_named *named, const struct wr_kind *kind,
		      size_t size, struct wr_waitable **object)
{
	int tries = TRIES;
	NTSTATUS status;

	WR_NO_CANCEL();

	if (named->name->length + 2 > WINREGION_MAX_NAME)
		return STATUS_NAME_TOO_LONG;
	*object = NULL;
	pthread_mutex_lock(&lock);
	while ((status = get_once(named, kind, size, object)) == HALF_MADE &&
	       tries--)
		wait_unlocked();
	pthread_mutex_unlock(&lock);
	if (status == HALF_MADE)
		status = STATUS_OBJECT_NAME_NOT_FOUND;
	if (status != STATUS_SUCCESS && *object)
		wr_object_put(&(*object)->object);

	return status;
}

/* ---- what they are for those who wait ---- */

static struct wr_words *words_of(const struct wr_waitable *object)
{
	return object->shared->words;
}

uint32_t *wr_named_changes(const struct wr_waitable *object)
{
	return &words_of(object)->changes;
}

/* Who is killed in front of this leaves others asleep, but not for long: wait.c. */
static void tell(struct wr_words *words)
{
	int saved_errno = errno;

	__atomic_add_fetch(&words->changes, 1, __ATOMIC_SEQ_CST);
	wr_futex_wake_shared(&words->changes);
	errno = saved_errno;
}

void wr_named_set_event(const struct wr_waitable *object, bool set)
{
	struct wr_words *words = words_of(object);

	__atomic_store_n(&words->set, set, __ATOMIC_SEQ_CST);
	if (set)
		tell(words);
}

bool wr_named_grab_event(const struct wr_waitable *object)
{
	struct wr_words *words = words_of(object);

	if (words->manual)
		return __atomic_load_n(&words->set, __ATOMIC_SEQ_CST);

	return __atomic_exchange_n(&words->set, 0, __ATOMIC_SEQ_CST);
}

bool wr_named_event_is_set(const struct wr_waitable *object)
{
	return __atomic_load_n(&words_of(object)->set, __ATOMIC_SEQ_CST);
}

void wr_named_put_back_event(const struct wr_waitable *object)
{
	if (!words_of(object)->manual)
		wr_named_set_event(object, true);
}

bool wr_named_semaphore_has_one(const struct wr_waitable *object)
{
	return __atomic_load_n(&words_of(object)->count, __ATOMIC_SEQ_CST) > 0;
}

bool wr_named_grab_semaphore(const struct wr_waitable *object)
{
	struct wr_words *words = words_of(object);
	int32_t count = __atomic_load_n(&words->count, __ATOMIC_SEQ_CST);

	while (count > 0)
		if (__atomic_compare_exchange_n(&words->count, &count,
						count - 1, false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;

	return false;
}

bool wr_named_release_semaphore(const struct wr_waitable *object, LONG more,
				LONG *before, bool limited)
{
	struct wr_words *words = words_of(object);
	int32_t count = __atomic_load_n(&words->count, __ATOMIC_SEQ_CST);

	do {
		if (limited && more > (int64_t)words->most - count)
			return false;
	} while (!__atomic_compare_exchange_n(&words->count, &count,
					      count + more, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	*before = count;
	tell(words);

	return true;
}

/* As far as the words say: who has released it may have to close its name yet. */
static bool nobody_owns(const struct wr_waitable *object)
{
	return !__atomic_load_n(&words_of(object)->owned, __ATOMIC_SEQ_CST);
}

/* If that cannot be known, who tries to have it is told why. */
bool wr_named_mutex_is_free(const struct wr_waitable *object)
{
	struct full_name name;

	if (nobody_owns(object))
		return true;
	name_owner(object->shared, &name);

	return look_for(name.text, name.length, object->shared->name_flags);
}

/* Somebody has it. */
static bool is_owned(int err)
{
	return err == -ENOTUNIQ || err == -EKEYREJECTED;
}

/*
 * The owner's name: a descriptor, or -errno. A child of vfork(2) has a copy of it until it
 * executes a program, and the name lasts as long. That is not waited for without end: the
 * lock of those who wait is held.
 */
static int take_owner(const struct wr_waitable *object)
{
	const struct timespec pause = { .tv_nsec = NS_PER_OWNER_TRY };
	struct full_name name;
	int tries = OWNER_TRIES;
	bool existed;
	int fd;

	name_owner(object->shared, &name);
	fd = create_section(&name, &existed);
	while (is_owned(fd) && nobody_owns(object) && tries--) {
		nanosleep(&pause, NULL);
		fd = create_section(&name, &existed);
	}

	return fd;
}

NTSTATUS wr_named_grab_mutex(const struct wr_waitable *object, bool *abandoned)
{
	struct wr_shared *shared = object->shared;
	int fd;

	WR_NO_CANCEL();

	fd = take_owner(object);
	if (fd < 0)
		return is_owned(fd) ? STATUS_TIMEOUT :
				      wr_status(WR_CREATE_SECTION, fd);
	shared->owner =
		wr_identify(wr_above_stderr(fd), &shared->owner_identity);
	if (shared->owner < 0)
		return STATUS_INSUFFICIENT_RESOURCES;
	*abandoned =
		__atomic_exchange_n(&shared->words->owned, 1, __ATOMIC_SEQ_CST);

	return STATUS_SUCCESS;
}

void wr_named_release_mutex(const struct wr_waitable *object, bool abandoned)
{
	struct wr_shared *shared = object->shared;

	WR_NO_CANCEL();

	if (!abandoned)
		__atomic_store_n(&shared->words->owned, 0, __ATOMIC_SEQ_CST);
	wr_identity_close(&shared->owner_identity, shared->owner);
	shared->owner = -1;
	tell(shared->words);
}

/* ---- forks ---- */

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

/* No mutex is the child's: what it has of them would keep them from all. */
static void after_fork_in_child(void)
{
	struct wr_shared *shared;

	for (shared = all; shared; shared = shared->next) {
		wr_identity_close(&shared->owner_identity, shared->owner);
		shared->owner = -1;
	}
	pthread_mutex_unlock(&lock);
}

WR_EARLY static void init_named(void)
{
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
