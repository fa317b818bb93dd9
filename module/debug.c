// SPDX-License-Identifier: GPL-2.0
/* /sys/kernel/debug/winregion/memory: what all processes have, for who looks for errors. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "commit.h"
#include "debug.h"
#include "outfile.h"
#include "section.h"
#include "space.h"
#include "stash_in.h"
#include "status.h"

static struct dentry *directory;

static unsigned long pages_in(const struct wr_stash_sum *sum)
{
	return max(atomic_long_read(&sum->pages), 0L);
}

static int memory_show(struct seq_file *m, void *unused)
{
	struct wr_status status = {};
	struct wr_space *space = NULL;
	unsigned long total;

	while ((space = wr_space_next(space))) {
		if (wr_status_add(space, &status)) {
			wr_space_put(space);
			return -EINTR;
		}
	}
	seq_printf(m, "processes:\t%lu\n", status.spaces);
	wr_status_show(m, &status);
	seq_printf(m, "sections:\t%lu\n", wr_section_count());
	wr_commit_state(&total);
	wr_status_show_pages(m, "total", total);
	wr_status_show_pages(m, "freeable", pages_in(&wr_stash_sums[0]));
	wr_status_show_pages(m, "cold", pages_in(&wr_stash_sums[1]));
	wr_status_show_pages(m, "out", wr_outfile_used());
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(memory);

/* The module has come. Nobody needs it, so nothing is done where it fails. */
void wr_debug_init(void)
{
	directory = debugfs_create_dir("winregion", NULL);
	debugfs_create_file("memory", 0400, directory, NULL, &memory_fops);
}

/* The module goes. */
void wr_debug_exit(void)
{
	debugfs_remove(directory);
}
