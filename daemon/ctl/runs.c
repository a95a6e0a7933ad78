// SPDX-License-Identifier: MIT
// runs: how a run ended, in words and as an exit status. One row a result.

#include "daemon/ctl/runs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/run.h"
#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/session.h"
#include "daemon/ctl/times.h"

static enum run_result result_of_word(const char *text) {
        for (int i = RUN_RESULT_SUCCESS; text && i < RUN_RESULT_MAX; i++)
                if (strcmp(text, run_result_to_string((enum run_result)i)) == 0)
                        return (enum run_result)i;
        return RUN_RESULT_NONE;
}

static enum run_result result_of(const json_t *run) {
        return result_of_word(reply_text(run, "result"));
}

/* Begins the sentence; the detail follows. */
static const char *const words[RUN_RESULT_MAX] = {
        [RUN_RESULT_NONE] = "is in flight",
        [RUN_RESULT_SUCCESS] = "succeeded",
        [RUN_RESULT_FAILED] = "failed",
        [RUN_RESULT_TIMEOUT] = "was ended by its time limit",
        [RUN_RESULT_SIGNAL] = "was ended",
        [RUN_RESULT_START_FAILED] = "could not be started",
        [RUN_RESULT_CANCELLED] = "was cancelled",
        [RUN_RESULT_INTERRUPTED] = "was interrupted; how it ended is not known",
        [RUN_RESULT_FINISHED] = "finished",
        [RUN_RESULT_SKIPPED] = "had nothing to do",
        [RUN_RESULT_CONDITION] = "was not executed: its conditions did not hold",
        [RUN_RESULT_OOM] = "failed, as the kernel had killed for lack of memory,",
};

static void add_detail(const json_t *run, enum run_result result, char *buf, size_t size) {
        int64_t code = reply_int(run, "exitCode", -1);
        const char *signal_name = reply_text(run, "signal"), *error = reply_text(run, "error");
        bool is_good = run_result_is_good(result);

        buf[0] = '\0';
        if (result == RUN_RESULT_FAILED && code >= 0)
                snprintf(buf, size, " with exit status %lld", (long long)code);
        else if (is_good && code > 0)
                snprintf(buf, size, " (exit status %lld)", (long long)code);
        else if ((is_good || result == RUN_RESULT_SIGNAL) && signal_name)
                snprintf(buf, size, is_good ? " (%.20s)" : " by %.20s", signal_name);
        else if (result == RUN_RESULT_START_FAILED && error)
                snprintf(buf, size, ": %.180s", error);
        else if (result == RUN_RESULT_FINISHED && reply_int(run, "startUsec", REPLY_NO_TIME) == REPLY_NO_TIME)
                snprintf(buf, size, ": what StopWhenPathExists= names is there");
}

char *runs_words(const json_t *run, char buf[static RUNS_WORDS]) {
        enum run_result result = result_of(run);
        int64_t start_us = reply_int(run, "startUsec", REPLY_NO_TIME), end_us = reply_int(run, "endUsec", REPLY_NO_TIME);
        char detail[RUNS_WORDS / 2], span[TIMES_SIZE];
        bool has_span = start_us != REPLY_NO_TIME && end_us != REPLY_NO_TIME && result != RUN_RESULT_INTERRUPTED;

        add_detail(run, result, detail, sizeof(detail));
        snprintf(buf, RUNS_WORDS, "%s%s%s%s", words[result], detail, has_span ? " after " : "",
                 has_span ? times_span(end_us - start_us, span) : "");
        return buf;
}

char *runs_result(const json_t *run, char buf[static RUNS_WORDS]) {
        enum run_result result = result_of(run);
        int64_t code = reply_int(run, "exitCode", -1);
        const char *signal_name = reply_text(run, "signal");

        if (result == RUN_RESULT_FAILED && code >= 0)
                snprintf(buf, RUNS_WORDS, "exit %lld", (long long)code);
        else if (result == RUN_RESULT_SIGNAL && signal_name)
                snprintf(buf, RUNS_WORDS, "%.20s", signal_name);
        else
                snprintf(buf, RUNS_WORDS, "%s", result == RUN_RESULT_NONE ? "running" : run_result_to_string(result));
        return buf;
}

bool runs_is_good(const json_t *run) {
        return run_result_is_good(result_of(run));
}

bool runs_is_failure(const json_t *run) {
        return run_result_is_failure(result_of(run));
}

bool runs_is_failure_word(const char *result) {
        return run_result_is_failure(result_of_word(result));
}

/* The number of "SIGTERM", 0 where there is none. */
static int signal_number(const char *name) {
        if (!name || strncmp(name, "SIG", 3) != 0)
                return 0;
        for (int i = 1; i < SIGRTMIN; i++) {
                const char *known = sigabbrev_np(i);
                if (known && strcmp(known, name + 3) == 0)
                        return i;
        }
        return 0;
}

static int status_as_ended(const json_t *run) {
        int number = signal_number(reply_text(run, "signal"));
        int64_t code = reply_int(run, "exitCode", 0);

        return number > 0 ? 128 + number : code > 0 && code < 256 ? (int)code : CTL_EXIT_FAILED;
}

int runs_exit_status(const json_t *run) {
        if (!run)
                return CTL_EXIT_NOT_RUN;
        switch (result_of(run)) {
        case RUN_RESULT_SUCCESS:
        case RUN_RESULT_FINISHED:
        case RUN_RESULT_SKIPPED:
                return CTL_EXIT_DONE;
        case RUN_RESULT_TIMEOUT:
                return CTL_EXIT_TIMED_OUT;
        case RUN_RESULT_START_FAILED:
        case RUN_RESULT_CONDITION:
                return CTL_EXIT_NOT_RUN;
        case RUN_RESULT_CANCELLED:
                return reply_int(run, "startUsec", REPLY_NO_TIME) == REPLY_NO_TIME ? CTL_EXIT_NOT_RUN : status_as_ended(run);
        case RUN_RESULT_FAILED:
        case RUN_RESULT_SIGNAL:
        case RUN_RESULT_OOM:
                return status_as_ended(run);
        case RUN_RESULT_NONE:
        case RUN_RESULT_INTERRUPTED:
        case RUN_RESULT_MAX:
                break;
        }
        return CTL_EXIT_FAILED;
}
