// SPDX-License-Identifier: MIT
// verb_trigger: runs jobs now; with --wait or --follow it stays until they have ended, and exits as they did.
// Each job that is followed has a connection of its own, since its replies come when they come.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/ctl/names.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"
#include "daemon/ctl/times.h"
#include "daemon/ctl/verbs.h"

#define FOLLOWED_MAX 32 /* chimed serves so many streams of a user */

struct followed {
        const char *job; /* borrowed */
        struct client *client;
        long long run;
        int64_t started_us; /* awake clock; 0: not yet */
        bool is_over;
        int status;
};

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number) {
        (void)number;
        is_interrupted = 1;
}

/* The word that was given, or else nothing. */
static void add_word(const struct session *s, enum ctl_option option, const char *name, json_t *parameters) {
        if (session_has(s, option))
                json_object_set_new(parameters, name, json_string(session_text(s, option)));
}

static json_t *trigger_parameters(const struct session *s, const char *job) {
        json_t *p = json_pack("{s:s}", "job", job);

        if (!p)
                return NULL;
        add_word(s, OPTION_IF_RUNNING, "ifRunning", p);
        add_word(s, OPTION_SCHEDULE, "schedule", p);
        if (session_has(s, OPTION_FORCE))
                json_object_set_new(p, "force", json_true());
        if (session_has(s, OPTION_FOLLOW))
                json_object_set_new(p, "output", json_true());
        return p;
}

/* ---- words ---- */

static const struct {
        const char *outcome, *before, *after; /* the run's number */
} outcomes[] = {
        {"started", "run ", " started"},
        {"joined", "joined run ", ", which is in flight"},
        {"queued", "queued as run ", ", behind the one in flight"},
        {"waiting", "queued as run ", "; chimectl why says what it waits for"},
        {"replacing", "run ", " starts when the one in flight has been ended"},
};

/* The job's state, where its schedule does not go on by this, and what would make it. */
static const struct {
        const char *state, *way;
} notices[] = {
        {"paused", "chimectl resume"}, {"cancelled", "chimectl start"},  {"finished", "chimectl start"},
        {"failed", "chimectl start"},  {"disabled", "no Enabled=no in"},
};

/* Where words go: standard error where standard output is the job's; NULL: nowhere. */
static FILE *words_out(struct session *s) {
        if (s->is_json || session_has(s, OPTION_QUIET))
                return NULL;
        return session_has(s, OPTION_FOLLOW) ? stderr : s->out;
}

static void say_accepted(struct session *s, const char *job, const json_t *reply) {
        const char *outcome = reply_text_or(reply, "outcome", "?"), *state = reply_text_or(reply, "state", "");
        FILE *out = words_out(s);

        if (strcmp(outcome, "queued") == 0 && reply_int(reply, "behindRunId", 0) == 0)
                outcome = "waiting";
        for (size_t i = 0; out && i < ARRAY_SIZE(outcomes); i++)
                if (strcmp(outcomes[i].outcome, outcome) == 0)
                        fprintf(out, "%s: %s%lld%s\n", job, outcomes[i].before, (long long)reply_int(reply, "runId", 0),
                                outcomes[i].after);
        for (size_t i = 0; out && i < ARRAY_SIZE(notices); i++)
                if (strcmp(notices[i].state, state) == 0)
                        fprintf(out, "%s is still %s; its schedule goes on with: %s %s\n", job, state, notices[i].way, job);
}

/* Of a group, what each member's is. */
static void say_all_accepted(struct session *s, const char *job, const json_t *reply) {
        const json_t *accepted = json_object_get(reply, "accepted");
        size_t i;
        json_t *one;

        if (!json_is_array(accepted))
                say_accepted(s, job, reply);
        json_array_foreach(accepted, i, one) {
                say_accepted(s, reply_text_or(one, "job", "?"), one);
        }
}

static int trigger_plainly(struct session *s, const struct names *names) {
        int worst = CTL_EXIT_DONE;

        for (size_t i = 0; i < names->n; i++) {
                json_t *reply;
                int status = session_call(s, API_TRIGGER, trigger_parameters(s, names->list[i]), &reply);
                worst = status > worst ? status : worst;
                if (status != CTL_EXIT_DONE)
                        continue;
                if (s->is_json)
                        session_json(s, reply);
                else
                        say_all_accepted(s, names->list[i], reply);
                session_flush(s);
                json_decref(reply);
        }
        return worst;
}

/* ---- following ---- */

/* A line on a terminal that says that time passes. */
static void show_progress(struct session *s, const struct followed *list, size_t n) {
        char text[TIMES_SIZE];
        bool is_wanted = s->is_error_terminal && words_out(s) && !session_has(s, OPTION_FOLLOW);

        for (size_t i = 0; is_wanted && i < n; i++)
                if (!list[i].is_over) {
                        int64_t since_us = list[i].started_us;
                        fprintf(stderr, "\r%s: run %lld %s%s\033[K", list[i].job, list[i].run, since_us ? "running " : "waits",
                                since_us ? times_span((clock_awake_us() - since_us) / USEC_PER_SEC * USEC_PER_SEC, text) : "");
                        return;
                }
}

static void hide_progress(const struct session *s) {
        if (s->is_error_terminal && !session_has(s, OPTION_FOLLOW))
                fputs("\r\033[K", stderr);
}

static void print_output(struct session *s, const json_t *reply) {
        bool is_error = reply_int(reply, "stream", 1) == 2;
        long long dropped = reply_int(reply, "dropped", 0);

        if (dropped > 0)
                fprintf(stderr, "chimectl: %lld bytes of output were lost here: they came too fast\n", dropped);
        fputs(reply_text_or(reply, "text", ""), is_error ? stderr : s->out);
        if (!is_error)
                session_flush(s);
}

static void end(struct session *s, struct followed *f, const json_t *reply) {
        const json_t *run = reply_object(reply, "run");
        char words[RUNS_WORDS];
        FILE *out = words_out(s);

        f->is_over = true;
        f->status = runs_exit_status(run);
        hide_progress(s);
        if (out)
                fprintf(out, "%s: run %lld %s\n", f->job, f->run,
                        run ? runs_words(run, words) : "was cancelled before it began");
        session_flush(s);
}

/* How long ago a reply's event was: a joined run began before. */
static int64_t since(const json_t *reply) {
        int64_t now_us = clock_now().rt_us, at_us = reply_int(reply, "atUsec", now_us);

        return now_us > at_us ? now_us - at_us : 0;
}

static void handle(struct session *s, struct followed *f, const json_t *reply) {
        const char *kind = reply_text_or(reply, "kind", "");

        f->run = reply_int(reply, "runId", f->run);
        if (s->is_json)
                session_json_line(s, reply);
        if (strcmp(kind, "accepted") == 0) {
                say_accepted(s, f->job, reply);
                session_flush(s);
        } else if (strcmp(kind, "started") == 0)
                f->started_us = clock_awake_us() - since(reply);
        else if (strcmp(kind, "output") == 0 && !s->is_json)
                print_output(s, reply);
        else if (strcmp(kind, "ended") == 0)
                end(s, f, reply);
}

/* Takes all that has come of one job. */
static void hear(struct session *s, struct followed *f) {
        while (!f->is_over) {
                struct client_reply reply;
                int r = client_take(f->client, &reply);
                if (r == 1)
                        return;
                bool is_refused =
                        r == 0 && reply.error[0] && strncmp(reply.error, API_INTERFACE ".", strlen(API_INTERFACE ".")) == 0;
                f->status = session_take(s, API_TRIGGER, r, &reply);
                if (f->status != CTL_EXIT_DONE) {
                        f->is_over = true;
                        /* the job's own status can't be told from ours: what did not run is 125 */
                        f->status = is_refused && f->status != CTL_EXIT_NO_SUCH_JOB ? CTL_EXIT_NOT_RUN : f->status;
                        return;
                }
                handle(s, f, reply.parameters);
                f->is_over = f->is_over || !reply.has_more;
                client_reply_done(&reply);
        }
}

static size_t left(const struct followed *list, size_t n) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += !list[i].is_over;
        return count;
}

/* Says of those that are not over that they go on without us. */
static int leave(struct session *s, const struct followed *list, size_t n, int status) {
        hide_progress(s);
        for (size_t i = 0; i < n; i++)
                if (!list[i].is_over && !session_has(s, OPTION_QUIET))
                        fprintf(stderr, "%s: run %lld goes on; end it with: chimectl cancel --run %s\n", list[i].job,
                                list[i].run, list[i].job);
        return status;
}

/* Until all are over, the time is, or the user has enough (SIGINT, blocked but for the wait). */
static int follow(struct session *s, struct followed *list, size_t n, const sigset_t *mask) {
        int64_t now_us = clock_awake_us(), deadline_us = CLIENT_NO_DEADLINE;
        struct pollfd fds[FOLLOWED_MAX];

        if (session_has(s, OPTION_TIMEOUT))
                deadline_us = now_us + session_number(s, OPTION_TIMEOUT, 0);
        for (; left(list, n) > 0; now_us = clock_awake_us()) {
                if (now_us >= deadline_us)
                        return leave(s, list, n, CTL_EXIT_TIMED_OUT);
                int64_t wait_us = deadline_us - now_us < USEC_PER_SEC ? deadline_us - now_us : USEC_PER_SEC;
                struct timespec wait = {.tv_sec = wait_us / USEC_PER_SEC, .tv_nsec = wait_us % USEC_PER_SEC * 1000};
                for (size_t i = 0; i < n; i++)
                        fds[i] = (struct pollfd){.fd = list[i].is_over ? -1 : client_fd(list[i].client), .events = POLLIN};
                int r = ppoll(fds, n, &wait, mask);
                if (is_interrupted)
                        return leave(s, list, n, 128 + SIGINT);
                for (size_t i = 0; r > 0 && i < n; i++)
                        if (fds[i].revents)
                                hear(s, &list[i]);
                show_progress(s, list, n);
        }
        int worst = CTL_EXIT_DONE;
        for (size_t i = 0; i < n; i++)
                worst = list[i].status > worst ? list[i].status : worst;
        return worst;
}

static int begin(struct session *s, struct followed *f, const char *job) {
        f->job = job;
        int status = session_connect(s, &f->client);
        return status == CTL_EXIT_DONE ? session_send(s, f->client, API_TRIGGER, trigger_parameters(s, job), true) : status;
}

static int trigger_and_stay(struct session *s, const struct names *names) {
        struct followed list[FOLLOWED_MAX] = {};
        struct sigaction interrupt = {.sa_handler = on_interrupt}, saved_action;
        sigset_t blocked, saved;
        size_t n = 0;
        int status = CTL_EXIT_DONE;

        if (names->n > FOLLOWED_MAX)
                return session_fail(CTL_EXIT_USAGE, "%zu jobs are too many to wait for; %d can be", names->n, FOLLOWED_MAX);
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGINT);
        sigprocmask(SIG_BLOCK, &blocked, &saved);
        sigaction(SIGINT, &interrupt, &saved_action);
        while (status == CTL_EXIT_DONE && n < names->n) {
                status = begin(s, &list[n], names->list[n]);
                n++;
        }
        if (status == CTL_EXIT_DONE)
                status = follow(s, list, n, &saved);
        for (size_t i = 0; i < n; i++)
                client_free(list[i].client);
        sigaction(SIGINT, &saved_action, NULL);
        sigprocmask(SIG_SETMASK, &saved, NULL);
        return status;
}

int verb_trigger(struct session *s) {
        bool is_staying = session_has(s, OPTION_WAIT) || session_has(s, OPTION_FOLLOW);
        struct names names = {};

        if (session_has(s, OPTION_TIMEOUT) && !is_staying)
                return session_fail(CTL_EXIT_USAGE, "trigger: --timeout needs --wait or --follow");
        /* each run that is followed has a call of its own */
        int status = is_staying ? names_resolve(s, s->names, s->n_names, &names)
                                : names_resolve_targets(s, s->names, s->n_names, &names);
        if (status != CTL_EXIT_DONE)
                return status;
        status = is_staying ? trigger_and_stay(s, &names) : trigger_plainly(s, &names);
        names_done(&names);
        return status;
}
