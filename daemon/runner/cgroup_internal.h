// SPDX-License-Identifier: MIT
// cgroup_internal: what cgroup.c (the cgroup of a run) and cgroups.c (what was given to us) share.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "daemon/runner/cgroup.h"

#define CGROUP_DEPTH_MAX 32 /* of cgroups that a job makes below its own */

struct cgroups {
        unsigned controllers; /* that jobs/ has for its children */
        int dir_fd, jobs_fd;
        int lock_fd; /* locked: nobody else has jobs/ */
};

/* Reads a small file of the kernel's as text. 0 or a negative error. */
int cgroup_read_text(int dir_fd, const char *path, char *buf, size_t size);
int cgroup_write_text(int dir_fd, const char *path, const char *text);
/* The number behind a key in lines of "KEY NUMBER". 0, or -EBADMSG: it is not there. */
int cgroup_find_number(const char *text, const char *key, uint64_t *ret);
/* A descriptor or a negative error. */
int cgroup_open_folder(int dir_fd, const char *name);
/* Calls fn for each child, with its name. The first error ends it. */
int cgroup_for_each_child(int dir_fd, int (*fn)(int dir_fd, const char *name, void *userdata), void *userdata);
/* The members of one cgroup, without those of its children: at most max. How many there are in pids, or a negative error. */
int cgroup_read_members(int dir_fd, pid_t *pids, int max);
