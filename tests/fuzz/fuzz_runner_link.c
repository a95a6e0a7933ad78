// SPDX-License-Identifier: MIT
// Whatever a scheduler says, a runner without definitions starts nothing, keeps within its bounds and stays up. The first byte says
// in which phase the link is, and whether the rest is one whole message or records {type, length, payload}.

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/runner/runner_internal.h"

#define IS_MESSAGE 0x80

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A journal that writes to nowhere; it keeps a descriptor of its own, so standard error comes back after. */
static struct journal *make_journal(void) {
        struct journal *journal = NULL;
        int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (saved < 0 || null < 0 || dup2(null, STDERR_FILENO) < 0 ||
            journal_new(NULL, JOURNAL_LOGFMT, "fuzz", NULL, &journal) < 0 || dup2(saved, STDERR_FILENO) < 0)
                abort();
        close(saved);
        close(null);
        return journal;
}

/* The phases of a link that the scheduler's records can meet. */
static void set_phase(struct runner *runner, uint8_t phase) {
        static const struct {
                enum link_phase phase;
                enum feed_stage stage;
                uint64_t generation;
        } phases[] = {
                {LINK_PHASE_HELLO, FEED_NONE, 0}, {LINK_PHASE_HELLO, FEED_NONE, 1}, {LINK_PHASE_SYNC, FEED_DEFINE, 1},
                {LINK_PHASE_SYNC, FEED_WAIT, 1},  {LINK_PHASE_UP, FEED_NONE, 1},    {LINK_PHASE_UP, FEED_WAIT, 1},
        };
        size_t i = phase % (sizeof(phases) / sizeof(phases[0]));

        runner->link.phase = phases[i].phase;
        runner->link.stage = phases[i].stage;
        runner->commit.generation = phases[i].generation;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static struct journal *journal;
        static char no_reader; /* "a reading is under way": none begins */

        if (!journal)
                journal = make_journal();
        struct runner *runner = size > 0 ? calloc(1, sizeof(*runner)) : NULL;
        if (!runner)
                return 0;
        runner->journal = journal;
        runner->run_timer_bt_us = LOOP_NEVER;
        runner->reader = (void *)&no_reader;
        run_table_init(&runner->runs);
        definitions_init(&runner->definitions);
        set_phase(runner, data[0] & ~IS_MESSAGE);
        if (data[0] & IS_MESSAGE)
                channel_split(data + 1, size - 1, link_handle, runner);
        else
                for (data++, size--; size >= 2;) {
                        size_t n = data[1] < size - 2 ? data[1] : size - 2;
                        if (link_handle(runner, data[0], data + 2, n) < 0)
                                break;
                        data += 2 + n;
                        size -= 2 + n;
                }
        /* without definitions every run has failed to start */
        if (runner->runs.n_in_flight > 0 || runner->runs.n > RUN_TABLE_MAX)
                abort();
        link_end(runner);
        run_table_done(&runner->runs);
        definitions_done(&runner->definitions);
        pack_done(&runner->link.pack);
        free(runner);
        return 0;
}
