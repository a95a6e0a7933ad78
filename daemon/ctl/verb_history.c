// SPDX-License-Identifier: MIT
// verb_history: what was: history and audit from the ledger, log from the journal.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/duration.h"
#include "config/job.h"
#include "daemon/core/util.h"
#include "daemon/ctl/history.h"
#include "daemon/ctl/names.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/verbs.h"

#define ROWS_DEFAULT 20                 /* of history, without -n and --since */
#define ROWS_MAX     10000              /* with --since */
#define LINES        "100"              /* of log, without -n, --since and --run */
#define AFTER_US     (1 * USEC_PER_SEC) /* of a run: the journal's time of its last line is a little later than its end */

/* ---- history ---- */

/* What to ask for. */
static json_t *make_terms(const struct session *s, enum api_method method, const char *job) {
        json_t *p = json_object();

        if (job)
                json_object_set_new(p, "job", json_string(job));
        if (session_has(s, OPTION_SINCE))
                json_object_set_new(p, "sinceUsec", json_integer(session_number(s, OPTION_SINCE, 0)));
        if (session_has(s, OPTION_UNTIL))
                json_object_set_new(p, "untilUsec", json_integer(session_number(s, OPTION_UNTIL, 0)));
        if (method == API_LIST_RUNS && session_has(s, OPTION_FAILED))
                json_object_set_new(p, "failed", json_true());
        if (method == API_LIST_MISSED)
                json_object_set_new(p, "outcomes", json_pack("[s,s,s,s]", "missed", "withheld", "merged", "interrupted"));
        if (method == API_LIST_MISSED && !session_has(s, OPTION_MISSED))
                json_array_append_new(json_object_get(p, "outcomes"), json_string("routine"));
        return p;
}

static int add_rows(struct session *s, enum api_method method, const char *job, size_t max, json_t *rows, int64_t *trimmed) {
        json_t *terms = make_terms(s, method, job);
        int status = history_add(s, method, terms, max, false, rows, trimmed);

        json_decref(terms);
        return status;
}

static int add_history(struct session *s, const char *job, size_t max, json_t *runs, json_t *missed, int64_t *trimmed) {
        int status = CTL_EXIT_DONE;

        if (!session_has(s, OPTION_MISSED))
                status = add_rows(s, API_LIST_RUNS, job, max, runs, trimmed);
        if (status == CTL_EXIT_DONE && !session_has(s, OPTION_FAILED))
                status = add_rows(s, API_LIST_MISSED, job, max, missed, NULL);
        return status;
}

/* Both kinds in the order of time, of them the latest. */
static int show_history(struct session *s, json_t *runs, json_t *missed, size_t max, int64_t trimmed) {
        json_t *rows = json_array();

        json_array_extend(rows, runs);
        json_array_extend(rows, missed);
        int r = screen_history_sort(rows);
        while (json_array_size(rows) > max)
                json_array_remove(rows, 0);
        if (r == 0)
                r = screen_history(&s->view, rows, trimmed, s->out);
        json_decref(rows);
        return r < 0 ? session_tell_memory() : CTL_EXIT_DONE;
}

int verb_history(struct session *s) {
        size_t max = (size_t)session_number(s, OPTION_NUMBER, session_has(s, OPTION_SINCE) ? ROWS_MAX : ROWS_DEFAULT);
        json_t *runs = json_array(), *missed = json_array();
        struct names names = {};
        int64_t trimmed = 0;

        if (session_has(s, OPTION_MISSED) && session_has(s, OPTION_FAILED)) {
                json_decref(runs);
                json_decref(missed);
                return session_fail(CTL_EXIT_USAGE, "--missed and --failed leave nothing: give one of them");
        }
        int status = names_resolve(s, s->names, s->n_names, &names);
        for (size_t i = 0; status == CTL_EXIT_DONE && (i < names.n || (i == 0 && names.n == 0)); i++)
                status = add_history(s, names.n > 0 ? names.list[i] : NULL, max, runs, missed, &trimmed);
        if (status == CTL_EXIT_DONE && s->is_json) {
                json_t *reply = json_pack("{s:O,s:O}", "runs", runs, "missed", missed);
                session_json(s, reply);
                json_decref(reply);
        } else if (status == CTL_EXIT_DONE)
                status = show_history(s, runs, missed, max, trimmed);
        names_done(&names);
        json_decref(runs);
        json_decref(missed);
        return status;
}

/* ---- audit ---- */

/* Appends the verdicts on one job, or on all. */
static int add_audits(struct session *s, const char *job, json_t *audits) {
        int64_t after = 0;

        do {
                json_t *reply, *p = json_object();
                if (job)
                        json_object_set_new(p, "job", json_string(job));
                if (session_has(s, OPTION_SINCE))
                        json_object_set_new(p, "sinceUsec", json_integer(session_number(s, OPTION_SINCE, 0)));
                if (after > 0)
                        json_object_set_new(p, "after", json_integer(after));
                int status = session_call(s, API_AUDIT, p, &reply);
                if (status != CTL_EXIT_DONE)
                        return status;
                int64_t next = reply_int(reply, "after", 0);
                after = next > after ? next : 0; /* else it would never end */
                if (reply_text(reply, "job"))
                        json_array_append(audits, reply);
                json_decref(reply);
        } while (after > 0);
        return CTL_EXIT_DONE;
}

static bool has_faults(const json_t *audits) {
        size_t i;
        json_t *audit;

        json_array_foreach(audits, i, audit) {
                if (json_array_size(json_object_get(audit, "faults")) > 0)
                        return true;
        }
        return false;
}

int verb_audit(struct session *s) {
        json_t *audits = json_array();
        struct names names = {};

        s->progress = "reading the ledger";
        int status = names_resolve(s, s->names, s->n_names, &names);
        for (size_t i = 0; status == CTL_EXIT_DONE && i < names.n; i++)
                status = add_audits(s, names.list[i], audits);
        if (status == CTL_EXIT_DONE && names.n == 0)
                status = add_audits(s, NULL, audits);
        if (status == CTL_EXIT_DONE && s->is_json)
                session_json(s, audits);
        else if (status == CTL_EXIT_DONE && screen_audit(&s->view, audits, s->out) < 0)
                status = session_tell_memory();
        if (status == CTL_EXIT_DONE && has_faults(audits))
                status = CTL_EXIT_FAILED;
        names_done(&names);
        json_decref(audits);
        return status;
}

/* ---- log ---- */

/* The command line of journalctl. */
struct command {
        char *argv[24];
        size_t n;
        bool has_failed;
};

__attribute__((format(printf, 2, 3))) static void add(struct command *c, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        if (c->n + 1 == ARRAY_SIZE(c->argv) || vasprintf(&c->argv[c->n], format, arguments) < 0)
                c->has_failed = true;
        else
                c->argv[++c->n] = NULL;
        va_end(arguments);
}

static void add_instant(struct command *c, const char *option, int64_t us) {
        add(c, "--%s=@%lld.%06lld", option, (long long)(us / USEC_PER_SEC), (long long)(us % USEC_PER_SEC));
}

/* The time of one run: the runs of a job do not overlap, and its number alone does not say which instance of chimed it was in. */
static int add_run_of_ledger(struct session *s, struct command *c, const char *job, int64_t number) {
        json_t *reply, *p = json_pack("{s:s,s:I,s:i}", "job", job, "runId", (json_int_t)number, "limit", 1);
        int status = session_call(s, API_LIST_RUNS, p, &reply);

        if (status != CTL_EXIT_DONE)
                return status;
        const json_t *run = json_array_get(json_object_get(reply, "runs"), 0);
        int64_t start_us = reply_int(run, "startUsec", REPLY_NO_TIME), end_us = reply_int(run, "endUsec", REPLY_NO_TIME);
        if (!run)
                status = session_fail(CTL_EXIT_NOT_ACTIVE, "%s: run %lld is not in the ledger; see: chimectl history %s", job,
                                      (long long)number, job);
        else if (start_us == REPLY_NO_TIME)
                status = session_fail(CTL_EXIT_NOT_ACTIVE, "%s: run %lld never began, so it wrote nothing", job,
                                      (long long)number);
        else
                add_instant(c, "since", start_us);
        if (status == CTL_EXIT_DONE && end_us != REPLY_NO_TIME)
                add_instant(c, "until", end_us + AFTER_US);
        json_decref(reply);
        return status;
}

static int add_span(struct session *s, struct command *c, const char *job) {
        int64_t run = session_number(s, OPTION_RUN, 0);

        if (session_has(s, OPTION_RUN) && run == 0)
                return session_fail(CTL_EXIT_USAGE, "--run: say which, as in --run=812; see: chimectl history %s", job);
        if (run > 0)
                return add_run_of_ledger(s, c, job, run);
        if (session_has(s, OPTION_SINCE))
                add_instant(c, "since", session_number(s, OPTION_SINCE, 0));
        if (session_has(s, OPTION_UNTIL))
                add_instant(c, "until", session_number(s, OPTION_UNTIL, 0));
        return CTL_EXIT_DONE;
}

static void add_form(const struct session *s, struct command *c) {
        bool is_all = session_has(s, OPTION_SINCE) || session_has(s, OPTION_UNTIL) || session_has(s, OPTION_RUN);

        if (session_has(s, OPTION_NUMBER))
                add(c, "--lines=%s", session_text(s, OPTION_NUMBER));
        else if (!is_all)
                add(c, "--lines=" LINES);
        if (session_has(s, OPTION_FOLLOW))
                add(c, "--follow");
        if (session_has(s, OPTION_NO_PAGER))
                add(c, "--no-pager");
        if (session_has(s, OPTION_QUIET))
                add(c, "--quiet");
        if (s->is_json)
                add(c, "--output=json");
}

int verb_log(struct session *s) {
        struct command c = {};
        struct names names = {};
        int status = names_resolve(s, s->names, s->n_names, &names);

        if (status == CTL_EXIT_DONE && names.n != 1)
                status = session_fail(CTL_EXIT_USAGE, "%s means %zu jobs: name one", s->names[0], names.n);
        if (status == CTL_EXIT_DONE) {
                add(&c, "journalctl");
                status = add_span(s, &c, names.list[0]);
                add_form(s, &c);
                add(&c, "SYSLOG_IDENTIFIER=%s", names.list[0]);
                add(&c, "CHIMED_JOB=%s", names.list[0]);
        }
        names_done(&names);
        if (status == CTL_EXIT_DONE && c.has_failed)
                status = session_tell_memory();
        if (status == CTL_EXIT_DONE) {
                execvp(c.argv[0], c.argv);
                status = session_fail(CTL_EXIT_FAILED,
                                      "journalctl: %s; what jobs write is in the journal, and only journalctl reads it",
                                      strerror(errno));
        }
        for (size_t i = 0; i < c.n; i++)
                free(c.argv[i]);
        return status;
}
