// SPDX-License-Identifier: MIT
// Records of ticks and orders: each row is one record. What is written reads back; what is cut, longer or out of range is refused.

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/channel.h"
#include "daemon/core/tick.h"
#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"

union value {
        struct tick_hello hello;
        struct tick_loaded loaded;
        struct tick_run run;
        struct tick_begun begun;
        struct tick_answer answer;
        struct tick_cancel cancel;
        struct order_load load;
        uint32_t handle;
};

/* The put and get of a kind of record with one signature. */
#define KIND(name, prefix)                                                                                                     \
        static void put_##name(struct pack *p, const union value *v) {                                                         \
                prefix##_put_##name(p, &v->name);                                                                              \
        }                                                                                                                      \
        static int get_##name(const void *data, size_t size, union value *ret) {                                               \
                return prefix##_get_##name(data, size, &ret->name);                                                            \
        }
KIND(hello, tick)
KIND(loaded, tick)
KIND(run, tick)
KIND(begun, tick)
KIND(answer, tick)
KIND(cancel, tick)
KIND(load, order)

static void put_handle(struct pack *p, const union value *v) {
        tick_put_handle(p, v->handle);
}

static int get_handle(const void *data, size_t size, union value *ret) {
        return tick_get_handle(data, size, &ret->handle);
}

struct shape {
        void (*put)(struct pack *p, const union value *v);
        int (*get)(const void *data, size_t size, union value *ret);
        bool has_rest; /* any further bytes belong to it */
        size_t fixed;  /* bytes before the rest */
};

static const struct shape HELLO = {put_hello, get_hello, false, 0}, LOADED = {put_loaded, get_loaded, false, 0},
                          RUN = {put_run, get_run, true, 72}, BEGUN = {put_begun, get_begun, false, 0},
                          ANSWER = {put_answer, get_answer, true, 40}, CANCEL = {put_cancel, get_cancel, false, 0},
                          HANDLE = {put_handle, get_handle, false, 0}, LOAD = {put_load, get_load, false, 0};

static const char many[70 * 1024];
static char parameters_max[TICK_PARAMETERS_MAX]; /* one, as long as they may be together */

#define START_GOOD                                                                                                             \
        .run = 812, .item = WIRE_ITEM_CHAIN, .segment = 3, .anchor_us = -4, .key = INT64_MIN, .slot_us = INT64_MAX,            \
        .slot_rt_us = 1763694000000000, .cause = RUN_CAUSE_BOOT, .attempt = 1, .missed = UINT64_MAX,                           \
        .last_result = RUN_RESULT_INTERRUPTED
#define RUN_WITH(...)                                                                                                          \
        {                                                                                                                      \
                .run = {.handle = UINT32_MAX, .start = {START_GOOD}, __VA_ARGS__ }                                             \
        }
#define RUN_OF(...)                                                                                                            \
        {                                                                                                                      \
                .run = {.handle = 1, .start = {__VA_ARGS__} }                                                                  \
        }
#define ANSWER_OF(...)                                                                                                         \
        {                                                                                                                      \
                .answer = {.run = 7, __VA_ARGS__ }                                                                             \
        }
#define TEXT(text) .parameters = text, .parameters_size = sizeof(text)

static const struct {
        const struct shape *shape;
        const char *what;
        int result; /* of the get */
        union value v;
} rows[] = {
        {&HELLO, "of the host", 0, {.hello = {TICK_VERSION, UINT64_MAX, 99}}},
        {&LOADED, "one", 0, {.loaded = {UINT32_MAX, {{1, UINT64_MAX}}}}},
        {&RUN, "without parameters", 0, RUN_WITH()},
        {&RUN, "with a parameter", 0, RUN_WITH(TEXT("A=1"))},
        {&RUN, "with parameters", 0, RUN_WITH(TEXT("A=1\0B=\0C=D=E"))},
        {&RUN, "with as many as may be", 0, RUN_WITH(.parameters = parameters_max, .parameters_size = TICK_PARAMETERS_MAX)},
        {&RUN, "with more", -EBADMSG, RUN_WITH(.parameters = many, .parameters_size = TICK_PARAMETERS_MAX + 1)},
        {&RUN, "with a parameter that does not end", -EBADMSG, RUN_WITH(.parameters = "A=1", .parameters_size = 3)},
        {&RUN, "with one without a name", -EBADMSG, RUN_WITH(TEXT("A=1\0=2"))},
        {&RUN, "with one without a value", -EBADMSG, RUN_WITH(TEXT("A\0B=1"))},
        {&RUN, "with an empty one", -EBADMSG, RUN_WITH(TEXT("A=1\0\0B=1"))},
        {&RUN, "of no number", -EBADMSG, RUN_OF(.attempt = 1)},
        {&RUN, "of no attempt", -EBADMSG, RUN_OF(.run = 1)},
        {&RUN, "of no item", -EBADMSG, RUN_OF(.run = 1, .attempt = 1, .item = WIRE_ITEM_MAX)},
        {&RUN, "of no cause", -EBADMSG, RUN_OF(.run = 1, .attempt = 1, .cause = RUN_CAUSE_MAX)},
        {&RUN, "after no result", -EBADMSG, RUN_OF(.run = 1, .attempt = 1, .last_result = RUN_RESULT_MAX)},
        {&BEGUN, "one", 0, {.begun = {1, 1}}},
        {&BEGUN, "of no number", -EBADMSG, {.begun = {0, 1}}},
        {&BEGUN, "before the boot", -EBADMSG, {.begun = {1, -1}}},
        {&ANSWER, "good", 0,
         ANSWER_OF(.result = RUN_RESULT_SUCCESS, .begin_bt_us = 5, .duration_us = INT64_MAX, .value = "a\0b", .value_size = 3)},
        {&ANSWER, "that never began", 0, ANSWER_OF(.result = RUN_RESULT_START_FAILED, .step = RUN_STEP_EXEC, .error = ENOENT)},
        {&ANSWER, "of an exit", 0, ANSWER_OF(.result = RUN_RESULT_FAILED, .exit_code = 255)},
        {&ANSWER, "of a signal", 0, ANSWER_OF(.result = RUN_RESULT_SIGNAL, .signal = SIGSEGV)},
        {&ANSWER, "with the largest value", 0,
         ANSWER_OF(.result = RUN_RESULT_SUCCESS, .value = many, .value_size = TICK_VALUE_MAX)},
        {&ANSWER, "with a larger one", -EBADMSG,
         ANSWER_OF(.result = RUN_RESULT_SUCCESS, .value = many, .value_size = TICK_VALUE_MAX + 1)},
        {&ANSWER, "of no number", -EBADMSG, {.answer = {.result = RUN_RESULT_SUCCESS}}},
        {&ANSWER, "that is none", -EBADMSG, {.answer = {.run = 7}}},
        {&ANSWER, "with an unknown result", -EBADMSG, ANSWER_OF(.result = RUN_RESULT_MAX)},
        {&ANSWER, "with an unknown step", -EBADMSG, ANSWER_OF(.result = RUN_RESULT_SUCCESS, .step = RUN_STEP_MAX)},
        {&ANSWER, "with no exit code", -EBADMSG, ANSWER_OF(.result = RUN_RESULT_SUCCESS, .exit_code = 256)},
        {&ANSWER, "with no signal", -EBADMSG, ANSWER_OF(.result = RUN_RESULT_SUCCESS, .signal = 255)},
        {&ANSWER, "with no error", -EBADMSG, ANSWER_OF(.result = RUN_RESULT_SUCCESS, .error = UINT32_MAX)},
        {&ANSWER, "before the boot", -EBADMSG, ANSWER_OF(.result = RUN_RESULT_SUCCESS, .begin_bt_us = -1)},
        {&ANSWER, "that took too long", -EBADMSG, ANSWER_OF(.result = RUN_RESULT_SUCCESS, .duration_us = UINT64_MAX)},
        {&CANCEL, "timeout", 0, {.cancel = {1, RUN_RESULT_TIMEOUT}}},
        {&CANCEL, "cancelled", 0, {.cancel = {1, RUN_RESULT_CANCELLED}}},
        {&CANCEL, "with another result", -EBADMSG, {.cancel = {1, RUN_RESULT_SUCCESS}}},
        {&CANCEL, "of no number", -EBADMSG, {.cancel = {0, RUN_RESULT_TIMEOUT}}},
        {&HANDLE, "one", 0, {.handle = UINT32_MAX}},
        {&LOAD, "small", 0, {.load = {.handle = 1, .name = "a"}}},
        {&LOAD, "large", 0, {.load = {2, {{3, 4}}, UINT32_MAX, "job-1", many, JOB_WHAT_MAX}}},
        {&LOAD, "too large", -EBADMSG, {.load = {2, {{3, 4}}, 0, "job-1", many, JOB_WHAT_MAX + 1}}},
        {&LOAD, "of no name", -EBADMSG, {.load = {2, {{3, 4}}, 0, "", many, 1}}},
};

static void setup(void) {
        memset(parameters_max, 'x', sizeof(parameters_max) - 1);
        parameters_max[1] = '=';
}

/* The bytes of a row, to be freed. */
static uint8_t *put_row(size_t i, size_t *ret_size) {
        struct pack p = {};

        setup();
        rows[i].shape->put(&p, &rows[i].v);
        ck_assert_int_eq(pack_result(&p), 0);
        *ret_size = p.size;
        return p.data;
}

static void done(const struct shape *shape, union value *v) {
        if (shape == &LOAD)
                order_load_done(&v->load);
}

START_TEST(what_is_written_reads_back) {
        size_t size, size_again;
        _cleanup_free_ uint8_t *data = put_row((size_t)_i, &size);
        const struct shape *shape = rows[_i].shape;
        struct pack again = {};
        union value v;

        memset(&v, 0xa5, sizeof(v));
        ck_assert_msg(size <= CHANNEL_RECORD_MAX || rows[_i].result < 0, "%s: %zu bytes", rows[_i].what, size);
        int r = shape->get(data, size, &v);
        ck_assert_msg(r == rows[_i].result, "%s: %d", rows[_i].what, r);
        if (r < 0) { /* it is untouched */
                for (size_t i = 0; i < sizeof(v); i++)
                        ck_assert_msg(((uint8_t *)&v)[i] == 0xa5, "%s: byte %zu was written", rows[_i].what, i);
                return;
        }
        shape->put(&again, &v);
        size_again = again.size;
        ck_assert_msg(size_again == size && memcmp(again.data, data, size) == 0, "%s reads back otherwise", rows[_i].what);
        pack_done(&again);
        done(shape, &v);
}
END_TEST

START_TEST(what_is_cut_or_longer_is_refused) {
        size_t size;
        _cleanup_free_ uint8_t *data = put_row((size_t)_i, &size);
        const struct shape *shape = rows[_i].shape;
        union value v;

        if (rows[_i].result < 0)
                return;
        for (size_t cut = 0; cut < (shape->has_rest ? shape->fixed : size); cut++) {
                _cleanup_free_ uint8_t *exact = malloc(cut + 1); /* so that reading beyond is seen */
                ck_assert_ptr_nonnull(exact);
                memcpy(exact, data, cut);
                ck_assert_msg(shape->get(exact, cut, &v) == -EBADMSG, "%s cut to %zu bytes", rows[_i].what, cut);
        }
        if (shape->has_rest)
                return;
        _cleanup_free_ uint8_t *longer = calloc(1, size + 1);
        ck_assert_ptr_nonnull(longer);
        memcpy(longer, data, size);
        ck_assert_msg(shape->get(longer, size + 1, &v) == -EBADMSG, "%s with a byte more", rows[_i].what);
}
END_TEST

START_TEST(reserved_bytes_are_zero) {
        static const struct {
                const struct shape *shape;
                size_t first, last;
        } places[] = {{&RUN, 69, 71}, {&ANSWER, 33, 39}};
        union value v;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (size_t k = 0; k < ARRAY_SIZE(places); k++)
                        for (size_t at = places[k].first; rows[i].shape == places[k].shape && at <= places[k].last; at++) {
                                size_t size;
                                _cleanup_free_ uint8_t *data = put_row(i, &size);
                                ck_assert_uint_eq(data[at], 0);
                                data[at] = 1;
                                ck_assert_msg(rows[i].shape->get(data, size, &v) == -EBADMSG, "%s: byte %zu", rows[i].what, at);
                        }
}
END_TEST

START_TEST(each_type_and_phase_has_its_word) {
        ck_assert_str_eq(tick_type_to_string(0), "?");
        for (uint8_t type = 1; type < TICK_TYPE_MAX; type++)
                ck_assert_str_ne(tick_type_to_string(type), "?");
        ck_assert_str_eq(tick_type_to_string(TICK_TYPE_MAX), "?");
        for (uint32_t phase = 0; phase < TICK_PHASE_MAX; phase++)
                ck_assert_str_ne(tick_phase_to_string(phase), "?");
        ck_assert_str_eq(tick_phase_to_string(UINT32_MAX), "?");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("tick");
        TCase *tc = tcase_create("records");
        tcase_add_loop_test(tc, what_is_written_reads_back, 0, ARRAY_SIZE(rows));
        tcase_add_loop_test(tc, what_is_cut_or_longer_is_refused, 0, ARRAY_SIZE(rows));
        tcase_add_test(tc, reserved_bytes_are_zero);
        tcase_add_test(tc, each_type_and_phase_has_its_word);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
