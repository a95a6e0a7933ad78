// SPDX-License-Identifier: MIT
// ledger_row: a record is its kind, the plain struct, and behind it each text and byte string that the struct points to. Writer and
// reader are the same process, so the struct travels as it is; its pointers are set anew at the other end.

#include "daemon/scheduler/ledger_row.h"

#include <string.h>

static const size_t row_sizes[] = {
        [LEDGER_ROW_JOB] = sizeof(struct ledger_job),     [LEDGER_ROW_RUN] = sizeof(struct ledger_run),
        [LEDGER_ROW_RANGE] = sizeof(struct ledger_range), [LEDGER_ROW_SEGMENT] = sizeof(struct ledger_segment),
        [LEDGER_ROW_CLOCK] = sizeof(struct ledger_clock), [LEDGER_ROW_HORIZON] = sizeof(struct ledger_horizon),
        [LEDGER_ROW_LIFE] = sizeof(struct ledger_life),   [LEDGER_ROW_FOLDED] = sizeof(struct ledger_folded),
        [LEDGER_ROW_GROUP] = sizeof(struct ledger_group),
};

/* NULL stays NULL; a text is followed by its NUL. */
static void put_bytes(struct pack *p, const void *data, size_t size) {
        pack_u32(p, data ? (uint32_t)size + 1 : 0);
        if (data)
                pack_raw(p, data, size);
}

static void put_text(struct pack *p, const char *text) {
        put_bytes(p, text, text ? strlen(text) + 1 : 0);
}

static const void *get_bytes(struct unpack *u) {
        uint32_t size = unpack_u32(u);
        return size > 0 ? unpack_raw(u, size - 1) : NULL;
}

void ledger_row_put(struct pack *p, const struct ledger_row *row) {
        pack_u8(p, (uint8_t)row->kind);
        pack_raw(p, &row->job, row_sizes[row->kind]);
        put_text(p, ledger_row_job(row));
        switch (row->kind) {
        case LEDGER_ROW_JOB:
                put_text(p, row->job.when);
                put_bytes(p, row->job.plan, row->job.plan_size);
                put_text(p, row->job.hold.by);
                put_text(p, row->job.hold.reason);
                break;
        case LEDGER_ROW_RUN:
                put_bytes(p, row->run.value, row->run.value_size);
                break;
        case LEDGER_ROW_SEGMENT:
                put_text(p, row->segment.when);
                break;
        case LEDGER_ROW_GROUP:
                put_text(p, row->group.name);
                put_text(p, row->group.hold.by);
                put_text(p, row->group.hold.reason);
                break;
        case LEDGER_ROW_RANGE:
        case LEDGER_ROW_CLOCK:
        case LEDGER_ROW_HORIZON:
        case LEDGER_ROW_LIFE:
        case LEDGER_ROW_FOLDED:
        case LEDGER_ROW_MAX:
                break;
        }
}

int ledger_row_get(struct unpack *u, struct ledger_row *ret) {
        if (u->bad || u->at == u->end)
                return 0;
        struct ledger_row row = {.kind = (enum ledger_row_kind)unpack_u8(u)};
        const void *data = unpack_raw(u, row_sizes[row.kind]);
        if (!data)
                return 0;
        memcpy(&row.job, data, row_sizes[row.kind]);
        const char *job = get_bytes(u);
        switch (row.kind) {
        case LEDGER_ROW_JOB:
                row.job.name = job;
                row.job.when = get_bytes(u);
                row.job.plan = get_bytes(u);
                row.job.hold.by = (char *)get_bytes(u);
                row.job.hold.reason = (char *)get_bytes(u);
                break;
        case LEDGER_ROW_RUN:
                row.run.job = job;
                row.run.value = get_bytes(u);
                break;
        case LEDGER_ROW_RANGE:
                row.range.job = job;
                break;
        case LEDGER_ROW_SEGMENT:
                row.segment.job = job;
                row.segment.when = get_bytes(u);
                break;
        case LEDGER_ROW_FOLDED:
                row.folded.job = job;
                break;
        case LEDGER_ROW_GROUP:
                row.group.name = get_bytes(u);
                row.group.hold.by = (char *)get_bytes(u);
                row.group.hold.reason = (char *)get_bytes(u);
                break;
        case LEDGER_ROW_CLOCK:
        case LEDGER_ROW_HORIZON:
        case LEDGER_ROW_LIFE:
        case LEDGER_ROW_MAX:
                break;
        }
        *ret = row;
        return u->bad ? 0 : 1;
}

const char *ledger_row_job(const struct ledger_row *row) {
        switch (row->kind) {
        case LEDGER_ROW_JOB:
                return row->job.name;
        case LEDGER_ROW_RUN:
                return row->run.job;
        case LEDGER_ROW_RANGE:
                return row->range.job;
        case LEDGER_ROW_SEGMENT:
                return row->segment.job;
        case LEDGER_ROW_FOLDED:
                return row->folded.job;
        case LEDGER_ROW_GROUP:
        case LEDGER_ROW_CLOCK:
        case LEDGER_ROW_HORIZON:
        case LEDGER_ROW_LIFE:
        case LEDGER_ROW_MAX:
                break;
        }
        return NULL;
}

bool ledger_range_is_alike(const struct ledger_range *a, const struct ledger_range *b) {
        return a->item == b->item && a->segment == b->segment && a->outcome == b->outcome && a->reason == b->reason &&
               a->result == b->result && (a->outcome == SLOT_RAN || a->run == b->run) &&
               a->first_rt_us / USEC_PER_DAY == b->last_rt_us / USEC_PER_DAY;
}

bool ledger_range_is_joined(const struct ledger_range *a, const struct ledger_range *b) {
        return a->last != INT64_MAX && b->first == a->last + 1 && ledger_range_is_alike(a, b);
}

void ledger_range_join(struct ledger_range *a, const struct ledger_range *b) {
        a->last = b->last;
        a->last_rt_us = b->last_rt_us;
        a->n += b->n;
        a->told_rt_us = b->told_rt_us;
        if (b->lag_us > a->lag_us)
                a->lag_us = b->lag_us;
}
