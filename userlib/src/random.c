// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * BCryptGenRandom()
 */
#include <errno.h>
#include <sys/random.h>

#include <winregion/bcrypt.h>

#include "internal.h"

#define KNOWN_FLAGS \
	(BCRYPT_RNG_USE_ENTROPY_IN_BUFFER | BCRYPT_USE_SYSTEM_PREFERRED_RNG)

static NTSTATUS fill(PUCHAR buffer, ULONG size)
{
	ssize_t n;

	while (size) {
		n = getrandom(buffer, size, 0);
		if (n < 0 && errno != EINTR)
			return errno == EFAULT ? STATUS_ACCESS_VIOLATION :
						 STATUS_UNSUCCESSFUL;
		if (n > 0) {
			buffer += n;
			size -= n;
		}
	}

	return STATUS_SUCCESS;
}

NTSTATUS WINAPI BCryptGenRandom(BCRYPT_ALG_HANDLE algorithm, PUCHAR buffer,
				ULONG size, ULONG flags)
{
	bool preferred = flags & BCRYPT_USE_SYSTEM_PREFERRED_RNG;

	WR_KEEP_ERRNO();

	if (!buffer || flags & ~(ULONG)KNOWN_FLAGS)
		return STATUS_INVALID_PARAMETER;
	/* Nobody here has made an algorithm. */
	if (algorithm || !preferred)
		return STATUS_INVALID_HANDLE;

	return fill(buffer, size);
}
