// SPDX-License-Identifier: MIT
// run_output: what a run writes: from its pipes to the journal, to its value, and to whoever watches.

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"

#define DRAIN_READS   16 /* of what is left in a pipe at the end; more than a pipe holds */
#define LINE_PRIORITY 6

static void on_line(void *userdata, struct output_stream *stream, const char *line, size_t size) {
        struct runner *runner = userdata;
        const struct run *run = stream->run;
        char id[TREE_RUN_ID_MAX];
        int priority = output_level(&line, &size, LINE_PRIORITY);

        if (size == 0)
                return; /* as journald does with what programs write to it */
        runs_print_id(runner, run, id);
        struct journal_record r = journal_begin_line(runner->journal, priority, run->name);
        journal_field(&r, "CHIMED_JOB", "%s", run->name);
        journal_field(&r, "CHIMED_RUN_ID", "%s", id);
        journal_field(&r, "CHIMED_STREAM", "%s", stream->number == 1 ? "stdout" : "stderr");
        journal_field_i64(&r, "OBJECT_PID", run->pid);
        journal_send_bytes(&r, line, size);
}

static void close_stream(struct output_stream *stream) {
        stream->source = loop_source_free(stream->source);
        stream->fd = util_close(stream->fd);
}

/* One read; false where nothing more is there now. */
static bool read_stream(struct runner *runner, struct output_stream *stream) {
        ssize_t n = read(stream->fd, runner->buffer, sizeof(runner->buffer));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (n <= 0) {
                close_stream(stream);
                output_flush(stream, on_line, runner);
                return false;
        }
        run_table_add_tail(&runner->runs, stream->run, runner->buffer, (size_t)n);
        output_split(stream, runner->buffer, (size_t)n, on_line, runner);
        if (stream->run->start.is_watched)
                link_output(runner, stream->run, stream->number, runner->buffer, (size_t)n);
        return true;
}

void run_output_drain(struct runner *runner, struct run *run) {
        for (int i = 0; i < 2; i++) {
                struct output_stream *stream = &run->streams[i];
                for (int n = 0; n < DRAIN_READS && stream->fd >= 0 && read_stream(runner, stream); n++)
                        ;
                close_stream(stream);
                output_flush(stream, on_line, runner);
        }
}

void run_output_close(struct run *run) {
        for (int i = 0; i < 2; i++)
                close_stream(&run->streams[i]);
}

static int on_readable(void *userdata, uint32_t events) {
        struct output_stream *stream = userdata;

        (void)events;
        read_stream(stream->run->owner, stream);
        return 0;
}

int run_output_watch(struct runner *runner, struct output_stream *stream, int fd) {
        if (fd < 0)
                return 0;
        stream->fd = fd;
        return loop_add_io(runner->loop, fd, EPOLLIN, on_readable, stream, &stream->source);
}
