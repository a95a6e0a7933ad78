// SPDX-License-Identifier: MIT
// leftovers: what is told of processes that a run left behind. How they are ended is in runs.c: as a run is.

#include <stdio.h>

#include "config/duration.h"
#include "daemon/runner/runner_internal.h"

#define TOLD_A_MINUTE 20 /* runs of all jobs; the rest is counted */

/* Whether one more may be told now. */
static bool is_due(struct leftovers *l, int64_t now_bt_us) {
        if (l->n_told == 0 || now_bt_us - l->minute_bt_us >= USEC_PER_MINUTE) {
                l->minute_bt_us = now_bt_us;
                l->n_told = 0;
        }
        if (l->n_told < TOLD_A_MINUTE) {
                l->n_told++;
                return true;
        }
        l->n_untold++;
        return false;
}

void leftovers_tell(struct runner *runner, const struct run *run, uint32_t n, const char *names) {
        struct leftovers *l = &runner->leftovers;
        char id[TREE_RUN_ID_MAX], more[64] = "";

        if (!is_due(l, clock_now().bt_us))
                return;
        runs_print_id(runner, run, id);
        if (l->n_untold > 0)
                snprintf(more, sizeof(more), "; so did %llu runs before that were not told", (unsigned long long)l->n_untold);
        l->n_untold = 0;
        struct journal_record r = journal_begin(runner->journal, EVENT_LEFT_BEHIND);
        journal_field(&r, "CHIMED_JOB", "%s", run->name);
        journal_field(&r, "CHIMED_RUN_ID", "%s", id);
        journal_field_i64(&r, "CHIMED_COUNT", n);
        journal_field_i64(&r, "OBJECT_PID", run->pid);
        journal_send(&r, "%s: its program has ended and left %u process%s behind, which %s ended%s%s%s", run->name, (unsigned)n,
                     n == 1 ? "" : "es", n == 1 ? "is" : "are", *names ? ": " : "", names, more);
}
