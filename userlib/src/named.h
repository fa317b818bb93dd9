/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events, mutexes and semaphores that processes share by a name
 */
#ifndef _WINREGION_NAMED_H
#define _WINREGION_NAMED_H

#include "threads.h"

enum wr_named_kind {
	WR_NAMED_EVENT = 1,
	WR_NAMED_MUTEX,
	WR_NAMED_SEMAPHORE,
};

struct wr_words;

/* What of an object is of this process alone */
struct wr_shared {
	/* What all processes see, and what of it does not change */
	struct wr_words *words;
	uint64_t id;
	uint32_t name_flags;
	uint32_t others;
	struct wr_waitable *object;
	/* A mutex that a thread of this process owns: a descriptor; else -1 */
	int owner;
	struct wr_identity owner_identity;
	/* The objects of this process, under the lock of named.c */
	struct wr_shared *next;
	struct wr_shared **self;
};

/* An object to be made, or to be found, and what it is to be if it is new */
struct wr_named {
	const struct wr_name *name;
	/* What other users can have it for: WINREGION_SECTION_* */
	uint32_t others;
	enum wr_named_kind kind;
	bool create;
	bool manual;
	bool set;
	/* A mutex is the thread's from the start. */
	bool owned;
	LONG count;
	LONG most;
	/* Set to whether it was there */
	bool existed;
};

/*
 * The object, of which the caller has a user; it may be one that the process has
 * already. @size: of its structure.
 */
NTSTATUS wr_named_get(struct wr_named *named, const struct wr_kind *kind,
		      size_t size, struct wr_waitable **object);
/* Its last handle is closed: its structure is freed. */
void wr_named_destroy(struct wr_waitable *object);

/* What changes when such an object may be signaled: a futex of all processes */
uint32_t *wr_named_changes(const struct wr_waitable *object);

/* Whether it is signaled, at the moment; of a mutex, whether anybody is its owner */
bool wr_named_event_is_set(const struct wr_waitable *object);
bool wr_named_semaphore_has_one(const struct wr_waitable *object);
bool wr_named_mutex_is_free(const struct wr_waitable *object);

/* Have it if it is signaled. Return: whether it was. */
bool wr_named_grab_event(const struct wr_waitable *object);
bool wr_named_grab_semaphore(const struct wr_waitable *object);
/* Of which no thread of this process is the owner. STATUS_TIMEOUT: another one has it. */
NTSTATUS wr_named_grab_mutex(const struct wr_waitable *object, bool *abandoned);

/* Let others have it. */
void wr_named_set_event(const struct wr_waitable *object, bool set);
/* As if an event that is reset by itself had not been had */
void wr_named_put_back_event(const struct wr_waitable *object);
/* Return: whether there was room. Without @limited there is. */
bool wr_named_release_semaphore(const struct wr_waitable *object, LONG more,
				LONG *before, bool limited);
/* By its owner. With @abandoned the next one learns that he has not done so. */
void wr_named_release_mutex(const struct wr_waitable *object, bool abandoned);

#endif /* _WINREGION_NAMED_H */
