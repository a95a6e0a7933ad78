// SPDX-License-Identifier: MIT
// trigger_stay: each job or group that is followed has a connection of its own, since its replies come when they come. What is followed is a
// slot, or a trigger, through all its attempts.

#include "daemon/ctl/trigger_stay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"
#include "daemon/ctl/times.h"

#define STREAMS_MAX 32 /* chimed serves so many of a user */

struct followed {
        char job[JOB_NAME_MAX + 1];
        long long run;
        int64_t started_us; /* awake clock; 0: not yet */
        long long attempt;  /* that is to come; 0: none is */
        bool is_over;
};

struct stream {
        const char *target; /* a job, or a group's @NAME; borrowed */
        struct client *client;
        struct followed *list; /* owned; the members */
        size_t n;
        bool is_over;
        int status; /* the worst so far */
};

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number) {
        (void)number;
        is_interrupted = 1;
}

/* ---- what is shown ---- */

static const struct followed *find_open(const struct stream *streams, size_t n, size_t *ret_n_more) {
        const struct followed *first = NULL;

        *ret_n_more = 0;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < streams[i].n; k++) {
                        if (streams[i].is_over || streams[i].list[k].is_over)
                                continue;
                        *ret_n_more += first != NULL;
                        first = first ? first : &streams[i].list[k];
                }
        return first;
}

static bool has_progress(struct session *s) {
        return s->is_error_terminal && trigger_out(s) && !session_has(s, OPTION_FOLLOW);
}

/* A line on a terminal that says that time passes. */
static void show_progress(struct session *s, const struct stream *streams, size_t n) {
        char span[TIMES_SIZE], more[40] = "";
        size_t n_more;
        const struct followed *f = has_progress(s) ? find_open(streams, n, &n_more) : NULL;

        if (!f)
                return;
        if (n_more > 0)
                snprintf(more, sizeof(more), ", and %zu more", n_more);
        if (f->attempt > 0)
                fprintf(stderr, "\r%s: attempt %lld is to come%s\033[K", f->job, f->attempt, more);
        else
                fprintf(stderr, "\r%s: run %lld %s%s%s\033[K", f->job, f->run, f->started_us ? "running " : "waits",
                        f->started_us ? times_span((clock_awake_us() - f->started_us) / USEC_PER_SEC * USEC_PER_SEC, span) : "",
                        more);
}

static void hide_progress(struct session *s) {
        if (has_progress(s))
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

/* ---- what is heard ---- */

/* Whom a reply is about; NULL: nobody who is known. */
static struct followed *find(const struct stream *stream, const json_t *reply) {
        const char *job = reply_text_or(reply, "job", "");

        for (size_t i = 0; i < stream->n; i++)
                if (stream->n == 1 || strcmp(stream->list[i].job, job) == 0)
                        return &stream->list[i];
        return NULL;
}

/* A job is its own only member. 0, -ENOMEM. */
static int accept_members(struct stream *stream, const json_t *reply) {
        const json_t *accepted = json_object_get(reply, "accepted");
        size_t n = json_is_array(accepted) ? json_array_size(accepted) : 1;

        stream->list = calloc(n + 1, sizeof(*stream->list));
        if (!stream->list)
                return -ENOMEM;
        stream->n = n;
        for (size_t i = 0; i < n; i++) {
                const json_t *one = json_is_array(accepted) ? json_array_get(accepted, i) : reply;
                snprintf(stream->list[i].job, sizeof(stream->list[i].job), "%s", reply_text_or(one, "job", "?"));
                stream->list[i].run = reply_int(one, "runId", 0);
        }
        return 0;
}

static void end(struct session *s, struct stream *stream, struct followed *f, const json_t *reply) {
        const json_t *run = reply_object(reply, "run");
        int status = runs_exit_status(run);
        char words[RUNS_WORDS];
        FILE *out = trigger_out(s);

        f->is_over = true;
        stream->status = status > stream->status ? status : stream->status;
        hide_progress(s);
        if (out)
                fprintf(out, "%s: run %lld %s\n", f->job, f->run,
                        run ? runs_words(run, words) : "was cancelled before it began");
        session_flush(s);
}

/* An attempt has failed, and one more is to come. */
static void try_again(struct session *s, struct followed *f, const json_t *reply) {
        int64_t wait_us = reply_int(reply, "attemptUsec", 0) - clock_now().rt_us;
        char words[RUNS_WORDS], span[TIMES_SIZE];
        FILE *out = trigger_out(s);

        f->attempt = reply_int(reply, "attempt", 0);
        f->started_us = 0;
        hide_progress(s);
        if (out)
                fprintf(out, "%s: run %lld %s; attempt %lld comes %s%s\n", f->job, f->run,
                        runs_words(reply_object(reply, "run"), words), f->attempt, wait_us > 0 ? "in " : "at once",
                        wait_us > 0 ? times_span(wait_us, span) : "");
        session_flush(s);
}

/* How long ago a reply's event was: a joined run began before. */
static int64_t since(const json_t *reply) {
        int64_t now_us = clock_now().rt_us, at_us = reply_int(reply, "atUsec", now_us);

        return now_us > at_us ? now_us - at_us : 0;
}

static int handle(struct session *s, struct stream *stream, const json_t *reply) {
        const char *kind = reply_text_or(reply, "kind", "");

        if (s->is_json)
                session_json_line(s, reply);
        if (strcmp(kind, "accepted") == 0 && !stream->list) {
                trigger_say_accepted(s, stream->target, reply);
                session_flush(s);
                return accept_members(stream, reply);
        }
        struct followed *f = find(stream, reply);
        if (!f)
                return 0;
        f->run = reply_int(reply, "runId", f->run);
        if (strcmp(kind, "started") == 0) {
                f->started_us = clock_awake_us() - since(reply);
                f->attempt = 0;
        } else if (strcmp(kind, "output") == 0 && !s->is_json)
                print_output(s, reply);
        else if (strcmp(kind, "retry") == 0)
                try_again(s, f, reply);
        else if (strcmp(kind, "ended") == 0)
                end(s, stream, f, reply);
        return 0;
}

/* Takes all that has come. */
static void hear(struct session *s, struct stream *stream) {
        while (!stream->is_over) {
                struct client_reply reply;
                int r = client_take(stream->client, &reply);
                if (r == 1)
                        return;
                bool is_refused =
                        r == 0 && reply.error[0] && strncmp(reply.error, API_INTERFACE ".", strlen(API_INTERFACE ".")) == 0;
                int status = session_take(s, API_TRIGGER, r, &reply);
                if (status != CTL_EXIT_DONE) {
                        /* the job's own status can't be told from ours: what did not run is 125 */
                        stream->status = is_refused && status != CTL_EXIT_NO_SUCH_JOB ? CTL_EXIT_NOT_RUN : status;
                        stream->is_over = true;
                        return;
                }
                r = handle(s, stream, reply.parameters);
                if (r < 0)
                        stream->status = session_fail(CTL_EXIT_FAILED, "%s: no memory", stream->target);
                stream->is_over = r < 0 || !reply.has_more;
                client_reply_done(&reply);
        }
}

/* ---- the wait ---- */

static size_t left(const struct stream *streams, size_t n) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += !streams[i].is_over;
        return count;
}

static void say_left(const struct followed *f) {
        if (f->attempt > 0)
                fprintf(stderr, "%s: attempt %lld comes without you watching; drop it with: chimectl cancel --run %s\n", f->job,
                        f->attempt, f->job);
        else
                fprintf(stderr, "%s: run %lld goes on; end it with: chimectl cancel --run %s\n", f->job, f->run, f->job);
}

/* Says of those that are not over that they go on without us. */
static int leave(struct session *s, const struct stream *streams, size_t n, int status) {
        hide_progress(s);
        for (size_t i = 0; i < n && !session_has(s, OPTION_QUIET); i++)
                for (size_t k = 0; k < streams[i].n && !streams[i].is_over; k++)
                        if (!streams[i].list[k].is_over)
                                say_left(&streams[i].list[k]);
        return status;
}

/* Until all are over, the time is, or the user has enough (SIGINT, blocked but for the wait). */
static int follow(struct session *s, struct stream *streams, size_t n, const sigset_t *mask) {
        int64_t now_us = clock_awake_us(), deadline_us = CLIENT_NO_DEADLINE;
        struct pollfd fds[STREAMS_MAX];

        if (session_has(s, OPTION_TIMEOUT))
                deadline_us = now_us + session_number(s, OPTION_TIMEOUT, 0);
        for (; left(streams, n) > 0; now_us = clock_awake_us()) {
                if (now_us >= deadline_us)
                        return leave(s, streams, n, CTL_EXIT_TIMED_OUT);
                int64_t wait_us = deadline_us - now_us < USEC_PER_SEC ? deadline_us - now_us : USEC_PER_SEC;
                struct timespec wait = {.tv_sec = wait_us / USEC_PER_SEC, .tv_nsec = wait_us % USEC_PER_SEC * 1000};
                for (size_t i = 0; i < n; i++)
                        fds[i] =
                                (struct pollfd){.fd = streams[i].is_over ? -1 : client_fd(streams[i].client), .events = POLLIN};
                int r = ppoll(fds, n, &wait, mask);
                if (is_interrupted)
                        return leave(s, streams, n, 128 + SIGINT);
                for (size_t i = 0; r > 0 && i < n; i++)
                        if (fds[i].revents)
                                hear(s, &streams[i]);
                show_progress(s, streams, n);
        }
        int worst = CTL_EXIT_DONE;
        for (size_t i = 0; i < n; i++)
                worst = streams[i].status > worst ? streams[i].status : worst;
        return worst;
}

static int begin(struct session *s, struct stream *stream, const char *target) {
        stream->target = target;
        int status = session_connect(s, &stream->client);
        return status == CTL_EXIT_DONE ? session_send(s, stream->client, API_TRIGGER, trigger_parameters(s, target), true)
                                       : status;
}

int trigger_stay(struct session *s, const struct names *names) {
        struct stream streams[STREAMS_MAX] = {};
        struct sigaction interrupt = {.sa_handler = on_interrupt}, saved_action;
        sigset_t blocked, saved;
        size_t n = 0;
        int status = CTL_EXIT_DONE;

        if (names->n > STREAMS_MAX)
                return session_fail(CTL_EXIT_USAGE, "%zu jobs are too many to wait for; %d can be", names->n, STREAMS_MAX);
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGINT);
        sigprocmask(SIG_BLOCK, &blocked, &saved);
        sigaction(SIGINT, &interrupt, &saved_action);
        while (status == CTL_EXIT_DONE && n < names->n) {
                status = begin(s, &streams[n], names->list[n]);
                n++;
        }
        if (status == CTL_EXIT_DONE)
                status = follow(s, streams, n, &saved);
        for (size_t i = 0; i < n; i++) {
                client_free(streams[i].client);
                free(streams[i].list);
        }
        sigaction(SIGINT, &saved_action, NULL);
        sigprocmask(SIG_SETMASK, &saved, NULL);
        return status;
}
