// SPDX-License-Identifier: MIT
// identity: User=, Group= and SupplementaryGroups= to numbers, groups, home and shell, and the names of Allow= to numbers, through the system's name services.
// May block for long: only short-lived programs (the reader, the tools) call it.
#pragma once

#include "config/job.h"

/* Remembers the last answers, so that a thousand jobs of one user ask once. Zero-initialise; identity_cache_done() frees. */
struct identity_cache {
        struct identity_entry *list;
        size_t n;
        struct identity_name *names; /* of Allow= */
        size_t n_names;
};

void identity_cache_done(struct identity_cache *cache);

/* Fills the resolved members of job->what, and the rights of job->when: without Allow= the user that the job runs as, unless it is
 * root, may trigger it. Without any of them nothing is set and the job runs as the runner's user.
 * A User= or Group= given as a number needs no entry in the data base. User=chimed is refused, by
 * whatever name: it is the scheduler's own.
 * Where the caller is not root, only the caller's own user and groups are accepted, and no RootDirectory=.
 * Returns 0; 1 where it is unknown or refused (told in diags at the job's place); -ENOMEM. */
int identity_resolve(struct identity_cache *cache, struct job *job, struct diags *diags);
