// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Four ways to reverse a file, and what they cost
 *
 *	one view	the file in memory, reversed in place
 *	whole buffer	all of it read, reversed, and written
 *	two files	from the end of one to the beginning of another
 *	two buffers	in place, a piece from each end at a time
 *
 *	reverse_ways [FILE [BYTES]]
 *
 * The file is made, and removed; memory is the program's own, beside the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define PIECE 65536

static unsigned char buffers[2][PIECE];

static void reverse(unsigned char *text, SIZE_T size)
{
	unsigned char *last = text + size - 1, c;

	for (; text < last; text++, last--) {
		c = *text;
		*text = *last;
		*last = c;
	}
}

static int move_to(HANDLE file, SIZE_T offset)
{
	LARGE_INTEGER to;

	to.QuadPart = (LONGLONG)offset;

	return SetFilePointerEx(file, to, NULL, FILE_BEGIN);
}

static int read_at(HANDLE file, SIZE_T offset, void *to, DWORD size)
{
	DWORD done;

	return move_to(file, offset) && ReadFile(file, to, size, &done, NULL) &&
	       done == size;
}

static int write_at(HANDLE file, SIZE_T offset, const void *from, DWORD size)
{
	DWORD done;

	return move_to(file, offset) &&
	       WriteFile(file, from, size, &done, NULL) && done == size;
}

/* ---- the ways: whether it went well, and bytes of memory in @memory ---- */

static int by_view(const char *name, HANDLE file, SIZE_T size, SIZE_T *memory)
{
	HANDLE section;
	void *view;

	(void)name;

	*memory = 0;
	section = CreateFileMapping(file, NULL, PAGE_READWRITE, 0, 0, NULL);
	if (!section)
		return 0;
	view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	CloseHandle(section);
	if (!view)
		return 0;
	reverse(view, size);

	return UnmapViewOfFile(view);
}

static int by_buffer(const char *name, HANDLE file, SIZE_T size, SIZE_T *memory)
{
	unsigned char *all;
	int good;

	(void)name;

	*memory = size;
	all = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
			   PAGE_READWRITE);
	if (!all)
		return 0;
	good = read_at(file, 0, all, (DWORD)size);
	reverse(all, size);
	good = good && write_at(file, 0, all, (DWORD)size);
	VirtualFree(all, 0, MEM_RELEASE);

	return good;
}

static int by_files(const char *name, HANDLE file, SIZE_T size, SIZE_T *memory)
{
	SIZE_T left = size, piece, to = 0;
	char other_name[MAX_PATH];
	HANDLE other;
	int good = 1;

	*memory = PIECE;
	snprintf(other_name, sizeof(other_name), "%s.new", name);
	other = CreateFile(other_name, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0,
			   NULL);
	if (other == INVALID_HANDLE_VALUE)
		return 0;
	for (; good && left; left -= piece, to += piece) {
		piece = left < PIECE ? left : PIECE;
		good = read_at(file, left - piece, buffers[0], (DWORD)piece);
		reverse(buffers[0], piece);
		good = good && write_at(other, to, buffers[0], (DWORD)piece);
	}
	CloseHandle(other);

	return good && MoveFileEx(other_name, name, MOVEFILE_REPLACE_EXISTING);
}

static int by_buffers(const char *name, HANDLE file, SIZE_T size,
		      SIZE_T *memory)
{
	SIZE_T low = 0, high = size, piece;
	int good = 1;

	(void)name;

	*memory = 2 * PIECE;
	for (; good && low < high; low += piece, high -= piece) {
		piece = (high - low + 1) / 2;
		piece = piece < PIECE ? piece : PIECE;
		good = read_at(file, low, buffers[0], (DWORD)piece) &&
		       read_at(file, high - piece, buffers[1], (DWORD)piece);
		reverse(buffers[0], piece);
		reverse(buffers[1], piece);
		good = good && write_at(file, low, buffers[1], (DWORD)piece) &&
		       write_at(file, high - piece, buffers[0], (DWORD)piece);
	}

	return good;
}

/* ---- the file ---- */

static unsigned char byte_at(SIZE_T offset)
{
	return (unsigned char)(offset * 31 + (offset >> 8));
}

static HANDLE open_file(const char *name, DWORD how)
{
	return CreateFile(name, GENERIC_READ | GENERIC_WRITE,
			  FILE_SHARE_READ | FILE_SHARE_WRITE |
				  FILE_SHARE_DELETE,
			  NULL, how, 0, NULL);
}

static int make_file(const char *name, SIZE_T size)
{
	HANDLE file = open_file(name, CREATE_ALWAYS);
	SIZE_T at, i, piece;
	int good = file != INVALID_HANDLE_VALUE;

	for (at = 0; good && at < size; at += piece) {
		piece = size - at < PIECE ? size - at : PIECE;
		for (i = 0; i < piece; i++)
			buffers[0][i] = byte_at(at + i);
		good = write_at(file, at, buffers[0], (DWORD)piece);
	}
	CloseHandle(file);

	return good;
}

static int is_reversed(const char *name, SIZE_T size)
{
	HANDLE file = open_file(name, OPEN_EXISTING);
	SIZE_T at, i, piece;
	int good = file != INVALID_HANDLE_VALUE;

	for (at = 0; good && at < size; at += piece) {
		piece = size - at < PIECE ? size - at : PIECE;
		good = read_at(file, at, buffers[0], (DWORD)piece);
		for (i = 0; good && i < piece; i++)
			good = buffers[0][i] == byte_at(size - 1 - at - i);
	}
	CloseHandle(file);

	return good;
}

struct way {
	const char *title;
	int (*run)(const char *name, HANDLE file, SIZE_T size, SIZE_T *memory);
};

static int try_way(const struct way *way, const char *name, SIZE_T size)
{
	SIZE_T memory = 0;
	HANDLE file;
	DWORD begin;
	int good;

	if (!make_file(name, size))
		return 0;
	file = open_file(name, OPEN_EXISTING);
	if (file == INVALID_HANDLE_VALUE)
		return 0;
	begin = GetTickCount();
	good = way->run(name, file, size, &memory);
	printf("%-14s%8u ms%12lu bytes\n", way->title, GetTickCount() - begin,
	       (unsigned long)memory);
	CloseHandle(file);
	good = good && is_reversed(name, size);
	if (!good)
		fprintf(stderr, "%s: error %u\n", way->title, GetLastError());

	return good;
}

int main(int argc, char **argv)
{
	static const struct way ways[] = {
		{ "one view", by_view },
		{ "whole buffer", by_buffer },
		{ "two files", by_files },
		{ "two buffers", by_buffers },
	};
	const char *name = argc > 1 ? argv[1] : "/tmp/reverse-ways";
	SIZE_T size = argc > 2 ? strtoul(argv[2], NULL, 0) : 16000001;
	const char *why = winregion_unavailable();
	unsigned int i;
	int good = 1;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	for (i = 0; good && i < sizeof(ways) / sizeof(ways[0]); i++)
		good = try_way(&ways[i], name, size);
	DeleteFile(name);

	return !good;
}
