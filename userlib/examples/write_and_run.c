// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Code that is written in one place and run in another
 *
 * No page is writable and executable at once: the same memory is mapped once to write
 * it, and once more to run it. What is written is there to run without another call.
 */
#include <stdio.h>
#include <string.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define SIZE 65536

struct code {
	unsigned char *writer;
	const unsigned char *runner;
};

static int make_code(struct code *code)
{
	HANDLE section = CreateFileMapping(INVALID_HANDLE_VALUE, NULL,
					   PAGE_EXECUTE_READWRITE, 0, SIZE,
					   NULL);

	if (!section)
		return 0;
	code->writer = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	code->runner = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_EXECUTE,
				     0, 0, 0);
	CloseHandle(section);

	return code->writer && code->runner;
}

typedef int adder(int value);

/* A function that adds @number to its argument: lea number(%rdi), %eax; ret */
static adder *compile(const struct code *code, size_t at, int number)
{
	static const unsigned char lea[] = { 0x8d, 0x87 };
	adder *function;
	const void *where = code->runner + at;

	memcpy(code->writer + at, lea, sizeof(lea));
	memcpy(code->writer + at + 2, &number, sizeof(number));
	code->writer[at + 6] = 0xc3;
	memcpy(&function, &where, sizeof(function));

	return function;
}

/* All of the memory is functions, and each is written twice. */
static int use_code(const struct code *code)
{
	int sum = 0, i;

	for (i = 0; i < SIZE / 8; i++)
		sum += compile(code, i * 8UL, i)(1);
	for (i = 0; i < SIZE / 8; i++)
		sum -= compile(code, i * 8UL, i + 1)(0);
	printf("%d functions, the difference is %d\n", SIZE / 8, sum);

	return sum != 0;
}

int main(void)
{
	const char *why = winregion_unavailable();
	struct code code = { 0 };
	int status = 1;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	if (make_code(&code))
		status = use_code(&code);
	else
		fprintf(stderr, "no memory for code: error %u\n",
			GetLastError());
	UnmapViewOfFile(code.writer);
	UnmapViewOfFile((void *)(ULONG_PTR)code.runner);

	return status;
}
