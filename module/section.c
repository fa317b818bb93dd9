// SPDX-License-Identifier: GPL-2.0
/*
 * Sections: files, or memory of the module's own, that views map.
 *
 * Underneath is always a file: a user's, or one of shmem, which is swapped, charged
 * to the memory cgroup of who touches it, and has large pages where the system
 * wants them. It is held once for reading, which is the one that views' VMAs have,
 * and once for writing if views may write: for file systems that look for who may.
 *
 * vm_mmap() is not called for that file but for a pseudo file of ours, whose mmap
 * puts the other one in: see view_mmap.c. That has the core ask the wrong file whether
 * it may be mapped. So a page of the user's file is mapped once by itself when the
 * section is made: mode, mount, seals, and security modules say then what they
 * have to say to it. What is to be executed is tried apart from what is written, as
 * both at once is another question. Only then, where the file is the caller's own: who
 * maps a view may have the section's descriptor alone, and other threads of his would
 * have the file by that page. Of him only the mount is asked.
 *
 * A seal against writing counts mappings that might write, which are not known yet
 * when a section is made. So a section that lets views write counts as one, as long
 * as it is there.
 *
 * The memory of a section is charged as a whole when it is made, by the size of its
 * file, or page by page when it is committed (WINREGION_SECTION_RESERVE). What is
 * committed there stays so, in all views of all processes, so committing only
 * grants.
 */
#include <linux/bits.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "commit.h"
#include "layout.h"
#include "section.h"
#include "trace.h"
#include "view_mmap.h"

/* By the mapping underneath, and then by size; user's files only. */
static struct rb_root sections = RB_ROOT;
static DEFINE_MUTEX(sections_lock);

static atomic_long_t nr_sections;

/* ---- the file underneath ---- */

static struct vm_area_struct *probe_vma(struct wr_section *section)
{
	struct vm_area_struct *vma = vma_lookup(current->mm, section->probed);

	/* The file's own mmap may put another one in, which says for whom it is. */
	if (!vma || !vma->vm_file ||
	    wr_user_dentry(vma->vm_file) != section->reader->f_path.dentry)
		return NULL;
	return vma;
}

/* Pages must be such as the page cache has, and found by the file alone. */
static bool vma_is_fit(struct vm_area_struct *vma)
{
	return vma->vm_ops && vma->vm_ops->fault && !vma->vm_private_data &&
	       !(vma->vm_flags &
		 (VM_PFNMAP | VM_IO | VM_MIXEDMAP | VM_HUGETLB));
}

/* Whether the file's own mmap has put another one in, as an overlay does. */
static bool is_stacked(struct wr_section *section, struct vm_area_struct *vma)
{
	return file_inode(vma->vm_file) != file_inode(section->reader);
}

/*
 * Whether a VMA that the file's own mmap has set up can be a view's. If there is
 * another file in it, nobody knows one that writes, and close is there where such
 * a file system wants it.
 */
bool wr_section_may_map(struct wr_section *section, struct vm_area_struct *vma)
{
	return vma_is_fit(vma) && !IS_DAX(file_inode(vma->vm_file)) &&
	       is_stacked(section, vma) == section->stacked &&
	       !(section->stacked && section->writer && vma->vm_ops->close);
}

/*
 * The page that was mapped to try it goes the way that free pages of a window go:
 * see layout.c. Under mmap_lock for writing, before the core unmaps what is there:
 * only if that is still it.
 */
static unsigned long probe_area(struct wr_section *section, unsigned long addr,
				unsigned long len)
{
	struct vm_area_struct *vma;

	if (addr != section->probed || len != PAGE_SIZE)
		return -EINVAL;
	vma = probe_vma(section);
	if (!vma)
		return -ENOENT;
	section->stacked = is_stacked(section, vma);
	section->fit = wr_section_may_map(section, vma);
	return addr;
}

static int probe_error(long err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return -EKEYREJECTED;
	case -ENOMEM:
		return -ENOSPC;
	case -EAGAIN:
	case -EINTR:
		return err;
	default:
		return -EMEDIUMTYPE;
	}
}

/*
 * The core refuses at some of its limits also what only goes: of mappings, or of
 * locked memory. Then it is looked at and unmapped in two steps, and a mapping that
 * another thread has put in its place between them would go.
 */
static void unmap_probed(struct wr_section *section)
{
	bool there;

	/* Who is killed has it go with all the rest. */
	if (mmap_read_lock_killable(current->mm))
		return;
	there = probe_vma(section);
	mmap_read_unlock(current->mm);
	if (there)
		vm_munmap(section->probed, PAGE_SIZE);
}

static int end_probe(struct wr_section *section)
{
	long err;

	WRITE_ONCE(section->prober, current);
	err = vm_mmap(section->pseudo, section->probed, PAGE_SIZE, PROT_NONE,
		      MAP_SHARED | MAP_FIXED, 0);
	WRITE_ONCE(section->prober, NULL);
	if (err == -ECANCELED || err == -ENOENT)
		return 0;
	unmap_probed(section);
	return probe_error(err);
}

/* Whether the core lets the caller map its own file so. */
static int probe(struct wr_section *section, struct file *file,
		 unsigned long prot)
{
	unsigned long addr = vm_mmap(file, 0, PAGE_SIZE, prot, MAP_SHARED, 0);
	int err;

	if (IS_ERR_VALUE(addr))
		return probe_error(addr);
	section->fit = false;
	section->probed = addr;
	err = end_probe(section);
	if (err)
		return err;
	return section->fit ? 0 : -EMEDIUMTYPE;
}

/**
 * wr_section_check_exec - whether the file of a section may be executed by now
 * @section: the section
 *
 * Return: 0, or -EKEYREJECTED if its file system is mounted noexec.
 */
int wr_section_check_exec(struct wr_section *section)
{
	struct file *file = section->reader;

	if (section->paging)
		return 0;
	if (file->f_path.mnt->mnt_flags & MNT_NOEXEC ||
	    file_inode(file)->i_sb->s_iflags & SB_I_NOEXEC)
		return -EKEYREJECTED;
	return 0;
}

/* As views will: to be written, and to be executed. */
static int probe_all(struct wr_section *section, struct file *file)
{
	unsigned long prot = PROT_READ;
	int err;

	if (section->rights & WR_WRITE)
		prot |= PROT_WRITE;
	err = probe(section, file, prot);
	if (!err && section->rights & WR_EXEC)
		err = probe(section, file, PROT_READ | PROT_EXEC);
	return err;
}

/* Those whose pages the core knows, and treats otherwise, by the VMA's operations. */
static bool is_special(struct super_block *sb)
{
	return sb->s_magic == HUGETLBFS_MAGIC || sb->s_magic == SECRETMEM_MAGIC;
}

static int check_file(struct wr_section_request *request)
{
	struct file *file = request->file;
	struct inode *inode = file_inode(file);

	if (!S_ISREG(inode->i_mode) || IS_DAX(inode) ||
	    is_special(inode->i_sb) || !wr_can_mmap(file))
		return -EMEDIUMTYPE;
	if (!(file->f_mode & FMODE_READ))
		return -EKEYREJECTED;
	if (request->rights & WR_WRITE && !(file->f_mode & FMODE_WRITE))
		return -EKEYREJECTED;
	return 0;
}

static int check_size(struct wr_section_request *request)
{
	u64 size = i_size_read(file_inode(request->file));

	if (!request->size)
		request->size = size;
	if (!request->size)
		return -ENXIO;
	request->whole = request->size == size;
	return request->size > size ? -EFBIG : 0;
}

/*
 * Whether the caller may know what of a file is in memory, and so what others have read:
 * only what mincore() would tell him.
 */
static bool may_tell(struct file *file)
{
	return file->f_mode & FMODE_WRITE || wr_file_owner_or_capable(file) ||
	       !file_permission(file, MAY_WRITE);
}

static int open_reader(struct wr_section *section, struct file *file)
{
	struct file *reader;

	if (!(file->f_mode & FMODE_WRITE)) {
		section->reader = get_file(file);
		return 0;
	}
	reader = dentry_open(&file->f_path, O_RDONLY | O_LARGEFILE,
			     current_cred());
	if (IS_ERR(reader)) {
		switch (PTR_ERR(reader)) {
		case -ENFILE:
		case -ENOMEM:
		case -EINTR:
			return PTR_ERR(reader);
		}
		return -EKEYREJECTED;
	}
	section->reader = reader;
	return 0;
}

static int open_file(struct wr_section *section,
		     struct wr_section_request *request)
{
	struct file *file = request->file;
	int err;

	err = check_file(request);
	if (!err)
		err = check_size(request);
	if (!err)
		err = open_reader(section, file);
	if (err)
		return err;
	if (request->rights & WR_WRITE)
		section->writer = get_file(file);
	section->whole = request->whole;
	section->tells = may_tell(file);
	/* Not that of an overlay, whose file has another one underneath. */
	section->mapping = file_inode(file)->i_mapping;
	if (section->writer) {
		if (mapping_map_writable(section->mapping))
			return -EKEYREJECTED;
		section->counted = true;
	}
	return probe_all(section, file);
}

/* ---- the paging file ---- */

static bool is_reserve(struct wr_section *section)
{
	return section->flags & WINREGION_SECTION_RESERVE;
}

/* All of it now, or each page once it is committed. */
static int charge_all(struct wr_section *section, unsigned long pages)
{
	if (is_reserve(section))
		return 0;
	/* In the core's accounts it is the file's size that stands for it. */
	section->pagefile.backed = true;
	return wr_commit_take(&section->pagefile, pages, true);
}

/*
 * What memory is called where others see its file: that of an image by the file that it
 * was made of, as that was called then.
 */
#define MEMORY_NAME "winregion-section"
#define IMAGE_NAME "winregion-image:"

/* Return: the name, in @buffer if it is that of an image. */
static const char *name_of(struct wr_section_request *request, char *buffer)
{
	const size_t before = strlen(IMAGE_NAME);
	char *path;

	path = d_path(&request->file->f_path, buffer + before,
		      PATH_MAX - before);
	/* Longer than any name */
	if (IS_ERR(path))
		return MEMORY_NAME;
	path -= before;
	memcpy(path, IMAGE_NAME, before);
	return path;
}

/* Return: a file of shmem, or -ENFILE, -ENOMEM, or -EDQUOT. */
static struct file *make_memory(struct wr_section *section,
				struct wr_section_request *request)
{
	const char *name = MEMORY_NAME;
	char *buffer = NULL;
	struct file *file;

	if (request->file) {
		buffer = kmalloc(PATH_MAX, GFP_KERNEL);
		if (!buffer)
			return ERR_PTR(-ENOMEM);
		name = name_of(request, buffer);
	}
	file = shmem_file_setup(name, request->size,
				is_reserve(section) ? WR_SHMEM_NORESERVE :
						      WR_SHMEM_NO_FLAGS);
	kfree(buffer);
	if (IS_ERR(file))
		return ERR_PTR(PTR_ERR(file) == -ENFILE ? -ENFILE : -EDQUOT);
	return file;
}

/* No address space has room for more. */
#define MAX_SIZE BIT_ULL(47)

static int open_paging(struct wr_section *section,
		       struct wr_section_request *request)
{
	struct file *file;
	unsigned long pages;
	int err;

	if (request->size >= MAX_SIZE)
		return -EFBIG;
	request->size = PAGE_ALIGN(request->size);
	pages = request->size >> PAGE_SHIFT;
	err = wr_commit_fix_share(&section->pagefile);
	if (!err)
		err = charge_all(section, pages);
	if (err)
		return err;
	if (!is_reserve(section))
		wr_pagefile_charge_quick(&section->pagefile, pages);
	file = make_memory(section, request);
	if (IS_ERR(file))
		return PTR_ERR(file);
	section->writer = file;
	file = dentry_open(&file->f_path, O_RDONLY | O_LARGEFILE,
			   current_cred());
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENFILE ? -ENFILE : -ENOMEM;
	section->reader = file;
	section->mapping = file->f_mapping;
	wr_commit_follow_file(&section->pagefile, file_inode(file));
	wr_runs_init(&section->commits, 0, pages, &section->spare);
	return 0;
}

/* ---- images ---- */

/*
 * The caller has to be one who may map the file, as views of its own would be. It is
 * read then, and not kept.
 */
static int check_source(struct wr_section *section,
			struct wr_section_request *request)
{
	int err;

	if (!S_ISREG(file_inode(request->file)->i_mode) ||
	    !wr_can_mmap(request->file))
		return -EMEDIUMTYPE;
	if (!(request->file->f_mode & FMODE_READ))
		return -EKEYREJECTED;
	section->reader = get_file(request->file);
	err = probe(section, request->file,
		    section->rights & WR_EXEC ? PROT_READ | PROT_EXEC :
						PROT_READ);
	fput(section->reader);
	section->reader = NULL;
	section->stacked = false;
	return err;
}

static int open_image(struct wr_section *section,
		      struct wr_section_request *request)
{
	int err;

	err = check_source(section, request);
	if (!err)
		err = open_paging(section, request);
	if (!err)
		err = wr_image_fill(section->image, request->file,
				    section->mapping);
	return err;
}

/* ---- the object ---- */

static void free_ops(struct wr_section *section)
{
	struct wr_view_ops *ops;

	while ((ops = section->ops)) {
		section->ops = ops->next;
		kfree(ops);
	}
}

/*
 * File systems of networks write by the right of an open file, and the files that VMAs
 * have are for reading: they are to write while there is one that can. A server of FUSE
 * has been sent all as each view ended, and to be told of the end it is waited for, by
 * whoever has the last reference, for as long as it likes. What lies on another file
 * system may be on that one.
 */
static bool writes_by_open_file(struct file *file)
{
	struct super_block *sb = file_inode(file)->i_sb;

	return file->f_op->flush && sb->s_magic != FUSE_SUPER_MAGIC &&
	       !sb->s_stack_depth;
}

/*
 * Not filp_close(): the file may be the program's own, whose locks would go. Who closes
 * it has no say in that it is written.
 */
static void close_writer(struct wr_section *section)
{
	struct file *writer = section->writer;

	if (!writer)
		return;
	if (writes_by_open_file(writer))
		writer->f_op->flush(writer, NULL);
	fput(writer);
}

/* Its last reference is gone. */
static int section_release(struct inode *inode, struct file *file)
{
	struct wr_section *section = file->private_data;

	if (section->size) { /* it was made */
		trace_wr_section_end(section);
		atomic_long_dec(&nr_sections);
	}
	if (!RB_EMPTY_NODE(&section->node)) {
		mutex_lock(&sections_lock);
		rb_erase(&section->node, &sections);
		mutex_unlock(&sections_lock);
	}
	if (section->counted)
		mapping_unmap_writable(section->mapping);
	wr_pagefile_uncharge(&section->pagefile,
			     wr_pagefile_used(&section->pagefile));
	wr_pagefile_destroy(&section->pagefile);
	close_writer(section);
	if (section->reader)
		fput(section->reader);
	if (section->commits.spare)
		wr_runs_destroy(&section->commits);
	wr_slot_free(section->spare);
	free_ops(section);
	wr_image_free(section->image);
	kfree(section);
	wr_space_unpin_files();
	return 0;
}

static unsigned long section_area(struct file *file, unsigned long addr,
				  unsigned long len, unsigned long pgoff,
				  unsigned long flags)
{
	struct wr_section *section = file->private_data;

	if (READ_ONCE(section->prober) == current)
		return probe_area(section, addr, len);
	return wr_layout_address(file, addr, len, pgoff, flags);
}

static int section_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct wr_section *section = file->private_data;

	if (READ_ONCE(section->prober) == current)
		return -ECANCELED; /* what was here is unmapped */
	return wr_view_attach(file, vma);
}

static const struct file_operations section_operations = {
	.owner = THIS_MODULE,
	.mmap = section_mmap,
	.get_unmapped_area = section_area,
	.release = section_release,
};

static struct wr_section *alloc_section(struct wr_section_request *request)
{
	struct wr_section *section;

	section = kzalloc(sizeof(*section), GFP_KERNEL_ACCOUNT);
	if (!section)
		return NULL;
	mutex_init(&section->lock);
	RB_CLEAR_NODE(&section->node);
	wr_pagefile_init(&section->pagefile);
	section->flags = request->flags;
	section->protection = request->protection;
	section->rights = request->rights;
	section->paging = !request->file || request->image;
	section->tells = section->paging;
	section->image = request->image;
	request->image = NULL;
	return section;
}

/* Whether it is in front of another one in the table */
static bool is_in_front(struct wr_section *section, struct wr_section *other)
{
	if (section->mapping != other->mapping)
		return section->mapping < other->mapping;
	return section->mapped < other->mapped;
}

static void add_section(struct wr_section *section)
{
	struct rb_node **link = &sections.rb_node, *parent = NULL;
	struct wr_section *other;

	lockdep_assert_held(&sections_lock);
	while (*link) {
		parent = *link;
		other = rb_entry(parent, struct wr_section, node);
		link = is_in_front(section, other) ? &parent->rb_left :
						     &parent->rb_right;
	}
	rb_link_node(&section->node, parent, link);
	rb_insert_color(&section->node, &sections);
}

static int open_section(struct wr_section *section,
			struct wr_section_request *request)
{
	int err;

	if (section->image)
		return open_image(section, request);
	if (section->paging)
		return open_paging(section, request);
	/* Every page of a file is there. */
	section->flags &= ~WINREGION_SECTION_RESERVE;
	err = open_file(section, request);
	if (err)
		return err;
	mutex_lock(&sections_lock);
	section->mapped = request->size;
	add_section(section);
	mutex_unlock(&sections_lock);
	return 0;
}

/**
 * wr_section_create - make a section
 * @request: what
 *
 * Context: takes mmap_lock.
 * Return: the section with a reference, or an error pointer: -EMEDIUMTYPE,
 * -EKEYREJECTED, -ENXIO, -EFBIG, -EDQUOT, -ENFILE, -ENOMEM, -ENOSPC, -EAGAIN, -EINTR,
 * -EIO.
 */
struct wr_section *wr_section_create(struct wr_section_request *request)
{
	struct wr_section *section = alloc_section(request);
	struct file *pseudo;
	int err;

	if (!section)
		return ERR_PTR(-ENOMEM);
	pseudo = wr_space_make_file("winregion-section", &section_operations,
				    section);
	if (IS_ERR(pseudo)) {
		wr_image_free(section->image);
		kfree(section);
		return ERR_CAST(pseudo);
	}
	section->pseudo = pseudo;
	err = open_section(section, request);
	if (err) {
		fput(pseudo);
		return ERR_PTR(err);
	}
	section->size = request->size;
	atomic_long_inc(&nr_sections);
	trace_wr_section(section, section->size, section->protection,
			 section->flags, request->file);
	return section;
}

/* How many there are, of all processes. */
unsigned long wr_section_count(void)
{
	return atomic_long_read(&nr_sections);
}

/* The caller has a reference already. */
void wr_section_get(struct wr_section *section)
{
	get_file(section->pseudo);
}

/* The last reference ends the section, a little later. */
void wr_section_put(struct wr_section *section)
{
	fput(section->pseudo);
}

/* In bytes. */
u64 wr_section_size(struct wr_section *section)
{
	u64 size;

	mutex_lock(&section->lock);
	size = section->size;
	mutex_unlock(&section->lock);
	return size;
}

/**
 * wr_section_extend - make a section of a file larger
 * @section: the section
 * @size: bytes; not more than the file has
 *
 * Return: 0, -EMEDIUMTYPE if it is not of a file, or -EFBIG. One that is as large
 * already stays as it is.
 */
int wr_section_extend(struct wr_section *section, u64 size)
{
	if (section->paging)
		return -EMEDIUMTYPE;
	if (size > i_size_read(section->mapping->host))
		return -EFBIG;
	mutex_lock(&section->lock);
	section->size = max(section->size, size);
	mutex_unlock(&section->lock);
	mutex_lock(&sections_lock);
	rb_erase(&section->node, &sections);
	section->mapped = max(section->mapped, size);
	add_section(section);
	mutex_unlock(&sections_lock);
	return 0;
}

/* How many bytes of a file sections, and their views, need; 0 if there are none. */
u64 wr_section_mapped_size(struct file *file)
{
	struct address_space *mapping = file_inode(file)->i_mapping;
	struct wr_section *section;
	struct rb_node *node;
	u64 size = 0;

	mutex_lock(&sections_lock);
	for (node = sections.rb_node; node;) {
		section = rb_entry(node, struct wr_section, node);
		if (section->mapping == mapping)
			size = max(size, section->mapped);
		node = mapping < section->mapping ? node->rb_left :
						    node->rb_right;
	}
	mutex_unlock(&sections_lock);
	return size;
}

/* ---- commits ---- */

/**
 * wr_section_commit_span - whether pages are committed
 * @section: the section; its lock is held
 * @first: the first page, by its offset
 * @end: the page behind the last
 * @next: set to the first page that differs, or @end
 *
 * Return: WR_COMMITTED or 0.
 */
u8 wr_section_commit_span(struct wr_section *section, pgoff_t first,
			  pgoff_t end, pgoff_t *next)
{
	lockdep_assert_held(&section->lock);
	return wr_runs_span(&section->commits, first, end, next);
}

/* Pages of the range that are not committed. */
static unsigned long count_missing(struct wr_section *section, pgoff_t first,
				   pgoff_t end)
{
	unsigned long missing = 0;
	pgoff_t next;

	for (; first < end; first = next) {
		if (!wr_section_commit_span(section, first, end, &next))
			missing += next - first;
		cond_resched();
	}
	return missing;
}

/**
 * wr_section_charge - charge what a commit needs
 * @section: the section
 * @first: the first page, by its offset
 * @end: the page behind the last
 * @charged: set to how many pages it was, maybe more than will be needed
 *
 * Return: 0, -EDQUOT, -ENFILE or -ENOMEM.
 */
int wr_section_charge(struct wr_section *section, pgoff_t first, pgoff_t end,
		      unsigned long *charged)
{
	unsigned long missing = 0;
	int err;

	if (is_reserve(section)) {
		mutex_lock(&section->lock);
		missing = count_missing(section, first, end);
		mutex_unlock(&section->lock);
	}
	err = wr_pagefile_charge(&section->pagefile, missing);
	*charged = err ? 0 : missing;
	return err;
}

/* Gives back what wr_section_charge() has taken. */
void wr_section_uncharge(struct wr_section *section, unsigned long pages)
{
	wr_pagefile_uncharge(&section->pagefile, pages);
}

/**
 * wr_section_commit - commit pages for all views
 * @section: the section
 * @first: the first page, by its offset
 * @end: the page behind the last
 * @charged: what has been charged for it; others may have committed some since
 */
void wr_section_commit(struct wr_section *section, pgoff_t first, pgoff_t end,
		       unsigned long charged)
{
	unsigned long missing;

	if (!is_reserve(section))
		return;
	mutex_lock(&section->lock);
	missing = count_missing(section, first, end);
	wr_runs_split_surely(&section->commits, first, end);
	wr_runs_fill(&section->commits, first, end, WR_COMMITTED);
	wr_runs_compact(&section->commits, first, end, 0,
			section->size >> PAGE_SHIFT);
	mutex_unlock(&section->lock);
	wr_pagefile_uncharge(&section->pagefile,
			     charged - min(charged, missing));
}

/* Pages of one slot, none of which is committed, if that is easy; @section is locked. */
static bool commit_in_slot(struct wr_section *section, pgoff_t first,
			   pgoff_t end)
{
	struct wr_slot *slot = wr_runs_peek(&section->commits, first);
	unsigned int offset = wr_slot_offset(first), n = end - first;
	bool done;

	if (!slot || !slot->states)
		slot = wr_runs_make_states(&section->commits, first);
	done = slot && wr_states_are(slot->states + offset, 0, n) &&
	       wr_pagefile_charge_quick(&section->pagefile, n);
	if (done)
		wr_states_fill(slot->states + offset, WR_COMMITTED, n);
	if (!slot || !wr_slot_stays_split(slot, offset))
		wr_runs_compact(&section->commits, first, end, 0,
				section->size >> PAGE_SHIFT);
	return done;
}

/**
 * wr_section_commit_quick - commit pages for all views, if that is easy
 * @section: the section, which has WINREGION_SECTION_RESERVE
 * @first: the first page, by its offset
 * @end: the page behind the last
 *
 * It is where they are in one slot and alike, and a counter is enough for the charge.
 *
 * Context: may sleep.
 * Return: whether it is done; if not, nothing has changed.
 */
bool wr_section_commit_quick(struct wr_section *section, pgoff_t first,
			     pgoff_t end)
{
	pgoff_t next;
	bool done;

	if (wr_slot_first(first) != wr_slot_first(end - 1))
		return false;
	mutex_lock(&section->lock);
	if (wr_runs_state(&section->commits, first))
		done = wr_section_commit_span(section, first, end, &next) &&
		       next == end;
	else
		done = commit_in_slot(section, first, end);
	mutex_unlock(&section->lock);
	return done;
}
