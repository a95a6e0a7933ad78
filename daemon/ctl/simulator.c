// SPDX-License-Identifier: MIT
// simulator: chimed-simulate gets files, durations and period, and prints a row a line; chimed is called, and streams them.

#include "daemon/ctl/simulator.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/helper.h"
#include "daemon/core/memory_stream.h"
#include "daemon/core/util.h"
#include "daemon/ctl/names.h"
#include "daemon/ctl/places.h"
#include "daemon/ctl/reply.h"

#define NAMED_JOBS    900                 /* in a call; it has room for their names, however long */
#define ASKED_ROWS    500000              /* that Simulate gives at most */
#define PATIENCE_US   (60 * USEC_PER_SEC) /* with each of its replies */
#define ARGUMENTS_MAX (OPTIONS_FOLDERS_MAX + 9)

/* ---- chimed-simulate ---- */

struct simulation {
        const struct simulator_wish *wish;
        char *durations; /* for its standard input */
        char *arguments[ARGUMENTS_MAX];
        size_t n;
        char path[PATH_MAX];
        pid_t pid;
        int in, out; /* its ends of the pipes that are ours; -1: none */
};

__attribute__((format(printf, 2, 3))) static bool add(struct simulation *m, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        bool is_good = m->n < ARGUMENTS_MAX && vasprintf(&m->arguments[m->n], format, arguments) >= 0;
        va_end(arguments);
        m->n += is_good;
        return is_good;
}

/* "MICROSECONDS NAME" of each job's latest run, as a chimed that is running knows it. 0, -ENOMEM. */
static int find_durations(struct session *s, struct simulation *m) {
        size_t size;
        FILE *out = memory_stream_open(&m->durations, &size);
        int64_t after = 0;

        if (!out)
                return -ENOMEM;
        while (!session_has(s, OPTION_TOOK) && after >= 0 && session_is_there(s)) {
                json_t *job, *page = session_try(s, API_LIST_JOBS,
                                                 after > 0 ? json_pack("{s:I}", "after", (json_int_t)after) : json_object());
                size_t i;
                json_array_foreach(json_object_get(page, "jobs"), i, job) {
                        int64_t us = reply_int(job, "lastDurationUsec", -1);
                        if (us >= 0)
                                fprintf(out, "%" PRId64 " %s\n", us, reply_text_or(job, "name", "?"));
                }
                int64_t next = reply_int(page, "after", -1);
                after = next > after ? next : -1;
                json_decref(page);
        }
        return memory_stream_finish(out, &m->durations) ? 0 : -ENOMEM;
}

static int make_command(struct session *s, struct simulation *m, const struct places *places) {
        char own[PATH_MAX];
        int r = helper_own_path(own);

        if (r < 0)
                return session_fail(CTL_EXIT_FAILED, "/proc/self/exe: %s", strerror(-r));
        bool is_good = add(m, "%s", helper_path(own, "chimed-simulate", m->path)) &&
                       add(m, "--from=%" PRId64, m->wish->from_us) && add(m, "--to=%" PRId64, m->wish->to_us) &&
                       add(m, "--took=%" PRId64, session_number(s, OPTION_TOOK, 0)) &&
                       add(m, "--config=%s", places->paths.settings_file);
        if (m->wish->rows_max > 0)
                is_good = is_good && add(m, "--rows=%" PRId64, m->wish->rows_max);
        if (m->wish->with_names)
                is_good = is_good && add(m, "--names");
        for (size_t i = 0; i < places->paths.n_folders; i++)
                is_good = is_good && add(m, "--jobs=%s", places->paths.folders[i]);
        return is_good && find_durations(s, m) == 0 ? CTL_EXIT_DONE : session_tell_memory();
}

/* Becomes chimed-simulate; the names of jobs are behind its options. */
static void become(struct session *s, struct simulation *m, int in, int out) {
        char **argv = calloc(m->n + s->n_names + 2, sizeof(*argv));
        static char separator[] = "--";

        if (!argv)
                _exit(session_tell_memory());
        if (dup2(in, STDIN_FILENO) < 0 || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
                _exit(CTL_EXIT_FAILED);
        memcpy(argv, m->arguments, m->n * sizeof(*argv));
        argv[m->n] = separator;
        memcpy(argv + m->n + 1, s->names, s->n_names * sizeof(*argv));
        execv(argv[0], argv);
        session_fail(0, "%s: %s", argv[0], strerror(errno));
        _exit(CTL_EXIT_FAILED);
}

/* Starts it. 0 or a negative error. */
static int begin(struct session *s, struct simulation *m) {
        int in[2] = {-1, -1}, out[2] = {-1, -1};

        if (pipe2(in, O_CLOEXEC) < 0 || (m->wish->row && pipe2(out, O_CLOEXEC) < 0) || (m->pid = fork()) < 0) {
                int r = -errno;
                for (int i = 0; i < 2; i++) {
                        util_close(in[i]);
                        util_close(out[i]);
                }
                return r;
        }
        if (m->pid == 0)
                become(s, m, in[0], out[1]);
        util_close(in[0]);
        util_close(out[1]);
        m->in = in[1];
        m->out = out[0];
        return 0;
}

static void tell_durations(struct simulation *m) {
        sighandler_t saved = signal(SIGPIPE, SIG_IGN); /* it may have ended with an error */
        size_t size = strlen(m->durations);

        for (size_t at = 0; at < size;) {
                ssize_t n = write(m->in, m->durations + at, size - at);
                if (n < 0 && errno != EINTR)
                        break;
                at += n > 0 ? (size_t)n : 0;
        }
        m->in = util_close(m->in);
        signal(SIGPIPE, saved);
}

/* 0, -EBADMSG, -ENOMEM, or what row() returned. */
static int read_rows(struct simulation *m) {
        FILE *out = fdopen(m->out, "r");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        int r = out ? 0 : -ENOMEM;

        while (r == 0 && getline(&line, &size, out) > 0) {
                json_t *row = json_loads(line, 0, NULL);
                r = row ? m->wish->row(m->wish->userdata, row) : -EBADMSG;
                json_decref(row);
        }
        if (r == 0 && !feof(out))
                r = -errno;
        if (out)
                fclose(out);
        else
                util_close(m->out);
        m->out = -1;
        return r;
}

/* Waits for its end. Returns its exit status, CTL_EXIT_FAILED where a signal ended it. */
static int end(struct simulation *m) {
        int status = 0;

        while (waitpid(m->pid, &status, 0) < 0)
                if (errno != EINTR)
                        return CTL_EXIT_FAILED;
        return WIFEXITED(status) ? WEXITSTATUS(status) : CTL_EXIT_FAILED;
}

static int run(struct session *s, struct simulation *m) {
        int r = begin(s, m);

        if (r == 0) {
                tell_durations(m);
                r = m->wish->row ? read_rows(m) : 0;
        }
        int status = m->pid > 0 ? end(m) : CTL_EXIT_FAILED;
        return r < 0 ? session_fail(CTL_EXIT_FAILED, "chimed-simulate: %s", strerror(-r)) : status;
}

int simulator_run(struct session *s, const struct simulator_wish *wish, bool *ret_has_durations) {
        struct simulation m = {.wish = wish, .in = -1, .out = -1};
        struct places places = {};
        int status = places_find(s, &places);

        if (status == CTL_EXIT_DONE)
                status = make_command(s, &m, &places);
        if (status == CTL_EXIT_DONE) {
                *ret_has_durations = *m.durations;
                status = run(s, &m);
        }
        while (m.n > 0)
                free(m.arguments[--m.n]);
        free(m.durations);
        places_done(&places);
        return status;
}

/* ---- chimed ---- */

/* What to ask for; jobs is an array of Job. */
static json_t *make_terms(const struct session *s, const struct simulator_wish *wish, const json_t *jobs) {
        json_t *p = json_object(), *names = json_array(), *job;
        bool is_bounded = wish->rows_max > 0 && wish->rows_max < ASKED_ROWS;
        size_t i;

        json_object_set_new(p, "untilUsec", json_integer(wish->to_us));
        json_object_set_new(p, "limit", json_integer(is_bounded ? wish->rows_max : ASKED_ROWS));
        if (session_has(s, OPTION_TOOK))
                json_object_set_new(p, "tookUsec", json_integer(session_number(s, OPTION_TOOK, 0)));
        json_array_foreach(jobs, i, job) {
                json_array_append(names, json_object_get(job, "name"));
        }
        if (s->n_names > 0)
                json_object_set(p, "jobs", names);
        json_decref(names);
        return p;
}

static int take_names(const struct simulator_wish *wish, const json_t *jobs) {
        size_t i;
        json_t *job;
        int r = 0;

        json_array_foreach(jobs, i, job) {
                json_t *row = json_pack("{s:s}", "job", reply_text_or(job, "name", "?"));
                r = r < 0 ? r : row ? wish->row(wish->userdata, row) : -ENOMEM;
                json_decref(row);
        }
        return r;
}

static int take_reply(const struct simulator_wish *wish, const json_t *reply) {
        static const char *const lists[] = {"runs", "missed"};
        size_t i;
        json_t *row;
        int r = 0;

        for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
                json_array_foreach(json_object_get(reply, lists[k]), i, row) {
                        r = r < 0 ? r : wish->row(wish->userdata, row);
                }
        return r;
}

static int take_replies(struct session *s, struct client *client, const struct simulator_wish *wish, bool *ret_has_durations) {
        struct client_reply reply = {.has_more = true};
        bool is_cut = false;

        while (reply.has_more) {
                int r = client_receive(client, clock_awake_us() + PATIENCE_US, &reply);
                int status = session_take(s, API_SIMULATE, r == 1 ? -ETIMEDOUT : r, &reply);
                if (status != CTL_EXIT_DONE)
                        return status;
                r = take_reply(wish, reply.parameters);
                *ret_has_durations = reply_int(reply.parameters, "measured", 0) > 0;
                is_cut = reply_bool(reply.parameters, "isCut");
                client_reply_done(&reply);
                if (r < 0)
                        return session_fail(CTL_EXIT_FAILED, "%s", strerror(-r));
        }
        return is_cut ? SIMULATOR_MANY : CTL_EXIT_DONE;
}

int simulator_ask(struct session *s, const struct simulator_wish *wish, bool *ret_has_durations) {
        struct client *client = NULL;
        json_t *jobs = NULL;
        int status = names_list_jobs(s, s->names, s->n_names, &jobs);

        if (status == CTL_EXIT_DONE && s->n_names > 0 && json_array_size(jobs) > NAMED_JOBS)
                status = session_fail(CTL_EXIT_USAGE, "these are more than %d jobs: name fewer, or none for all", NAMED_JOBS);
        if (status == CTL_EXIT_DONE && wish->with_names && take_names(wish, jobs) < 0)
                status = session_tell_memory();
        if (status == CTL_EXIT_DONE)
                status = session_connect(s, &client);
        if (status == CTL_EXIT_DONE)
                status = session_send(s, client, API_SIMULATE, make_terms(s, wish, jobs), true);
        if (status == CTL_EXIT_DONE)
                status = take_replies(s, client, wish, ret_has_durations);
        client_free(client);
        json_decref(jobs);
        return status;
}
