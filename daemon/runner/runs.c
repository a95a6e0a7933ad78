// SPDX-License-Identifier: MIT
// runs: the life of a run: START, launch, output, time-out, end, acknowledgement.
// The main process of a run that we end is not reaped before its whole tree is gone, so its number cannot be another's meanwhile.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/conditions.h"
#include "daemon/runner/environment.h"
#include "daemon/runner/runner_internal.h"
#include "daemon/runner/unit.h"

#define LOOK_FIRST_US (10 * USEC_PER_MSEC)  /* between looks at a tree that is being ended */
#define LOOK_LAST_US  (250 * USEC_PER_MSEC) /* doubled up to this */
#define GIVE_UP_US    (5 * USEC_PER_SEC)    /* after KILL; what is left then cannot be killed */

static void look_later(struct runner *runner, struct run *run);
static void enter_stop(struct runner *runner, struct run *run, enum run_stop stop, int64_t deadline_bt_us);
static void take_answer(struct runner *runner, struct run *run, const struct run_end *end);

/* The first deadline of all runs, on one timer. */
static void arm_timer(struct runner *runner) {
        const struct run *first = run_table_first_due(&runner->runs);
        int64_t due_bt_us = first ? first->due_bt_us : LOOP_NEVER;

        if (runner->run_timer && due_bt_us != runner->run_timer_bt_us) {
                runner->run_timer_bt_us = due_bt_us;
                loop_arm_timer(runner->run_timer, due_bt_us);
        }
}

/* One that can't be watched is looked at often, whatever else it waits for. */
static void set_due(struct runner *runner, struct run *run, int64_t due_bt_us) {
        if (run->is_unwatched && due_bt_us > clock_now().bt_us + LOOK_LAST_US)
                due_bt_us = clock_now().bt_us + LOOK_LAST_US;
        run_table_set_due(&runner->runs, run, due_bt_us);
        arm_timer(runner);
}

void runs_print_id(const struct runner *runner, const struct run *run, char id[static TREE_RUN_ID_MAX]) {
        snprintf(id, TREE_RUN_ID_MAX, "%s-%llu", runner->instance_text, (unsigned long long)run->start.run);
}

/* ---- the end ---- */

static void release_definition(struct run *run) {
        if (run->definition)
                run->definition->n_uses--;
        run->definition = NULL;
}

/* The result stands in run->end: remembers and tells it. */
static void end_run(struct runner *runner, struct run *run) {
        struct wire_trail *trail =
                run->definition && !run->start.is_host ? definitions_trail(&runner->definitions, run->definition) : NULL;

        if (trail && trail->run == run->start.run && run->end.result != RUN_RESULT_CONDITION) { /* else it counts for nothing */
                trail->last_result = run->end.result;
                trail->end_bt_us = run->end.end_bt_us;
        }
        release_definition(run);
        hosts_end(runner, run);
        run_cgroups_give(runner, run);
        run_table_end(&runner->runs, run);
        arm_timer(runner);
        run->tells_end = true;
        link_tell_run(runner, run);
        runner_check_stop(runner);
}

/* It was not executed. */
static void end_unstarted(struct runner *runner, struct run *run, const struct run_end *how) {
        struct clock_sample now = clock_now();

        run->end = run->stop == RUN_STOP_NONE ? *how : (struct run_end){.result = run->stop_result};
        run->end.exit_code = -1;
        run->end.end_rt_us = now.rt_us;
        run->end.end_bt_us = now.bt_us;
        end_run(runner, run);
}

static void end_start_failed(struct runner *runner, struct run *run, enum run_step step, int error) {
        end_unstarted(runner, run, &(struct run_end){.result = RUN_RESULT_START_FAILED, .step = step, .error = error});
}

/* What it means that the process of a run ended like this by itself. */
static enum run_result judge(const struct run *run, const struct exit_status *how) {
        switch (exit_classes_find(&run->exits, how)) {
        case EXIT_CLASS_SUCCESS:
                return RUN_RESULT_SUCCESS;
        case EXIT_CLASS_SKIP:
                return RUN_RESULT_SKIPPED;
        case EXIT_CLASS_FINISH:
                return RUN_RESULT_FINISHED;
        case EXIT_CLASS_NONE:
        case EXIT_CLASS_MAX:
                break;
        }
        return how->is_signal ? RUN_RESULT_SIGNAL : how->number == 0 ? RUN_RESULT_SUCCESS : RUN_RESULT_FAILED;
}

/* Reaps the main process into the result; false where it has not ended. */
static bool reap_main(struct run *run, struct run_end *end) {
        struct rusage usage = {};
        siginfo_t info = {};

        /* the wrapper has no way to ask for the usage */
        if (syscall(SYS_waitid, 3 /* P_PIDFD */, run->pidfd, &info, WEXITED | WNOHANG, &usage) < 0) {
                end->result = RUN_RESULT_INTERRUPTED;
                return true;
        }
        if (info.si_pid == 0)
                return false;
        end->cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * USEC_PER_SEC + usage.ru_utime.tv_usec +
                      usage.ru_stime.tv_usec;
        struct exit_status how = {.is_signal = info.si_code != CLD_EXITED, .number = info.si_status};
        *(how.is_signal ? &end->signal : &end->exit_code) = how.number;
        end->result = judge(run, &how);
        return true;
}

/* ---- while it runs ---- */

/* Its main process has ended by itself, and what it left behind is being ended: the result is the main process's. */
static bool is_left_over(const struct run *run) {
        return run->stop != RUN_STOP_NONE && run->stop_result == RUN_RESULT_NONE;
}

/* Its process is no child of ours any more, or not to be waited for. */
static void forget_handed_over(struct runner *runner, struct run *run) {
        runner->n_handed_over -= run->is_handed_over;
        run->is_handed_over = false;
}

/* The main process, or one that asks about a condition, is gone or was given up, and with it its tree. */
static void finish(struct runner *runner, struct run *run) {
        struct clock_sample now = clock_now();
        struct run_end end = {
                .exit_code = -1,
                .step = run_is_answered(run) ? RUN_STEP_NONE : RUN_STEP_CONDITION,
                .start_rt_us = run->start_rt_us,
                .start_bt_us = run->start_bt_us,
                .end_rt_us = now.rt_us,
                .end_bt_us = now.bt_us,
        };

        bool is_reaped = reap_main(run, &end);
        if (!is_reaped && run->stop != RUN_STOP_KILLED)
                return;
        run_cgroups_measure(runner, run, &end);
        if (!is_reaped)
                end.signal = SIGKILL; /* sent, but it sleeps in the kernel */
        if (is_left_over(run)) {
                end.end_rt_us = run->end.end_rt_us;
                end.end_bt_us = run->end.end_bt_us;
        } else if (run->stop != RUN_STOP_NONE)
                end.result = run->stop_result;
        run->end = end;
        forget_handed_over(runner, run);
        run_output_drain(runner, run);
        if (run->is_unit && run->stop_result == RUN_RESULT_NONE)
                unit_take_end(&run->tail, &run->end);
        run->pidfd_source = loop_source_free(run->pidfd_source);
        run->pidfd = util_close(run->pidfd);
        if (run->stop_result == RUN_RESULT_NONE && !run_is_answered(run)) {
                run->stop = RUN_STOP_NONE;
                take_answer(runner, run, &end);
        } else
                end_run(runner, run);
}

static void on_main_gone(struct runner *runner, struct run *run) {
        struct clock_sample now = clock_now();
        bool is_ending = run->stop != RUN_STOP_NONE;

        if (!is_ending && !run_cgroups_has_left(runner, run)) {
                finish(runner, run);
                return;
        }
        run->pidfd_source = loop_source_free(run->pidfd_source);
        run->is_main_gone = true;
        run->look_interval_us = LOOK_FIRST_US;
        if (is_ending) {
                look_later(runner, run);
                return;
        }
        run->end.end_rt_us = now.rt_us;
        run->end.end_bt_us = now.bt_us;
        enter_stop(runner, run, RUN_STOP_ASKED, now.bt_us + run->kill_grace_us);
}

static int on_pidfd(void *userdata, uint32_t events) {
        struct run *run = userdata;

        (void)events;
        on_main_gone(run->owner, run);
        return 0;
}

/* ---- ending a run ---- */

/* The process of a unit ends that first; when we stop only by its own rules, for which systemd stays. */
static int killing_signal(const struct runner *runner, const struct run *run) {
        if (!run->is_unit || clock_now().bt_us >= run->stop_bt_us + UNIT_KILL_US)
                return SIGKILL;
        return runner->stop >= STOP_END ? SIGTERM : UNIT_KILL_SIGNAL;
}

static void signal_tree(struct runner *runner, struct run *run, int signal) {
        struct tree_run target = {.number = run->start.run, .main_pid = run->pid, .main_pidfd = run->pidfd};

        runs_print_id(runner, run, target.id);
        target.cgroup_fd = run_cgroups_folder(runner, run);
        if (tree_signal(runner->tree, &target, signal) == 0) {
                run->n_looks++;
                run->owed_signal = 0;
                return;
        }
        /* without memory or descriptors: at least the main process, and all of it soon */
        if (signal > 0)
                syscall(SYS_pidfd_send_signal, run->pidfd, signal, NULL, 0);
        run->owed_signal = (uint8_t)signal;
        set_due(runner, run, clock_now().bt_us + LOOK_LAST_US);
}

static void look_later(struct runner *runner, struct run *run) {
        int64_t at_bt_us = clock_now().bt_us + run->look_interval_us;

        run->look_interval_us = 2 * run->look_interval_us < LOOK_LAST_US ? 2 * run->look_interval_us : LOOK_LAST_US;
        /* while the main process is there its end is awaited, not looked for */
        if (run->stop == RUN_STOP_ASKED && (!run->is_main_gone || run->deadline_bt_us < at_bt_us))
                at_bt_us = run->deadline_bt_us;
        set_due(runner, run, at_bt_us);
}

static void enter_stop(struct runner *runner, struct run *run, enum run_stop stop, int64_t deadline_bt_us) {
        run->stop = stop;
        run->stop_bt_us = clock_now().bt_us;
        run->deadline_bt_us = deadline_bt_us;
        run->look_interval_us = LOOK_FIRST_US;
        if (run->phase != RUN_PHASE_RUNNING)
                return; /* once it has been launched */
        look_later(runner, run);
        signal_tree(runner, run, stop == RUN_STOP_KILLED ? killing_signal(runner, run) : run->kill_signal);
}

void runs_stop(struct runner *runner, struct run *run, enum run_result result, bool is_forced, int64_t max_grace_us) {
        int64_t grace_us = run->kill_grace_us < max_grace_us ? run->kill_grace_us : max_grace_us;
        int64_t deadline_bt_us = clock_now().bt_us + grace_us;

        if (run->phase == RUN_PHASE_ENDED || run->stop == RUN_STOP_KILLED)
                return;
        /* the result of a program that has ended stands; that of a condition is not the run's */
        if (run->stop == RUN_STOP_NONE || (is_left_over(run) && !run_is_answered(run)))
                run->stop_result = result;
        if (is_forced)
                enter_stop(runner, run, RUN_STOP_KILLED, LOOP_NEVER);
        else if (run->stop == RUN_STOP_NONE)
                enter_stop(runner, run, RUN_STOP_ASKED, deadline_bt_us);
        else if (deadline_bt_us < run->deadline_bt_us) {
                run->deadline_bt_us = deadline_bt_us;
                if (run->phase == RUN_PHASE_RUNNING)
                        look_later(runner, run);
        }
}

void runs_stop_all(struct runner *runner, bool is_forced, int64_t max_grace_us) {
        for (struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run))
                runs_stop(runner, run, RUN_RESULT_CANCELLED, is_forced, max_grace_us);
}

void runs_on_tree(void *userdata, uint64_t number, uint32_t n, const char *names) {
        struct runner *runner = userdata;
        struct run *run = run_table_find(&runner->runs, number);

        if (!run)
                return; /* it was given up */
        run->n_looks--;
        if (run->phase != RUN_PHASE_RUNNING || run->stop == RUN_STOP_NONE)
                return; /* of a process before this one */
        if (n > 0 && is_left_over(run) && !run->are_leftovers_told) {
                run->are_leftovers_told = true;
                leftovers_tell(runner, run, n, names);
        }
        if (run->n_looks > 0)
                return; /* its number stays ours until the last is answered */
        bool is_over = run->stop == RUN_STOP_KILLED && clock_now().bt_us >= run->stop_bt_us + GIVE_UP_US;
        if ((run->is_main_gone && n == 0) || is_over)
                finish(runner, run);
        else
                look_later(runner, run);
}

/* Its output and its end are told from now on; what can't be watched for lack of memory is tried again. */
static void watch(struct runner *runner, struct run *run) {
        int r = 0;

        if (!run->is_main_gone && !run->pidfd_source)
                r = loop_add_io(runner->loop, run->pidfd, EPOLLIN, on_pidfd, run, &run->pidfd_source);
        for (int i = 0; i < 2 && r == 0; i++)
                if (!run->streams[i].source)
                        r = run_output_watch(runner, &run->streams[i], run->streams[i].fd);
        run->is_unwatched = r < 0;
}

static bool has_main_ended(const struct run *run) {
        siginfo_t info = {};

        return waitid((idtype_t)3 /* P_PIDFD */, (id_t)run->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0;
}

static void arm_timeout(struct runner *runner, struct run *run) {
        if (run->timeout_us != DURATION_INFINITY)
                set_due(runner, run, clock_now().bt_us + run->timeout_us - (clock_awake_us() - run->start_awake_us));
        else if (run->is_unwatched)
                set_due(runner, run, LOOP_NEVER);
}

static void handle_stop_due(struct runner *runner, struct run *run, int64_t now_bt_us) {
        bool is_forced = run->stop == RUN_STOP_KILLED;
        int signal = is_forced ? killing_signal(runner, run) : run->owed_signal;

        if (!is_forced && now_bt_us >= run->deadline_bt_us) {
                enter_stop(runner, run, RUN_STOP_KILLED, LOOP_NEVER);
                return;
        }
        if (is_forced && now_bt_us >= run->stop_bt_us + GIVE_UP_US) {
                finish(runner, run);
                return;
        }
        look_later(runner, run); /* first: should /proc hang, this comes all the same */
        if (run->n_looks == 0)
                signal_tree(runner, run, signal);
        else if (is_forced && run->pidfd >= 0 && !run->is_main_gone) /* the main process can be killed without /proc */
                syscall(SYS_pidfd_send_signal, run->pidfd, signal, NULL, 0);
}

/* The run's instant has come. */
static void handle_due(struct runner *runner, struct run *run, int64_t now_bt_us) {
        if (run->is_unwatched) {
                watch(runner, run);
                if (run->is_unwatched && !run->is_main_gone && has_main_ended(run)) {
                        on_main_gone(runner, run);
                        return;
                }
        }
        if (run->stop != RUN_STOP_NONE)
                handle_stop_due(runner, run, now_bt_us);
        else if (run->timeout_us != DURATION_INFINITY && clock_awake_us() - run->start_awake_us >= run->timeout_us)
                runs_stop(runner, run, RUN_RESULT_TIMEOUT, false, INT64_MAX);
        else
                arm_timeout(runner, run); /* the machine slept, or it can't be watched */
}

int runs_on_time(void *userdata, bool is_clock_change) {
        struct runner *runner = userdata;
        int64_t now_bt_us = clock_now().bt_us;
        struct run *run;

        (void)is_clock_change;
        runner->run_timer_bt_us = LOOP_NEVER; /* one shot */
        while ((run = run_table_first_due(&runner->runs)) && run->due_bt_us <= now_bt_us) {
                run_table_set_due(&runner->runs, run, LOOP_NEVER);
                handle_due(runner, run, now_bt_us);
        }
        arm_timer(runner);
        return 0;
}

/* ---- the start ---- */

/* Whether the process has ended by itself while its start was on its way to us, and left nothing behind. */
static bool is_over(struct runner *runner, const struct run *run) {
        return run->stop == RUN_STOP_NONE && has_main_ended(run) && !run_cgroups_has_left(runner, run);
}

static void tell_started(struct runner *runner, struct run *run) {
        if (!run_is_answered(run))
                return;
        run->tells_started = true;
        run->tells_host = run->host != NULL;
        link_tell_run(runner, run);
}

static void on_launched(void *userdata, struct launch *l) {
        struct runner *runner = userdata;
        struct run *run = run_table_find(&runner->runs, l->run);

        if (!run || run->phase != RUN_PHASE_LAUNCHING) {
                launch_free(l); /* never: a run is not forgotten before its launch is back */
                return;
        }
        run_cgroups_on_launched(runner, run, l);
        if (l->is_finished) {
                end_unstarted(runner, run, &(struct run_end){.result = RUN_RESULT_FINISHED});
                launch_free(l);
                return;
        }
        if (l->step != RUN_STEP_NONE) {
                memcpy(run->condition, l->condition, sizeof(run->condition));
                if (l->is_refused)
                        end_unstarted(runner, run, &(struct run_end){.result = RUN_RESULT_CONDITION});
                else if (run_is_answered(run))
                        end_start_failed(runner, run, l->step, l->error);
                else
                        take_answer(runner, run, &(struct run_end){.exit_code = -1, .step = l->step, .error = l->error});
                launch_free(l);
                return;
        }
        run->phase = RUN_PHASE_RUNNING;
        run->is_main_gone = run->are_leftovers_told = run->is_unwatched = false;
        run->owed_signal = 0;
        run->pid = l->pid;
        if (run_is_answered(run)) {
                run->start_rt_us = l->start_rt_us;
                run->start_bt_us = l->start_bt_us;
        }
        if (run->start_awake_us == 0) /* of the first process: its conditions are within Timeout=, too */
                run->start_awake_us = clock_awake_us();
        run->pidfd = l->pidfd;
        l->pidfd = -1; /* taken */
        for (int i = 0; i < 2; i++) {
                run->streams[i].fd = l->output_fd[i];
                l->output_fd[i] = -1; /* taken */
        }
        launch_free(l);
        if (is_over(runner, run)) { /* what is short is not worth watching */
                tell_started(runner, run);
                finish(runner, run);
                return;
        }
        watch(runner, run);
        tell_started(runner, run);
        if (run->stop != RUN_STOP_NONE)
                enter_stop(runner, run, run->stop, run->deadline_bt_us);
        else
                arm_timeout(runner, run);
}

/* What the launch executes: the program, or before it a process that asks about a condition. 0, -ENOMEM. */
static int choose_process(const struct runner *runner, struct run *run, struct launch *l) {
        unsigned n_units = conditions_n_units(&l->what);
        struct job_output *outputs[2] = {&l->what.output, &l->what.error};
        bool is_user_manager = runner->options->paths.is_user;

        if (run->start.asks_conditions) {
                run->n_questions = (uint8_t)conditions_n_processes(&l->what);
                l->asks_machine = run->n_answered == 0;
                l->asks_paths = run->n_answered == n_units;
        }
        for (int i = 0; i < 2 && run->n_answered > n_units; i++)
                if (outputs[i]->kind == JOB_OUTPUT_TRUNCATE) /* done before the first of the processes */
                        outputs[i]->kind = JOB_OUTPUT_APPEND;
        if (!run_is_answered(run))
                return conditions_make_process(&l->what, run->n_answered, is_user_manager);
        run->is_unit = l->what.work == JOB_WORK_UNIT;
        return run->is_unit ? unit_make_process(&l->what, is_user_manager) : 0;
}

/* Orders the launch. 0 or a negative error. */
static int launch(struct runner *runner, struct run *run) {
        struct environment base = {}, fixed = {};
        struct launch *l = launch_new();
        int r = l ? definition_decode_what(run->definition, &l->what) : -ENOMEM;

        if (r == 0) {
                run->timeout_us = l->what.timeout_us;
                run->kill_grace_us = l->what.kill_grace_us;
                run->kill_signal = l->what.kill_signal;
                run->exits = l->what.exits;
                run->tail.limit = l->what.capture_max;
                r = run->start.is_host ? hosts_prepare(runner, run, l) : 0;
        }
        if (r == 0 && runner->trial)
                trial_change(&l->what);
        if (r == 0 && !run->host)
                r = choose_process(runner, run, l);
        if (r == 0)
                r = run_cgroups_take(runner, run, l);
        if (r == 0)
                r = run_environment_make(runner, run, &l->what, &base, &fixed);
        if (r == 0) {
                l->base = base.list;
                l->fixed = fixed.list;
                base = fixed = (struct environment){}; /* given */
                l->on_done = on_launched;
                l->userdata = runner;
                l->run = run->start.run;
                r = launch_submit(runner->pool, l);
        }
        environment_done(&base);
        environment_done(&fixed);
        if (r < 0)
                launch_free(l);
        return r;
}

/* No more is started: neither runs nor what is to come of those that are asked about. */
static void end_stopping(struct runner *runner, struct run *run) {
        run->stop = RUN_STOP_KILLED;
        run->stop_result = RUN_RESULT_CANCELLED;
        end_start_failed(runner, run, RUN_STEP_NONE, 0);
}

/* A process that asked about a condition has ended, or could not be started. */
static void take_answer(struct runner *runner, struct run *run, const struct run_end *end) {
        struct job_what what;
        int r = definition_decode_what(run->definition, &what);

        if (r < 0) {
                end_start_failed(runner, run, RUN_STEP_DEFINITION, -r);
                return;
        }
        enum conditions_answer answer = conditions_judge(&what, run->n_answered, end, run->condition);
        job_what_done(&what);
        if (answer == CONDITIONS_DO_NOT_HOLD)
                end_unstarted(runner, run, &(struct run_end){.result = RUN_RESULT_CONDITION});
        else if (answer == CONDITIONS_FAILED)
                end_start_failed(runner, run, end->step, end->error);
        else if (runner->stop != STOP_NONE)
                end_stopping(runner, run);
        else {
                run->n_answered++;
                run->phase = RUN_PHASE_LAUNCHING;
                set_due(runner, run, LOOP_NEVER);
                if ((r = launch(runner, run)) < 0)
                        end_start_failed(runner, run, RUN_STEP_CLONE, -r);
        }
}

static void note_start(struct runner *runner, const struct run *run) {
        const struct wire_start *start = &run->start;
        struct wire_trail *trail = start->is_host ? NULL : definitions_trail(&runner->definitions, run->definition);

        if (!trail)
                return;
        trail->run = start->run;
        switch (start->item) {
        case WIRE_ITEM_SCHEDULE:
                trail->has_schedule = true;
                trail->segment = start->segment;
                trail->anchor_us = start->anchor_us;
                trail->key = start->key;
                trail->slot_us = start->slot_us;
                return;
        case WIRE_ITEM_BOOT:
                trail->is_boot_done = true;
                return;
        case WIRE_ITEM_TRIGGER:
        case WIRE_ITEM_RETRY:
        case WIRE_ITEM_WAKE:
        case WIRE_ITEM_DELAY:
        case WIRE_ITEM_CHAIN:
        case WIRE_ITEM_MAX:
                return;
        }
}

/* Whatever a scheduler says, a run gets no parameters but those that its definition accepts. 0; -EPERM; -ENOMEM, also where others have
 * too much of them. */
static int check_parameters(const struct runner *runner, const struct run *run) {
        const struct wire_start *start = &run->start;
        struct parameter parameter;
        struct job_what what;
        size_t at = 0;

        if (start->parameters_size == 0)
                return 0;
        int r = runner->runs.parameters_size <= RUN_TABLE_PARAMETERS_MAX ? definition_decode_what(run->definition, &what)
                                                                         : -ENOMEM;
        if (r < 0)
                return r;
        while (r == 0 && parameters_next(start->parameters, start->parameters_size, &at, &parameter))
                r = parameter_is_accepted(&parameter, what.accepted) ? 0 : -EPERM;
        job_what_done(&what);
        return r;
}

int runs_start(struct runner *runner, const struct wire_start *start) {
        struct definition *definition = definitions_by_hash(&runner->definitions, &start->hash);
        struct run *run;

        if (runner->runs.n >= RUN_TABLE_MAX)
                return -ENOBUFS;
        int r = run_table_add(&runner->runs, start, definition ? definition_name(definition) : "", &run);
        if (r < 0)
                return r;
        run->owner = runner;
        if (definition) {
                run->definition = definition;
                definition->n_uses++;
                note_start(runner, run);
        }
        if (runner->stop != STOP_NONE)
                end_stopping(runner, run);
        else if (!definition)
                end_start_failed(runner, run, RUN_STEP_DEFINITION, ENOENT);
        else if (definition_is_hosted(definition) != start->is_host)
                end_start_failed(runner, run, RUN_STEP_PLUGIN, ENOTSUP);
        else if (runner->runs.n_in_flight > RUN_TABLE_IN_FLIGHT_MAX)
                end_start_failed(runner, run, RUN_STEP_CLONE, EAGAIN);
        else if ((r = check_parameters(runner, run)) < 0) {
                run_table_drop_parameters(&runner->runs, run);
                end_start_failed(runner, run, RUN_STEP_PARAMETERS, -r);
        } else if ((r = launch(runner, run)) < 0)
                end_start_failed(runner, run, RUN_STEP_DEFINITION, -r);
        return 0;
}

void runs_acknowledge(struct runner *runner, uint64_t number) {
        struct run *run = run_table_find(&runner->runs, number);

        if (!run || run->phase != RUN_PHASE_ENDED)
                return;
        link_forget_run(runner, run);
        run_table_remove(&runner->runs, run);
        runner_check_stop(runner);
}

/* ---- over an exec ---- */

static void resume(struct runner *runner, struct run *run) {
        run->is_handed_over = true;
        runner->n_handed_over++;
        watch(runner, run);
        run->look_interval_us = LOOK_FIRST_US;
        if (run->stop != RUN_STOP_NONE)
                set_due(runner, run, clock_now().bt_us);
        else
                arm_timeout(runner, run);
}

void runs_resume(struct runner *runner) {
        for (struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run)) {
                run->owner = runner;
                if (run->phase == RUN_PHASE_RUNNING)
                        resume(runner, run);
        }
}
