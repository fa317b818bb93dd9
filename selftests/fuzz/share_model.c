// SPDX-License-Identifier: GPL-2.0
/*
 * What sections and views must do, as simply as it can be put: files are arrays of
 * pages, views arrays of protections, and of pages that they have copied. Written from
 * uapi/linux/winregion.h and the rules; it shares no code with the module or the library.
 */
#include <errno.h>
#include <string.h>

#include "share.h"

static void refuse(struct share_must *must, bool reason, int error)
{
	unsigned int i;

	for (i = 0; i < must->nr; i++)
		if (must->error[i] == error)
			return;
	if (reason && must->nr < SHARE_ERRORS)
		must->error[must->nr++] = error;
}

/* Whether a call may return that */
bool share_allows(const struct share_must *must, int ret)
{
	unsigned int i;

	for (i = 0; i < must->nr; i++)
		if (ret == -must->error[i])
			return true;
	return !must->nr && !ret;
}

unsigned int share_word_offset(unsigned int word)
{
	static const unsigned int offsets[SHARE_WORDS] = { 8, 2044, 4088 };

	return offsets[word % SHARE_WORDS];
}

static uint32_t pages_of(uint64_t bytes)
{
	return (bytes + MODEL_PAGE - 1) / MODEL_PAGE;
}

void share_init(struct share_world *world, unsigned int bug, uint64_t seed)
{
	static const uint64_t sizes[] = {
		SHARE_LENGTH, 40 * MODEL_PAGE, 100 * MODEL_PAGE + 1234,
		SHARE_LENGTH - 5 * MODEL_PAGE,
	};
	unsigned int i;

	memset(world, 0, sizeof(*world));
	world->bug = bug;
	world->huge = seed % 2;
	for (i = 0; i < SHARE_MEMORY; i++) {
		world->file[i].used = true;
		world->file[i].size = sizes[(seed + i) % ARRAY_SIZE(sizes)];
	}
}

/* ---- what there is ---- */

struct share_file *share_file_of(struct share_world *world,
				 const struct share_view *view)
{
	return &world->file[world->section[view->section].file];
}

static bool section_is_reserve(const struct share_section *section)
{
	return section->flags & WINREGION_SECTION_RESERVE;
}

bool share_is_reserve(const struct share_world *world,
		      const struct share_view *view)
{
	return section_is_reserve(&world->section[view->section]);
}

static bool process_has(const struct share_process *process,
			unsigned int section)
{
	unsigned int i;

	for (i = 0; i < SHARE_HANDLES; i++)
		if (process->handle[i].used &&
		    process->handle[i].section == section)
			return true;
	for (i = 0; i < SHARE_VIEWS; i++)
		if (process->view[i].used && process->view[i].section == section)
			return true;
	return false;
}

static bool mail_has(const struct share_handle *mail, unsigned int section)
{
	unsigned int i;

	for (i = 0; i < SHARE_MAIL; i++)
		if (mail[i].used && mail[i].section == section)
			return true;
	return false;
}

static bool is_needed(const struct share_world *world, unsigned int section)
{
	unsigned int i;

	for (i = 0; i < SHARE_PROCESSES; i++)
		if (process_has(&world->process[i], section) ||
		    mail_has(world->mail[i], section))
			return true;
	return false;
}

/* Sections that nobody has end, and memory with its section. */
void share_collect(struct share_world *world)
{
	struct share_section *section;
	unsigned int i;

	for (i = 0; i < SHARE_SECTIONS; i++) {
		section = &world->section[i];
		if (!section->used || is_needed(world, i))
			continue;
		section->used = false;
		if (section->file >= SHARE_MEMORY)
			world->file[section->file].used = false;
	}
}

/* What sections of a file need of it */
uint64_t share_file_needs(const struct share_world *world, unsigned int file)
{
	const struct share_section *section;
	uint64_t needs = 0;
	unsigned int i;

	for (i = 0; i < SHARE_SECTIONS; i++) {
		section = &world->section[i];
		if (section->used && section->file == file &&
		    section->size > needs)
			needs = section->size;
	}
	return needs;
}

unsigned int share_alive(const struct share_world *world)
{
	unsigned int i, n = 0;

	for (i = 0; i < SHARE_PROCESSES; i++)
		n += world->process[i].alive;
	return n;
}

unsigned int share_views(const struct share_process *process)
{
	unsigned int i, n = 0;

	for (i = 0; i < SHARE_VIEWS; i++)
		n += process->view[i].used;
	return n;
}

/* Or -1 */
int share_free_handle(const struct share_process *process)
{
	int i;

	for (i = 0; i < SHARE_HANDLES; i++)
		if (!process->handle[i].used)
			return i;
	return -1;
}

bool share_is_free(const struct share_process *process, uint64_t base,
		   uint64_t length)
{
	const struct share_view *view = process->view;
	unsigned int i;

	for (i = 0; i < SHARE_VIEWS; i++, view++)
		if (view->used && base < view->base + view->pages * MODEL_PAGE &&
		    view->base < base + length)
			return false;
	for (i = 0; i < SHARE_MEMORY; i++)
		if (process->plain[i] &&
		    base < process->plain[i] + SHARE_LENGTH &&
		    process->plain[i] < base + length)
			return false;
	return true;
}

/* The highest in the arena for @length bytes, or 0 */
uint64_t share_highest_place(const struct share_process *process,
			     uint64_t length)
{
	uint64_t base = SHARE_ARENA + SHARE_ARENA_LENGTH;

	while (base > SHARE_ARENA) {
		base -= MODEL_UNIT;
		if (base + length <= SHARE_ARENA + SHARE_ARENA_LENGTH &&
		    share_is_free(process, base, length))
			return base;
	}
	return 0;
}

/* ---- sections ---- */

static int find_section(const struct share_world *world)
{
	int i;

	for (i = 0; i < SHARE_SECTIONS; i++)
		if (!world->section[i].used)
			return i;
	return -1;
}

static void make_memory(struct share_file *file, uint64_t size, bool committed)
{
	unsigned int i;

	memset(file, 0, sizeof(*file));
	file->used = true;
	file->size = size;
	for (i = 0; i < SHARE_PAGES; i++)
		file->page[i].committed = committed;
}

/* Of a protection that pages of views can have: may they be written, or read? */
static bool may_write(uint32_t protection)
{
	return protection & (WINREGION_READWRITE |
			     WINREGION_EXECUTE_READWRITE);
}

static bool may_read(uint32_t protection)
{
	return !(protection & WINREGION_NOACCESS);
}

static bool may_execute(uint32_t protection)
{
	return protection & 0xf0;
}

/* Whether what is written is to be the view's own. */
static bool may_copy(uint32_t protection)
{
	return protection & (WINREGION_WRITECOPY | WINREGION_EXECUTE_WRITECOPY);
}

/* A valid protection, by itself */
static bool is_plain(uint32_t protection)
{
	switch (protection) {
	case WINREGION_NOACCESS:
	case WINREGION_READONLY:
	case WINREGION_READWRITE:
	case WINREGION_WRITECOPY:
	case WINREGION_EXECUTE:
	case WINREGION_EXECUTE_READ:
	case WINREGION_EXECUTE_READWRITE:
	case WINREGION_EXECUTE_WRITECOPY:
		return true;
	}
	return false;
}

static bool is_valid_of_section(uint32_t protection)
{
	return is_plain(protection) && protection != WINREGION_NOACCESS &&
	       protection != WINREGION_EXECUTE;
}

/* ---- images ---- */

enum { MAY_READ = 1, MAY_WRITE = 2, MAY_EXECUTE = 4 };

static unsigned int rights_of(uint32_t protection)
{
	return MAY_READ | (may_write(protection) ? MAY_WRITE : 0) |
	       (may_execute(protection) ? MAY_EXECUTE : 0);
}

static bool is_in(const struct winregion_piece *piece, uint32_t page)
{
	uint64_t at = page * MODEL_PAGE;

	return at >= piece->address && at < piece->address + piece->length;
}

/* What a view of a page of an image can do: IMG-15. */
static unsigned int rights_of_page(const struct share_section *section,
				   uint32_t page)
{
	uint32_t i;

	for (i = 0; i < section->nr_pieces; i++)
		if (is_in(&section->piece[i], page))
			return rights_of(section->piece[i].protection);
	return MAY_READ;
}

static unsigned int rights_of_pages(const struct share_world *world,
				    const struct share_section *section,
				    uint32_t first, uint32_t pages)
{
	unsigned int rights = MAY_READ | MAY_WRITE | MAY_EXECUTE;
	uint32_t i;

	if (!(section->flags & WINREGION_SECTION_IMAGE))
		return rights;
	for (i = first; i < first + pages; i++)
		rights &= rights_of_page(section, i);
	return world->bug == SHARE_BUG_RIGHTS ? rights | MAY_WRITE : rights;
}

/* What a word of a page of a piece is when the image is made. */
static uint32_t word_of_piece(const struct share_world *world,
			      const struct share_file *file,
			      const struct winregion_piece *piece,
			      uint32_t page, uint32_t word)
{
	uint64_t in_piece = page * MODEL_PAGE - piece->address;
	uint64_t page_of_file = (piece->offset + in_piece) / MODEL_PAGE;

	if (in_piece + share_word_offset(word) + 4 > piece->bytes &&
	    world->bug != SHARE_BUG_PIECES)
		return 0;
	return file->page[page_of_file].word[word];
}

/* Pieces begin where pages of the file do. */
static void fill_image(const struct share_world *world,
		       struct share_file *memory, const struct share_file *file,
		       const struct share_section *section)
{
	const struct winregion_piece *piece;
	uint32_t i, page, word;

	for (i = 0; i < section->nr_pieces; i++) {
		piece = &section->piece[i];
		for (page = piece->address / MODEL_PAGE; is_in(piece, page);
		     page++)
			for (word = 0; word < SHARE_WORDS; word++)
				memory->page[page].word[word] =
					word_of_piece(world, file, piece, page,
						      word);
	}
}

/* Whether @from + @length is at most @most, as numbers are that have no end */
static bool ends_by(uint64_t from, uint64_t length, uint64_t most)
{
	return from <= most && length <= most - from;
}

static bool is_valid_of_piece(uint32_t protection)
{
	return is_valid_of_section(protection) && !may_copy(protection);
}

/* Each alone. */
static void check_piece(const struct winregion_create_section *arg,
			const struct winregion_piece *piece,
			const struct share_file *file, struct share_must *must)
{
	uint64_t size = pages_of(arg->length) * MODEL_PAGE;

	refuse(must, piece->address % MODEL_PAGE || !piece->length ||
	       piece->bytes > piece->length || piece->__reserved, EINVAL);
	refuse(must, !ends_by(piece->address, piece->length, size), EINVAL);
	refuse(must, !ends_by(piece->offset, piece->bytes, INT64_MAX), EINVAL);
	refuse(must, !is_valid_of_piece(piece->protection), EDOM);
	refuse(must, rights_of(piece->protection) & ~rights_of(arg->protection),
	       EDOM);
	refuse(must, piece->bytes &&
	       !ends_by(piece->offset, piece->bytes, file->size), EFBIG);
}

/* One after the other: IMG-14. */
static void check_pieces(const struct share_world *world,
			 const struct winregion_create_section *arg,
			 const struct winregion_piece *piece,
			 const struct share_file *file,
			 struct share_must *must)
{
	bool any_order = world->bug == SHARE_BUG_ORDER;
	uint64_t after = 0;
	uint32_t i;

	refuse(must, !arg->nr_pieces || arg->nr_pieces > WINREGION_MAX_PIECES,
	       EINVAL);
	refuse(must, !arg->pieces, EFAULT);
	for (i = 0; i < arg->nr_pieces && i < SHARE_PIECES; i++) {
		check_piece(arg, &piece[i], file, must);
		refuse(must, piece[i].address < after && !any_order, EINVAL);
		after = piece[i].address + piece[i].length;
	}
}

static void check_create(const struct winregion_create_section *arg,
			 const struct share_file *file, bool reader,
			 struct share_must *must)
{
	refuse(must, !is_valid_of_section(arg->protection), EDOM);
	refuse(must, arg->access & ~WINREGION_SECTION_ALL, EOPNOTSUPP);
	refuse(must, !file && !arg->length, EINVAL);
	if (!file)
		return;
	refuse(must, !arg->length && !file->size, ENXIO);
	refuse(must, arg->length > file->size, EFBIG);
	refuse(must, reader && may_write(arg->protection), EKEYREJECTED);
}

/* Return: the new handle, which is to get its descriptor */
static int add_section(struct share_world *world, unsigned int me,
		       const struct winregion_create_section *arg,
		       uint32_t flags, unsigned int file)
{
	int n = share_free_handle(&world->process[me]);
	int section = find_section(world);

	world->section[section] = (struct share_section) {
		.used = true,
		.file = file,
		.flags = flags,
		.protection = arg->protection,
		.size = arg->length,
	};
	world->process[me].handle[n] = (struct share_handle) {
		.used = true,
		.section = section,
		.access = arg->access,
	};
	return n;
}

/* An image of the first file, in the memory that is the second one. Or -1 */
int share_create_image(struct share_world *world, unsigned int me,
		       struct winregion_create_section *arg, unsigned int file,
		       unsigned int memory, const struct winregion_piece *piece,
		       struct share_must *must)
{
	struct share_section *section;
	int n;

	check_create(arg, NULL, false, must);
	check_pieces(world, arg, piece, &world->file[file], must);
	if (must->nr)
		return -1;
	arg->length = pages_of(arg->length) * MODEL_PAGE;
	make_memory(&world->file[memory], arg->length, true);
	n = add_section(world, me, arg, arg->flags, memory);
	section = &world->section[world->process[me].handle[n].section];
	section->nr_pieces = arg->nr_pieces;
	memcpy(section->piece, piece, arg->nr_pieces * sizeof(*piece));
	fill_image(world, &world->file[memory], &world->file[file], section);
	return n;
}

/* Return: the new handle, or -1. */
int share_create(struct share_world *world, unsigned int me,
		 struct winregion_create_section *arg, unsigned int file,
		 struct share_must *must)
{
	bool memory = file >= SHARE_MEMORY;

	check_create(arg, memory ? NULL : &world->file[file],
		     arg->flags & SHARE_READER, must);
	if (must->nr)
		return -1;
	arg->flags &= ~SHARE_READER;
	if (memory) {
		arg->length = pages_of(arg->length) * MODEL_PAGE;
		make_memory(&world->file[file], arg->length,
			    !(arg->flags & WINREGION_SECTION_RESERVE));
	} else if (!arg->length) {
		arg->length = world->file[file].size;
	}
	return add_section(world, me, arg,
			   memory ? arg->flags :
			   (arg->flags & ~WINREGION_SECTION_RESERVE) |
			   WINREGION_SECTION_FILE, file);
}

int share_duplicate(struct share_world *world, unsigned int me,
		    unsigned int handle, uint32_t access,
		    struct share_must *must)
{
	struct share_process *process = &world->process[me];
	const struct share_handle *old = &process->handle[handle];
	int n = share_free_handle(process);

	refuse(must, access & ~WINREGION_SECTION_ALL, EOPNOTSUPP);
	refuse(must, access & ~old->access, EKEYREJECTED);
	if (must->nr)
		return -1;
	process->handle[n] = *old;
	process->handle[n].access = access;
	return n;
}

/* ---- views ---- */

static bool is_valid_of_view(uint32_t protection)
{
	uint32_t base = protection & ~WINREGION_GUARD;

	return is_plain(base) &&
	       (base == protection || base != WINREGION_NOACCESS);
}

static bool is_valid_of_page(uint32_t protection)
{
	uint32_t base = protection & 0xff, modifiers = protection & ~0xffU;

	if (!is_plain(base))
		return false;
	/* WRITECOMBINE is never right in a view. */
	return !modifiers || (base != WINREGION_NOACCESS &&
			      (modifiers == WINREGION_GUARD ||
			       modifiers == WINREGION_NOCACHE));
}

static bool has_rights(uint32_t allocation, uint32_t protection)
{
	return (may_write(allocation) || !may_write(protection)) &&
	       (may_read(allocation) || !may_read(protection)) &&
	       (may_execute(allocation) || !may_execute(protection));
}

/* Whether pages outside of a range can be read, and executed unlike those in it */
static bool mixes(const struct share_view *view, uint32_t protection,
		  uint32_t first, uint32_t end)
{
	uint32_t i;

	for (i = 0; i < view->pages && may_read(protection); i++)
		if ((i < first || i >= end) &&
		    may_read(view->page[i].protection) &&
		    may_execute(view->page[i].protection) !=
		    may_execute(protection))
			return true;
	return false;
}

/* Only of an image all can be written that is not the view's own: IMG-15. */
static void check_image(const struct share_world *world,
			const struct share_section *section,
			const struct winregion_map_view *arg, uint64_t length,
			struct share_must *must)
{
	unsigned int rights = rights_of_pages(world, section,
					      arg->offset / MODEL_PAGE,
					      pages_of(length));

	refuse(must, rights_of(arg->protection) & ~rights, EKEYREJECTED);
}

static void check_map(const struct share_world *world,
		      const struct share_handle *handle,
		      const struct share_section *section,
		      const struct winregion_map_view *arg,
		      struct share_must *must)
{
	uint32_t needed = may_write(arg->protection) ?
			  WINREGION_SECTION_MAP_WRITE :
			  WINREGION_SECTION_MAP_READ;
	uint64_t length = arg->length;

	refuse(must, !(section->flags & WINREGION_SECTION_IMAGE) !=
	       !(arg->flags & WINREGION_VIEW_IMAGE), EMEDIUMTYPE);
	refuse(must, (arg->offset | arg->address) %
	       (arg->image ? MODEL_PAGE : MODEL_UNIT), EINVAL);
	refuse(must, !is_valid_of_view(arg->protection), EDOM);
	if (may_execute(arg->protection))
		needed |= WINREGION_SECTION_MAP_EXECUTE;
	if (arg->image)
		needed = WINREGION_SECTION_MAP_READ;
	refuse(must, needed & ~handle->access ||
	       !has_rights(section->protection, arg->protection), EKEYREJECTED);
	refuse(must, arg->commit && section->flags & WINREGION_SECTION_FILE,
	       EINVAL);
	if (!length && arg->offset < section->size)
		length = section->size - arg->offset;
	if (arg->offset >= section->size ||
	    length > section->size - arg->offset || arg->commit > length)
		refuse(must, true, ERANGE);
	else
		check_image(world, section, arg, length, must);
}

static void set_all(struct share_view *view, uint32_t protection)
{
	uint32_t i;

	for (i = 0; i < view->pages; i++)
		view->page[i].protection = protection;
}

/*
 * Of the place only what is given is looked at. Return: the view, which is to get
 * its base, or -1.
 */
int share_map(struct share_world *world, unsigned int me, unsigned int handle,
	      struct winregion_map_view *arg, struct share_must *must)
{
	struct share_process *process = &world->process[me];
	const struct share_handle *from = &process->handle[handle];
	const struct share_section *section = &world->section[from->section];
	struct share_view *view = process->view;
	uint32_t i;

	check_map(world, from, section, arg, must);
	if (must->nr)
		return -1;
	if (!arg->length)
		arg->length = section->size - arg->offset;
	arg->length = pages_of(arg->length) * MODEL_PAGE;
	refuse(must, arg->address &&
	       !share_is_free(process, arg->address, arg->length), EEXIST);
	refuse(must, arg->lowest && !share_highest_place(process, arg->length),
	       ENOSPC);
	if (must->nr)
		return -1;
	while (view->used)
		view++;
	memset(view, 0, sizeof(*view));
	view->used = true;
	view->section = from->section;
	view->allocation = arg->protection |
			   (section->flags & WINREGION_SECTION_NOCACHE ?
			    WINREGION_NOCACHE : 0);
	view->pages = arg->length / MODEL_PAGE;
	view->first = arg->offset / MODEL_PAGE;
	view->image = arg->image;
	view->executes = may_execute(arg->protection);
	set_all(view, arg->protection);
	for (i = 0; i < pages_of(arg->commit); i++)
		share_file_of(world, view)->page[view->first + i].committed =
			true;
	return view - process->view;
}

/* All parts of an image end with one: IMG-12. */
void share_unmap(struct share_world *world, unsigned int me,
		 struct share_view *view, struct winregion_unmap_view *arg)
{
	struct share_view *other = world->process[me].view;
	uint64_t image = view->image;
	unsigned int i;

	arg->address = image ? image : view->base;
	arg->out_length = image ? world->section[view->section].size :
				  view->pages * MODEL_PAGE;
	view->used = false;
	for (i = 0; image && i < SHARE_VIEWS; i++, other++)
		if (other->image == image && world->bug != SHARE_BUG_PARTS)
			other->used = false;
	share_collect(world);
}

static bool is_committed(struct share_world *world,
			 const struct share_view *view, uint32_t page)
{
	return !share_is_reserve(world, view) ||
	       share_file_of(world, view)->page[view->first + page].committed;
}

/* What a query shows; 0 if it is not committed */
static uint32_t shown(struct share_world *world, const struct share_view *view,
		      uint32_t page)
{
	if (!is_committed(world, view, page))
		return 0;
	return view->page[page].protection |
	       (view->allocation & WINREGION_NOCACHE);
}

/* Bytes that are charged for what is copied, or may be: RI-04, MV-53. */
uint64_t share_committed(const struct share_world *world,
			 const struct share_view *view)
{
	uint32_t i, pages = 0;

	if (may_copy(view->allocation) && world->bug != SHARE_BUG_CHARGE)
		return view->pages * MODEL_PAGE;
	for (i = 0; i < view->pages; i++)
		pages += view->page[i].copied ||
			 (may_copy(view->page[i].protection) &&
			  world->bug != SHARE_BUG_CHARGE);
	return pages * MODEL_PAGE;
}

/* Contents of a page as the view has them */
uint32_t *share_words(struct share_world *world, struct share_view *view,
		      uint32_t page)
{
	if (view->page[page].copied)
		return view->page[page].word;
	return share_file_of(world, view)->page[view->first + page].word;
}

/* What copies what is written is shown as READWRITE once it is copied: VV-04, VV-05. */
static uint16_t of_copy(uint32_t protection)
{
	uint32_t modifiers = protection & ~0xffU;

	switch (protection & 0xff) {
	case WINREGION_WRITECOPY:
		return WINREGION_READWRITE | modifiers;
	case WINREGION_EXECUTE_WRITECOPY:
		return WINREGION_EXECUTE_READWRITE | modifiers;
	}
	return protection;
}

static void set_page(struct share_world *world, struct share_view *view,
		     uint32_t page, uint32_t protection)
{
	struct share_own *own = &view->page[page];

	own->protection = protection;
	if (own->copied && world->bug != SHARE_BUG_SHOWN)
		own->protection = of_copy(protection);
	if (world->bug == SHARE_BUG_KEPT && !may_write(own->protection))
		own->copied = false;
}

static void copy_page(struct share_world *world, struct share_view *view,
		      uint32_t page)
{
	struct share_own *own = &view->page[page];

	own->protection = of_copy(own->protection);
	if (world->bug == SHARE_BUG_COPY)
		return;
	memcpy(own->word, share_words(world, view, page), sizeof(own->word));
	own->copied = true;
}

static void commit_page(struct share_world *world, struct share_view *view,
			uint32_t page)
{
	struct share_page *pages = share_file_of(world, view)->page;

	if (world->bug != SHARE_BUG_COMMIT || page % 8)
		pages[view->first + page].committed = true;
}

/* What of an image is not for all is copied when it is written: IMG-07. */
static uint32_t as_part(const struct share_view *view, uint32_t protection)
{
	uint32_t modifiers = protection & ~0xffU;

	if (!view->image || may_write(view->allocation))
		return protection;
	switch (protection & 0xff) {
	case WINREGION_READWRITE:
		return WINREGION_WRITECOPY | modifiers;
	case WINREGION_EXECUTE_READWRITE:
		return WINREGION_EXECUTE_WRITECOPY | modifiers;
	}
	return protection;
}

/* A range of one or more; the first and the page behind the last one of it */
static void check_change(struct share_world *world,
			 const struct share_view *view, unsigned int kind,
			 const struct winregion_range *range, uint32_t *first,
			 uint32_t *end, struct share_must *must)
{
	bool file = world->section[view->section].flags &
		    WINREGION_SECTION_FILE;
	uint64_t offset = range->address - view->base;
	bool missing = false;
	uint32_t i;

	*first = offset / MODEL_PAGE;
	*end = pages_of(offset + range->length);
	refuse(must, !range->length, EOVERFLOW);
	refuse(must, *end > view->pages, EXDEV);
	refuse(must, !is_valid_of_page(range->protection), EDOM);
	refuse(must, kind == SHARE_COMMIT && may_copy(range->protection), EDOM);
	refuse(must,
	       kind == SHARE_COMMIT && range->protection & WINREGION_NOCACHE,
	       EDOM);
	refuse(must, kind == SHARE_COMMIT && file, EALREADY);
	refuse(must, is_valid_of_page(range->protection) &&
	       !has_rights(view->allocation,
			   as_part(view, range->protection)), EKEYREJECTED);
	for (i = *first; i < *end && i < view->pages; i++)
		missing |= !is_committed(world, view, i);
	refuse(must, kind == SHARE_PROTECT && missing, ENODATA);
}

/* Whether a view is of those that can become executable, or not, by that */
static bool decides(const struct share_view *view, uint32_t protection)
{
	return may_execute(view->allocation) && may_read(protection);
}

static void change(struct share_world *world, struct share_view *view,
		   unsigned int kind, struct winregion_range *range,
		   uint32_t first, uint32_t end)
{
	uint32_t protection = as_part(view, range->protection);
	uint32_t i;

	if (kind == SHARE_PROTECT)
		range->out_old_protection = shown(world, view, first);
	if (decides(view, range->protection))
		view->executes = may_execute(range->protection);
	for (i = first; i < end; i++) {
		set_page(world, view, i, protection & ~WINREGION_NOCACHE);
		if (kind == SHARE_COMMIT)
			commit_page(world, view, i);
	}
}

/* PROTECT or COMMIT; the range begins in the view. */
void share_change(struct share_world *world, struct share_view *view,
		  unsigned int kind, struct winregion_range *range,
		  struct share_must *must)
{
	uint32_t first, end;

	check_change(world, view, kind, range, &first, &end, must);
	refuse(must, mixes(view, range->protection, first, end), EDOM);
	if (!must->nr)
		change(world, view, kind, range, first, end);
}

/*
 * The same of several ranges, each in a view of its own, maybe. All of them change, one
 * after the other, or none; and no view becomes executable, or not, by such a call.
 */
void share_change_several(struct share_world *world, struct share_view **views,
			  unsigned int kind, struct winregion_range *ranges,
			  unsigned int nr, struct share_must *must)
{
	uint32_t first, end, old[OP_RANGES];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		check_change(world, views[i], kind, &ranges[i], &first, &end,
			     must);
		old[i] = shown(world, views[i], first);
		refuse(must, decides(views[i], ranges[i].protection) &&
		       may_execute(ranges[i].protection) != views[i]->executes,
		       EDOM);
	}
	for (i = 0; i < nr && !must->nr; i++) {
		check_change(world, views[i], kind, &ranges[i], &first, &end,
			     must);
		change(world, views[i], kind, &ranges[i], first, end);
		if (world->bug == SHARE_BUG_SEVERAL)
			ranges[i].out_old_protection = old[i];
	}
}

/* The run from @page on */
void share_describe(struct share_world *world, struct share_view *view,
		    uint32_t page, struct winregion_run *run)
{
	uint32_t protection = shown(world, view, page), end = page + 1;

	while (end < view->pages && shown(world, view, end) == protection)
		end++;
	*run = (struct winregion_run) {
		.address = view->base + page * MODEL_PAGE,
		.length = (end - page) * MODEL_PAGE,
		.region_address = view->base,
		.region_length = view->pages * MODEL_PAGE,
		.region_committed = share_committed(world, view),
		.region_protection = view->allocation,
		.state = protection ? WINREGION_STATE_COMMIT :
				      WINREGION_STATE_RESERVE,
		.protection = protection,
		.type = WINREGION_TYPE_MAPPED,
	};
	if (!view->image)
		return;
	run->region_address = view->image;
	run->region_length = world->section[view->section].size;
	run->region_protection = WINREGION_EXECUTE_WRITECOPY;
	run->type = WINREGION_TYPE_IMAGE;
}

/* ---- accesses ---- */

/* Whether the page is behind the end of the file */
enum share_result share_behind(const struct share_world *world,
			       unsigned int file, uint32_t page)
{
	if (page < pages_of(world->file[file].size))
		return SHARE_WORKS;
	/* Shmem maps large pages across the end of a file. */
	return file == SHARE_TMPFS && world->huge ? SHARE_EITHER : SHARE_BUS;
}

/* Whether what is written to a page goes to no file, but to a copy. */
bool share_writes_itself(const struct share_world *world,
			 const struct share_view *view, uint32_t page)
{
	const struct share_own *own = &view->page[page];
	unsigned int file = world->section[view->section].file;

	return own->copied ||
	       (may_copy(own->protection) &&
		share_behind(world, file, view->first + page) == SHARE_WORKS);
}

/*
 * What an access to a page of a view must come to. A guard goes off by it: GP-10. A
 * write that works copies the page where it is to be copied: MV-52.
 */
enum share_result share_access(struct share_world *world,
			       struct share_view *view, uint32_t page,
			       bool write, enum share_access how)
{
	struct share_own *own = &view->page[page];
	enum share_result result;

	if (!is_committed(world, view, page))
		return SHARE_SEGV;
	if (own->protection & WINREGION_GUARD) {
		if (how == SHARE_BY_ITSELF || world->bug == SHARE_BUG_GUARD)
			own->protection &= ~WINREGION_GUARD;
		return SHARE_SEGV;
	}
	if (!may_read(own->protection) ||
	    (write && !may_write(own->protection) && !may_copy(own->protection)))
		return SHARE_SEGV;
	if (own->copied)
		return SHARE_WORKS;
	result = share_behind(world, world->section[view->section].file,
			      view->first + page);
	if (write && may_copy(own->protection) && result == SHARE_WORKS)
		copy_page(world, view, page);
	return result;
}

/* ---- files ---- */

static void clear_words(struct share_file *file, uint64_t from)
{
	uint32_t page, word;

	for (page = from / MODEL_PAGE; page < SHARE_PAGES; page++)
		for (word = 0; word < SHARE_WORDS; word++)
			if (page * MODEL_PAGE + share_word_offset(word) + 4 >
			    from)
				file->page[page].word[word] = 0;
}

/* @size does not cut a word in two. */
void share_truncate(struct share_world *world, struct share_file *file,
		    uint64_t size)
{
	file->size = size;
	if (world->bug != SHARE_BUG_TRUNCATE)
		clear_words(file, size);
}

void share_punch(struct share_file *file, uint32_t first, uint32_t pages)
{
	uint32_t i;

	for (i = first; i < first + pages && i < SHARE_PAGES; i++)
		memset(file->page[i].word, 0, sizeof(file->page[i].word));
}

/* ---- processes ---- */

static void forget_copies(struct share_view *view)
{
	uint32_t i;

	for (i = 0; i < view->pages; i++)
		view->page[i].copied = false;
}

void share_forked(struct share_world *world, unsigned int parent,
		  unsigned int child)
{
	struct share_view *view = world->process[child].view;
	unsigned int i;

	world->process[child] = world->process[parent];
	for (i = 0; i < SHARE_VIEWS && world->bug == SHARE_BUG_FORK; i++)
		set_all(&view[i], view[i].allocation);
	for (i = 0; i < SHARE_VIEWS && world->bug == SHARE_BUG_CHILD; i++)
		forget_copies(&view[i]);
}

void share_gone(struct share_world *world, unsigned int who)
{
	memset(&world->process[who], 0, sizeof(world->process[who]));
	share_collect(world);
}
