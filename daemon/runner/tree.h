// SPDX-License-Identifier: MIT
// tree: all processes of a run: its session and process group, their descendants, what left both and was re-parented to us
// with the run's CHIMED_RUN_ID in its environment, and what was one of these before. A thread of its own reads /proc, one pass for
// all that was asked. A run with a cgroup is what is in it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/core/loop.h"
#include "daemon/runner/cgroup.h"
#include "daemon/runner/pass.h"

#define TREE_RUN_ID_MAX    PASS_RUN_ID_MAX
#define TREE_MEMBERS_MAX   16384 /* processes that are remembered between passes, of all runs */
#define TREE_DEAD_LINE_MAX 544   /* bytes of what names a runner, with the end of the line */
#define TREE_NAMES_MAX     160   /* bytes of the names of a run's processes, with the NUL */

struct tree;

/* A process that was found to be of a run, or of a dead runner (0): when its parent has ended meanwhile, nothing else may tell. */
struct tree_member {
        uint64_t run, start_time;
        pid_t pid;
};

/* On the heap; zero-initialised it is empty. */
struct tree_members {
        struct tree_member *list;
        size_t n, allocated;
};

struct tree_callbacks {
        /* n processes of the run were alive (zombies are not) when the signal was sent; names: "sleep, sh", as far as they fit, with
         * nothing in them that a terminal might obey;
         * "" where a cgroup has told. */
        void (*on_result)(void *userdata, uint64_t run, uint32_t n, const char *names);
        /* The same of what dead runners have left. */
        void (*on_dead)(void *userdata, uint32_t n, const char *names);
        /* A zombie child of ours: reap it if nobody waits for it. */
        void (*on_zombie)(void *userdata, pid_t pid);
};

/* cgroups: borrowed, NULL where there are none. */
int tree_new(struct loop *loop, const struct cgroups *cgroups, const struct tree_callbacks *callbacks, void *userdata,
             struct tree **ret);
/* Waits for the pass under way, for two seconds at most: the process is about to end. */
struct tree *tree_free(struct tree *tree);

/* Whose processes are meant. */
struct tree_run {
        uint64_t number; /* of the run, not 0 */
        pid_t main_pid;  /* names its session */
        int main_pidfd;  /* says until when that number is the main process's */
        char id[TREE_RUN_ID_MAX];
        int cgroup_fd; /* the folder of its cgroup; -1: none */
};

/* Sends signal (0: none, only count) to each process of the run, and CONT behind any but KILL. on_result follows. The descriptors are
 * borrowed: the request has its own. 0, -ENOMEM, -EMFILE, -ENFILE.
 *
 * No stranger gets it, even if the run is over before the request is served and its numbers and names are others' by then: what a pass
 * has found counts only if the main process was not reaped until its end; each process that was found must still have its start time
 * when its pidfd is there; and a cgroup that was taken away is no other's. Only where /proc can't be read is a number used, that of the
 * process group, as soon as it is known that the main process is not reaped. */
int tree_signal(struct tree *tree, const struct tree_run *run, int signal);
/* Sends KILL to what these runners have left. Each has a line: its id and, where that is known, a blank and the cgroup v2 that its runs
 * were in or below. Meant is, in that cgroup, what bears the id of such a run and has no parent, and of its descendants what bears one
 * or what such a process could have ended itself. on_dead follows. 0, -ENOMEM. */
int tree_kill_dead(struct tree *tree, const char *runners);
/* Takes the cgroup of a run away. 0, -ENOMEM. */
int tree_remove_cgroup(struct tree *tree, const char *cgroup);
/* Whether any process was re-parented to us, dead or alive, beside n_known that were children of the program before this one: else nothing
 * is left of a run whose main process has ended. */
bool tree_has_orphans(const struct tree *tree, size_t n_known);
/* Asks for on_zombie only. 0, -ENOMEM. */
int tree_find_zombies(struct tree *tree);
/* Those that it remembers, borrowed until something is asked. Only while it is idle. */
const struct tree_members *tree_members(const struct tree *tree);
/* Takes those that another tree has remembered, before anything is asked; members is empty then. */
void tree_remember(struct tree *tree, struct tree_members *members);
/* Whether nothing that was asked is still to be done or told. */
bool tree_is_idle(const struct tree *tree);
