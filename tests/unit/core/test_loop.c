// SPDX-License-Identifier: MIT
// The loop with real descriptors. Nothing here sets a clock.

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/loop.h"
#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"

static struct loop *loop;
static int pipes[2][2];

static void setup(void) {
        ck_assert_int_eq(loop_new(&loop), 0);
        for (size_t i = 0; i < ARRAY_SIZE(pipes); i++)
                ck_assert_int_eq(pipe(pipes[i]), 0);
}

static void teardown(void) {
        loop = loop_free(loop);
        for (size_t i = 0; i < ARRAY_SIZE(pipes); i++) {
                util_close(pipes[i][0]);
                util_close(pipes[i][1]);
        }
}

struct counter {
        struct loop_source *source;
        struct loop_source **victim; /* freed in the callback */
        unsigned n, n_changes;
        uint32_t events;
        int64_t at_us; /* armed anew in the callback, where not 0 */
        int result;
};

static int on_io(void *userdata, uint32_t events) {
        struct counter *c = userdata;
        c->n++;
        c->events = events;
        if (c->victim)
                *c->victim = loop_source_free(*c->victim);
        return c->result;
}

static int on_timer(void *userdata, bool is_clock_change) {
        struct counter *c = userdata;
        c->n++;
        c->n_changes += is_clock_change;
        if (c->at_us)
                ck_assert_int_eq(loop_arm_timer(c->source, c->at_us), 0);
        if (c->victim)
                *c->victim = loop_source_free(*c->victim);
        return c->result;
}

static int on_signal(void *userdata, const struct signalfd_siginfo *info) {
        struct counter *c = userdata;
        c->n++;
        c->events |= 1u << (info->ssi_signo - 1);
        return c->result;
}

static void add_readable(size_t i, struct counter *c) {
        ck_assert_int_eq(write(pipes[i][1], "x", 1), 1);
        ck_assert_int_eq(loop_add_io(loop, pipes[i][0], EPOLLIN, on_io, c, &c->source), 0);
}

START_TEST(nothing_ready_is_no_error) {
        ck_assert_int_eq(loop_run_once(loop, 0), 0);
        ck_assert_int_eq(loop_run_once(loop, 1000), 0);
}
END_TEST

START_TEST(a_descriptor_is_told_as_long_as_it_is_ready) {
        struct counter c = {};
        add_readable(0, &c);
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_uint_eq(c.n, 2);
        ck_assert_uint_eq(c.events, EPOLLIN);
        ck_assert_int_eq(loop_set_events(c.source, 0), 0);
        ck_assert_int_eq(loop_run_once(loop, 0), 0);
        pipes[0][1] = util_close(pipes[0][1]);
        ck_assert_int_eq(loop_run_once(loop, 0), 1);
        ck_assert_uint_eq(c.events, EPOLLHUP);
}
END_TEST

START_TEST(a_timer_waits_for_one_batch_of_many_descriptors) {
        int fds[256];
        struct counter c = {}, timer = {};
        add_readable(0, &c);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                struct loop_source *source;
                fds[i] = dup(pipes[0][0]);
                ck_assert_int_ge(fds[i], 0);
                ck_assert_int_eq(loop_add_io(loop, fds[i], EPOLLIN, on_io, &c, &source), 0);
        }
        ck_assert_int_eq(loop_run_once(loop, 0), 1);
        ck_assert_int_eq(loop_add_timer(loop, LOOP_CLOCK_BOOT, on_timer, &timer, &timer.source), 0);
        ck_assert_int_eq(loop_arm_timer(timer.source, 1), 0);
        ck_assert_int_eq(loop_run_once(loop, 0), 1);
        ck_assert_uint_eq(timer.n, 1);
        loop = loop_free(loop);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                util_close(fds[i]);
}
END_TEST

START_TEST(a_source_may_free_itself_and_one_of_the_same_batch) {
        /* whichever comes first frees the other, so only one is called */
        struct counter a = {}, b = {};
        add_readable(0, &a);
        add_readable(1, &b);
        a.victim = &b.source;
        b.victim = &a.source;
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_uint_eq(a.n + b.n, 1);
        struct counter *left = a.n ? &a : &b;
        left->victim = &left->source;
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_uint_eq(left->n, 2);
        ck_assert_ptr_null(left->source);
        ck_assert_int_eq(loop_run_once(loop, 0), 0);
}
END_TEST

START_TEST(a_freed_source_is_silent_while_a_copy_of_its_descriptor_lives) {
        struct counter c = {};
        add_readable(0, &c);
        int copy = dup(pipes[0][0]);
        loop_source_free(c.source);
        pipes[0][0] = util_close(pipes[0][0]);
        ck_assert_int_eq(loop_run_once(loop, 0), 0);
        ck_assert_uint_eq(c.n, 0);
        util_close(copy);
}
END_TEST

START_TEST(a_callbacks_error_ends_the_run) {
        struct counter c = {.result = -EDOM};
        add_readable(0, &c);
        ck_assert_int_eq(loop_run(loop), -EDOM);
}
END_TEST

static const struct {
        const char *what;
        enum loop_clock clock;
        int64_t in_us; /* from now; LOOP_NEVER as it is */
        bool is_due;   /* within 100 ms */
} timers[] = {
        {"boot, passed", LOOP_CLOCK_BOOT, -1000000, true},   {"boot, now", LOOP_CLOCK_BOOT, 0, true},
        {"boot, soon", LOOP_CLOCK_BOOT, 5000, true},         {"boot, later", LOOP_CLOCK_BOOT, 3600000000, false},
        {"boot, never", LOOP_CLOCK_BOOT, LOOP_NEVER, false}, {"real, passed", LOOP_CLOCK_REAL, -1000000, true},
        {"real, soon", LOOP_CLOCK_REAL, 5000, true},         {"real, later", LOOP_CLOCK_REAL, 3600000000, false},
        {"real, never", LOOP_CLOCK_REAL, LOOP_NEVER, false},
};

START_TEST(a_timer_is_due_once_and_not_before_its_instant) {
        bool is_real = timers[_i].clock == LOOP_CLOCK_REAL;
        struct counter c = {};
        ck_assert_int_eq(loop_add_timer(loop, timers[_i].clock, on_timer, &c, &c.source), 0);
        struct clock_sample now = clock_now();
        int64_t at_us = timers[_i].in_us;
        if (at_us != LOOP_NEVER)
                at_us += is_real ? now.rt_us : now.bt_us;
        ck_assert_int_eq(loop_arm_timer(c.source, at_us), 0);
        for (int64_t end = now.bt_us + 100000; clock_now().bt_us < end && !c.n;)
                ck_assert_int_ge(loop_run_once(loop, timers[_i].is_due ? end - now.bt_us : 0), 0);
        now = clock_now();
        ck_assert_msg(c.n == timers[_i].is_due, "%s: called %u times", timers[_i].what, c.n);
        ck_assert_msg(!c.n || (is_real ? now.rt_us : now.bt_us) >= at_us, "%s: too early", timers[_i].what);
        ck_assert_msg(loop_run_once(loop, 0) == 0, "%s: due twice", timers[_i].what);
        ck_assert_msg(c.n_changes == 0, "%s: told a clock change", timers[_i].what);
}
END_TEST

START_TEST(an_instant_before_the_epoch_is_due_at_once) {
        struct counter c = {};
        ck_assert_int_eq(loop_add_timer(loop, LOOP_CLOCK_REAL, on_timer, &c, &c.source), 0);
        ck_assert_int_eq(loop_arm_timer(c.source, INT64_MIN), 0);
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_int_eq(loop_arm_timer(c.source, 0), 0);
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_uint_eq(c.n, 2);
}
END_TEST

START_TEST(an_armed_timer_can_be_disarmed) {
        struct counter c = {};
        ck_assert_int_eq(loop_add_timer(loop, LOOP_CLOCK_BOOT, on_timer, &c, &c.source), 0);
        ck_assert_int_eq(loop_arm_timer(c.source, 1), 0);
        ck_assert_int_eq(loop_arm_timer(c.source, LOOP_NEVER), 0);
        ck_assert_int_eq(loop_run_once(loop, 0), 0);
}
END_TEST

START_TEST(a_timer_may_be_armed_anew_and_freed_in_its_callback) {
        struct counter c = {.at_us = 1};
        ck_assert_int_eq(loop_add_timer(loop, LOOP_CLOCK_REAL, on_timer, &c, &c.source), 0);
        ck_assert_int_eq(loop_arm_timer(c.source, 1), 0);
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        c.victim = &c.source;
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_int_eq(loop_run_once(loop, 0), 0);
        ck_assert_uint_eq(c.n, 2);
}
END_TEST

static const struct {
        const char *what;
        int64_t advance_us;
        int result;
} runaways[] = {
        {"the same instant", 0, -ELOOP},
        {"ever earlier", -1, -ELOOP},
        {"late, but advancing", 1, 1},
};

START_TEST(a_timer_that_does_not_advance_is_stopped_as_runaway) {
        struct counter c = {.at_us = 1000000};
        ck_assert_int_eq(loop_add_timer(loop, LOOP_CLOCK_BOOT, on_timer, &c, &c.source), 0);
        ck_assert_int_eq(loop_arm_timer(c.source, c.at_us), 0);
        /* the guard counts what comes in a second: a loaded machine takes more of them to come to it */
        unsigned n = (runaways[_i].result < 0 ? 60 : 2) * LOOP_RUNAWAY_LIMIT + 2;
        int r = 0;
        for (unsigned i = 0; i < n && r >= 0; i++) {
                c.at_us += runaways[_i].advance_us;
                r = loop_run_once(loop, -1);
        }
        ck_assert_msg(r == runaways[_i].result, "%s: %d after %u calls", runaways[_i].what, r, c.n);
}
END_TEST

START_TEST(signals_come_one_by_one) {
        struct counter c = {};
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGHUP);
        ck_assert_int_eq(loop_add_signals(loop, &set, on_signal, &c, &c.source), 0);
        ck_assert_int_eq(loop_run_once(loop, 0), 0);
        raise(SIGUSR1);
        raise(SIGHUP);
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_uint_eq(c.n, 2);
        ck_assert_uint_eq(c.events, 1u << (SIGUSR1 - 1) | 1u << (SIGHUP - 1));
        loop_source_free(c.source);
        sigset_t mask;
        pthread_sigmask(SIG_BLOCK, NULL, &mask);
        ck_assert(sigismember(&mask, SIGUSR1));
}
END_TEST

static int on_flush(void *userdata) {
        unsigned *n = userdata;
        if (++*n == 3)
                loop_exit(loop, 7);
        return 0;
}

START_TEST(the_flush_runs_before_the_first_wait_and_after_each_pass) {
        unsigned n = 0;
        struct counter c = {};
        loop_set_flush(loop, on_flush, &n);
        ck_assert_int_eq(loop_run_once(loop, 0), 0);
        ck_assert_uint_eq(n, 1);
        add_readable(0, &c);
        ck_assert_int_eq(loop_run(loop), 7);
        ck_assert_uint_eq(n, 3);
        ck_assert_uint_eq(c.n, 1);
}
END_TEST

START_TEST(a_regular_file_cannot_be_watched) {
        FILE *file = tmpfile();
        ck_assert_ptr_nonnull(file);
        struct loop_source *source = NULL;
        ck_assert_int_eq(loop_add_io(loop, fileno(file), EPOLLIN, on_io, NULL, &source), -EPERM);
        ck_assert_ptr_null(source);
        fclose(file);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("loop");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 30);
        tcase_add_test(tcase, nothing_ready_is_no_error);
        tcase_add_test(tcase, a_descriptor_is_told_as_long_as_it_is_ready);
        tcase_add_test(tcase, a_timer_waits_for_one_batch_of_many_descriptors);
        tcase_add_test(tcase, a_source_may_free_itself_and_one_of_the_same_batch);
        tcase_add_test(tcase, a_freed_source_is_silent_while_a_copy_of_its_descriptor_lives);
        tcase_add_test(tcase, a_callbacks_error_ends_the_run);
        tcase_add_loop_test(tcase, a_timer_is_due_once_and_not_before_its_instant, 0, ARRAY_SIZE(timers));
        tcase_add_test(tcase, an_instant_before_the_epoch_is_due_at_once);
        tcase_add_test(tcase, an_armed_timer_can_be_disarmed);
        tcase_add_test(tcase, a_timer_may_be_armed_anew_and_freed_in_its_callback);
        tcase_add_loop_test(tcase, a_timer_that_does_not_advance_is_stopped_as_runaway, 0, ARRAY_SIZE(runaways));
        tcase_add_test(tcase, signals_come_one_by_one);
        tcase_add_test(tcase, the_flush_runs_before_the_first_wait_and_after_each_pass);
        tcase_add_test(tcase, a_regular_file_cannot_be_watched);
        Suite *suite = suite_create("loop");
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
