/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - libraries that are loaded, and their functions by name
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_LIBLOADERAPI_H
#define _WINREGION_LIBLOADERAPI_H

#include "minwinbase.h"
#include "minwindef.h"
#include "winnt.h"

#define GET_MODULE_HANDLE_EX_FLAG_PIN 0x00000001
#define GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT 0x00000002
#define GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS 0x00000004

#define DONT_RESOLVE_DLL_REFERENCES 0x00000001
#define LOAD_LIBRARY_AS_DATAFILE 0x00000002
#define LOAD_WITH_ALTERED_SEARCH_PATH 0x00000008
#define LOAD_IGNORE_CODE_AUTHZ_LEVEL 0x00000010
#define LOAD_LIBRARY_AS_IMAGE_RESOURCE 0x00000020
#define LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE 0x00000040
#define LOAD_LIBRARY_REQUIRE_SIGNED_TARGET 0x00000080
#define LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR 0x00000100
#define LOAD_LIBRARY_SEARCH_APPLICATION_DIR 0x00000200
#define LOAD_LIBRARY_SEARCH_USER_DIRS 0x00000400
#define LOAD_LIBRARY_SEARCH_SYSTEM32 0x00000800
#define LOAD_LIBRARY_SEARCH_DEFAULT_DIRS 0x00001000
#define LOAD_LIBRARY_SAFE_CURRENT_DIRS 0x00002000

/* What is called for each type, name or language; FALSE ends it. */
typedef BOOL(CALLBACK *ENUMRESTYPEPROCA)(HMODULE module, LPSTR type,
					 LONG_PTR param);
typedef BOOL(CALLBACK *ENUMRESTYPEPROCW)(HMODULE module, LPWSTR type,
					 LONG_PTR param);
typedef BOOL(CALLBACK *ENUMRESNAMEPROCA)(HMODULE module, LPCSTR type,
					 LPSTR name, LONG_PTR param);
typedef BOOL(CALLBACK *ENUMRESNAMEPROCW)(HMODULE module, LPCWSTR type,
					 LPWSTR name, LONG_PTR param);
typedef BOOL(CALLBACK *ENUMRESLANGPROCA)(HMODULE module, LPCSTR type,
					 LPCSTR name, WORD language,
					 LONG_PTR param);
typedef BOOL(CALLBACK *ENUMRESLANGPROCW)(HMODULE module, LPCWSTR type,
					 LPCWSTR name, WORD language,
					 LONG_PTR param);

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * The libraries of Windows that have functions which this one has, like
 * "kernel32.dll", are always loaded. NULL is the program. LoadLibraryEx() maps others as
 * data, or, with DONT_RESOLVE_DLL_REFERENCES, as images.
 */
HMODULE WINAPI GetModuleHandleA(LPCSTR name);
HMODULE WINAPI GetModuleHandleW(LPCWSTR name);
BOOL WINAPI GetModuleHandleExA(DWORD flags, LPCSTR name, HMODULE *module);
BOOL WINAPI GetModuleHandleExW(DWORD flags, LPCWSTR name, HMODULE *module);
HMODULE WINAPI LoadLibraryA(LPCSTR name);
HMODULE WINAPI LoadLibraryW(LPCWSTR name);
HMODULE WINAPI LoadLibraryExA(LPCSTR name, HANDLE file, DWORD flags);
HMODULE WINAPI LoadLibraryExW(LPCWSTR name, HANDLE file, DWORD flags);
BOOL WINAPI FreeLibrary(HMODULE module);

/* A function that such a library has, or for those of Windows, here, too; or NULL */
FARPROC WINAPI GetProcAddress(HMODULE module, LPCSTR name);

/* The file of the program, of such a library, or that this library is in */
DWORD WINAPI GetModuleFileNameA(HMODULE module, LPSTR name, DWORD size);
DWORD WINAPI GetModuleFileNameW(HMODULE module, LPWSTR name, DWORD size);

/*
 * Resources of a file that was loaded. A type or a name is a number
 * (MAKEINTRESOURCE), or text. The handle of one is valid as long as its module.
 */
HRSRC WINAPI FindResourceA(HMODULE module, LPCSTR name, LPCSTR type);
HRSRC WINAPI FindResourceW(HMODULE module, LPCWSTR name, LPCWSTR type);
HRSRC WINAPI FindResourceExA(HMODULE module, LPCSTR type, LPCSTR name,
			     WORD language);
HRSRC WINAPI FindResourceExW(HMODULE module, LPCWSTR type, LPCWSTR name,
			     WORD language);
HGLOBAL WINAPI LoadResource(HMODULE module, HRSRC resource);
DWORD WINAPI SizeofResource(HMODULE module, HRSRC resource);
LPVOID WINAPI LockResource(HGLOBAL data);
BOOL WINAPI FreeResource(HGLOBAL data);
BOOL WINAPI EnumResourceTypesA(HMODULE module, ENUMRESTYPEPROCA callback,
			       LONG_PTR param);
BOOL WINAPI EnumResourceTypesW(HMODULE module, ENUMRESTYPEPROCW callback,
			       LONG_PTR param);
BOOL WINAPI EnumResourceNamesA(HMODULE module, LPCSTR type,
			       ENUMRESNAMEPROCA callback, LONG_PTR param);
BOOL WINAPI EnumResourceNamesW(HMODULE module, LPCWSTR type,
			       ENUMRESNAMEPROCW callback, LONG_PTR param);
BOOL WINAPI EnumResourceLanguagesA(HMODULE module, LPCSTR type, LPCSTR name,
				   ENUMRESLANGPROCA callback, LONG_PTR param);
BOOL WINAPI EnumResourceLanguagesW(HMODULE module, LPCWSTR type, LPCWSTR name,
				   ENUMRESLANGPROCW callback, LONG_PTR param);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define GetModuleHandle GetModuleHandleW
#define GetModuleHandleEx GetModuleHandleExW
#define LoadLibrary LoadLibraryW
#define LoadLibraryEx LoadLibraryExW
#define GetModuleFileName GetModuleFileNameW
#define ENUMRESTYPEPROC ENUMRESTYPEPROCW
#define ENUMRESNAMEPROC ENUMRESNAMEPROCW
#define ENUMRESLANGPROC ENUMRESLANGPROCW
#define FindResource FindResourceW
#define FindResourceEx FindResourceExW
#define EnumResourceTypes EnumResourceTypesW
#define EnumResourceNames EnumResourceNamesW
#define EnumResourceLanguages EnumResourceLanguagesW
#else
#define GetModuleHandle GetModuleHandleA
#define GetModuleHandleEx GetModuleHandleExA
#define LoadLibrary LoadLibraryA
#define LoadLibraryEx LoadLibraryExA
#define GetModuleFileName GetModuleFileNameA
#define ENUMRESTYPEPROC ENUMRESTYPEPROCA
#define ENUMRESNAMEPROC ENUMRESNAMEPROCA
#define ENUMRESLANGPROC ENUMRESLANGPROCA
#define FindResource FindResourceA
#define FindResourceEx FindResourceExA
#define EnumResourceTypes EnumResourceTypesA
#define EnumResourceNames EnumResourceNamesA
#define EnumResourceLanguages EnumResourceLanguagesA
#endif

#endif /* _WINREGION_LIBLOADERAPI_H */
