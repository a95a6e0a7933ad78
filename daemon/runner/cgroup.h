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

/* Takes what `option` names: NULL or "auto": our own cgroup where systemd has delegated it to us and nobody else is in it; "none":
 * nothing; else a folder in a cgroup v2. Moves the calling process into its leaf "runner", so before there are threads. No two
 * processes can have the same one. Prints into why what could not be had: where nothing is given, the reason; else "" or what lacks.
 * 0: *ret is given; 1: there is none to have (auto); a negative error. */
int cgroups_open(const char *option, struct cgroups **ret, char why[static CGROUP_WHY_MAX]);
/* Takes NULL, returns NULL. The cgroups stay. */
struct cgroups *cgroups_free(struct cgroups *cgroups);
/* Ends all processes that a runner before us has left in the cgroups of runs, waits for their end, at most patience_us, and takes
 * the cgroups away. Returns how many processes there were; *ret_n_left: how many cgroups could not be emptied. */
unsigned cgroups_empty(struct cgroups *cgroups, int64_t patience_us, unsigned *ret_n_left);

/* Calls fn with the name of each cgroup of a run that is there, and their folder; the first error ends it. 0 or a negative error. */
int cgroups_each(const struct cgroups *cgroups, int (*fn)(int dir_fd, const char *name, void *userdata), void *userdata);

/* Makes the cgroup of that name, or one anew where is_fresh. Returns a descriptor of its folder, to be closed by the caller, or a negative
 * error. */
int cgroup_make(const struct cgroups *cgroups, const char *name, bool is_fresh);
/* Sends signal to all its processes and those of its children, and CONT behind any but KILL; 0: counts only. The process main_pid (0:
 * none), whose number is no other's, gets it even if it has left. Returns how many are in it, or a negative error. */
int cgroup_signal(const struct cgroups *cgroups, const char *name, pid_t main_pid, int signal);
/* Takes it away with its children. 0; -EBUSY: it has processes; another negative error. */
int cgroup_remove(const struct cgroups *cgroups, const char *name);

struct cgroup_state {
        bool has_processes; /* it or its children */
        bool is_frozen;
        int64_t cpu_us; /* of all that ever ran in it */
};

/* What the cgroup of that folder is like now. 0 or a negative error. */
int cgroup_look(int dir_fd, struct cgroup_state *ret);

/* As clone() with CLONE_VM, CLONE_VFORK, CLONE_PIDFD and CLONE_CHILD_SETTID, but that the child begins in the cgroup. stack is the
 * lowest byte. The child's pid; -ENOSYS where this can't be done here: the child is to move itself; another negative error. */
pid_t cgroup_clone(int dir_fd, int (*fn)(void *), void *argument, void *stack, size_t stack_size, int *pidfd, pid_t *child_pid);
