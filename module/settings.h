/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_SETTINGS_H
#define _WR_SETTINGS_H

#include <linux/types.h>

/* The numbers are those of vm.overcommit_memory. */
enum wr_overcommit {
	WR_OVERCOMMIT_GUESS,
	WR_OVERCOMMIT_ALWAYS,
	WR_OVERCOMMIT_NEVER,
};

void wr_settings_init(void);
void wr_settings_exit(void);
enum wr_overcommit wr_settings_overcommit(void);
void wr_settings_refresh(void);
unsigned long wr_settings_left(bool admin);
bool wr_settings_accounts_pages(void);
unsigned long wr_settings_max_maps(bool now);
unsigned int wr_settings_swappiness(void);
void wr_settings_boot_option(const char *option,
			     void (*each)(char *value, void *data), void *data);

#endif /* _WR_SETTINGS_H */
