// SPDX-License-Identifier: MIT
// simulation: time jumps from one wake of the engine or end of a run to the next; ends come before slots of the same instant.

#include "daemon/scheduler/simulation.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/scheduler/schedule.h"

#define ENDS_A_STEP 256

/* A job, and its run in flight. */
struct flight {
        int64_t took_us, limit_us;
        struct simulation_row row;
        int64_t start_bt_us;
        enum run_result result; /* to come */
};

struct simulation {
        struct engine *engine;
        struct clock_sample now;
        int64_t to_rt_us;
        simulation_row_fn row;
        void *userdata;
        struct flight *flights; /* by the engine's number of the job */
        size_t n_flights;
        struct schedule ends; /* of the runs in flight, by the same; BOOTTIME */
        int result;           /* what ended it, 0: it goes on */
};

static void tell(struct simulation *s, const struct simulation_row *row) {
        if (s->result == 0)
                s->result = s->row(s->userdata, row);
}

/* ---- what the engine says ---- */

/* A run is in flight since an instant that has passed, and ends when its time is over. */
static void fly(struct simulation *s, uint32_t job, const struct simulation_row *row, int64_t start_bt_us) {
        struct flight *f = &s->flights[job];
        bool is_too_long = f->took_us > f->limit_us;

        f->row = *row;
        f->start_bt_us = start_bt_us;
        f->result = is_too_long ? RUN_RESULT_TIMEOUT : RUN_RESULT_SUCCESS;
        schedule_set(&s->ends, job, start_bt_us + (is_too_long ? f->limit_us : f->took_us));
}

static void tell_started(struct simulation *s, uint64_t run) {
        struct wire_started started = {.run = run, .start_rt_us = s->now.rt_us, .start_bt_us = s->now.bt_us};

        engine_started(s->engine, s->now, &started);
}

static void begin_run(struct simulation *s, uint32_t job, const struct wire_start *start) {
        fly(s, job,
            &(struct simulation_row){.run = start->run,
                                     .cause = start->cause,
                                     .attempt = start->attempt,
                                     .slot_us = start->slot_rt_us,
                                     .start_us = s->now.rt_us,
                                     .end_us = -1,
                                     .outcome = SLOT_RAN},
            s->now.bt_us);
        tell_started(s, start->run);
}

static void take_outcome(struct simulation *s, const struct action *a) {
        if (a->outcome.outcome != SLOT_RAN)
                tell(s, &(struct simulation_row){.job = engine_job_name(s->engine, a->job),
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

static void tell_flight(struct simulation *s, uint32_t job) {
        struct simulation_row row = s->flights[job].row;

        row.job = engine_job_name(s->engine, job);
        schedule_remove(&s->ends, job);
        tell(s, &row);
}

static void end_run(struct simulation *s, uint32_t job) {
        struct flight *f = &s->flights[job];
        struct wire_ended ended = {.run = f->row.run,
                                   .end = {.result = f->result,
                                           .exit_code = f->result == RUN_RESULT_SUCCESS ? 0 : -1,
                                           .start_rt_us = f->row.start_us,
                                           .start_bt_us = f->start_bt_us,
                                           .end_rt_us = s->now.rt_us,
                                           .end_bt_us = s->now.bt_us}};

        f->row.end_us = s->now.rt_us;
        f->row.result = f->result;
        tell_flight(s, job);
        engine_ended(s->engine, s->now, &ended);
        take_actions(s);
}

/* The job whose run ends first, by now; NULL: none does. */
static const struct schedule_entry *due_end(const struct simulation *s) {
        const struct schedule_entry *first = schedule_first(&s->ends);

        return s->result == 0 && first && first->at_us <= s->now.bt_us ? first : NULL;
}

/* Some of what is due now. True: there is more. */
static bool do_due(struct simulation *s) {
        const struct schedule_entry *end;

        take_actions(s);
        for (int i = 0; i < ENDS_A_STEP && (end = due_end(s)); i++)
                end_run(s, end->id);
        if (s->result != 0 || due_end(s))
                return s->result == 0;
        int r = engine_advance(s->engine, s->now);
        s->result = r < 0 ? r : s->result;
        take_actions(s);
        return s->result == 0 && (r > 0 || due_end(s));
}

static int64_t earlier(int64_t step_us, int64_t at_us, int64_t now_us) {
        return at_us != INT64_MAX && at_us - now_us < step_us ? at_us - now_us : step_us;
}

/* Sets the clock to when something is due next, at most to the end of the period. False: it is there. */
static bool go_on(struct simulation *s) {
        const struct schedule_entry *end = schedule_first(&s->ends);
        int64_t bt_us, rt_us, step_us = s->to_rt_us - s->now.rt_us;

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

int simulation_step(struct simulation *s) {
        const struct schedule_entry *end;

        if (do_due(s) || (s->result == 0 && go_on(s)))
                return 1;
        while (s->result == 0 && (end = schedule_first(&s->ends)))
                tell_flight(s, end->id);
        return s->result;
}

/* ---- life ---- */

int simulation_new(struct engine *engine, struct clock_sample now, int64_t to_rt_us, simulation_row_fn row, void *userdata,
                   struct simulation **ret) {
        struct simulation *s = calloc(1, sizeof(*s));

        if (!s) {
                engine_free(engine);
                return -ENOMEM;
        }
        *s = (struct simulation){.engine = engine, .now = now, .to_rt_us = to_rt_us, .row = row, .userdata = userdata};
        *ret = s;
        return 0;
}

struct simulation *simulation_free(struct simulation *s) {
        if (!s)
                return NULL;
        schedule_done(&s->ends);
        engine_free(s->engine);
        free(s->flights);
        free(s);
        return NULL;
}

static int reserve(struct simulation *s, uint32_t job) {
        size_t n = s->n_flights * 2 + 64;
        struct flight *flights;

        if (job >= s->n_flights) {
                n = job < n ? n : (size_t)job + 1;
                flights = reallocarray(s->flights, n, sizeof(*flights));
                if (!flights)
                        return -ENOMEM;
                s->flights = flights;
                s->n_flights = n;
        }
        return schedule_reserve(&s->ends, job);
}

int simulation_add(struct simulation *s, uint32_t job, int64_t took_us, int64_t limit_us) {
        struct job_view view;
        int r = reserve(s, job);

        if (r < 0)
                return r;
        s->flights[job] = (struct flight){.took_us = took_us, .limit_us = limit_us};
        engine_view(s->engine, s->now, job, &view);
        const struct job_run *run = view.run;
        if (!run)
                return 0;
        /* one that is not at its program yet counts from its order on */
        bool is_started = run->start_bt_us > 0;
        int64_t start_bt_us = is_started ? run->start_bt_us : run->begun_bt_us > 0 ? run->begun_bt_us : s->now.bt_us;
        struct simulation_row row = {.run = run->run,
                                     .cause = run->cause,
                                     .attempt = run->attempt,
                                     .slot_us = run->slot_rt_us,
                                     .start_us = is_started ? run->start_rt_us : s->now.rt_us - (s->now.bt_us - start_bt_us),
                                     .end_us = -1,
                                     .lag_us = run->lag_us,
                                     .outcome = SLOT_RAN};
        fly(s, job, &row, start_bt_us);
        if (!is_started)
                tell_started(s, row.run);
        return 0;
}
