/* SPDX-License-Identifier: GPL-2.0 */
/* What <linux/mm.h> of older kernels lacks, and what differs. */
#ifndef _WR_COMPAT_LINUX_MM_H
#define _WR_COMPAT_LINUX_MM_H

#include_next <linux/mm.h>
#include <linux/huge_mm.h>
#include <linux/sched/coredump.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* bc292ab00f6c ("mm: introduce vma->vm_flags wrapper functions") */
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	mmap_assert_write_locked(vma->vm_mm);
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	mmap_assert_write_locked(vma->vm_mm);
	vma->vm_flags &= ~flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
/* 5e31275cc997 ("mm: add per-VMA lock and helper functions to control it") */
static inline void vma_start_write(struct vm_area_struct *vma)
{
	mmap_assert_write_locked(vma->vm_mm);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
/* 2f0584f3f4bd ("mm: rename arch pte_mkwrite()'s to pte_mkwrite_novma()") */
#define pte_mkwrite_novma(pte) pte_mkwrite(pte)
#define pmd_mkwrite_novma(pmd) pmd_mkwrite(pmd)
#endif

#ifndef CONFIG_MAPPING_DIRTY_HELPERS
/*
 * Kernels without a driver that needs it lack it; distributions' have it. To
 * unmap is right as well, but takes a fault a page afterwards.
 */
static inline unsigned long
wp_shared_mapping_range(struct address_space *mapping, pgoff_t first_index,
			pgoff_t nr)
{
	unmap_mapping_pages(mapping, first_index, nr, false);
	return 0;
}
#endif

/**
 * wr_zap_vma - remove the PTEs of a part of a VMA of ours
 * @vma: the VMA; mmap_lock or its own lock is held
 * @addr: the first byte
 * @end: the byte behind the last, in the VMA
 *
 * What does that for one VMA has another name in each series, and is not exported
 * by all kernels (see Kbuild). Those that map the same file can do without.
 */
static inline void wr_zap_vma(struct vm_area_struct *vma, unsigned long addr,
			      unsigned long end)
{
#if defined(WR_HAVE_ZAP_VMA_RANGE)
	zap_vma_range(vma, addr, end - addr);
#elif defined(WR_HAVE_ZAP_PAGE_RANGE_SINGLE)
	zap_page_range_single(vma, addr, end - addr, NULL);
#elif defined(WR_HAVE_ZAP_PAGE_RANGE)
	zap_page_range(vma, addr, end - addr);
#else
	unmap_mapping_pages(vma->vm_file->f_mapping,
			    ((addr - vma->vm_start) >> PAGE_SHIFT) +
				    vma->vm_pgoff,
			    (end - addr) >> PAGE_SHIFT, false);
#endif
}

/* Whether wr_zap_vma() looks at one VMA only, and so at nothing if @addr is @end. */
static inline bool wr_zaps_one_vma(void)
{
#if defined(WR_HAVE_ZAP_VMA_RANGE) || \
	defined(WR_HAVE_ZAP_PAGE_RANGE_SINGLE) || \
	defined(WR_HAVE_ZAP_PAGE_RANGE)
	return true;
#else
	return false;
#endif
}

/* Pins a page for who reads it, for long. mmap_lock is held. Return: 0 or an error. */
static inline int wr_pin_page_for_long(struct mm_struct *mm, unsigned long addr,
				       struct page **page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	/* 0b295316b3a9b ("mm/gup: remove unused vmas parameter from pin_user_pages_remote()") */
	long n = pin_user_pages_remote(mm, addr, 1, FOLL_LONGTERM, page, NULL);
#else
	long n = pin_user_pages_remote(mm, addr, 1, FOLL_LONGTERM, page, NULL,
				       NULL);
#endif

	if (n == 1)
		return 0;
	return n ? n : -EFAULT;
}

/* Whether the program has had it sealed, by mseal(). */
static inline bool wr_vma_is_sealed(struct vm_area_struct *vma)
{
#ifdef VM_SEALED
	return vma->vm_flags & VM_SEALED;
#else
	return false;
#endif
}

/* Where wr_pte_is_guard() may be true, see <linux/leafops.h>. */
#ifdef VM_MAYBE_GUARD
#define WR_MAYBE_GUARD VM_MAYBE_GUARD
#else
#define WR_MAYBE_GUARD VM_NONE
#endif

/* Whether PR_SET_MDWE is on: what was writable never becomes executable. */
static inline bool wr_mm_denies_exec(struct mm_struct *mm)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return mm_flags_test(MMF_HAS_MDWE, mm);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	/* b507808ebce2 ("mm: implement memory-deny-write-execute as a prctl") */
	return test_bit(MMF_HAS_MDWE, &mm->flags);
#else
	return false;
#endif
}

/* How many PTEs and PMDs map a folio or parts of it; each has a reference. */
static inline int wr_folio_mapcount(struct folio *folio)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return folio_mapcount(folio);
#else
	long i, n = folio_nr_pages(folio);
	int mapcount = n, whole = 0;

	for (i = 0; i < n; i++)
		mapcount += atomic_read(&folio_page(folio, i)->_mapcount);
	if (n > 1)
		whole = folio_entire_mapcount(folio);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	mapcount -= whole * n; /* each page counts what maps all of them */
#endif
	return mapcount + whole;
#endif
}

/*
 * What an mm has in swap is @pages more. As add_mm_counter(), but for a trace event that
 * is for the core only. May be called under a spinlock.
 */
static inline void wr_mm_add_swapped(struct mm_struct *mm, long pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	percpu_counter_add(&mm->rss_stat[MM_SWAPENTS], pages);
#else
	atomic_long_add(pages, &mm->rss_stat.count[MM_SWAPENTS]);
#endif
}

/* The task that has an mm, or NULL. Under RCU. Only memory cgroups lead from one there. */
static inline struct task_struct *wr_mm_owner(struct mm_struct *mm)
{
#ifdef CONFIG_MEMCG
	return rcu_dereference(mm->owner);
#else
	return NULL;
#endif
}

/*
 * Whether the fork is over that has made an mm. Before, and if it fails, its VMAs may be
 * the parent's, and in between it has no owner; and who will be is in no cgroup.
 */
static inline bool wr_mm_is_whole(struct mm_struct *mm)
{
	bool whole = true;
#ifdef CONFIG_MEMCG
	struct task_struct *owner;

	rcu_read_lock();
	owner = wr_mm_owner(mm);
	whole = owner && !(READ_ONCE(owner->__state) & TASK_NEW);
	rcu_read_unlock();
#endif
	return whole;
}

/*
 * Whether the calling process is who has an mm, so that its memory cgroup is charged for
 * it as it is. Not one that only shares it, nor a kernel thread; if it is not known, the
 * cgroup of the mm is to be looked for.
 */
static inline bool wr_mm_is_callers(struct mm_struct *mm)
{
#ifdef CONFIG_MEMCG
	return current->mm == mm &&
	       rcu_access_pointer(mm->owner) == current->group_leader;
#else
	return true; /* nobody is charged */
#endif
}

/* Whether some page of the mm was ever pinned; never forgotten. */
static inline bool wr_mm_has_pinned(struct mm_struct *mm)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return mm_flags_test(MMF_HAS_PINNED, mm);
#else
	return test_bit(MMF_HAS_PINNED, &mm->flags);
#endif
}

/*
 * Whether the core has given somebody a reference to a page of ours by its PTE alone, to
 * write to it or not, since this was asked last. That marks it as accessed, which
 * nothing else does here (wr_file_set_ageless()).
 *
 * But the mark may have gone again: without generations of pages (MGLRU) the core takes
 * one that is there away where somebody gets the page to read it, and not in the fast
 * way, as debuggers do (folio_mark_accessed()); and a 1 or 3 in clear_refs takes away all.
 * No module hears of either.
 */
static inline bool wr_folio_was_got(struct folio *folio)
{
#ifdef FMODE_NOREUSE
	return folio_test_referenced(folio) &&
	       folio_test_clear_referenced(folio);
#else
	return false;
#endif
}

/*
 * Counts the TLB flushes of a whole mm, where that can be told, so that one can
 * see whether there was one.
 */
static inline u64 wr_mm_flushes(struct mm_struct *mm)
{
#ifdef CONFIG_X86
	return atomic64_read(&mm->context.tlb_gen);
#else
	return 0;
#endif
}

/*
 * Whether PTEs may be changed where they are, by who has the lock of their table. On
 * arm64 only the core may: it joins PTEs to larger ones, looks after tags of memory, and
 * exports none of that.
 */
static inline bool wr_can_edit_ptes(void)
{
	return IS_ENABLED(CONFIG_X86);
}

/* PTEs that are looked at together */
#define WR_SOME_PTES 8UL

#ifdef CONFIG_X86
static inline bool wr_some_ptes_are_clean(const pte_t *ptep)
{
	pteval_t all = 0;
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < WR_SOME_PTES; i++)
		all |= READ_ONCE(ptep[i].pte);
	return !pte_dirty(native_make_pte(all));
}

/* The processor may set bits meanwhile. Return: whether it was dirty. */
static inline bool wr_pte_make_clean(pte_t *ptep)
{
	pte_t old = READ_ONCE(*ptep), new;

	do {
		if (!pte_present(old) || !pte_dirty(old))
			return false;
		new = pte_mkclean(old);
	} while (!try_cmpxchg(&ptep->pte, &old.pte, new.pte));
	return true;
}

/* The processor may set bits meanwhile. Return: whether it was accessed. */
static inline bool wr_pte_make_old(struct vm_area_struct *vma,
				   unsigned long addr, pte_t *ptep)
{
	pte_t old = READ_ONCE(*ptep);

	do {
		if (!pte_present(old) || !pte_young(old))
			return false;
	} while (!try_cmpxchg(&ptep->pte, &old.pte, pte_mkold(old).pte));
	return true;
}

static inline bool wr_pmd_make_old(struct vm_area_struct *vma,
				   unsigned long addr, pmd_t *pmd)
{
	pmd_t old = READ_ONCE(*pmd);

	do {
		if (!pmd_present(old) || !pmd_young(old))
			return false;
	} while (!try_cmpxchg(&pmd->pmd, &old.pmd, pmd_mkold(old).pmd));
	return true;
}
#else
/* Nothing is built that has these called: see wr_can_edit_ptes(). */
static inline bool wr_some_ptes_are_clean(const pte_t *ptep)
{
	BUILD_BUG();
	return false;
}

static inline bool wr_pte_make_clean(pte_t *ptep)
{
	BUILD_BUG();
	return false;
}

/* By the core's own, which x86 does not export. */
static inline bool wr_pte_make_old(struct vm_area_struct *vma,
				   unsigned long addr, pte_t *ptep)
{
	return pte_present(ptep_get(ptep)) &&
	       ptep_test_and_clear_young(vma, addr, ptep);
}

static inline bool wr_pmd_make_old(struct vm_area_struct *vma,
				   unsigned long addr, pmd_t *pmd)
{
	return pmd_present(READ_ONCE(*pmd)) &&
	       pmdp_test_and_clear_young(vma, addr, pmd);
}
#endif

/*
 * Where addresses end for who asks for no more. On arm64 what the core calls that goes by
 * the calling thread.
 */
#ifdef CONFIG_ARM64
#define WR_MAP_WINDOW DEFAULT_MAP_WINDOW_64
#else
#define WR_MAP_WINDOW DEFAULT_MAP_WINDOW
#endif

/*
 * Whether of the pages of one VMA some can be executed and others cannot. x86 ends what
 * fetches an instruction from a PTE that does not allow it. arm64 looks at the VMA: if that
 * allows it the core finds nothing wrong with the PTE, and the program tries it forever.
 */
static inline bool wr_exec_is_by_page(void)
{
	return IS_ENABLED(CONFIG_X86);
}

/* Whether PR_SET_THP_DISABLE is on. */
static inline bool wr_mm_thp_disabled(struct mm_struct *mm)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	/* 9dc21bbd62ed ("prctl: extend PR_SET_THP_DISABLE ...") */
	return mm_flags_test(MMF_DISABLE_THP_COMPLETELY, mm);
#else
	return test_bit(MMF_DISABLE_THP, &mm->flags);
#endif
}

/* Whether the core maps no large page there, as madvise() or prctl() say. */
static inline bool wr_vma_thp_disabled(struct vm_area_struct *vma)
{
#if !defined(CONFIG_TRANSPARENT_HUGEPAGE)
	return true;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return vma_thp_disabled(vma, vma->vm_flags, true);
#else
	return (vma->vm_flags & VM_NOHUGEPAGE) ||
	       wr_mm_thp_disabled(vma->vm_mm);
#endif
}

/* A table of PTEs where a PMD might go. */
static inline int wr_no_change(pte_t *ptep, unsigned long addr, void *data)
{
	return 0;
}

/* Return: 0 or -ENOMEM. */
static inline int wr_vmf_make_table(struct vm_fault *vmf)
{
	if (!pmd_none(READ_ONCE(*vmf->pmd)))
		return 0;
	return apply_to_page_range(vmf->vma->vm_mm, vmf->address & PAGE_MASK,
				   PAGE_SIZE, wr_no_change, NULL);
}

/**
 * wr_core_maps_folios - whether the core maps whole large folios by PTEs
 *
 * Return: whether, for a fault handler that has returned one page of it.
 */
static inline bool wr_core_maps_folios(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0);
}

/**
 * wr_core_maps_around - whether filemap_map_pages() may map more than it is asked for
 *
 * Later kernels map whole large folios. From 6.6 on a table of PTEs that is there can
 * give way to a large page meanwhile, as nobody who does that takes mmap_lock.
 *
 * Return: whether.
 */
static inline bool wr_core_maps_around(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
/*
 * Whether at an address in a fault's table of PTEs there is what stands for no page: of
 * one that had a memory error, and that the file has given up. It stays so for who has
 * the file's page of now locked. The table may go meanwhile, and is freed by RCU.
 */
static inline bool wr_vmf_is_marked(struct vm_fault *vmf, unsigned long addr)
{
	bool marked = false;
	pmd_t table;
	pte_t pte;

	rcu_read_lock();
	table = pmdp_get_lockless(vmf->pmd);
	if (pmd_present(table) && !pmd_leaf(table)) {
		pte = ptep_get_lockless(pte_offset_kernel(&table, addr));
		marked = !pte_none(pte) && !pte_present(pte);
	}
	rcu_read_unlock();
	return marked;
}
#endif

/*
 * Maps a page writable, at another address than the fault's; see above. Where another one
 * is marked the core would warn.
 */
static inline void wr_vmf_insert_at(struct vm_fault *vmf, unsigned long addr,
				    struct page *page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	struct vm_fault one = { .vma = vmf->vma, .address = addr };

	if (!wr_vmf_is_marked(vmf, addr))
		vmf_insert_page_mkwrite(&one, page, true);
#endif
}

/**
 * wr_vmf_map_part - map one page of a large folio, not those around it
 * @vmf: the fault
 * @page: the page
 * @writable: also to be written, at once, without asking page_mkwrite
 *
 * Return: 0 if a fault handler may return the page to the core, which will map
 * no more than that; else what the handler is to return.
 */
static inline vm_fault_t wr_vmf_map_part(struct vm_fault *vmf,
					 struct page *page, bool writable);

/**
 * wr_vmf_maps_whole - whether the core would map all of a large folio
 * @vmf: the fault that page_mkwrite is called for
 *
 * Return: whether.
 */
static inline bool wr_vmf_maps_whole(struct vm_fault *vmf);

/**
 * wr_vmf_insert_folio - map all of a 2 MiB folio by one PMD, if there is none yet
 * @vmf: the fault
 * @folio: the folio
 *
 * With the rights of the VMA; for kernels before 6.16 there is only what the core
 * does with a page that a fault handler returns.
 *
 * Return: what ->huge_fault is to return.
 */
static inline vm_fault_t wr_vmf_insert_folio(struct vm_fault *vmf,
					     struct folio *folio);

/* What ->huge_fault is to be: NULL where wr_vmf_insert_folio() does not work. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0) && \
	defined(CONFIG_TRANSPARENT_HUGEPAGE)
#define WR_HUGE_FAULT(_handler) (_handler)

static inline vm_fault_t wr_vmf_insert_folio(struct vm_fault *vmf,
					     struct folio *folio)
{
	/* Not as a write: then it warns where there are PTEs. */
	return vmf_insert_folio_pmd(vmf, folio, false);
}
#else
#define WR_HUGE_FAULT(_handler) (sizeof(_handler(NULL, 0)) ? NULL : NULL)

static inline vm_fault_t wr_vmf_insert_folio(struct vm_fault *vmf,
					     struct folio *folio)
{
	return VM_FAULT_FALLBACK;
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
/*
 * Later kernels, such as 7.3, map the whole folio, if need be by PTEs. This is
 * right for all that have vmf_insert_page_mkwrite().
 */
static inline vm_fault_t wr_vmf_map_part(struct vm_fault *vmf,
					 struct page *page, bool writable)
{
	return vmf_insert_page_mkwrite(vmf, page, writable);
}

static inline bool wr_vmf_maps_whole(struct vm_fault *vmf)
{
	return !vmf->pte; /* which the write to a read-only PTE has set */
}
#else
/* A table of PTEs where a PMD might go: before, nothing else is needed. */
static inline vm_fault_t wr_vmf_map_part(struct vm_fault *vmf,
					 struct page *page, bool writable)
{
	return wr_vmf_make_table(vmf) ? VM_FAULT_OOM : 0;
}

static inline bool wr_vmf_maps_whole(struct vm_fault *vmf)
{
	return pmd_none(READ_ONCE(*vmf->pmd));
}
#endif

#endif /* _WR_COMPAT_LINUX_MM_H */
