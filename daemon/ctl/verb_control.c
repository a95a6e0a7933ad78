// SPDX-License-Identifier: MIT
// verb_control: what changes how a job stands: cancel, start, pause, resume, set-interval; and wait.
// The last line of each says what no longer happens, and the way back.

#include <string.h>

#include "config/duration.h"
#include "daemon/core/util.h"
#include "daemon/ctl/names.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/times.h"
#include "daemon/ctl/verbs.h"

/* What a verb adds to the call, and says of the reply. */
struct change {
        enum api_method method;
        void (*add)(const struct session *s, json_t *parameters); /* NULL: nothing */
        void (*say)(struct session *s, const char *job, const json_t *reply);
        bool takes_groups; /* as one */
};

/* Cancelling a group is one step, and the runs of its members are being ended: each is waited for. */
static int await_members(struct session *s, const char *group) {
        char *given = (char *)group;
        struct names names = {};
        int worst = names_resolve(s, &given, 1, &names);

        for (size_t i = 0; worst == CTL_EXIT_DONE && i < names.n; i++) {
                json_t *reply = session_has(s, OPTION_RUN)
                                        ? NULL
                                        : session_try(s, API_CANCEL, json_pack("{s:s}", "job", names.list[i]));
                json_decref(reply);
        }
        if (worst == CTL_EXIT_DONE)
                names_done(&names);
        return worst;
}

static int change_one(struct session *s, const struct change *change, const char *job) {
        json_t *reply, *parameters = json_pack("{s:s}", "job", job);

        if (parameters && change->add)
                change->add(s, parameters);
        int status = session_call(s, change->method, parameters, &reply);
        if (status != CTL_EXIT_DONE)
                return status;
        if (job[0] == '@' && change->method == API_CANCEL)
                status = await_members(s, job);
        if (s->is_json)
                session_json(s, reply);
        else
                change->say(s, job, reply);
        session_flush(s); /* the next one may take its time */
        json_decref(reply);
        return status;
}

/* Does it for each job; the worst status wins. */
static int change_each(struct session *s, const struct change *change) {
        struct names names;
        int worst = change->takes_groups ? names_resolve_targets(s, s->names, s->n_names, &names)
                                         : names_resolve(s, s->names, s->n_names, &names);

        if (worst != CTL_EXIT_DONE)
                return worst;
        for (size_t i = 0; i < names.n; i++) {
                int status = change_one(s, change, names.list[i]);
                worst = status > worst ? status : worst;
        }
        names_done(&names);
        return worst;
}

static void add_reason(const struct session *s, json_t *parameters) {
        if (session_has(s, OPTION_REASON))
                json_object_set_new(parameters, "reason", json_string(session_text(s, OPTION_REASON)));
}

static bool is_changed(const json_t *reply) {
        return reply_bool(reply, "changed");
}

/* "; next Mon ..., in 1d 14h", or "". */
static const char *next_of(const struct session *s, const json_t *reply, char buf[static 200]) {
        int64_t next_us = reply_int(reply, "nextSlotUsec", REPLY_NO_TIME);
        char text[160];

        snprintf(buf, 200, "%s%s", next_us != REPLY_NO_TIME ? "; next " : "",
                 next_us != REPLY_NO_TIME ? screen_next_time(&s->view, next_us, false, text) : "");
        return buf;
}

/* ---- cancel ---- */

static void add_what(const struct session *s, json_t *parameters) {
        int64_t run = session_number(s, OPTION_RUN, 0);

        add_reason(s, parameters);
        if (session_has(s, OPTION_RUN))
                json_object_set_new(parameters, "what", json_string("run"));
        if (run > 0)
                json_object_set_new(parameters, "runId", json_integer(run));
}

/* What waited to run. */
static void say_dropped(struct session *s, const char *job, const json_t *reply) {
        long long attempt = reply_int(reply, "droppedAttempt", 0), slots = reply_int(reply, "droppedSlots", 0);
        long long run = reply_int(reply, "droppedRunId", 0);

        if (attempt > 0)
                session_say(s, "%s: attempt %lld of its last slot will not come", job, attempt);
        if (slots > 0)
                session_say(s, "%s: %lld slot%s that waited will not run", job, slots, slots == 1 ? "" : "s");
        if (run > 0)
                session_say(s, "%s: run %lld, which a trigger was promised, will not begin", job, run);
}

static void say_cancelled(struct session *s, const char *job, const json_t *reply) {
        const json_t *run = reply_object(reply, "run");
        char words[RUNS_WORDS];

        if (run)
                session_say(s, "%s: run %lld %s", job, (long long)reply_int(run, "runId", 0), runs_words(run, words));
        say_dropped(s, job, reply);
        if (strcmp(reply_text_or(reply, "state", ""), "disabled") == 0)
                session_say(s, "%s is disabled: it runs only if it is forced to", job);
        else if (!session_has(s, OPTION_RUN))
                session_say(s, "%s will not run again until: chimectl start %s", job, job);
        else
                session_say(s, "%s goes on with its schedule; to stop that too: chimectl cancel %s", job, job);
}

int verb_cancel(struct session *s) {
        static const struct change change = {API_CANCEL, add_what, say_cancelled, true};

        s->progress = "still ending the run; it goes on without you watching";
        return change_each(s, &change);
}

/* ---- start, pause, resume ---- */

static void say_started(struct session *s, const char *job, const json_t *reply) {
        char next[200];

        session_say(s, "%s %s%s", job, is_changed(reply) ? "is armed again" : "was armed already", next_of(s, reply, next));
}

int verb_start(struct session *s) {
        static const struct change change = {API_START, NULL, say_started, true};

        return change_each(s, &change);
}

static void add_pause(const struct session *s, json_t *parameters) {
        add_reason(s, parameters);
        if (session_has(s, OPTION_FOR))
                json_object_set_new(parameters, "forUsec", json_integer(session_number(s, OPTION_FOR, 0)));
}

static void say_paused(struct session *s, const char *job, const json_t *reply) {
        const char *state = reply_text_or(reply, "state", "");
        char until[TIMES_SIZE];

        if (reply_int(reply, "runId", 0) > 0)
                session_say(s, "%s: its run in flight goes on; end it with: chimectl cancel --run %s", job, job);
        else if (strcmp(state, "pending") == 0)
                session_say(s, "%s: what waits to run still will, once; chimectl why says what it waits for", job);
        if (session_has(s, OPTION_FOR))
                session_say(s, "%s will not run again until %s, or: chimectl resume %s", job,
                            times_short(s->view.now_us, s->view.now_us + session_number(s, OPTION_FOR, 0), until), job);
        else
                session_say(s, "%s will not run again until: chimectl resume %s", job, job);
}

int verb_pause(struct session *s) {
        static const struct change change = {API_PAUSE, add_pause, say_paused, true};

        return change_each(s, &change);
}

static void say_resumed(struct session *s, const char *job, const json_t *reply) {
        const char *group = reply_text(reply, "group");
        char next[200];

        session_say(s, "%s %s%s", job,
                    !is_changed(reply) ? "was not paused"
                    : group            ? "is no longer paused by itself"
                                       : "goes on",
                    next_of(s, reply, next));
        if (group)
                session_say(s, "%s is still held by its group; let that go on: chimectl resume @%s", job, group);
}

int verb_resume(struct session *s) {
        static const struct change change = {API_RESUME, NULL, say_resumed, true};

        return change_each(s, &change);
}

/* ---- set-interval ---- */

static void add_interval(const struct session *s, json_t *parameters) {
        if (session_has(s, OPTION_RESET))
                json_object_set_new(parameters, "reset", json_true());
        else
                json_object_set_new(parameters, "everyUsec", json_integer(s->number));
}

static void say_interval(struct session *s, const char *job, const json_t *reply) {
        char every[TIMES_SIZE], next[200];

        times_span(reply_int(reply, "everyUsec", 0), every);
        session_say(s, "%s %s every %s%s", job, is_changed(reply) ? "now runs" : "runs as before,", every,
                    next_of(s, reply, next));
        if (!session_has(s, OPTION_RESET))
                session_say(s, "Back to the interval of its definition: chimectl set-interval %s --reset", job);
}

int verb_set_interval(struct session *s) {
        static const struct change change = {API_SET_INTERVAL, add_interval, say_interval, false};
        bool is_reset = session_has(s, OPTION_RESET);
        const char *why;

        if ((s->n_names == 2) == is_reset)
                return session_fail(CTL_EXIT_USAGE,
                                    "set-interval needs a job and either a span or --reset: chimectl set-interval JOB SPAN");
        if (!is_reset) {
                const char *text = s->names[1];
                if (duration_parse(text, &s->number, &why) < 0)
                        return session_fail(CTL_EXIT_USAGE, "%s: %s", text, why);
                if (s->number < USEC_PER_MSEC || s->number == DURATION_INFINITY)
                        return session_fail(CTL_EXIT_USAGE, "%s: give a span from 1ms; to stop a job: chimectl pause %s", text,
                                            s->names[0]);
                s->n_names = 1;
        }
        return change_each(s, &change);
}

/* ---- wait ---- */

static void add_goal(const struct session *s, json_t *parameters) {
        static const struct {
                enum ctl_option option;
                const char *name;
        } goals[] = {
                {OPTION_NUMBER, "more"}, {OPTION_RUNS, "runs"}, {OPTION_SUCCESSES, "successes"}, {OPTION_TIMEOUT, "forUsec"}};

        for (size_t i = 0; i < ARRAY_SIZE(goals); i++)
                if (session_has(s, goals[i].option))
                        json_object_set_new(parameters, goals[i].name, json_integer(session_number(s, goals[i].option, 0)));
        if (session_has(s, OPTION_FINISHED))
                json_object_set_new(parameters, "finished", json_true());
}

static void say_waited(struct session *s, const char *job, const json_t *reply) {
        const json_t *run = reply_object(reply, "lastRun");
        char words[RUNS_WORDS];

        if (run)
                session_say(s, "%s: run %lld %s", job, (long long)reply_int(run, "runId", 0), runs_words(run, words));
        session_say(s, "%s: %lld run%s, %lld good; %s", job, (long long)reply_int(reply, "runs", 0),
                    reply_int(reply, "runs", 0) == 1 ? "" : "s", (long long)reply_int(reply, "successes", 0),
                    reply_text_or(reply, "state", "?"));
}

int verb_wait(struct session *s) {
        static const struct change change = {API_WAIT, add_goal, say_waited, false};
        int n_goals = session_has(s, OPTION_NUMBER) + session_has(s, OPTION_RUNS) + session_has(s, OPTION_SUCCESSES) +
                      session_has(s, OPTION_FINISHED);

        if (n_goals > 1)
                return session_fail(CTL_EXIT_USAGE, "wait: give one of -n, --runs, --successes and --finished");
        s->progress = "waiting";
        return change_each(s, &change);
}
