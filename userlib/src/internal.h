/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the layers of the library share
 */
#ifndef _WINREGION_INTERNAL_H
#define _WINREGION_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/winregion.h>
#include <winregion/nt.h>

/* What 64-bit programs have is not looked at in 32-bit ones, nor the other way round. */
#define WR_32BIT (sizeof(void *) == 4)

/* Where the addresses of 64-bit programs end */
#ifdef __aarch64__
#define WR_USER_END ((uint64_t)1 << 48)
#else
#define WR_USER_END ((uint64_t)1 << 47)
#endif

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The families of calls that have statuses of their own for an errno */
enum wr_family {
	WR_ALLOCATE,
	WR_FREE,
	WR_PROTECT,
	WR_QUERY,
	WR_CREATE_SECTION,
	WR_MAP,
	/* And to flush */
	WR_UNMAP,
	/* And to undo that, discard, offer and reclaim */
	WR_RESET,
	WR_LOCK,
	/* Of large pages; what is not its own is as of WR_ALLOCATE. */
	WR_ALLOCATE_LARGE,
	WR_FAMILIES
};

/* error.c: the status for @err: 0 or -errno */
NTSTATUS wr_status(enum wr_family family, int err);

/* A range of addresses: first as it was passed, then as it was changed */
struct wr_range {
	PVOID base;
	SIZE_T size;
};

/*
 * nt.c: the NtXxxVirtualMemory() calls. @range must be a variable of the
 * library's own; on success it is what was really changed.
 */
NTSTATUS wr_allocate(HANDLE process, struct wr_range *range,
		     ULONG_PTR zero_bits, ULONG type, ULONG protect);
NTSTATUS wr_free(HANDLE process, struct wr_range *range, ULONG type);
NTSTATUS wr_protect(HANDLE process, struct wr_range *range, ULONG protect,
		    PULONG old_protect);

struct wr_target;

/* reset.c: MEM_RESET or MEM_RESET_UNDO, as @type says */
NTSTATUS wr_reset(const struct wr_target *target, const struct wr_range *range,
		  ULONG type, ULONG protect);

/* nt.c: @zero_bits, and the highest byte that they allow; 0: no limit */
int wr_zero_bits_are_valid(ULONG_PTR zero_bits);
NTSTATUS wr_zero_bits_limit(ULONG_PTR zero_bits, uint64_t *highest);

/* probe.c: whether @length bytes at @pointer can be written */
int wr_writable(const void *pointer, size_t length);

/*
 * probe.c: whether all of @length bytes at @pointer can be read, or written. A guard
 * page cannot, and is no guard any more.
 */
bool wr_all_readable(const void *pointer, size_t length);
bool wr_all_writable(const void *pointer, size_t length);

/* probe.c: the same of what could be, before the pages of @changed were changed */
int wr_still_writable(const void *pointer, size_t length,
		      const struct wr_range *changed);

/* error.c: set the last error to that of @status; returns NT_SUCCESS() */
BOOL wr_succeeded(NTSTATUS status);

/* error.c: a status that is @error in terms of GetLastError() */
NTSTATUS wr_status_of(DWORD error);

/* error.c: set the last error to @error; returns FALSE */
BOOL wr_fail(DWORD error);

/* error.c: what the last error of a file call is for @err, an errno */
DWORD wr_file_error(int err);

/* Sections need what was to be cut off: no file's call on Linux says this one. */
#define WR_EMAPPED EL2HLT

/* errortext.c: what @error is in words, without a full stop; NULL: not known */
const char *wr_error_text(DWORD error);

/*
 * What is ready before all constructors of a program that the library is linked into, and
 * what ends after all its destructors: programs have priorities from 101 on. The program's
 * callbacks are called late, and may use what ends last.
 */
#define WR_EARLY __attribute__((constructor(100)))
#define WR_LATE __attribute__((destructor(100)))
#define WR_LAST __attribute__((destructor(99)))
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wprio-ctor-dtor"
#endif

/* error.c: put errno back to what it is here, at the end of the block */
void wr_restore_errno(const int *saved);
#define WR_KEEP_ERRNO() \
	int saved_errno __attribute__((cleanup(wr_restore_errno))) = errno

/*
 * error.c: to the end of the block, pthread_cancel() does not end the thread: where it has
 * a lock, or others know what is on its stack, and it calls what can be cancelled
 */
int wr_refuse_cancel(void);
void wr_restore_cancel(const int *saved);
#define WR_NO_CANCEL() \
	int saved_cancel __attribute__((cleanup(wr_restore_cancel))) = \
		wr_refuse_cancel()

/*
 * error.c: close(2) of what is the library's, which is done whoever wants the thread to
 * end: it is a cancellation point, and nobody else would close it
 */
void wr_close(int fd);

/*
 * A child of fork() finds the mutex @lock free, and what it guards whole. @when is the
 * attribute of the constructor that says so: WR_EARLY, or any. One for each file
 */
#define WR_HOLD_ACROSS_FORK(lock, when) \
	static pthread_mutex_t *const held_across_fork = &(lock); \
\
	static void before_fork(void) \
	{ \
		pthread_mutex_lock(held_across_fork); \
	} \
\
	static void after_fork(void) \
	{ \
		pthread_mutex_unlock(held_across_fork); \
	} \
\
	when static void watch_fork(void) \
	{ \
		pthread_atfork(before_fork, after_fork, after_fork); \
	}

/* ioctl.c: @fd, or another descriptor of the same above standard error's; -1 */
int wr_above_stderr(int fd);

/*
 * text.c: what is in a small file, as far as there is room; empty if it cannot be
 * read: false then. Changes errno.
 */
bool wr_read_text(const char *name, char *text, size_t room);

/* sysinfo.c: bits for the numbers up to 63 of a list like "0-3,5" in such a file */
uint64_t wr_read_list(const char *name);

/* numa.c: whether there is such a memory node. */
bool wr_node_is_there(ULONG node);
/* numa.c: pages of a view that are not there yet shall be on it, where that can be. */
void wr_node_prefer(void *address, size_t size, ULONG node);

/* ioctl.c: ioctls of the device, and of a section's descriptor: 0 or -errno */
int wr_device_ioctl(unsigned long request, void *arg);
int wr_device_ask(unsigned long request, void *arg);
int wr_section_ioctl(int fd, unsigned long request, void *arg);

/* ioctl.c: the device's descriptor, which may be others' by now; below 0: none was needed */
int wr_device_fd(void);

/*
 * local.c: what the library of heaps has for LocalAlloc() and LocalFree(); NULL in a
 * program that is not linked with it
 */
HLOCAL WINAPI wr_local_alloc(UINT flags, SIZE_T size) __attribute__((weak));
HLOCAL WINAPI wr_local_free(HLOCAL memory) __attribute__((weak));

struct wr_object;

/* Make an object like another one that allows @access only */
typedef NTSTATUS wr_narrow(struct wr_object *object, DWORD access,
			   struct wr_object **narrower);

struct wr_taking;

/*
 * Make an object like @other, a copy of one of another process, with descriptors of
 * its own by wr_take_descriptor(). It is for handles with the rights @access at most.
 */
typedef NTSTATUS wr_take_object(struct wr_taking *taking,
				const struct wr_object *other, DWORD access,
				struct wr_object **object);

struct wr_waits;

/* By which processes tell each other a kind; see handle.h */
enum wr_kind_number {
	/* Its objects are of one process. */
	WR_KIND_OWN,
	WR_KIND_FILE,
	WR_KIND_SECTION,
	WR_KIND_PROCESS,
	WR_KINDS
};

/* What the objects of one kind have in common: one of these each. */
struct wr_kind {
	/* WR_KIND_*; others read this first member. */
	uint32_t number;
	/* If that is not WR_KIND_OWN: bytes of an object, and how others take one */
	uint32_t size;
	wr_take_object *take;
	/* What GENERIC_READ, _WRITE, _EXECUTE and _ALL are for this kind */
	DWORD generic_read;
	DWORD generic_write;
	DWORD generic_execute;
	DWORD generic_all;
	/*
	 * Its last handle is closed, and no call uses it any more. Called without
	 * a lock; closes the descriptor and frees the memory.
	 */
	void (*destroy)(struct wr_object *object);
	/*
	 * For a handle with fewer rights; the caller is the first user of what it
	 * makes. Called without a lock. NULL: one object serves all handles.
	 */
	wr_narrow *narrow;
	/* NULL if nobody can wait for it; else it is a struct wr_waitable. */
	const struct wr_waits *waits;
	/* Of events: it is set, or reset. NULL: it is none. */
	void (*set)(struct wr_object *object, bool set);
};

/*
 * What a descriptor leads to: "close all files" loops know nothing of a library's, and the
 * next open() gets the number again. So the library closes and changes none by its number
 * alone. What is no file has an inode in common with others that are none.
 */
struct wr_identity {
	uint64_t device;
	uint64_t inode;
};

/* handle.c: fill in that of @fd, if it is one. Return: @fd */
int wr_identify(int fd, struct wr_identity *identity);

/* handle.c: whether @fd leads to that still */
bool wr_identity_has(const struct wr_identity *identity, int fd);

/* handle.c: close @fd if it does, and is one */
void wr_identity_close(const struct wr_identity *identity, int fd);

/*
 * What handles lead to: the beginning of a structure of the kind's own. The
 * counts are handle.c's, under its lock.
 */
struct wr_object {
	const struct wr_kind *kind;
	/* Handles, and calls that use it */
	unsigned int users;
	/* Those of them that are neither, and are there after a fork, too */
	unsigned int kept;
	/* Handles that can be inherited: without one, execve(2) closes @fd. */
	unsigned int inheritors;
	/* There has been one: what another program has of @fd is not known. */
	bool inherited;
	/* Close-on-exec when the object is made; or -1 */
	int fd;
	/* What it led to then */
	struct wr_identity identity;
};

/* handle.c: fill in a new object; the caller is its first user */
void wr_object_init(struct wr_object *object, const struct wr_kind *kind,
		    int fd);

/* handle.c: whether @fd leads to what the object's descriptor led to */
bool wr_object_has(const struct wr_object *object, int fd);

/* handle.c: close the object's descriptor, if it still is */
void wr_object_close(const struct wr_object *object);

/*
 * handle.c: changes with each fork(): of descriptors that there were then a child has
 * copies
 */
unsigned int wr_forks(void);

/* handle.c: one user more */
void wr_object_get(struct wr_object *object);

/* handle.c: the same, but not if it is about to be destroyed: false then */
bool wr_object_get_living(struct wr_object *object);

/* handle.c: stop using it; the last user destroys it */
void wr_object_put(struct wr_object *object);

/* handle.c: @access with the generic rights replaced by those of @kind */
DWORD wr_specific_rights(const struct wr_kind *kind, DWORD access);

/*
 * handle.c: a new handle of @object, which then has a user more. @access has
 * specific rights only.
 */
NTSTATUS wr_handle_new(struct wr_object *object, DWORD access, BOOL inherit,
		       HANDLE *handle);

/*
 * take.c: a descriptor that is @fd of the process from which an object is taken. Return:
 * it, above standard error's and close-on-exec, or -errno.
 */
int wr_take_descriptor(struct wr_taking *taking, int fd);

/* take.c: what to say if that has failed */
NTSTATUS wr_take_status(int err);

/* handle.c: close a handle that nobody else has seen yet */
void wr_handle_drop(HANDLE handle);

/*
 * handle.c: what GetCurrentThread() stands for, or NULL if there is no memory; set
 * where there are threads.
 */
extern struct wr_object *(*wr_current_thread)(void);

/*
 * handle.c: what @handle leads to, with one user more, and its rights. It must
 * be of @kind, or of any if that is NULL.
 */
NTSTATUS wr_handle_get(HANDLE handle, const struct wr_kind *kind,
		       struct wr_object **object, DWORD *access);

/*
 * string.c: conversions. They return the units that the result has, @room or not
 * if that is 0, and a negative number if it has no place, or if something is not
 * valid and @strict is set; else that becomes U+FFFD.
 */
#define WR_NO_ROOM (-1L)
#define WR_INVALID (-2L)
long wr_to_wide(const char *from, size_t size, WCHAR *to, size_t room,
		BOOL strict);
long wr_to_utf8(const WCHAR *from, size_t size, char *to, size_t room,
		BOOL strict);
size_t wr_wide_length(const WCHAR *text);

/*
 * string.c: memory for what @units of UTF-16 become at most, three bytes each, and a zero;
 * NULL if there is none, or the addresses are too few
 */
char *wr_utf8_room(size_t units);

/* A name of a section: what the module is told of it. Longer before it is parsed. */
struct wr_name {
	/* WINREGION_NAME_GLOBAL or 0 */
	uint32_t flags;
	uint32_t length;
	char text[WINREGION_MAX_NAME + 64];
};

/* name.c: what a program calls a section; @nt: by a call of Nt */
NTSTATUS wr_name_of_utf8(const char *text, struct wr_name *name);
NTSTATUS wr_name_of_wide(const WCHAR *text, size_t units, bool nt,
			 struct wr_name *name);

/* named.c: whether a name is that of an event, a mutex or a semaphore */
bool wr_named_has(const struct wr_name *name);

/* name.c: WINREGION_SECTION_* that a security descriptor, or NULL, gives others */
NTSTATUS wr_others_of(const void *security, uint32_t *others);

#endif /* _WINREGION_INTERNAL_H */
