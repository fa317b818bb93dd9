/* SPDX-License-Identifier: GPL-2.0 */
/* Shrinkers, however they are made. */
#ifndef _WR_COMPAT_LINUX_SHRINKER_H
#define _WR_COMPAT_LINUX_SHRINKER_H

#include_next <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/version.h>

/**
 * wr_shrinker_alloc - a shrinker, whose lists can be made then
 * @flags: SHRINKER_*
 * @count: what counts
 * @scan: what frees
 *
 * Before 6.7 (c42d50aefd17, "mm: shrinker: add infrastructure for dynamically
 * allocating shrinker") one has the number that its lists need only when it is
 * registered: so it may be called before wr_shrinker_register().
 *
 * Return: the shrinker, or NULL.
 */
static inline struct shrinker *
wr_shrinker_alloc(unsigned int flags,
		  unsigned long (*count)(struct shrinker *shrinker,
					 struct shrink_control *sc),
		  unsigned long (*scan)(struct shrinker *shrinker,
					struct shrink_control *sc))
{
	struct shrinker *shrinker;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker = shrinker_alloc(flags, "winregion");
#else
	shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
#endif
	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	shrinker->flags = flags;
	if (register_shrinker(shrinker, "winregion")) {
		kfree(shrinker);
		shrinker = NULL;
	}
#endif
	return shrinker;
}

/* From now on it is called. */
static inline void wr_shrinker_register(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_register(shrinker);
#endif
}

/* When it returns it is not called any more, nor will be. */
static inline void wr_shrinker_free(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

#endif /* _WR_COMPAT_LINUX_SHRINKER_H */
