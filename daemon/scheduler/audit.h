// SPDX-License-Identifier: MIT
// audit: compares what the ledger has of a job with its recorded plan: every slot of every segment up to its mark has exactly one
// outcome, at its instant, and every run its slot. By ranges and division: an outage of a year costs what one of a second costs. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/image.h"
#include "daemon/scheduler/ledger.h"

#define AUDIT_FAULTS_MAX 100                   /* that are listed; all are counted */
#define AUDIT_SLACK_US   (100 * USEC_PER_MSEC) /* instants of BOOTTIME may be off by what reading two clocks may take */

enum audit_fault_kind {
        AUDIT_GAP,     /* slots without an outcome */
        AUDIT_DOUBLE,  /* slots with two */
        AUDIT_BEYOND,  /* outcomes of slots that the plan has not, or not yet */
        AUDIT_COUNT,   /* a row whose number is not that of the slots it spans */
        AUDIT_INSTANT, /* a row whose instants are not the plan's */
        AUDIT_NO_PLAN, /* outcomes of a segment that the ledger does not have */
        AUDIT_NO_RUN,  /* slots that ran, or were merged, and no run that did it */
        AUDIT_NO_SLOT, /* a run whose slot has not run */
        AUDIT_FAULT_MAX
};

/* "gap", "double", "beyond", "count", "instant", "no-plan", "no-run", "no-slot"; "invalid" outside the range. */
const char *audit_fault_to_string(enum audit_fault_kind kind);

struct audit_fault {
        enum audit_fault_kind kind;
        uint32_t segment;
        int64_t first, last; /* keys */
        uint64_t n;          /* slots */
        int64_t first_rt_us,
                last_rt_us; /* nominal instants, as far as they are known: of a fixed delay those of its neighbours */
        uint64_t run;       /* NO_RUN, NO_SLOT; else 0 */
};

struct audit_verdict {
        uint64_t slots[SLOT_OUTCOME_MAX]; /* by outcome */
        uint64_t n_runs, n_segments;
        uint64_t n_open;    /* slots that wait, or are on their way: no outcome is due yet */
        uint64_t n_trimmed; /* slots that retention has taken away over all times */
        /* Slots whose plan retention has taken away, that can't be read, that counted by other data of a zone, or that are too far
         * from the one before them in a calendar: of these only whether each has one outcome is looked at. */
        uint64_t n_unchecked;
        int64_t first_rt_us, last_rt_us; /* instants of the first and the last slot looked at; INT64_MAX, INT64_MIN: none was */
        uint64_t n_faults;
        size_t n_listed;
        struct audit_fault faults[AUDIT_FAULTS_MAX];
};

/* What is asked beside the rows. */
struct audit_terms {
        const struct job_image
                *image; /* as the ledger had it before the rows were read: says up to where slots must have an outcome;
                                        * NULL: nowhere. Borrowed */
        int64_t now_rt_us;
        int64_t since_rt_us; /* only slots from here on; INT64_MIN: all */
        uint64_t trimmed_slots, trimmed_runs;
        bool has_all_runs; /* those that are there were added; else runs are not looked for */
};

struct audit;

/* Calendars are read back into a table of agendas, which outlives the audit; NULL: they are not checked. 0, -ENOMEM. */
int audit_new(struct agendas *agendas, struct audit **ret);
struct audit *audit_free(struct audit *a);
/* Rows of one job, copied; ranges newest first, the others in any order; of clocks those of any time. 0, -ENOMEM. */
int audit_add_segment(struct audit *a, const struct ledger_segment *segment);
int audit_add_range(struct audit *a, const struct ledger_range *range);
int audit_add_run(struct audit *a, const struct ledger_run *run);
int audit_add_clock(struct audit *a, const struct ledger_clock *clock);
/* Forgets the rows but for those of clocks: another job comes. */
void audit_reset(struct audit *a);
/* Judges. */
void audit_finish(struct audit *a, const struct audit_terms *terms, struct audit_verdict *ret);
