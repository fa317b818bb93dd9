// SPDX-License-Identifier: GPL-2.0
/*
 * The files that the search begins with: seeds DIRECTORY
 */
#include <stdio.h>
#include <stdlib.h>

#include "../pe_file.h"

static void write_file(const char *directory, const char *name,
		       const struct pe_file *pe)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	if (!file || fwrite(pe->bytes, pe->size, 1, file) != 1 || fclose(file))
		exit(1);
}

static void make(struct pe_file *pe, int wide)
{
	const uint16_t places[] = { wide ? 0xA008 : 0x3008, 0 };
	uint8_t data[1024];

	pe_begin(pe, wide, 0x180000000);
	pe_section(pe, ".text", "\xc3", 1, 0x1000, PE_CODE);
	pe_section(pe, ".data", "data", 4, 0x3000, PE_DATA);
	pe_directory(pe, 0, pe->next_address,
		     pe_exports(data, pe->next_address, 0x1000, 0x2000));
	pe_section(pe, ".edata", data, 120, 120, PE_CONST);
	pe_directory(pe, 2, pe->next_address,
		     pe_resources(data, pe->next_address));
	pe_section(pe, ".rsrc", data, 320, 320, PE_CONST);
	pe_directory(pe, 5, pe->next_address,
		     pe_relocations(data, 0x2000, places, 1));
	pe_section(pe, ".reloc", data, 12, 12, PE_CONST);
}

int main(int argc, char **argv)
{
	static struct pe_file pe;

	if (argc != 2)
		return 2;
	make(&pe, 1);
	write_file(argv[1], "wide", &pe);
	make(&pe, 0);
	write_file(argv[1], "narrow", &pe);
	return 0;
}
