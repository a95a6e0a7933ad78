// SPDX-License-Identifier: MIT
// The run table: found by number, due in order, bounded in what it keeps, and the same after it was written and read.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/run_table.h"
#include "daemon/runner/unit.h"
#include "tests/unit/run_suite.h"

static struct run *add(struct run_table *t, uint64_t number) {
        struct wire_start start = {.run = number, .attempt = 1, .key = 5, .slot_rt_us = 99, .cause = RUN_CAUSE_SCHEDULE};
        struct run *run;

        ck_assert_int_eq(run_table_add(t, &start, "job-x", &run), 0);
        run->tail.limit = 1024;
        return run;
}

START_TEST(runs_are_found_by_number) {
        struct run_table t;

        run_table_init(&t);
        ck_assert_uint_eq(t.numbers.next, 1);
        for (uint64_t i = 1; i <= 10000; i++)
                add(&t, i * 3);
        ck_assert_uint_eq(t.n, 10000);
        ck_assert_uint_eq(t.numbers.next, 30001);
        for (uint64_t i = 1; i <= 10000; i += 2)
                run_table_remove(&t, run_table_find(&t, i * 3));
        for (uint64_t i = 1; i <= 10000; i++)
                ck_assert_msg((run_table_find(&t, i * 3) != NULL) == (i % 2 == 0), "run %d", (int)i);
        size_t n = 0;
        for (struct run *run = run_table_walk(&t, NULL); run; run = run_table_walk(&t, run))
                n++;
        ck_assert_uint_eq(n, 5000);
        ck_assert_uint_eq(t.n_in_flight, 5000);
        run_table_done(&t);
}
END_TEST

START_TEST(deadlines_come_in_order_whatever_is_set_and_unset) {
        struct run_table t;
        struct run *runs[500];
        int64_t last = 0;

        run_table_init(&t);
        srand(7);
        for (int i = 0; i < 500; i++)
                runs[i] = add(&t, (uint64_t)i + 1);
        for (int n = 0; n < 20000; n++)
                run_table_set_due(&t, runs[rand() % 500], rand() % 4 == 0 ? LOOP_NEVER : rand() % 1000);
        struct run *run;
        while ((run = run_table_first_due(&t))) {
                ck_assert_int_ge(run->due_bt_us, last);
                last = run->due_bt_us;
                run_table_set_due(&t, run, LOOP_NEVER);
        }
        ck_assert_uint_eq(t.n_heap, 0);
        run_table_done(&t);
}
END_TEST

START_TEST(beyond_the_bound_the_oldest_ended_runs_lose_their_tails) {
        static char output[JOB_CAPTURE_MAX];
        struct run_table t;
        unsigned n = RUN_TABLE_TAILS_MAX / JOB_CAPTURE_MAX;

        run_table_init(&t);
        for (unsigned i = 1; i <= n + 3; i++) {
                struct run *run = add(&t, i);
                run->tail.limit = JOB_CAPTURE_MAX;
                run_table_add_tail(&t, run, output, sizeof(output));
                run->end.result = RUN_RESULT_FAILED;
                run_table_end(&t, run);
        }
        ck_assert_uint_le(t.tails_size, RUN_TABLE_TAILS_MAX);
        ck_assert_uint_eq(t.n, n + 3);
        ck_assert_uint_eq(t.n_in_flight, 0);
        ck_assert_uint_eq(t.n_tails_dropped, 3);
        ck_assert_uint_eq(run_table_find(&t, 3)->tail.size, 0);
        ck_assert_uint_eq(run_table_find(&t, 4)->tail.size, JOB_CAPTURE_MAX);
        ck_assert_int_eq(run_table_find(&t, 3)->end.result, RUN_RESULT_FAILED);
        for (unsigned i = 1; i <= n + 3; i++)
                run_table_remove(&t, run_table_find(&t, i));
        ck_assert_uint_eq(t.tails_size, 0);
        ck_assert_ptr_null(t.oldest_ended);
        run_table_done(&t);
}
END_TEST

START_TEST(running_runs_keep_no_more_output_than_the_bound) {
        static char output[JOB_CAPTURE_MAX];
        struct run_table t;
        unsigned n = RUN_TABLE_TAILS_MAX / JOB_CAPTURE_MAX;

        run_table_init(&t);
        for (unsigned i = 1; i <= n + 100; i++) {
                struct run *run = add(&t, i);
                run->tail.limit = JOB_CAPTURE_MAX;
                run_table_add_tail(&t, run, output, 1);
                run_table_add_tail(&t, run, output, sizeof(output));
        }
        ck_assert_uint_le(t.tails_size, RUN_TABLE_TAILS_MAX + JOB_CAPTURE_MAX);
        ck_assert_uint_gt(t.n_tails_dropped, 0);
        ck_assert_uint_eq(run_table_find(&t, 1)->tail.size, JOB_CAPTURE_MAX);
        run_table_done(&t);
}
END_TEST

START_TEST(the_last_line_of_a_unit_is_kept_even_beyond_the_bound) {
        static char output[JOB_CAPTURE_MAX];
        struct run_table t;
        unsigned n = RUN_TABLE_TAILS_MAX / JOB_CAPTURE_MAX + 1;

        run_table_init(&t);
        for (unsigned i = 1; i <= n; i++) {
                struct run *run = add(&t, i);
                run->tail.limit = JOB_CAPTURE_MAX;
                run_table_add_tail(&t, run, output, 1);
                run_table_add_tail(&t, run, output, sizeof(output));
        }
        struct run *run = add(&t, n + 1);
        run->is_unit = true;
        for (int i = 0; i < 3; i++)
                run_table_add_tail(&t, run, output, UNIT_LINE_MAX);
        run_table_add_tail(&t, run, "\nResult=oom-kill\n", strlen("\nResult=oom-kill\n"));
        ck_assert_uint_eq(run->tail.size, UNIT_LINE_MAX);
        unit_take_end(&run->tail, &run->end);
        ck_assert_int_eq(run->end.result, RUN_RESULT_OOM);
        ck_assert_uint_eq(t.n_tails_dropped, 2);
        run_table_done(&t);
}
END_TEST

/* A table with a running and an ended run, and the descriptors of /dev/null. */
static void fill(struct run_table *t) {
        struct run *run = add(t, 10);

        run->phase = RUN_PHASE_RUNNING;
        run->pid = 1234;
        run->start_rt_us = 1;
        run->start_bt_us = 2;
        run->timeout_us = DURATION_INFINITY;
        run->kill_grace_us = 4;
        run->kill_signal = 15;
        exit_classes_add(&run->exits, EXIT_CLASS_SKIP, &(struct exit_status){.number = 75});
        run->stop = RUN_STOP_ASKED;
        run->stop_result = RUN_RESULT_TIMEOUT;
        run->deadline_bt_us = 77;
        run->is_main_gone = true;
        snprintf(run->cgroup, sizeof(run->cgroup), "%s@2", run->name);
        run->cgroup_cpu_us = 99;
        run->pidfd = open("/dev/null", O_RDONLY);
        run->streams[0].fd = open("/dev/null", O_RDONLY);
        run->streams[0].partial = malloc(OUTPUT_LINE_MAX);
        memcpy(run->streams[0].partial, "half a li", 9);
        run->streams[0].partial_size = 9;
        run->tail.limit = 8;
        run_table_add_tail(t, run, "0123456789", 10);
        run_table_add_tail(t, run, "abc", 3);
        int fds[3];
        run->start.is_host = true;
        ck_assert_int_eq(run_host_new("a-host", &(struct hash128){{5, 6}}, fds, &run->host), 0);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                close(fds[i]);
        run = add(t, 11);
        run->start.item = WIRE_ITEM_TRIGGER;
        run->start.cause = RUN_CAUSE_TRIGGER;
        run->start.is_watched = run->start.asks_conditions = true;
        run->n_questions = 2;
        run->n_answered = 1;
        strcpy(run->condition, "ExecCondition=x (exit 255)");
        run->phase = RUN_PHASE_RUNNING;
        run->end = (struct run_end){.result = RUN_RESULT_FAILED, .exit_code = 3, .end_rt_us = 5, .end_bt_us = 6, .cpu_us = 7};
        run_table_end(t, run);
        t->numbers.next = 50;
}

START_TEST(what_is_written_is_read_back) {
        struct run_table t, u;
        struct pack p = {}, q = {};

        run_table_init(&t);
        run_table_init(&u);
        fill(&t);
        ck_assert_int_eq(run_table_write(&t, &p), 0);
        ck_assert_int_eq(run_table_read(&u, p.data, p.size), 0);
        ck_assert_uint_eq(u.numbers.next, 50);
        ck_assert_uint_eq(u.n, 2);
        ck_assert_uint_eq(u.n_in_flight, 1);
        struct run *run = run_table_find(&u, 10);
        ck_assert_str_eq(run->name, "job-x");
        ck_assert_int_eq(run->start.key, 5);
        ck_assert_int_eq(run->pid, 1234);
        ck_assert_int_eq(run->stop, RUN_STOP_ASKED);
        ck_assert_str_eq(run->cgroup, "job-x@2");
        ck_assert_int_eq(run->cgroup_cpu_us, 99);
        ck_assert_int_eq(exit_classes_find(&run->exits, &(struct exit_status){.number = 75}), EXIT_CLASS_SKIP);
        ck_assert_mem_eq(run->streams[0].partial, "half a li", 9);
        ck_assert_int_eq(run->streams[1].fd, -1);
        ck_assert_ptr_nonnull(run->host);
        ck_assert_str_eq(run_title(run), "a-host");
        ck_assert_uint_eq(run->host->hash.word[1], 6);
        ck_assert_int_eq(run->host->page_fd, run_table_find(&t, 10)->host->page_fd);
        ck_assert_int_eq(run_table_find(&u, 11)->end.exit_code, 3);
        ck_assert_int_eq(run_table_find(&u, 11)->start.item, WIRE_ITEM_TRIGGER);
        ck_assert(run_table_find(&u, 11)->start.is_watched && run_table_find(&u, 11)->start.asks_conditions);
        ck_assert(!run_is_answered(run_table_find(&u, 11)));
        ck_assert_str_eq(run_table_find(&u, 11)->condition, "ExecCondition=x (exit 255)");
        ck_assert_int_eq(run_table_find(&u, 11)->phase, RUN_PHASE_ENDED);
        /* written again it is the same, but for the order of the buckets */
        ck_assert_int_eq(run_table_write(&u, &q), 0);
        ck_assert_uint_eq(p.size, q.size);
        ck_assert_mem_eq(p.data, q.data, p.size);
        /* both tables hold the same descriptors */
        run->pidfd = run->streams[0].fd = -1;
        run->host->ticks_fd = run->host->page_fd = run->host->orders_fd = -1;
        pack_done(&p);
        pack_done(&q);
        run_table_done(&t);
        run_table_done(&u);
}
END_TEST

START_TEST(the_descriptors_are_kept_over_an_exec_only_on_demand) {
        struct run_table t;

        run_table_init(&t);
        fill(&t);
        const struct run *run = run_table_find(&t, 10);
        ck_assert_int_eq(run_table_keep(&t, false), 0);
        ck_assert_int_eq(fcntl(run->pidfd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(run->streams[0].fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(run->host->orders_fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(run_table_keep(&t, true), 0);
        ck_assert_int_eq(fcntl(run->pidfd, F_GETFD), 0);
        ck_assert_int_eq(fcntl(run->streams[0].fd, F_GETFD), 0);
        ck_assert_int_eq(fcntl(run->host->ticks_fd, F_GETFD), 0);
        ck_assert_int_eq(fcntl(run->host->page_fd, F_GETFD), 0);
        ck_assert_int_eq(fcntl(run->host->orders_fd, F_GETFD), 0);
        close(run->streams[0].fd);
        ck_assert_int_eq(run_table_keep(&t, false), -EBADF);
        run_table_find(&t, 10)->streams[0].fd = -1;
        run_table_done(&t);
}
END_TEST

/* A run in which each byte that stands for something is other than zero. */
static void fill_run(struct run *run) {
        memset(run->name, 'a', JOB_NAME_MAX);
        memset(run->condition, 'a', sizeof(run->condition) - 1);
        run->pid = 0x01020304;
        run->start_rt_us = run->start_bt_us = run->start_awake_us = 0x0001020304050607;
        run->timeout_us = run->kill_grace_us = run->stop_bt_us = run->deadline_bt_us = 0x0001020304050607;
        run->kill_signal = 15;
        exit_classes_add(&run->exits, EXIT_CLASS_SKIP, &(struct exit_status){.number = 75});
        run->stop = RUN_STOP_ASKED;
        run->stop_result = RUN_RESULT_TIMEOUT;
        run->n_questions = 7;
        run->n_answered = 3;
        run->is_main_gone = true;
        memcpy(run->cgroup, run->name, JOB_NAME_MAX);
        memset(run->cgroup + JOB_NAME_MAX, '1', sizeof(run->cgroup) - 1 - JOB_NAME_MAX);
        run->cgroup[JOB_NAME_MAX] = '@';
        run->cgroup_cpu_us = 0x0001020304050607;
        run->cgroup_oom_kills = 0x0001020304050607;
        run->start.parent =
                (struct run_parent){.event = RUN_EVENT_FAILURE, .result = RUN_RESULT_FAILED, .attempt = 1, .run = 4};
        memset(run->start.parent.reason, 'a', sizeof(run->start.parent.reason) - 1);
        memset(run->start.parent.job, 'a', sizeof(run->start.parent.job) - 1);
        run->end = (struct run_end){.result = RUN_RESULT_FAILED, .exit_code = 3};
        run->pidfd = 1000; /* never looked at */
}

/* Written and read, with the byte at `at` of its flat part changed: 1 where it is so in what was read; 0: it is what it was; -1: refused. */
static int carry(size_t at, bool has_ended) {
        struct wire_start start = {.run = 10, .attempt = 1, .cause = RUN_CAUSE_SCHEDULE};
        struct run_table t, u;
        struct pack p = {};
        struct run *run;
        int result = -1;

        run_table_init(&t);
        run_table_init(&u);
        ck_assert_int_eq(run_table_add(&t, &start, "", &run), 0);
        fill_run(run);
        t.numbers.next = UINT64_MAX;
        run->phase = RUN_PHASE_RUNNING;
        if (has_ended)
                run_table_end(&t, run);
        uint8_t *byte = (uint8_t *)run + at, before = *byte;
        *byte ^= 1;
        if (run_table_write(&t, &p) == 0 && run_table_read(&u, p.data, p.size) == 0) {
                const struct run *copy = run_table_walk(&u, NULL);
                result = ((const uint8_t *)copy)[at] == *byte;
                run_table_walk(&u, NULL)->pidfd = -1;
        }
        *byte = before;
        run->pidfd = -1;
        pack_done(&p);
        run_table_done(&t);
        run_table_done(&u);
        return result;
}

/* Written as a byte. */
static const size_t enums[] = {
        offsetof(struct run, start.item),
        offsetof(struct run, start.cause),
        offsetof(struct run, start.last_result),
        offsetof(struct run, start.parent.event),
        offsetof(struct run, start.parent.result),
        offsetof(struct run, phase),
        offsetof(struct run, stop),
        offsetof(struct run, stop_result),
        offsetof(struct run, end.result),
        offsetof(struct run, end.step),
};

/* The NUL that ends each text, whatever is before it. */
#define END_OF(member) (offsetof(struct run, member) + sizeof(((struct run *)0)->member) - 1)
static const size_t ends[] = {END_OF(name), END_OF(cgroup), END_OF(condition), END_OF(start.parent.reason),
                              END_OF(start.parent.job)};

/* Bytes between the members (gcc 12 has those behind an array of structs wrong), those of enums that are always 0, and what names memory
 * of the run's own. */
static void find_no_value(uint8_t no_value[static sizeof(struct run)]) {
        struct run *run = (struct run *)no_value;

        memset(no_value, 1, sizeof(*run));
#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
        __builtin_clear_padding(run);
        for (size_t i = 0; i < sizeof(*run); i++)
                no_value[i] = !no_value[i];
#endif
#endif
        run->start.parent_output = (void *)-1;
        run->start.parent_output_size = SIZE_MAX;
        run->start.parameters = (void *)-1;
        run->start.parameters_size = SIZE_MAX;
        memset(&run->exits.of[EXIT_CLASS_NONE], 1, sizeof(run->exits.of[EXIT_CLASS_NONE])); /* of none, nothing is kept */
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                no_value[ends[i]] = 1;
        for (size_t i = 0; i < ARRAY_SIZE(enums); i++) {
                int highest = INT_MAX & ~UINT8_MAX;
                for (size_t k = 0; k < sizeof(highest); k++)
                        no_value[enums[i] + k] |= ((const uint8_t *)&highest)[k];
        }
}

START_TEST(no_member_of_a_run_is_forgotten) {
        uint8_t *no_value = calloc(1, sizeof(struct run));

        ck_assert_ptr_nonnull(no_value);
        find_no_value(no_value);
        ck_assert_int_eq(carry(offsetof(struct run, start.run), false), 1);
        for (size_t at = 0; at < offsetof(struct run, pidfd); at++)
                ck_assert_msg(no_value[at] || carry(at, false) != 0 || carry(at, true) != 0,
                              "the byte at %zu of struct run is not written or not read", at);
        free(no_value);
}
END_TEST

START_TEST(a_table_that_is_cut_is_refused_and_closes_nothing) {
        struct run_table t, u;
        struct pack p = {};

        run_table_init(&t);
        run_table_init(&u);
        fill(&t);
        ck_assert_int_eq(run_table_write(&t, &p), 0);
        for (size_t size = 0; size < p.size; size++) {
                _cleanup_free_ uint8_t *cut = malloc(size + 1);
                memcpy(cut, p.data, size);
                int r = run_table_read(&u, cut, size);
                ck_assert_msg(r == -EBADMSG, "cut to %zu of %zu bytes: %d", size, p.size, r);
                ck_assert_uint_eq(u.n, 0);
        }
        ck_assert_int_ge(fcntl(run_table_find(&t, 10)->pidfd, F_GETFD), 0);
        p.data[0]++;
        ck_assert_int_eq(run_table_read(&u, p.data, p.size), -EPROTONOSUPPORT);
        pack_done(&p);
        run_table_done(&t);
}
END_TEST

START_TEST(a_run_that_is_being_launched_cannot_be_written) {
        struct run_table t;
        struct pack p = {};

        run_table_init(&t);
        add(&t, 1);
        ck_assert_int_eq(run_table_write(&t, &p), -EBUSY);
        pack_done(&p);
        run_table_done(&t);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("run_table");
        TCase *tcase = tcase_create("run_table");

        tcase_add_test(tcase, runs_are_found_by_number);
        tcase_add_test(tcase, deadlines_come_in_order_whatever_is_set_and_unset);
        tcase_add_test(tcase, beyond_the_bound_the_oldest_ended_runs_lose_their_tails);
        tcase_add_test(tcase, running_runs_keep_no_more_output_than_the_bound);
        tcase_add_test(tcase, the_last_line_of_a_unit_is_kept_even_beyond_the_bound);
        tcase_add_test(tcase, what_is_written_is_read_back);
        tcase_add_test(tcase, the_descriptors_are_kept_over_an_exec_only_on_demand);
        tcase_add_test(tcase, no_member_of_a_run_is_forgotten);
        tcase_add_test(tcase, a_table_that_is_cut_is_refused_and_closes_nothing);
        tcase_add_test(tcase, a_run_that_is_being_launched_cannot_be_written);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
