/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - security descriptors: who can open a section by its name; privileges
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_SECURITYBASEAPI_H
#define _WINREGION_SECURITYBASEAPI_H

#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* A descriptor that says nothing: for the user alone */
BOOL WINAPI InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR security,
					 DWORD revision);

/* With a list, of which NULL is everybody; others are not for sections yet. */
BOOL WINAPI SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR security,
				      BOOL present, PACL dacl, BOOL defaulted);

/* What the token of the process has; TokenPrivileges, TokenElevation and two more. */
BOOL WINAPI GetTokenInformation(HANDLE token, TOKEN_INFORMATION_CLASS what,
				LPVOID buffer, DWORD size, PDWORD needed);

/* TRUE with ERROR_NOT_ALL_ASSIGNED as the last error if it has not all of them. */
BOOL WINAPI AdjustTokenPrivileges(HANDLE token, BOOL none,
				  PTOKEN_PRIVILEGES changes, DWORD size,
				  PTOKEN_PRIVILEGES before, PDWORD needed);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_SECURITYBASEAPI_H */
