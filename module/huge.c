// SPDX-License-Identifier: GPL-2.0
/*
 * 2 MiB pages.
 *
 * The first touch of a slot whose pages are all alike makes one page of its
 * size, if there is one to be had: a compound page, with a reference for each
 * of its parts. It is slot->whole until the slot's pages can differ, when each
 * of them gets a place in slot->pages. While the slot is intact the core may map
 * it by one PMD.
 *
 * It stays intact as long as one PMD does for all of its pages: they are
 * committed, with the same rights, in one region and one VMA, which is not
 * executable. Whoever is about to make them differ breaks it: the slot is no longer
 * intact, the faults that saw it so have come to an end, which their page lock tells
 * (or the window's, where they have mapped it themselves), and what they have mapped
 * is unmapped. All under the window's lock, so faults that come later see a slot in
 * parts, which they map by PTEs alone: wr_huge_in_parts(). A slot that has become
 * alike again, without a table of PTEs in the way, is intact again.
 *
 * Of a compound page nothing is freed before all of it is. A slot that has kept
 * less than half of it gets pages of its own for the rest: wr_huge_thin(). So does
 * a unit of which not all is left, where that is one large page: see resident.c.
 *
 * In a window that has taken part in a fork nothing is made that large any more,
 * and wp_shared_mapping_range(), which warns of a PMD that is writable, is not
 * called: the processes find each other's mappings by the same file. For that
 * reason, too, what a process maps after it has forked is a new file:
 * wr_space_file().
 *
 * The core takes large mappings in a VMA with VM_MIXEDMAP for something else and
 * does not count them, so windows have either those or pages mapped ahead.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "huge.h"
#include "regiontree.h"
#include "resident.h"
#include "stash.h"

#define SETTING "kernel/mm/transparent_hugepage/enabled"

static struct vfsmount *sysfs; /* our own, or NULL; never changes */
static unsigned long setting_valid_until;
static bool setting_is_never = true;

static ssize_t read_setting(char *text, size_t size)
{
	struct file *file;
	loff_t at = 0;
	ssize_t n;

	if (!sysfs)
		return -ENODEV;
	file = file_open_root_mnt(sysfs, SETTING, O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_read(file, text, size, &at);
	fput(file);
	return n;
}

/* By a worker: what the caller may open does not matter. */
static void update_setting(struct work_struct *work)
{
	char text[64] = "";
	ssize_t n = read_setting(text, sizeof(text) - 1);

	WRITE_ONCE(setting_is_never, n < 0 || strstr(text, "[never]"));
	WRITE_ONCE(setting_valid_until, (jiffies + HZ) | 1);
}

static DECLARE_WORK(setting_work, update_setting);

/**
 * wr_huge_enabled - whether new windows of a process may have 2 MiB pages
 * @mm: the process
 *
 * As the system's setting of transparent huge pages says, which modules can
 * only read as a file; once a second is enough.
 *
 * Context: may sleep, and waits for locks of file systems, so it is not for
 * holders of mmap_lock.
 * Return: whether.
 */
bool wr_huge_enabled(struct mm_struct *mm)
{
	unsigned long until = READ_ONCE(setting_valid_until);

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) || wr_mm_thp_disabled(mm))
		return false;
	if (!until || time_after(jiffies, until)) {
		schedule_work(&setting_work);
		flush_work(&setting_work);
	}
	return !READ_ONCE(setting_is_never);
}

/*
 * The module has come. What processes, or kernel threads, see as /sys is their
 * own affair. Without sysfs there are no large pages.
 */
void wr_huge_init(void)
{
	struct file_system_type *type = get_fs_type("sysfs");
	struct vfsmount *mount = type ? kern_mount(type) : NULL;

	if (!IS_ERR_OR_NULL(mount))
		sysfs = mount;
}

/* The module is about to go. */
void wr_huge_exit(void)
{
	cancel_work_sync(&setting_work);
	if (sysfs)
		kern_unmount(sysfs);
}

/* Whether the core would map the slot from @first on by one PMD. */
static bool vma_takes(struct vm_fault *vmf, pgoff_t first)
{
	struct vm_area_struct *vma = vmf->vma;

	return first >= wr_vma_first(vma) &&
	       first + WR_SLOT_PAGES <= wr_vma_end(vma) &&
	       !(vma->vm_flags & VM_MIXEDMAP) && !wr_vma_thp_disabled(vma) &&
	       pmd_none(READ_ONCE(*vmf->pmd));
}

/*
 * Whether one PMD does for the slot from @first on, and the core would set it. Frames are
 * alike, too, but are pages already.
 */
static bool is_alike(struct vm_fault *vmf, struct wr_window *window,
		     pgoff_t first)
{
	struct wr_region *region = wr_region_find(window, first);
	pgoff_t end = first + WR_SLOT_PAGES, next;
	u8 state;

	if (window->forked || !region || end > region->end || region->watched ||
	    !vma_takes(vmf, first) || wr_stash_in_slot(window, first))
		return false;
	state = wr_runs_span(&window->runs, first, end, &next);
	return next == end && wr_state_is_committed(state);
}

/**
 * wr_huge_prepare - have a page that is touched be part of a large one
 * @vmf: the fault
 * @window: the window; its lock is held, and the fault will be answered
 *
 * Does nothing if that is not possible.
 */
void wr_huge_prepare(struct vm_fault *vmf, struct wr_window *window)
{
	pgoff_t first = wr_slot_first(wr_vmf_index(vmf));
	struct wr_slot *slot = wr_runs_peek(&window->runs, first);
	bool whole = slot && slot->nr_huge == WR_SLOT_PAGES;

	lockdep_assert_held(&window->lock);
	if (slot && slot->nr_resident && (!whole || slot->intact))
		return;
	if (!is_alike(vmf, window, first))
		return;
	if (!whole)
		wr_resident_make_huge(window, first);
	else if (!folio_test_has_hwpoisoned(page_folio(wr_slot_page(slot, 0))))
		slot->intact = true;
}

/**
 * wr_huge_find - the 2 MiB page to map for a fault
 * @vmf: the fault
 * @window: the window; its lock is held, and the fault will be answered
 *
 * Return: the page, made if need be, or NULL.
 */
struct folio *wr_huge_find(struct vm_fault *vmf, struct wr_window *window)
{
	pgoff_t first = wr_slot_first(wr_vmf_index(vmf));
	struct wr_slot *slot;
	struct folio *folio;
	struct page *page;

	wr_huge_prepare(vmf, window);
	slot = wr_runs_peek(&window->runs, first);
	if (!slot || !slot->intact || !vma_takes(vmf, first))
		return NULL;
	/* As not every kernel tells the folio: wr_huge_note_error(). */
	page = wr_slot_page(slot, wr_slot_offset(wr_vmf_index(vmf)));
	folio = page_folio(page);
	return PageHWPoison(page) || folio_test_has_hwpoisoned(folio) ? NULL :
									folio;
}

/*
 * Whether @page, that of @index, must not be mapped with its neighbours. Where it
 * turns out that it must not, the slot is broken.
 */
bool wr_huge_in_parts(struct wr_window *window, pgoff_t index,
		      struct page *page)
{
	struct wr_slot *slot;

	if (likely(!PageCompound(page)))
		return false;
	slot = wr_runs_peek(&window->runs, index);
	if (slot->intact &&
	    unlikely(folio_test_has_hwpoisoned(page_folio(page))))
		wr_resident_break(window, slot, index);
	return !slot->intact;
}

static void break_at(struct wr_window *window, pgoff_t index)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);

	if (slot && slot->intact)
		wr_resident_break(window, slot, index);
}

/* The page has a memory error, of which not every kernel tells the folio. */
void wr_huge_note_error(struct wr_window *window, pgoff_t index)
{
	struct page *page = wr_resident_find(window, index);

	if (!PageCompound(page))
		return;
	folio_set_has_hwpoisoned(page_folio(page));
	break_at(window, index);
}

/**
 * wr_huge_break - pages of a range become unlike those around
 * @window: the window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * Slots that are wholly in the range stay intact.
 */
void wr_huge_break(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	lockdep_assert_held(&window->lock);
	if (!(window->huge || window->forked) || !window->nr_resident)
		return;
	if (first != wr_slot_first(first) || end < first + WR_SLOT_PAGES)
		break_at(window, first);
	if (end != wr_slot_first(end))
		break_at(window, end - 1);
}

/**
 * wr_huge_break_all - an executable VMA comes, in which pages are mapped one by one
 * @window: the window
 * @first: its first page
 * @end: the page behind its last
 *
 * A slot of which it has a part cannot become intact as long as it is there.
 *
 * Context: in its ->mmap(): mmap_lock is held for writing, and what it replaces has no PTEs
 * any more, so that no fault comes in between. The VMAs of that are closed, but have left
 * the tree in 6.1 only, not in 6.12 and 7.3: who looks for VMAs there would take them
 * for the window's, so held.mmap is not set.
 */
void wr_huge_break_all(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_slot *slot;
	pgoff_t next;

	mmap_assert_write_locked(window->space->mm);
	mutex_lock(&window->lock);
	for (; window->nr_resident && first < end; first = next) {
		slot = wr_runs_slot(&window->runs, first, &next);
		if (slot && slot->intact)
			wr_resident_break(window, slot, first);
		cond_resched();
	}
	mutex_unlock(&window->lock);
}

/* How many of @n pages are parts of a large one; @folio is set to that. */
static unsigned int count_parts(struct page **pages, unsigned int n,
				struct folio **folio)
{
	unsigned int parts = 0;

	while (n--) {
		if (!pages[n] || !PageCompound(pages[n]))
			continue;
		*folio = page_folio(pages[n]);
		parts++;
	}
	return parts;
}

/*
 * Replaces those of @n pages from @first on that are parts of a large page, if there
 * are less than @enough. Nobody else may have any of it, to read or to write.
 */
static void thin(struct wr_window *window, struct wr_slot *slot, pgoff_t first,
		 unsigned int n, unsigned int enough)
{
	struct page **pages = slot->pages + wr_slot_offset(first);
	struct folio *folio = NULL;
	unsigned int parts = count_parts(pages, n, &folio), i;

	if (!parts || parts >= enough || wr_page_is_shared(&folio->page))
		return;
	wr_resident_unmap(window, first, first + n);
	if (folio_ref_count(folio) != parts)
		return;
	for (i = 0; i < n; i++)
		if (pages[i] && PageCompound(pages[i]) &&
		    wr_resident_replace(window, first + i))
			return;
}

static void thin_unit(struct wr_window *window, struct wr_slot *slot,
		      pgoff_t first)
{
	thin(window, slot, first, WR_UNIT_PAGES, WR_UNIT_PAGES);
}

/* Of the pages of one slot, those from @first to @end are gone. */
static void thin_slot(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, first);
	pgoff_t head = round_down(first, WR_UNIT_PAGES);
	pgoff_t tail = round_down(end, WR_UNIT_PAGES);

	if (!slot || !slot->nr_resident)
		return;
	if (slot->nr_huge && slot->nr_huge < WR_SLOT_PAGES / 2)
		thin(window, slot, wr_slot_first(first), WR_SLOT_PAGES,
		     WR_SLOT_PAGES / 2);
	if (slot->nr_huge)
		return;
	if (head != first)
		thin_unit(window, slot, head);
	if (tail != end && (tail != head || head == first))
		thin_unit(window, slot, tail);
}

/**
 * wr_huge_thin - let go of large pages of which little is left
 * @window: the window; its lock is held
 * @first: the first page that was given up
 * @end: the page behind the last
 *
 * What remains, less than half of a slot or than all of a unit, is copied, if
 * there is memory and nobody has it pinned: else the window has more memory than
 * its charge for the time being, as with any page that somebody has pinned.
 */
void wr_huge_thin(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	lockdep_assert_held(&window->lock);
	if (!window->nr_resident)
		return;
	if (!window->has_huge && !window->forked && !(first % WR_UNIT_PAGES) &&
	    !(end % WR_UNIT_PAGES))
		return;
	thin_slot(window, first,
		  min(end, wr_slot_first(first) + WR_SLOT_PAGES));
	if (wr_slot_first(end - 1) != wr_slot_first(first))
		thin_slot(window, wr_slot_first(end - 1), end);
}
