// SPDX-License-Identifier: MIT
// control_simulate: a copy of the engine goes on, on a clock of its own, a little in each pass of the loop. Jobs are copied the same way:
// they do not depend on each other, so that each may be copied as it stands when its turn has come; the copy's clock begins before that.

#include "daemon/scheduler/control_simulate.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/simulation_json.h"
#include "daemon/scheduler/vault.h"

/* How long a run of a job took. */
struct took {
        uint32_t job;
        int64_t us;
};

struct control_simulate {
        struct control_wait *wait;
        uint64_t ticket;   /* of the question for durations; 0: it is answered, or was not asked */
        struct took *took; /* by job and length */
        size_t n_took;
        struct engine *engine; /* of the simulation, borrowed */
        struct simulation *simulation;
        struct clock_sample began;
        int64_t took_us; /* -1: as recorded */
        size_t limit, n_rows;
        bool is_more, is_copied;
        size_t n_jobs, n_measured;
        json_t *runs, *missed; /* of the next reply */
};

struct control_simulate *control_simulate_free(struct control_simulate *m) {
        if (!m)
                return NULL;
        if (m->ticket > 0)
                vault_forget(link_vault(m->wait->client->control->link), m->ticket);
        free(m->took);
        simulation_free(m->simulation);
        json_decref(m->runs);
        json_decref(m->missed);
        free(m);
        return NULL;
}

/* ---- replies ---- */

static json_t *make_reply(struct control_simulate *m, bool is_cut) {
        json_t *o = json_object();
        control_put_int(&o, "beganUsec", m->began.rt_us);
        control_put_int(&o, "jobs", (int64_t)m->n_jobs);
        control_put_int(&o, "measured", (int64_t)m->n_measured);
        control_put(&o, "runs", m->runs);
        control_put(&o, "missed", m->missed);
        control_put_bool(&o, "isCut", is_cut);
        m->runs = json_array();
        m->missed = json_array();
        return o;
}

static void finish(struct control_simulate *m, bool is_cut) {
        control_send(m->wait->client, make_reply(m, is_cut), false);
        control_wait_end(m->wait);
}

static void refuse(struct control_wait *wait, const char *what, int64_t limit) {
        json_t *o = json_object();
        control_put_text(&o, "what", what);
        control_put_int(&o, "limit", limit);
        control_client_error(wait->client, API_ERROR_LIMIT_REACHED, o);
        control_wait_end(wait);
}

static int take_row(void *userdata, const struct simulation_row *row) {
        struct control_simulate *m = userdata;
        if (m->n_rows == m->limit)
                return -E2BIG;
        m->n_rows++;
        control_append(row->outcome == SLOT_RAN ? &m->runs : &m->missed, simulation_json(row));
        if (!m->runs || !m->missed)
                return -ENOMEM;
        if (m->is_more && json_array_size(m->runs) + json_array_size(m->missed) == CONTROL_PAGE)
                control_send(m->wait->client, make_reply(m, false), true);
        return 0;
}

/* ---- durations ---- */

static int compare_took(const void *a, const void *b) {
        const struct took *x = a, *y = b;
        return x->job != y->job ? (x->job > y->job) - (x->job < y->job) : (x->us > y->us) - (x->us < y->us);
}

static void on_runs(void *userdata, const struct ledger_answer *answer) {
        struct control_simulate *m = userdata;
        const struct engine *e = link_engine(m->wait->client->control->link);
        m->ticket = 0;
        control_client_touch(m->wait->client);
        if (answer->error < 0 || !e || !(m->took = calloc(answer->n + 1, sizeof(*m->took))))
                return; /* the latest runs will do */
        for (size_t i = 0; i < answer->n; i++) {
                const struct run_end *end = &answer->runs[i].end;
                if (end->result == RUN_RESULT_SUCCESS && end->end_rt_us >= end->start_rt_us)
                        m->took[m->n_took++] =
                                (struct took){engine_find_job(e, answer->runs[i].job), end->end_rt_us - end->start_rt_us};
        }
        qsort(m->took, m->n_took, sizeof(*m->took), compare_took);
}

/* Asks for the latest runs; where nobody can be asked it goes on without. */
static void ask_durations(struct control_simulate *m, const struct control_call *call) {
        struct vault *vault = link_vault(call->control->link);
        const struct control_rows *rows = &m->wait->rows;
        struct ledger_query query = {
                .question = LEDGER_RUNS,
                .job = rows->is_some && rows->n == 1 ? engine_job_name(call->engine, rows->list[0]) : NULL,
                .since_rt_us = INT64_MIN,
                .until_rt_us = INT64_MAX,
                .limit = LEDGER_QUERY_LIMIT,
        };
        if (m->took_us >= 0 || !vault || vault_ask(vault, call->now, &query, false, on_runs, m, &m->ticket) < 0)
                m->ticket = 0;
}

/* The median of the good runs of a job that the ledger has told of, else its latest one; -1: none has ended. */
static int64_t duration_of(const struct control_simulate *m, uint32_t job) {
        size_t first = 0, n = 0;
        while (first < m->n_took && m->took[first].job < job)
                first++;
        while (first + n < m->n_took && m->took[first + n].job == job)
                n++;
        return n > 0 ? m->took[first + n / 2].us
                     : control_last_duration(book_find(link_book(m->wait->client->control->link), job));
}

/* ---- the work ---- */

/* 0, 1: there is none left, or a negative error. */
static int copy_next(struct control_simulate *m) {
        const struct control *c = m->wait->client->control;
        const struct engine *e = link_engine(c->link);
        uint32_t job = control_rows_walk(&m->wait->rows, e, &m->wait->at), number;
        if (job == INDEX_NONE)
                return 1;
        if (m->n_jobs == CONTROL_SIMULATE_JOBS)
                return -E2BIG;
        int64_t known_us = duration_of(m, job), took_us = m->took_us >= 0 ? m->took_us : known_us;
        int r = engine_copy_job(e, job, m->engine, &number);
        if (r == 0)
                r = simulation_add(m->simulation, number, took_us > 0 ? took_us : 0, INT64_MAX);
        m->n_jobs++;
        m->n_measured += known_us >= 0;
        return r;
}

static void copy_some(struct control_simulate *m) {
        const struct control *c = m->wait->client->control;
        int r = 0;
        while (r == 0 && control_client_has_time(c))
                r = copy_next(m);
        if (r == -E2BIG)
                refuse(m->wait, "jobs in a simulation", CONTROL_SIMULATE_JOBS);
        else if (r < 0)
                control_client_close(m->wait->client);
        else if (r == 1) {
                engine_copy_ties(m->engine);
                m->is_copied = true;
        }
}

static void do_some(struct control_simulate *m) {
        const struct control_client *client = m->wait->client;
        int r = 1;
        while (r == 1 && control_client_has_time(client->control) && control_client_waiting(client) <= CONTROL_STREAM_MARK)
                r = simulation_step(m->simulation);
        if (r == 0 || r == -E2BIG)
                finish(m, r < 0);
        else if (r < 0)
                control_client_close(m->wait->client);
}

bool control_simulate_has_turn(const struct control_wait *wait) {
        return wait->simulate->ticket == 0;
}

void control_simulate_room(struct control_wait *wait) {
        struct control_simulate *m = wait->simulate;
        if (!control_simulate_has_turn(wait) || control_client_waiting(wait->client) > CONTROL_STREAM_MARK)
                return;
        if (m->is_copied)
                do_some(m);
        else if (link_engine(wait->client->control->link))
                copy_some(m);
        else {
                control_client_error(wait->client, API_ERROR_NOT_READY, NULL);
                control_wait_end(wait);
        }
}

void control_simulate_cut(struct control_wait *wait) {
        finish(wait->simulate, true);
}

/* ---- the call ---- */

/* How many simulations there are. */
static size_t count(const struct control *c) {
        size_t n = 0;
        for (const struct control_wait *wait = c->waits; wait; wait = wait->next)
                n += wait->kind == CONTROL_WAIT_SIMULATE;
        return n;
}

/* False where the call is answered with an error. */
static bool get_terms(const struct control_call *call, int64_t *ret_until_us, struct control_simulate *m) {
        int64_t limit_max = call->message->is_more ? CONTROL_SIMULATE_ROWS : CONTROL_SIMULATE_REPLY;
        int64_t until_us = message_get_int(call->message, "untilUsec", call->now.rt_us + USEC_PER_DAY);
        int64_t limit = message_get_int(call->message, "limit", limit_max);
        int64_t took_us = message_get_int(call->message, "tookUsec", -1);
        bool has_took = message_get(call->message, "tookUsec");
        const char *wrong = until_us < call->now.rt_us || until_us - call->now.rt_us > DURATION_MAX ? "untilUsec"
                            : limit < 1 || limit > limit_max                                        ? "limit"
                            : has_took && (took_us < 0 || took_us > DURATION_MAX)                   ? "tookUsec"
                                                                                                    : NULL;
        if (wrong) {
                control_invalid(call, wrong);
                return false;
        }
        *ret_until_us = until_us;
        m->limit = (size_t)limit;
        m->took_us = took_us;
        return true;
}

/* 0, -ENOMEM; then the half of it is for the caller to free. */
static int prepare(struct control_simulate *m, const struct control_call *call, int64_t until_us) {
        m->is_more = call->message->is_more;
        m->began = call->now;
        m->runs = json_array();
        m->missed = json_array();
        int r = engine_new_copy(call->engine, &m->engine);
        if (r == 0)
                r = simulation_new(m->engine, call->now, until_us, take_row, m, &m->simulation);
        return r < 0 || !m->runs || !m->missed ? -ENOMEM : 0;
}

int control_do_simulate(struct control_call *call) {
        int64_t until_us, bound = call->client->is_admin ? CONTROL_SIMULATIONS : CONTROL_SIMULATIONS_ANY;
        struct control_rows rows = {0};
        struct control_simulate *m = calloc(1, sizeof(*m));
        if (!m)
                return -EBADMSG;
        int r = get_terms(call, &until_us, m) ? control_get_rows(call, "jobs", &rows) : 1;
        if (r == 0 && !control_wait_is_free(call))
                r = 1;
        if (r == 0 && prepare(m, call, until_us) < 0)
                r = -EBADMSG;
        bool is_full = r == 0 && count(call->control) >= (size_t)bound;
        struct control_wait *wait =
                r == 0 ? control_wait_begin(call, CONTROL_WAIT_SIMULATE, call->now.bt_us + CONTROL_SIMULATE_US) : NULL;
        if (!wait) {
                control_simulate_free(m);
                control_rows_done(&rows);
                return r < 0 ? r : 0;
        }
        wait->rows = rows;
        wait->simulate = m;
        m->wait = wait;
        if (is_full)
                refuse(wait, "simulations at a time", bound);
        else
                ask_durations(m, call);
        return 0;
}
