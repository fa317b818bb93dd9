/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ends a tool from outside
 */
#ifndef _WINREGION_TOOLS_ENDS_H
#define _WINREGION_TOOLS_ENDS_H

/*
 * Has @handler called for each of @nr signals, but for those that are ignored: nohup(1)
 * ignores one, and so do shells of what they run in the background. SIGINT and SIGTERM are
 * taken in any case.
 */
void ends_catch(const int *signals, unsigned int nr, void (*handler)(int sig));

#endif /* _WINREGION_TOOLS_ENDS_H */
