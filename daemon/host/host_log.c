// SPDX-License-Identifier: MIT
// host_log: lines of plugins and of the host itself: to journald under the job's name, else to standard error, which the runner
// passes on. So many a second; what is over that is counted.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/host_internal.h"

#define LINE_SIZE 2048

static void write_line(struct host *h, const struct chimed_job *job, int priority, const char *text) {
        if (!h->journal) {
                char line[LINE_SIZE + 128];
                int n = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
                (void)!write(STDERR_FILENO, line, (size_t)n);
                return;
        }
        struct journal_record r = journal_begin_line(h->journal, priority, job ? job->name : NULL);
        if (job)
                journal_field(&r, "CHIMED_JOB", "%s", job->name);
        if (job && job->current && h->instance[0])
                journal_field(&r, "CHIMED_RUN_ID", "%s-%" PRIu64, h->instance, job->current->run);
        journal_send(&r, "%s", text);
}

/* Whether one more line may be written in this second; tells how many were not. */
static bool take_line(struct host *h) {
        int64_t second = host_now(h) / USEC_PER_SEC;

        if (second != h->line_second) {
                char text[96];
                uint64_t n = h->n_lines_lost;
                h->line_second = second;
                h->n_lines = 0;
                h->n_lines_lost = 0;
                snprintf(text, sizeof(text), "%" PRIu64 " lines of plugins were left out: more than %d in a second", n,
                         HOST_LINES_MAX);
                if (n > 0)
                        write_line(h, NULL, 4, text);
        }
        if (h->n_lines < HOST_LINES_MAX) {
                h->n_lines++;
                return true;
        }
        h->n_lines_lost++;
        return false;
}

void host_logv(struct host *h, const struct chimed_job *job, int priority, const char *format, va_list arguments) {
        char text[LINE_SIZE];

        if (!take_line(h))
                return;
        if (vsnprintf(text, sizeof(text), format, arguments) < 0)
                return;
        for (char *c = text; *c; c++) /* one record is one line */
                if (*c == '\n')
                        *c = ' ';
        write_line(h, job, priority, text);
}

void host_log(struct host *h, const struct chimed_job *job, int priority, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        host_logv(h, job, priority, format, arguments);
        va_end(arguments);
}
