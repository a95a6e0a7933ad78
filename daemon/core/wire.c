// SPDX-License-Identifier: MIT
// wire: layout of the link's records. Every decoder reads into a local value, checks its ranges, asks the reader once whether
// exactly all bytes were used, and only then touches *ret: so there is one way out for bad input.

#include "daemon/core/wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/util.h"

#define ERRNO_MAX 4095

static void put_bool(struct pack *p, bool v) {
        pack_u8(p, v);
}

/* A value that must be below max; a greater one marks the record as bad. */
static unsigned get_below(struct unpack *u, unsigned max) {
        unsigned v = unpack_u8(u);
        if (v >= max)
                u->bad = true;
        return u->bad ? 0 : v;
}

static bool get_bool(struct unpack *u) {
        return get_below(u, 2);
}

static void get_raw(struct unpack *u, void *ret, size_t size) {
        const void *place = unpack_raw(u, size);
        if (place)
                memcpy(ret, place, size);
}

static int32_t get_i32(struct unpack *u) {
        return (int32_t)unpack_u32(u);
}

/* An instant or span; negative ones don't exist on the link. */
static int64_t get_time(struct unpack *u) {
        int64_t v = unpack_i64(u);
        if (v < 0)
                u->bad = true;
        return v;
}

static void put_hash(struct pack *p, const struct hash128 *hash) {
        pack_u64(p, hash->word[0]);
        pack_u64(p, hash->word[1]);
}

static struct hash128 get_hash(struct unpack *u) {
        struct hash128 hash;
        hash.word[0] = unpack_u64(u);
        hash.word[1] = unpack_u64(u);
        return hash;
}

/* A job's name as a fresh copy. 0, -ENOMEM or -EBADMSG. */
static int get_name(struct unpack *u, char **ret) {
        _cleanup_free_ char *name = NULL;
        const char *why;
        int r = unpack_string(u, &name);
        if (r < 0)
                return r;
        if (!job_name_is_valid(name, &why))
                return -EBADMSG;
        *ret = name;
        name = NULL;
        return 0;
}

void wire_put_hello(struct pack *p, const struct wire_hello *v) {
        pack_u16(p, v->version);
        pack_raw(p, v->boot_id, sizeof(v->boot_id));
        pack_raw(p, v->instance, sizeof(v->instance));
        pack_raw(p, v->secret, sizeof(v->secret));
        pack_u64(p, v->epoch);
        pack_u64(p, v->next_run);
        pack_i64(p, v->boot_bt_us);
        put_bool(p, v->is_first_of_boot);
        put_bool(p, v->is_synchronised);
}

int wire_get_hello(const void *data, size_t size, struct wire_hello *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_hello v = {};
        v.version = unpack_u16(&u);
        get_raw(&u, v.boot_id, sizeof(v.boot_id));
        get_raw(&u, v.instance, sizeof(v.instance));
        get_raw(&u, v.secret, sizeof(v.secret));
        v.epoch = unpack_u64(&u);
        v.next_run = unpack_u64(&u);
        v.boot_bt_us = unpack_i64(&u);
        u.bad = u.bad || v.boot_bt_us < 0 || v.boot_bt_us > DURATION_MAX;
        v.is_first_of_boot = get_bool(&u);
        v.is_synchronised = get_bool(&u);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

int wire_get_hello_version(const void *data, size_t size, uint16_t *ret) {
        struct unpack u = unpack_from(data, size);
        uint16_t version = unpack_u16(&u);
        if (size < sizeof(version))
                return -EBADMSG;
        *ret = version;
        return 0;
}

static void put_trail(struct pack *p, const struct wire_trail *v) {
        put_bool(p, v->has_schedule);
        pack_u32(p, v->segment);
        pack_i64(p, v->anchor_us);
        pack_i64(p, v->key);
        pack_i64(p, v->slot_us);
        put_bool(p, v->is_boot_done);
        pack_u64(p, v->run);
        pack_u8(p, (uint8_t)v->last_result);
        pack_i64(p, v->end_bt_us);
}

static struct wire_trail get_trail(struct unpack *u) {
        struct wire_trail v = {};
        v.has_schedule = get_bool(u);
        v.segment = unpack_u32(u);
        v.anchor_us = unpack_i64(u);
        v.key = unpack_i64(u);
        v.slot_us = unpack_i64(u);
        v.is_boot_done = get_bool(u);
        v.run = unpack_u64(u);
        v.last_result = get_below(u, RUN_RESULT_MAX);
        v.end_bt_us = get_time(u);
        return v;
}

static void put_host(struct pack *p, const struct wire_define *v) {
        pack_string(p, v->host);
        if (!v->host || !v->host[0])
                return;
        put_hash(p, &v->host_hash);
        pack_i64(p, v->host_timeout_us);
        pack_i64(p, v->host_grace_us);
        pack_u32(p, v->host_capture_max);
}

/* As get_name(); an empty one stands for none. */
static int get_host(struct unpack *u, struct wire_define *v, char **ret) {
        const char *why;
        int r = unpack_string(u, ret);
        if (r < 0 || !(*ret)[0])
                return r;
        v->host_hash = get_hash(u);
        v->host_timeout_us = get_time(u);
        v->host_grace_us = get_time(u);
        v->host_capture_max = unpack_u32(u);
        return job_name_is_valid(*ret, &why) && v->host_capture_max <= JOB_CAPTURE_MAX ? 0 : -EBADMSG;
}

void wire_put_define(struct pack *p, const struct wire_define *v) {
        put_hash(p, &v->hash);
        pack_i64(p, v->since_rt_us);
        pack_i64(p, v->since_bt_us);
        put_bool(p, v->has_trail);
        if (v->has_trail)
                put_trail(p, &v->trail);
        pack_string(p, v->name);
        pack_bytes(p, v->when, v->when_size);
        pack_string(p, v->accepted);
        put_host(p, v);
}

/* True for names of parameters with a blank between them. */
static bool are_names(const char *text) {
        if (strlen(text) >= JOB_ACCEPTED_MAX)
                return false;
        for (size_t size; *text; text += size + (text[size] == ' ' && text[size + 1])) {
                size = strcspn(text, " ");
                if (!parameter_name_is_valid(text, size))
                        return false;
        }
        return true;
}

int wire_get_define(const void *data, size_t size, struct wire_define *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_define v = {};
        _cleanup_free_ char *name = NULL, *accepted = NULL, *host = NULL;
        v.hash = get_hash(&u);
        v.since_rt_us = get_time(&u);
        v.since_bt_us = get_time(&u);
        v.has_trail = get_bool(&u);
        if (v.has_trail)
                v.trail = get_trail(&u);
        int r = get_name(&u, &name);
        if (r < 0)
                return r;
        const void *when = unpack_bytes(&u, &v.when_size);
        r = unpack_string(&u, &accepted);
        if (r == 0)
                r = get_host(&u, &v, &host);
        if (r == 0)
                r = unpack_finish(&u);
        if (r < 0)
                return r;
        if (v.when_size > JOB_WHEN_TEXT_MAX || memchr(when, 0, v.when_size) || !are_names(accepted))
                return -EBADMSG;
        char *copy = strndup(when, v.when_size);
        if (!copy)
                return -ENOMEM;
        v.when = copy;
        v.name = name;
        v.accepted = accepted;
        v.host = host;
        name = accepted = host = NULL;
        *ret = v;
        return 0;
}

void wire_define_done(struct wire_define *v) {
        if (!v)
                return;
        free((char *)v->name);
        free((char *)v->when);
        free((char *)v->accepted);
        free((char *)v->host);
        *v = (struct wire_define){};
}

static void put_parent(struct pack *p, const struct wire_start *v) {
        const struct run_parent *parent = &v->parent;
        pack_u8(p, (uint8_t)parent->event);
        if (parent->event == RUN_EVENT_NONE)
                return;
        pack_u8(p, (uint8_t)parent->result);
        pack_u32(p, (uint32_t)parent->exit_code);
        pack_u32(p, (uint32_t)parent->signal);
        pack_u16(p, parent->attempt);
        pack_u64(p, parent->run);
        pack_i64(p, parent->slot_rt_us);
        pack_u64(p, parent->missed);
        pack_string(p, parent->reason);
        pack_string(p, parent->job);
        pack_bytes(p, v->parent_output, v->parent_output_size);
}

void wire_put_start(struct pack *p, const struct wire_start *v) {
        pack_u64(p, v->run);
        put_hash(p, &v->hash);
        pack_u8(p, (uint8_t)v->item);
        pack_u32(p, v->segment);
        pack_i64(p, v->anchor_us);
        pack_i64(p, v->key);
        pack_i64(p, v->slot_us);
        pack_i64(p, v->slot_rt_us);
        pack_u8(p, (uint8_t)v->cause);
        pack_u16(p, v->attempt);
        pack_u64(p, v->missed);
        pack_u8(p, (uint8_t)v->last_result);
        put_bool(p, v->is_watched);
        put_bool(p, v->asks_conditions);
        put_bool(p, v->is_host);
        put_parent(p, v);
        pack_bytes(p, v->parameters, v->parameters_size);
}

/* A word that becomes a variable's value. */
static void get_word(struct unpack *u, const char *more, char *ret, size_t room) {
        size_t size = 0;
        const char *text = unpack_bytes(u, &size);
        u->bad = u->bad || size >= room;
        for (size_t i = 0; !u->bad && i < size; i++)
                u->bad = !((text[i] >= 'a' && text[i] <= 'z') || (text[i] && strchr(more, text[i])));
        if (!u->bad)
                memcpy(ret, text, size);
}

static void get_parent(struct unpack *u, struct wire_start *v) {
        struct run_parent *parent = &v->parent;
        const char *why;
        parent->event = get_below(u, RUN_EVENT_MAX);
        if (parent->event == RUN_EVENT_NONE || u->bad)
                return;
        parent->result = get_below(u, RUN_RESULT_MAX);
        parent->exit_code = get_i32(u);
        parent->signal = get_i32(u);
        parent->attempt = unpack_u16(u);
        parent->run = unpack_u64(u);
        parent->slot_rt_us = unpack_i64(u);
        parent->missed = unpack_u64(u);
        get_word(u, "-", parent->reason, sizeof(parent->reason));
        get_word(u, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:", parent->job, sizeof(parent->job));
        v->parent_output = unpack_bytes(u, &v->parent_output_size);
        bool is_in_range = parent->exit_code >= -1 && parent->exit_code <= 255 && parent->signal >= 0 &&
                           parent->signal < NSIG && v->parent_output_size <= WIRE_PARENT_OUTPUT_MAX;
        u->bad = u->bad || !is_in_range || !job_name_is_valid(parent->job, &why);
}

static struct wire_start get_start(struct unpack *u) {
        struct wire_start v = {};
        v.run = unpack_u64(u);
        v.hash = get_hash(u);
        v.item = get_below(u, WIRE_ITEM_MAX);
        v.segment = unpack_u32(u);
        v.anchor_us = unpack_i64(u);
        v.key = unpack_i64(u);
        v.slot_us = unpack_i64(u);
        v.slot_rt_us = unpack_i64(u);
        v.cause = get_below(u, RUN_CAUSE_MAX);
        v.attempt = unpack_u16(u);
        v.missed = unpack_u64(u);
        v.last_result = get_below(u, RUN_RESULT_MAX);
        v.is_watched = get_bool(u);
        v.asks_conditions = get_bool(u);
        v.is_host = get_bool(u);
        if (v.attempt == 0)
                u->bad = true;
        get_parent(u, &v);
        v.parameters = unpack_bytes(u, &v.parameters_size);
        u->bad = u->bad || !parameters_are_valid(v.parameters, v.parameters_size);
        return v;
}

int wire_get_start(const void *data, size_t size, struct wire_start *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_start v = get_start(&u);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

void wire_put_run(struct pack *p, const struct wire_run *v) {
        struct wire_start start = v->start;
        start.parent_output_size = 0;
        wire_put_start(p, &start);
        pack_string(p, v->name);
}

int wire_get_run(const void *data, size_t size, struct wire_run *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_run v = {.start = get_start(&u)};
        _cleanup_free_ char *name = NULL;
        int r = get_name(&u, &name);
        if (r < 0)
                return r;
        r = unpack_finish(&u);
        if (r < 0)
                return r;
        v.name = name;
        name = NULL;
        v.start.parent_output = NULL;
        v.start.parent_output_size = 0;
        *ret = v;
        return 0;
}

void wire_run_done(struct wire_run *v) {
        if (!v)
                return;
        free((char *)v->name);
        *v = (struct wire_run){};
}

void wire_put_group(struct pack *p, const struct wire_group *v) {
        pack_string(p, v->name);
        pack_string(p, v->description);
        pack_u32(p, v->max_running);
}

int wire_get_group(const void *data, size_t size, struct wire_group *ret) {
        struct unpack u = unpack_from(data, size);
        _cleanup_free_ char *name = NULL, *description = NULL;
        struct wire_group v = {};
        int r = get_name(&u, &name);
        if (r == 0)
                r = unpack_string(&u, &description);
        v.max_running = unpack_u32(&u);
        if (r == 0)
                r = unpack_finish(&u);
        if (r < 0)
                return r;
        v.name = name;
        v.description = description;
        name = description = NULL;
        *ret = v;
        return 0;
}

void wire_group_done(struct wire_group *v) {
        if (!v)
                return;
        free((char *)v->name);
        free((char *)v->description);
        *v = (struct wire_group){};
}

void wire_put_started(struct pack *p, const struct wire_started *v) {
        pack_u64(p, v->run);
        pack_u32(p, (uint32_t)v->pid);
        pack_i64(p, v->start_rt_us);
        pack_i64(p, v->start_bt_us);
}

int wire_get_started(const void *data, size_t size, struct wire_started *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_started v = {};
        v.run = unpack_u64(&u);
        v.pid = get_i32(&u);
        v.start_rt_us = get_time(&u);
        v.start_bt_us = get_time(&u);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        if (v.pid <= 0)
                return -EBADMSG;
        *ret = v;
        return 0;
}

void wire_put_ended(struct pack *p, const struct wire_ended *v) {
        const struct run_end *end = &v->end;
        pack_u64(p, v->run);
        pack_u8(p, (uint8_t)end->result);
        pack_u32(p, (uint32_t)end->exit_code);
        pack_u32(p, (uint32_t)end->signal);
        pack_u8(p, (uint8_t)end->step);
        pack_u32(p, (uint32_t)end->error);
        pack_i64(p, end->start_rt_us);
        pack_i64(p, end->start_bt_us);
        pack_i64(p, end->end_rt_us);
        pack_i64(p, end->end_bt_us);
        pack_i64(p, end->cpu_us);
        pack_i64(p, end->memory_peak);
        pack_string(p, v->condition);
}

static bool end_is_in_range(const struct run_end *end) {
        return end->result != RUN_RESULT_NONE && end->exit_code >= -1 && end->exit_code <= 255 && end->signal >= 0 &&
               end->signal < NSIG && end->error >= 0 && end->error <= ERRNO_MAX && end->memory_peak >= 0;
}

int wire_get_ended(const void *data, size_t size, struct wire_ended *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_ended v = {};
        v.run = unpack_u64(&u);
        v.end.result = get_below(&u, RUN_RESULT_MAX);
        v.end.exit_code = get_i32(&u);
        v.end.signal = get_i32(&u);
        v.end.step = get_below(&u, RUN_STEP_MAX);
        v.end.error = get_i32(&u);
        v.end.start_rt_us = get_time(&u);
        v.end.start_bt_us = get_time(&u);
        v.end.end_rt_us = get_time(&u);
        v.end.end_bt_us = get_time(&u);
        v.end.cpu_us = get_time(&u);
        v.end.memory_peak = unpack_i64(&u);
        size_t n;
        const void *condition = unpack_bytes(&u, &n);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        if (!end_is_in_range(&v.end) || n >= sizeof(v.condition) || memchr(condition, 0, n))
                return -EBADMSG;
        memcpy(v.condition, condition, n);
        *ret = v;
        return 0;
}

void wire_put_bytes(struct pack *p, const struct wire_bytes *v) {
        pack_u64(p, v->run);
        pack_u8(p, v->stream);
        pack_u32(p, v->dropped);
        pack_bytes(p, v->data, v->size);
}

int wire_get_bytes(const void *data, size_t size, struct wire_bytes *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_bytes v = {};
        v.run = unpack_u64(&u);
        v.stream = unpack_u8(&u);
        v.dropped = unpack_u32(&u);
        v.data = unpack_bytes(&u, &v.size);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        if (v.stream > 2 || v.size > WIRE_VALUE_CHUNK)
                return -EBADMSG;
        *ret = v;
        return 0;
}

void wire_put_kill(struct pack *p, const struct wire_kill_run *v) {
        pack_u64(p, v->run);
        pack_u8(p, (uint8_t)v->how);
}

int wire_get_kill(const void *data, size_t size, struct wire_kill_run *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_kill_run v = {};
        v.run = unpack_u64(&u);
        v.how = get_below(&u, WIRE_KILL_MAX);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

void wire_put_commit(struct pack *p, const struct wire_commit *v) {
        pack_u64(p, v->generation);
        pack_u64(p, v->ledger_max_size);
        put_bool(p, v->is_resync);
        pack_u64(p, v->asked);
        pack_u32(p, v->n_jobs);
        pack_u32(p, v->n_files);
        pack_u32(p, v->n_errors);
        pack_u32(p, v->n_warnings);
        pack_u32(p, v->n_added);
        pack_u32(p, v->n_changed);
        pack_u32(p, v->n_removed);
        put_bool(p, v->holds_slots);
        pack_u32(p, v->max_running);
        pack_i64(p, v->time_sync_wait_us);
        pack_string(p, v->why);
}

int wire_get_commit(const void *data, size_t size, struct wire_commit *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_commit v = {};
        v.generation = unpack_u64(&u);
        v.ledger_max_size = unpack_u64(&u);
        v.is_resync = get_bool(&u);
        v.asked = unpack_u64(&u);
        v.n_jobs = unpack_u32(&u);
        v.n_files = unpack_u32(&u);
        v.n_errors = unpack_u32(&u);
        v.n_warnings = unpack_u32(&u);
        v.n_added = unpack_u32(&u);
        v.n_changed = unpack_u32(&u);
        v.n_removed = unpack_u32(&u);
        v.holds_slots = get_bool(&u);
        v.max_running = unpack_u32(&u);
        v.time_sync_wait_us = unpack_i64(&u);
        size_t n = 0;
        const char *why = unpack_bytes(&u, &n);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        if (n >= sizeof(v.why) || memchr(why, 0, n))
                return -EBADMSG;
        memcpy(v.why, why, n);
        *ret = v;
        return 0;
}

void wire_put_watch(struct pack *p, const struct wire_watch_run *v) {
        pack_u64(p, v->run);
        put_bool(p, v->is_on);
}

int wire_get_watch(const void *data, size_t size, struct wire_watch_run *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_watch_run v = {};
        v.run = unpack_u64(&u);
        v.is_on = get_bool(&u);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

void wire_put_host_load(struct pack *p, const struct wire_host_load *v) {
        pack_u64(p, v->run);
        pack_u32(p, v->handle);
        put_hash(p, &v->hash);
}

int wire_get_host_load(const void *data, size_t size, struct wire_host_load *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_host_load v = {};
        v.run = unpack_u64(&u);
        v.handle = unpack_u32(&u);
        v.hash = get_hash(&u);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

void wire_put_host_unloaded(struct pack *p, const struct wire_host_unloaded *v) {
        pack_u64(p, v->run);
        pack_u32(p, v->handle);
        pack_u32(p, (uint32_t)v->error);
}

int wire_get_host_unloaded(const void *data, size_t size, struct wire_host_unloaded *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_host_unloaded v = {};
        v.run = unpack_u64(&u);
        v.handle = unpack_u32(&u);
        v.error = get_i32(&u);
        if (v.error < 1 || v.error > ERRNO_MAX)
                u.bad = true;
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

void wire_put_describe(struct pack *p, const struct wire_describe *v) {
        pack_u64(p, v->number);
        pack_string(p, v->name);
}

int wire_get_describe(const void *data, size_t size, struct wire_describe *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_describe v = {};
        _cleanup_free_ char *name = NULL;
        v.number = unpack_u64(&u);
        int r = get_name(&u, &name);
        if (r < 0)
                return r;
        r = unpack_finish(&u);
        if (r < 0)
                return r;
        v.name = name;
        name = NULL;
        *ret = v;
        return 0;
}

void wire_describe_done(struct wire_describe *v) {
        if (!v)
                return;
        free((char *)v->name);
        *v = (struct wire_describe){};
}

void wire_put_described(struct pack *p, const struct wire_described *v) {
        pack_u64(p, v->number);
        put_bool(p, v->is_known);
        put_bool(p, v->is_unit);
        pack_u32(p, v->line);
        pack_string(p, v->command);
        pack_string(p, v->user);
        pack_string(p, v->file);
        pack_string(p, v->stop_path);
        pack_string(p, v->conditions);
        pack_i64(p, v->timeout_us);
}

int wire_get_described(const void *data, size_t size, struct wire_described *ret) {
        struct unpack u = unpack_from(data, size);
        struct wire_described v = {};
        _cleanup_free_ char *command = NULL, *user = NULL, *file = NULL, *stop_path = NULL, *conditions = NULL;
        v.number = unpack_u64(&u);
        v.is_known = get_bool(&u);
        v.is_unit = get_bool(&u);
        v.line = unpack_u32(&u);
        int r = unpack_string(&u, &command);
        if (r == 0)
                r = unpack_string(&u, &user);
        if (r == 0)
                r = unpack_string(&u, &file);
        if (r == 0)
                r = unpack_string(&u, &stop_path);
        if (r == 0)
                r = unpack_string(&u, &conditions);
        v.timeout_us = unpack_i64(&u);
        if (r == 0)
                r = unpack_finish(&u);
        if (r < 0)
                return r;
        v.command = command;
        v.user = user;
        v.file = file;
        v.stop_path = stop_path;
        v.conditions = conditions;
        command = user = file = stop_path = conditions = NULL;
        *ret = v;
        return 0;
}

void wire_described_done(struct wire_described *v) {
        if (!v)
                return;
        free((char *)v->command);
        free((char *)v->user);
        free((char *)v->file);
        free((char *)v->stop_path);
        free((char *)v->conditions);
        *v = (struct wire_described){};
}

void wire_put_number(struct pack *p, uint64_t v) {
        pack_u64(p, v);
}

int wire_get_number(const void *data, size_t size, uint64_t *ret) {
        struct unpack u = unpack_from(data, size);
        uint64_t v = unpack_u64(&u);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

void wire_put_text(struct pack *p, const char *text) {
        pack_string(p, text);
}

int wire_get_text(const void *data, size_t size, char **ret) {
        struct unpack u = unpack_from(data, size);
        _cleanup_free_ char *text = NULL;
        int r = unpack_string(&u, &text);
        if (r < 0)
                return r;
        r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = text;
        text = NULL;
        return 0;
}

const char *wire_type_to_string(uint8_t type) {
        static const char *const names[WIRE_TYPE_MAX] = {
                [WIRE_HELLO] = "HELLO",         [WIRE_DEFINE] = "DEFINE",
                [WIRE_REMOVE] = "REMOVE",       [WIRE_DIAG] = "DIAG",
                [WIRE_COMMIT] = "COMMIT",       [WIRE_COMMITTED] = "COMMITTED",
                [WIRE_START] = "START",         [WIRE_RUN] = "RUN",
                [WIRE_STARTED] = "STARTED",     [WIRE_VALUE] = "VALUE",
                [WIRE_ENDED] = "ENDED",         [WIRE_ACK] = "ACK",
                [WIRE_KILL] = "KILL",           [WIRE_RELOAD] = "RELOAD",
                [WIRE_STOPPING] = "STOPPING",   [WIRE_OUTPUT] = "OUTPUT",
                [WIRE_FILES] = "FILES",         [WIRE_WATCH] = "WATCH",
                [WIRE_DESCRIBE] = "DESCRIBE",   [WIRE_DESCRIBED] = "DESCRIBED",
                [WIRE_SYNCED] = "SYNCED",       [WIRE_GROUP] = "GROUP",
                [WIRE_HOST_LOAD] = "HOST_LOAD", [WIRE_HOST_UNLOADED] = "HOST_UNLOADED",
                [WIRE_LEAVE] = "LEAVE",
        };
        return type < ARRAY_SIZE(names) && names[type] ? names[type] : "?";
}
