// SPDX-License-Identifier: MIT
// errors: the errors of the interface, told with what to do next. One row an error.

#include "daemon/ctl/errors.h"

#include <string.h>

#include "daemon/core/util.h"
#include "daemon/ctl/names.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/verbs.h"

struct row {
        int status;
        void (*tell)(struct session *s, enum api_method method, const json_t *p);
};

static const char *job_of(const json_t *p) {
        return reply_text_or(p, "job", "the job");
}

static void tell_no_such_job(struct session *s, enum api_method method, const json_t *p) {
        (void)method;
        if (job_of(p)[0] == '@')
                session_fail(0, "no group %s; the groups there are: chimectl list --groups", job_of(p) + 1);
        else
                errors_tell_no_job(s, job_of(p));
}

static void tell_no_such_run(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method;
        session_fail(0, "%s: run %lld is not in flight; see: chimectl show %s", job_of(p), (long long)reply_int(p, "runId", 0),
                     job_of(p));
}

static void tell_not_armed(struct session *s, enum api_method method, const json_t *p) {
        const char *job = job_of(p), *state = reply_text_or(p, "state", "not armed");

        (void)s;
        if (strcmp(state, "disabled") == 0)
                session_fail(0, "%s is disabled: its definition says Enabled=no; %s%s", job,
                             method == API_TRIGGER ? "run it once: chimectl trigger --force " : "change that: chimectl cat ",
                             job);
        else
                session_fail(0, "%s is %s; let it run again: chimectl start %s%s%s", job, state, job,
                             method == API_TRIGGER ? ", or only once: chimectl trigger --force " : "",
                             method == API_TRIGGER ? job : "");
}

static void tell_already_running(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method;
        session_fail(0, "%s: run %lld is in flight; wait for it: chimectl trigger --wait %s", job_of(p),
                     (long long)reply_int(p, "runId", 0), job_of(p));
}

static void tell_not_running(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method;
        session_fail(0, "%s: no run is in flight, and nothing waits to run; see: chimectl show %s", job_of(p), job_of(p));
}

static void tell_not_possible(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method;
        session_fail(0, "%s: %s; see: chimectl cat %s", job_of(p), reply_text_or(p, "reason", "not possible"), job_of(p));
}

static void tell_not_accepted(struct session *s, enum api_method method, const json_t *p) {
        const json_t *accepted = json_object_get(p, "accepted");
        char names[512] = "";
        size_t i, at = 0;
        json_t *name;

        (void)s, (void)method;
        json_array_foreach(accepted, i, name) {
                int n = snprintf(names + at, sizeof(names) - at, "%s%s", at > 0 ? ", " : "", json_string_value(name));
                at += n > 0 && (size_t)n < sizeof(names) - at ? (size_t)n : 0;
        }
        session_fail(0, "%s does not accept the parameter %s; %s%s", job_of(p), reply_text_or(p, "name", "?"),
                     at > 0 ? "it accepts: " : "it accepts none: AcceptParameters= names those that it does", names);
}

static void tell_differ(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method;
        session_fail(0, "%s: run %lld has other parameters; wait for its end: chimectl wait --finished %s", job_of(p),
                     (long long)reply_int(p, "runId", 0), job_of(p));
}

static void tell_timed_out(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method;
        session_fail(0, "%s: it has not happened in time; see: chimectl show %s", job_of(p), job_of(p));
}

static void tell_limit(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method;
        session_fail(0, "too many %s, there may be %lld; try again when some have ended", reply_text_or(p, "what", "of these"),
                     (long long)reply_int(p, "limit", 0));
}

static void tell_not_ready(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method, (void)p;
        session_fail(0, "chimed is starting or stopping: try again; see: systemctl status chimed");
}

static void tell_no_ledger(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method, (void)p;
        session_fail(0, "chimed keeps no ledger, so it remembers only since its start; give --state=DIR, see "
                        "chimed(8)");
}

static void tell_ledger_failed(struct session *s, enum api_method method, const json_t *p) {
        (void)s, (void)method;
        session_fail(0, "the ledger: %s", reply_text_or(p, "reason", "it can't be read"));
}

static const struct row rows[API_ERROR_MAX] = {
        [API_ERROR_NO_SUCH_JOB] = {CTL_EXIT_NO_SUCH_JOB, tell_no_such_job},
        [API_ERROR_NO_SUCH_RUN] = {CTL_EXIT_NOT_ACTIVE, tell_no_such_run},
        [API_ERROR_NOT_ARMED] = {CTL_EXIT_NOT_ACTIVE, tell_not_armed},
        [API_ERROR_ALREADY_RUNNING] = {CTL_EXIT_FAILED, tell_already_running},
        [API_ERROR_NOT_RUNNING] = {CTL_EXIT_NOT_ACTIVE, tell_not_running},
        [API_ERROR_NOT_POSSIBLE] = {CTL_EXIT_FAILED, tell_not_possible},
        [API_ERROR_NOT_ACCEPTED] = {CTL_EXIT_FAILED, tell_not_accepted},
        [API_ERROR_PARAMETERS_DIFFER] = {CTL_EXIT_FAILED, tell_differ},
        [API_ERROR_TIMED_OUT] = {CTL_EXIT_TIMED_OUT, tell_timed_out},
        [API_ERROR_LIMIT_REACHED] = {CTL_EXIT_FAILED, tell_limit},
        [API_ERROR_NOT_READY] = {CTL_EXIT_FAILED, tell_not_ready},
        [API_ERROR_NO_LEDGER] = {CTL_EXIT_FAILED, tell_no_ledger},
        [API_ERROR_LEDGER_FAILED] = {CTL_EXIT_FAILED, tell_ledger_failed},
};

static void tell_denied(struct session *s, enum api_method method, const json_t *p) {
        const char *job = reply_text(p, "job"), *holders = reply_text(p, "holders");
        const char *right = reply_text_or(p, "right", api_right_to_string(api_methods()[method].right));
        /* who may trigger may not do all that trigger can */
        bool is_beyond = method == API_TRIGGER && strcmp(right, "control") == 0;
        char all[128];

        if (!holders) {
                snprintf(all, sizeof(all), "root, the group chimed%s%.20s%s", job ? " or Allow=" : "", job ? right : "",
                         job ? ":USER in the job" : "");
                holders = all;
        }
        session_fail(0, "you may not %s%s%s%s; needs %s; try: sudo chimectl %s%s%s", s->verb->name, job ? " " : "",
                     job ? job : "", is_beyond ? " with --follow, --force, rebase or replace" : "", holders, s->verb->name,
                     job ? " " : "", job ? job : "");
}

static void tell_invalid(struct session *s, enum api_method method, const json_t *p) {
        (void)s;
        session_fail(0, "chimed does not take this value of %s for %s; see: chimectl help",
                     reply_text_or(p, "parameter", "a parameter"), api_methods()[method].name);
}

static void tell_too_old(struct session *s, enum api_method method, const json_t *p) {
        (void)p;
        session_fail(0, "what answers at %s has no method %s: is it a chimed of another version? systemctl restart chimed",
                     s->socket, api_methods()[method].name);
}

/* Of org.varlink.service. */
static const struct {
        const char *name;
        struct row row;
} service_rows[] = {
        {"PermissionDenied", {CTL_EXIT_FAILED, tell_denied}},
        {"InvalidParameter", {CTL_EXIT_USAGE, tell_invalid}},
        {"MethodNotFound", {CTL_EXIT_FAILED, tell_too_old}},
        {"MethodNotImplemented", {CTL_EXIT_FAILED, tell_too_old}},
};

/* The row of an error, or NULL. */
static const struct row *find(const char *error) {
        static const char own[] = API_INTERFACE ".", service[] = API_SERVICE ".";

        if (strncmp(error, own, sizeof(own) - 1) == 0)
                for (size_t i = 0; i < API_ERROR_MAX; i++)
                        if (strcmp(api_errors()[i].name, error + sizeof(own) - 1) == 0)
                                return &rows[i];
        if (strncmp(error, service, sizeof(service) - 1) == 0)
                for (size_t i = 0; i < ARRAY_SIZE(service_rows); i++)
                        if (strcmp(service_rows[i].name, error + sizeof(service) - 1) == 0)
                                return &service_rows[i].row;
        return NULL;
}

int errors_status(const char *error) {
        const struct row *row = find(error);

        return row ? row->status : CTL_EXIT_FAILED;
}

int errors_tell(struct session *s, enum api_method method, const struct client_reply *reply) {
        const struct row *row = find(reply->error);

        if (!row)
                return session_fail(CTL_EXIT_FAILED, "chimed says %s, which this chimectl does not know", reply->error);
        row->tell(s, method, reply->parameters);
        return row->status;
}

int errors_tell_no_job(struct session *s, const char *name) {
        _cleanup_free_ char *meant = names_nearest(s, name);

        if (meant)
                return session_fail(CTL_EXIT_NO_SUCH_JOB, "no job \"%s\"; did you mean %s?", name, meant);
        return session_fail(CTL_EXIT_NO_SUCH_JOB, "no job \"%s\"; the jobs there are: chimectl list", name);
}
