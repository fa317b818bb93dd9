/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer of sections: several processes that take turns, and what they share.
 *
 *	share_model.c		what sections and views must do
 *	share_generate.c	makes up an operation
 *	share_execute.c		does it, and compares with the model
 *	share_noise.c		what processes do whose turn it is not
 *	share_episode.c		processes: turns, forks, kills, and file systems
 *
 * Operations are those of fuzz.h, done one after the other, each by the process
 * whose turn it is. The model is in memory that all of them share: so it knows what
 * each of them must see of what the others have done. Whose turn it is not sleeps,
 * or makes noise: calls about views of its own that change nothing for others.
 *
 * What operations mean by their fields: @odd is the process, @value a view, handle,
 * file or process of it, range[0] offset, length and protection in that. With @nr a
 * PROTECT or COMMIT is one of so many ranges, each of the view that is its @space.
 */
#ifndef _FUZZ_SHARE_H
#define _FUZZ_SHARE_H

#include "fuzz.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define SHARE_FILES 9
#define SHARE_SECTIONS 10
#define SHARE_HANDLES 7
#define SHARE_VIEWS 7
#define SHARE_PAGES 576U /* more than a large page */
#define SHARE_WORDS 3
#define SHARE_MAIL 4
#define SHARE_PIECES 4
#define SHARE_LENGTH (SHARE_PAGES * MODEL_PAGE)

/* Where given addresses are, in each process */
#define SHARE_ARENA 0x200000000000ULL
#define SHARE_ARENA_LENGTH (64 * MODEL_UNIT)

enum share_kind {
	SHARE_NONE,
	SHARE_CREATE,	/* value: file; flags: of it; range[1]: access, pieces */
	SHARE_CLOSE,
	SHARE_DUPLICATE, /* range[0].length: access */
	SHARE_PASS,	/* range[0].length: to whom */
	SHARE_MAP,	/* range[1]: address, commit; flags: see below */
	SHARE_LOAD,	/* an image in two parts; flags: in the arena */
	SHARE_UNMAP,
	SHARE_MUNMAP,	/* by the system call; flags: only a part, is refused */
	SHARE_PROTECT,
	SHARE_COMMIT,
	SHARE_DECOMMIT,
	SHARE_RELEASE,
	SHARE_QUERY,
	SHARE_QUERY_SECTION,
	SHARE_QUERY_FILE,
	SHARE_EXTEND,
	SHARE_FLUSH,
	SHARE_INFO,
	SHARE_READ,	/* range[0].length: what; flags: which word */
	SHARE_WRITE,
	SHARE_READ_CALL,
	SHARE_WRITE_CALL,
	SHARE_REMOTE_READ, /* range[1].length: whose view */
	SHARE_REMOTE_WRITE,
	SHARE_ADVISE,	/* flags: madvise()'s */
	SHARE_DROP,
	SHARE_PREAD,
	SHARE_PWRITE,
	SHARE_TRUNCATE,	/* range[0].length: to what */
	SHARE_PUNCH,
	SHARE_SYNC,
	SHARE_PLAIN_MAP,
	SHARE_PLAIN_UNMAP,
	SHARE_PLAIN_READ,
	SHARE_PLAIN_WRITE,
	SHARE_FORK,	/* value: the child's slot */
	SHARE_EXIT,
	SHARE_KILL,	/* flags: while it makes noise; value: whom */
	SHARE_NOISE,	/* value: whom; flags: begin, or end */
	SHARE_VERIFY,
	SHARE_KINDS
};

/* Flags of SHARE_MAP */
#define SHARE_FIXED 1
#define SHARE_TOP_DOWN 2	/* within the arena */
#define SHARE_OTHER_KIND 4	/* the bytes of what is no image, or the reverse */

/* Flags of a protect or commit */
#define SHARE_WHOLE 1		/* of all of the view */

/* The first files; those behind them are memory. */
enum share_where {
	SHARE_MEMFD,
	SHARE_TMPFS,
	SHARE_DISK,
	SHARE_MEMORY
};

/* Flag of SHARE_CREATE, beside those of the ioctl: its file cannot be written. */
#define SHARE_READER 0x100

/* What is wrong with the pieces of an image that SHARE_CREATE tells */
enum share_spoilt {
	SHARE_SOUND,
	SHARE_NO_PIECE,		/* there is none */
	SHARE_MANY_PIECES,	/* more than there may be */
	SHARE_NO_LIST,		/* nothing is where they should be */
	SHARE_ODD_ADDRESS,
	SHARE_FAR_ADDRESS,	/* behind the end of the section */
	SHARE_NO_LENGTH,
	SHARE_ENDLESS,		/* its end is no number any more */
	SHARE_MORE_BYTES,	/* than its length */
	SHARE_BEHIND_FILES,	/* where no file has anything */
	SHARE_BEHIND_NUMBERS,	/* the same, and no number either */
	SHARE_RESERVED,		/* what must be 0 is not */
	SHARE_NO_RIGHTS,
	SHARE_EXCHANGED,	/* two pieces, in their order */
	SHARE_OVERLAPPING,
	SHARE_SPOILT
};

/**
 * struct share_page - one page of a file
 * @word: its contents at share_word_offset()
 * @committed: by the section that it is memory of
 */
struct share_page {
	uint32_t word[SHARE_WORDS];
	bool committed;
};

/* @size is in bytes; of memory it never changes. */
struct share_file {
	bool used;
	uint64_t size;
	struct share_page page[SHARE_PAGES];
};

/* @piece: of an image, in memory that has their contents */
struct share_section {
	bool used;
	uint8_t file;
	uint32_t flags;
	uint32_t protection;
	uint64_t size;
	uint32_t nr_pieces;
	struct winregion_piece piece[SHARE_PIECES];
};

/* A descriptor; those of a forked child have the same numbers. */
struct share_handle {
	bool used;
	uint8_t section;
	uint32_t access;
	int fd;
};

/* A page of a view, and its own contents, if it has been copied */
struct share_own {
	uint16_t protection;
	bool copied;
	uint32_t word[SHARE_WORDS];
};

struct share_view {
	bool used;
	uint8_t section;
	uint32_t allocation;
	uint32_t pages;
	uint32_t first;		/* its first page's number in the file */
	uint64_t image;		/* where the image lies that it is a part of, or 0 */
	bool executes;		/* what can be read of it can be executed */
	uint64_t base;
	struct share_own page[SHARE_PAGES];
};

/* Mappings of files by mmap(), one of each file */
struct share_process {
	bool alive;
	struct share_handle handle[SHARE_HANDLES];
	struct share_view view[SHARE_VIEWS];
	uint64_t plain[SHARE_MEMORY];
};

/**
 * struct share_world - in memory that all processes share
 * @bug: 0, or which deliberate mistake the model makes
 * @huge: the tmpfs has large pages
 * @at: the operation that is going on
 * @end: how many there are
 * @random: for who makes up operations
 * @over: all must end
 * @finishing: all operations are done
 * @leaving: 1 + the slot of who has the turn and is about to exit, or 0
 * @expected: by bits, who is to be gone
 * @role: what each does: enum share_role, a futex
 * @pid: of the processes; 0 once it is gone, a futex
 * @file: the files
 * @section: the sections
 * @process: the processes
 * @mail: descriptors that have been sent to a slot, and not been fetched
 */
struct share_world {
	unsigned int bug;
	bool huge;
	unsigned int at;
	unsigned int end;
	uint64_t random;
	uint32_t over;
	bool finishing;
	unsigned int leaving;
	uint32_t expected;
	uint32_t role[SHARE_PROCESSES];
	pid_t pid[SHARE_PROCESSES];
	struct share_file file[SHARE_FILES];
	struct share_section section[SHARE_SECTIONS];
	struct share_process process[SHARE_PROCESSES];
	struct share_handle mail[SHARE_PROCESSES][SHARE_MAIL];
};

enum share_role { SHARE_SLEEPS, SHARE_ACTS, SHARE_MAKES_NOISE, SHARE_ENDS };

enum share_bug {
	SHARE_BUG_GUARD = 1,	/* another process sets a guard off */
	SHARE_BUG_COMMIT,	/* a commit is for one view only */
	SHARE_BUG_TRUNCATE,	/* what is cut off comes back */
	SHARE_BUG_FORK,		/* a child's pages are as the view was mapped */
	SHARE_BUG_COPY,		/* what should be a copy is written for all */
	SHARE_BUG_SHOWN,	/* a copy is shown as one that is still to come */
	SHARE_BUG_KEPT,		/* a copy is gone once it must not be written */
	SHARE_BUG_CHILD,	/* a child has none of the copies */
	SHARE_BUG_CHARGE,	/* charged is only what has been copied */
	SHARE_BUG_SEVERAL,	/* of several ranges all were as before the call */
	SHARE_BUG_PIECES,	/* a piece goes on behind its bytes */
	SHARE_BUG_RIGHTS,	/* all may write what is in a piece */
	SHARE_BUG_PARTS,	/* a part of an image is unmapped alone */
	SHARE_BUG_ORDER,	/* pieces may be in any order, and overlap */
	SHARE_BUGS
};

/* What a call may fail with; none: it must succeed. */
#define SHARE_ERRORS 8

struct share_must {
	unsigned int nr;
	int error[SHARE_ERRORS];
};

/**
 * struct share - what one process works with
 * @fuzz: report and file to print to
 * @me: its slot
 * @compared: the operation that is going on had something to be compared
 * @file: descriptors of the files, to write, and only to read
 * @scratch: a file for system calls
 * @post: sockets to each slot, and each slot's own
 */
struct share {
	struct fuzz fuzz;
	struct share_world *world;
	struct op *ops;
	unsigned int me;
	bool generate;
	bool compared;
	int fd;
	int file[SHARE_MEMORY][2];
	int scratch;
	int post[SHARE_PROCESSES][2];
};

static inline struct share_process *share_self(struct share *share)
{
	return &share->world->process[share->me];
}

/* share_model.c */
enum share_result {
	SHARE_WORKS,
	SHARE_SEGV,
	SHARE_BUS,
	SHARE_EITHER	/* works, or not for being behind the end of the file */
};

/* The program, or a system call of its own, or one of another process */
enum share_access { SHARE_BY_ITSELF, SHARE_BY_OTHERS };

void share_init(struct share_world *world, unsigned int bug, uint64_t seed);
bool share_allows(const struct share_must *must, int ret);
unsigned int share_word_offset(unsigned int word);
struct share_file *share_file_of(struct share_world *world,
				 const struct share_view *view);
bool share_is_reserve(const struct share_world *world,
		      const struct share_view *view);
uint64_t share_committed(const struct share_world *world,
			 const struct share_view *view);
bool share_writes_itself(const struct share_world *world,
			 const struct share_view *view, uint32_t page);
uint32_t *share_words(struct share_world *world, struct share_view *view,
		      uint32_t page);
void share_collect(struct share_world *world);
uint64_t share_file_needs(const struct share_world *world, unsigned int file);
unsigned int share_alive(const struct share_world *world);
unsigned int share_views(const struct share_process *process);
int share_free_handle(const struct share_process *process);
bool share_is_free(const struct share_process *process, uint64_t base,
		   uint64_t length);
uint64_t share_highest_place(const struct share_process *process,
			     uint64_t length);

int share_create(struct share_world *world, unsigned int me,
		 struct winregion_create_section *arg, unsigned int file,
		 struct share_must *must);
int share_create_image(struct share_world *world, unsigned int me,
		       struct winregion_create_section *arg, unsigned int file,
		       unsigned int memory, const struct winregion_piece *piece,
		       struct share_must *must);
int share_duplicate(struct share_world *world, unsigned int me,
		    unsigned int handle, uint32_t access,
		    struct share_must *must);
int share_map(struct share_world *world, unsigned int me, unsigned int handle,
	      struct winregion_map_view *arg, struct share_must *must);
void share_unmap(struct share_world *world, unsigned int me,
		 struct share_view *view, struct winregion_unmap_view *arg);
void share_change(struct share_world *world, struct share_view *view,
		  unsigned int kind, struct winregion_range *range,
		  struct share_must *must);
void share_change_several(struct share_world *world, struct share_view **views,
			  unsigned int kind, struct winregion_range *ranges,
			  unsigned int nr, struct share_must *must);
void share_describe(struct share_world *world, struct share_view *view,
		    uint32_t page, struct winregion_run *run);
enum share_result share_access(struct share_world *world,
			       struct share_view *view, uint32_t page,
			       bool write, enum share_access how);
enum share_result share_behind(const struct share_world *world,
			       unsigned int file, uint32_t page);
void share_truncate(struct share_world *world, struct share_file *file,
		    uint64_t size);
void share_punch(struct share_file *file, uint32_t first, uint32_t pages);
void share_forked(struct share_world *world, unsigned int parent,
		  unsigned int child);
void share_gone(struct share_world *world, unsigned int who);

/* share_generate.c */
uint32_t share_random(struct share_world *world, uint32_t below);
void share_generate(struct share *share, struct op *op);

/* share_noise.c */
void share_noise(struct share *share);

/* share_execute.c; false: there is a difference */
extern const char *const share_names[SHARE_KINDS];
void share_print(FILE *file, unsigned int at, const struct op *op);
bool share_execute(struct share *share, const struct op *op);
bool share_verify(struct share *share);
bool share_fetch(struct share *share);

/* share_episode.c; as episode.c has it */
int share_run(struct fuzz_episode *episode, struct op *ops, unsigned int nr,
	      bool generate, FILE *print);
bool share_fork(struct share *share, unsigned int slot);
bool share_kill(struct share *share, unsigned int slot);
bool share_set_noise(struct share *share, unsigned int slot, bool on);

#endif /* _FUZZ_SHARE_H */
