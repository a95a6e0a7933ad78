// SPDX-License-Identifier: MIT
// audit_internal: what the files of the audit share: the rows of a job, and the verdict in the making. Only audit*.c include it.
// Pure.
#pragma once

#include "daemon/scheduler/audit.h"
#include "daemon/scheduler/plan.h"

/* A segment: its policy is read. */
struct audit_plan {
        uint32_t segment;
        bool is_readable;    /* when is valid */
        bool has_other_data; /* a calendar whose zones had other data: its instants can't be computed any more */
        struct job_when when;
        int64_t anchor_us, first_key;
        struct agenda_slot at; /* of a calendar: the slot that was asked for last */
        int64_t offset_us;     /* REALTIME minus BOOTTIME at its begin */
};

/* What is looked at of a run. */
struct audit_run {
        uint64_t run;
        uint32_t segment;
        int64_t key, slot_rt_us;
        bool has_slot; /* a schedule's: OnBoot= has no key */
};

struct audit {
        struct agendas *agendas;
        struct audit_plan *plans; /* by number, each once */
        size_t n_plans, allocated_plans;
        struct ledger_range *ranges; /* of the schedule first, by segment and key, then those of boots */
        size_t n_ranges, allocated_ranges;
        size_t n_scheduled;     /* of them of the schedule */
        struct audit_run *runs; /* by segment and key */
        size_t n_runs, allocated_runs;
        uint64_t *numbers; /* of the same runs, rising */
        size_t allocated_numbers;
        struct ledger_clock *clocks; /* by boot */
        size_t n_clocks, allocated_clocks;
        int64_t oldest_told_rt_us; /* when the oldest row was told: retention took only what was told before */
        int64_t latest_rt_us;      /* the latest instant that anybody has lived through */
        int64_t set_us; /* how far the wall clock was set, all steps together: what it showed at a slot is known up to that */
        /* while judging */
        const struct audit_terms *terms;
        struct audit_verdict *verdict;
};

/* A number of the file, kept where sums of three do not overflow. */
static inline int64_t audit_tame(int64_t us) {
        return us > INT64_MAX / 4 ? INT64_MAX / 4 : us < INT64_MIN / 4 ? INT64_MIN / 4 : us;
}
/* Counts a fault, and lists it while there is room. */
void audit_fault(struct audit *a, const struct audit_fault *fault);
/* The nominal instant of a key as wall-clock time; INT64_MAX where it is not known: of a fixed delay, of a
 * calendar by other data, and of what no plan reaches. Instants and keys are below a quarter of what a number can be, so sums of three do not overflow. */
int64_t audit_nominal_rt(const struct audit *a, struct audit_plan *p, int64_t key);
/* Where the way of a calendar to a key is too long to be walked: true if an instant is a slot of it; its keys are counted from there on. */
bool audit_takes(const struct audit *a, struct audit_plan *p, int64_t key, int64_t rt_us);
/* The plan of a segment that has begun before the mark was set, or NULL. */
const struct audit_plan *audit_find_plan(const struct audit *a, uint32_t segment);
/* The place of the first range of the schedule that may reach a key of a segment or what is behind it. */
size_t audit_find_range(const struct audit *a, uint32_t segment, int64_t key);
bool audit_has_run(const struct audit *a, uint64_t run);
/* Slots of first..last that the mark has open: they wait, or their run is on its way. */
uint64_t audit_count_open(const struct audit *a, uint32_t segment, int64_t first, int64_t last);
/* True where retention may have taken away what is of an instant. */
bool audit_is_trimmed(const struct audit *a, int64_t rt_us);

/* audit_slots.c: the slots of one plan against its ranges [from, to). */
void audit_slots(struct audit *a, struct audit_plan *p, size_t from, size_t to);
/* audit_runs.c: the runs against the slots, both ways. */
void audit_runs(struct audit *a);
