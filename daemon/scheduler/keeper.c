// SPDX-License-Identifier: MIT
// keeper: which jobs have changed since the last commit is a list with a mark for each, so that a job that ticks a thousand times
// between two commits is written once.

#include "daemon/scheduler/keeper.h"
#include "daemon/scheduler/routine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of a job. */
struct mark {
        bool is_planned : 1;   /* the ledger has the plan at hand; a first one is written with its first event, not at load */
        uint32_t changed : 31; /* its place among those that have changed, + 1; 0: it has not */
};

#define KEPT_MAX 8 /* eras that wait for a commit to be durable: over it the latest of them waits for the next one */

/* A job that has changed since the last commit. */
struct change {
        uint32_t job;
        int64_t first_key; /* of the slots of its first plan that were written; INT64_MAX: none */
};

struct ack {
        uint64_t run, number; /* number 0: its commit is still to come */
};

struct keeper {
        struct keeper_sink sink;
        void *userdata;
        uint8_t boot_id[16];
        struct change *changed;
        size_t n_changed, allocated_changed;
        struct mark *marks; /* by row */
        size_t n_marks;
        struct routines routines;
        uint64_t era, sweep_era;  /* as it is now; what is older is being written */
        size_t cursor;            /* so many of the list of routines are still to be looked at for that, */
        size_t step;              /* so many at once */
        int64_t sweep_bt_us;      /* when to go on; INT64_MAX: nothing is routine */
        int64_t sweep_from_bt_us; /* when it began */
        bool is_sweeping, is_settling;
        struct kept_era {
                uint64_t era, number; /* of the commit */
        } kept[KEPT_MAX];
        size_t n_kept;
        uint64_t kept_era;
        struct ack *acks; /* a queue: oldest first, from first_ack */
        size_t first_ack, n_acks, allocated_acks;
        int64_t flush_bt_us;
        struct pack plan;
        bool has_failed;
};

int keeper_new(const struct keeper_sink *sink, void *userdata, const uint8_t boot_id[static 16], struct keeper **ret) {
        struct keeper *k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        k->sink = *sink;
        k->userdata = userdata;
        k->flush_bt_us = k->sweep_bt_us = INT64_MAX;
        memcpy(k->boot_id, boot_id, sizeof(k->boot_id));
        *ret = k;
        return 0;
}

struct keeper *keeper_free(struct keeper *k) {
        if (!k)
                return NULL;
        free(k->changed);
        free(k->marks);
        routines_done(&k->routines);
        free(k->acks);
        pack_done(&k->plan);
        free(k);
        return NULL;
}

static void flush_by(struct keeper *k, int64_t at_bt_us) {
        if (at_bt_us < k->flush_bt_us)
                k->flush_bt_us = at_bt_us;
}

int64_t keeper_next_flush(const struct keeper *k) {
        return duration_lower(k->flush_bt_us, k->sweep_bt_us);
}

void keeper_settle(struct keeper *k) {
        k->is_settling = true;
}

uint64_t keeper_era(const struct keeper *k) {
        return k->era;
}

bool keeper_has_failed(const struct keeper *k) {
        return k->has_failed;
}

/* ---- jobs ---- */

static void put_first_segment(struct keeper *k, struct engine *e, struct clock_sample now, uint32_t job, int64_t first_key);
static void put_routine(struct keeper *k, const struct engine *e, const struct book *b, struct routine *t);

/* first_key: of the slots of its first plan that were written; INT64_MAX: none is. */
static void put_job(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now, uint32_t job,
                    int64_t first_key) {
        struct job_image image;
        const struct job_when *when;
        char *text = NULL;
        struct routine routine;
        if (routines_take(&k->routines, job, &routine)) {
                put_routine(k, e, b, &routine);
                first_key = duration_lower(first_key, routine.first_key);
        }
        engine_take_image(e, now, job, &image, &when);
        int64_t open_key = image_first_open(&image);
        put_first_segment(k, e, now, job, first_key < open_key ? first_key : open_key);
        pack_clear(&k->plan);
        image_encode(&image, &k->plan);
        image_done(&image);
        if (pack_result(&k->plan) < 0 || job_when_print(when, NULL, &text) < 0) {
                k->has_failed = true;
                return;
        }
        const struct book_job *known = book_find(b, job);
        struct ledger_job row = {
                .name = engine_job_name(e, job),
                .when = text,
                .plan = k->plan.data,
                .plan_size = k->plan.size,
        };
        if (known) {
                row.counts = known->counts;
                row.hold = known->hold;
        }
        k->sink.job(k->userdata, &row);
        free(text);
}

/* The marks of a row, or NULL without memory. */
static struct mark *marks_of(struct keeper *k, uint32_t job) {
        if (job < k->n_marks)
                return &k->marks[job];
        size_t n = (size_t)job + job / 4 + 64;
        struct mark *p = realloc(k->marks, n * sizeof(*p));
        if (!p)
                return NULL;
        memset(p + k->n_marks, 0, (n - k->n_marks) * sizeof(*p));
        k->marks = p;
        k->n_marks = n;
        return &k->marks[job];
}

/* key: of a slot that is being written; INT64_MAX: none is. False without memory. */
static bool note_changed(struct keeper *k, uint32_t job, int64_t key) {
        struct mark *mark = marks_of(k, job);
        if (!mark)
                return false;
        if (mark->changed > 0) {
                struct change *change = &k->changed[mark->changed - 1];
                change->first_key = duration_lower(change->first_key, key);
                return true;
        }
        if (k->n_changed == k->allocated_changed) {
                size_t n = k->allocated_changed + k->allocated_changed / 2 + 64;
                struct change *p = realloc(k->changed, n * sizeof(*p));
                if (!p)
                        return false;
                k->changed = p;
                k->allocated_changed = n;
        }
        k->changed[k->n_changed++] = (struct change){.job = job, .first_key = key};
        mark->changed = (uint32_t)k->n_changed;
        return true;
}

/* The row will be another job's. */
static void forget(struct keeper *k, uint32_t job) {
        if (job >= k->n_marks)
                return;
        struct routine gone;
        uint32_t place = k->marks[job].changed;
        (void)routines_take(&k->routines, job, &gone);
        k->marks[job] = (struct mark){0};
        if (place == 0 || place == k->n_changed--)
                return;
        k->changed[place - 1] = k->changed[k->n_changed];
        k->marks[k->changed[place - 1].job].changed = place;
}

void keeper_has(struct keeper *k, uint32_t job) {
        struct mark *mark = marks_of(k, job);
        if (mark)
                mark->is_planned = true;
        else
                k->has_failed = true;
}

/* ---- rows ---- */

static struct ledger_range range_of_outcome(const char *name, struct clock_sample now, const struct action *a) {
        return (struct ledger_range){
                .job = name,
                .item = a->outcome.item,
                .segment = a->outcome.segment,
                .outcome = a->outcome.outcome,
                .reason = a->outcome.reason,
                .first = a->outcome.first,
                .last = a->outcome.last,
                .n = a->outcome.n,
                .first_rt_us = a->outcome.first_rt_us,
                .last_rt_us = a->outcome.last_rt_us,
                .run = a->outcome.run,
                .lag_us = a->outcome.lag_us,
                .told_rt_us = now.rt_us,
        };
}

static struct ledger_range range_of(const char *name, struct clock_sample now, const struct job_run *run) {
        return (struct ledger_range){
                .job = name,
                .item = run->item,
                .segment = run->segment,
                .outcome = SLOT_RAN,
                .first = run->key,
                .last = run->key,
                .n = 1,
                .first_rt_us = run->slot_rt_us,
                .last_rt_us = run->slot_rt_us,
                .run = run->run,
                .lag_us = run->lag_us,
                .told_rt_us = now.rt_us,
        };
}

/* The slot of a run is known to have run when the runner says so, not when it was decided. */
static void put_ran(struct keeper *k, const char *name, struct clock_sample now, const struct job_run *run) {
        if (!wire_item_is_slot(run->item))
                return;
        struct ledger_range range = range_of(name, now, run);
        k->sink.range(k->userdata, &range);
}

static void put_segment(struct keeper *k, struct engine *e, struct clock_sample now, uint32_t job, uint32_t number,
                        int64_t anchor_us, int64_t first_key, bool is_unknown) {
        const struct job_when *when = engine_plan_when(e, job);
        char *text = NULL;
        if (!is_unknown && job_when_print(when, NULL, &text) < 0) {
                k->has_failed = true;
                return;
        }
        struct ledger_segment segment = {
                .job = engine_job_name(e, job),
                .segment = number,
                .when = is_unknown ? "" : text,
                .anchor_us = anchor_us,
                .first_key = first_key,
                .offset_us = now.rt_us - now.bt_us,
                .begun_rt_us = now.rt_us,
        };
        memcpy(segment.boot_id, k->boot_id, sizeof(segment.boot_id));
        if (!is_unknown && when->agenda) {
                struct hash128 hash = agenda_hash(when->agenda);
                memcpy(segment.calendar, &hash, sizeof(segment.calendar));
        }
        k->sink.segment(k->userdata, &segment);
        free(text);
        keeper_has(k, job);
}

/* The first plan of a job is written with its first event. */
static void put_first_segment(struct keeper *k, struct engine *e, struct clock_sample now, uint32_t job, int64_t first_key) {
        const struct job_row *row = &engine_registry(e)->rows[job];
        const struct mark *mark = marks_of(k, job);
        if (row->segment > 0 && !mark)
                k->has_failed = true;
        else if (row->segment > 0 && !mark->is_planned)
                put_segment(k, e, now, job, row->segment, row->anchor_us, first_key, false);
}

static void put_clock(struct keeper *k, struct clock_sample now, enum ledger_clock_kind kind, int64_t by_us) {
        struct ledger_clock row = {.kind = kind, .at = now, .by_us = by_us};
        memcpy(row.boot_id, k->boot_id, sizeof(row.boot_id));
        k->sink.clock(k->userdata, &row);
}

static void put_change(struct keeper *k, struct clock_sample now, const struct clockstep *change) {
        if (change->slept_us > 0)
                put_clock(k, now, LEDGER_CLOCK_RESUME, change->slept_us);
        if (change->kind == CLOCKSTEP_SYNC)
                put_clock(k, now, LEDGER_CLOCK_SYNC, change->step_us);
        else if (change->kind != CLOCKSTEP_SUSPEND)
                put_clock(k, now, LEDGER_CLOCK_STEP, change->step_us);
}

static void put_group(struct keeper *k, const struct engine *e, struct clock_sample now, uint32_t group) {
        const struct group *g = &engine_groups(e)->list[group];
        const struct group_hold *hold = &g->hold;
        struct ledger_group row = {.name = g->name};
        if (hold->is_on)
                row.hold = (struct book_hold){
                        .by = hold->by,
                        .reason = hold->reason,
                        .at_rt_us = hold->at_rt_us,
                        .until_rt_us = hold->until_bt_us < INT64_MAX ? hold->until_bt_us + now.rt_us - now.bt_us : INT64_MAX,
                };
        k->sink.group(k->userdata, &row);
}

/* ---- routine ---- */

static void put_gathered(struct keeper *k, const char *name, struct ledger_range *range) {
        if (range->n == 0)
                return;
        range->job = name;
        k->sink.range(k->userdata, range);
        range->n = 0;
}

/* The ranges that were gathered, and the latest of its runs, unless a later one has a row of its own. */
static void put_routine(struct keeper *k, const struct engine *e, const struct book *b, struct routine *t) {
        bool has_run = t->ran.n > 0, is_missed_first = has_run && t->missed.n > 0 && t->missed.first < t->ran.first;
        if (!has_run && t->missed.n == 0)
                return;
        const struct book_job *known = book_find(b, t->job);
        const struct book_run *run = known ? known->last_good : NULL;
        const char *name = engine_job_name(e, t->job);
        put_gathered(k, name, is_missed_first ? &t->missed : &t->ran);
        put_gathered(k, name, is_missed_first ? &t->ran : &t->missed);
        if (has_run && run && run->run.run == t->last_run)
                k->sink.run(k->userdata, &(struct ledger_run){.job = name,
                                                              .run = run->run,
                                                              .end = run->end,
                                                              .value = run->value.data,
                                                              .value_size = run->value.size,
                                                              .is_routine = true});
}

/* A job that can't keep up misses slots between its runs, which come one after the other, or behind a start that was late. */
static bool is_routine_outcome(const struct engine *e, const struct action *a) {
        if (a->outcome.item != WIRE_ITEM_SCHEDULE)
                return false;
        bool is_late = a->outcome.reason == SLOT_REASON_OVERLAP || a->outcome.reason == SLOT_REASON_DEADLINE;
        return a->outcome.outcome == SLOT_RAN ||
               (a->outcome.outcome == SLOT_MISSED && is_late && engine_plan_when(e, a->job)->overlap != JOB_OVERLAP_PARALLEL);
}

/* What a hosted job does at each slot. Its image is written with what was gathered, at any instant before the next commit but one:
 * jobs that follow or are followed go with the others. */
static bool is_routine(const struct engine *e, const struct action *a) {
        const struct job_row *row = a->job == INDEX_NONE ? NULL : &engine_registry(e)->rows[a->job];
        if (!row || !row->is_hosted || row->is_parent || row->is_child)
                return false;
        if (a->kind == ACTION_ENDED)
                return a->run.is_routine;
        if (a->kind == ACTION_START)
                return a->start.item == WIRE_ITEM_SCHEDULE && !a->start.asks_conditions;
        return a->kind == ACTION_OUTCOME && is_routine_outcome(e, a);
}

/* False without memory: it is to be treated like all else. */
static bool note_routine(struct keeper *k, const struct engine *e, const struct book *b, struct clock_sample now,
                         const struct action *a) {
        int64_t key = a->kind == ACTION_START ? a->start.key : a->kind == ACTION_OUTCOME ? a->outcome.first : a->run.run.key;
        struct routine *t = routines_get(&k->routines, a->job, k->era);
        if (!t)
                return false;
        t->first_key = duration_lower(t->first_key, key);
        k->sweep_bt_us = duration_lower(k->sweep_bt_us, now.bt_us + KEEPER_ROUTINE_US);
        if (a->kind == ACTION_START || (a->kind == ACTION_OUTCOME && a->outcome.outcome == SLOT_RAN))
                return true; /* told by the end */
        struct ledger_range one;
        if (a->kind == ACTION_ENDED) {
                one = range_of(NULL, now, &a->run.run);
                one.result = a->run.end.result;
        } else
                one = range_of_outcome(NULL, now, a);
        if (routine_add(t, &one))
                return true;
        if (!note_changed(k, a->job, key)) /* the image must be of the same commit as the ranges that go now */
                return false;
        put_routine(k, e, b, t);
        return routine_add(t, &one);
}

/* Other rows of the job come behind what was gathered. */
static void release(struct keeper *k, const struct engine *e, const struct book *b, uint32_t job) {
        struct routine *t = job == INDEX_NONE ? NULL : routines_find(&k->routines, job);
        if (t)
                put_routine(k, e, b, t);
}

/* Writes some of those that were gathered before it began. True if these were the last. */
static bool sweep(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now) {
        const struct routines *r = &k->routines;
        if (!k->is_sweeping) {
                k->is_sweeping = true;
                k->sweep_era = ++k->era;
                k->sweep_from_bt_us = now.bt_us;
                k->cursor = r->n;
                k->step = r->n / KEEPER_STEPS > KEEPER_STEP_MIN ? r->n / KEEPER_STEPS : KEEPER_STEP_MIN;
        }
        if (k->cursor > r->n) /* what stood there has been taken */
                k->cursor = r->n;
        for (size_t i = 0; i < k->step && k->cursor > 0; i++)
                if (r->list[--k->cursor].era < k->sweep_era) /* what takes its place is later, or was looked at */
                        put_job(k, e, b, now, r->list[k->cursor].job, INT64_MAX);
        k->is_sweeping = k->cursor > 0;
        int64_t next_us = k->is_sweeping ? now.bt_us + KEEPER_STEP_US : k->sweep_from_bt_us + KEEPER_ROUTINE_US;
        k->sweep_bt_us = r->n > 0 ? next_us : INT64_MAX;
        return !k->is_sweeping;
}

/* ---- actions ---- */

void keeper_note(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now, const struct action *a,
                 const void *value, size_t value_size) {
        if (is_routine(e, a) && note_routine(k, e, b, now, a))
                return;
        const char *name = a->job == INDEX_NONE ? NULL : engine_job_name(e, a->job);
        int64_t delay_us = KEEPER_IDLE_US;
        int64_t key = INT64_MAX;
        switch (a->kind) {
        case ACTION_SEGMENT:
                if (a->segment.segment == 1 && !a->segment.is_unknown)
                        return; /* written with the job's first event, not at load */
                release(k, e, b, a->job);
                put_segment(k, e, now, a->job, a->segment.segment, a->segment.anchor_us, a->segment.first_key,
                            a->segment.is_unknown);
                break;
        case ACTION_OUTCOME:
                key = a->outcome.item == WIRE_ITEM_SCHEDULE ? a->outcome.first : key;
                if (a->outcome.outcome != SLOT_RAN) {
                        release(k, e, b, a->job);
                        struct ledger_range range = range_of_outcome(name, now, a);
                        k->sink.range(k->userdata, &range);
                }
                break;
        case ACTION_STARTED:
                key = a->run.run.item == WIRE_ITEM_SCHEDULE ? a->run.run.key : key;
                release(k, e, b, a->job);
                put_ran(k, name, now, &a->run.run);
                k->sink.run(k->userdata, &(struct ledger_run){.job = name, .run = a->run.run, .end = {.exit_code = -1}});
                break;
        case ACTION_ENDED:
                delay_us = KEEPER_RESULT_US;
                release(k, e, b, a->job);
                if (!a->run.run.is_told)
                        put_ran(k, name, now, &a->run.run);
                if (!a->run.is_quiet)
                        k->sink.run(k->userdata, &(struct ledger_run){.job = name,
                                                                      .run = a->run.run,
                                                                      .end = a->run.end,
                                                                      .value = value,
                                                                      .value_size = value_size});
                break;
        case ACTION_REFUSED:
                break;
        case ACTION_HOLD:
                delay_us = 0;
                break;
        case ACTION_CLOCK:
                put_change(k, now, &a->clock);
                flush_by(k, now.bt_us + delay_us);
                return;
        case ACTION_GROUP_HOLD:
                if (a->group_hold.change != HOLD_REMINDER)
                        put_group(k, e, now, a->group_hold.group);
                flush_by(k, now.bt_us);
                return;
        case ACTION_GONE:
                if (a->job < k->n_marks && (k->marks[a->job].is_planned ||
                                            routines_find(&k->routines, a->job))) /* else nothing of it is worth a row */
                        put_job(k, e, b, now, a->job, INT64_MAX);
                forget(k, a->job);
                flush_by(k, now.bt_us + delay_us);
                return;
        case ACTION_START: /* no outcome tells of it now */
                if (!wire_item_is_slot(a->start.item) && !a->start.asks_conditions)
                        return;
                key = a->start.item == WIRE_ITEM_SCHEDULE ? a->start.key : key;
                break;
        case ACTION_HORIZON: /* the shell writes it */
        case ACTION_KILL:
                return;
        case ACTION_DROPPED:
        case ACTION_CLOSED:
        case ACTION_WRITE:
        case ACTION_GIVEN_UP:
        case ACTION_OVERDUE:
                break;
        }
        flush_by(k, now.bt_us + delay_us);
        if (!note_changed(k, a->job, key))
                put_job(k, e, b, now, a->job, key);
}

/* ---- a new ledger ---- */

static void put_known_run(struct keeper *k, const char *name, const struct book_run *run) {
        k->sink.run(k->userdata, &(struct ledger_run){.job = name,
                                                      .run = run->run,
                                                      .end = run->end,
                                                      .value = run->value.data,
                                                      .value_size = run->value.size});
}

static void put_known(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now, uint32_t job) {
        const char *name = engine_job_name(e, job);
        const struct book_job *known = book_find(b, job);
        const struct book_run *last = known ? known->last : NULL;
        int64_t key = INT64_MAX;
        if (known && known->last_good && known->last_good != last)
                put_known_run(k, name, known->last_good);
        if (known && known->last_failure && known->last_failure != last)
                put_known_run(k, name, known->last_failure);
        if (last)
                put_known_run(k, name, last);
        if (last && last->end.result == RUN_RESULT_NONE && last->run.is_told) { /* its slot is not told when it ends */
                put_ran(k, name, now, &last->run);
                if (last->run.item == WIRE_ITEM_SCHEDULE && last->run.segment == engine_registry(e)->rows[job].segment)
                        key = last->run.key;
        }
        put_job(k, e, b, now, job, key);
}

void keeper_put_all(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now) {
        const struct registry *jobs = engine_registry(e);
        for (uint32_t job = 0; job < jobs->n_rows; job++) {
                bool has_segment = job < k->n_marks && k->marks[job].is_planned;
                if (jobs->rows[job].state == JOB_STATE_FREE || (!has_segment && !book_find(b, job)))
                        continue;
                if (has_segment)
                        k->marks[job].is_planned = false;
                put_known(k, e, b, now, job);
        }
        for (uint32_t group = 0; group < engine_groups(e)->n; group++)
                if (engine_groups(e)->list[group].hold.is_on)
                        put_group(k, e, now, group);
        flush_by(k, now.bt_us);
}

/* ---- commits ---- */

int keeper_ended(struct keeper *k, struct clock_sample now, uint64_t run) {
        if (k->first_ack > 0 && k->n_acks == k->allocated_acks) {
                memmove(k->acks, k->acks + k->first_ack, (k->n_acks - k->first_ack) * sizeof(*k->acks));
                k->n_acks -= k->first_ack;
                k->first_ack = 0;
        }
        if (k->n_acks == k->allocated_acks) {
                size_t n = k->allocated_acks * 2 + 64;
                struct ack *p = realloc(k->acks, n * sizeof(*p));
                if (!p)
                        return -ENOMEM;
                k->acks = p;
                k->allocated_acks = n;
        }
        k->acks[k->n_acks++] = (struct ack){.run = run};
        flush_by(k, now.bt_us + KEEPER_RESULT_US);
        return 0;
}

/* What was noted before is all in the commit, or what was before the sweep that is over. */
static void note_kept(struct keeper *k, uint64_t number, bool is_swept) {
        if (k->routines.n == 0) {
                k->sweep_era = ++k->era;
                k->is_sweeping = false;
                k->sweep_bt_us = INT64_MAX;
        } else if (!is_swept)
                return;
        if (k->n_kept < KEPT_MAX)
                k->n_kept++;
        k->kept[k->n_kept - 1] = (struct kept_era){.era = k->sweep_era, .number = number};
}

uint64_t keeper_kept_era(struct keeper *k, uint64_t committed) {
        while (k->n_kept > 0 && k->kept[0].number <= committed) {
                k->kept_era = k->kept[0].era;
                memmove(&k->kept[0], &k->kept[1], --k->n_kept * sizeof(k->kept[0]));
        }
        return k->kept_era;
}

uint64_t keeper_flush(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now, bool is_forced) {
        bool is_swept = now.bt_us >= k->sweep_bt_us && sweep(k, e, b, now);
        if (!is_forced && !is_swept && now.bt_us < k->flush_bt_us)
                return 0;
        for (size_t i = 0; i < k->n_changed; i++) {
                put_job(k, e, b, now, k->changed[i].job, k->changed[i].first_key);
                k->marks[k->changed[i].job].changed = 0;
        }
        while (k->is_settling && k->routines.n > 0)
                put_job(k, e, b, now, k->routines.list[k->routines.n - 1].job, INT64_MAX);
        k->is_settling = false;
        k->n_changed = 0;
        k->flush_bt_us = INT64_MAX;
        if (k->has_failed)
                return 0;
        uint64_t number = k->sink.commit(k->userdata);
        note_kept(k, number, is_swept);
        for (size_t i = k->n_acks; i > k->first_ack && k->acks[i - 1].number == 0; i--)
                k->acks[i - 1].number = number;
        return number;
}

bool keeper_next_ack(struct keeper *k, uint64_t committed, uint64_t *ret_run) {
        if (k->first_ack == k->n_acks) {
                k->first_ack = k->n_acks = 0;
                return false;
        }
        const struct ack *ack = &k->acks[k->first_ack];
        if (ack->number == 0 || ack->number > committed)
                return false;
        *ret_run = ack->run;
        k->first_ack++;
        return true;
}
