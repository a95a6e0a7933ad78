// SPDX-License-Identifier: MIT
// control: the listening socket, what the link tells, and time. Nothing is freed while the pass goes on: a client that is closed in
// the midst of something is only marked, its memory goes in control_flush(). So whoever walks a list may close whom he likes.

#include "daemon/scheduler/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_feed.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/control_watch.h"

#define ACCEPTS_A_PASS 16
#define AGAIN_US       USEC_PER_SEC    /* until the next accept where no descriptor was left */
#define TOLD_US        USEC_PER_MINUTE /* of what clients do so many lines are written in this span */
#define TOLD_MAX       30

/* ---- what is told ---- */

void control_tell_refused(struct control *c, struct clock_sample now, uid_t uid, const char *why) {
        c->n_refused++;
        if (now.bt_us - c->refused_told_bt_us < TOLD_US)
                return;
        struct journal_record r = journal_begin(c->journal, EVENT_DEGRADED);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, c->n_refused);
        journal_send(&r, "A connection of uid %u to the control socket was refused: %s (%" PRIu64 " since last told)",
                     (unsigned)uid, why, c->n_refused);
        c->n_refused = 0;
        c->refused_told_bt_us = now.bt_us;
}

void control_tell(struct control *c, struct clock_sample now, bool is_denied, const char *job, const char *format, ...) {
        int priority = is_denied ? LOG_WARNING : LOG_INFO;
        if (now.bt_us - c->told[is_denied].since_bt_us >= TOLD_US) {
                if (c->told[is_denied].n_untold > 0) {
                        struct journal_record r = journal_begin_line(c->journal, priority, NULL);
                        journal_send(&r, "%" PRIu64 " more calls of clients were %s", c->told[is_denied].n_untold,
                                     is_denied ? "denied" : "done");
                }
                c->told[is_denied].since_bt_us = now.bt_us;
                c->told[is_denied].n_told = c->told[is_denied].n_untold = 0;
        }
        if (c->told[is_denied].n_told == TOLD_MAX) {
                c->told[is_denied].n_untold++;
                return;
        }
        c->told[is_denied].n_told++;
        char text[512];
        va_list ap;
        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        struct journal_record r = journal_begin_line(c->journal, priority, NULL);
        if (job)
                journal_field(&r, "CHIMED_JOB", "%s", job);
        journal_send(&r, "%s", text);
}

/* A name service may block, so only what is known without one has a name. */
const char *control_by(const struct control_client *client, char buf[static 32]) {
        if (client->peer.uid == 0)
                return "root";
        snprintf(buf, 32, "uid %u", (unsigned)client->peer.uid);
        return buf;
}

/* ---- rows ---- */

void control_rows_done(struct control_rows *rows) {
        free(rows->list);
        *rows = (struct control_rows){0};
}

static int compare(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
        return (x > y) - (x < y);
}

void control_rows_sort(struct control_rows *rows) {
        size_t n = 0;
        if (rows->n > 1)
                qsort(rows->list, rows->n, sizeof(*rows->list), compare);
        for (size_t i = 0; i < rows->n; i++)
                if (n == 0 || rows->list[n - 1] != rows->list[i])
                        rows->list[n++] = rows->list[i];
        rows->n = n;
}

static uint32_t *find_row(const struct control_rows *rows, uint32_t job) {
        return rows->n > 0 ? bsearch(&job, rows->list, rows->n, sizeof(*rows->list), compare) : NULL;
}

bool control_rows_has(const struct control_rows *rows, uint32_t job) {
        return !rows->is_some || find_row(rows, job);
}

uint32_t control_rows_walk(const struct control_rows *rows, const struct engine *e, uint32_t *at) {
        while (rows->is_some && *at < rows->n) {
                uint32_t job = rows->list[(*at)++];
                if (engine_walk_jobs(e, job) == job)
                        return job;
        }
        if (rows->is_some || *at == INDEX_NONE)
                return INDEX_NONE;
        uint32_t job = engine_walk_jobs(e, *at);
        *at = job == INDEX_NONE ? job : job + 1;
        return job;
}

void control_rows_forget(struct control_rows *rows, uint32_t job, uint32_t *at) {
        uint32_t *place = find_row(rows, job);
        if (!place)
                return;
        size_t i = (size_t)(place - rows->list);
        memmove(place, place + 1, (--rows->n - i) * sizeof(*place));
        if (*at > i)
                (*at)--;
}

/* ---- accept ---- */

/* Takes what waits to be accepted; others have their turn after some. */
static int on_listener(void *userdata, uint32_t events) {
        struct control *c = userdata;
        (void)events;
        for (int i = 0; i < ACCEPTS_A_PASS; i++) {
                int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
                        continue;
                if (fd < 0 && errno == EAGAIN)
                        return 0;
                if (fd < 0) { /* EMFILE, ENFILE, ENOMEM: the socket stays ready, so look away for a while */
                        struct clock_sample now = clock_now();
                        control_tell_refused(c, now, (uid_t)-1, strerror(errno));
                        c->listen_again_bt_us = now.bt_us + AGAIN_US;
                        control_wake_at(c, c->listen_again_bt_us);
                        return loop_set_events(c->listener, 0);
                }
                int r = control_client_accept(c, fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- what the link tells ---- */

static void forget_diags(struct control *c) {
        for (size_t i = 0; i < c->n_diags; i++)
                free(c->diags[i]);
        c->n_diags = c->diags_size = 0;
        c->n_diags_left_out = 0;
}

static void on_diag(void *userdata, bool is_error, const char *text) {
        struct control *c = userdata;
        (void)is_error; /* the text says so */
        size_t size = strlen(text) + 1;
        char *copy = NULL;
        if (c->n_diags < CONTROL_DIAGS_MAX && size <= CONTROL_DIAGS_SIZE - c->diags_size)
                copy = strdup(text);
        if (!copy) {
                c->n_diags_left_out++;
                return;
        }
        c->diags[c->n_diags++] = copy;
        c->diags_size += size;
}

static void on_action(void *userdata, struct clock_sample now, const struct action *a, const void *value, size_t value_size) {
        struct control *c = userdata;
        if (!c->waits)
                return;
        bool is_end = a->kind == ACTION_ENDED || a->kind == ACTION_REFUSED;
        if (is_end)
                control_watch_finish(c, now, a->run.run.run);
        if (c->n_feeds > 0)
                control_feed_action(c, now, a, value, value_size);
        control_wait_action(c, now, a);
        if (is_end)
                control_watch_ended(c, a->run.run.run);
}

static void on_commit(void *userdata, struct clock_sample now, const struct wire_commit *commit) {
        struct control *c = userdata;
        if (c->n_feeds > 0)
                control_feed_commit(c, now, commit);
        control_wait_commit(c, commit);
        forget_diags(c);
}

static void on_described(void *userdata, const struct wire_described *described) {
        control_wait_described(userdata, clock_now(), described);
}

static void on_output(void *userdata, const struct wire_bytes *piece) {
        control_watch_output(userdata, clock_now(), piece);
}

static void on_stopping(void *userdata) {
        struct control *c = userdata;
        c->is_stopping = true;
}

static bool is_watched(void *userdata, uint32_t job, uint64_t run) {
        struct control *c = userdata;
        return control_watch_is_wanted(c, job, run) && control_watch_begin(c, job, run, true) == 0;
}

/* ---- time ---- */

void control_wake_at(struct control *c, int64_t bt_us) {
        if (bt_us < c->wake_bt_us)
                c->wake_bt_us = bt_us;
}

int64_t control_next_wake(const struct control *c) {
        return c->wake_bt_us;
}

static void check_client(struct control_client *client, struct clock_sample now) {
        struct control *c = client->control;
        if (client->is_dead)
                return;
        if (client->partial_bt_us <= now.bt_us) {
                control_client_close(client);
                return;
        }
        if (client->wait.kind != CONTROL_WAIT_NONE && client->wait.deadline_bt_us <= now.bt_us)
                control_wait_expired(&client->wait, now);
        if (client->held_number > 0 && client->held_bt_us <= now.bt_us)
                control_client_release(client);
        if (client->held_number > 0)
                control_wake_at(c, client->held_bt_us);
        control_wake_at(c, client->partial_bt_us);
        if (client->wait.kind != CONTROL_WAIT_NONE)
                control_wake_at(c, client->wait.deadline_bt_us);
}

int control_advance(struct control *c, struct clock_sample now) {
        int r = 0;
        if (now.bt_us < c->wake_bt_us)
                return 0;
        c->wake_bt_us = INT64_MAX;
        if (c->listen_again_bt_us <= now.bt_us) {
                c->listen_again_bt_us = INT64_MAX;
                r = loop_set_events(c->listener, EPOLLIN);
        }
        control_wake_at(c, c->listen_again_bt_us);
        for (struct control_client *client = c->clients, *next; client; client = next) {
                next = client->next;
                check_client(client, now);
        }
        return r;
}

static void reap(struct control *c) {
        while (c->dead) {
                struct control_client *client = c->dead;
                c->dead = client->next;
                control_client_free(client);
        }
}

int control_flush(struct control *c) {
        int r = control_client_turns(c);
        while (c->touched && r == 0) {
                struct control_client *client = c->touched;
                r = control_client_flush(client);
                c->touched = client->next_touched;
                client->is_touched = false; /* only now: closing it is no reason to come again */
        }
        if (r == 0)
                r = control_watch_clean(c);
        reap(c);
        return r;
}

static void on_durable(void *userdata, uint64_t number) {
        struct control *c = userdata;
        for (struct control_client *client = c->clients; client; client = client->next)
                if (client->held_number > 0 && client->held_number <= number)
                        control_client_release(client);
}

/* ---- life ---- */

int control_new(struct loop *loop, struct journal *journal, struct link *link, const struct control_settings *settings,
                struct control **ret) {
        static const struct link_listener listener = {
                .on_action = on_action,
                .on_diag = on_diag,
                .on_commit = on_commit,
                .on_described = on_described,
                .on_output = on_output,
                .on_durable = on_durable,
                .on_stopping = on_stopping,
                .is_watched = is_watched,
        };
        _cleanup_close_ int fd = settings->listen_fd; /* taken */
        struct control *c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (struct control){
                .loop = loop,
                .journal = journal,
                .link = link,
                .listen_fd = -1,
                .listen_again_bt_us = INT64_MAX,
                .own_uid = geteuid(),
                .admin_gid = settings->admin_gid,
                .since_rt_us = clock_now().rt_us,
                .wake_bt_us = INT64_MAX,
                .command_job = INDEX_NONE,
                .refused_told_bt_us = INT64_MIN / 2,
                .told = {{.since_bt_us = INT64_MIN / 2}, {.since_bt_us = INT64_MIN / 2}},
        };
        int r = loop_add_io(loop, fd, EPOLLIN, on_listener, c, &c->listener);
        if (r < 0) {
                free(c);
                return r;
        }
        c->listen_fd = fd;
        fd = -1;
        link_set_listener(link, &listener, c);
        *ret = c;
        return 0;
}

struct control *control_free(struct control *c) {
        static const struct link_listener nobody = {0};
        if (!c)
                return NULL;
        link_set_listener(c->link, &nobody, NULL);
        control_feed_stop(c, clock_now());
        control_wait_abandon(c);
        while (c->clients) {
                struct control_client *client = c->clients;
                (void)control_client_flush(client);
                control_client_close(client);
        }
        reap(c);
        loop_source_free(c->listener);
        util_close(c->listen_fd);
        forget_diags(c);
        index_done(&c->by_run);
        free(c->watches);
        free(c);
        return NULL;
}
