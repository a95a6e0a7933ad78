// SPDX-License-Identifier: MIT
// tick: layout of the records between scheduler, host and runner. Those that travel with every tick are one fixed block and what
// follows it: such a record is written and read in one piece, at any rate.

#include "daemon/core/tick.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/util.h"

/* The largest members first: there is no padding, and what is reserved is 0. */
struct run_block {
        uint64_t run;
        int64_t anchor_us, key, slot_us, slot_rt_us;
        uint64_t missed, seal;
        uint32_t handle, segment;
        uint16_t attempt;
        uint8_t item, cause, last_result, reserved[3];
};
_Static_assert(sizeof(struct run_block) == 72, "no padding");

struct answer_block {
        uint64_t run;
        int64_t begin_bt_us;
        uint64_t duration_us;
        uint32_t error;
        int16_t exit_code;
        uint8_t result, signal, step, reserved[7];
};
_Static_assert(sizeof(struct answer_block) == 40, "no padding");

static const uint8_t zeros[8];

/* The block in front, and what follows it. False where it is not there or that is too long. */
static bool get_block(const void *data, size_t size, void *block, size_t block_size, size_t max, const void **ret_rest,
                      size_t *ret_rest_size) {
        if (size < block_size || size - block_size > max)
                return false;
        memcpy(block, data, block_size);
        *ret_rest_size = size - block_size;
        *ret_rest = *ret_rest_size > 0 ? (const uint8_t *)data + block_size : NULL;
        return true;
}

/* Each a NAME=VALUE with its NUL. */
static bool are_parameters(const char *text, size_t size) {
        if (size > 0 && text[size - 1] != '\0')
                return false;
        for (size_t at = 0; at < size; at += strlen(text + at) + 1)
                if (text[at] == '=' || !strchr(text + at, '='))
                        return false;
        return true;
}

void tick_put_hello(struct pack *p, const struct tick_hello *v) {
        pack_u16(p, v->version);
        pack_u64(p, v->epoch);
        pack_u64(p, v->answered);
}

int tick_get_hello(const void *data, size_t size, struct tick_hello *ret) {
        struct unpack u = unpack_from(data, size);
        struct tick_hello v = {.version = unpack_u16(&u)};
        v.epoch = unpack_u64(&u);
        v.answered = unpack_u64(&u);
        int r = unpack_finish(&u);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

void tick_put_loaded(struct pack *p, const struct tick_loaded *v) {
        pack_u32(p, v->handle);
        pack_raw(p, &v->hash, sizeof(v->hash));
}

int tick_get_loaded(const void *data, size_t size, struct tick_loaded *ret) {
        struct tick_loaded v = {};
        if (size != sizeof(v.handle) + sizeof(v.hash))
                return -EBADMSG;
        memcpy(&v.handle, data, sizeof(v.handle));
        memcpy(&v.hash, (const uint8_t *)data + sizeof(v.handle), sizeof(v.hash));
        *ret = v;
        return 0;
}

void tick_put_run(struct pack *p, const struct tick_run *v) {
        const struct wire_start *start = &v->start;
        struct run_block block = {.run = start->run,
                                  .anchor_us = start->anchor_us,
                                  .key = start->key,
                                  .slot_us = start->slot_us,
                                  .slot_rt_us = start->slot_rt_us,
                                  .missed = start->missed,
                                  .seal = v->seal,
                                  .handle = v->handle,
                                  .segment = start->segment,
                                  .attempt = start->attempt,
                                  .item = (uint8_t)start->item,
                                  .cause = (uint8_t)start->cause,
                                  .last_result = (uint8_t)start->last_result};
        pack_raw(p, &block, sizeof(block));
        pack_raw(p, v->parameters, v->parameters_size);
}

int tick_get_run(const void *data, size_t size, struct tick_run *ret) {
        struct run_block block;
        const void *parameters;
        size_t parameters_size;
        if (!get_block(data, size, &block, sizeof(block), TICK_PARAMETERS_MAX, &parameters, &parameters_size))
                return -EBADMSG;
        if (block.run == 0 || block.attempt == 0 || block.item >= WIRE_ITEM_MAX || block.cause >= RUN_CAUSE_MAX ||
            block.last_result >= RUN_RESULT_MAX || memcmp(block.reserved, zeros, sizeof(block.reserved)) != 0 ||
            !are_parameters(parameters, parameters_size))
                return -EBADMSG;
        *ret = (struct tick_run){.handle = block.handle,
                                 .seal = block.seal,
                                 .start = {.run = block.run,
                                           .item = block.item,
                                           .segment = block.segment,
                                           .anchor_us = block.anchor_us,
                                           .key = block.key,
                                           .slot_us = block.slot_us,
                                           .slot_rt_us = block.slot_rt_us,
                                           .cause = block.cause,
                                           .attempt = block.attempt,
                                           .missed = block.missed,
                                           .last_result = block.last_result},
                                 .parameters = parameters,
                                 .parameters_size = parameters_size};
        return 0;
}

void tick_put_begun(struct pack *p, const struct tick_begun *v) {
        pack_u64(p, v->run);
        pack_i64(p, v->begin_bt_us);
}

int tick_get_begun(const void *data, size_t size, struct tick_begun *ret) {
        struct unpack u = unpack_from(data, size);
        struct tick_begun v = {.run = unpack_u64(&u)};
        v.begin_bt_us = unpack_i64(&u);
        if (unpack_finish(&u) < 0 || v.run == 0 || v.begin_bt_us <= 0)
                return -EBADMSG;
        *ret = v;
        return 0;
}

void tick_put_answer(struct pack *p, const struct tick_answer *v) {
        struct answer_block block = {.run = v->run,
                                     .begin_bt_us = v->begin_bt_us,
                                     .duration_us = v->duration_us,
                                     .error = v->error,
                                     .exit_code = v->exit_code,
                                     .result = (uint8_t)v->result,
                                     .signal = v->signal,
                                     .step = (uint8_t)v->step};
        pack_raw(p, &block, sizeof(block));
        pack_raw(p, v->value, v->value_size);
}

int tick_get_answer(const void *data, size_t size, struct tick_answer *ret) {
        struct answer_block block;
        const void *value;
        size_t value_size;
        if (!get_block(data, size, &block, sizeof(block), TICK_VALUE_MAX, &value, &value_size))
                return -EBADMSG;
        if (block.run == 0 || block.result == RUN_RESULT_NONE || block.result >= RUN_RESULT_MAX || block.step >= RUN_STEP_MAX ||
            block.begin_bt_us < 0 || block.duration_us > INT64_MAX || block.exit_code < -1 || block.exit_code > 255 ||
            block.signal >= NSIG || block.error > INT32_MAX || memcmp(block.reserved, zeros, sizeof(block.reserved)) != 0)
                return -EBADMSG;
        *ret = (struct tick_answer){.run = block.run,
                                    .result = block.result,
                                    .exit_code = block.exit_code,
                                    .signal = block.signal,
                                    .step = block.step,
                                    .error = block.error,
                                    .begin_bt_us = block.begin_bt_us,
                                    .duration_us = block.duration_us,
                                    .value = value,
                                    .value_size = value_size};
        return 0;
}

void tick_put_cancel(struct pack *p, const struct tick_cancel *v) {
        pack_u64(p, v->run);
        pack_u8(p, (uint8_t)v->result);
}

int tick_get_cancel(const void *data, size_t size, struct tick_cancel *ret) {
        struct unpack u = unpack_from(data, size);
        struct tick_cancel v = {.run = unpack_u64(&u)};
        v.result = unpack_u8(&u);
        if (unpack_finish(&u) < 0 || v.run == 0 || (v.result != RUN_RESULT_TIMEOUT && v.result != RUN_RESULT_CANCELLED))
                return -EBADMSG;
        *ret = v;
        return 0;
}

void tick_put_handle(struct pack *p, uint32_t handle) {
        pack_u32(p, handle);
}

int tick_get_handle(const void *data, size_t size, uint32_t *ret) {
        if (size != sizeof(*ret))
                return -EBADMSG;
        memcpy(ret, data, sizeof(*ret));
        return 0;
}

void order_put_load(struct pack *p, const struct order_load *v) {
        pack_u32(p, v->handle);
        pack_raw(p, &v->hash, sizeof(v->hash));
        pack_u32(p, v->owner);
        pack_string(p, v->name);
        pack_bytes(p, v->what, v->what_size);
}

int order_get_load(const void *data, size_t size, struct order_load *ret) {
        struct unpack u = unpack_from(data, size);
        struct order_load v = {.handle = unpack_u32(&u)};
        _cleanup_free_ char *name = NULL;
        const char *why;
        const void *hash = unpack_raw(&u, sizeof(v.hash));
        if (hash)
                memcpy(&v.hash, hash, sizeof(v.hash));
        v.owner = unpack_u32(&u);
        int r = unpack_string(&u, &name);
        if (r < 0)
                return r;
        v.what = unpack_bytes(&u, &v.what_size);
        r = unpack_finish(&u);
        if (r < 0)
                return r;
        if (v.what_size > JOB_WHAT_MAX || !job_name_is_valid(name, &why))
                return -EBADMSG;
        v.name = name;
        name = NULL;
        *ret = v;
        return 0;
}

void order_load_done(struct order_load *v) {
        if (!v)
                return;
        free((char *)v->name);
        *v = (struct order_load){};
}

const char *tick_type_to_string(uint8_t type) {
        static const char *const names[TICK_TYPE_MAX] = {
                [TICK_HELLO] = "HELLO",   [TICK_LOADED] = "LOADED", [TICK_RUN] = "RUN", [TICK_BEGUN] = "BEGUN",
                [TICK_ANSWER] = "ANSWER", [TICK_SYNCED] = "SYNCED", [TICK_ACK] = "ACK", [TICK_CANCEL] = "CANCEL",
                [TICK_UNLOAD] = "UNLOAD", [TICK_QUIT] = "QUIT",
        };
        return type < ARRAY_SIZE(names) && names[type] ? names[type] : "?";
}

const char *tick_phase_to_string(uint32_t phase) {
        static const char *const names[TICK_PHASE_MAX] = {
                [TICK_PHASE_IDLE] = "idle",     [TICK_PHASE_LOAD] = "load",     [TICK_PHASE_RUN] = "run",
                [TICK_PHASE_CANCEL] = "cancel", [TICK_PHASE_UNLOAD] = "unload", [TICK_PHASE_RENEW] = "renew",
        };
        return phase < ARRAY_SIZE(names) && names[phase] ? names[phase] : "?";
}
