// SPDX-License-Identifier: MIT
// What was put and committed comes back: by a question, and when the file is opened again.

#include "tests/unit/scheduler/ledger_rig.h"

/* The linker puts it in the place of calloc(): the ledger's own threads get what they ask for. */
static _Thread_local bool is_refused;
void *__real_calloc(size_t n, size_t size);  // NOLINT: the linker's names
void *__wrap_calloc(size_t n, size_t size);  // NOLINT
void *__wrap_calloc(size_t n, size_t size) { // NOLINT
        return is_refused ? NULL : __real_calloc(n, size);
}

START_TEST(new_file_is_empty_and_private) {
        struct stat st;
        rig_open();
        ck_assert(rig.state.is_new);
        ck_assert_str_eq(rig.state.aside, "");
        ck_assert_uint_eq(rig.state.next_run, 1);
        ck_assert_uint_eq(rig.n_jobs + rig.n_runs, 0);
        ck_assert_int_eq(stat(rig.file, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        uint8_t uuid[16];
        memcpy(uuid, rig.state.uuid, 16);
        rig_reopen();
        ck_assert(!rig.state.is_new);
        ck_assert_mem_eq(rig.state.uuid, uuid, 16);
}
END_TEST

START_TEST(state_comes_back) {
        const uint8_t instance[16] = {1, 2, 3}, boot[16] = {4, 5, 6};
        rig_open();
        ledger_put_life(rig.ledger, 7, instance, boot, 4711);
        struct ledger_horizon horizon = {.boot_id = {4, 5, 6}, .bt_us = 99, .rt_us = RIG_T0};
        ledger_put_horizon(rig.ledger, &horizon);
        rig_commit();
        rig_reopen();
        ck_assert_uint_eq(rig.state.epoch, 7);
        ck_assert_uint_eq(rig.state.next_run, 4711);
        ck_assert_mem_eq(rig.state.instance, instance, 16);
        ck_assert_mem_eq(rig.state.boot_id, boot, 16);
        ck_assert_mem_eq(&rig.state.horizon, &horizon, sizeof(horizon));
        ck_assert(!rig.state.was_stopped);
        ck_assert_int_gt(rig.state.last.rt_us, 0);
        struct ledger_clock stop = {.kind = LEDGER_CLOCK_STOP, .at = {.rt_us = RIG_T0, .bt_us = 1}};
        ledger_put_clock(rig.ledger, &stop);
        rig_reopen(); /* closing commits */
        ck_assert(rig.state.was_stopped);
        rig_put_run("a", 5000, RUN_RESULT_SUCCESS, NULL);
        rig_reopen();
        ck_assert_uint_eq(rig.state.next_run, 5001);
}
END_TEST

START_TEST(job_comes_back) {
        struct ledger_job job = {
                .name = "backup",
                .when = "Every=1h\n",
                .plan = "im\0age",
                .plan_size = 6,
                .counts = {1, 2, 3, 4, 5, 6, 7, 8, 9},
                .hold = {.by = (char *)"ada", .reason = NULL, .at_rt_us = RIG_T0, .until_rt_us = INT64_MAX},
        };
        rig_open();
        ledger_put_job(rig.ledger, &job);
        rig_commit();
        job.counts.runs = 10;
        ledger_put_job(rig.ledger, &job);
        job.counts.runs = 11;
        ledger_put_job(rig.ledger, &job); /* the newest of a commit */
        rig_put_run("never-put", 1, RUN_RESULT_SUCCESS, NULL);
        rig_reopen();
        ck_assert_uint_eq(rig.n_jobs, 1);
        ck_assert_str_eq(rig.names[0], "backup");
        ck_assert_str_eq(rig.whens[0], "Every=1h\n");
        ck_assert_str_eq(rig.bys[0], "ada");
        ck_assert_ptr_null(rig.jobs[0].hold.reason);
        ck_assert_int_eq(rig.jobs[0].hold.until_rt_us, INT64_MAX);
        ck_assert_uint_eq(rig.jobs[0].plan_size, 6);
        ck_assert_mem_eq(rig.plans[0], "im\0age", 6);
        ck_assert_mem_eq(&rig.jobs[0].counts, &job.counts, sizeof(job.counts));
        ck_assert_uint_eq(rig.n_runs, 1);
}
END_TEST

START_TEST(holds_of_groups_come_back_until_they_end) {
        rig_open();
        struct ledger_group a = {
                .name = "a",
                .hold = {.by = (char *)"ada", .reason = (char *)"moving", .at_rt_us = RIG_T0, .until_rt_us = RIG_T0 + 5}};
        struct ledger_group b = {.name = "b", .hold = {.by = (char *)"bob", .at_rt_us = RIG_T0, .until_rt_us = INT64_MAX}};
        ledger_put_group(rig.ledger, &a);
        ledger_put_group(rig.ledger, &b);
        a.hold.by = (char *)"ann";
        ledger_put_group(rig.ledger, &a);
        ledger_put_group(rig.ledger, &(struct ledger_group){.name = "b"});
        rig_close();
        rig_open();
        ck_assert_str_eq(rig.groups, "a by ann: moving\n");
        ck_assert_int_eq(rig.group_until_rt_us, RIG_T0 + 5);
        ledger_put_group(rig.ledger, &(struct ledger_group){.name = "a"});
        ledger_put_group(rig.ledger, &b);
        rig_close();
        rig_open();
        ck_assert_str_eq(rig.groups, "b by bob: -\n");
        ck_assert_int_eq(rig.group_until_rt_us, INT64_MAX);
        rig_close();
}
END_TEST

START_TEST(jobs_are_listed_with_their_state) {
        struct ledger_job job = {.name = "b", .when = "Every=1h\n", .plan = "image", .plan_size = 5, .counts = {.runs = 3}};
        rig_open();
        rig_put_run("a", 1, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        ledger_put_job(rig.ledger, &job);
        rig_commit();
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_JOBS}), 2);
        ck_assert_str_eq(rig.answer_texts[0][0], "a");
        ck_assert_str_eq(rig.answer_texts[0][1], "");
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_JOBS, .limit = 1}), 1);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_JOBS, .before = rig.answer.cursor}), 1);
        ck_assert_str_eq(rig.answer_texts[0][0], "b");
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_JOBS, .job = "b"}), 1);
        ck_assert_str_eq(rig.answer_texts[0][1], "Every=1h\n");
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RANGES, .job = "b"}), 0);
        ck_assert(rig.answer.is_known);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_JOBS, .job = "c"}), 0);
        ck_assert(!rig.answer.is_known);
}
END_TEST

static void check_run(const struct ledger_run *got, const struct ledger_run *wanted) {
        ck_assert_int_eq(got->end.result, wanted->end.result);
        ck_assert_int_eq(got->end.exit_code, wanted->end.exit_code);
        ck_assert_int_eq(got->end.signal, wanted->end.signal);
        ck_assert_int_eq(got->end.step, wanted->end.step);
        ck_assert_int_eq(got->end.error, wanted->end.error);
        ck_assert_int_eq(got->end.start_rt_us, wanted->end.start_rt_us);
        ck_assert_int_eq(got->end.start_bt_us, wanted->end.start_bt_us);
        ck_assert_int_eq(got->end.end_rt_us, wanted->end.end_rt_us);
        ck_assert_int_eq(got->end.end_bt_us, wanted->end.end_bt_us);
        ck_assert_int_eq(got->end.cpu_us, wanted->end.cpu_us);
        ck_assert_int_eq(got->end.memory_peak, wanted->end.memory_peak);
        ck_assert_uint_eq(got->run.run, wanted->run.run);
        ck_assert_int_eq(got->run.item, wanted->run.item);
        ck_assert_int_eq(got->run.cause, wanted->run.cause);
        ck_assert_uint_eq(got->run.segment, wanted->run.segment);
        ck_assert_int_eq(got->run.key, wanted->run.key);
        ck_assert_int_eq(got->run.slot_rt_us, wanted->run.slot_rt_us);
        ck_assert_int_eq(got->run.lag_us, wanted->run.lag_us);
        ck_assert_int_eq(got->run.begun_bt_us, wanted->run.begun_bt_us);
        ck_assert_int_eq(got->run.start_rt_us, wanted->run.start_rt_us);
        ck_assert_int_eq(got->run.start_bt_us, wanted->run.start_bt_us);
        ck_assert_int_eq(got->run.pid, wanted->run.pid);
        ck_assert_uint_eq(got->run.missed, wanted->run.missed);
}

START_TEST(run_of_each_result_comes_back) {
        rig_open();
        for (int k = 0; k < RUN_RESULT_MAX; k++) {
                struct ledger_run run = rig_run("a", 100 + (uint64_t)k, (enum run_result)k);
                if (k == RUN_RESULT_START_FAILED)
                        run.end.step = RUN_STEP_EXEC, run.end.error = 2;
                if (k == RUN_RESULT_SIGNAL)
                        run.end.signal = 11;
                ledger_put_run(rig.ledger, &run);
                rig_commit();
                ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "a", .limit = 1}), 1);
                check_run(&rig.answer_runs[0], &run);
                ck_assert_str_eq(rig.answer_texts[0][0], "a");
        }
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "a", .is_failed_only = true}), 5);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .run = 102}), 1);
        ck_assert_uint_eq(rig.answer_runs[0].run.run, 102);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "b"}), 0);
}
END_TEST

START_TEST(values_of_latest_good_and_failed_stay) {
        rig_open();
        rig_put_run("a", 1, RUN_RESULT_SUCCESS, "old");
        rig_put_run("a", 2, RUN_RESULT_SUCCESS, "good");
        rig_commit();
        rig_put_run("a", 3, RUN_RESULT_FAILED, "bad");
        rig_put_run("a", 4, RUN_RESULT_CANCELLED, "four");
        rig_commit();
        rig_put_run("a", 5, RUN_RESULT_CANCELLED, "latest");
        rig_put_run("a", 6, RUN_RESULT_NONE, NULL);
        rig_put_run("b", 7, RUN_RESULT_NONE, NULL);
        rig_put_run("b", 8, RUN_RESULT_SUCCESS, "");
        rig_commit();
        ck_assert_int_eq(rig_sql("SELECT count(*) FROM value"), 3);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .run = 2, .with_values = true}), 1);
        ck_assert_str_eq(rig.answer_value, "good");
        rig_reopen();
        static const struct {
                uint64_t run;
                const char *value;
        } rows[] = {{2, "good"}, {3, "bad"}, {6, ""}, {7, ""}, {8, ""}};
        ck_assert_uint_eq(rig.n_runs, 5); /* 6 is the latest, 7 is not known to have ended */
        for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
                size_t n = 0;
                for (size_t i = 0; i < rig.n_runs; i++)
                        if (rig.runs[i].run.run == rows[k].run) {
                                ck_assert_str_eq(rig.values[i], rows[k].value);
                                n++;
                        }
                ck_assert_msg(n == 1, "run %lu is told %zu times", (unsigned long)rows[k].run, n);
        }
        for (size_t i = 0; i < rig.n_runs; i++)
                if (rig.runs[i].run.run == 8)
                        ck_assert_ptr_nonnull(rig.runs[i].value);
                else if (rig.runs[i].run.run >= 6)
                        ck_assert_ptr_null(rig.runs[i].value);
}
END_TEST

START_TEST(ranges_that_go_on_are_one_row) {
        rig_open();
        for (int64_t k = 0; k < 50; k++) {
                rig_put_range("a", SLOT_RAN, k, 1);
                rig_put_range("b", SLOT_MISSED, 2 * k, 1); /* a hole behind each */
                if (k % 10 == 9)
                        rig_commit();
        }
        rig_reopen();
        rig_put_range("a", SLOT_RAN, 50, 1); /* also over a restart */
        rig_put_range("a", SLOT_MISSED, 51, 3);
        rig_put_range("a", SLOT_RAN, 54, 1);
        rig_commit();
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RANGES, .job = "a", .with_ran = true}), 3);
        const struct ledger_range *ran = &rig.answer_ranges[2];
        ck_assert_int_eq(ran->outcome, SLOT_RAN);
        ck_assert_int_eq(ran->first, 0);
        ck_assert_int_eq(ran->last, 50);
        ck_assert_uint_eq(ran->n, 51);
        ck_assert_int_eq(ran->lag_us, 50);
        ck_assert_int_eq(ran->last_rt_us, RIG_T0 + 50 * USEC_PER_SEC);
        struct ledger_range missed = rig_range("a", SLOT_MISSED, 51, 3);
        const struct ledger_range *told = &rig.answer_ranges[1];
        ck_assert(told->item == missed.item && told->segment == missed.segment && told->outcome == missed.outcome &&
                  told->reason == missed.reason && told->result == missed.result);
        ck_assert(told->first == missed.first && told->last == missed.last && told->n == missed.n && told->run == missed.run);
        ck_assert(told->first_rt_us == missed.first_rt_us && told->last_rt_us == missed.last_rt_us &&
                  told->lag_us == missed.lag_us && told->told_rt_us == missed.told_rt_us);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RANGES, .job = "a"}), 1);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RANGES}), 51);
        ck_assert_int_eq(rig_sql("SELECT count(*) FROM missed"), 51);
}
END_TEST

START_TEST(a_range_may_speak_for_its_runs) {
        rig_open();
        rig_put_run("a", 1, RUN_RESULT_FAILED, "old");
        rig_put_range("a", SLOT_RAN, 0, 1);
        for (int64_t k = 0; k < 3; k++) { /* of each batch the latest run */
                struct ledger_range range = rig_range("a", SLOT_RAN, 1 + 10 * k, 10);
                struct ledger_run run = rig_run("a", (uint64_t)(11 + 10 * k), RUN_RESULT_SUCCESS);
                range.result = RUN_RESULT_SUCCESS;
                run.is_routine = true;
                run.value = "routine";
                run.value_size = k == 1 ? 0 : 7;
                ledger_put_range(rig.ledger, &range);
                ledger_put_run(rig.ledger, &run);
                rig_commit();
        }
        rig_put_range("a", SLOT_RAN, 31, 1); /* has a run of its own */
        rig_commit();
        rig_reopen();
        ck_assert_uint_eq(rig.n_runs, 2);
        ck_assert_uint_eq(rig.runs[1].run.run, 31);
        ck_assert_str_eq(rig.values[1], "routine");
        ck_assert_int_eq(rig.runs[1].end.result, RUN_RESULT_SUCCESS);
        ck_assert_uint_eq(rig.runs[0].run.run, 1);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "a"}), 1);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RANGES, .job = "a", .with_ran = true}), 3);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RANGES, .job = "a"}), 0);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RANGES, .job = "a", .with_routine = true}), 1);
        ck_assert_uint_eq(rig.answer_ranges[0].n, 30);
        ck_assert_int_eq(rig.answer_ranges[0].result, RUN_RESULT_SUCCESS);
        ck_assert_int_eq(rig_sql("SELECT n FROM routine WHERE result = 'success'"), 30);
}
END_TEST

START_TEST(what_is_joined_is_one_thing) {
        struct ledger_range a = rig_range("a", SLOT_MISSED, 10, 5), b = rig_range("a", SLOT_MISSED, 15, 5);
        ck_assert(ledger_range_is_joined(&a, &b));
        static const struct {
                const char *what;
                size_t offset;
                int64_t by;
        } rows[] = {{"a later key", offsetof(struct ledger_range, first), 1},
                    {"another day", offsetof(struct ledger_range, last_rt_us), USEC_PER_DAY},
                    {"another run", offsetof(struct ledger_range, run), 1}};
        for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
                struct ledger_range other = b;
                int64_t v;
                memcpy(&v, (char *)&other + rows[k].offset, sizeof(v));
                v += rows[k].by;
                memcpy((char *)&other + rows[k].offset, &v, sizeof(v));
                ck_assert_msg(!ledger_range_is_joined(&a, &other), "%s", rows[k].what);
        }
        struct ledger_range other = b;
        other.segment++;
        ck_assert(!ledger_range_is_joined(&a, &other));
        other = b;
        other.reason = SLOT_REASON_DOWN;
        ck_assert(!ledger_range_is_joined(&a, &other));
        other = b;
        other.outcome = SLOT_WITHHELD;
        ck_assert(!ledger_range_is_joined(&a, &other));
        other = b;
        other.item = WIRE_ITEM_BOOT;
        ck_assert(!ledger_range_is_joined(&a, &other));
}
END_TEST

START_TEST(segments_and_clocks_come_back) {
        rig_open();
        struct ledger_segment segments[3];
        for (int k = 0; k < 3; k++) {
                segments[k] = (struct ledger_segment){.job = k == 1 ? "b" : "a",
                                                      .segment = (uint32_t)k,
                                                      .when = k == 0 ? "Every=1s\n" : "Every=2s\n",
                                                      .anchor_us = 10 + k,
                                                      .first_key = -k,
                                                      .offset_us = RIG_T0,
                                                      .begun_rt_us = RIG_T0 + k,
                                                      .boot_id = {(uint8_t)k},
                                                      .calendar = {7, (uint8_t)k}};
                ledger_put_segment(rig.ledger, &segments[k]);
        }
        for (int k = 0; k < LEDGER_CLOCK_MAX; k++) {
                struct ledger_clock clock = {.kind = (enum ledger_clock_kind)k,
                                             .at = {.rt_us = RIG_T0 + k, .bt_us = k},
                                             .by_us = -k,
                                             .boot_id = {9}};
                ledger_put_clock(rig.ledger, &clock);
        }
        rig_commit();
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_SEGMENTS, .job = "a"}), 2);
        ck_assert_str_eq(rig.answer_texts[0][1], "Every=1s\n");
        ck_assert_str_eq(rig.answer_texts[1][1], "Every=2s\n");
        const struct ledger_segment *got = &rig.answer_segments[1];
        ck_assert_uint_eq(got->segment, 2);
        ck_assert_int_eq(got->anchor_us, 12);
        ck_assert_int_eq(got->first_key, -2);
        ck_assert_int_eq(got->offset_us, RIG_T0);
        ck_assert_int_eq(got->begun_rt_us, RIG_T0 + 2);
        ck_assert_mem_eq(got->boot_id, segments[2].boot_id, 16);
        ck_assert_mem_eq(got->calendar, segments[2].calendar, 16);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_CLOCKS, .since_rt_us = RIG_T0 + 1}),
                          LEDGER_CLOCK_MAX - 1);
        ck_assert_int_eq(rig.answer_clocks[0].kind, 1);
        ck_assert_int_eq(rig.answer_clocks[0].by_us, -1);
        ck_assert_int_eq(rig.answer_clocks[0].boot_id[0], 9);
}
END_TEST

START_TEST(answers_come_in_pages) {
        rig_open();
        for (uint64_t k = 1; k <= 95; k++)
                rig_put_run("a", k, k % 2 ? RUN_RESULT_SUCCESS : RUN_RESULT_FAILED, NULL);
        for (uint64_t k = 101; k <= 110; k++)
                rig_put_run("b", k, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        uint64_t next = 95, pages = 0;
        struct ledger_query query = {.question = LEDGER_RUNS, .job = "a", .limit = 10};
        do {
                size_t n = rig_ask(query);
                for (size_t k = 0; k < n; k++)
                        ck_assert_uint_eq(rig.answer_runs[k].run.run, next--);
                query.before = rig.answer.cursor;
                pages++;
        } while (query.before != 0);
        ck_assert_uint_eq(next, 0);
        ck_assert_uint_eq(pages, 10);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS}), 105);
        /* run k begins in second k */
        query = (struct ledger_query){.question = LEDGER_RUNS, .job = "a", .since_rt_us = RIG_T0 + 90 * USEC_PER_SEC};
        ck_assert_uint_eq(rig_ask(query), 6);
        query.until_rt_us = RIG_T0 + 93 * USEC_PER_SEC;
        ck_assert_uint_eq(rig_ask(query), 3);
}
END_TEST

START_TEST(folder_may_lie_behind_a_link) {
        char link[sizeof(rig.folder) + 8], folder[sizeof(rig.folder)];
        strcpy(folder, rig.folder);
        snprintf(link, sizeof(link), "%s/l", folder);
        ck_assert_int_eq(symlink(".", link), 0);
        snprintf(rig.folder, sizeof(rig.folder), "%.40s/l", folder);
        rig_open();
        rig_put_run("a", 1, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS}), 1);
        strcpy(rig.folder, folder);
}
END_TEST

START_TEST(forgotten_question_is_not_answered) {
        struct ledger_query query = {.question = LEDGER_CLOCKS, .since_rt_us = INT64_MIN, .until_rt_us = INT64_MAX, .limit = 1};
        uint64_t tickets[LEDGER_TICKETS_MAX + 1];
        rig_open();
        for (size_t k = 0; k < LEDGER_TICKETS_MAX; k++)
                ck_assert_int_eq(ledger_ask(rig.ledger, &query, rig_on_answer, &query.question, &tickets[k]), 0);
        ck_assert_int_eq(ledger_ask(rig.ledger, &query, rig_on_answer, &query.question, &tickets[64]), -EBUSY);
        for (size_t k = 0; k < LEDGER_TICKETS_MAX; k++)
                ledger_forget(rig.ledger, tickets[k]);
        ledger_forget(rig.ledger, 12345);
        rig_ask(query);
        ck_assert_uint_eq(rig.ledger->n_tickets, 0);
}
END_TEST

START_TEST(view_runs_says_it_in_words) {
        rig_open();
        rig_put_run("backup", 1, RUN_RESULT_FAILED, NULL);
        rig_commit();
        ck_assert_int_eq(rig_sql("SELECT count(*) FROM runs WHERE job = 'backup' AND result = 'failed' AND exit_code = 9 AND "
                                 "cause = 'schedule'"
                                 " AND slot = '2026-03-20T12:00:01.000Z' AND abs(seconds - 0.499997) < 1e-6"),
                         1);
}
END_TEST

START_TEST(numbers_are_acknowledged_in_order_and_all) {
        rig_open();
        uint64_t number = 0, told = 0;
        for (uint64_t k = 1; k <= 2000; k++) {
                rig_put_run("a", k, RUN_RESULT_SUCCESS, "v");
                number = ledger_commit(rig.ledger);
                ck_assert_uint_eq(number, k);
                ck_assert_uint_ge(ledger_committed(rig.ledger), told);
                told = ledger_committed(rig.ledger);
                ck_assert_int_ge(loop_run_once(rig.loop, 0), 0);
        }
        ck_assert_uint_eq(ledger_commit(rig.ledger), number); /* nothing was put */
        rig_until(ledger_committed(rig.ledger) == number);
        ck_assert_uint_eq(rig.ledger->queued, 0);
}
END_TEST

START_TEST(batch_without_memory_to_hand_it_over_is_lost) {
        rig_open();
        rig_put_run("a", 1, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        rig_put_run("a", 2, RUN_RESULT_SUCCESS, NULL);
        is_refused = true;
        ck_assert_uint_eq(ledger_commit(rig.ledger), 2); /* what waits for it waits in vain */
        is_refused = false;
        ck_assert(ledger_has_lost(rig.ledger));
        ck_assert_uint_eq(ledger_commit(rig.ledger), 2);
        ck_assert(ledger_has_lost(rig.ledger));
        rig_reopen();
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "a"}), 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ledger");
        TCase *tcase = tcase_create("rows");
        suite_add_tcase(suite, tcase);
        tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
        tcase_add_test(tcase, new_file_is_empty_and_private);
        tcase_add_test(tcase, state_comes_back);
        tcase_add_test(tcase, job_comes_back);
        tcase_add_test(tcase, jobs_are_listed_with_their_state);
        tcase_add_test(tcase, holds_of_groups_come_back_until_they_end);
        tcase_add_test(tcase, run_of_each_result_comes_back);
        tcase_add_test(tcase, values_of_latest_good_and_failed_stay);
        tcase_add_test(tcase, ranges_that_go_on_are_one_row);
        tcase_add_test(tcase, a_range_may_speak_for_its_runs);
        tcase_add_test(tcase, what_is_joined_is_one_thing);
        tcase_add_test(tcase, segments_and_clocks_come_back);
        tcase_add_test(tcase, answers_come_in_pages);
        tcase_add_test(tcase, folder_may_lie_behind_a_link);
        tcase_add_test(tcase, forgotten_question_is_not_answered);
        tcase_add_test(tcase, view_runs_says_it_in_words);
        tcase_add_test(tcase, numbers_are_acknowledged_in_order_and_all);
        tcase_add_test(tcase, batch_without_memory_to_hand_it_over_is_lost);
        return run_suite(suite);
}
