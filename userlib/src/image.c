// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images: sections of programs and libraries for Windows, and where they are mapped
 *
 * The headers are read here, and the module is told what is to be where. What it makes
 * of that is memory with a name that says which file it is of, and as it was when:
 * device, inode, size and times. So all processes of a user have one section of a file,
 * with its code and what it shares, as long as one of them has a descriptor. Here that
 * is as long as the image is mapped. Other users have their own: nobody's image is
 * another's to make.
 *
 * An image is mapped by several views side by side, as what can be executed must not
 * lie in a view with what cannot. They take the place of a placeholder, so that nobody
 * comes between. The module knows them as one region.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <winregion/winregion.h>

#include "image.h"

/* Headers have to be in front of that. */
#define MAX_HEADERS 0x10000

/*
 * Times of files are no finer, so what was changed since may look like before: ticks and
 * the finer file systems have 10 ms at most. Others have whole seconds, or two. A time
 * that is a multiple of a tick says nothing: where a machine's clock begins with a tick,
 * all of them are.
 */
#define SETTLED_NS 20000000L
#define COARSE_SETTLED_NS 2100000000L

/* ---- the file ---- */

static ssize_t read_headers(int fd, void *headers)
{
	ssize_t n, all = 0;

	do {
		n = pread(fd, (char *)headers + all, MAX_HEADERS - all, all);
		if (n > 0)
			all += n;
	} while (n > 0 || (n < 0 && errno == EINTR));

	return n < 0 ? n : all;
}

static NTSTATUS plan_by(int fd, void *headers, bool executes,
			struct wr_image_plan *plan)
{
	ssize_t n = read_headers(fd, headers);
	NTSTATUS status;
	struct wr_pe pe;
	struct stat st;

	if (n < 0 || fstat(fd, &st))
		return STATUS_INVALID_FILE_FOR_SECTION;
	if (!n)
		return STATUS_MAPPED_FILE_SIZE_ZERO;
	status = wr_pe_read(headers, n, false, &pe);
	if (status != STATUS_SUCCESS)
		return status;
	/* From here on only numbers are looked at. */
	pe.size = st.st_size;
	status = wr_pe_check(&pe);
	if (status == STATUS_SUCCESS)
		wr_image_plan(&pe, executes, plan);

	return status;
}

NTSTATUS wr_image_of_file(int fd, bool executes, struct wr_image_plan *plan)
{
	void *headers = malloc(MAX_HEADERS);
	NTSTATUS status = STATUS_NO_MEMORY;

	if (headers)
		status = plan_by(fd, headers, executes, plan);
	free(headers);

	return status;
}

/* ---- the section ---- */

static int64_t age_of(const struct timespec *time)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);

	return (now.tv_sec - time->tv_sec) * 1000000000L + now.tv_nsec -
	       time->tv_nsec;
}

static bool is_old(const struct timespec *time)
{
	return age_of(time) >= (time->tv_nsec ? SETTLED_NS : COARSE_SETTLED_NS);
}

/* What was changed a moment ago can be changed once more without its times telling. */
static bool is_settled(int fd, struct stat *st)
{
	const struct timespec moment = { .tv_nsec = SETTLED_NS };
	int tries = 3;

	while (tries--) {
		if (fstat(fd, st))
			return false;
		if (is_old(&st->st_mtim) && is_old(&st->st_ctim))
			return true;
		nanosleep(&moment, NULL);
	}

	return false;
}

static uint64_t add_to_hash(uint64_t hash, uint32_t value)
{
	return (hash ^ value) * 0x100000001b3ULL;
}

static uint64_t hash_plan(const struct wr_image_plan *plan)
{
	const struct wr_image_piece *piece = plan->pieces;
	uint64_t hash = 0xcbf29ce484222325ULL;
	unsigned int i;

	for (i = 0; i < plan->nr; i++, piece++) {
		hash = add_to_hash(hash, piece->end);
		hash = add_to_hash(hash, piece->offset);
		hash = add_to_hash(hash, piece->bytes);
		hash = add_to_hash(hash, piece->protect);
		hash = add_to_hash(hash, piece->executes + 2 * piece->shared);
	}

	return hash;
}

/* No section that a program names has a backslash in front. Return: bytes, or 0 */
static int make_name(int fd, const struct wr_image_plan *plan, char *name,
		     size_t room)
{
	struct stat st;

	/* What can be done to this process must not come from who has started it. */
	if (getauxval(AT_SECURE) || !is_settled(fd, &st))
		return 0;

	return snprintf(name, room, "\\image\\%lx:%lx:%lx:%lx.%lx:%lx.%lx:%lx",
			(unsigned long)st.st_dev, (unsigned long)st.st_ino,
			(unsigned long)st.st_size,
			(unsigned long)st.st_mtim.tv_sec,
			(unsigned long)st.st_mtim.tv_nsec,
			(unsigned long)st.st_ctim.tv_sec,
			(unsigned long)st.st_ctim.tv_nsec,
			(unsigned long)hash_plan(plan));
}

static void tell_pieces(const struct wr_image_plan *plan,
			struct winregion_piece *pieces)
{
	const struct wr_image_piece *piece = plan->pieces;
	unsigned int i;

	for (i = 0; i < plan->nr; i++, piece++) {
		pieces[i] = (struct winregion_piece){
			.address = piece->begin,
			.length = piece->end - piece->begin,
			.offset = piece->offset,
			.bytes = piece->bytes,
		};
		if (piece->shared)
			pieces[i].protection = piece->executes ?
						       PAGE_EXECUTE_READWRITE :
						       PAGE_READWRITE;
		else
			pieces[i].protection = piece->executes ?
						       PAGE_EXECUTE_READ :
						       PAGE_READONLY;
	}
}

int wr_image_create(int fd, const struct wr_image_plan *plan, bool executes,
		    struct winregion_create_section *arg)
{
	struct winregion_piece pieces[WR_MAX_PIECES];
	char name[256];
	int err;

	tell_pieces(plan, pieces);
	arg->flags = WINREGION_SECTION_IMAGE;
	arg->file = fd;
	arg->protection = executes ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;
	arg->length = plan->size;
	arg->pieces = (uintptr_t)pieces;
	arg->nr_pieces = plan->nr;
	if (!arg->name) {
		arg->name_length = make_name(fd, plan, name, sizeof(name));
		arg->name = arg->name_length ? (uintptr_t)name : 0;
	}

	err = wr_device_ioctl(WINREGION_CREATE_SECTION, arg);
	if (err != -ENOTUNIQ || arg->name != (uintptr_t)name)
		return err;
	/* Somebody has the name who has not made of the file what we would. */
	arg->name = 0;
	arg->name_length = 0;

	return wr_device_ioctl(WINREGION_CREATE_SECTION, arg);
}

/* ---- views ---- */

/* At @arg.address, or anywhere */
static NTSTATUS map(int fd, struct winregion_map_view *arg)
{
	arg->size = sizeof(*arg);
	arg->flags |= WINREGION_VIEW_IMAGE;

	return wr_status(WR_MAP, wr_section_ioctl(fd, WINREGION_MAP_VIEW, arg));
}

NTSTATUS wr_image_bytes(int fd, const void **bytes, size_t *size)
{
	struct winregion_map_view arg = { .protection = PAGE_READONLY };
	NTSTATUS status = map(fd, &arg);

	*bytes = (const void *)(uintptr_t)arg.address;
	*size = arg.length;

	return status;
}

static void unmap(const void *address)
{
	struct winregion_unmap_view arg = {
		.size = sizeof(arg),
		.address = (uintptr_t)address,
	};

	wr_device_ioctl(WINREGION_UNMAP_VIEW, &arg);
}

void wr_image_bytes_end(const void *bytes)
{
	unmap(bytes);
}

/* An image that is being mapped */
struct mapping {
	int fd;
	const struct wr_image_plan *plan;
	struct wr_pe pe;
	char *base;
	/* So much of it is views, from the beginning on. */
	uint32_t mapped;
	bool has_views;
	uint64_t delta;
	/* For each page whether it has something to be relocated */
	uint8_t *marks;
};

/* ---- the place ---- */

static NTSTATUS reserve(struct mapping *mapping, uint64_t address)
{
	struct winregion_reserve arg = {
		.flags = WINREGION_RESERVE_PLACEHOLDER,
		.protection = PAGE_NOACCESS,
		.address = address,
		.length = mapping->plan->size,
	};
	int err;

	/* Addresses in a narrow one have no more bits. */
	if (!address && !mapping->pe.wide)
		arg.highest = UINT32_MAX;
	err = winregion_reserve(&arg);
	mapping->base = (char *)(uintptr_t)arg.address;

	return wr_status(WR_ALLOCATE, err);
}

/* Its own address is a wish; the caller's is not. */
static NTSTATUS find_place(struct mapping *mapping, PVOID wanted)
{
	NTSTATUS status;

	if (wanted)
		status = reserve(mapping, (uintptr_t)wanted);
	else if (mapping->pe.base)
		status = reserve(mapping, mapping->pe.base);
	else
		status = STATUS_CONFLICTING_ADDRESSES;
	if (status != STATUS_SUCCESS && !wanted &&
	    !(mapping->pe.flags & WR_PE_NO_RELOCATIONS))
		status = reserve(mapping, 0);
	if (status != STATUS_SUCCESS)
		return status;
	mapping->delta = (uintptr_t)mapping->base - mapping->pe.base;

	return STATUS_SUCCESS;
}

static void release(struct mapping *mapping, uint32_t begin)
{
	struct winregion_release arg = {
		.address = (uintptr_t)mapping->base + begin,
	};

	if (begin < mapping->plan->size)
		winregion_release(&arg);
}

/* ---- its parts ---- */

/* The first piece that is not like @piece, or the end */
static unsigned int part_end(const struct wr_image_plan *plan, unsigned int i)
{
	const struct wr_image_piece *piece = &plan->pieces[i];

	while (++i < plan->nr && plan->pieces[i].executes == piece->executes &&
	       plan->pieces[i].shared == piece->shared)
		;

	return i;
}

/* Makes the placeholder end with the part. */
static NTSTATUS split(struct mapping *mapping, uint32_t begin, uint32_t end)
{
	struct winregion_release arg = {
		.flags = WINREGION_RELEASE_PRESERVE,
		.address = (uintptr_t)mapping->base + begin,
		.length = end - begin,
	};

	if (end == mapping->plan->size)
		return STATUS_SUCCESS;

	return wr_status(WR_FREE, winregion_release(&arg));
}

/* As its pieces can be, at most, but for what is copied when it is written */
static NTSTATUS map_part(struct mapping *mapping,
			 const struct wr_image_piece *piece, uint32_t end)
{
	struct winregion_map_view arg = {
		.flags = WINREGION_VIEW_REPLACE,
		.address = (uintptr_t)mapping->base + piece->begin,
		.offset = piece->begin,
		.length = end - piece->begin,
		.image = (uintptr_t)mapping->base,
	};

	if (piece->shared)
		arg.protection = piece->executes ? PAGE_EXECUTE_READWRITE :
						   PAGE_READWRITE;
	else
		arg.protection = piece->executes ? PAGE_EXECUTE_READ :
						   PAGE_READONLY;

	return map(mapping->fd, &arg);
}

static NTSTATUS map_parts(struct mapping *mapping)
{
	const struct wr_image_plan *plan = mapping->plan;
	NTSTATUS status = STATUS_SUCCESS;
	unsigned int i, next;
	uint32_t end;

	for (i = 0; i < plan->nr; i = next) {
		next = part_end(plan, i);
		end = plan->pieces[next - 1].end;
		status = split(mapping, plan->pieces[i].begin, end);
		if (status != STATUS_SUCCESS)
			break;
		status = map_part(mapping, &plan->pieces[i], end);
		if (status != STATUS_SUCCESS) {
			/* The placeholder of just this part */
			release(mapping, plan->pieces[i].begin);
			mapping->mapped = end;
			return status;
		}
		mapping->mapped = end;
		mapping->has_views = true;
	}

	return status;
}

/* What is left of a mapping that has failed */
static void give_up(struct mapping *mapping)
{
	/* Where there is none of it somebody else may have come. */
	if (mapping->has_views)
		unmap(mapping->base);
	release(mapping, mapping->mapped);
}

/* ---- protections ---- */

static NTSTATUS protect(struct winregion_range *ranges, unsigned int nr)
{
	struct winregion_change arg = {
		.nr_ranges = nr,
		.ranges = (uintptr_t)ranges,
	};

	return wr_status(WR_PROTECT, winregion_protect(&arg));
}

static NTSTATUS protect_pieces(struct mapping *mapping)
{
	const struct wr_image_piece *piece = mapping->plan->pieces;
	struct winregion_range ranges[WR_MAX_PIECES];
	unsigned int i;

	for (i = 0; i < mapping->plan->nr; i++, piece++)
		ranges[i] = (struct winregion_range){
			.address = (uintptr_t)mapping->base + piece->begin,
			.length = piece->end - piece->begin,
			.protection = piece->protect,
		};

	return protect(ranges, i);
}

/* Lets pages of a piece from @begin to @end be written, by copies. */
static NTSTATUS open_pages(struct mapping *mapping,
			   const struct wr_image_piece *piece, uint32_t begin,
			   uint32_t end)
{
	struct winregion_range range = {
		.address = (uintptr_t)mapping->base + begin,
		.length = end - begin,
		.protection = piece->executes ? PAGE_EXECUTE_WRITECOPY :
						PAGE_WRITECOPY,
	};

	return protect(&range, 1);
}

/* ---- relocations ---- */

static bool mark(void *arg, uint32_t address, unsigned int type)
{
	struct mapping *mapping = arg;
	uint32_t last = address + wr_pe_relocation_size(type) - 1;

	mapping->marks[address / WR_PE_PAGE] = 1;
	mapping->marks[last / WR_PE_PAGE] = 1;

	return true;
}

/* What is shared is never changed: others have it at other addresses. */
static NTSTATUS open_piece(struct mapping *mapping,
			   const struct wr_image_piece *piece)
{
	uint32_t page = piece->begin / WR_PE_PAGE;
	uint32_t end = piece->end / WR_PE_PAGE, first;
	NTSTATUS status = STATUS_SUCCESS;

	if (piece->shared) {
		memset(mapping->marks + page, 0, end - page);
		return status;
	}
	while (page < end && status == STATUS_SUCCESS) {
		first = page;
		while (page < end && mapping->marks[page])
			page++;
		if (first < page)
			status = open_pages(mapping, piece, first * WR_PE_PAGE,
					    page * WR_PE_PAGE);
		else
			page++;
	}

	return status;
}

static NTSTATUS open_marked(struct mapping *mapping)
{
	NTSTATUS status = STATUS_SUCCESS;
	unsigned int i;

	for (i = 0; i < mapping->plan->nr && status == STATUS_SUCCESS; i++)
		status = open_piece(mapping, &mapping->plan->pieces[i]);

	return status;
}

static bool relocate(void *arg, uint32_t address, unsigned int type)
{
	struct mapping *mapping = arg;
	unsigned int size = wr_pe_relocation_size(type);
	uint64_t value = 0, delta = mapping->delta;
	char *at = mapping->base + address;

	if (!mapping->marks[address / WR_PE_PAGE] ||
	    !mapping->marks[(address + size - 1) / WR_PE_PAGE])
		return true;
	if (type == WR_PE_REL_HIGH)
		delta >>= 16;
	memcpy(&value, at, size);
	value += delta;
	memcpy(at, &value, size);

	return true;
}

static NTSTATUS relocate_all(struct mapping *mapping)
{
	NTSTATUS status = STATUS_SUCCESS;

	if (!mapping->delta)
		return status;
	mapping->marks = calloc(mapping->plan->size / WR_PE_PAGE, 1);
	if (!mapping->marks)
		return STATUS_NO_MEMORY;
	if (!wr_pe_each_relocation(&mapping->pe, mark, mapping))
		status = STATUS_INVALID_IMAGE_FORMAT;
	if (status == STATUS_SUCCESS)
		status = open_marked(mapping);
	/* From memory that nobody changes: it is as it was. */
	if (status == STATUS_SUCCESS)
		wr_pe_each_relocation(&mapping->pe, relocate, mapping);
	free(mapping->marks);

	return status;
}

/* ---- images that are mapped ---- */

/* What an entry of the list is that has no number of an image */
#define FREE 0
#define CHANGES 1

/*
 * Each has a descriptor of its section, which keeps the name. The list has no lock, as a
 * signal handler may unmap whatever its thread does: entries stay, and are used again.
 * Who changes the number to CHANGES has the rest of the entry to himself. Numbers do not
 * come again, and tell which image came first.
 */
struct image {
	struct image *next;
	/* For one instruction to change it, in 32 bits, too */
	alignas(8) _Atomic uint64_t number;
	const void *_Atomic base;
	int fd;
	struct wr_identity identity;
};

static struct image *_Atomic images;
static _Atomic uint64_t last_number = CHANGES;

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "signal handlers use it");

static bool take_entry(struct image *image, uint64_t number)
{
	return atomic_compare_exchange_strong(&image->number, &number, CHANGES);
}

static struct image *find_free(void)
{
	struct image *image;

	for (image = images; image; image = image->next)
		if (image->number == FREE && take_entry(image, FREE))
			return image;

	return NULL;
}

static struct image *add_entry(void)
{
	struct image *image = malloc(sizeof(*image));

	if (!image)
		return NULL;
	image->number = CHANGES;
	image->next = images;
	while (!atomic_compare_exchange_weak(&images, &image->next, image))
		;

	return image;
}

static struct image *new_image(int fd)
{
	struct image *image = find_free();

	if (!image)
		image = add_entry();
	if (!image)
		return NULL;
	image->fd = wr_identify(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1),
				&image->identity);
	if (image->fd >= 0)
		return image;
	image->number = FREE;

	return NULL;
}

static void free_image(struct image *image)
{
	const struct wr_identity identity = image->identity;
	int fd = image->fd;

	image->number = FREE;
	wr_identity_close(&identity, fd);
}

static void add_image(struct image *image, const void *base)
{
	image->base = base;
	image->number = atomic_fetch_add(&last_number, 1) + 1;
}

/* The first one that came to @base, and its number */
static struct image *find_first(const void *base, uint64_t *number)
{
	struct image *image, *found = NULL;
	uint64_t now;

	*number = UINT64_MAX;
	for (image = images; image; image = image->next) {
		now = image->number;
		if (now > CHANGES && now < *number && image->base == base) {
			found = image;
			*number = now;
		}
	}

	return found;
}

/* Another one may have come to its place by now: of those it is the one that came first. */
void wr_image_unmapped(const void *base)
{
	struct image *image;
	uint64_t number;

	WR_KEEP_ERRNO();

	do {
		image = find_first(base, &number);
		if (!image)
			return;
	} while (!take_entry(image, number));
	free_image(image);
}

/* ---- mapping ---- */

static NTSTATUS fill_place(struct mapping *mapping)
{
	NTSTATUS status = map_parts(mapping);

	if (status == STATUS_SUCCESS)
		status = relocate_all(mapping);
	if (status == STATUS_SUCCESS)
		status = protect_pieces(mapping);
	if (status != STATUS_SUCCESS)
		give_up(mapping);

	return status;
}

static NTSTATUS map_planned(struct mapping *mapping, PVOID *base, SIZE_T *size)
{
	struct image *image = new_image(mapping->fd);
	NTSTATUS status;

	if (!image)
		return STATUS_NO_MEMORY;
	status = find_place(mapping, *base);
	if (status == STATUS_SUCCESS)
		status = fill_place(mapping);
	if (status != STATUS_SUCCESS) {
		free_image(image);
		return status;
	}
	*base = mapping->base;
	*size = mapping->plan->size;
	add_image(image, mapping->base);

	return mapping->delta ? STATUS_IMAGE_NOT_AT_BASE : STATUS_SUCCESS;
}

/* Whether code of the section can be executed */
static bool executes(int fd)
{
	struct winregion_query_section arg = { .size = sizeof(arg) };

	/* Without the right to ask: as its pieces say, or they are refused. */
	if (wr_section_ioctl(fd, WINREGION_QUERY_SECTION, &arg))
		return true;

	return arg.out_protection == PAGE_EXECUTE_READWRITE;
}

NTSTATUS wr_image_map(int fd, PVOID *base, SIZE_T *size)
{
	struct mapping mapping = { .fd = fd };
	struct wr_image_plan plan;
	const void *bytes;
	NTSTATUS status;
	size_t length;

	status = wr_image_bytes(fd, &bytes, &length);
	if (status != STATUS_SUCCESS)
		return status;
	status = wr_pe_read(bytes, length, true, &mapping.pe);
	if (status == STATUS_SUCCESS)
		status = wr_pe_check(&mapping.pe);
	if (status == STATUS_SUCCESS) {
		wr_image_plan(&mapping.pe, executes(fd), &plan);
		mapping.plan = &plan;
		/* One that is not made here may be anything. */
		status = plan.size == length ?
				 map_planned(&mapping, base, size) :
				 STATUS_INVALID_IMAGE_FORMAT;
	}
	wr_image_bytes_end(bytes);

	return status;
}
