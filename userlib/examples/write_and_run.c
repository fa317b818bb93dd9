// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Code that is written in one place and run in another
 *
 * No page is writable and executable at once: the same memory is mapped once to write
 * it, and once more to run it.
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

/* The instructions of a function that adds @number to its argument */
#ifdef __aarch64__

#define CODE_BYTES 16UL

/* ldr w1, . + 12; add w0, w0, w1; ret; and the number */
static void write_adder(unsigned char *at, int number)
{
	static const unsigned int code[] = { 0x18000061, 0x0b010000,
					     0xd65f03c0 };

	memcpy(at, code, sizeof(code));
	memcpy(at + sizeof(code), &number, sizeof(number));
}

#else /* x86-64 */

#define CODE_BYTES 8UL

/* lea number(%rdi), %eax; ret */
static void write_adder(unsigned char *at, int number)
{
	static const unsigned char lea[] = { 0x8d, 0x87 };

	memcpy(at, lea, sizeof(lea));
	memcpy(at + 2, &number, sizeof(number));
	at[6] = 0xc3;
}

#endif

typedef int adder(int value);

static adder *compile(const struct code *code, size_t at, int number)
{
	const void *where = code->runner + at;
	adder *function;

	write_adder(code->writer + at, number);
	FlushInstructionCache(GetCurrentProcess(), where, CODE_BYTES);
	memcpy(&function, &where, sizeof(function));

	return function;
}

/* All of the memory is functions, and each is written twice. */
static int use_code(const struct code *code)
{
	const int nr = SIZE / CODE_BYTES;
	int sum = 0, i;

	for (i = 0; i < nr; i++)
		sum += compile(code, i * CODE_BYTES, i)(1);
	for (i = 0; i < nr; i++)
		sum -= compile(code, i * CODE_BYTES, i + 1)(0);
	printf("%d functions, the difference is %d\n", nr, sum);

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
