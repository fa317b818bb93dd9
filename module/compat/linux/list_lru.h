/* SPDX-License-Identifier: GPL-2.0 */
/* What <linux/list_lru.h> of older kernels calls otherwise. */
#ifndef _WR_COMPAT_LINUX_LIST_LRU_H
#define _WR_COMPAT_LINUX_LIST_LRU_H

#include_next <linux/list_lru.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
/* 0a97c01cd20bb ("list_lru: allow explicit memcg and NUMA node selection") */
static inline bool list_lru_add_obj(struct list_lru *lru,
				    struct list_head *item)
{
	return list_lru_add(lru, item);
}

static inline bool list_lru_del_obj(struct list_lru *lru,
				    struct list_head *item)
{
	return list_lru_del(lru, item);
}
#endif

/*
 * wr_lru_walk(name): what to pass to list_lru_walk_one() for the function @name, of
 * an item, its list and an argument. WR_DEFINE_LRU_WALK(name) comes first.
 */
#define wr_lru_walk(name) name##_lru_walk

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
/* da0c02516c50 ("mm/list_lru: simplify the list_lru walk callback function") */
#define WR_DEFINE_LRU_WALK(name) \
	static enum lru_status name##_lru_walk(struct list_head *item, \
					       struct list_lru_one *list, \
					       spinlock_t *lock, void *arg) \
	{ \
		return name(item, list, arg); \
	}
#else
#define WR_DEFINE_LRU_WALK(name) \
	static enum lru_status name##_lru_walk(struct list_head *item, \
					       struct list_lru_one *list, \
					       void *arg) \
	{ \
		return name(item, list, arg); \
	}
#endif

#endif /* _WR_COMPAT_LINUX_LIST_LRU_H */
