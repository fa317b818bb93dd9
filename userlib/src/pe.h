/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of programs and libraries for Windows (PE), as bytes that anybody may have
 * written, and may be writing
 *
 * Nothing here calls anything but memcpy() and its kind. All that is read is copied
 * first and checked then, so that it is the same whoever else can change it.
 */
#ifndef _WR_PE_H
#define _WR_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <winregion/nt.h>

#define WR_PE_PAGE 4096U
/* The most that Windows loads */
#define WR_PE_MAX_SECTIONS 96
#define WR_PE_MAX_DIRECTORIES 16

/* Which of the directories */
#define WR_PE_EXPORTS 0
#define WR_PE_RESOURCES 2
#define WR_PE_RELOCATIONS 5

/* Machines, and flags of files and sections, by the numbers of the format */
#define WR_PE_I386 0x14C
#define WR_PE_AMD64 0x8664
#define WR_PE_ARM64 0xAA64
/* What a file of 64 bits is for, if its code can be executed here */
#ifdef __aarch64__
#define WR_PE_WIDE WR_PE_ARM64
#else
#define WR_PE_WIDE WR_PE_AMD64
#endif
#define WR_PE_NO_RELOCATIONS 0x0001
#define WR_PE_IS_EXECUTABLE 0x0002
#define WR_PE_IS_LIBRARY 0x2000
#define WR_PE_SHARED 0x10000000U
#define WR_PE_EXECUTES 0x20000000U
#define WR_PE_READS 0x40000000U
#define WR_PE_WRITES 0x80000000U

/* A section: where it is in the image, and in the file */
struct wr_pe_section {
	/* From the image's base; bytes, 0 if only the file says how many */
	uint32_t address;
	uint32_t size;
	uint32_t offset;
	uint32_t bytes;
	uint32_t flags;
};

struct wr_pe_directory {
	uint32_t address;
	uint32_t size;
};

struct wr_pe {
	/* The file, or what was mapped of it */
	const uint8_t *bytes;
	size_t size;
	/* It is laid out as an image. */
	bool laid_out;
	/* Of 64 bits */
	bool wide;
	uint16_t machine;
	uint16_t flags;
	uint16_t subsystem;
	uint16_t subsystem_version[2];
	uint32_t entry;
	uint64_t base;
	uint32_t section_unit;
	uint32_t file_unit;
	uint32_t image_size;
	uint32_t headers_size;
	/* What has been read ends here. */
	size_t headers_end;
	unsigned int nr_sections;
	struct wr_pe_section sections[WR_PE_MAX_SECTIONS];
	unsigned int nr_directories;
	struct wr_pe_directory directories[WR_PE_MAX_DIRECTORIES];
};

/*
 * Read the headers of the @size bytes at @bytes, which may be any. @laid_out: as an
 * image, and not as the file. STATUS_SUCCESS: all headers are there; whether they fit
 * each other has not been looked at.
 */
NTSTATUS wr_pe_read(const void *bytes, size_t size, bool laid_out,
		    struct wr_pe *pe);

/* Whether an image can be made of a file with these headers */
NTSTATUS wr_pe_check(const struct wr_pe *pe);

/* The bytes of a section that are in the file and in the image, from its beginning on */
uint32_t wr_pe_filled(const struct wr_pe *pe,
		      const struct wr_pe_section *section);

/* Where the next section begins: whole pages, or as the file has it */
uint32_t wr_pe_end(const struct wr_pe *pe, const struct wr_pe_section *section);

/* Whether sections are smaller than pages: the image is the file then. */
static inline bool wr_pe_is_flat(const struct wr_pe *pe)
{
	return pe->section_unit < WR_PE_PAGE;
}

/* @size bytes at @address of the image; NULL if they are not there in one piece */
const uint8_t *wr_pe_at(const struct wr_pe *pe, uint64_t address,
			uint64_t size);

/* The directory with the number @which; of no size if there is none */
struct wr_pe_directory wr_pe_directory(const struct wr_pe *pe,
				       unsigned int which);

/* A function of the image */
struct wr_pe_export {
	/* 0: none */
	uint32_t address;
	/* It is one of another library: the name there, "library.function" */
	const char *forward;
	size_t forward_size;
};

/* The function with this name, or if that is NULL, with this number */
bool wr_pe_find_export(const struct wr_pe *pe, const char *name,
		       uint32_t ordinal, struct wr_pe_export *found);

/* What is done with a place that has to be relocated: false ends it */
typedef bool wr_pe_relocate(void *arg, uint32_t address, unsigned int type);

#define WR_PE_REL_HIGH 1
#define WR_PE_REL_LOW 2
#define WR_PE_REL_HIGHLOW 3
#define WR_PE_REL_DIR64 10

/*
 * Call @relocate for each place to be changed, all of whose bytes are in the image.
 * False: it was ended, or the table is not one.
 */
bool wr_pe_each_relocation(const struct wr_pe *pe, wr_pe_relocate *relocate,
			   void *arg);

/* The bytes that a place of that type has, 0 if there is no such type */
unsigned int wr_pe_relocation_size(unsigned int type);

/* ---- resources: peresource.c ---- */

/* A name in a table of resources: a number, or UTF-16 in @text */
struct wr_pe_name {
	const uint8_t *text;
	uint16_t length;
	uint16_t number;
};

/* A table of names, which lead to tables or to data */
struct wr_pe_table {
	/* From the beginning of the resources; entries with text come first. */
	uint32_t offset;
	uint32_t nr_entries;
	uint32_t nr_named;
};

struct wr_pe_entry {
	struct wr_pe_name name;
	bool is_table;
	uint32_t offset;
};

/* What a resource is */
struct wr_pe_data {
	uint32_t address;
	uint32_t size;
};

/* The table at @offset; the first one of all is at 0. */
bool wr_pe_table(const struct wr_pe *pe, uint32_t offset,
		 struct wr_pe_table *table);
/* Its entry @index */
bool wr_pe_entry(const struct wr_pe *pe, const struct wr_pe_table *table,
		 uint32_t index, struct wr_pe_entry *entry);
/* Its first entry with that name */
bool wr_pe_find_entry(const struct wr_pe *pe, const struct wr_pe_table *table,
		      const struct wr_pe_name *name, struct wr_pe_entry *entry);
/* The description of data at @offset, which is at *@place, and what it says */
bool wr_pe_data(const struct wr_pe *pe, uint32_t offset, const uint8_t **place,
		struct wr_pe_data *data);

#endif /* _WR_PE_H */
