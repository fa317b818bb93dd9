// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * smaps of /proc: a line that names a mapping, lines that say more of it, the last
 * one its flags
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "smaps.h"

#define FLAGS "VmFlags:"

bool wr_smaps_open(struct wr_smaps *smaps, const struct wr_target *target)
{
	*smaps = (struct wr_smaps){ .file = wr_target_file(target, "smaps") };

	return smaps->file;
}

void wr_smaps_close(struct wr_smaps *smaps)
{
	if (smaps->file)
		fclose(smaps->file);
	free(smaps->line);
}

static bool has_flag(const char *line, const char *flag)
{
	return strstr(line + strlen(FLAGS), flag);
}

bool wr_smaps_next(struct wr_smaps *smaps, struct wr_mapping *mapping)
{
	unsigned long first, end, kilobytes;

	*mapping = (struct wr_mapping){ 0 };
	while (getline(&smaps->line, &smaps->room, smaps->file) > 0) {
		const char *line = smaps->line;

		if (sscanf(line, "Rss: %lu", &kilobytes) == 1) {
			mapping->resident = kilobytes * 1024;
		} else if (!strncmp(line, FLAGS, strlen(FLAGS))) {
			mapping->locked = has_flag(line, " lo");
			mapping->large = has_flag(line, " ht");
			return true;
		} else if (!mapping->end &&
			   sscanf(line, "%lx-%lx ", &first, &end) == 2) {
			mapping->first = first;
			mapping->end = end;
		}
	}

	return false;
}
