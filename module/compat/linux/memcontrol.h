/* SPDX-License-Identifier: GPL-2.0 */
/* What <linux/memcontrol.h> of older kernels calls otherwise. */
#ifndef _WR_COMPAT_LINUX_MEMCONTROL_H
#define _WR_COMPAT_LINUX_MEMCONTROL_H

#include_next <linux/memcontrol.h>
#include <linux/version.h>

/* Whether kernel memory is charged to memory cgroups, of which there are some. */
static inline bool wr_memcg_kmem_online(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	/* f7a449f779608 ("mm: memcontrol: rename memcg_kmem_enabled()") */
	return memcg_kmem_online();
#else
	return memcg_kmem_enabled();
#endif
}

/* Whether the kernel can do that; an option of its own up to 6.9. */
static inline bool wr_has_memcg_kmem(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return IS_ENABLED(CONFIG_MEMCG);
#else
	return IS_ENABLED(CONFIG_MEMCG_KMEM);
#endif
}

/**
 * wr_memcg_id - what tells memory cgroups apart
 * @memcg: one, or NULL
 *
 * Return: a number that no other one gets, also when it is gone, or 0.
 */
static inline u64 wr_memcg_id(const struct mem_cgroup *memcg)
{
#ifdef CONFIG_MEMCG
	return memcg ? cgroup_id(memcg->css.cgroup) : 0;
#else
	return 0;
#endif
}

/* A reference, for mem_cgroup_put(). Called under RCU. Return: not if it is about to be freed. */
static inline bool wr_memcg_tryget(struct mem_cgroup *memcg)
{
#ifdef CONFIG_MEMCG
	return !memcg || css_tryget(&memcg->css);
#else
	return true;
#endif
}

/**
 * wr_memcg_may_swap - whether a memory cgroup may have more in swap
 * @memcg: one, or NULL for all
 * @any: it is the machine that is short of memory
 *
 * Return: false if it, or one that it is in, has all that memory.swap.max gives; with the
 * first version of cgroups, all that memory.memsw.limit_in_bytes gives, as swap is no way
 * out of that, unless it is another's memory that is wanted.
 */
static inline bool wr_memcg_may_swap(struct mem_cgroup *memcg, bool any)
{
#ifdef CONFIG_MEMCG
	bool second = cgroup_subsys_on_dfl(memory_cgrp_subsys);
	struct page_counter *counter;

	if (!memcg || (any && !second))
		return true;
	for (; parent_mem_cgroup(memcg); memcg = parent_mem_cgroup(memcg)) {
		counter = second ? &memcg->swap : &memcg->memsw;
		if (page_counter_read(counter) >= READ_ONCE(counter->max))
			return false;
	}
#endif
	return true;
}

#endif /* _WR_COMPAT_LINUX_MEMCONTROL_H */
