// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reverse the bytes of a file, in place and without a buffer
 *
 * The file is opened, a section is made of it, and one view of the section is the
 * file: what is written there is in the file.
 *
 *	reverse_file FILE
 */
#include <stdio.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

static int fail(const char *what)
{
	fprintf(stderr, "%s: error %u\n", what, GetLastError());

	return 1;
}

static void reverse(char *text, SIZE_T size)
{
	char *last = text + size - 1, c;

	for (; text < last; text++, last--) {
		c = *text;
		*text = *last;
		*last = c;
	}
}

static int reverse_file(HANDLE file)
{
	LARGE_INTEGER size;
	HANDLE section;
	char *view;

	if (!GetFileSizeEx(file, &size))
		return fail("GetFileSizeEx");
	/* There is nothing to map in an empty file. */
	if (!size.QuadPart)
		return 0;

	section = CreateFileMapping(file, NULL, PAGE_READWRITE, 0, 0, NULL);
	if (!section)
		return fail("CreateFileMapping");
	view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	CloseHandle(section);
	if (!view)
		return fail("MapViewOfFile");

	reverse(view, size.QuadPart);

	return UnmapViewOfFile(view) ? 0 : fail("UnmapViewOfFile");
}

/* Without an argument, on a file of its own */
static const char *make_file(void)
{
	static const char text[] = "esrever ni saw enil sihT";
	static const char name[] = "/tmp/reversed.txt";
	FILE *file = fopen(name, "w");

	if (!file)
		return NULL;
	fputs(text, file);
	fclose(file);

	return name;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : make_file();
	const char *why = winregion_unavailable();
	char start[64] = "";
	DWORD done = 0;
	HANDLE file;
	int status;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	file = CreateFile(name, GENERIC_READ | GENERIC_WRITE, 0, NULL,
			  OPEN_EXISTING, 0, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return fail("CreateFile");

	status = reverse_file(file);
	if (!status && ReadFile(file, start, sizeof(start) - 1, &done, NULL))
		printf("%s begins with \"%.*s\"\n", name, (int)done, start);
	CloseHandle(file);

	return status;
}
