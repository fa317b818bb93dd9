/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Variables that all running instances of a program share
 *
 *	static LONG instances WINREGION_SHARED = 0;
 *
 * is what a variable between #pragma data_seg("Shared") and #pragma data_seg() is
 * on Windows, in a program or DLL linked with /SECTION:Shared,RWS. See
 * winregion_share(3).
 *
 * The file that is linked has these variables in a section of its own, which is
 * replaced by shared memory before main(). It begins and ends with a page: each
 * source that includes this header adds an empty part to its end that is aligned
 * to a page.
 */
#ifndef _WINREGION_SHARED_H
#define _WINREGION_SHARED_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

void winregion_share(void *first, void *end);

#pragma GCC visibility pop

#define WINREGION_SHARED \
	__attribute__((__section__("winregion_shared"), __used__))

__asm__(".pushsection winregion_shared, 8000, \"aw\", @progbits\n"
	".balign 4096\n"
	".popsection\n");

extern char __start_winregion_shared[]
	__attribute__((__visibility__("hidden"), __weak__));
extern char __stop_winregion_shared[]
	__attribute__((__visibility__("hidden"), __weak__));

/* Before all that is initialised without a priority */
__attribute__((__constructor__(101), __unused__)) static void
winregion_share_all(void)
{
	winregion_share(__start_winregion_shared, __stop_winregion_shared);
}

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_SHARED_H */
