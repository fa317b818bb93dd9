/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - random numbers
 */
#ifndef _WINREGION_BCRYPT_H
#define _WINREGION_BCRYPT_H

#include "nt.h"

typedef PVOID BCRYPT_HANDLE;
typedef PVOID BCRYPT_ALG_HANDLE;

#define BCRYPT_RNG_USE_ENTROPY_IN_BUFFER 0x00000001
#define BCRYPT_USE_SYSTEM_PREFERRED_RNG 0x00000002

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Fill a buffer by the kernel's generator: the only one here. Rules RND-01 to 03. */
NTSTATUS WINAPI BCryptGenRandom(BCRYPT_ALG_HANDLE algorithm, PUCHAR buffer,
				ULONG size, ULONG flags);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_BCRYPT_H */
