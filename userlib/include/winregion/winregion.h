/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - the ioctls of /dev/winregion, one function each
 *
 * All functions here are thread-safe and async-signal-safe, and leave errno
 * alone. They act on the address space of the calling process.
 */
#ifndef _WINREGION_WINREGION_H
#define _WINREGION_WINREGION_H

#include <pthread.h>

#include <linux/winregion.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Each function takes the structure of its ioctl, sets its size field, and
 * returns 0 or a negated errno: one of those that <linux/winregion.h> lists for
 * the ioctl, or -ENODEV if the device cannot be opened, or -ENOTTY if the
 * module does not have the ioctl. The device is opened by the first call that
 * needs it, and again when the program has closed it or put another file in its
 * place; a failed open is tried again by the next call.
 */
int winregion_get_info(struct winregion_get_info *info);
int winregion_reserve(struct winregion_reserve *reserve);
int winregion_release(struct winregion_release *release);
int winregion_set_stack(struct winregion_set_stack *stack);
int winregion_commit(struct winregion_change *change);
int winregion_decommit(struct winregion_change *change);
int winregion_protect(struct winregion_change *change);
int winregion_reset(struct winregion_reset *reset);
int winregion_query(struct winregion_query *query);
int winregion_query_runs(struct winregion_query_runs *query);
int winregion_last_fault(struct winregion_last_fault *last);

/*
 * A stack of @size bytes for a thread of pthread_create(); 0: as large as those of
 * CreateThread(). It grows by the module's guard, by any touch. The caller releases
 * it, by winregion_release() of its base, which pthread_attr_getstack() tells, when the
 * thread is joined. 0, or a negated errno.
 */
int winregion_thread_attr(pthread_attr_t *attr, size_t size);

/*
 * WINREGION_STACK_* for threads of CreateThread() and fibers that are made from now on;
 * 0 at first. 0 or -EOPNOTSUPP.
 */
int winregion_stack_flags(unsigned int flags);
int winregion_write_watch(struct winregion_write_watch *watch);
int winregion_lock(struct winregion_lock *lock);
int winregion_frames(struct winregion_frames *frames);
int winregion_map_frames(struct winregion_map_frames *frames);

/*
 * NULL if everything that the library needs is there; otherwise one line in
 * English that says what is missing and what to do. The string is static.
 */
const char *winregion_unavailable(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_WINREGION_H */
