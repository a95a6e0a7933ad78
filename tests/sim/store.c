// SPDX-License-Identifier: MIT
// store: a row is one struct whatever its kind; the batch it belongs to is its number.

#include "tests/sim/store.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scheduler/audit.h"
#include "daemon/scheduler/plan.h"
#include "tests/sim/calendars.h"

enum row_kind { ROW_JOB, ROW_RANGE, ROW_SEGMENT, ROW_HORIZON, ROW_LIFE, ROW_LAST, ROW_RUN, ROW_CLOCK, ROW_GROUP };

struct store_row {
        uint64_t number;
        enum row_kind kind;
        char name[32];
        struct job_image image;
        struct job_when when;
        struct ledger_range range;
        struct ledger_segment segment; /* its text is owned */
        struct ledger_run run;
        struct ledger_clock clock;
        struct store_group group;
        struct clock_sample horizon;
        uint8_t instance[16];
        uint8_t boot;
};

static void fail(struct store *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct store *s, const char *format, ...) {
        if (s->error[0])
                return;
        va_list ap;
        va_start(ap, format);
        vsnprintf(s->error, sizeof(s->error), format, ap);
        va_end(ap);
}

static void free_text(struct ledger_segment *segment) {
        free((char *)segment->when);
        segment->when = NULL;
}

static void drop_rows(struct store *s) {
        for (size_t i = 0; i < s->n_rows; i++)
                if (s->rows[i].kind == ROW_SEGMENT)
                        free_text(&s->rows[i].segment);
                else if (s->rows[i].kind == ROW_JOB)
                        image_done(&s->rows[i].image);
        s->n_rows = 0;
}

void store_done(struct store *s) {
        drop_rows(s);
        for (size_t i = 0; i < s->n_kept; i++)
                if (s->kept[i].kind == STORE_KEPT_SEGMENT)
                        free_text(&s->kept[i].segment);
        for (size_t i = 0; i < s->n_jobs; i++)
                image_done(&s->jobs[i].image);
        free(s->kept);
        free(s->rows);
        *s = (struct store){0};
}

static struct store_row *add(struct store *s, enum row_kind kind, const char *name) {
        if (s->n_rows == s->allocated_rows) {
                s->allocated_rows = s->allocated_rows * 2 + 64;
                s->rows = realloc(s->rows, s->allocated_rows * sizeof(*s->rows));
                if (!s->rows)
                        abort();
        }
        struct store_row *row = &s->rows[s->n_rows++];
        *row = (struct store_row){.number = s->number + 1, .kind = kind};
        snprintf(row->name, sizeof(row->name), "%s", name);
        return row;
}

/* ---- what the keeper writes ---- */

static void put_job(void *userdata, const struct ledger_job *job) {
        struct store_row *row = add(userdata, ROW_JOB, job->name);
        char *description = NULL;
        if (image_decode(job->plan, job->plan_size, &row->image) < 0 ||
            job_when_parse(job->when, strlen(job->when), &sim_agendas, &row->when, &description) != 0)
                fail(userdata, "%s: an image that can't be read back: %.150s", job->name, job->when);
        agenda_unref(row->when.agenda); /* the table keeps it */
        free(description);
}

static void put_run(void *userdata, const struct ledger_run *run) {
        add(userdata, ROW_RUN, run->job)->run = *run;
}

static void put_range(void *userdata, const struct ledger_range *range) {
        const struct store *s = userdata;
        if (s->planted == 14 && range->item == WIRE_ITEM_CHAIN) /* what became of a child is not written */
                return;
        add(userdata, ROW_RANGE, range->job)->range = *range;
}

static void put_segment(void *userdata, const struct ledger_segment *segment) {
        struct store_row *row = add(userdata, ROW_SEGMENT, segment->job);
        row->segment = *segment;
        row->segment.when = strdup(segment->when);
}

static void put_clock(void *userdata, const struct ledger_clock *clock) {
        add(userdata, ROW_CLOCK, "")->clock = *clock;
}

static void put_group(void *userdata, const struct ledger_group *group) {
        add(userdata, ROW_GROUP, "")->group =
                (struct store_group){.is_held = group->hold.by != NULL, .until_rt_us = group->hold.until_rt_us};
        struct store *s = userdata;
        snprintf(s->rows[s->n_rows - 1].group.name, sizeof(s->rows[0].group.name), "%s", group->name);
}

static uint64_t commit(void *userdata) {
        struct store *s = userdata;
        struct store_row *row = add(s, ROW_LAST, "");
        row->horizon = s->now;
        row->boot = s->now_boot;
        return ++s->number;
}

const struct keeper_sink store_sink = {
        .job = put_job,
        .run = put_run,
        .range = put_range,
        .segment = put_segment,
        .clock = put_clock,
        .group = put_group,
        .commit = commit,
};

void store_put_horizon(struct store *s, struct clock_sample horizon, uint8_t boot) {
        struct store_row *row = add(s, ROW_HORIZON, "");
        row->horizon = horizon;
        row->boot = boot;
}

void store_put_start(struct store *s, struct clock_sample now, const uint8_t boot_id[static 16]) {
        struct ledger_clock clock = {.kind = LEDGER_CLOCK_START, .at = now};
        memcpy(clock.boot_id, boot_id, sizeof(clock.boot_id));
        put_clock(s, &clock);
}

void store_put_life(struct store *s, const uint8_t instance[static 16]) {
        memcpy(add(s, ROW_LIFE, "")->instance, instance, 16);
}

/* ---- what becomes durable ---- */

static struct store_job *find(struct store *s, const char *name) {
        for (size_t i = 0; i < s->n_jobs; i++)
                if (strcmp(s->jobs[i].name, name) == 0)
                        return &s->jobs[i];
        if (s->n_jobs == STORE_JOBS)
                abort();
        struct store_job *job = &s->jobs[s->n_jobs++];
        snprintf(job->name, sizeof(job->name), "%s", name);
        return job;
}

const struct store_job *store_find(const struct store *s, const char *name) {
        for (size_t i = 0; i < s->n_jobs; i++)
                if (strcmp(s->jobs[i].name, name) == 0)
                        return &s->jobs[i];
        return NULL;
}

static void account(struct store *s, struct store_job *job, int64_t first, int64_t last) {
        size_t at = 0;
        while (at < job->n_ranges && job->ranges[at].last < first)
                at++;
        if (first < job->first_key)
                fail(s, "ledger: %s: slot %lld before the first of segment %u", job->name, (long long)first, job->segment);
        if (at < job->n_ranges && job->ranges[at].first <= last) {
                fail(s, "ledger: %s: slots %lld..%lld of segment %u have two outcomes", job->name, (long long)first,
                     (long long)last, job->segment);
                return;
        }
        if (at > 0 && job->ranges[at - 1].last + 1 == first)
                job->ranges[--at].last = last;
        else if (job->n_ranges == STORE_RANGES) {
                fail(s, "ledger: %s: too many gaps", job->name);
                return;
        } else {
                memmove(&job->ranges[at + 1], &job->ranges[at], (job->n_ranges - at) * sizeof(job->ranges[0]));
                job->ranges[at] = (struct store_range){first, last};
                job->n_ranges++;
        }
        if (at + 1 < job->n_ranges && job->ranges[at].last + 1 == job->ranges[at + 1].first) {
                job->ranges[at].last = job->ranges[at + 1].last;
                memmove(&job->ranges[at + 1], &job->ranges[at + 2], (job->n_ranges - at - 2) * sizeof(job->ranges[0]));
                job->n_ranges--;
        }
}

/* Slots that ran and were missed in turn are two rows that leave out each other's: together they are all, but for that of a run in flight. */
static bool account_loose(struct store *s, struct store_job *job, const struct ledger_range *range) {
        bool is_near = job->n_loose > 0 && range->first <= job->loose.last && range->last >= job->loose.first;
        if (!is_near && range->n == (uint64_t)(range->last - range->first) + 1)
                return false;
        if (job->n_loose > 0 && !is_near)
                fail(s, "ledger: %s: slots %lld..%lld of segment %u: %llu have an outcome", job->name,
                     (long long)job->loose.first, (long long)job->loose.last, job->segment, (unsigned long long)job->n_loose);
        if (!is_near)
                job->loose = (struct store_range){range->first, range->last};
        job->loose.first = range->first < job->loose.first ? range->first : job->loose.first;
        job->loose.last = range->last > job->loose.last ? range->last : job->loose.last;
        job->n_loose += range->n;
        uint64_t span = (uint64_t)(job->loose.last - job->loose.first) + 1;
        if (job->n_loose > span)
                fail(s, "ledger: %s: slots %lld..%lld of segment %u have %llu outcomes", job->name, (long long)job->loose.first,
                     (long long)job->loose.last, job->segment, (unsigned long long)job->n_loose);
        if (job->n_loose == span) {
                account(s, job, job->loose.first, job->loose.last);
                job->n_loose = 0;
        }
        return true;
}

static void drop_owed(struct store_job *job, size_t i) {
        size_t n_after = --job->n_owed - i;
        memmove(&job->owed[i], &job->owed[i + 1], n_after * sizeof(job->owed[0]));
        memmove(&job->owed_segment[i], &job->owed_segment[i + 1], n_after * sizeof(job->owed_segment[0]));
}

static void owe(struct store_job *job, uint32_t segment, int64_t first, int64_t last) {
        if (first > last)
                return;
        if (job->n_owed == STORE_OWED) /* the oldest have no one who waits */
                drop_owed(job, 0);
        job->owed[job->n_owed] = (struct store_range){first, last};
        job->owed_segment[job->n_owed++] = segment;
}

static bool pay(struct store_job *job, const struct ledger_range *range) {
        for (size_t i = 0; i < job->n_owed; i++) {
                struct store_range left = job->owed[i];
                if (job->owed_segment[i] != range->segment || range->first < left.first || range->last > left.last)
                        continue;
                drop_owed(job, i);
                owe(job, range->segment, left.first, range->first - 1);
                owe(job, range->segment, range->last + 1, left.last);
                return true;
        }
        return false;
}

static void apply_range(struct store *s, struct store_job *job, const struct ledger_range *range) {
        if (range->item != WIRE_ITEM_SCHEDULE)
                return;
        if (job->segment == 0) { /* its first plan comes behind in the same batch */
                job->segment = range->segment;
                job->first_key = INT64_MIN;
        }
        if (range->segment == job->segment) {
                if (!account_loose(s, job, range))
                        account(s, job, range->first, range->last);
        } else if (!pay(job, range))
                fail(s, "ledger: %s: %s slots %lld..%lld of segment %u, the plan is segment %u", job->name,
                     slot_outcome_to_string(range->outcome), (long long)range->first, (long long)range->last, range->segment,
                     job->segment);
}

/* The plan before is over: its gaps are what waits, or is on its way to its runner. */
static void apply_segment(struct store *s, struct store_job *job, const struct ledger_segment *segment) {
        if (segment->segment == job->segment && job->first_key == INT64_MIN) {
                job->anchor_us = segment->anchor_us;
                job->first_key = segment->first_key;
                return;
        }
        if (job->segment == 0) /* its first plan was over before it was written */
                owe(job, segment->segment - 1, INT64_MIN, INT64_MAX - 1);
        if (segment->segment <= job->segment)
                fail(s, "ledger: %s: segment %u after %u", job->name, segment->segment, job->segment);
        if (job->n_ranges > 0)
                owe(job, job->segment, job->first_key, job->ranges[0].first - 1);
        for (size_t i = 0; i + 1 < job->n_ranges; i++)
                owe(job, job->segment, job->ranges[i].last + 1, job->ranges[i + 1].first - 1);
        owe(job, job->segment, job->n_ranges > 0 ? job->ranges[job->n_ranges - 1].last + 1 : job->first_key, INT64_MAX - 1);
        job->segment = segment->segment;
        job->anchor_us = segment->anchor_us;
        job->first_key = segment->first_key;
        job->n_ranges = 0;
        job->n_loose = 0;
}

/* Slots of the plan at hand that the image has open. */
static int64_t open_slots(const struct store_job *job) {
        const struct job_image *i = &job->image;
        int64_t n = (int64_t)image_count_open(i, i->segment, INT64_MIN, i->key - 1);
        if (i->merging.is_open && i->merging.segment == i->segment)
                n += i->merging.last - i->merging.first + 1;
        return n;
}

/* The mark and the account agree. */
static void check_job(struct store *s, const struct store_job *job) {
        const struct job_image *i = &job->image;
        if (i->segment == 0 || job->segment == 0)
                return;
        if (i->segment != job->segment) {
                fail(s, "ledger: %s: the image is of segment %u, the plan of %u", job->name, i->segment, job->segment);
                return;
        }
        int64_t accounted = (int64_t)job->n_loose, beyond = job->n_loose > 0 && job->loose.last >= i->key;
        for (size_t k = 0; k < job->n_ranges; k++) {
                accounted += job->ranges[k].last - job->ranges[k].first + 1;
                if (job->ranges[k].last >= i->key)
                        beyond += job->ranges[k].last - (job->ranges[k].first > i->key ? job->ranges[k].first : i->key) + 1;
        }
        if (accounted - beyond + open_slots(job) != i->key - job->first_key || beyond > 0)
                fail(s, "ledger: %s: segment %u: mark at %lld, %lld slots accounted for, %lld open, %lld beyond it", job->name,
                     job->segment, (long long)(i->key - job->first_key), (long long)accounted, (long long)open_slots(job),
                     (long long)beyond);
}

static struct store_kept *keep(struct store *s, const struct store_job *job) {
        if (s->n_kept == s->allocated_kept) {
                s->allocated_kept = s->allocated_kept * 2 + 256;
                s->kept = realloc(s->kept, s->allocated_kept * sizeof(*s->kept));
                if (!s->kept)
                        abort();
        }
        s->kept[s->n_kept] = (struct store_kept){.job = job};
        return &s->kept[s->n_kept++];
}

/* A run is put when it begins, if that is told, and again when it has ended. */
static void keep_run(struct store *s, const struct store_job *job, const struct ledger_run *run) {
        if (run->end.result != RUN_RESULT_NONE && run->run.is_told)
                return;
        struct store_kept *kept = keep(s, job);
        kept->kind = STORE_KEPT_RUN;
        kept->run = *run;
}

static void apply_group(struct store *s, const struct store_group *group) {
        size_t i = 0;
        while (i < s->n_groups && strcmp(s->groups[i].name, group->name) != 0)
                i++;
        if (i == STORE_GROUPS)
                abort();
        s->n_groups += i == s->n_groups;
        s->groups[i] = *group;
}

static void apply(struct store *s, struct store_row *row) {
        struct store_job *job = row->name[0] ? find(s, row->name) : NULL;
        struct store_kept *kept;
        switch (row->kind) {
        case ROW_JOB:
                image_done(&job->image);
                job->image = row->image;
                row->image.line = NULL; /* they have gone over */
                row->image.beside = NULL;
                row->image.parcels = NULL;
                row->image.n_line = row->image.n_beside = row->image.n_parcels = 0;
                job->when = row->when;
                job->has_image = true;
                break;
        case ROW_RANGE:
                kept = keep(s, job);
                kept->kind = STORE_KEPT_RANGE;
                kept->range = row->range;
                apply_range(s, job, &row->range);
                break;
        case ROW_SEGMENT:
                kept = keep(s, job);
                kept->kind = STORE_KEPT_SEGMENT;
                kept->segment = row->segment; /* its text is taken */
                apply_segment(s, job, &row->segment);
                break;
        case ROW_RUN:
                keep_run(s, job, &row->run);
                break;
        case ROW_CLOCK:
                kept = keep(s, NULL);
                kept->kind = STORE_KEPT_CLOCK;
                kept->clock = row->clock;
                break;
        case ROW_HORIZON:
                if (s->planted == 8) /* a claim that never gets to the disk */
                        break;
                s->horizon = row->horizon;
                s->boot = row->boot;
                break;
        case ROW_LAST:
                s->last = row->horizon;
                s->last_boot = row->boot;
                break;
        case ROW_GROUP:
                apply_group(s, &row->group);
                break;
        case ROW_LIFE:
                memcpy(s->instance, row->instance, sizeof(s->instance));
                break;
        }
}

/* A job's row gets to the disk before the commit that it belongs to. */
static void reorder(struct store *s, uint64_t number) {
        for (size_t i = 0; i < s->n_rows; i++)
                if (s->rows[i].number > number && s->rows[i].kind == ROW_JOB)
                        apply(s, &s->rows[i]);
}

void store_sync(struct store *s, uint64_t number) {
        size_t n = 0;
        if (s->planted == 10)
                reorder(s, number);
        while (n < s->n_rows && s->rows[n].number <= number) {
                bool is_last = n + 1 == s->n_rows || s->rows[n + 1].number != s->rows[n].number;
                apply(s, &s->rows[n++]);
                if (!is_last)
                        continue;
                for (size_t i = n; i > 0 && s->rows[i - 1].number == s->rows[n - 1].number; i--)
                        if (s->rows[i - 1].kind == ROW_JOB)
                                check_job(s, store_find(s, s->rows[i - 1].name));
        }
        memmove(s->rows, s->rows + n, (s->n_rows - n) * sizeof(*s->rows));
        s->n_rows -= n;
        if (number > s->committed) {
                s->n_commits += number - s->committed;
                s->committed = number;
        }
}

void store_cut(struct store *s) {
        drop_rows(s);
        s->number = s->committed;
}

/* ---- the audit ---- */

static void add_kept(struct audit *a, const struct store_job *job, const struct store_kept *kept) {
        int r = 0;
        if (kept->kind == STORE_KEPT_CLOCK || kept->job != job)
                return;
        if (kept->kind == STORE_KEPT_RANGE)
                r = audit_add_range(a, &kept->range);
        else if (kept->kind == STORE_KEPT_SEGMENT)
                r = audit_add_segment(a, &kept->segment);
        else
                r = audit_add_run(a, &kept->run);
        if (r < 0)
                abort();
}

/* The wall clock went far back: what has no key may come again at the same instant. */
static bool has_old_time_line(const struct store *s, const struct store_job *job) {
        int64_t latest_us = INT64_MIN + ENGINE_STEP_LIMIT_US; /* none yet */
        for (size_t i = 0; i < s->n_kept; i++) {
                const struct store_kept *kept = &s->kept[i];
                if (kept->kind != STORE_KEPT_RANGE || kept->job != job)
                        continue;
                if (kept->range.told_rt_us < latest_us - ENGINE_STEP_LIMIT_US)
                        return true;
                if (kept->range.told_rt_us > latest_us)
                        latest_us = kept->range.told_rt_us;
        }
        return false;
}

/* A slot's instant on BOOTTIME is told by the wall clock, which may be another after a reboot; one on the wall clock is exact. */
static bool is_fault(const struct store *s, const struct store_job *job, const struct audit_fault *f) {
        if (f->kind == AUDIT_DOUBLE && f->segment == 0 && has_old_time_line(s, job))
                return false;
        for (size_t i = 0; f->kind == AUDIT_INSTANT && i < s->n_kept; i++) {
                const struct store_kept *kept = &s->kept[i];
                if (kept->kind == STORE_KEPT_SEGMENT && kept->job == job && kept->segment.segment == f->segment) {
                        struct job_when when = sim_when(kept->segment.when);
                        /* where both are one, the plan's is not known: it lies behind the latest that any clock showed in the ledger */
                        return plan_is_wall(&when) && f->first_rt_us != f->last_rt_us;
                }
        }
        return f->kind != AUDIT_INSTANT;
}

static void audit_job(struct store *s, struct audit *a, const struct store_job *job, const struct audit_terms *terms,
                      struct audit_verdict *verdict) {
        audit_reset(a);
        for (size_t i = s->n_kept; i > 0; i--)
                add_kept(a, job, &s->kept[i - 1]);
        audit_finish(a, terms, verdict);
        if (verdict->n_faults == 0)
                return;
        const struct audit_fault *f = &verdict->faults[0];
        while (f < verdict->faults + verdict->n_listed && !is_fault(s, job, f))
                f++;
        if (f == verdict->faults + verdict->n_listed)
                return;
        fail(s,
             "audit: %s: %s: %" PRIu64 " slots, %" PRId64 "..%" PRId64 " of segment %u at %" PRId64 " (%" PRId64
             "), run %" PRIu64 "; %" PRIu64 " faults",
             job->name, audit_fault_to_string(f->kind), f->n, f->first, f->last, f->segment, f->first_rt_us, f->last_rt_us,
             f->run, verdict->n_faults);
}

uint64_t store_audit(struct store *s, struct clock_sample now) {
        static struct audit_verdict verdict;
        struct audit *a;
        uint64_t n = 0;
        if (audit_new(&sim_agendas, &a) < 0)
                abort();
        for (size_t i = 0; i < s->n_kept; i++)
                if (s->kept[i].kind == STORE_KEPT_CLOCK && audit_add_clock(a, &s->kept[i].clock) < 0)
                        abort();
        for (size_t i = 0; i < s->n_jobs; i++) {
                const struct store_job *job = &s->jobs[i];
                struct audit_terms terms = {.image = job->has_image ? &job->image : NULL,
                                            .now_rt_us = now.rt_us,
                                            .since_rt_us = INT64_MIN,
                                            .has_all_runs = true};
                audit_job(s, a, job, &terms, &verdict);
                for (int k = 0; k < SLOT_OUTCOME_MAX; k++)
                        n += verdict.slots[k];
        }
        audit_free(a);
        return n;
}
