// SPDX-License-Identifier: MIT
// trial: one job in the terminal, without a scheduler.
// It is the runner but for whom it listens to: the START comes from here, and the result goes to the terminal.

#include "daemon/runner/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/nearest.h"
#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"
#include "daemon/runner/terminal.h"
#include "daemon/runner/trial_host.h"

#define RUN_NUMBER 1
#define WORDS_MAX  512
#define TRIES_MAX  16 /* passes of a loop that has failed: errors, or a second each without anything */

struct trial {
        const struct trial_order *order;
        struct trial_host *host; /* NULL: the run is no tick of one */
        int signal;              /* that we were sent first; 0: none */
        bool is_over;            /* how it ended is told, which only is to be taken */
        int status;              /* then */
};

/* ---- words ---- */

/* After the program that people call. Returns status. */
__attribute__((format(printf, 2, 3))) static int say(int status, const char *format, ...) {
        va_list arguments;

        fputs("chimectl: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        return status;
}

/* Nobody wants to know what is below a thousandth of it. */
static char *print_span(int64_t us, char buf[static 96]) {
        int64_t unit_us = us >= 1000 * USEC_PER_SEC ? USEC_PER_SEC
                          : us >= USEC_PER_SEC      ? USEC_PER_MSEC
                          : us >= USEC_PER_MSEC     ? 100
                                                    : 1;

        return duration_print(us - us % unit_us, buf);
}

static void print_how(const struct run *run, char *buf, size_t size) {
        const struct run_end *end = &run->end;
        const char *name = end->signal > 0 ? sigabbrev_np(end->signal) : NULL, *error = run_start_error(end);
        size_t n = (size_t)snprintf(buf, size, "%s", run_result_to_string(end->result));

        if (end->result == RUN_RESULT_CONDITION)
                snprintf(buf, size, "withheld, a condition does not hold: %s", run->condition);
        else if (end->result == RUN_RESULT_START_FAILED && end->step == RUN_STEP_CONDITION && run->condition[0])
                snprintf(buf + n, size - n, ", a condition can't be asked: %s", run->condition);
        else if (end->result == RUN_RESULT_START_FAILED)
                snprintf(buf + n, size - n, " at %s%s%s", run_step_to_string(end->step), error ? ": " : "", error ? error : "");
        else if (end->start_bt_us == 0 && end->result == RUN_RESULT_FINISHED)
                snprintf(buf + n, size - n, ", not run: what StopWhenPathExists= names is there");
        else if (name)
                snprintf(buf + n, size - n, ", ended by SIG%s", name);
        else if (end->signal > 0)
                snprintf(buf + n, size - n, ", ended by signal %d", end->signal);
        else if (end->exit_code >= 0)
                snprintf(buf + n, size - n, ", exit status %d", end->exit_code);
}

/* Behind the output, in whose way it goes. */
__attribute__((format(printf, 2, 3))) static void tell(struct runner *runner, const char *format, ...) {
        char line[2 * WORDS_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line) - 1, format, arguments);
        va_end(arguments);
        strcat(line, "\n");
        terminal_write(runner->terminal, STDERR_FILENO, line, strlen(line));
}

/* What a tick takes of the processor is its host's, with the start. */
static void tell_tick(struct runner *runner, const struct run *run, const char *message) {
        const struct run_end *end = &run->end;
        char how[WORDS_MAX], span[96];

        print_how(run, how, sizeof(how));
        tell(runner, "%s: %s%s%.400s%s%s", run->name, how, message ? ": " : "", message ? message : "",
             end->start_bt_us > 0 ? ", after " : "",
             end->start_bt_us > 0 ? print_span(end->end_bt_us - end->start_bt_us, span) : "");
}

static void tell_end(struct runner *runner, const struct run *run) {
        const struct run_end *end = &run->end;
        char how[WORDS_MAX], span[96], cpu[96];

        print_how(run, how, sizeof(how));
        if (end->start_bt_us > 0)
                tell(runner, "%s: %s, after %s, CPU time %s", run->name, how,
                     print_span(end->end_bt_us - end->start_bt_us, span), print_span(end->cpu_us, cpu));
        else
                tell(runner, "%s: %s", run->name, how);
}

/* ---- the run ---- */

/* As trigger --wait has it. */
static int exit_status(const struct trial *trial, const struct run_end *end) {
        switch (end->result) {
        case RUN_RESULT_SUCCESS:
        case RUN_RESULT_FINISHED:
        case RUN_RESULT_SKIPPED:
                return 0;
        case RUN_RESULT_TIMEOUT:
                return TRIAL_EXIT_TIMEOUT;
        case RUN_RESULT_START_FAILED:
        case RUN_RESULT_CONDITION:
                return TRIAL_EXIT_NOT_RUN;
        case RUN_RESULT_CANCELLED:
                return 128 + trial->signal;
        case RUN_RESULT_FAILED:
        case RUN_RESULT_SIGNAL:
        case RUN_RESULT_OOM:
                return end->signal > 0 ? 128 + end->signal : end->exit_code >= 0 ? end->exit_code : TRIAL_EXIT_FAILED;
        case RUN_RESULT_NONE:
        case RUN_RESULT_INTERRUPTED:
        case RUN_RESULT_MAX:
                break;
        }
        return TRIAL_EXIT_FAILED;
}

static bool is_all_taken(const struct runner *runner) {
        return terminal_has_room(runner->terminal, STDOUT_FILENO) && terminal_has_room(runner->terminal, STDERR_FILENO);
}

/* The run is over and its output taken, so that our word is the last. */
static void finish(struct runner *runner, struct run *run) {
        struct trial *trial = runner->trial;
        const char *message = trial->host ? trial_host_judge(trial->host, &run->end) : NULL;
        int r = terminal_error(runner->terminal);

        trial->is_over = true;
        trial->status = exit_status(trial, &run->end);
        if (r < 0)
                tell(runner, "chimectl: %s: not all of its output could be written: %s", run->name, strerror(-r));
        if (r < 0 && trial->status == 0)
                trial->status = TRIAL_EXIT_FAILED;
        if (!trial->order->is_quiet && trial->host)
                tell_tick(runner, run, message);
        else if (!trial->order->is_quiet)
                tell_end(runner, run);
        runs_acknowledge(runner, RUN_NUMBER);
}

static int on_pass_end(void *userdata) {
        struct runner *runner = userdata;
        struct run *run = run_table_find(&runner->runs, RUN_NUMBER);

        if (run && run->phase == RUN_PHASE_ENDED && is_all_taken(runner))
                finish(runner, run);
        if (runner->trial->is_over && is_all_taken(runner))
                loop_exit(runner->loop, runner->trial->status);
        return 0;
}

static int on_room(void *userdata, int number) {
        struct runner *runner = userdata;
        struct run *run = run_table_find(&runner->runs, RUN_NUMBER);

        return run ? run_output_watch(runner, &run->streams[number - 1], run->streams[number - 1].fd) : 0;
}

/* Where there is no run, or only its output is left, that is the end. */
static int on_signal(void *userdata, const struct signalfd_siginfo *info) {
        struct runner *runner = userdata;
        struct trial *trial = runner->trial;
        struct run *run = run_table_find(&runner->runs, RUN_NUMBER);
        bool is_second = trial->signal > 0;

        if (!is_second)
                trial->signal = (int)info->ssi_signo;
        if (run && run->phase != RUN_PHASE_ENDED)
                runs_stop(runner, run, RUN_RESULT_CANCELLED, is_second, INT64_MAX);
        else
                loop_exit(runner->loop, 128 + trial->signal);
        return 0;
}

/* The loop has failed: nothing of the run stays behind. */
static void kill_run(struct runner *runner) {
        struct run *run = run_table_find(&runner->runs, RUN_NUMBER);

        if (!run)
                return;
        loop_set_flush(runner->loop, NULL, NULL);
        runs_stop(runner, run, RUN_RESULT_CANCELLED, true, 0);
        for (int n = 0; run->phase != RUN_PHASE_ENDED && n < TRIES_MAX;)
                n += loop_run_once(runner->loop, USEC_PER_SEC) <= 0;
}

/* ---- which job ---- */

static void print_errors(const struct reading *reading) {
        for (size_t i = 0; i < reading->n_diags; i++)
                if (strncmp(reading->diags[i], "<3>", strlen("<3>")) == 0)
                        fprintf(stderr, "%s\n", reading->diags[i] + strlen("<3>"));
}

/* That of what can't be done. */
static int status_of(const struct trial_order *order) {
        return order->kind == TRIAL_RUN ? TRIAL_EXIT_NOT_RUN : TRIAL_EXIT_FAILED;
}

static int tell_no_job(const struct runner *runner, const char *job) {
        struct nearest nearest = nearest_begin(job);
        const struct definition *definition;
        size_t cursor = 0;

        while ((definition = definitions_walk(&runner->definitions, &cursor)))
                nearest_offer(&nearest, definition_name(definition));
        if (nearest.found)
                return say(TRIAL_EXIT_NO_SUCH_JOB, "no job \"%s\" in the files; did you mean %s?", job, nearest.found);
        return say(TRIAL_EXIT_NO_SUCH_JOB, "no job \"%s\" in the files; give others: --jobs=DIR", job);
}

/* As another user a job has errors where we are not root; but what root has written down without a user would run as root. 0, or an exit
 * status (told). */
static int check_rights(const struct trial_order *order, const struct definition *definition, const struct job_what *what) {
        struct stat st;

        if (geteuid() == 0 || what->has_identity)
                return 0;
        if (stat(definition_file(definition), &st) == 0 && st.st_uid == geteuid())
                return 0;
        return say(status_of(order), "%s is not yours, chimed runs it as the owner of %s: sudo chimectl %s %s", order->job,
                   definition_file(definition), order->kind == TRIAL_RUN ? "try" : "env", order->job);
}

/* The job, if it is there and may be run by us. 0, or an exit status (told). */
static int find(struct runner *runner, const struct reading *reading, struct definition **ret) {
        const struct trial_order *order = runner->trial->order;
        struct definitions_delta delta;

        if (reading->error < 0)
                return say(status_of(order), "the files can't be read: %s", strerror(-reading->error));
        bool is_broken = definitions_is_broken(&runner->definitions, definitions_name_key(order->job));
        if (definitions_swap(&runner->definitions, clock_now(), &delta) < 0)
                return say(status_of(order), "out of memory");
        *ret = definitions_by_name(&runner->definitions, order->job);
        if (*ret)
                return 0;
        print_errors(reading);
        return is_broken ? say(status_of(order), "%s has errors, and is not run", order->job) : tell_no_job(runner, order->job);
}

static void tell_unlimited(const char *job, const struct job_what *what) {
        if (what->memory_max.n > 0 || what->tasks_max.n > 0 || what->cpu_quota > 0)
                say(0, "%s: MemoryMax=, TasksMax= and CPUQuota= are not enforced here", job);
}

/* As if somebody had triggered it now. */
static struct wire_start make_start(const struct trial_order *order, const struct definition *definition,
                                    const struct job_what *what) {
        struct clock_sample now = clock_now();
        bool is_host = job_work_is_hosted(what->work); /* parameters are its tick's */

        return (struct wire_start){
                .run = RUN_NUMBER,
                .hash = definition->hash,
                .item = WIRE_ITEM_TRIGGER,
                .slot_us = now.rt_us,
                .slot_rt_us = now.rt_us,
                .cause = RUN_CAUSE_TRIGGER,
                .attempt = 1,
                .asks_conditions = true,
                .is_host = is_host,
                .parameters = is_host ? NULL : order->parameters,
                .parameters_size = is_host ? 0 : order->parameters_size,
        };
}

/* 0, or an exit status (told). */
static int check_parameters(const struct trial_order *order, const struct job_what *what) {
        struct parameter parameter;
        size_t at = 0;

        while (parameters_next(order->parameters, order->parameters_size, &at, &parameter))
                if (!parameter_is_accepted(&parameter, what->accepted))
                        return say(status_of(order), "%s does not accept %.*s; AcceptParameters= says what it does", order->job,
                                   (int)parameter.name_size, parameter.name);
        return 0;
}

/* 0, an exit status (told), or a negative error. */
static int obey(struct runner *runner, struct definition *definition, const struct job_what *what) {
        const struct trial_order *order = runner->trial->order;
        struct wire_start start = make_start(order, definition, what);
        struct run *run;
        int r, status = check_rights(order, definition, what);

        if (status == 0)
                status = check_parameters(order, what);
        if (status != 0)
                return status;
        if (order->kind == TRIAL_RUN) {
                tell_unlimited(order->job, what);
                r = runs_start(runner, &start);
                run = run_table_find(&runner->runs, RUN_NUMBER);
                return r == 0 && run && run->host ? trial_host_new(runner, run, order, what, &runner->trial->host) : r;
        }
        r = run_table_add(&runner->runs, &start, definition_name(definition), &run);
        if (r == 0 && (r = trial_show(runner, run, what)) < 0)
                return say(status_of(order), "%s: an EnvironmentFile= can't be read: %s", order->job, strerror(-r));
        if (r == 0)
                loop_exit(runner->loop, 0);
        return r;
}

static void on_read(void *userdata, const struct reading *reading) {
        struct runner *runner = userdata;
        const struct trial_order *order = runner->trial->order;
        struct definition *definition;
        struct job_what what;
        int status = find(runner, reading, &definition);

        if (status == 0) {
                status = definition_decode_what(definition, &what);
                if (status == 0) {
                        status = obey(runner, definition, &what);
                        job_what_done(&what);
                }
                if (status < 0)
                        status = say(status_of(order), "%s: %s", order->job, strerror(-status));
        }
        runner->reader = reader_free(runner->reader);
        if (status > 0)
                loop_exit(runner->loop, status);
}

/* ---- the whole ---- */

/* What our caller has ignored, for example nohup, does not end the run. */
static void choose_signals(sigset_t *ret) {
        static const int ends[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};

        sigemptyset(ret);
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                struct sigaction action;
                if (sigaction(ends[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
                        sigaddset(ret, ends[i]);
        }
}

static int run(struct runner *runner) {
        sigset_t set;
        int r = loop_new(&runner->loop);

        choose_signals(&set);
        if (r == 0)
                r = journal_new(runner->loop, JOURNAL_LOGFMT, "chimectl", NULL, &runner->journal);
        if (r == 0)
                r = runner_begin_runs(runner, &set, on_signal);
        if (r == 0)
                r = terminal_new(runner->loop, on_room, runner, &runner->terminal);
        if (r == 0)
                r = reader_new(runner->loop, runner->pool, &runner->definitions, &runner->options->paths, on_read, runner,
                               &runner->reader);
        if (r < 0)
                return r;
        loop_set_flush(runner->loop, on_pass_end, runner);
        r = loop_run(runner->loop);
        if (r < 0)
                kill_run(runner);
        return r;
}

void trial_change(struct job_what *what) {
        struct job_output *outputs[] = {&what->output, &what->error};

        for (size_t i = 0; i < ARRAY_SIZE(outputs); i++)
                if (outputs[i]->kind == JOB_OUTPUT_JOURNAL_DIRECT)
                        outputs[i]->kind = JOB_OUTPUT_JOURNAL;
}

int trial_main(const struct runner_options *options, const struct trial_order *order) {
        struct runner *runner = runner_begin(options);
        struct trial trial = {.order = order};

        if (!runner)
                return say(status_of(order), "out of memory");
        runner->trial = &trial;
        int r = run(runner);
        trial_host_free(trial.host);
        terminal_free(runner->terminal);
        runner_end(runner);
        return r < 0 ? say(TRIAL_EXIT_FAILED, "%s", strerror(-r)) : r;
}
