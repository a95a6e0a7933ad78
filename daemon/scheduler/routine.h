// SPDX-License-Identifier: MIT
// routine: what hosted jobs do day in, day out, gathered between two writings: of each job one range of slots that ran, and where it can't
// keep up one of those that were missed between them.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/ledger.h"

/* Of one job. */
struct routine {
        uint32_t job;
        uint64_t era;      /* in which it was made, the keeper's */
        int64_t first_key; /* of all slots that were noted; INT64_MAX: none was */
        struct ledger_range ran,
                missed;    /* without a job; n 0: none was. Where slots ran and were missed in turn each range leaves out what
                                          * the other has */
        uint64_t last_run; /* of those that ran */
};

/* In no order: the last takes the place of one that is taken. */
struct routines {
        struct routine *list;
        size_t n, allocated;
        uint32_t *places; /* by job: place + 1, 0: there is none */
        size_t n_places;
};

void routines_done(struct routines *r);
/* That of a job, or NULL; borrowed until the next is made or taken. */
struct routine *routines_find(const struct routines *r, uint32_t job);
/* The same, made in an era if need be; NULL without memory. */
struct routine *routines_get(struct routines *r, uint32_t job, uint64_t era);
/* Takes that of a job out; false: there is none. */
bool routines_take(struct routines *r, uint32_t job, struct routine *ret);
/* One more slot that ran, or some that were missed: those are known before the run has ended that they came behind. False where the ranges
 * can't say so: then it is as before. */
bool routine_add(struct routine *t, const struct ledger_range *one);
