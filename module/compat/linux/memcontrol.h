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

#endif /* _WR_COMPAT_LINUX_MEMCONTROL_H */
