/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of libraries for Windows, written byte by byte: headers, sections, functions,
 * relocations and resources, as far as tests want them.
 */
#ifndef _SELFTESTS_PE_FILE_H
#define _SELFTESTS_PE_FILE_H

#include <stdint.h>
#include <string.h>

/* Where things are in the headers that are written here */
#define PE_AT_HEADER 0x40
#define PE_AT_FLAGS (PE_AT_HEADER + 22)
#define PE_AT_OPTIONAL (PE_AT_HEADER + 24)
#define PE_HEADERS 0x400
#define PE_MAX 0x8000

/* Flags of sections */
#define PE_CODE 0x60000020U
#define PE_CONST 0x40000040U
#define PE_DATA 0xC0000040U
#define PE_SHARED 0xD0000040U
#define PE_NOTHING 0x00000040U

/* What files of 64 bits are for here, and for what they are not */
#ifdef __aarch64__
#define PE_WIDE 0xAA64
#define PE_FOREIGN 0x8664
#else
#define PE_WIDE 0x8664
#define PE_FOREIGN 0xAA64
#endif

struct pe_file {
	uint8_t bytes[PE_MAX];
	size_t size;
	int wide;
	unsigned int nr_sections;
	uint32_t next_address;
	uint64_t base;
};

static inline void pe_put16(struct pe_file *pe, size_t at, uint16_t value)
{
	memcpy(pe->bytes + at, &value, sizeof(value));
}

static inline void pe_put32(struct pe_file *pe, size_t at, uint32_t value)
{
	memcpy(pe->bytes + at, &value, sizeof(value));
}

static inline void pe_put64(struct pe_file *pe, size_t at, uint64_t value)
{
	memcpy(pe->bytes + at, &value, sizeof(value));
}

/* Where the directories begin, and the headers of sections */
static inline size_t pe_at_directories(const struct pe_file *pe)
{
	return PE_AT_OPTIONAL + (pe->wide ? 112 : 96);
}

static inline size_t pe_at_section(const struct pe_file *pe, unsigned int nr)
{
	return pe_at_directories(pe) + 16 * 8 + 40 * nr;
}

/* A library with no section yet, of 64 bits or of 32 */
static inline void pe_begin(struct pe_file *pe, int wide, uint64_t base)
{
	memset(pe, 0, sizeof(*pe));
	pe->wide = wide;
	pe->base = base;
	pe->size = PE_HEADERS;
	pe->next_address = 0x1000;
	memcpy(pe->bytes, "MZ", 2);
	pe_put32(pe, 0x3C, PE_AT_HEADER);
	memcpy(pe->bytes + PE_AT_HEADER, "PE\0", 4);
	pe_put16(pe, PE_AT_HEADER + 4, wide ? PE_WIDE : 0x14C);
	pe_put16(pe, PE_AT_HEADER + 20, (wide ? 112 : 96) + 16 * 8);
	pe_put16(pe, PE_AT_FLAGS, 0x2002);
	pe_put16(pe, PE_AT_OPTIONAL, wide ? 0x20B : 0x10B);
	if (wide)
		pe_put64(pe, PE_AT_OPTIONAL + 24, base);
	else
		pe_put32(pe, PE_AT_OPTIONAL + 28, base);
	pe_put32(pe, PE_AT_OPTIONAL + 32, 0x1000);
	pe_put32(pe, PE_AT_OPTIONAL + 36, 0x200);
	pe_put16(pe, PE_AT_OPTIONAL + 48, 6);
	pe_put32(pe, PE_AT_OPTIONAL + 56, 0x1000);
	pe_put32(pe, PE_AT_OPTIONAL + 60, PE_HEADERS);
	pe_put16(pe, PE_AT_OPTIONAL + 68, 3);
	pe_put32(pe, pe_at_directories(pe) - 4, 16);
}

/*
 * One more section of @size bytes in the image, with the @bytes at @data in the
 * file. Return: its address.
 */
static inline uint32_t pe_section(struct pe_file *pe, const char *name,
				  const void *data, uint32_t bytes,
				  uint32_t size, uint32_t flags)
{
	size_t at = pe_at_section(pe, pe->nr_sections++);
	uint32_t address = pe->next_address, in_file = (bytes + 511) & ~511U;
	size_t length = strlen(name);

	memcpy(pe->bytes + at, name, length < 8 ? length : 8);
	pe_put32(pe, at + 8, size);
	pe_put32(pe, at + 12, address);
	pe_put32(pe, at + 16, in_file);
	pe_put32(pe, at + 20, in_file ? pe->size : 0);
	pe_put32(pe, at + 36, flags);
	if (bytes)
		memcpy(pe->bytes + pe->size, data, bytes);
	pe->size += in_file;
	pe->next_address = (address + size + 0xFFF) & ~0xFFFU;
	pe_put16(pe, PE_AT_HEADER + 6, pe->nr_sections);
	pe_put32(pe, PE_AT_OPTIONAL + 56, pe->next_address);
	return address;
}

static inline void pe_directory(struct pe_file *pe, unsigned int which,
				uint32_t address, uint32_t size)
{
	pe_put32(pe, pe_at_directories(pe) + 8 * which, address);
	pe_put32(pe, pe_at_directories(pe) + 8 * which + 4, size);
}

/* ---- contents ---- */

static inline void pe_words(uint8_t *to, const uint32_t *words, size_t nr)
{
	memcpy(to, words, nr * sizeof(*words));
}

/*
 * Functions, for a section that will be at @address: "alpha" (number 7) and "beta"
 * (8) at the addresses @alpha and @beta, and "gamma" (10) of another library. Return:
 * bytes.
 */
static inline uint32_t pe_exports(uint8_t *to, uint32_t address, uint32_t alpha,
				  uint32_t beta)
{
	const uint32_t directory[10] = {
		0, 0, 0, address + 110, 7, 4, 3,
		address + 40, address + 56, address + 68
	};
	const uint32_t addresses[4] = { alpha, beta, 0, address + 93 };
	const uint32_t names[3] = { address + 76, address + 82, address + 87 };
	const uint16_t numbers[3] = { 0, 1, 3 };

	memset(to, 0, 120);
	pe_words(to, directory, 10);
	pe_words(to + 40, addresses, 4);
	pe_words(to + 56, names, 3);
	memcpy(to + 68, numbers, sizeof(numbers));
	memcpy(to + 76, "alpha\0beta\0gamma\0other.function\0x.dll", 38);
	return 120;
}

/* A block that relocates @nr places of the page at @page. Return: bytes. */
static inline uint32_t pe_relocations(uint8_t *to, uint32_t page,
				      const uint16_t *entries, unsigned int nr)
{
	const uint32_t head[2] = { page, 8 + 4 * ((nr + 1) / 2) };

	memset(to, 0, head[1]);
	pe_words(to, head, 2);
	memcpy(to + 8, entries, 2 * nr);
	return head[1];
}

/*
 * Resources, for a section that will be at @address: of type 10 (RT_RCDATA) number 1 in
 * English (0x409: "english") and German (0x407: "deutsch"), and "NAME" in no language
 * ("neutral"); and of type "TYPE" number 5 in French (0x40C: "cinq"). Return: bytes.
 */
static inline uint32_t pe_resources(uint8_t *to, uint32_t address)
{
	static const uint16_t texts[] = { 4, 'T', 'Y', 'P', 'E',
					  4, 'N', 'A', 'M', 'E' };
	const uint32_t text = 0x80000000U, table = 0x80000000U;
	const uint32_t words[] = {
		/* 0: types */
		0, 0, 0, 1 | 1 << 16, text | 256, table | 64, 10, table | 32,
		/* 32: names of type 10 */
		0, 0, 0, 1 | 1 << 16, text | 266, table | 224, 1, table | 88,
		/* 64: names of type "TYPE" */
		0, 0, 0, 0 | 1 << 16, 5, table | 136,
		/* 88: languages of number 1 */
		0, 0, 0, 0 | 2 << 16, 0x407, 176, 0x409, 160,
	};
	/* 224, 136: languages of "NAME", and of number 5 */
	const uint32_t neutral[] = { 0, 0, 0, 0 | 1 << 16, 0, 192 };
	const uint32_t french[] = { 0, 0, 0, 0 | 1 << 16, 0x40C, 208 };
	const uint32_t data[] = {
		/* 160 */ address + 280, 7, 0, 0,
		/* 176 */ address + 288, 7, 0, 0,
		/* 192 */ address + 296, 7, 0, 0,
		/* 208 */ address + 304, 4, 0, 0,
	};

	memset(to, 0, 320);
	pe_words(to, words, sizeof(words) / 4);
	pe_words(to + 224, neutral, 6);
	pe_words(to + 136, french, 6);
	pe_words(to + 160, data, 16);
	memcpy(to + 256, texts, sizeof(texts));
	memcpy(to + 280, "english\0deutsch\0neutral\0cinq", 29);
	return 320;
}

#endif /* _SELFTESTS_PE_FILE_H */
