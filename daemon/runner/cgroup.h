// SPDX-License-Identifier: MIT
// cgroup: a part of the cgroup v2 tree that was given to us: the runner moves into a leaf of it, each run gets a cgroup of its own.
// What is done to one cgroup are a few system calls, which any thread may make. cgroup_names.h says which ones there are.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/job.h"

#define CGROUP_NAME_MAX (JOB_NAME_MAX + 12) /* JOB@N with the NUL: no file of the kernel's has an @ in its name */
#define CGROUP_WHY_MAX  512

struct cgroups;

enum cgroup_controller {
        CGROUP_CPU = 1,
        CGROUP_MEMORY = 2,
        CGROUP_PIDS = 4,
};

/* Takes what `option` names: NULL or "auto": our own cgroup where systemd has delegated it to us and nobody else is in it; "own": the
 * same on the caller's word that it is ours; "none": nothing; else a folder in a cgroup v2. Moves the calling process into its leaf "runner", so before there are threads. No two
 * processes can have the same one. Prints into why what could not be had: where nothing is given, the reason; else "" or what lacks.
 * 0: *ret is given; 1: there is none to have (auto, own); a negative error. */
int cgroups_open(const char *option, struct cgroups **ret, char why[static CGROUP_WHY_MAX]);
/* Takes NULL, returns NULL. The cgroups stay. */
struct cgroups *cgroups_free(struct cgroups *cgroups);
/* The cgroup v2 that ours is and those of all runs are below, by its path there; NULL: there are no others than our own. 0;
 * -ENAMETOOLONG; another negative error where there is none. */
int cgroups_own(const struct cgroups *cgroups, char *path, size_t size);
/* Ends all processes that a runner before us has left in the cgroups of runs, waits for their end, at most patience_us, and takes
 * the cgroups away. Returns how many processes there were; *ret_n_left: how many cgroups could not be emptied. */
unsigned cgroups_empty(struct cgroups *cgroups, int64_t patience_us, unsigned *ret_n_left);

/* Calls fn with the name of each cgroup of a run that is there, and their folder; the first error ends it. 0 or a negative error. */
int cgroups_each(const struct cgroups *cgroups, int (*fn)(int dir_fd, const char *name, void *userdata), void *userdata);

/* What the cgroups of runs can limit and tell: enum cgroup_controller, or'ed. */
unsigned cgroups_controllers(const struct cgroups *cgroups); /* NULL: none */

/* The same, of what a cgroup of this machine could have at best. */
unsigned cgroups_possible(void);

/* One cgroup of runs while we have it open. */
struct cgroup {
        int dir_fd;     /* its folder; -1: not open */
        int peak_fd;    /* tells the memory of one run; -1: this can't be had, and the cgroup is good for one run only */
        int64_t cpu_us; /* what runs before have used */
        uint64_t oom_kills;
        bool has_limits;   /* runs before had */
        bool has_own_peak; /* of this run, not of runs before */
};

#define CGROUP_NONE ((struct cgroup){.dir_fd = -1, .peak_fd = -1})

/* Has the cgroup of that name ready for the next run, within what `what` says of memory, processor time and tasks: opened and made where
 * it is not; anew where is_fresh. 0 or a negative error, upon which it is to be closed. */
int cgroup_prepare(const struct cgroups *cgroups, const char *name, const struct job_what *what, bool is_fresh,
                   struct cgroup *cgroup);
/* Opens one that is there, with a run in it or without. As above. */
int cgroup_open(const struct cgroups *cgroups, const char *name, struct cgroup *cgroup);
/* It is open no more, and stays. */
void cgroup_close(struct cgroup *cgroup);
/* Sends signal to all processes of the cgroup whose folder dir_fd is and those of its children, and CONT behind any but KILL; 0: counts
 * only. The process main_pid, of which main_pidfd is (-1: none), gets it even if it has left. Returns how many are in it, or a negative
 * error, also where it was taken away: never is it done to another one of the same name. -EOPNOTSUPP: it was made one of threads, which
 * the kernel does not kill as a whole. */
int cgroup_signal(int dir_fd, pid_t main_pid, int main_pidfd, int signal);
/* Takes it away with its children. 0; -EBUSY: it has processes; another negative error. */
int cgroup_remove(const struct cgroups *cgroups, const char *name);

struct cgroup_state {
        bool has_processes; /* it or its children */
        bool is_frozen;
        int64_t cpu_us;       /* of all that ever ran in it */
        uint64_t memory_peak; /* bytes; 0: not known */
        uint64_t oom_kills;   /* of processes in it, ever */
};

/* Whether it has no processes, nor its children have any. */
bool cgroup_is_empty(const struct cgroup *cgroup);
/* What it is like now. 0 or a negative error. */
int cgroup_look(const struct cgroups *cgroups, const struct cgroup *cgroup, struct cgroup_state *ret);

/* As clone() with CLONE_VM, CLONE_VFORK, CLONE_PIDFD and CLONE_CHILD_SETTID, but that the child begins in the cgroup. stack is the
 * lowest byte. The child's pid; -ENOSYS where this can't be done here: the child is to move itself; another negative error. */
pid_t cgroup_clone(int dir_fd, int (*fn)(void *), void *argument, void *stack, size_t stack_size, int *pidfd, pid_t *child_pid);
