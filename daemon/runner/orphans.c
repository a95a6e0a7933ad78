// SPDX-License-Identifier: MIT
// orphans: children that are nobody's: what a run has left was re-parented to us, and ends. They are reaped some time later, all at once.

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"

#define REAP_DELAY_US (200 * USEC_PER_MSEC)
#define REAP_A_PASS   64

static struct run *find_by_pid(const struct runner *runner, pid_t pid) {
        struct run *run = run_table_walk(&runner->runs, NULL);

        while (run && (run->phase != RUN_PHASE_RUNNING || run->pid != pid))
                run = run_table_walk(&runner->runs, run);
        return run;
}

static bool is_taken_care_of(const struct runner *runner, pid_t pid) {
        return launch_owns_pid(runner->pool, pid) || upkeep_owns_pid(runner->upkeep, pid) ||
               reader_owns_pid(runner->reader, pid) || successor_owns_pid(runner->reexec.successor, pid) ||
               find_by_pid(runner, pid);
}

void orphans_on_zombie(void *userdata, pid_t pid) {
        const struct runner *runner = userdata;
        siginfo_t info;

        if (!is_taken_care_of(runner, pid))
                waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
}

void orphans_reap_later(struct runner *runner) {
        if (runner->is_reap_armed)
                return;
        runner->is_reap_armed = loop_arm_timer(runner->reap_timer, clock_now().bt_us + REAP_DELAY_US) == 0;
}

/* Each end of a run is told by its descriptor; so that the signal does not wake us for each once more, it rests until the timer. */
int orphans_on_child(void *userdata, const struct signalfd_siginfo *info) {
        struct runner *runner = userdata;

        (void)info;
        orphans_reap_later(runner);
        if (runner->is_reap_armed)
                (void)loop_set_events(runner->child_signal, 0); /* else it only wakes us */
        return 0;
}

int orphans_on_time(void *userdata, bool is_clock_change) {
        struct runner *runner = userdata;

        (void)is_clock_change;
        runner->is_reap_armed = false;
        if (loop_set_events(runner->child_signal, EPOLLIN) < 0)
                orphans_reap_later(runner);
        for (int i = 0; i < REAP_A_PASS; i++) {
                siginfo_t info = {};
                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
                        return 0;
                if (is_taken_care_of(runner, info.si_pid)) {
                        /* the kernel would show no other: the tree's thread looks behind it */
                        tree_find_zombies(runner->tree);
                        break;
                }
                waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
        }
        orphans_reap_later(runner);
        return 0;
}
