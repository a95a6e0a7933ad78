// SPDX-License-Identifier: MIT
// pass: one look at all processes of the machine, as /proc shows them: who is whose child, and which run's id each bears.
// It may hang where /proc does, so it is not for the loop's thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PASS_RUN_ID_MAX 64

struct process {
        pid_t pid, parent, group, session;
        bool is_dead; /* and not reaped; one whose first thread alone has ended lives */
        char name[16];
        bool is_member; /* the caller's */
        uint64_t start_time;
        size_t parent_index;          /* SIZE_MAX: not in the pass */
        char run_id[PASS_RUN_ID_MAX]; /* what CHIMED_RUN_ID says, which anybody can write; "": not set, or not looked at */
};

struct pass {
        int proc_fd;          /* of the folder, borrowed */
        pid_t own_pid;        /* of its children the run ids are read, */
        bool reads_all_ids;   /* or those of all */
        struct process *list; /* by number */
        size_t n, allocated;
        char *environ_buffer;
};

/* Reads them, in place of what it holds. 0; -ENOMEM, or what reading the folder says. */
int pass_read(struct pass *pass);
void pass_done(struct pass *pass);
/* The process of that number in the pass, or NULL. */
struct process *pass_find(const struct pass *pass, pid_t pid);
/* The real user: a program with its owner's rights is still of whoever started it. (uid_t)-1 where there is none to know. */
uid_t pass_user(const struct pass *pass, pid_t pid);
/* Whether the process is in that cgroup v2, or below it. */
bool pass_is_in_cgroup(const struct pass *pass, pid_t pid, const char *cgroup);
/* Sends signal to the process, and CONT behind any but KILL; not to one that has its number by now. */
void pass_signal(const struct pass *pass, const struct process *p, int signal);
