// SPDX-License-Identifier: MIT
// cgroup_names: which cgroups of runs there are: JOB@1, and JOB@2 and on where runs of a job are in flight at once. They are kept for the
// next run, the latest CGROUP_KEPT_MAX of them: to begin in one that is there costs less than to make and remove one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/runner/cgroup.h"

#define CGROUP_KEPT_MAX 256

struct cgroup_entry {
        char name[CGROUP_NAME_MAX];
        struct cgroup cgroup; /* lent to a launch while one is under way */
        bool is_used;         /* by a run */
        bool is_suspect;      /* it may have processes, or not be as it was made: to be made anew */
        struct cgroup_entry *next;
        struct cgroup_entry *newer, *older; /* of those that are not used */
};

struct cgroup_names {
        struct cgroup_entry **buckets;
        size_t n, n_buckets, n_kept;
        struct cgroup_entry *newest, *oldest;
};

void cgroup_names_done(struct cgroup_names *names);
/* Takes the first one of the job that no run uses. Gives it through ret, the table's until cgroup_names_give(); -ENOMEM. */
int cgroup_names_take(struct cgroup_names *names, const char *job, struct cgroup_entry **ret);
/* One that is not there yet, used by a run: name is of a cgroup that was made before us. As cgroup_names_take(). */
int cgroup_names_add(struct cgroup_names *names, const char *name, struct cgroup_entry **ret);
/* The entry of that name, or NULL. */
struct cgroup_entry *cgroup_names_find(const struct cgroup_names *names, const char *name);
/* The run is over: it is kept. */
void cgroup_names_give(struct cgroup_names *names, struct cgroup_entry *entry);
/* Forgets one that no run uses: the one kept for longest where there are too many, else one whose job is not there (is_there NULL: all
 * are). Its name is printed, for the cgroup to be removed. False where none has to go. */
bool cgroup_names_drop(struct cgroup_names *names, bool (*is_there)(void *userdata, const char *job), void *userdata,
                       char name[static CGROUP_NAME_MAX]);
