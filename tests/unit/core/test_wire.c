// SPDX-License-Identifier: MIT
// Link records: each row is one valid record. What is written reads back; what is cut, longer or out of range is refused.

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "tests/unit/run_suite.h"

union value {
        struct wire_hello hello;
        struct wire_define define;
        struct wire_group group;
        struct wire_start start;
        struct wire_run run;
        struct wire_started started;
        struct wire_ended ended;
        struct wire_bytes bytes;
        struct wire_kill_run kill;
        struct wire_commit commit;
        struct wire_watch_run watch;
        struct wire_host_load host_load;
        struct wire_host_unloaded host_unloaded;
        struct wire_describe describe;
        struct wire_described described;
        uint64_t number;
        char *text;
};

/* The put and get of a kind of record with one signature. */
#define KIND(name, member)                                                                                                     \
        static void put_##name(struct pack *p, const union value *v) {                                                         \
                wire_put_##name(p, &v->member);                                                                                \
        }                                                                                                                      \
        static int get_##name(const void *data, size_t size, union value *ret) {                                               \
                return wire_get_##name(data, size, &ret->member);                                                              \
        }
KIND(hello, hello)
KIND(define, define)
KIND(group, group)
KIND(start, start)
KIND(run, run)
KIND(started, started)
KIND(ended, ended)
KIND(bytes, bytes)
KIND(kill, kill)
KIND(commit, commit)
KIND(watch, watch)
KIND(host_load, host_load)
KIND(host_unloaded, host_unloaded)
KIND(describe, describe)
KIND(described, described)

static void put_number(struct pack *p, const union value *v) {
        wire_put_number(p, v->number);
}

static int get_number(const void *data, size_t size, union value *ret) {
        return wire_get_number(data, size, &ret->number);
}

static void put_text(struct pack *p, const union value *v) {
        wire_put_text(p, v->text);
}

static int get_text(const void *data, size_t size, union value *ret) {
        return wire_get_text(data, size, &ret->text);
}

static void done_nothing(union value *v) {
        (void)v;
}

static void done_define(union value *v) {
        wire_define_done(&v->define);
        wire_define_done(&v->define);
}

static void done_group(union value *v) {
        wire_group_done(&v->group);
        wire_group_done(&v->group);
}

static void done_run(union value *v) {
        wire_run_done(&v->run);
        wire_run_done(&v->run);
}

static void done_describe(union value *v) {
        wire_describe_done(&v->describe);
        wire_describe_done(&v->describe);
}

static void done_described(union value *v) {
        wire_described_done(&v->described);
        wire_described_done(&v->described);
}

static void done_text(union value *v) {
        free(v->text);
}

struct shape {
        const char *name;
        void (*put)(struct pack *p, const union value *v);
        int (*get)(const void *data, size_t size, union value *ret);
        void (*done)(union value *v);
};

static const struct shape HELLO = {"HELLO", put_hello, get_hello, done_nothing};
static const struct shape DEFINE = {"DEFINE", put_define, get_define, done_define};
static const struct shape GROUP = {"GROUP", put_group, get_group, done_group};
static const struct shape START = {"START", put_start, get_start, done_nothing};
static const struct shape RUN = {"RUN", put_run, get_run, done_run};
static const struct shape STARTED = {"STARTED", put_started, get_started, done_nothing};
static const struct shape ENDED = {"ENDED", put_ended, get_ended, done_nothing};
static const struct shape BYTES = {"VALUE", put_bytes, get_bytes, done_nothing};
static const struct shape KILL = {"KILL", put_kill, get_kill, done_nothing};
static const struct shape COMMIT = {"COMMIT", put_commit, get_commit, done_nothing};
static const struct shape WATCH = {"WATCH", put_watch, get_watch, done_nothing};
static const struct shape HOST_LOAD = {"HOST_LOAD", put_host_load, get_host_load, done_nothing};
static const struct shape HOST_UNLOADED = {"HOST_UNLOADED", put_host_unloaded, get_host_unloaded, done_nothing};
static const struct shape DESCRIBE = {"DESCRIBE", put_describe, get_describe, done_describe};
static const struct shape DESCRIBED = {"DESCRIBED", put_described, get_described, done_described};
static const struct shape NUMBER = {"ACK", put_number, get_number, done_nothing};
static const struct shape TEXT = {"REMOVE", put_text, get_text, done_text};

#define START_GOOD                                                                                                             \
        {                                                                                                                      \
                .run = 812, .hash = {{1, UINT64_MAX}}, .item = WIRE_ITEM_BOOT, .segment = 3, .anchor_us = -4,                  \
                .key = INT64_MIN, .slot_us = INT64_MAX, .slot_rt_us = 1763694000000000, .cause = RUN_CAUSE_BOOT, .attempt = 1, \
                .missed = UINT64_MAX, .last_result = RUN_RESULT_INTERRUPTED, .is_watched = true                                \
        }
#define PARENT_GOOD                                                                                                            \
        {                                                                                                                      \
                .event = RUN_EVENT_RECOVERY, .result = RUN_RESULT_SUCCESS, .exit_code = 255, .signal = 9, .attempt = 3,        \
                .run = 811, .slot_rt_us = 1763694000000000, .missed = 7, .reason = "clock-step", .job = "A-1_.b:2"             \
        }
#define NAME_64 "a123456789b123456789c123456789d123456789e123456789f123456789g123"

static const char too_many[PARAMETERS_MAX + 1] = "A=";

static const struct {
        const struct shape *shape;
        const char *what;
        int result; /* of the get, for the whole record */
        union value v;
} rows[] = {
        {&HELLO, "of the runner", 0, {.hello = {1, {1, 2, 3}, {[15] = 255}, {[3] = 9}, UINT64_MAX, 77, 5, true, true}}},
        {&HELLO, "empty", 0, {.hello = {}}},
        {&HELLO, "a boot before there was a clock", -EBADMSG, {.hello = {.boot_bt_us = -1}}},
        {&HELLO, "a boot that never was", -EBADMSG, {.hello = {.boot_bt_us = DURATION_MAX + 1}}},
        {&DEFINE, "small", 0, {.define = {.hash = {{5, 6}}, .since_rt_us = 7, .since_bt_us = 8, .name = "a", .when = ""}}},
        {&DEFINE,
         "with trail",
         0,
         {.define = {.has_trail = true,
                     .trail = {true, 9, -10, 11, 12, true, 13, RUN_RESULT_TIMEOUT, 14},
                     .name = NAME_64,
                     .when = "Every=5s\n",
                     .when_size = 9}}},
        {&DEFINE,
         "with a host",
         0,
         {.define = {.name = "a",
                     .when = "",
                     .host = NAME_64,
                     .host_hash = {{UINT64_MAX, 7}},
                     .host_timeout_us = INT64_MAX,
                     .host_grace_us = 5,
                     .host_capture_max = JOB_CAPTURE_MAX}}},
        {&DEFINE, "host with a slash", -EBADMSG, {.define = {.name = "a", .when = "", .host = "a/b"}}},
        {&DEFINE, "host's time-out", -EBADMSG, {.define = {.name = "a", .when = "", .host = "h", .host_timeout_us = -1}}},
        {&DEFINE, "host's grace", -EBADMSG, {.define = {.name = "a", .when = "", .host = "h", .host_grace_us = -1}}},
        {&DEFINE,
         "host's values",
         -EBADMSG,
         {.define = {.name = "a", .when = "", .host = "h", .host_capture_max = JOB_CAPTURE_MAX + 1}}},
        {&DEFINE, "name with a slash", -EBADMSG, {.define = {.name = "a/b", .when = ""}}},
        {&DEFINE, "name too long", -EBADMSG, {.define = {.name = NAME_64 "4", .when = ""}}},
        {&DEFINE, "no name", -EBADMSG, {.define = {.name = "", .when = ""}}},
        {&DEFINE, "NUL in the when-text", -EBADMSG, {.define = {.name = "a", .when = "a\0b", .when_size = 3}}},
        {&DEFINE, "accepted", 0, {.define = {.name = "a", .when = "", .accepted = "FROM to_2"}}},
        {&DEFINE, "accepted name", -EBADMSG, {.define = {.name = "a", .when = "", .accepted = "FROM 2"}}},
        {&DEFINE, "accepted blanks", -EBADMSG, {.define = {.name = "a", .when = "", .accepted = "FROM  TO"}}},
        {&DEFINE, "since before the epoch", -EBADMSG, {.define = {.since_rt_us = -1, .name = "a", .when = ""}}},
        {&DEFINE,
         "result of the trail",
         -EBADMSG,
         {.define = {.has_trail = true, .trail = {.last_result = RUN_RESULT_MAX}, .name = "a", .when = ""}}},
        {&START, "usual", 0, {.start = START_GOOD}},
        {&START,
         "by a trigger",
         0,
         {.start = {.run = 813, .item = WIRE_ITEM_TRIGGER, .slot_us = 5, .cause = RUN_CAUSE_TRIGGER, .attempt = 1}}},
        {&START, "of a host", 0, {.start = {.run = 814, .attempt = 1, .is_host = true}}},
        {&START, "parameters", 0, {.start = {.attempt = 1, .parameters = "A=1\0B=", .parameters_size = 7}}},
        {&START, "parameters without an end", -EBADMSG, {.start = {.attempt = 1, .parameters = "A=1", .parameters_size = 3}}},
        {&START, "parameters in disorder", -EBADMSG, {.start = {.attempt = 1, .parameters = "B=\0A=", .parameters_size = 6}}},
        {&START,
         "too many parameters",
         -EBADMSG,
         {.start = {.attempt = 1, .parameters = too_many, .parameters_size = sizeof(too_many)}}},
        {&START, "no attempt", -EBADMSG, {.start = {.attempt = 0}}},
        {&START, "item", -EBADMSG, {.start = {.attempt = 1, .item = WIRE_ITEM_MAX}}},
        {&START, "cause", -EBADMSG, {.start = {.attempt = 1, .cause = RUN_CAUSE_MAX}}},
        {&START,
         "parent",
         0,
         {.start = {.attempt = 1, .parent = PARENT_GOOD, .parent_output = "a\0b", .parent_output_size = 3}}},
        {&START, "parent without a name", -EBADMSG, {.start = {.attempt = 1, .parent = {.event = RUN_EVENT_END}}}},
        {&START, "parent's name", -EBADMSG, {.start = {.attempt = 1, .parent = {.event = RUN_EVENT_END, .job = "a b"}}}},
        {&START,
         "parent's reason",
         -EBADMSG,
         {.start = {.attempt = 1, .parent = {.event = RUN_EVENT_END, .reason = "a=b", .job = "a"}}}},
        {&START, "parent's event", -EBADMSG, {.start = {.attempt = 1, .parent = {RUN_EVENT_MAX, .job = "a"}}}},
        {&START, "parent's result", -EBADMSG, {.start = {.attempt = 1, .parent = {RUN_EVENT_END, RUN_RESULT_MAX, .job = "a"}}}},
        {&START,
         "parent's exit status",
         -EBADMSG,
         {.start = {.attempt = 1, .parent = {.event = RUN_EVENT_END, .exit_code = 256, .job = "a"}}}},
        {&START,
         "parent's signal",
         -EBADMSG,
         {.start = {.attempt = 1, .parent = {.event = RUN_EVENT_END, .signal = -1, .job = "a"}}}},
        {&START, "last result", -EBADMSG, {.start = {.attempt = 1, .last_result = RUN_RESULT_MAX}}},
        {&RUN, "usual", 0, {.run = {START_GOOD, "backup"}}},
        {&RUN, "parameters", 0, {.run = {{.attempt = 1, .parameters = "A=1", .parameters_size = 4}, "backup"}}},
        {&RUN, "name", -EBADMSG, {.run = {START_GOOD, "back up"}}},
        {&RUN, "cause", -EBADMSG, {.run = {{.attempt = 1, .cause = RUN_CAUSE_MAX}, "backup"}}},
        {&STARTED, "usual", 0, {.started = {812, 4711, 1763694000000000, 5}}},
        {&STARTED, "pid 0", -EBADMSG, {.started = {812, 0, 1, 1}}},
        {&STARTED, "negative pid", -EBADMSG, {.started = {812, -1, 1, 1}}},
        {&STARTED, "negative time", -EBADMSG, {.started = {812, 1, 1, -1}}},
        {&ENDED, "success", 0, {.ended = {.run = 1, .end = {RUN_RESULT_SUCCESS, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0}}}},
        {&ENDED, "exit status 255", 0, {.ended = {.run = 1, .end = {RUN_RESULT_FAILED, 255, 0, 0, 0, 1, 2, 3, 4, 5, 6}}}},
        {&ENDED, "signal", 0, {.ended = {.run = 1, .end = {RUN_RESULT_SIGNAL, -1, 64, 0, 0, 1, 2, 3, 4, 5, 0}}}},
        {&ENDED,
         "start-failed",
         0,
         {.ended = {.run = 1, .end = {RUN_RESULT_START_FAILED, -1, 0, RUN_STEP_EXEC, 2, 0, 0, 3, 4, 0, 0}}}},
        {&ENDED,
         "condition",
         0,
         {.ended = {.run = 1,
                    .end = {.result = RUN_RESULT_CONDITION, .end_rt_us = 3},
                    .condition = "ConditionACPower=yes (on battery)"}}},
        {&ENDED, "no result", -EBADMSG, {.ended = {.run = 1, .end = {.result = RUN_RESULT_NONE}}}},
        {&ENDED, "result", -EBADMSG, {.ended = {.run = 1, .end = {.result = RUN_RESULT_MAX}}}},
        {&ENDED,
         "exit status 256",
         -EBADMSG,
         {.ended = {.run = 1, .end = {RUN_RESULT_FAILED, 256, 0, 0, 0, 1, 2, 3, 4, 5, 0}}}},
        {&ENDED, "exit status -2", -EBADMSG, {.ended = {.run = 1, .end = {RUN_RESULT_FAILED, -2, 0, 0, 0, 1, 2, 3, 4, 5, 0}}}},
        {&ENDED, "signal 65", -EBADMSG, {.ended = {.run = 1, .end = {RUN_RESULT_SIGNAL, -1, 65, 0, 0, 1, 2, 3, 4, 5, 0}}}},
        {&ENDED,
         "negative signal",
         -EBADMSG,
         {.ended = {.run = 1, .end = {RUN_RESULT_SIGNAL, -1, -1, 0, 0, 1, 2, 3, 4, 5, 0}}}},
        {&ENDED,
         "step",
         -EBADMSG,
         {.ended = {.run = 1, .end = {RUN_RESULT_START_FAILED, -1, 0, RUN_STEP_MAX, 2, 0, 0, 3, 4, 0, 0}}}},
        {&ENDED,
         "negative errno",
         -EBADMSG,
         {.ended = {.run = 1, .end = {RUN_RESULT_START_FAILED, -1, 0, 1, -2, 0, 0, 3, 4, 0, 0}}}},
        {&ENDED,
         "errno 4096",
         -EBADMSG,
         {.ended = {.run = 1, .end = {RUN_RESULT_START_FAILED, -1, 0, 1, 4096, 0, 0, 3, 4, 0, 0}}}},
        {&ENDED, "oom", 0, {.ended = {.run = 1, .end = {RUN_RESULT_OOM, -1, 9, 0, 0, 1, 2, 3, 4, 5, INT64_MAX}}}},
        {&ENDED,
         "negative memory",
         -EBADMSG,
         {.ended = {.run = 1, .end = {RUN_RESULT_SUCCESS, 0, 0, 0, 0, 1, 2, 3, 4, 5, -6}}}},
        {&ENDED, "negative time", -EBADMSG, {.ended = {.run = 1, .end = {RUN_RESULT_SUCCESS, 0, 0, 0, 0, 1, 2, 3, -4, 5, 0}}}},
        {&BYTES, "empty", 0, {.bytes = {1, 0, 0, "", 0}}},
        {&BYTES, "any bytes", 0, {.bytes = {1, 2, UINT32_MAX, "a\0\xff", 3}}},
        {&BYTES, "stream 3", -EBADMSG, {.bytes = {1, 3, 0, "", 0}}},
        {&KILL, "ask", 0, {.kill = {812, WIRE_KILL_ASK}}},
        {&KILL, "force", 0, {.kill = {812, WIRE_KILL_FORCE}}},
        {&KILL, "how", -EBADMSG, {.kill = {812, WIRE_KILL_MAX}}},
        {&COMMIT,
         "usual",
         0,
         {.commit = {9, INT64_MAX, true, UINT64_MAX, 1, 2, 3, 4, 5, 6, 7, true, UINT32_MAX, INT64_MAX, ""}}},
        {&GROUP,
         "usual",
         0,
         {.group = {.name = "nightly", .description = "all that works at night", .max_running = UINT32_MAX}}},
        {&GROUP, "plain", 0, {.group = {.name = "g", .description = ""}}},
        {&COMMIT, "why", 0, {.commit = {.generation = 9, .why = "zone data of Europe/Berlin changed"}}},
        {&WATCH, "on", 0, {.watch = {812, true}}},
        {&WATCH, "off", 0, {.watch = {812, false}}},
        {&HOST_LOAD, "usual", 0, {.host_load = {812, UINT32_MAX, {{1, UINT64_MAX}}}}},
        {&HOST_UNLOADED, "usual", 0, {.host_unloaded = {812, 7, ENOENT}}},
        {&HOST_UNLOADED, "no error", -EBADMSG, {.host_unloaded = {812, 7, 0}}},
        {&HOST_UNLOADED, "negative errno", -EBADMSG, {.host_unloaded = {812, 7, -2}}},
        {&HOST_UNLOADED, "errno 4096", -EBADMSG, {.host_unloaded = {812, 7, 4096}}},
        {&DESCRIBE, "usual", 0, {.describe = {UINT64_MAX, "backup"}}},
        {&DESCRIBE, "name", -EBADMSG, {.describe = {1, "back up"}}},
        {&DESCRIBED,
         "usual",
         0,
         {.described = {7, true, false, 12, "/bin/true", "www-data", "/etc/chimed/jobs.d/a.ini", "/s",
                        "ConditionPathExists=/a\nConditionACPower=yes", INT64_MAX}}},
        {&DESCRIBED, "unit", 0, {.described = {7, true, true, 3, "a.service", "", "/a.ini", "", "", 5}}},
        {&DESCRIBED, "unknown", 0, {.described = {7, false, false, 0, "", "", "", "", "", 0}}},
        {&NUMBER, "largest", 0, {.number = UINT64_MAX}},
        {&TEXT, "name", 0, {.text = (char *)"backup"}},
        {&TEXT, "files", 0, {.text = (char *)"/etc/chimed/chimed.conf\n/etc/chimed/jobs.d\n"}},
        {&TEXT, "empty", 0, {.text = (char *)""}},
};

static void pack_row(int i, struct pack *p) {
        rows[i].shape->put(p, &rows[i].v);
        ck_assert_int_eq(pack_result(p), 0);
}

/* Reads from a copy of exactly that size, so that a sanitizer sees a step beyond. */
static int get(const struct shape *shape, const void *data, size_t size, union value *ret) {
        _cleanup_free_ void *copy = malloc(size ? size : 1);
        ck_assert_ptr_nonnull(copy);
        if (size)
                memcpy(copy, data, size);
        return shape->get(copy, size, ret);
}

START_TEST(a_record_reads_back_as_it_was_or_is_refused) {
        const struct shape *shape = rows[_i].shape;
        struct pack p = {}, again = {};
        union value v;
        memset(&v, 0xaa, sizeof(v));
        union value before = v;
        pack_row(_i, &p);
        int r = shape->get(p.data, p.size, &v);
        ck_assert_msg(r == rows[_i].result, "%s, %s: %d", shape->name, rows[_i].what, r);
        if (r == 0) {
                /* all that a record says is in its bytes */
                shape->put(&again, &v);
                ck_assert_msg(again.size == p.size && memcmp(again.data, p.data, p.size) == 0, "%s, %s: reads back otherwise",
                              shape->name, rows[_i].what);
                shape->done(&v);
        } else
                ck_assert_msg(memcmp(&v, &before, sizeof(v)) == 0, "%s, %s: touched", shape->name, rows[_i].what);
        pack_done(&again);
        pack_done(&p);
}
END_TEST

/* Together with the reading back above: no member is left out on both sides. */
START_TEST(a_record_has_room_for_every_member) {
        static const struct {
                const struct shape *shape;
                size_t size;
        } sizes[] = {
                {&HELLO, 2 + 16 + 16 + 16 + 8 + 8 + 8 + 1 + 1},
                {&DEFINE, 16 + 8 + 8 + 1 + 2 + 1 + 2 + 2 + 2},
                {&START, 8 + 16 + 1 + 4 + 4 * 8 + 1 + 2 + 8 + 1 + 1 + 1 + 1 + 1 + 2},
                {&RUN, 79 + 2 + 6},
                {&STARTED, 8 + 4 + 8 + 8},
                {&ENDED, 8 + 1 + 4 + 4 + 1 + 4 + 6 * 8 + 2},
                {&BYTES, 8 + 1 + 4 + 2},
                {&KILL, 8 + 1},
                {&COMMIT, 8 + 8 + 1 + 8 + 7 * 4 + 1 + 4 + 8 + 2},
                {&WATCH, 8 + 1},
                {&HOST_LOAD, 8 + 4 + 16},
                {&HOST_UNLOADED, 8 + 4 + 4},
                {&DESCRIBE, 8 + 2 + 6},
                {&DESCRIBED, 8 + 1 + 1 + 4 + 2 + 9 + 2 + 8 + 2 + 24 + 2 + 2 + 2 + 43 + 8},
                {&NUMBER, 8},
        };
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                size_t row = 0;
                struct pack p = {};
                while (rows[row].shape != sizes[i].shape)
                        row++;
                pack_row((int)row, &p);
                ck_assert_msg(p.size == sizes[i].size, "%s: %zu bytes", sizes[i].shape->name, p.size);
                pack_done(&p);
        }
        struct pack p = {};
        wire_put_define(&p, &(struct wire_define){.has_trail = true, .name = "a", .when = ""});
        ck_assert_uint_eq(p.size, 42 + (1 + 4 + 3 * 8 + 1 + 8 + 1 + 8));
        pack_clear(&p);
        wire_put_define(&p, &(struct wire_define){.name = "a", .when = "", .host = "h"});
        ck_assert_uint_eq(p.size, 42 + (1 + 16 + 8 + 8 + 4));
        pack_done(&p);
}
END_TEST

START_TEST(a_record_of_another_length_is_refused_and_nothing_touched) {
        const struct shape *shape = rows[_i].shape;
        struct pack p = {};
        union value v;
        memset(&v, 0xaa, sizeof(v));
        union value before = v;
        pack_row(_i, &p);
        size_t whole = p.size;
        pack_u8(&p, 0);
        for (size_t size = 0; size <= whole + 1; size++) {
                if (size == whole)
                        continue;
                int r = get(shape, p.data, size, &v);
                ck_assert_msg(r == -EBADMSG, "%s, %s: %zu of %zu bytes: %d", shape->name, rows[_i].what, size, whole, r);
                ck_assert_msg(memcmp(&v, &before, sizeof(v)) == 0, "%s, %s: %zu of %zu bytes: touched", shape->name,
                              rows[_i].what, size, whole);
        }
        pack_done(&p);
}
END_TEST

START_TEST(a_record_with_random_bytes_is_read_or_refused) {
        const struct shape *shape = rows[_i].shape;
        struct pack p = {};
        uint32_t state = (uint32_t)_i + 1;
        pack_row(_i, &p);
        for (unsigned n = 0; n < 2000; n++) {
                union value v;
                state = state * 1664525 + 1013904223;
                p.data[(state >> 8) % p.size] = (uint8_t)(state >> 24);
                int r = get(shape, p.data, p.size, &v);
                ck_assert_msg(r == 0 || r == -EBADMSG, "%s, %s: %d", shape->name, rows[_i].what, r);
                if (r == 0)
                        shape->done(&v);
        }
        pack_done(&p);
}
END_TEST

START_TEST(texts_are_bounded) {
        static char text[UINT16_MAX];
        memset(text, 'x', sizeof(text));
        const struct {
                const char *what;
                size_t size;
                bool is_bytes;
                int result;
        } sizes[] = {
                {"when-text", JOB_WHEN_TEXT_MAX, false, 0},
                {"when-text", JOB_WHEN_TEXT_MAX + 1, false, -EBADMSG},
                {"piece of output", WIRE_VALUE_CHUNK, true, 0},
                {"piece of output", WIRE_VALUE_CHUNK + 1, true, -EBADMSG},
        };
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                struct pack p = {};
                union value v = {};
                const struct shape *shape = sizes[i].is_bytes ? &BYTES : &DEFINE;
                if (sizes[i].is_bytes)
                        v.bytes = (struct wire_bytes){.stream = 1, .data = text, .size = sizes[i].size};
                else
                        v.define = (struct wire_define){.name = "a", .when = text, .when_size = sizes[i].size};
                shape->put(&p, &v);
                int r = shape->get(p.data, p.size, &v);
                ck_assert_msg(r == sizes[i].result, "%s of %zu: %d", sizes[i].what, sizes[i].size, r);
                if (r == 0)
                        shape->done(&v);
                pack_done(&p);
        }
}
END_TEST

START_TEST(the_reason_of_a_commit_is_bounded) {
        struct wire_commit commit = {};
        struct pack p = {};

        memset(commit.why, 'x', WIRE_WHY_MAX - 1);
        wire_put_commit(&p, &commit);
        ck_assert_int_eq(wire_get_commit(p.data, p.size, &commit), 0);
        uint8_t *size = p.data + p.size - (WIRE_WHY_MAX - 1) - 2;
        ck_assert_uint_eq(size[0] + 256 * size[1], WIRE_WHY_MAX - 1);
        pack_u8(&p, 'x');
        size = p.data + p.size - WIRE_WHY_MAX - 2;
        size[0] = WIRE_WHY_MAX % 256;
        size[1] = WIRE_WHY_MAX / 256;
        ck_assert_int_eq(wire_get_commit(p.data, p.size, &commit), -EBADMSG);
        pack_done(&p);
}
END_TEST

START_TEST(the_condition_of_an_end_is_bounded) {
        struct wire_ended ended = {.run = 1, .end.result = RUN_RESULT_CONDITION};
        struct pack p = {};

        memset(ended.condition, 'x', WIRE_CONDITION_MAX - 1);
        wire_put_ended(&p, &ended);
        ck_assert_int_eq(wire_get_ended(p.data, p.size, &ended), 0);
        ck_assert_uint_eq(strlen(ended.condition), WIRE_CONDITION_MAX - 1);
        uint8_t *size = p.data + p.size - (WIRE_CONDITION_MAX - 1) - 2;
        ck_assert_uint_eq(size[0], WIRE_CONDITION_MAX - 1);
        size[0]++;
        pack_u8(&p, 'x');
        ck_assert_int_eq(wire_get_ended(p.data, p.size, &ended), -EBADMSG);
        pack_done(&p);
}
END_TEST

/* Flags are 0 or 1: with any other value there, no record is read. */
START_TEST(a_flag_is_0_or_1) {
        static const struct {
                const struct shape *shape;
                union value v;
                size_t from_end;
        } flags[] = {
                {&HELLO, {.hello = {.is_first_of_boot = true}}, 2},
                {&HELLO, {.hello = {.is_synchronised = true}}, 1},
                {&START, {.start = {.attempt = 1, .is_watched = true}}, 6},
                {&START, {.start = {.attempt = 1, .asks_conditions = true}}, 5},
                {&START, {.start = {.attempt = 1, .is_host = true}}, 4},
                {&COMMIT, {.commit = {.is_resync = true}}, 8 + 7 * 4 + 1 + 4 + 9 + 2},
                {&COMMIT, {.commit = {.holds_slots = true}}, 4 + 9 + 2},
                {&WATCH, {.watch = {.is_on = true}}, 1},
                {&DESCRIBED, {.described = {.is_known = true}}, 8 + 5 * 2 + 4 + 2},
                {&DESCRIBED, {.described = {.is_unit = true}}, 8 + 5 * 2 + 4 + 1},
        };
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                struct pack p = {};
                union value v;
                flags[i].shape->put(&p, &flags[i].v);
                uint8_t *flag = p.data + p.size - flags[i].from_end;
                ck_assert_uint_eq(*flag, 1);
                *flag = 2;
                ck_assert_msg(flags[i].shape->get(p.data, p.size, &v) == -EBADMSG, "%s", flags[i].shape->name);
                pack_done(&p);
        }
}
END_TEST

/* Whatever else a later version has in its HELLO. */
START_TEST(the_version_of_a_hello_can_always_be_read) {
        uint16_t version = 7;
        struct wire_hello hello;
        static const uint8_t later[] = {0x39, 0x30, 1};
        ck_assert_int_eq(wire_get_hello(later, sizeof(later), &hello), -EBADMSG);
        ck_assert_int_eq(wire_get_hello_version(later, 1, &version), -EBADMSG);
        ck_assert_uint_eq(version, 7);
        ck_assert_int_eq(wire_get_hello_version(later, sizeof(later), &version), 0);
        ck_assert_uint_eq(version, 12345);
}
END_TEST

START_TEST(the_free_functions_take_null) {
        wire_define_done(NULL);
        wire_run_done(NULL);
        wire_describe_done(NULL);
        wire_described_done(NULL);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("wire");
        tcase_add_loop_test(tcase, a_record_reads_back_as_it_was_or_is_refused, 0, ARRAY_SIZE(rows));
        tcase_add_loop_test(tcase, a_record_of_another_length_is_refused_and_nothing_touched, 0, ARRAY_SIZE(rows));
        tcase_add_loop_test(tcase, a_record_with_random_bytes_is_read_or_refused, 0, ARRAY_SIZE(rows));
        tcase_add_test(tcase, a_record_has_room_for_every_member);
        tcase_add_test(tcase, texts_are_bounded);
        tcase_add_test(tcase, the_reason_of_a_commit_is_bounded);
        tcase_add_test(tcase, the_condition_of_an_end_is_bounded);
        tcase_add_test(tcase, a_flag_is_0_or_1);
        tcase_add_test(tcase, the_version_of_a_hello_can_always_be_read);
        tcase_add_test(tcase, the_free_functions_take_null);
        Suite *suite = suite_create("wire");
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
