// SPDX-License-Identifier: MIT
// unit_child: the process of a run that starts a systemd unit, waits until it is over, and ends as it did.
// systemctl does it. What it shows of a unit that has ended is only there as long as somebody refers to the unit: so a connection to the
// bus holds it, where there is a bus. TERM stops the unit, INT kills it.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/runner/unit.h"

#define BUS_TIME_US   (5 * USEC_PER_SEC) /* for the connection, and again for its answer */
#define REFUSAL_US    (2 * USEC_PER_SEC) /* a start that fails later was accepted, and systemd has gone away */
#define STARTS_MAX    2                  /* that are refused, of a unit that runs already */
#define POLL_FIRST_MS 50                 /* between looks at a unit that nobody waits for */
#define POLL_LAST_MS  1000               /* doubled up to this */

struct unit_child {
        const char *unit;
        bool is_user_manager;
        sd_bus *bus; /* holds it; NULL: nothing does */
        sigset_t signals;
        pid_t waiter; /* the systemctl that waits for the unit; 0: none */
        bool has_failed;
        int64_t start_bt_us; /* when the latest start was begun */
        int n_refused;       /* starts in a row */
        bool is_stopped;
        int poll_ms;
};

/* From here to the end of the connection systemd remembers the unit. NULL where that can't be had: then it may forget what has become of a
 * unit that succeeded, or was not started for its conditions, and both are a success. */
static sd_bus *hold_unit(const struct unit_child *u) {
        int64_t end_bt_us = clock_now().bt_us + BUS_TIME_US, left_us;
        sd_bus *bus = NULL;
        int r = u->is_user_manager ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);

        /* a call would wait for this with limits of its own, which are long */
        while (r >= 0 && (r = sd_bus_is_ready(bus)) == 0) {
                r = sd_bus_process(bus, NULL);
                left_us = end_bt_us - clock_now().bt_us;
                if (left_us <= 0)
                        r = -ETIMEDOUT;
                else if (r == 0)
                        r = sd_bus_wait(bus, (uint64_t)left_us);
        }
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, BUS_TIME_US);
        if (r >= 0)
                r = sd_bus_call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                       "org.freedesktop.systemd1.Manager", "RefUnit", NULL, NULL, "s", u->unit);
        return r < 0 ? sd_bus_close_unref(bus) : bus;
}

static pid_t begin(const struct unit_child *u, const char *verb, const char *option) {
        const char *const words[] = {verb, option, "--", u->unit, NULL};

        return unit_systemctl(u->is_user_manager, words, -1);
}

static void begin_start(struct unit_child *u) {
        u->start_bt_us = clock_now().bt_us;
        u->waiter = begin(u, "start", "--wait");
        u->has_failed = u->waiter < 0;
}

static void wait_for(pid_t pid) {
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

/* A start that has not reached systemd yet is taken back. */
static void stop_unit(struct unit_child *u) {
        if (u->is_stopped)
                return;
        u->is_stopped = true;
        if (u->waiter > 0) {
                kill(u->waiter, SIGKILL);
                wait_for(u->waiter);
        }
        u->waiter = begin(u, "stop", "--quiet");
}

static void handle_signal(struct unit_child *u, int number) {
        int status;

        if (number == SIGCHLD) {
                if (u->waiter > 0 && waitpid(u->waiter, &status, WNOHANG) == u->waiter) {
                        bool is_refusal = status != 0 && clock_now().bt_us < u->start_bt_us + REFUSAL_US;
                        u->n_refused = is_refusal ? u->n_refused + 1 : 0;
                        u->has_failed |= status != 0;
                        u->waiter = 0;
                }
                return;
        }
        stop_unit(u);
        if (number == UNIT_KILL_SIGNAL)
                wait_for(begin(u, "kill", "--signal=KILL"));
}

/* The next signal; where nobody waits for the unit, 0 after a while that grows. */
static int next_signal(struct unit_child *u) {
        struct timespec time = {.tv_sec = u->poll_ms / 1000, .tv_nsec = u->poll_ms % 1000 * 1000000L};
        sigset_t asked = u->signals;

        if (u->waiter > 0)
                return sigwaitinfo(&u->signals, NULL);
        u->poll_ms = 2 * u->poll_ms < POLL_LAST_MS ? 2 * u->poll_ms : POLL_LAST_MS;
        sigdelset(&asked, SIGCHLD); /* of those who have shown it */
        return sigtimedwait(&asked, NULL, &time);
}

/* A start of what runs already joins it, and is no second one. */
static bool is_joined(const struct unit_state *before, const struct unit_state *state) {
        return !unit_state_is_over(before) && strcmp(before->invocation, state->invocation) == 0 &&
               strcmp(state->active, "deactivating") != 0;
}

/* Until the unit is over; false where it was running before and may not be started. systemctl may end before that, when systemd
 * executes itself anew; it is not begun again where that might be a second start. A stop is: it may have come before the start,
 * or was refused. */
static bool await(struct unit_child *u, const struct unit_state *before, struct unit_state *state) {
        for (u->poll_ms = POLL_FIRST_MS;;) {
                int number = next_signal(u);
                if (number > 0)
                        handle_signal(u, number);
                if (u->waiter > 0)
                        continue;
                int r = unit_show(u->unit, u->is_user_manager, state);
                if (r == 0 && unit_state_is_over(state))
                        return true;
                if (r < 0 || number > 0)
                        continue; /* after a pause */
                if (u->is_stopped && strcmp(state->active, "deactivating") != 0)
                        u->waiter = begin(u, "stop", "--quiet");
                else if (!u->is_stopped && u->has_failed && is_joined(before, state)) {
                        if (u->n_refused >= STARTS_MAX)
                                return false;
                        begin_start(u);
                }
        }
}

static struct unit_end run(struct unit_child *u) {
        struct unit_state before, after;

        if (access("/run/systemd/system", F_OK) < 0)
                return unit_refuse(EHOSTDOWN, NULL);
        u->bus = hold_unit(u);
        int r = unit_show(u->unit, u->is_user_manager, &before);
        int error = r < 0 ? EHOSTDOWN : before.stays ? EALREADY : job_unit_load_error(before.load);
        if (error > 0)
                return unit_refuse(error, r < 0 ? NULL : &before);
        begin_start(u);
        return await(u, &before, &after) ? unit_judge(&before, &after, u->has_failed) : unit_refuse(ECANCELED, NULL);
}

/* As a shell ends for what it has run. */
static int end_like(const struct exit_status *how) {
        static const struct rlimit none;
        sigset_t signals;

        if (!how->is_signal)
                return how->number;
        setrlimit(RLIMIT_CORE, &none); /* the unit has left its own */
        signal(how->number, SIG_DFL);
        sigfillset(&signals);
        sigprocmask(SIG_UNBLOCK, &signals, NULL);
        raise(how->number);
        return 1;
}

int unit_child_main(const char *unit, bool is_user_manager) {
        struct unit_child u = {.unit = unit, .is_user_manager = is_user_manager};
        char folder[64];

        prctl(PR_SET_NAME, "chimed-unit");
        sigemptyset(&u.signals);
        sigaddset(&u.signals, SIGTERM);
        sigaddset(&u.signals, UNIT_KILL_SIGNAL);
        sigaddset(&u.signals, SIGCHLD);
        sigprocmask(SIG_BLOCK, &u.signals, NULL);
        snprintf(folder, sizeof(folder), "/run/user/%u", (unsigned)getuid());
        if (is_user_manager)
                setenv("XDG_RUNTIME_DIR", folder, 0);
        struct unit_end end = run(&u);
        sd_bus_close_unref(u.bus);
        dprintf(STDOUT_FILENO, "%s\n", end.line);
        return end_like(&end.how);
}
