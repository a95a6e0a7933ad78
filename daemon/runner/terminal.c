// SPDX-License-Identifier: MIT
// terminal: what the run of a try writes goes on to our own standard output and standard error.
// The time limit and Ctrl-C must work while a pager or a stopped terminal takes nothing, so nothing here waits for it, and the flags of
// descriptors that are others', too, stay as they are: a pipe or terminal is opened anew.

#include "daemon/runner/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/job.h"
#include "config/pack.h"
#include "daemon/core/util.h"

/* What is left in the pipe of each process of a run, its conditions and its program, at most 1 MiB each; and what was read before. */
#define WAITING_MAX ((JOB_CONDITIONS_MAX + 2) * 1024 * 1024)

struct sink {
        struct terminal *terminal;
        int number;
        int fd;                     /* -1: nothing is written any more */
        bool is_borrowed;           /* its flags are others', too: a write may block */
        int error;                  /* 0 or negative */
        struct loop_source *source; /* while something waits */
        struct pack waiting;
        size_t at; /* of what waits, what is written */
};

struct terminal {
        struct loop *loop;
        terminal_fn on_room;
        void *userdata;
        struct sink sinks[2];
};

/* One that blocks nobody, where there is such. */
static void open_sink(struct sink *sink) {
        char path[32];
        struct stat st;

        sink->fd = -1;
        if (fstat(sink->number, &st) < 0)
                return;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", sink->number);
        if (!S_ISREG(st.st_mode)) { /* of a file the offset is shared, and it never blocks */
                sink->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                sink->is_borrowed = sink->fd < 0; /* a socket, or another user's */
        }
        if (sink->fd < 0)
                sink->fd = fcntl(sink->number, F_DUPFD_CLOEXEC, 3);
}

int terminal_new(struct loop *loop, terminal_fn on_room, void *userdata, struct terminal **ret) {
        struct terminal *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        t->loop = loop;
        t->on_room = on_room;
        t->userdata = userdata;
        for (int i = 0; i < 2; i++) {
                struct sink *sink = &t->sinks[i];
                *sink = (struct sink){.terminal = t, .number = STDOUT_FILENO + i, .waiting.limit = WAITING_MAX};
                open_sink(sink);
        }
        *ret = t;
        return 0;
}

struct terminal *terminal_free(struct terminal *t) {
        for (int i = 0; t && i < 2; i++) {
                loop_source_free(t->sinks[i].source);
                util_close(t->sinks[i].fd);
                pack_done(&t->sinks[i].waiting);
        }
        free(t);
        return NULL;
}

static bool is_empty(const struct sink *sink) {
        return sink->waiting.size == 0;
}

/* What waits is dropped, and all that comes. */
static void give_up(struct sink *sink, int error) {
        sink->source = loop_source_free(sink->source);
        sink->fd = util_close(sink->fd);
        sink->error = error;
        pack_clear(&sink->waiting);
}

static ssize_t write_piece(const struct sink *sink, const void *data, size_t size) {
        struct pollfd pollfd = {.fd = sink->fd, .events = POLLOUT};

        if (!sink->is_borrowed)
                return write(sink->fd, data, size);
        if (poll(&pollfd, 1, 0) == 0) {
                errno = EAGAIN;
                return -1;
        }
        return write(sink->fd, data, size < PIPE_BUF ? size : PIPE_BUF);
}

/* As much as is taken now. */
static void write_waiting(struct sink *sink) {
        while (sink->at < sink->waiting.size) {
                ssize_t n = write_piece(sink, sink->waiting.data + sink->at, sink->waiting.size - sink->at);
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n < 0 && errno != EINTR)
                        give_up(sink, errno == EPIPE ? 0 : -errno);
                else
                        sink->at += n > 0 ? (size_t)n : 0;
        }
        pack_clear(&sink->waiting);
        sink->at = 0;
}

static int on_writable(void *userdata, uint32_t events) {
        struct sink *sink = userdata;

        (void)events;
        write_waiting(sink);
        if (!is_empty(sink))
                return 0;
        sink->source = loop_source_free(sink->source);
        return sink->terminal->on_room(sink->terminal->userdata, sink->number);
}

bool terminal_write(struct terminal *t, int number, const void *data, size_t size) {
        struct sink *sink = &t->sinks[number - 1];

        if (sink->fd < 0)
                return true;
        pack_raw(&sink->waiting, data, size);
        if (pack_result(&sink->waiting) < 0)
                sink->error = pack_result(&sink->waiting);
        if (sink->source)
                return false; /* on_room is still to be called */
        write_waiting(sink);
        if (is_empty(sink))
                return true;
        int r = loop_add_io(t->loop, sink->fd, EPOLLOUT, on_writable, sink, &sink->source);
        if (r < 0)
                give_up(sink, r);
        return r < 0;
}

bool terminal_has_room(const struct terminal *t, int number) {
        return is_empty(&t->sinks[number - 1]);
}

int terminal_error(const struct terminal *t) {
        return t->sinks[0].error ? t->sinks[0].error : t->sinks[1].error;
}
