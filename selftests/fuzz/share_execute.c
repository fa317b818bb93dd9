// SPDX-License-Identifier: GPL-2.0
/*
 * Does an operation on sections, views or their files, and compares what happened
 * with what had to happen: the result of each call and what it wrote, whether an
 * access went through, and what it read.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "descriptors.h"
#include "share.h"

const char *const share_names[SHARE_KINDS] = {
	[SHARE_NONE] = "nothing",
	[SHARE_CREATE] = "create",
	[SHARE_CLOSE] = "close",
	[SHARE_DUPLICATE] = "duplicate",
	[SHARE_PASS] = "pass",
	[SHARE_MAP] = "map",
	[SHARE_LOAD] = "load",
	[SHARE_UNMAP] = "unmap",
	[SHARE_MUNMAP] = "munmap(2)",
	[SHARE_PROTECT] = "protect",
	[SHARE_COMMIT] = "commit",
	[SHARE_DECOMMIT] = "decommit",
	[SHARE_RELEASE] = "release",
	[SHARE_QUERY] = "query",
	[SHARE_QUERY_SECTION] = "query section",
	[SHARE_QUERY_FILE] = "query file",
	[SHARE_EXTEND] = "extend",
	[SHARE_FLUSH] = "flush",
	[SHARE_INFO] = "get info",
	[SHARE_READ] = "read",
	[SHARE_WRITE] = "write",
	[SHARE_READ_CALL] = "pread(2) into it",
	[SHARE_WRITE_CALL] = "pwrite(2) from it",
	[SHARE_REMOTE_READ] = "process_vm_readv(2)",
	[SHARE_REMOTE_WRITE] = "process_vm_writev(2)",
	[SHARE_ADVISE] = "madvise(2)",
	[SHARE_DROP] = "drop caches",
	[SHARE_PREAD] = "pread(2)",
	[SHARE_PWRITE] = "pwrite(2)",
	[SHARE_TRUNCATE] = "ftruncate(2)",
	[SHARE_PUNCH] = "punch a hole",
	[SHARE_SYNC] = "fsync(2)",
	[SHARE_PLAIN_MAP] = "mmap(2)",
	[SHARE_PLAIN_UNMAP] = "munmap(2) of a plain mapping",
	[SHARE_PLAIN_READ] = "read a plain mapping",
	[SHARE_PLAIN_WRITE] = "write a plain mapping",
	[SHARE_FORK] = "fork",
	[SHARE_EXIT] = "exit",
	[SHARE_KILL] = "kill",
	[SHARE_NOISE] = "noise",
	[SHARE_VERIFY] = "verify",
};

/* Does nothing without @file. */
void share_print(FILE *file, unsigned int at, const struct op *op)
{
	unsigned int i;

	if (!file)
		return;
	fprintf(file, "# %u: process %u: %s, %u; 0x%llx + 0x%llx, ", at,
		op->odd, share_names[op->kind], op->value,
		(unsigned long long)op->range[0].offset,
		(unsigned long long)op->range[0].length);
	fprintf(file, "protection 0x%x; flags 0x%x; 0x%llx + 0x%llx\n",
		op->range[0].protection, op->flags,
		(unsigned long long)op->range[1].offset,
		(unsigned long long)op->range[1].length);
	for (i = 0; i < op->nr; i++)
		fprintf(file, "#\trange of %u; 0x%llx + 0x%llx, protection 0x%x\n",
			op->range[i].space,
			(unsigned long long)op->range[i].offset,
			(unsigned long long)op->range[i].length,
			op->range[i].protection);
	fflush(file);
}

static bool judge(struct share *share, const struct op *op, int ret,
		  const struct share_must *must)
{
	share->compared = true;
	if (share_allows(must, ret))
		return true;
	return fuzz_differs(&share->fuzz, "%s by process %u: %d (%s), but it must be %d (%s)",
			    share_names[op->kind], share->me, ret,
			    ret ? strerror(-ret) : "success",
			    must->nr ? -must->error[0] : 0,
			    must->nr ? strerror(must->error[0]) : "success");
}

static bool same(struct share *share, const struct op *op, const char *what,
		 uint64_t is, uint64_t must)
{
	share->compared = true;
	if (is == must)
		return true;
	return fuzz_differs(&share->fuzz, "%s by process %u: %s 0x%llx, but it must be 0x%llx",
			    share_names[op->kind], share->me, what,
			    (unsigned long long)is, (unsigned long long)must);
}

static int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static struct share_view *view_of(struct share *share, const struct op *op)
{
	struct share_view *view;

	view = &share_self(share)->view[op->value % SHARE_VIEWS];
	return view->used ? view : NULL;
}

static struct share_handle *handle_of(struct share *share, const struct op *op)
{
	struct share_handle *handle;

	handle = &share_self(share)->handle[op->value % SHARE_HANDLES];
	return handle->used ? handle : NULL;
}

static unsigned int file_of(const struct op *op)
{
	return op->value % SHARE_MEMORY;
}

static uint32_t page_of(const struct op *op)
{
	return op->range[0].offset / MODEL_PAGE;
}

/* ---- sections ---- */

/* Or SHARE_FILES */
static unsigned int free_memory(const struct share_world *world)
{
	unsigned int i;

	for (i = SHARE_MEMORY; i < SHARE_FILES; i++)
		if (!world->file[i].used)
			break;
	return i;
}

static bool has_room(const struct share *share)
{
	unsigned int i;

	if (share_free_handle(&share->world->process[share->me]) < 0)
		return false;
	for (i = 0; i < SHARE_SECTIONS; i++)
		if (!share->world->section[i].used)
			return true;
	return false;
}

/* Pieces of so many bytes, one after the other, but for a page that is in none */
static void choose_pieces(struct winregion_create_section *arg, uint32_t which,
			  struct winregion_piece *piece)
{
	static const uint32_t protections[] = {
		WINREGION_READONLY, WINREGION_EXECUTE_READ,
		WINREGION_READWRITE, WINREGION_EXECUTE_READWRITE,
	};
	uint64_t pages = arg->length / MODEL_PAGE / SHARE_PIECES;
	uint32_t i;

	arg->pieces = (uintptr_t)piece;
	arg->nr_pieces = SHARE_PIECES - (which >> 10) % 2;
	for (i = 0; i < SHARE_PIECES; i++, which >>= 2) {
		piece[i] = (struct winregion_piece) {
			.address = i * pages * MODEL_PAGE,
			.length = pages * MODEL_PAGE,
			.offset = (which % 7) * MODEL_PAGE,
			.bytes = pages * MODEL_PAGE,
			.protection = protections[which % 4],
		};
		if (i == 1)
			piece[i].length = piece[i].bytes -= MODEL_PAGE;
		if (i == 2)
			piece[i].bytes = piece[i].bytes / 2 + 1000;
	}
}

static void exchange_pieces(struct winregion_piece *one,
			    struct winregion_piece *other)
{
	struct winregion_piece piece = *one;

	*one = *other;
	*other = piece;
}

/* One thing that is wrong with them */
static void spoil_pieces(struct winregion_create_section *arg,
			 enum share_spoilt how, struct winregion_piece *piece)
{
	struct winregion_piece *second = &piece[1];

	switch (how) {
	case SHARE_NO_PIECE:
		arg->nr_pieces = 0;
		break;
	case SHARE_MANY_PIECES:
		arg->nr_pieces = WINREGION_MAX_PIECES + 1;
		break;
	case SHARE_NO_LIST:
		arg->pieces = 0;
		break;
	case SHARE_ODD_ADDRESS:
		second->address++;
		break;
	case SHARE_FAR_ADDRESS:
		second->address += SHARE_LENGTH;
		break;
	case SHARE_NO_LENGTH:
		second->length = 0;
		second->bytes = 0;
		break;
	case SHARE_ENDLESS:
		second->length = -second->address;
		break;
	case SHARE_MORE_BYTES:
		second->bytes = second->length + 1;
		break;
	case SHARE_BEHIND_FILES:
		second->offset = INT64_MAX - second->bytes;
		break;
	case SHARE_BEHIND_NUMBERS:
		second->offset = -second->bytes;
		break;
	case SHARE_RESERVED:
		second->__reserved = 1;
		break;
	case SHARE_NO_RIGHTS:
		second->protection = WINREGION_WRITECOPY;
		break;
	case SHARE_EXCHANGED:
		exchange_pieces(piece, second);
		break;
	case SHARE_OVERLAPPING:
		piece->length++;
		break;
	default:
		break;
	}
}

static bool compare_words(struct share *share, const struct op *op,
			  const char *bytes, const struct share_file *file)
{
	uint32_t page, word, value;

	for (page = 0; page < file->size / MODEL_PAGE; page++)
		for (word = 0; word < SHARE_WORDS; word++) {
			memcpy(&value, bytes + page * MODEL_PAGE +
			       share_word_offset(word), sizeof(value));
			if (!same(share, op, "word", value,
				  file->page[page].word[word]))
				return false;
		}
	return true;
}

/* Make the section that the model has as @handle, if it has made one. */
static bool create(struct share *share, const struct op *op,
		   struct winregion_create_section *arg, int handle,
		   const struct winregion_create_section *must_be,
		   const struct share_must *must)
{
	int ret = call(share->fd, WINREGION_CREATE_SECTION, arg);

	if (!judge(share, op, ret, must))
		return false;
	if (ret)
		return true;
	share_self(share)->handle[handle].fd = arg->out_fd;
	return same(share, op, "length", arg->length, must_be->length);
}

/* What is in an image that was just made, if it may be looked at */
static bool look_at_image(struct share *share, const struct op *op,
			  const struct share_handle *handle)
{
	struct winregion_map_view map = {
		.size = sizeof(map),
		.flags = WINREGION_VIEW_IMAGE,
		.protection = WINREGION_READONLY,
	};
	struct winregion_unmap_view unmap = { .size = sizeof(unmap) };
	const struct share_must must = {};
	const struct share_file *file;
	const char *bytes;

	if (!(handle->access & WINREGION_SECTION_MAP_READ))
		return true;
	if (!judge(share, op, call(handle->fd, WINREGION_MAP_VIEW, &map),
		   &must))
		return false;
	bytes = (const char *)(uintptr_t)map.address;
	file = &share->world->file[share->world->section[handle->section].file];
	unmap.address = map.address;
	return compare_words(share, op, bytes, file) &&
	       judge(share, op, call(share->fd, WINREGION_UNMAP_VIEW, &unmap),
		     &must);
}

static bool do_create_image(struct share *share, const struct op *op)
{
	struct winregion_piece piece[SHARE_PIECES];
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.flags = WINREGION_SECTION_IMAGE,
		.file = share->file[file_of(op)][!!(op->flags & SHARE_READER)],
		.protection = op->range[0].protection,
		.access = op->range[1].length,
		.length = op->range[0].length,
	}, must_be;
	unsigned int memory = free_memory(share->world);
	struct share_must must = {};
	int handle;

	if (arg.length > SHARE_LENGTH || arg.length < 8 * MODEL_PAGE ||
	    memory == SHARE_FILES || !has_room(share))
		return true;
	choose_pieces(&arg, op->range[1].offset, piece);
	spoil_pieces(&arg, op->range[0].offset, piece);
	must_be = arg;
	handle = share_create_image(share->world, share->me, &must_be,
				    file_of(op), memory, piece, &must);
	return create(share, op, &arg, handle, &must_be, &must) &&
	       (handle < 0 ||
		look_at_image(share, op, &share_self(share)->handle[handle]));
}

static bool do_create(struct share *share, const struct op *op)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.flags = op->flags & ~SHARE_READER,
		.file = -1,
		.protection = op->range[0].protection,
		.access = op->range[1].length,
		.length = op->range[0].length,
	}, must_be = arg;
	unsigned int file = op->value < SHARE_MEMORY ? op->value :
						       free_memory(share->world);
	struct share_must must = {};
	int handle;

	if (op->flags & WINREGION_SECTION_IMAGE)
		return do_create_image(share, op);
	if (file == SHARE_FILES || !has_room(share))
		return true;
	if (arg.length > SHARE_LENGTH)
		arg.length = SHARE_LENGTH;
	must_be.length = arg.length;
	must_be.flags = op->flags;
	if (file < SHARE_MEMORY)
		arg.file = share->file[file][!!(op->flags & SHARE_READER)];
	handle = share_create(share->world, share->me, &must_be, file, &must);
	return create(share, op, &arg, handle, &must_be, &must);
}

static bool do_close(struct share *share, const struct op *op)
{
	struct share_handle *handle = handle_of(share, op);

	if (!handle)
		return true;
	close(handle->fd);
	handle->used = false;
	share_collect(share->world);
	return true;
}

static bool do_duplicate(struct share *share, const struct op *op)
{
	struct winregion_duplicate_section arg = {
		.size = sizeof(arg),
		.access = op->range[0].length,
	};
	struct share_handle *old = handle_of(share, op);
	struct share_must must = {};
	int handle, ret;

	if (!old || !has_room(share))
		return true;
	handle = share_duplicate(share->world, share->me,
				 op->value % SHARE_HANDLES, arg.access, &must);
	ret = call(old->fd, WINREGION_DUPLICATE_SECTION, &arg);
	if (!judge(share, op, ret, &must))
		return false;
	if (!ret)
		share_self(share)->handle[handle].fd = arg.out_fd;
	return true;
}

/* A descriptor is sent to a slot: it is on its way until that has its turn. */
static bool do_pass(struct share *share, const struct op *op)
{
	unsigned int slot = op->range[0].length % SHARE_PROCESSES, i = 0;
	struct share_handle *handle = handle_of(share, op);
	struct share_handle *mail = share->world->mail[slot];

	while (i < SHARE_MAIL && mail[i].used)
		i++;
	if (!handle || i == SHARE_MAIL)
		return true;
	if (!send_fd(share->post[slot][1], handle->fd))
		return fuzz_differs(&share->fuzz, "cannot send a descriptor");
	mail[i] = *handle;
	return true;
}

/* What has been sent to this slot; where there is no room for it, it is closed. */
bool share_fetch(struct share *share)
{
	struct share_handle *mail = share->world->mail[share->me];
	struct share_process *self = share_self(share);
	unsigned int i;
	int fd, n;

	for (i = 0; i < SHARE_MAIL && mail[i].used; i++) {
		fd = receive_fd(share->post[share->me][0],
				MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (fd < 0)
			return fuzz_differs(&share->fuzz, "a descriptor is lost");
		n = share_free_handle(self);
		if (n >= 0) {
			self->handle[n] = mail[i];
			self->handle[n].fd = fd;
		} else {
			close(fd);
		}
		mail[i].used = false;
	}
	share_collect(share->world);
	return true;
}

static bool do_query_section(struct share *share, const struct op *op)
{
	struct winregion_query_section arg = { .size = sizeof(arg) };
	struct share_handle *handle = handle_of(share, op);
	const struct share_section *section;
	struct share_must must = {};
	int ret;

	if (!handle)
		return true;
	section = &share->world->section[handle->section];
	if (!(handle->access & WINREGION_SECTION_QUERY))
		must = (struct share_must) { 1, { EKEYREJECTED } };
	ret = call(handle->fd, WINREGION_QUERY_SECTION, &arg);
	if (!judge(share, op, ret, &must) || ret)
		return !share->fuzz.report->found;
	return same(share, op, "flags", arg.out_flags, section->flags) &&
	       same(share, op, "length", arg.out_length, section->size) &&
	       same(share, op, "access", arg.out_access, handle->access) &&
	       same(share, op, "protection", arg.out_protection,
		    section->protection);
}

static bool do_extend(struct share *share, const struct op *op)
{
	struct winregion_extend_section arg = {
		.size = sizeof(arg),
		.length = op->range[0].length,
	};
	struct share_handle *handle = handle_of(share, op);
	struct share_section *section;
	struct share_must must = {};

	if (!handle)
		return true;
	section = &share->world->section[handle->section];
	if (!(handle->access & WINREGION_SECTION_EXTEND))
		must.error[must.nr++] = EKEYREJECTED;
	if (section->file >= SHARE_MEMORY)
		must.error[must.nr++] = EMEDIUMTYPE;
	else if (arg.length > share->world->file[section->file].size)
		must.error[must.nr++] = EFBIG;
	if (!must.nr && arg.length > section->size)
		section->size = arg.length;
	return judge(share, op, call(handle->fd, WINREGION_EXTEND_SECTION,
				     &arg), &must);
}

/* The last reference to a section may be dropped a little later. */
static bool do_query_file(struct share *share, const struct op *op)
{
	struct winregion_query_file arg = {
		.size = sizeof(arg),
		.file = share->file[file_of(op)][0],
	};
	uint64_t needs = share_file_needs(share->world, file_of(op));
	unsigned int tries = 0;
	int ret;

	do {
		ret = call(share->fd, WINREGION_QUERY_FILE, &arg);
		if (ret || arg.out_length <= needs)
			break;
		usleep(1000);
	} while (++tries < 5000);
	return judge(share, op, ret, &(struct share_must) {}) &&
	       same(share, op, "length", arg.out_length, needs);
}

/* ---- views ---- */

static uint32_t where_of(const struct op *op)
{
	return op->flags & (SHARE_FIXED | SHARE_TOP_DOWN);
}

static bool is_good_place(struct share *share, const struct op *op,
			  const struct winregion_map_view *arg)
{
	if (where_of(op) == SHARE_TOP_DOWN)
		return arg->address == share_highest_place(share_self(share),
							   arg->length);
	return !(arg->address % MODEL_UNIT) && arg->address >= MODEL_LOWEST &&
	       share_is_free(share_self(share), arg->address, arg->length);
}

static void set_place(const struct op *op, struct winregion_map_view *arg)
{
	if (where_of(op) == SHARE_FIXED)
		arg->address = SHARE_ARENA + op->range[1].offset;
	if (where_of(op) != SHARE_TOP_DOWN)
		return;
	arg->flags |= WINREGION_VIEW_TOP_DOWN;
	arg->lowest = SHARE_ARENA;
	arg->highest = SHARE_ARENA + SHARE_ARENA_LENGTH - 1;
}

static bool adopt(struct share *share, const struct op *op, int n,
		  const struct winregion_map_view *arg,
		  const struct winregion_map_view *must)
{
	struct share_view *view = &share_self(share)->view[n];
	bool good;

	view->used = false;
	good = where_of(op) == SHARE_FIXED ? arg->address == must->address :
					  is_good_place(share, op, arg);
	view->used = true;
	view->base = arg->address;
	if (!good)
		return fuzz_differs(&share->fuzz, "map of 0x%llx bytes: 0x%llx is no place for it",
				    arg->length, arg->address);
	return same(share, op, "length", arg->length, must->length);
}

static bool do_map(struct share *share, const struct op *op)
{
	struct winregion_map_view arg = {
		.size = sizeof(arg),
		.protection = op->range[0].protection,
		.offset = op->range[0].offset,
		.length = op->range[0].length,
		.commit = op->range[1].length,
	}, must_be;
	struct share_handle *handle = handle_of(share, op);
	const struct share_section *section;
	struct share_must must = {};
	int n, ret;

	if (!handle || share_views(share_self(share)) == SHARE_VIEWS)
		return true;
	section = &share->world->section[handle->section];
	/* Where it is no error, a commit is rarely wanted of a file. */
	if (section->file < SHARE_MEMORY && arg.commit % 8)
		arg.commit = 0;
	set_place(op, &arg);
	if (!(section->flags & WINREGION_SECTION_IMAGE) ==
	    !!(op->flags & SHARE_OTHER_KIND))
		arg.flags |= WINREGION_VIEW_IMAGE;
	must_be = arg;
	n = share_map(share->world, share->me, op->value % SHARE_HANDLES,
		      &must_be, &must);
	ret = call(handle->fd, WINREGION_MAP_VIEW, &arg);
	if (!judge(share, op, ret, &must))
		return false;
	return ret || adopt(share, op, n, &arg, &must_be);
}

/* A placeholder, in two from a page on */
static bool make_places(struct share *share, const struct op *op,
			uint64_t *image, uint64_t length)
{
	struct winregion_reserve reserve = {
		.size = sizeof(reserve),
		.flags = WINREGION_RESERVE_PLACEHOLDER,
		.protection = WINREGION_NOACCESS,
		.address = *image,
		.length = length,
	};
	struct winregion_release split = {
		.size = sizeof(split),
		.flags = WINREGION_RELEASE_PRESERVE,
		.length = op->range[1].offset,
	};
	const struct share_must must = {};

	if (!judge(share, op, call(share->fd, WINREGION_RESERVE, &reserve),
		   &must))
		return false;
	*image = reserve.address;
	split.address = reserve.address;
	return judge(share, op, call(share->fd, WINREGION_RELEASE, &split),
		     &must);
}

/* What no part has come to after all */
static bool release_place(struct share *share, const struct op *op,
			  uint64_t address)
{
	struct winregion_release release = {
		.size = sizeof(release),
		.address = address,
	};

	return judge(share, op, call(share->fd, WINREGION_RELEASE, &release),
		     &(struct share_must) {});
}

/* Return: the part, or NULL: it is refused, as it must be, or there is a difference. */
static struct share_view *map_part(struct share *share, const struct op *op,
				   struct winregion_map_view *arg)
{
	unsigned int handle = op->value % SHARE_HANDLES;
	struct winregion_map_view must_be = *arg;
	struct share_must must = {};
	struct share_view *view;
	int n, ret;

	n = share_map(share->world, share->me, handle, &must_be, &must);
	ret = call(share_self(share)->handle[handle].fd, WINREGION_MAP_VIEW,
		   arg);
	if (!judge(share, op, ret, &must) || ret)
		return NULL;
	view = &share_self(share)->view[n];
	view->base = arg->address;
	return same(share, op, "address", arg->address, must_be.address) &&
	       same(share, op, "length", arg->length, must_be.length) ?
	       view : NULL;
}

/* Unmap all of it, by a byte of @view, and look at what is said of it. */
static bool unmap_all(struct share *share, const struct op *op,
		      struct share_view *view, uint64_t offset)
{
	struct winregion_unmap_view arg = { .size = sizeof(arg) }, must_be;

	arg.address = view->base + offset;
	share_unmap(share->world, share->me, view, &must_be);
	return judge(share, op, call(share->fd, WINREGION_UNMAP_VIEW, &arg),
		     &(struct share_must) {}) &&
	       same(share, op, "base", arg.address, must_be.address) &&
	       same(share, op, "length", arg.out_length, must_be.out_length);
}

/* Both parts, or what is left of their places goes. */
static bool load_parts(struct share *share, const struct op *op,
		       uint64_t image, uint64_t length)
{
	struct winregion_map_view arg = {
		.size = sizeof(arg),
		.flags = WINREGION_VIEW_IMAGE | WINREGION_VIEW_REPLACE,
		.protection = op->range[0].protection,
		.address = image,
		.length = op->range[1].offset,
		.image = image,
	};
	struct share_view *first, *second = NULL;

	first = map_part(share, op, &arg);
	arg.protection = op->range[1].protection;
	arg.offset = op->range[1].offset;
	arg.address = image + arg.offset;
	arg.length = length - arg.offset;
	if (first)
		second = map_part(share, op, &arg);
	if (second || share->fuzz.report->found)
		return second;
	return release_place(share, op, image + arg.offset) &&
	       (first ? unmap_all(share, op, first, 0) :
			release_place(share, op, image));
}

static bool do_load(struct share *share, const struct op *op)
{
	struct share_handle *handle = handle_of(share, op);
	uint64_t image = op->flags ? SHARE_ARENA + op->range[0].offset : 0;
	uint64_t length;

	if (!handle || share_views(share_self(share)) > SHARE_VIEWS - 2)
		return true;
	length = share->world->section[handle->section].size;
	if (op->range[1].offset >= length || length % MODEL_PAGE ||
	    (image && !share_is_free(share_self(share), image, length)))
		return true;
	return make_places(share, op, &image, length) &&
	       load_parts(share, op, image, length);
}

/* By any byte of it, or where no view is */
static bool do_unmap(struct share *share, const struct op *op)
{
	struct share_view *view = view_of(share, op);
	struct winregion_unmap_view arg = { .size = sizeof(arg) };
	struct share_must must = { 1, { ENOENT } };

	if (view)
		return op->range[0].offset >= view->pages * MODEL_PAGE ||
		       unmap_all(share, op, view, op->range[0].offset);
	arg.address = SHARE_ARENA + op->range[0].offset;
	return !share_is_free(share_self(share), arg.address, 1) ||
	       judge(share, op, call(share->fd, WINREGION_UNMAP_VIEW, &arg),
		     &must);
}

static bool do_munmap(struct share *share, const struct op *op)
{
	struct share_view *view = view_of(share, op);
	uint64_t length;
	int ret;

	if (!view || view->image || (op->flags && view->pages < 2))
		return true;
	length = view->pages * MODEL_PAGE;
	ret = munmap((void *)(uintptr_t)view->base,
		     op->flags ? length - MODEL_PAGE : length);
	if (op->flags)
		return same(share, op, "result of a part", ret, -1);
	view->used = false;
	share_collect(share->world);
	return same(share, op, "result", ret, 0);
}

/* Return: false if one of the ranges does not begin in a view. */
static bool find_ranges(struct share *share, const struct op *op,
			struct share_view **views,
			struct winregion_range *ranges)
{
	const struct op_range *range = op->range;
	unsigned int i;

	for (i = 0; i < op->nr; i++, range++) {
		views[i] = &share_self(share)->view[range->space % SHARE_VIEWS];
		if (!views[i]->used ||
		    range->offset >= views[i]->pages * MODEL_PAGE)
			return false;
		ranges[i] = (struct winregion_range) {
			.address = views[i]->base + range->offset,
			.length = range->length,
			.protection = range->protection,
		};
	}
	return true;
}

static bool do_change_several(struct share *share, const struct op *op)
{
	struct winregion_range ranges[OP_RANGES], must_be[OP_RANGES];
	struct winregion_change arg = {
		.size = sizeof(arg),
		.nr_ranges = op->nr,
		.ranges = (uintptr_t)ranges,
	};
	struct share_view *views[OP_RANGES];
	struct share_must must = {};
	unsigned int i;
	int ret;

	if (!find_ranges(share, op, views, ranges))
		return true;
	memcpy(must_be, ranges, sizeof(ranges));
	share_change_several(share->world, views, op->kind, must_be, op->nr,
			     &must);
	ret = call(share->fd, op->kind == SHARE_COMMIT ? WINREGION_COMMIT :
							 WINREGION_PROTECT,
		   &arg);
	if (!judge(share, op, ret, &must) || ret)
		return !share->fuzz.report->found;
	for (i = 0; i < op->nr; i++)
		if (!same(share, op, "old protection of one of several",
			  ranges[i].out_old_protection,
			  must_be[i].out_old_protection))
			return false;
	return true;
}

static bool do_change(struct share *share, const struct op *op)
{
	struct share_view *view = view_of(share, op);
	struct winregion_change arg = { .size = sizeof(arg) };
	struct winregion_range must_be;
	struct share_must must = {};
	int ret;

	if (op->nr > 1)
		return do_change_several(share, op);
	if (!view || op->range[0].offset >= view->pages * MODEL_PAGE)
		return true;
	arg.range.address = view->base + op->range[0].offset;
	arg.range.length = op->range[0].length;
	arg.range.protection = op->range[0].protection;
	if (op->flags == SHARE_WHOLE) {
		arg.range.address = view->base;
		arg.range.length = view->pages * MODEL_PAGE;
	}
	must_be = arg.range;
	share_change(share->world, view, op->kind, &must_be, &must);
	ret = call(share->fd, op->kind == SHARE_COMMIT ? WINREGION_COMMIT :
							 WINREGION_PROTECT,
		   &arg);
	return judge(share, op, ret, &must) &&
	       (ret || same(share, op, "old protection",
			    arg.range.out_old_protection,
			    must_be.out_old_protection));
}

static int give_up(struct share *share, const struct op *op, uint64_t address)
{
	struct winregion_release release = {
		.size = sizeof(release),
		.address = address,
		.length = op->range[0].length,
	};
	struct winregion_change change = {
		.size = sizeof(change),
		.range = {
			.address = address,
			.length = op->range[0].length,
		},
	};

	if (op->kind == SHARE_RELEASE)
		return call(share->fd, WINREGION_RELEASE, &release);
	return call(share->fd, WINREGION_DECOMMIT, &change);
}

/* Views are not given back in this way. */
static bool do_give_up(struct share *share, const struct op *op)
{
	struct share_view *view = view_of(share, op);
	struct share_must must = { 1, { EBUSY } };
	uint64_t length = op->range[0].length, offset = op->range[0].offset;

	if (!view || offset >= view->pages * MODEL_PAGE)
		return true;
	if (!length && offset >= MODEL_PAGE)
		must.error[must.nr++] = ESPIPE;
	if (offset + length > view->pages * MODEL_PAGE)
		must.error[must.nr++] = EXDEV;
	return judge(share, op, give_up(share, op, view->base + offset), &must);
}

static bool do_flush(struct share *share, const struct op *op)
{
	struct share_view *view = view_of(share, op);
	struct winregion_flush_view arg = { .size = sizeof(arg) };
	struct share_must must = {};
	uint64_t end;

	if (!view || op->range[0].offset >= view->pages * MODEL_PAGE)
		return true;
	arg.address = view->base + op->range[0].offset;
	arg.length = op->range[0].length;
	end = view->base + view->pages * MODEL_PAGE;
	if (arg.length > end - arg.address)
		must = (struct share_must) { 1, { EXDEV } };
	return judge(share, op, call(share->fd, WINREGION_FLUSH_VIEW, &arg),
		     &must);
}

/* Whether nobody knows if a page behind the end of its file can be written, and copied. */
static bool is_unsure(struct share *share, const struct share_view *view,
		      uint32_t page)
{
	unsigned int file = share->world->section[view->section].file;

	return share_behind(share->world, file, view->first + page) ==
	       SHARE_EITHER;
}

/*
 * Whether it does something is the kernel's business. It goes page by page: what touches
 * them would end at a guard, or at the end of the file, where that is one.
 */
static bool do_advise(struct share *share, const struct op *op)
{
	struct share_view *view = view_of(share, op);
	uint64_t page = page_of(op), pages = op->range[0].length / MODEL_PAGE;

	for (; view && pages && page < view->pages; page++, pages--) {
		if (op->flags == MADV_POPULATE_WRITE &&
		    is_unsure(share, view, page))
			continue;
		madvise((void *)(uintptr_t)(view->base + page * MODEL_PAGE),
			MODEL_PAGE, op->flags);
		if (op->flags == MADV_POPULATE_READ ||
		    op->flags == MADV_POPULATE_WRITE)
			share_access(share->world, view, page,
				     op->flags == MADV_POPULATE_WRITE,
				     SHARE_BY_ITSELF);
	}
	return true;
}

/* ---- queries ---- */

static bool same_run(struct share *share, const struct op *op,
		     const struct winregion_run *run,
		     const struct winregion_run *must)
{
	return same(share, op, "address", run->address, must->address) &&
	       same(share, op, "length", run->length, must->length) &&
	       same(share, op, "region", run->region_address,
		    must->region_address) &&
	       same(share, op, "region's length", run->region_length,
		    must->region_length) &&
	       same(share, op, "committed", run->region_committed,
		    must->region_committed) &&
	       same(share, op, "allocation protection", run->region_protection,
		    must->region_protection) &&
	       same(share, op, "state", run->state, must->state) &&
	       same(share, op, "protection", run->protection,
		    must->protection) &&
	       same(share, op, "type", run->type, must->type) &&
	       same(share, op, "flags", run->flags, 0);
}

static bool do_query(struct share *share, const struct op *op)
{
	struct share_view *view = view_of(share, op);
	struct winregion_query arg = { .size = sizeof(arg) };
	struct winregion_run must;
	bool known = view && page_of(op) < view->pages;

	arg.address = (view ? view->base : SHARE_ARENA) + op->range[0].offset;
	if (!known && !share_is_free(share_self(share), arg.address, 1))
		return true;
	if (!judge(share, op, call(share->fd, WINREGION_QUERY, &arg),
		   &(struct share_must) {}))
		return false;
	if (!known && arg.address >= SHARE_ARENA &&
	    arg.address < SHARE_ARENA + SHARE_ARENA_LENGTH)
		return same(share, op, "state", arg.out.state,
			    WINREGION_STATE_FREE);
	if (!known)
		return true;
	share_describe(share->world, view, page_of(op), &must);
	return same_run(share, op, &arg.out, &must);
}

static bool do_info(struct share *share, const struct op *op)
{
	struct winregion_get_info arg = { .size = sizeof(arg) };
	const struct share_view *view = share_self(share)->view;
	uint64_t committed = 0;
	unsigned int i;

	for (i = 0; i < SHARE_VIEWS; i++)
		if (view[i].used)
			committed += share_committed(share->world, &view[i]);
	return judge(share, op, call(share->fd, WINREGION_GET_INFO, &arg),
		     &(struct share_must) {}) &&
	       same(share, op, "regions", arg.out_regions,
		    share_views(share_self(share))) &&
	       same(share, op, "committed", arg.out_committed, committed);
}

/* ---- accesses ---- */

/* An access that is about to be made, and what must come of it */
struct attempt {
	struct share_file *file;
	uint32_t page;		/* of the file */
	uint64_t address;	/* of the word */
	unsigned int word;
	bool write;
	uint32_t value;
	uint32_t *words;	/* what it finds there, or changes */
	enum share_result must;
};

static bool in_file(const struct attempt *attempt)
{
	return attempt->page * MODEL_PAGE +
	       share_word_offset(attempt->word) + 4 <= attempt->file->size;
}

static uint32_t *word_of(const struct attempt *attempt)
{
	return &attempt->words[attempt->word % SHARE_WORDS];
}

/* What is behind the end, but in a page, is not for writing: it may come back. */
static void make_attempt(struct attempt *attempt, struct share_file *file,
			 uint32_t page, const struct op *op, bool write)
{
	*attempt = (struct attempt) {
		.file = file,
		.page = page,
		.word = op->flags % SHARE_WORDS,
		.value = op->range[0].length,
		.words = file->page[page].word,
	};
	attempt->write = write && in_file(attempt);
}

/* The same of a page of a view, which can have a copy, or be about to. */
static void make_view_attempt(struct share *share, struct attempt *attempt,
			      struct share_view *view, uint32_t page,
			      const struct op *op, bool write,
			      enum share_access how)
{
	struct share_world *world = share->world;

	make_attempt(attempt, share_file_of(world, view), view->first + page,
		     op, write);
	if (write && share_writes_itself(world, view, page))
		attempt->write = true;
	attempt->address = view->base + page * MODEL_PAGE +
			   share_word_offset(attempt->word);
	attempt->must = share_access(world, view, page, attempt->write, how);
	attempt->words = share_words(world, view, page);
}

#define ACCESS "%s of 0x%llx (page %u of the file) by process %u: "

/* @works: it did. @value: what it has read */
static bool attempt_was(struct share *share, const struct op *op,
			const struct attempt *attempt, bool works, int how)
{
	static const char *const names[] = {
		"work", "be refused", "be behind the end", "work or be behind the end",
	};
	bool must = attempt->must == SHARE_WORKS;

	share->compared = true;
	if (attempt->must != SHARE_EITHER && works != must)
		return fuzz_differs(&share->fuzz, ACCESS "result %d, but it must %s",
				    share_names[op->kind],
				    (unsigned long long)attempt->address,
				    attempt->page, share->me, how,
				    names[attempt->must]);
	if (!works || attempt->must == SHARE_EITHER)
		return true;
	if (attempt->write) {
		*word_of(attempt) = attempt->value;
		return true;
	}
	if (attempt->value == *word_of(attempt))
		return true;
	return fuzz_differs(&share->fuzz, ACCESS "0x%x, but it must be 0x%x",
			    share_names[op->kind],
			    (unsigned long long)attempt->address, attempt->page,
			    share->me, attempt->value, *word_of(attempt));
}

static bool access_by_cpu(struct share *share, const struct op *op,
			  struct attempt *attempt)
{
	int sig = fuzz_access(attempt->address, attempt->write ? MODEL_WRITE :
			      MODEL_READ, &attempt->value);

	if (sig && attempt->must != SHARE_WORKS &&
	    sig != (attempt->must == SHARE_SEGV ? SIGSEGV : SIGBUS))
		return fuzz_differs(&share->fuzz, ACCESS "signal %d is the wrong one",
				    share_names[op->kind],
				    (unsigned long long)attempt->address,
				    attempt->page, share->me, sig);
	return attempt_was(share, op, attempt, !sig, sig);
}

/* Through a file of ours, whose word at @me pages is this process' */
static bool access_by_call(struct share *share, const struct op *op,
			   struct attempt *attempt)
{
	void *at = (void *)(uintptr_t)attempt->address;
	off_t offset = share->me * 4096;
	ssize_t n;

	if (attempt->write) {
		n = pwrite(share->scratch, &attempt->value, 4, offset);
		n = n == 4 ? pread(share->scratch, at, 4, offset) : -2;
	} else {
		n = pwrite(share->scratch, at, 4, offset);
		if (n == 4)
			n = pread(share->scratch, &attempt->value, 4, offset);
	}
	if (n != 4 && (n != -1 || errno != EFAULT))
		return fuzz_differs(&share->fuzz, "%s: %zd, errno %d",
				    share_names[op->kind], n, errno);
	return attempt_was(share, op, attempt, n == 4, n == 4 ? 0 : -errno);
}

static bool access_remote(struct share *share, const struct op *op,
			  struct attempt *attempt, unsigned int who)
{
	struct iovec local = { &attempt->value, 4 };
	struct iovec remote = { (void *)(uintptr_t)attempt->address, 4 };
	pid_t pid = share->world->pid[who];
	ssize_t n;

	n = attempt->write ?
	    process_vm_writev(pid, &local, 1, &remote, 1, 0) :
	    process_vm_readv(pid, &local, 1, &remote, 1, 0);
	if (n != 4 && (n != -1 || errno != EFAULT))
		return fuzz_differs(&share->fuzz, "%s: %zd, errno %d",
				    share_names[op->kind], n, errno);
	return attempt_was(share, op, attempt, n == 4, n == 4 ? 0 : -errno);
}

static bool is_write(const struct op *op)
{
	switch (op->kind) {
	case SHARE_WRITE:
	case SHARE_READ_CALL:
	case SHARE_REMOTE_WRITE:
	case SHARE_PLAIN_WRITE:
		return true;
	}
	return false;
}

static bool do_access(struct share *share, const struct op *op)
{
	struct share_world *world = share->world;
	bool cpu = op->kind == SHARE_READ || op->kind == SHARE_WRITE;
	bool remote = op->kind == SHARE_REMOTE_READ ||
		      op->kind == SHARE_REMOTE_WRITE;
	unsigned int who = remote ? op->range[1].length % SHARE_PROCESSES :
				    share->me;
	struct share_view *view;
	struct attempt attempt;

	view = &world->process[who].view[op->value % SHARE_VIEWS];
	if (!view->used || page_of(op) >= view->pages)
		return true;
	make_view_attempt(share, &attempt, view, page_of(op), op, is_write(op),
			  remote ? SHARE_BY_OTHERS : SHARE_BY_ITSELF);
	if (remote)
		return access_remote(share, op, &attempt, who);
	return cpu ? access_by_cpu(share, op, &attempt) :
		     access_by_call(share, op, &attempt);
}

/* ---- files ---- */

static bool do_plain_map(struct share *share, const struct op *op)
{
	uint64_t *plain = &share_self(share)->plain[file_of(op)];
	void *at;

	if (*plain)
		return true;
	at = mmap(NULL, SHARE_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
		  share->file[file_of(op)][0], 0);
	if (at == MAP_FAILED)
		return fuzz_differs(&share->fuzz, "mmap: %s", strerror(errno));
	*plain = (uintptr_t)at;
	return true;
}

static bool do_plain_unmap(struct share *share, const struct op *op)
{
	uint64_t *plain = &share_self(share)->plain[file_of(op)];

	if (*plain && munmap((void *)(uintptr_t)*plain, SHARE_LENGTH))
		return fuzz_differs(&share->fuzz, "munmap: %s", strerror(errno));
	*plain = 0;
	return true;
}

static bool do_plain_access(struct share *share, const struct op *op)
{
	uint64_t plain = share_self(share)->plain[file_of(op)];
	struct attempt attempt;

	if (!plain || page_of(op) >= SHARE_PAGES)
		return true;
	make_attempt(&attempt, &share->world->file[file_of(op)], page_of(op),
		     op, is_write(op));
	attempt.address = plain + page_of(op) * MODEL_PAGE +
			  share_word_offset(attempt.word);
	attempt.must = share_behind(share->world, file_of(op), page_of(op));
	return access_by_cpu(share, op, &attempt);
}

/* What is not in a file is not read from it. */
static bool do_pread(struct share *share, const struct op *op)
{
	struct attempt attempt;
	ssize_t n;

	if (page_of(op) >= SHARE_PAGES)
		return true;
	make_attempt(&attempt, &share->world->file[file_of(op)], page_of(op),
		     op, false);
	attempt.must = in_file(&attempt) ? SHARE_WORKS : SHARE_BUS;
	n = pread(share->file[file_of(op)][0], &attempt.value, 4,
		  page_of(op) * MODEL_PAGE + share_word_offset(attempt.word));
	return attempt_was(share, op, &attempt, n == 4, n);
}

static bool write_word(struct share *share, const struct op *op)
{
	struct share_file *file = &share->world->file[file_of(op)];
	uint32_t value = op->range[0].length;
	uint64_t offset = page_of(op) * MODEL_PAGE +
			  share_word_offset(op->flags);
	ssize_t n = pwrite(share->file[file_of(op)][0], &value, 4, offset);

	file->page[page_of(op)].word[op->flags % SHARE_WORDS] = value;
	if (offset + 4 > file->size)
		file->size = offset + 4;
	return same(share, op, "bytes", n, 4);
}

/* Whole pages, which can make large ones */
static bool write_pages(struct share *share, const struct op *op,
			uint32_t pages)
{
	struct share_file *file = &share->world->file[file_of(op)];
	static char buffer[40 * 4096];
	uint32_t value = op->range[0].length, i, word;
	uint64_t offset = page_of(op) * MODEL_PAGE;
	ssize_t n;

	for (i = 0; i < pages; i++)
		for (word = 0; word < SHARE_WORDS; word++) {
			memcpy(buffer + i * 4096 + share_word_offset(word),
			       &value, 4);
			file->page[page_of(op) + i].word[word] = value;
		}
	n = pwrite(share->file[file_of(op)][0], buffer, pages * MODEL_PAGE,
		   offset);
	if (offset + pages * MODEL_PAGE > file->size)
		file->size = offset + pages * MODEL_PAGE;
	return same(share, op, "bytes", n, pages * MODEL_PAGE);
}

static bool do_pwrite(struct share *share, const struct op *op)
{
	uint32_t pages = op->range[1].length % 41;

	if (page_of(op) + pages >= SHARE_PAGES)
		return true;
	return pages ? write_pages(share, op, pages) : write_word(share, op);
}

static bool do_truncate(struct share *share, const struct op *op)
{
	struct share_file *file = &share->world->file[file_of(op)];
	uint64_t size = op->range[0].length;

	if (size > SHARE_LENGTH)
		return true;
	share_truncate(share->world, file, size);
	return same(share, op, "result",
		    ftruncate(share->file[file_of(op)][0], size), 0);
}

static bool do_punch(struct share *share, const struct op *op)
{
	uint64_t length = op->range[0].length / MODEL_PAGE * MODEL_PAGE;
	int ret;

	if (!length || page_of(op) + length / MODEL_PAGE > SHARE_PAGES)
		return true;
	ret = fallocate(share->file[file_of(op)][0], FALLOC_FL_PUNCH_HOLE |
			FALLOC_FL_KEEP_SIZE, page_of(op) * MODEL_PAGE, length);
	if (ret && errno == EOPNOTSUPP)
		return true;
	share_punch(&share->world->file[file_of(op)], page_of(op),
		    length / MODEL_PAGE);
	return same(share, op, "result", ret, 0);
}

static bool do_sync(struct share *share, const struct op *op)
{
	return same(share, op, "result",
		    fsync(share->file[file_of(op)][0]), 0);
}

static bool do_drop(struct share *share, const struct op *op)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) < 0)
		errno = 0;
	close(fd);
	return true;
}

/* ---- all of it ---- */

static bool verify_runs(struct share *share, const struct op *op,
			struct share_view *view)
{
	struct winregion_run runs[64], must;
	struct winregion_query_runs arg = {
		.size = sizeof(arg),
		.address = view->base,
		.last = view->base + view->pages * MODEL_PAGE - 1,
		.runs = (uintptr_t)runs,
	};
	uint32_t page = 0, i;

	while (page < view->pages) {
		arg.nr_runs = ARRAY_SIZE(runs);
		if (!judge(share, op, call(share->fd, WINREGION_QUERY_RUNS,
					   &arg), &(struct share_must) {}))
			return false;
		for (i = 0; i < arg.nr_runs; i++) {
			share_describe(share->world, view, page, &must);
			if (!same_run(share, op, &runs[i], &must))
				return false;
			page += must.length / MODEL_PAGE;
		}
		if (!arg.nr_runs)
			return same(share, op, "runs", 0, 1);
	}
	return same(share, op, "next", arg.address, arg.last + 1);
}

/* Every page, but that guards stay */
static bool verify_view(struct share *share, const struct op *op,
			struct share_view *view)
{
	struct op at = *op;
	struct attempt attempt;
	uint32_t page;

	for (page = 0; page < view->pages; page++) {
		if (view->page[page].protection & WINREGION_GUARD)
			continue;
		at.flags = page;
		make_view_attempt(share, &attempt, view, page, &at, false,
				  SHARE_BY_ITSELF);
		if (!access_by_cpu(share, op, &attempt))
			return false;
	}
	return verify_runs(share, op, view);
}

bool share_verify(struct share *share)
{
	static const struct op op = { .kind = SHARE_VERIFY };
	struct share_view *view = share_self(share)->view;
	unsigned int i;

	for (i = 0; i < SHARE_VIEWS; i++, view++)
		if (view->used && !verify_view(share, &op, view))
			return false;
	return do_info(share, &op);
}

static bool do_verify(struct share *share, const struct op *op)
{
	return share_verify(share);
}

/* ---- processes ---- */

static bool do_fork(struct share *share, const struct op *op)
{
	unsigned int slot = op->value % SHARE_PROCESSES;

	return share->world->process[slot].alive || share_fork(share, slot);
}

static bool do_kill(struct share *share, const struct op *op)
{
	unsigned int slot = op->value % SHARE_PROCESSES;

	if (slot == share->me || !share->world->process[slot].alive ||
	    share_alive(share->world) < 3)
		return true;
	if (op->flags) {
		share_set_noise(share, slot, true);
		usleep(op->flags * 700 + share->world->at % 5000);
	}
	return share_kill(share, slot);
}

static bool do_noise(struct share *share, const struct op *op)
{
	unsigned int slot = op->value % SHARE_PROCESSES;

	if (slot == share->me || !share->world->process[slot].alive)
		return true;
	return share_set_noise(share, slot, op->flags);
}

/* EXIT is done by who calls this. */
static bool (*const functions[SHARE_KINDS])(struct share *share,
					    const struct op *op) = {
	[SHARE_CREATE] = do_create,
	[SHARE_CLOSE] = do_close,
	[SHARE_DUPLICATE] = do_duplicate,
	[SHARE_PASS] = do_pass,
	[SHARE_MAP] = do_map,
	[SHARE_LOAD] = do_load,
	[SHARE_UNMAP] = do_unmap,
	[SHARE_MUNMAP] = do_munmap,
	[SHARE_PROTECT] = do_change,
	[SHARE_COMMIT] = do_change,
	[SHARE_DECOMMIT] = do_give_up,
	[SHARE_RELEASE] = do_give_up,
	[SHARE_QUERY] = do_query,
	[SHARE_QUERY_SECTION] = do_query_section,
	[SHARE_QUERY_FILE] = do_query_file,
	[SHARE_EXTEND] = do_extend,
	[SHARE_FLUSH] = do_flush,
	[SHARE_INFO] = do_info,
	[SHARE_READ] = do_access,
	[SHARE_WRITE] = do_access,
	[SHARE_READ_CALL] = do_access,
	[SHARE_WRITE_CALL] = do_access,
	[SHARE_REMOTE_READ] = do_access,
	[SHARE_REMOTE_WRITE] = do_access,
	[SHARE_ADVISE] = do_advise,
	[SHARE_DROP] = do_drop,
	[SHARE_PREAD] = do_pread,
	[SHARE_PWRITE] = do_pwrite,
	[SHARE_TRUNCATE] = do_truncate,
	[SHARE_PUNCH] = do_punch,
	[SHARE_SYNC] = do_sync,
	[SHARE_PLAIN_MAP] = do_plain_map,
	[SHARE_PLAIN_UNMAP] = do_plain_unmap,
	[SHARE_PLAIN_READ] = do_plain_access,
	[SHARE_PLAIN_WRITE] = do_plain_access,
	[SHARE_FORK] = do_fork,
	[SHARE_KILL] = do_kill,
	[SHARE_NOISE] = do_noise,
	[SHARE_VERIFY] = do_verify,
};

bool share_execute(struct share *share, const struct op *op)
{
	return !functions[op->kind] || functions[op->kind](share, op);
}
