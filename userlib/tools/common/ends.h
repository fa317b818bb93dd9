/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ends a tool from outside
 */
#ifndef _WINREGION_TOOLS_ENDS_H
#define _WINREGION_TOOLS_ENDS_H

/*
 * Takes note of each of @nr signals, but for those that are ignored: nohup(1) ignores one,
 * and so do shells of what they run in the background. SIGINT and SIGTERM are taken in any
 * case. What waits in the kernel is interrupted.
 */
void ends_catch(const int *signals, unsigned int nr);

/* In a program that is started: as if they had not been caught */
void ends_leave(const int *signals, unsigned int nr);

/* The last one that came, or 0; and how many have come */
int ends_signal(void);
unsigned int ends_count(void);

#endif /* _WINREGION_TOOLS_ENDS_H */
