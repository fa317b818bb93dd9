// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A ring buffer without an end
 *
 * Two views of one section, back to back: what is written behind the end of the
 * first one is at its beginning. So each message is in one piece, wherever it lies.
 */
#include <stdio.h>
#include <string.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define SIZE 65536

struct ring {
	char *base;
	/* Bytes that were ever read and written */
	unsigned long read;
	unsigned long written;
};

/* At a place that was free a moment ago: another thread may have been faster. */
static char *map_twice(HANDLE section)
{
	char *base = VirtualAlloc(NULL, 2 * SIZE, MEM_RESERVE, PAGE_NOACCESS);

	if (!base || !VirtualFree(base, 0, MEM_RELEASE))
		return NULL;
	if (!MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, SIZE, base))
		return NULL;
	if (MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, SIZE, base + SIZE))
		return base;
	UnmapViewOfFile(base);

	return NULL;
}

static char *make_ring(void)
{
	HANDLE section = CreateFileMapping(INVALID_HANDLE_VALUE, NULL,
					   PAGE_READWRITE, 0, SIZE, NULL);
	char *base = NULL;
	int tries;

	if (!section)
		return NULL;
	for (tries = 0; !base && tries < 16; tries++)
		base = map_twice(section);
	CloseHandle(section);

	return base;
}

static int put(struct ring *ring, const char *text, size_t size)
{
	if (SIZE - (ring->written - ring->read) < size)
		return 0;
	memcpy(ring->base + ring->written % SIZE, text, size);
	ring->written += size;

	return 1;
}

/* Where the next @size bytes are; they stay there until more is put. */
static const char *get(struct ring *ring, size_t size)
{
	const char *text = ring->base + ring->read % SIZE;

	if (ring->written - ring->read < size)
		return NULL;
	ring->read += size;

	return text;
}

/* 1,000 messages of some length, so that many of them go over the end */
static int use_ring(struct ring *ring)
{
	static char message[1000];
	const char *got;
	unsigned int i, j, over = 0;

	for (i = 0; i < 1000; i++) {
		for (j = 0; j < sizeof(message); j++)
			message[j] = (char)(i * 7 + j);
		over += ring->written % SIZE + sizeof(message) > SIZE;
		if (!put(ring, message, sizeof(message)))
			return 1;
		got = get(ring, sizeof(message));
		if (!got || memcmp(got, message, sizeof(message)))
			return 1;
	}
	printf("1000 messages, %u of them over the end\n", over);

	return !over;
}

int main(void)
{
	struct ring ring = { 0 };
	const char *why = winregion_unavailable();
	int status;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	ring.base = make_ring();
	if (!ring.base) {
		fprintf(stderr, "no ring: error %u\n", GetLastError());
		return 1;
	}
	status = use_ring(&ring);
	UnmapViewOfFile(ring.base);
	UnmapViewOfFile(ring.base + SIZE);

	return status;
}
