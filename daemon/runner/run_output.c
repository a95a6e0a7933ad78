// SPDX-License-Identifier: MIT
// run_output: what a run writes: from its pipes to the journal, to its value, and to whoever watches.

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"
#include "daemon/runner/terminal.h"

#define DRAIN_READS   16 /* of what is left in a pipe at the end; more than a pipe holds */
#define LINE_PRIORITY 6

/* What was left out since it was told. */
static void tell_left_out(struct runner *runner, struct run *run) {
        struct output_budget *budget = &run->budget;
        uint64_t n_dropped = journal_dropped(runner->journal);
        char id[TREE_RUN_ID_MAX];

        if (budget->n_bytes_out == 0 && budget->n_lines_out == 0)
                return;
        runs_print_id(runner, run, id);
        struct journal_record r = journal_begin(runner->journal, EVENT_DEGRADED);
        journal_field(&r, "CHIMED_JOB", "%s", run->name);
        journal_field(&r, "CHIMED_RUN_ID", "%s", id);
        journal_field_i64(&r, "CHIMED_COUNT", (int64_t)budget->n_lines_out);
        journal_send(&r,
                     "%s: %llu lines (%llu bytes) of its output are not in the journal: more than %d lines or %d MiB in %d s",
                     run->name, (unsigned long long)budget->n_lines_out, (unsigned long long)budget->n_bytes_out,
                     OUTPUT_STRETCH_LINES_MAX, OUTPUT_STRETCH_BYTES_MAX >> 20, (int)(OUTPUT_STRETCH_US / USEC_PER_SEC));
        /* where not even this record is taken, it stands for the lines */
        if (journal_dropped(runner->journal) > n_dropped && budget->n_lines_out > 0)
                journal_count_dropped(runner->journal, budget->n_lines_out - 1);
        budget->n_lines_out = budget->n_bytes_out = 0;
}

static void on_line(void *userdata, struct output_stream *stream, const char *line, size_t size, enum output_end end) {
        static const char *const breaks[] = {[OUTPUT_END_CUT] = "line-max", [OUTPUT_END_LAST] = "eof"}; /* journald's words */
        struct runner *runner = userdata;
        struct run *run = stream->run;
        char id[TREE_RUN_ID_MAX];

        if (!stream->is_continued)
                stream->level = (uint8_t)output_level(&line, &size, LINE_PRIORITY);
        if (size == 0)
                return; /* as journald does with what programs write to it */
        if (!output_budget_take(&run->budget, size))
                return;
        runs_print_id(runner, run, id);
        struct journal_record r = journal_begin_line(runner->journal, stream->level, run_title(run));
        journal_field(&r, "CHIMED_JOB", "%s", run_title(run));
        journal_field(&r, "CHIMED_RUN_ID", "%s", id);
        journal_field(&r, "CHIMED_STREAM", "%s", stream->number == 1 ? "stdout" : "stderr");
        if (end != OUTPUT_END_NEWLINE)
                journal_field(&r, "CHIMED_LINE_BREAK", "%s", breaks[end]);
        journal_field_i64(&r, "OBJECT_PID", run->pid);
        journal_send_bytes(&r, line, size);
}

/* A run that has had its share is only counted. */
static void take_output(struct runner *runner, struct output_stream *stream, size_t size) {
        struct output_budget *budget = &stream->run->budget;

        if (output_budget_begin(budget, clock_now().bt_us))
                tell_left_out(runner, stream->run);
        if (output_budget_is_spent(budget)) {
                budget->n_bytes_out += stream->partial_size + size;
                budget->n_lines_out += output_skip(stream, runner->buffer, size);
        } else
                output_split(stream, runner->buffer, size, on_line, runner);
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
        if (runner->terminal) {
                if (!terminal_write(runner->terminal, stream->number, runner->buffer, (size_t)n))
                        stream->source = loop_source_free(stream->source); /* it rests */
                return true;
        }
        take_output(runner, stream, (size_t)n);
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
        tell_left_out(runner, run);
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
        if (runner->terminal && !terminal_has_room(runner->terminal, stream->number))
                return 0; /* it rests, for what a condition has written */
        return loop_add_io(runner->loop, fd, EPOLLIN, on_readable, stream, &stream->source);
}
