/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - files
 *
 * What of the files of Windows does not hold for those of Linux is in
 * winregion_files(7). Names ending with A take UTF-8, with W UTF-16.
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_FILEAPI_H
#define _WINREGION_FILEAPI_H

#include "minwinbase.h"
#include "winnt.h"

#define CREATE_NEW 1
#define CREATE_ALWAYS 2
#define OPEN_EXISTING 3
#define OPEN_ALWAYS 4
#define TRUNCATE_EXISTING 5

#define INVALID_FILE_SIZE 0xFFFFFFFFU
#define INVALID_SET_FILE_POINTER 0xFFFFFFFFU
#define INVALID_FILE_ATTRIBUTES 0xFFFFFFFFU

typedef struct _CREATEFILE2_EXTENDED_PARAMETERS {
	DWORD dwSize;
	DWORD dwFileAttributes;
	DWORD dwFileFlags;
	DWORD dwSecurityQosFlags;
	LPSECURITY_ATTRIBUTES lpSecurityAttributes;
	HANDLE hTemplateFile;
} CREATEFILE2_EXTENDED_PARAMETERS, *PCREATEFILE2_EXTENDED_PARAMETERS,
	*LPCREATEFILE2_EXTENDED_PARAMETERS;

_WINREGION_SIZE(CREATEFILE2_EXTENDED_PARAMETERS, 32);

typedef struct _WIN32_FILE_ATTRIBUTE_DATA {
	DWORD dwFileAttributes;
	FILETIME ftCreationTime;
	FILETIME ftLastAccessTime;
	FILETIME ftLastWriteTime;
	DWORD nFileSizeHigh;
	DWORD nFileSizeLow;
} WIN32_FILE_ATTRIBUTE_DATA, *LPWIN32_FILE_ATTRIBUTE_DATA;

_WINREGION_SIZE(WIN32_FILE_ATTRIBUTE_DATA, 36);

typedef struct _BY_HANDLE_FILE_INFORMATION {
	DWORD dwFileAttributes;
	FILETIME ftCreationTime;
	FILETIME ftLastAccessTime;
	FILETIME ftLastWriteTime;
	DWORD dwVolumeSerialNumber;
	DWORD nFileSizeHigh;
	DWORD nFileSizeLow;
	DWORD nNumberOfLinks;
	DWORD nFileIndexHigh;
	DWORD nFileIndexLow;
} BY_HANDLE_FILE_INFORMATION, *PBY_HANDLE_FILE_INFORMATION,
	*LPBY_HANDLE_FILE_INFORMATION;

_WINREGION_SIZE(BY_HANDLE_FILE_INFORMATION, 52);

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Open a file, or make it. INVALID_HANDLE_VALUE on failure; else the last error
 * is 0, or ERROR_ALREADY_EXISTS if CREATE_ALWAYS or OPEN_ALWAYS found the file.
 * Rules FILE-01 to 39.
 */
HANDLE WINAPI CreateFileA(LPCSTR name, DWORD access, DWORD share,
			  LPSECURITY_ATTRIBUTES security, DWORD disposition,
			  DWORD flags, HANDLE template_file);
HANDLE WINAPI CreateFileW(LPCWSTR name, DWORD access, DWORD share,
			  LPSECURITY_ATTRIBUTES security, DWORD disposition,
			  DWORD flags, HANDLE template_file);
HANDLE WINAPI CreateFile2(LPCWSTR name, DWORD access, DWORD share,
			  DWORD disposition,
			  LPCREATEFILE2_EXTENDED_PARAMETERS parameters);

/* Rules FILE-40 to 49 */
BOOL WINAPI ReadFile(HANDLE file, LPVOID buffer, DWORD bytes, LPDWORD done,
		     LPOVERLAPPED overlapped);
BOOL WINAPI WriteFile(HANDLE file, LPCVOID buffer, DWORD bytes, LPDWORD done,
		      LPOVERLAPPED overlapped);
BOOL WINAPI FlushFileBuffers(HANDLE file);

/* Rules FILE-50 to 59 */
DWORD WINAPI SetFilePointer(HANDLE file, LONG distance, PLONG high,
			    DWORD method);
BOOL WINAPI SetFilePointerEx(HANDLE file, LARGE_INTEGER distance,
			     PLARGE_INTEGER position, DWORD method);
DWORD WINAPI GetFileSize(HANDLE file, LPDWORD high);
BOOL WINAPI GetFileSizeEx(HANDLE file, PLARGE_INTEGER size);
BOOL WINAPI SetEndOfFile(HANDLE file);

/* Rules FILE-60 to 69 */
BOOL WINAPI LockFile(HANDLE file, DWORD offset, DWORD offset_high, DWORD length,
		     DWORD length_high);
BOOL WINAPI LockFileEx(HANDLE file, DWORD flags, DWORD reserved, DWORD length,
		       DWORD length_high, LPOVERLAPPED overlapped);
BOOL WINAPI UnlockFile(HANDLE file, DWORD offset, DWORD offset_high,
		       DWORD length, DWORD length_high);
BOOL WINAPI UnlockFileEx(HANDLE file, DWORD reserved, DWORD length,
			 DWORD length_high, LPOVERLAPPED overlapped);

/* Rules FILE-70 to 72 */
BOOL WINAPI DeleteFileA(LPCSTR name);
BOOL WINAPI DeleteFileW(LPCWSTR name);

/* Rules FILE-80 to 85 */
DWORD WINAPI GetFileAttributesA(LPCSTR name);
DWORD WINAPI GetFileAttributesW(LPCWSTR name);
BOOL WINAPI GetFileAttributesExA(LPCSTR name, GET_FILEEX_INFO_LEVELS level,
				 LPVOID data);
BOOL WINAPI GetFileAttributesExW(LPCWSTR name, GET_FILEEX_INFO_LEVELS level,
				 LPVOID data);
BOOL WINAPI SetFileAttributesA(LPCSTR name, DWORD attributes);
BOOL WINAPI SetFileAttributesW(LPCWSTR name, DWORD attributes);
BOOL WINAPI GetFileInformationByHandle(HANDLE file,
				       LPBY_HANDLE_FILE_INFORMATION data);
DWORD WINAPI GetFileType(HANDLE file);

/* Rules FILE-90 to 97 */
DWORD WINAPI GetFullPathNameA(LPCSTR name, DWORD size, LPSTR buffer,
			      LPSTR *file_part);
DWORD WINAPI GetFullPathNameW(LPCWSTR name, DWORD size, LPWSTR buffer,
			      LPWSTR *file_part);
DWORD WINAPI GetTempPathA(DWORD size, LPSTR buffer);
DWORD WINAPI GetTempPathW(DWORD size, LPWSTR buffer);
UINT WINAPI GetTempFileNameA(LPCSTR path, LPCSTR prefix, UINT unique,
			     LPSTR buffer);
UINT WINAPI GetTempFileNameW(LPCWSTR path, LPCWSTR prefix, UINT unique,
			     LPWSTR buffer);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define CreateFile CreateFileW
#define DeleteFile DeleteFileW
#define GetFileAttributes GetFileAttributesW
#define GetFileAttributesEx GetFileAttributesExW
#define SetFileAttributes SetFileAttributesW
#define GetFullPathName GetFullPathNameW
#define GetTempPath GetTempPathW
#define GetTempFileName GetTempFileNameW
#else
#define CreateFile CreateFileA
#define DeleteFile DeleteFileA
#define GetFileAttributes GetFileAttributesA
#define GetFileAttributesEx GetFileAttributesExA
#define SetFileAttributes SetFileAttributesA
#define GetFullPathName GetFullPathNameA
#define GetTempPath GetTempPathA
#define GetTempFileName GetTempFileNameA
#endif

#endif /* _WINREGION_FILEAPI_H */
