// SPDX-License-Identifier: MIT
// simulate: the engine on a clock of its own. Time jumps from one wake of the engine or end of a run to the next; ends come before slots
// of the same instant.

#include "daemon/simulator/simulate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scheduler/schedule.h"

#define UPTIME_US (365 * USEC_PER_DAY) /* of the machine when the period begins */

/* The run of a job that is in flight. */
struct flight {
        struct simulate_row row;
        int64_t start_bt_us;
        enum run_result result; /* to come */
};

struct simulation {
        const struct config *config;
        const struct simulate_wish *wish;
        struct engine *engine;
        struct clock_sample now;
        struct flight *flights; /* by the engine's number of the job */
        struct schedule ends;   /* of the runs in flight, by the same; BOOTTIME */
        int result;             /* what ended it, 0: it goes on */
};

static const struct job *find_job(const struct config *config, const char *name) {
        size_t low = 0, high = config->n_jobs;

        while (low < high) {
                size_t middle = (low + high) / 2;
                int order = strcmp(config->jobs[middle]->name, name);
                if (order == 0)
                        return config->jobs[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

static void tell(struct simulation *s, const struct simulate_row *row) {
        if (s->result == 0)
                s->result = s->wish->row(s->wish->userdata, row);
}

/* ---- what the engine says ---- */

static void begin_run(struct simulation *s, uint32_t number, const struct wire_start *start) {
        const struct job *job = find_job(s->config, engine_job_name(s->engine, number));
        int64_t took_us = s->wish->took(s->wish->userdata, job->name), limit_us = job->what.timeout_us;
        bool is_too_long = took_us > limit_us;

        s->flights[number] = (struct flight){.row = {.job = job->name,
                                                     .run = start->run,
                                                     .cause = start->cause,
                                                     .slot_us = start->slot_rt_us,
                                                     .start_us = s->now.rt_us,
                                                     .end_us = -1,
                                                     .outcome = SLOT_RAN},
                                             .start_bt_us = s->now.bt_us,
                                             .result = is_too_long ? RUN_RESULT_TIMEOUT : RUN_RESULT_SUCCESS};
        schedule_set(&s->ends, number, s->now.bt_us + (is_too_long ? limit_us : took_us));
        struct wire_started started = {.run = start->run, .start_rt_us = s->now.rt_us, .start_bt_us = s->now.bt_us};
        engine_started(s->engine, s->now, &started);
}

static void take_outcome(struct simulation *s, const struct action *a) {
        if (a->outcome.outcome != SLOT_RAN)
                tell(s, &(struct simulate_row){.job = engine_job_name(s->engine, a->job),
                                               .run = a->outcome.run,
                                               .outcome = a->outcome.outcome,
                                               .reason = a->outcome.reason,
                                               .first_us = a->outcome.first_rt_us,
                                               .last_us = a->outcome.last_rt_us,
                                               .n = a->outcome.n});
        else if (schedule_has(&s->ends, a->job) && s->flights[a->job].row.run == a->outcome.run)
                s->flights[a->job].row.lag_us = a->outcome.lag_us;
}

static void take_actions(struct simulation *s) {
        const struct action *next;

        while (s->result == 0 && (next = engine_next_action(s->engine))) {
                struct action a = *next;
                if (a.kind == ACTION_START)
                        begin_run(s, a.job, &a.start);
                else if (a.kind == ACTION_OUTCOME)
                        take_outcome(s, &a);
        }
        if (s->result == 0 && engine_has_failed(s->engine))
                s->result = -ENOMEM;
}

/* ---- time ---- */

static void end_run(struct simulation *s, uint32_t number) {
        struct flight *f = &s->flights[number];
        struct wire_ended ended = {.run = f->row.run,
                                   .end = {.result = f->result,
                                           .exit_code = f->result == RUN_RESULT_SUCCESS ? 0 : -1,
                                           .start_rt_us = f->row.start_us,
                                           .start_bt_us = f->start_bt_us,
                                           .end_rt_us = s->now.rt_us,
                                           .end_bt_us = s->now.bt_us}};

        schedule_remove(&s->ends, number);
        f->row.end_us = s->now.rt_us;
        f->row.result = f->result;
        tell(s, &f->row);
        engine_ended(s->engine, s->now, &ended);
        take_actions(s);
}

/* The job whose run ends first, by now; NULL: none does. */
static const struct schedule_entry *due_end(const struct simulation *s) {
        const struct schedule_entry *first = schedule_first(&s->ends);

        return s->result == 0 && first && first->at_us <= s->now.bt_us ? first : NULL;
}

static void do_due(struct simulation *s) {
        const struct schedule_entry *end;
        int r;

        do {
                while ((end = due_end(s)))
                        end_run(s, end->id);
                r = s->result == 0 ? engine_advance(s->engine, s->now) : 0;
                s->result = r < 0 ? r : s->result;
                take_actions(s);
        } while (s->result == 0 && (r > 0 || due_end(s)));
}

static int64_t earlier(int64_t step_us, int64_t at_us, int64_t now_us) {
        return at_us != INT64_MAX && at_us - now_us < step_us ? at_us - now_us : step_us;
}

/* Sets the clock to when something is due next, at most to the end of the period. False: it is there. */
static bool go_on(struct simulation *s) {
        const struct schedule_entry *end = schedule_first(&s->ends);
        int64_t bt_us, rt_us, step_us = s->wish->to_us - s->now.rt_us;

        if (step_us <= 0)
                return false;
        engine_next_wake(s->engine, &bt_us, &rt_us);
        step_us = earlier(step_us, bt_us, s->now.bt_us);
        step_us = earlier(step_us, rt_us, s->now.rt_us);
        step_us = earlier(step_us, end ? end->at_us : INT64_MAX, s->now.bt_us);
        step_us = step_us > 0 ? step_us : 1; /* never stand still */
        s->now.bt_us += step_us;
        s->now.rt_us += step_us;
        return true;
}

static int define(struct simulation *s) {
        struct wire_commit commit = {.generation = 1, .n_jobs = (uint32_t)s->config->n_jobs, .time_sync_wait_us = 0};

        for (size_t i = 0; i < s->config->n_jobs; i++) {
                const struct job *job = s->config->jobs[i];
                struct wire_define d = {
                        .hash = job->hash, .name = job->name, .since_rt_us = s->now.rt_us, .since_bt_us = s->now.bt_us};
                int r = engine_define(s->engine, &d, &job->when, job->description);
                if (r == 0)
                        r = schedule_reserve(&s->ends, (uint32_t)i); /* jobs are numbered in the order of their definitions */
                if (r < 0)
                        return r;
        }
        return engine_commit(s->engine, s->now, &commit);
}

int simulate(const struct config *config, const struct simulate_wish *wish) {
        struct simulation s = {.config = config, .wish = wish, .now = {.rt_us = wish->from_us, .bt_us = UPTIME_US}};
        struct wire_hello hello = {.next_run = 1, .is_synchronised = true};

        s.flights = calloc(config->n_jobs + 1, sizeof(*s.flights));
        s.result = s.flights ? engine_new(&hello, &s.engine) : -ENOMEM;
        if (s.result == 0)
                s.result = define(&s);
        take_actions(&s);
        do
                do_due(&s);
        while (s.result == 0 && go_on(&s));
        for (const struct schedule_entry *end; (end = schedule_first(&s.ends)); schedule_remove(&s.ends, end->id))
                tell(&s, &s.flights[end->id].row);
        schedule_done(&s.ends);
        engine_free(s.engine);
        free(s.flights);
        return s.result;
}
