/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_ERRAND_H
#define _WR_ERRAND_H

#include <linux/completion.h>
#include <linux/sched.h>

/**
 * struct wr_errand - what a kernel thread does for a task
 * @act: what it does; it returns 0 or an error
 * @free: frees the errand, and what it needs
 * @caller: the task, until the thread has become like it
 * @thread: who does it
 * @killed: it is not to be begun any more
 * @state: who is to free it; of the first who changes it
 * @ret: what @act has returned
 * @done: it has
 */
struct wr_errand {
	int (*act)(struct wr_errand *errand);
	void (*free)(struct wr_errand *errand);
	struct task_struct *caller;
	struct task_struct *thread;
	bool killed;
	enum wr_errand_state {
		WR_ERRAND_RUNS,
		WR_ERRAND_DONE, /* the caller is */
		WR_ERRAND_LEFT, /* the thread is */
	} state;
	int ret;
	struct completion done;
};

int wr_errand_begin(struct wr_errand *errand);
void wr_errand_kill(struct wr_errand *errand);
int wr_errand_finish(struct wr_errand *errand);
bool wr_errand_leave(struct wr_errand *errand);
void wr_errand_must_end(void);
void wr_errand_free(struct wr_errand *errand);

#endif /* _WR_ERRAND_H */
