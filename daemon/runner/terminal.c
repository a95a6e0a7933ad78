// SPDX-License-Identifier: MIT
// terminal: what the run of a try writes goes on to our own standard output and standard error.
// The time limit and Ctrl-C must work while a pager or a stopped terminal takes nothing, so the loop never waits for it, and the flags of
// descriptors that are others', too, stay as they are: a pipe or terminal is opened anew.

#include "daemon/runner/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/util.h"

struct sink {
        struct terminal *terminal;
        int fd; /* -1: nothing is written any more */
        int error;
        struct loop_source *source;   /* while something waits */
        struct output_stream *stream; /* that rests */
        char waiting[OUTPUT_READ_MAX];
        size_t n, at; /* bytes that wait, and of them written */
};

struct terminal {
        struct loop *loop;
        terminal_fn on_room;
        void *userdata;
        struct sink sinks[2];
};

/* One that blocks nobody, where there is such. */
static int open_sink(int number) {
        char path[32];
        struct stat st;
        int fd = -1;

        if (fstat(number, &st) < 0)
                return -1;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", number);
        if (!S_ISREG(st.st_mode)) /* of a file the offset is shared, and it never blocks */
                fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd >= 0 ? fd : fcntl(number, F_DUPFD_CLOEXEC, 3); /* a socket, or another user's */
}

int terminal_new(struct loop *loop, terminal_fn on_room, void *userdata, struct terminal **ret) {
        struct terminal *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        t->loop = loop;
        t->on_room = on_room;
        t->userdata = userdata;
        for (int i = 0; i < 2; i++) {
                t->sinks[i].terminal = t;
                t->sinks[i].fd = open_sink(STDOUT_FILENO + i);
        }
        *ret = t;
        return 0;
}

/* As much as is taken now. */
static void write_waiting(struct sink *sink) {
        while (sink->at < sink->n) {
                ssize_t n = write(sink->fd, sink->waiting + sink->at, sink->n - sink->at);
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n < 0 && errno != EINTR) {
                        sink->error = errno == EPIPE ? 0 : errno;
                        sink->fd = util_close(sink->fd);
                        break;
                }
                sink->at += n > 0 ? (size_t)n : 0;
        }
        sink->n = sink->at = 0;
}

static void wait_for(struct sink *sink) {
        while (sink->n > 0) {
                struct pollfd pollfd = {.fd = sink->fd, .events = POLLOUT};
                poll(&pollfd, 1, -1);
                write_waiting(sink);
        }
        sink->source = loop_source_free(sink->source);
}

struct terminal *terminal_free(struct terminal *t) {
        for (int i = 0; t && i < 2; i++) {
                loop_source_free(t->sinks[i].source);
                util_close(t->sinks[i].fd);
        }
        free(t);
        return NULL;
}

static int on_writable(void *userdata, uint32_t events) {
        struct sink *sink = userdata;

        (void)events;
        write_waiting(sink);
        if (sink->n > 0)
                return 0;
        sink->source = loop_source_free(sink->source);
        return sink->terminal->on_room(sink->terminal->userdata, sink->stream);
}

bool terminal_write(struct terminal *t, struct output_stream *stream, const void *data, size_t size) {
        struct sink *sink = &t->sinks[stream->number - 1];

        wait_for(sink); /* only at the end of the run, when nothing rests */
        if (sink->fd < 0)
                return true;
        memcpy(sink->waiting, data, size);
        sink->n = size;
        write_waiting(sink);
        if (sink->n == 0)
                return true;
        sink->stream = stream;
        if (loop_add_io(t->loop, sink->fd, EPOLLOUT, on_writable, sink, &sink->source) == 0)
                return false;
        wait_for(sink);
        return true;
}

int terminal_finish(struct terminal *t) {
        for (int i = 0; i < 2; i++)
                wait_for(&t->sinks[i]);
        return t->sinks[0].error ? -t->sinks[0].error : -t->sinks[1].error;
}
