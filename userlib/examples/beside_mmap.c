// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The same by mmap() and by regions
 *
 * Every second page of some megabytes becomes read only, first by mmap() and
 * mprotect(), then by VirtualAlloc() and VirtualProtect(): how many mappings that
 * takes, and what can be asked about one of the pages afterwards.
 */
#include <stdio.h>
#include <sys/mman.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define PAGE ((SIZE_T)4096)
#define COUNT ((SIZE_T)1024)

static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int c, lines = 0;

	if (!maps)
		return -1;
	while ((c = getc(maps)) != EOF)
		lines += c == '\n';
	fclose(maps);

	return lines;
}

static int by_mmap(void)
{
	char *base = mmap(NULL, COUNT * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int before = mappings();
	SIZE_T i;

	if (base == MAP_FAILED)
		return -1;
	for (i = 0; i < COUNT; i += 2)
		if (mprotect(base + i * PAGE, PAGE, PROT_READ))
			return -1;
	before = mappings() - before;
	munmap(base, COUNT * PAGE);

	return before;
}

static int by_regions(void)
{
	int before = mappings();
	MEMORY_BASIC_INFORMATION info;
	DWORD old;
	SIZE_T i;
	char *base = VirtualAlloc(NULL, COUNT * PAGE, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);

	if (!base)
		return -1;
	for (i = 0; i < COUNT; i += 2)
		if (!VirtualProtect(base + i * PAGE, PAGE, PAGE_READONLY, &old))
			return -1;
	if (!VirtualQuery(base + 2 * PAGE, &info, sizeof(info)))
		return -1;
	printf("the third page: protection %#x, alone in being so: %s\n",
	       info.Protect, info.RegionSize == PAGE ? "yes" : "no");
	before = mappings() - before;
	if (!VirtualFree(base, 0, MEM_RELEASE) || info.RegionSize != PAGE ||
	    info.Protect != PAGE_READONLY)
		return -1;

	return before;
}

int main(void)
{
	const char *why = winregion_unavailable();
	int plain, regions;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	plain = by_mmap();
	regions = by_regions();
	printf("mappings that it took: %d by mmap(), %d by a region\n", plain,
	       regions);

	return plain < 0 || regions < 0 || regions >= plain;
}
