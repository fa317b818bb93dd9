/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - memory nodes, and the processors that are near to them
 */
/* First, as it includes this one. */
#include "windows.h"

#ifndef _WINREGION_SYSTEMTOPOLOGYAPI_H
#define _WINREGION_SYSTEMTOPOLOGYAPI_H

#include "minwindef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Rules VX-13, VX-14. Other calls for nodes are in <winregion/winbase.h>. */
BOOL WINAPI GetNumaHighestNodeNumber(PULONG highest);
BOOL WINAPI GetNumaNodeProcessorMaskEx(USHORT node, PGROUP_AFFINITY mask);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_SYSTEMTOPOLOGYAPI_H */
