/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - words that Microsoft's compiler has and sources use without a header
 *
 * Calling conventions say nothing here: there is one only. Headers of others define
 * some of these words, too, and what they say is good.
 */
#ifndef _WINREGION_KEYWORDS_H
#define _WINREGION_KEYWORDS_H

#ifndef __cdecl
#define __cdecl
#endif
#ifndef _cdecl
#define _cdecl
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef _stdcall
#define _stdcall
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef _fastcall
#define _fastcall
#endif
#ifndef __thiscall
#define __thiscall
#endif
#ifndef __vectorcall
#define __vectorcall
#endif
#ifndef __unaligned
#define __unaligned
#endif
#ifndef __ptr32
#define __ptr32
#endif
#ifndef __ptr64
#define __ptr64
#endif

#ifndef __int8
#define __int8 char
#endif
#ifndef __int16
#define __int16 short
#endif
#ifndef __int32
#define __int32 int
#endif
#ifndef __int64
#define __int64 long long
#endif

/* "static" may stand before it. */
#ifndef __forceinline
#define __forceinline __inline__ __attribute__((__always_inline__))
#endif
#ifndef FORCEINLINE
#define FORCEINLINE static __inline__ __attribute__((__always_inline__))
#endif

#ifndef __noop
#define __noop ((void)0)
#endif

/*
 * One word in parentheses, as sources have it; what only a linker of Windows
 * understands says nothing. A word that is not here is an error of the compiler's,
 * which names it.
 */
#ifndef __declspec
#define __declspec(what) _WINREGION_DECLSPEC_##what
#endif
#ifndef _declspec
#define _declspec(what) _WINREGION_DECLSPEC_##what
#endif

#define _WINREGION_DECLSPEC_
#define _WINREGION_DECLSPEC_align(bytes) __attribute__((__aligned__(bytes)))
#define _WINREGION_DECLSPEC_allocate(segment)
#define _WINREGION_DECLSPEC_allocator
#define _WINREGION_DECLSPEC_code_seg(segment)
#define _WINREGION_DECLSPEC_deprecated __attribute__((__deprecated__))
#define _WINREGION_DECLSPEC_dllexport __attribute__((__visibility__("default")))
#define _WINREGION_DECLSPEC_dllimport
#define _WINREGION_DECLSPEC_empty_bases
#define _WINREGION_DECLSPEC_guard(how)
#define _WINREGION_DECLSPEC_intrin_type
#define _WINREGION_DECLSPEC_naked __attribute__((__naked__))
#define _WINREGION_DECLSPEC_noalias
#define _WINREGION_DECLSPEC_noinline __attribute__((__noinline__))
#define _WINREGION_DECLSPEC_noreturn __attribute__((__noreturn__))
#define _WINREGION_DECLSPEC_nothrow __attribute__((__nothrow__))
#define _WINREGION_DECLSPEC_novtable
#define _WINREGION_DECLSPEC_restrict __attribute__((__malloc__))
#define _WINREGION_DECLSPEC_safebuffers
#define _WINREGION_DECLSPEC_selectany __attribute__((__weak__))
#define _WINREGION_DECLSPEC_spectre(how)
#define _WINREGION_DECLSPEC_thread __thread
#define _WINREGION_DECLSPEC_uuid(text)

#define DECLSPEC_ALIGN(bytes) __attribute__((__aligned__(bytes)))
#define DECLSPEC_CACHEALIGN __attribute__((__aligned__(64)))
#define DECLSPEC_DEPRECATED __attribute__((__deprecated__))
#define DECLSPEC_IMPORT
#define DECLSPEC_NOINLINE __attribute__((__noinline__))
#define DECLSPEC_NORETURN __attribute__((__noreturn__))
#define DECLSPEC_SELECTANY __attribute__((__weak__))
#define DECLSPEC_ALLOCATOR
#define DECLSPEC_UUID(text)

/* Conventions of families of functions */
#ifndef WINAPI
#define WINAPI
#endif
#ifndef WINAPIV
#define WINAPIV
#endif
#ifndef NTAPI
#define NTAPI
#endif
#ifndef APIENTRY
#define APIENTRY
#endif
#ifndef CALLBACK
#define CALLBACK
#endif
#ifndef PASCAL
#define PASCAL
#endif
#ifndef CDECL
#define CDECL
#endif
#ifndef FAR
#define FAR
#endif
#ifndef NEAR
#define NEAR
#endif
#ifndef WINBASEAPI
#define WINBASEAPI
#endif
#ifndef WINADVAPI
#define WINADVAPI
#endif
#ifndef NTSYSAPI
#define NTSYSAPI
#endif
#ifndef NTSYSCALLAPI
#define NTSYSCALLAPI
#endif

#ifndef EXTERN_C
#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif
#endif

#endif /* _WINREGION_KEYWORDS_H */
