// SPDX-License-Identifier: MIT
// vault: what the ledger has is gathered while it opens, and given to the engine when the runner has said who it is.

#include "daemon/scheduler/vault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/scheduler/keeper.h"

#define LOST_TELL_US (60 * USEC_PER_SEC)

struct kept_job {
        char *name;
        struct job_when when;
        struct job_image image;
        struct book_counts counts;
        struct book_hold hold;
};

struct kept_run {
        char *job;
        struct job_run run;
        struct run_end end;
        void *value;
        size_t value_size;
};

/* Of a client. It waits for a commit, then for the answer. */
struct question {
        struct question *next;
        struct vault *vault;
        struct ledger_query query;
        char *job;       /* owned */
        uint64_t number; /* of the commit, 0: the next one */
        int64_t until_bt_us;
        uint64_t ticket; /* of the ledger, 0: not asked yet; */
        uint64_t own;    /* ours */
        ledger_answer_fn fn;
        void *userdata;
};

struct vault {
        struct loop *loop;
        struct journal *journal;
        struct agendas *agendas;
        char *folder;
        int (*on_change)(void *userdata);
        void *userdata;
        struct ledger *ledger;
        struct loop_source *patience; /* until the ledger has opened */
        bool has_opened, has_given_up, is_on, is_hurried;
        int open_error; /* of the latest attempt; 0: none has failed */
        bool is_lost;   /* the file that is there has nothing of what is known */
        int64_t lost_told_bt_us;
        struct ledger_state state;
        struct kept_job *jobs;
        size_t n_jobs, allocated_jobs;
        struct ledger_group *groups; /* texts owned */
        size_t n_groups, allocated_groups;
        struct kept_run *runs;
        size_t n_runs, allocated_runs;
        struct keeper *keeper;
        uint8_t boot_id[16], instance[16];
        uint64_t epoch, next_run;
        struct clock_sample asked; /* horizon; */
        uint64_t asked_number;     /* in this commit, 0: none is on its way */
        bool is_horizon_wanted;
        struct question *questions; /* oldest first */
        uint64_t n_questions_ever;
        size_t n_questions;
        uint64_t latest_number; /* of a commit */
        int64_t flushed_bt_us;  /* when that was */
        int64_t ask_bt_us;      /* a question wants a commit then; INT64_MAX: none does */
};

/* ---- what it had ---- */

static int reserve(void **array, size_t *allocated, size_t n, size_t size) {
        if (n < *allocated)
                return 0;
        void *p = realloc(*array, (*allocated * 2 + 64) * size);
        if (!p)
                return -ENOMEM;
        *array = p;
        *allocated = *allocated * 2 + 64;
        return 0;
}

static void group_done(struct ledger_group *group) {
        free((char *)group->name);
        free(group->hold.by);
        free(group->hold.reason);
}

static void forget_kept(struct vault *v) {
        for (size_t i = 0; i < v->n_jobs; i++) {
                image_done(&v->jobs[i].image);
                job_when_done(&v->jobs[i].when);
                free(v->jobs[i].name);
                free(v->jobs[i].hold.by);
                free(v->jobs[i].hold.reason);
        }
        for (size_t i = 0; i < v->n_runs; i++) {
                free(v->runs[i].job);
                free(v->runs[i].value);
        }
        for (size_t i = 0; i < v->n_groups; i++)
                group_done(&v->groups[i]);
        free(v->groups);
        v->groups = NULL;
        v->n_groups = v->allocated_groups = 0;
        free(v->jobs);
        free(v->runs);
        v->jobs = NULL;
        v->runs = NULL;
        v->n_jobs = v->allocated_jobs = v->n_runs = v->allocated_runs = 0;
}

static void on_job(void *userdata, const struct ledger_job *job) {
        struct vault *v = userdata;
        struct kept_job kept = {.counts = job->counts, .hold = job->hold};
        char *description = NULL;
        int r = image_decode(job->plan, job->plan_size, &kept.image);
        if (r == 0)
                r = job_when_parse(job->when, strlen(job->when), v->agendas, &kept.when, &description);
        if (r < 0) { /* of a later version: it begins anew */
                image_done(&kept.image);
                return;
        }
        if (r == 1) {
                /* without the data of its zone it has no schedule, and keeps all else */
                job_when_init(&kept.when);
        }
        free(description);
        void *jobs = v->jobs;
        r = reserve(&jobs, &v->allocated_jobs, v->n_jobs, sizeof(*v->jobs));
        v->jobs = jobs;
        kept.name = r == 0 ? strdup(job->name) : NULL;
        if (!kept.name) {
                image_done(&kept.image);
                job_when_done(&kept.when);
                return;
        }
        kept.hold.by = job->hold.by ? strdup(job->hold.by) : NULL;
        kept.hold.reason = job->hold.reason ? strdup(job->hold.reason) : NULL;
        v->jobs[v->n_jobs++] = kept;
}

static void on_run(void *userdata, const struct ledger_run *run) {
        struct vault *v = userdata;
        void *runs = v->runs;
        int r = reserve(&runs, &v->allocated_runs, v->n_runs, sizeof(*v->runs));
        v->runs = runs;
        struct kept_run kept = {.run = run->run, .end = run->end};
        kept.job = r == 0 ? strdup(run->job) : NULL;
        if (!kept.job)
                return;
        kept.value = run->value_size > 0 ? malloc(run->value_size) : NULL;
        if (kept.value) {
                memcpy(kept.value, run->value, run->value_size);
                kept.value_size = run->value_size;
        }
        v->runs[v->n_runs++] = kept;
}

static void on_group(void *userdata, const struct ledger_group *group) {
        struct vault *v = userdata;
        void *groups = v->groups;
        int r = reserve(&groups, &v->allocated_groups, v->n_groups, sizeof(*v->groups));
        v->groups = groups;
        struct ledger_group kept = {.name = strdup(group->name), .hold = group->hold};
        kept.hold.by = strdup(group->hold.by);
        kept.hold.reason = group->hold.reason ? strdup(group->hold.reason) : NULL;
        if (r < 0 || !kept.name || !kept.hold.by)
                group_done(&kept);
        else
                v->groups[v->n_groups++] = kept;
}

static void settle(struct vault *v) {
        v->patience = loop_source_free(v->patience);
        if (v->on_change(v->userdata) < 0)
                loop_exit(v->loop, 1);
}

static void give_up(struct vault *v) {
        v->has_given_up = true;
        struct journal_record r = journal_begin(v->journal, EVENT_DEGRADED);
        journal_send(&r,
                     "The ledger in %s does not open%s%s: scheduling begins without it, and nothing is remembered over the "
                     "next start",
                     v->folder, v->open_error < 0 ? ", " : "", v->open_error < 0 ? strerror(-v->open_error) : "");
        settle(v);
}

/* Whether no time helps. */
static bool is_lasting(int error) {
        return error == -EACCES || error == -EPERM || error == -EROFS || error == -ENOENT;
}

static void on_open(void *userdata, int error, const struct ledger_state *state) {
        struct vault *v = userdata;
        v->open_error = error;
        if (!vault_is_settled(v) && is_lasting(error))
                give_up(v);
        if (error < 0 || vault_is_settled(v))
                return;
        v->has_opened = true;
        v->state = *state;
        if (state->aside[0]) {
                struct journal_record r = journal_begin(v->journal, EVENT_DEGRADED);
                journal_send(&r, "The ledger was damaged: it is kept as %s, and a new one has begun", state->aside);
        }
        if (state->is_volatile) {
                struct journal_record r = journal_begin(v->journal, EVENT_DEGRADED);
                journal_send(&r, "The ledger lies in memory (tmpfs): a reboot forgets it");
        }
        settle(v);
}

static int on_impatience(void *userdata, bool is_clock_change) {
        struct vault *v = userdata;
        (void)is_clock_change;
        give_up(v);
        return 0;
}

static void ask_ready(struct vault *v, int64_t now_bt_us);

static void on_committed(void *userdata, uint64_t number) {
        struct vault *v = userdata;
        (void)number;
        ask_ready(v, clock_now().bt_us);
        if (v->is_on && v->on_change(v->userdata) < 0)
                loop_exit(v->loop, 1);
}

static void on_trouble(void *userdata, int error, const char *text) {
        struct vault *v = userdata;
        struct journal_record r = journal_begin(v->journal, EVENT_DEGRADED);
        if (error < 0)
                journal_field_i64(&r, "ERRNO", -error);
        journal_send(&r, "The ledger: %s", error < 0 ? text : "it can be written again");
}

static void on_lost(void *userdata, const struct ledger_state *state) {
        struct vault *v = userdata;
        int64_t now_bt_us = clock_now().bt_us;
        v->is_lost = true;
        if (v->lost_told_bt_us == 0 || now_bt_us - v->lost_told_bt_us >= LOST_TELL_US) {
                struct journal_record r = journal_begin(v->journal, EVENT_DEGRADED);
                journal_send(&r, "The ledger was %s%s: a new one has begun with what is known",
                             state->aside[0] ? "damaged, and is kept as " : "taken away", state->aside);
                v->lost_told_bt_us = now_bt_us;
        }
}

int vault_new(struct loop *loop, struct journal *journal, struct agendas *agendas, const char *folder,
              int (*on_change)(void *userdata), void *userdata, struct vault **ret) {
        static const struct ledger_callbacks callbacks = {.on_open = on_open,
                                                          .on_job = on_job,
                                                          .on_run = on_run,
                                                          .on_group = on_group,
                                                          .on_committed = on_committed,
                                                          .on_trouble = on_trouble,
                                                          .on_lost = on_lost};
        struct vault *v = calloc(1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        v->loop = loop;
        v->journal = journal;
        v->agendas = agendas;
        v->flushed_bt_us = INT64_MIN / 2;
        v->ask_bt_us = INT64_MAX;
        v->on_change = on_change;
        v->userdata = userdata;
        v->folder = strdup(folder);
        int r = v->folder ? loop_add_timer(loop, LOOP_CLOCK_BOOT, on_impatience, v, &v->patience) : -ENOMEM;
        if (r == 0)
                r = loop_arm_timer(v->patience, clock_now().bt_us + VAULT_OPEN_US);
        if (r == 0)
                r = ledger_new(loop, folder, &callbacks, v, &v->ledger);
        if (r < 0) {
                vault_free(v, NULL, NULL, (struct clock_sample){0});
                return r;
        }
        *ret = v;
        return 0;
}

static void note_clock(struct vault *v, enum ledger_clock_kind kind, struct clock_sample now, int64_t by_us) {
        struct ledger_clock clock = {.kind = kind, .at = now, .by_us = by_us};
        memcpy(clock.boot_id, v->boot_id, sizeof(clock.boot_id));
        ledger_put_clock(v->ledger, &clock);
}

static void put_horizon(struct vault *v, struct clock_sample at) {
        struct ledger_horizon horizon = {.bt_us = at.bt_us, .rt_us = at.rt_us};
        memcpy(horizon.boot_id, v->boot_id, sizeof(horizon.boot_id));
        ledger_put_horizon(v->ledger, &horizon);
}

/* To this instant at the most. What was not asked for is not ours to move: slots up to where it is may have begun, none after it has. */
static void lower_horizon(struct vault *v, struct clock_sample to) {
        if (v->asked.bt_us == 0)
                return;
        put_horizon(v, (struct clock_sample){
                               .bt_us = duration_lower(to.bt_us, v->asked.bt_us),
                               .rt_us = duration_lower(to.rt_us, v->asked.rt_us),
                       });
}

static void question_drop(struct vault *v, struct question *q) {
        struct question **at = &v->questions;
        while (*at != q)
                at = &(*at)->next;
        *at = q->next;
        v->n_questions--;
        free(q->job);
        free(q);
}

/* What was decided is not known as a whole, so that none of it may be written: others begin from what was before. */
static bool has_lost(const struct vault *v, const struct engine *e) {
        return engine_has_failed(e) || keeper_has_failed(v->keeper) || ledger_has_lost(v->ledger);
}

struct vault *vault_free(struct vault *v, struct engine *e, const struct book *b, struct clock_sample now) {
        if (!v)
                return NULL;
        if (v->is_on && e && !has_lost(v, e)) {
                note_clock(v, LEDGER_CLOCK_STOP, now, 0);
                lower_horizon(v, now); /* nothing starts any more */
                keeper_settle(v->keeper);
                keeper_flush(v->keeper, e, b, now, true);
        }
        if (v->is_on && e && has_lost(v, e))
                ledger_give_up(v->ledger);
        v->is_on = false;
        while (v->questions)
                question_drop(v, v->questions);
        ledger_free(v->ledger, VAULT_CLOSE_US);
        loop_source_free(v->patience);
        keeper_free(v->keeper);
        forget_kept(v);
        free(v->folder);
        free(v);
        return NULL;
}

void vault_set_size(struct vault *v, uint64_t bytes) {
        ledger_set_size(v->ledger, bytes);
}

bool vault_is_settled(const struct vault *v) {
        return v->has_opened || v->has_given_up;
}

bool vault_is_on(const struct vault *v) {
        return v && v->is_on;
}

/* ---- what it gets ---- */

static void put_job(void *userdata, const struct ledger_job *job) {
        ledger_put_job(((struct vault *)userdata)->ledger, job);
}

static void put_run(void *userdata, const struct ledger_run *run) {
        struct vault *v = userdata;
        if (run->run.run >= v->next_run)
                v->next_run = run->run.run + 1;
        ledger_put_run(v->ledger, run);
}

static void put_range(void *userdata, const struct ledger_range *range) {
        ledger_put_range(((struct vault *)userdata)->ledger, range);
}

static void put_segment(void *userdata, const struct ledger_segment *segment) {
        ledger_put_segment(((struct vault *)userdata)->ledger, segment);
}

static void put_clock(void *userdata, const struct ledger_clock *clock) {
        ledger_put_clock(((struct vault *)userdata)->ledger, clock);
}

static void put_group(void *userdata, const struct ledger_group *group) {
        ledger_put_group(((struct vault *)userdata)->ledger, group);
}

static uint64_t commit(void *userdata) {
        struct vault *v = userdata;
        ledger_put_life(v->ledger, v->epoch, v->instance, v->boot_id, v->next_run);
        return ledger_commit(v->ledger);
}

static const struct keeper_sink sink = {.job = put_job,
                                        .run = put_run,
                                        .range = put_range,
                                        .segment = put_segment,
                                        .clock = put_clock,
                                        .group = put_group,
                                        .commit = commit};

/* From the last instant that anybody has lived through until now nobody was there; in another boot the machine was not up for a part
 * of it. Also says what the wall clock shows beside BOOTTIME. */
static void note_begin(struct vault *v, struct clock_sample now) {
        int64_t last_us = v->state.last.rt_us, booted_us = now.rt_us - now.bt_us;
        if (!v->state.is_new && memcmp(v->state.boot_id, v->boot_id, sizeof(v->boot_id)) != 0)
                note_clock(v, LEDGER_CLOCK_BOOT, now, booted_us > last_us ? booted_us - last_us : 0);
        note_clock(v, LEDGER_CLOCK_START, now, !v->state.is_new && now.rt_us > last_us ? now.rt_us - last_us : 0);
}

static int restore(struct vault *v, struct engine *e, struct book *b, struct clock_sample now) {
        for (size_t i = 0; i < v->n_groups; i++) {
                const struct book_hold *hold = &v->groups[i].hold;
                int r = engine_restore_group(e, now, v->groups[i].name, hold->by, hold->reason, hold->at_rt_us,
                                             hold->until_rt_us);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < v->n_jobs; i++) {
                const struct kept_job *kept = &v->jobs[i];
                int r = engine_restore(e, now, kept->name, &kept->when, &kept->image);
                if (r == -EEXIST) /* told twice */
                        continue;
                if (r < 0)
                        return r;
                uint32_t job = registry_find(engine_registry(e), kept->name);
                book_restore(b, job, &kept->counts, &kept->hold);
                if (kept->image.segment > 0)
                        keeper_has(v->keeper, job);
        }
        for (size_t i = 0; i < v->n_runs; i++) {
                uint32_t job = registry_find(engine_registry(e), v->runs[i].job);
                if (job != INDEX_NONE)
                        book_restore_run(b, job, &v->runs[i].run, &v->runs[i].end, v->runs[i].value, v->runs[i].value_size);
        }
        return 0;
}

int vault_begin(struct vault *v, struct engine *e, struct book *b, struct clock_sample now, const struct wire_hello *hello) {
        if (!v->has_opened)
                return 0;
        struct engine_past past = {
                .is_same_runner = memcmp(v->state.instance, hello->instance, sizeof(hello->instance)) == 0,
                .horizon = {.rt_us = v->state.horizon.rt_us, .bt_us = v->state.horizon.bt_us},
                .last = v->state.last,
        };
        memcpy(past.boot_id, hello->boot_id, sizeof(past.boot_id));
        memcpy(past.seed, v->state.uuid, sizeof(past.seed));
        memcpy(past.horizon_boot_id, v->state.horizon.boot_id, sizeof(past.horizon_boot_id));
        memcpy(past.last_boot_id, v->state.boot_id, sizeof(past.last_boot_id));
        memcpy(v->boot_id, hello->boot_id, sizeof(v->boot_id));
        memcpy(v->instance, hello->instance, sizeof(v->instance));
        v->epoch = hello->epoch + 1;
        v->next_run = hello->next_run > v->state.next_run ? hello->next_run : v->state.next_run;
        int r = keeper_new(&sink, v, v->boot_id, &v->keeper);
        if (r < 0)
                return r;
        note_begin(v, now);
        engine_set_past(e, &past);
        engine_skip_runs(e, v->next_run);
        r = restore(v, e, b, now);
        forget_kept(v);
        v->is_on = r == 0;
        return r;
}

int vault_note(struct vault *v, struct engine *e, const struct book *b, struct clock_sample now, const struct action *a,
               const void *value, size_t value_size) {
        keeper_note(v->keeper, e, b, now, a, value, value_size);
        if (a->kind == ACTION_HORIZON) {
                v->asked = a->horizon;
                v->is_horizon_wanted = true;
        }
        bool is_over = a->kind == ACTION_ENDED || a->kind == ACTION_REFUSED;
        return is_over && !a->run.run.is_hosted ? keeper_ended(v->keeper, now, a->run.run.run) : 0;
}

int vault_flush(struct vault *v, struct engine *e, const struct book *b, struct clock_sample now) {
        if (has_lost(v, e))
                return -ENOMEM;
        if (v->is_lost) {
                keeper_put_all(v->keeper, e, b, now);
                v->is_horizon_wanted = true;
                v->is_lost = false;
        }
        bool is_all_wanted = v->ask_bt_us <= now.bt_us || (v->is_hurried && keeper_next_flush(v->keeper) != INT64_MAX);
        bool is_forced = v->is_horizon_wanted || is_all_wanted;
        if (is_all_wanted)
                keeper_settle(v->keeper);
        if (v->is_horizon_wanted)
                put_horizon(v, v->asked);
        uint64_t number = keeper_flush(v->keeper, e, b, now, is_forced);
        if (v->is_horizon_wanted)
                v->asked_number = number;
        v->is_horizon_wanted = false;
        if (number > 0) {
                v->latest_number = number;
                v->flushed_bt_us = now.bt_us;
                v->ask_bt_us = INT64_MAX;
        }
        for (struct question *q = v->questions; q && number > 0; q = q->next)
                if (q->number == 0)
                        q->number = number;
        ask_ready(v, now.bt_us);
        return has_lost(v, e) ? -ENOMEM : 0;
}

int64_t vault_next_flush(const struct vault *v) {
        if (!v->is_on)
                return INT64_MAX;
        if (v->is_lost)
                return 0;
        int64_t at_us = keeper_next_flush(v->keeper) < v->ask_bt_us ? keeper_next_flush(v->keeper) : v->ask_bt_us;
        for (const struct question *q = v->questions; q; q = q->next)
                if (q->ticket == 0 && q->until_bt_us < at_us)
                        at_us = q->until_bt_us;
        return at_us;
}

void vault_give_up(struct vault *v) {
        if (v)
                ledger_give_up(v->ledger);
}

void vault_hurry(struct vault *v, struct clock_sample now) {
        v->is_hurried = true;
        if (v->asked.bt_us == 0)
                return;
        v->asked.bt_us = duration_lower(v->asked.bt_us, now.bt_us);
        v->asked.rt_us = duration_lower(v->asked.rt_us, now.rt_us);
}

bool vault_next_ack(struct vault *v, uint64_t *ret_run) {
        return v->is_on && keeper_next_ack(v->keeper, ledger_committed(v->ledger), ret_run);
}

uint64_t vault_era(const struct vault *v) {
        return v->is_on ? keeper_era(v->keeper) : 0;
}

uint64_t vault_kept_era(struct vault *v) {
        return v->is_on ? keeper_kept_era(v->keeper, vault_committed(v)) : 0;
}

uint64_t vault_committed(const struct vault *v) {
        return ledger_committed(v->ledger);
}

uint64_t vault_pending(const struct vault *v) {
        return v->is_on && v->latest_number > vault_committed(v) ? v->latest_number : 0;
}

bool vault_next_claim(struct vault *v, struct clock_sample *ret) {
        if (v->asked_number == 0 || ledger_committed(v->ledger) < v->asked_number)
                return false;
        v->asked_number = 0;
        *ret = v->asked;
        return true;
}

/* ---- what is asked ---- */

static void on_answer(void *userdata, const struct ledger_answer *answer) {
        struct question *q = userdata;
        ledger_answer_fn fn = q->fn;
        void *fn_userdata = q->userdata;
        question_drop(q->vault, q);
        fn(fn_userdata, answer);
}

/* Hands over the questions whose commit is durable, or that have waited long enough. */
static void ask_ready(struct vault *v, int64_t now_bt_us) {
        for (struct question *q = v->questions, *next; q; q = next) {
                next = q->next;
                bool is_ready = (q->number > 0 && ledger_committed(v->ledger) >= q->number) || q->until_bt_us <= now_bt_us;
                if (q->ticket > 0 || !is_ready)
                        continue;
                int r = ledger_ask(v->ledger, &q->query, on_answer, q, &q->ticket);
                if (r < 0) { /* the answer comes by the loop, also this one */
                        q->ticket = 0;
                        q->until_bt_us = now_bt_us + VAULT_ASK_US;
                }
        }
}

int vault_ask(struct vault *v, struct clock_sample now, const struct ledger_query *query, bool has_asked, ledger_answer_fn fn,
              void *userdata, uint64_t *ret_ticket) {
        if (!v->is_on)
                return -ENOTCONN;
        if (v->n_questions >= VAULT_ASK_MAX)
                return -EBUSY;
        struct question *q = calloc(1, sizeof(*q)), **at = &v->questions;
        char *job = q && query->job ? strdup(query->job) : NULL;
        if (!q || (query->job && !job)) {
                free(q);
                return -ENOMEM;
        }
        bool is_clean = has_asked || keeper_next_flush(v->keeper) == INT64_MAX;
        *q = (struct question){
                .vault = v,
                .query = *query,
                .job = job,
                .number = is_clean ? v->latest_number : 0,
                .until_bt_us = now.bt_us + (has_asked || (is_clean && v->latest_number == 0) ? 0 : VAULT_ASK_US),
                .own = ++v->n_questions_ever,
                .fn = fn,
                .userdata = userdata,
        };
        q->query.job = job;
        while (*at)
                at = &(*at)->next;
        *at = q;
        v->n_questions++;
        *ret_ticket = q->own;
        if (!is_clean && v->ask_bt_us == INT64_MAX)
                v->ask_bt_us =
                        v->flushed_bt_us + KEEPER_RESULT_US > now.bt_us ? v->flushed_bt_us + KEEPER_RESULT_US : now.bt_us;
        ask_ready(v, now.bt_us);
        return 0;
}

void vault_forget(struct vault *v, uint64_t ticket) {
        struct question *q = v->questions;
        while (q && q->own != ticket)
                q = q->next;
        if (!q)
                return;
        if (q->ticket > 0)
                ledger_forget(v->ledger, q->ticket);
        question_drop(v, q);
}
