// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The headers of files of programs and libraries for Windows, their functions and
 * relocations. See pe.h.
 */
#include <string.h>

#include "pe.h"

#define MZ 0x5A4D
#define SIGNATURE 0x00004550U
#define MAGIC_32 0x10B
#define MAGIC_64 0x20B

/* Sizes in the file, and where things are in its headers */
#define DOS_SIZE 64
#define AT_NEW_HEADER 60
#define FILE_HEADER_SIZE 20
#define OPTIONAL_FIXED_32 96
#define OPTIONAL_FIXED_64 112
#define DIRECTORY_SIZE 8
#define SECTION_SIZE 40
#define EXPORTS_SIZE 40

/* A file begins at a multiple of that on a disk, whatever its headers say. */
#define SECTOR 512U

#define MAX_IMAGE 0x80000000U
#define BASE_UNIT 0x10000U

static uint16_t get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));

	return value;
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));

	return value;
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));

	return value;
}

static bool is_power(uint32_t value)
{
	return value && !(value & (value - 1));
}

static uint64_t round_up(uint64_t value, uint32_t unit)
{
	return (value + unit - 1) & ~(uint64_t)(unit - 1);
}

/* ---- headers ---- */

static void read_section(const uint8_t *at, struct wr_pe_section *section)
{
	*section = (struct wr_pe_section){
		.size = get32(at + 8),
		.address = get32(at + 12),
		.bytes = get32(at + 16),
		.offset = get32(at + 20),
		.flags = get32(at + 36),
	};
}

static void read_optional(struct wr_pe *pe, const uint8_t *at)
{
	pe->entry = get32(at + 16);
	pe->base = pe->wide ? get64(at + 24) : get32(at + 28);
	pe->section_unit = get32(at + 32);
	pe->file_unit = get32(at + 36);
	pe->subsystem_version[0] = get16(at + 48);
	pe->subsystem_version[1] = get16(at + 50);
	pe->image_size = get32(at + 56);
	pe->headers_size = get32(at + 60);
	pe->subsystem = get16(at + 68);
}

/* As many directories as it says it has, and has. */
static void read_directories(struct wr_pe *pe, const uint8_t *at, uint32_t nr,
			     size_t room)
{
	unsigned int i;

	if (nr > WR_PE_MAX_DIRECTORIES)
		nr = WR_PE_MAX_DIRECTORIES;
	if (nr > room / DIRECTORY_SIZE)
		nr = room / DIRECTORY_SIZE;
	for (i = 0; i < nr; i++) {
		pe->directories[i].address = get32(at + i * DIRECTORY_SIZE);
		pe->directories[i].size = get32(at + i * DIRECTORY_SIZE + 4);
	}
	pe->nr_directories = nr;
}

/* The optional header, which is @size bytes that are there */
static NTSTATUS read_kind(struct wr_pe *pe, const uint8_t *at, size_t size)
{
	uint16_t magic = size < sizeof(magic) ? 0 : get16(at);
	size_t fixed = magic == MAGIC_64 ? OPTIONAL_FIXED_64 :
					   OPTIONAL_FIXED_32;

	if ((magic != MAGIC_32 && magic != MAGIC_64) || size < fixed)
		return STATUS_INVALID_IMAGE_FORMAT;
	pe->wide = magic == MAGIC_64;
	read_optional(pe, at);
	read_directories(pe, at + fixed, get32(at + fixed - 4), size - fixed);

	return STATUS_SUCCESS;
}

/* What follows the signature at @at */
static NTSTATUS read_headers(struct wr_pe *pe, size_t at)
{
	const uint8_t *header = pe->bytes + at;
	unsigned int nr = get16(header + 2), i;
	size_t optional = get16(header + 16);
	NTSTATUS status;

	at += FILE_HEADER_SIZE;
	if (optional > pe->size - at || nr > WR_PE_MAX_SECTIONS ||
	    nr * SECTION_SIZE > pe->size - at - optional)
		return STATUS_INVALID_IMAGE_FORMAT;
	pe->machine = get16(header);
	pe->flags = get16(header + 18);
	status = read_kind(pe, pe->bytes + at, optional);
	if (status != STATUS_SUCCESS)
		return status;
	at += optional;
	for (i = 0; i < nr; i++)
		read_section(pe->bytes + at + i * SECTION_SIZE,
			     &pe->sections[i]);
	pe->nr_sections = nr;
	pe->headers_end = at + nr * SECTION_SIZE;

	return STATUS_SUCCESS;
}

NTSTATUS wr_pe_read(const void *bytes, size_t size, bool laid_out,
		    struct wr_pe *pe)
{
	const size_t least = sizeof(uint32_t) + FILE_HEADER_SIZE;
	uint32_t at;

	*pe = (struct wr_pe){
		.bytes = bytes,
		.size = size,
		.laid_out = laid_out,
	};
	if (size < DOS_SIZE || get16(pe->bytes) != MZ)
		return STATUS_INVALID_IMAGE_NOT_MZ;
	at = get32(pe->bytes + AT_NEW_HEADER);
	if (size < least || at > size - least)
		return STATUS_INVALID_IMAGE_FORMAT;
	if (get32(pe->bytes + at) != SIGNATURE)
		return STATUS_INVALID_IMAGE_FORMAT;

	return read_headers(pe, at + sizeof(uint32_t));
}

/* ---- images ---- */

uint32_t wr_pe_filled(const struct wr_pe *pe,
		      const struct wr_pe_section *section)
{
	uint64_t room = wr_pe_end(pe, section) - section->address;

	if (!section->offset)
		return 0;

	return section->bytes < room ? section->bytes : room;
}

uint32_t wr_pe_end(const struct wr_pe *pe, const struct wr_pe_section *section)
{
	uint32_t size = section->size ? section->size : section->bytes;

	return round_up((uint64_t)section->address + size, pe->section_unit);
}

static bool machine_fits(const struct wr_pe *pe)
{
	return pe->machine == (pe->wide ? WR_PE_WIDE : WR_PE_I386);
}

static bool units_fit(const struct wr_pe *pe)
{
	if (!is_power(pe->section_unit) || !is_power(pe->file_unit))
		return false;
	if (wr_pe_is_flat(pe))
		return pe->section_unit == pe->file_unit;

	return pe->file_unit <= pe->section_unit &&
	       !(pe->file_unit & (SECTOR - 1));
}

static bool image_fits(const struct wr_pe *pe)
{
	return pe->image_size && pe->image_size < MAX_IMAGE &&
	       pe->headers_size && pe->headers_size <= pe->image_size &&
	       !(pe->base & (BASE_UNIT - 1)) && pe->entry < pe->image_size;
}

/* It has its place in the image, and what it has in the file is there. */
static bool section_fits(const struct wr_pe *pe,
			 const struct wr_pe_section *section, uint64_t address)
{
	uint32_t size = section->size ? section->size : section->bytes;
	uint64_t end =
		round_up((uint64_t)section->address + size, pe->section_unit);

	if (!size || section->address != address ||
	    end > round_up(pe->image_size, pe->section_unit))
		return false;
	if (wr_pe_is_flat(pe) && section->bytes &&
	    section->offset != section->address)
		return false;
	if (pe->laid_out || !section->bytes || !section->offset)
		return true;

	return (uint64_t)section->offset + section->bytes <= pe->size;
}

/* Each begins where the one before has ended; the first behind the headers. */
static bool sections_fit(const struct wr_pe *pe)
{
	uint64_t address = round_up(pe->headers_size, pe->section_unit);
	unsigned int i;

	for (i = 0; i < pe->nr_sections; i++) {
		if (!section_fits(pe, &pe->sections[i], address))
			return false;
		address = wr_pe_end(pe, &pe->sections[i]);
	}

	return address <= round_up(pe->image_size, pe->section_unit);
}

NTSTATUS wr_pe_check(const struct wr_pe *pe)
{
	if (pe->headers_end > pe->headers_size)
		return STATUS_INVALID_IMAGE_FORMAT;
	if (!(pe->flags & WR_PE_IS_EXECUTABLE) || !machine_fits(pe) ||
	    !units_fit(pe) || !image_fits(pe) || pe->headers_size > pe->size)
		return STATUS_INVALID_IMAGE_FORMAT;
	if (wr_pe_is_flat(pe) && pe->image_size > round_up(pe->size, SECTOR))
		return STATUS_INVALID_IMAGE_FORMAT;

	return sections_fit(pe) ? STATUS_SUCCESS : STATUS_INVALID_IMAGE_FORMAT;
}

/* ---- addresses ---- */

/* The part of the file that a section has, as far as it is there */
static const uint8_t *at_section(const struct wr_pe *pe,
				 const struct wr_pe_section *section,
				 uint64_t address, uint64_t size)
{
	uint64_t offset = section->offset & ~(SECTOR - 1);
	uint64_t within = address - section->address;

	if (within > section->bytes || size > section->bytes - within)
		return NULL;
	offset += within;
	if (offset > pe->size || size > pe->size - offset)
		return NULL;

	return pe->bytes + offset;
}

static const uint8_t *at_headers(const struct wr_pe *pe, uint64_t address,
				 uint64_t size)
{
	uint64_t end = pe->size;

	if (!pe->laid_out && pe->headers_size < end)
		end = pe->headers_size;
	if (address > end || size > end - address)
		return NULL;

	return pe->bytes + address;
}

const uint8_t *wr_pe_at(const struct wr_pe *pe, uint64_t address, uint64_t size)
{
	const uint8_t *at = at_headers(pe, address, size);
	unsigned int i;

	if (pe->laid_out)
		return at;
	for (i = 0; !at && i < pe->nr_sections; i++)
		if (address >= pe->sections[i].address)
			at = at_section(pe, &pe->sections[i], address, size);

	return at;
}

struct wr_pe_directory wr_pe_directory(const struct wr_pe *pe,
				       unsigned int which)
{
	if (which >= pe->nr_directories || !pe->directories[which].address)
		return (struct wr_pe_directory){};

	return pe->directories[which];
}

/* ---- functions ---- */

/* What the directory of functions says */
struct exports {
	struct wr_pe_directory directory;
	uint32_t first;
	uint32_t nr;
	uint32_t nr_names;
	const uint8_t *addresses;
	const uint8_t *names;
	const uint8_t *numbers;
};

static bool read_exports(const struct wr_pe *pe, struct exports *exports)
{
	struct wr_pe_directory directory = wr_pe_directory(pe, WR_PE_EXPORTS);
	const uint8_t *at =
		directory.size ? wr_pe_at(pe, directory.address, EXPORTS_SIZE) :
				 NULL;

	if (!at)
		return false;
	exports->directory = directory;
	exports->first = get32(at + 16);
	exports->nr = get32(at + 20);
	exports->nr_names = get32(at + 24);
	exports->addresses =
		wr_pe_at(pe, get32(at + 28), (uint64_t)exports->nr * 4);
	exports->names =
		wr_pe_at(pe, get32(at + 32), (uint64_t)exports->nr_names * 4);
	exports->numbers =
		wr_pe_at(pe, get32(at + 36), (uint64_t)exports->nr_names * 2);

	return exports->addresses;
}

/* Below 0, 0 or above; a name that ends nowhere is above all others. */
static int compare_name(const struct wr_pe *pe, uint32_t address,
			const char *name)
{
	const uint8_t *at = wr_pe_at(pe, address, strlen(name) + 1);
	size_t i;

	if (at)
		return memcmp(name, at, strlen(name) + 1);
	/* It may be shorter, and the last of all. */
	for (i = 0; (at = wr_pe_at(pe, (uint64_t)address + i, 1)); i++)
		if ((uint8_t)name[i] != *at || !name[i])
			return (uint8_t)name[i] < *at ? -1 : 1;

	return -1;
}

/* Names are sorted; in a table where they are not, some are not found. */
static bool find_name(const struct wr_pe *pe, const struct exports *exports,
		      const char *name, uint32_t *index)
{
	uint32_t low = 0, high = exports->nr_names, middle;
	int order;

	if (!exports->names || !exports->numbers)
		return false;
	while (low < high) {
		middle = low + (high - low) / 2;
		order = compare_name(pe, get32(exports->names + middle * 4UL),
				     name);
		if (!order) {
			*index = get16(exports->numbers + middle * 2UL);
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}

	return false;
}

/* An address in the directory is a name. */
static bool find_forward(const struct wr_pe *pe,
			 const struct wr_pe_directory *directory,
			 struct wr_pe_export *found)
{
	uint32_t within = found->address - directory->address, end;
	const uint8_t *at;

	if (found->address < directory->address || within >= directory->size)
		return true;
	end = directory->size - within;
	at = wr_pe_at(pe, found->address, end);
	if (!at || !memchr(at, 0, end))
		return false;
	found->forward = (const char *)at;
	found->forward_size = strnlen(found->forward, end);

	return true;
}

bool wr_pe_find_export(const struct wr_pe *pe, const char *name,
		       uint32_t ordinal, struct wr_pe_export *found)
{
	struct exports exports;
	uint32_t index;

	*found = (struct wr_pe_export){};
	if (!read_exports(pe, &exports))
		return false;
	index = ordinal - exports.first;
	if (name && !find_name(pe, &exports, name, &index))
		return false;
	if (index >= exports.nr)
		return false;
	found->address = get32(exports.addresses + index * 4UL);

	return found->address && found->address < pe->image_size &&
	       find_forward(pe, &exports.directory, found);
}

/* ---- relocations ---- */

unsigned int wr_pe_relocation_size(unsigned int type)
{
	switch (type) {
	case WR_PE_REL_HIGH:
	case WR_PE_REL_LOW:
		return 2;
	case WR_PE_REL_HIGHLOW:
		return 4;
	case WR_PE_REL_DIR64:
		return 8;
	default:
		return 0;
	}
}

/* The places of one page: @size bytes behind the block's head */
static bool relocate_block(const struct wr_pe *pe, const uint8_t *at,
			   uint32_t size, uint32_t page,
			   wr_pe_relocate *relocate, void *arg)
{
	unsigned int type, bytes;
	uint64_t address;
	uint16_t entry;
	uint32_t i;

	for (i = 0; i + 2 <= size; i += 2) {
		entry = get16(at + i);
		type = entry >> 12;
		if (!type) /* to fill the block up */
			continue;
		bytes = wr_pe_relocation_size(type);
		address = (uint64_t)page + (entry & 0xFFF);
		if (!bytes || address + bytes > pe->image_size)
			return false;
		if (!relocate(arg, address, type))
			return false;
	}

	return true;
}

bool wr_pe_each_relocation(const struct wr_pe *pe, wr_pe_relocate *relocate,
			   void *arg)
{
	struct wr_pe_directory table = wr_pe_directory(pe, WR_PE_RELOCATIONS);
	const uint8_t *at = wr_pe_at(pe, table.address, table.size);
	uint32_t left = table.size, size, page;

	if (!left)
		return true;
	if (!at)
		return false;
	for (; left >= 8; left -= size, at += size) {
		page = get32(at);
		size = get32(at + 4);
		if (size < 8 || size > left)
			return !size && !page; /* what is left has nothing */
		if (!relocate_block(pe, at + 8, size - 8, page, relocate, arg))
			return false;
	}

	return true;
}
