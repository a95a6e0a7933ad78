// SPDX-License-Identifier: MIT
// waiting: slots that can't start at their instant: they wait for a run to end, for the next attempt, for conditions, or for a place.
// Each was taken off its plan when it began to wait, and the ledger is told of it.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t waiting_count(const struct job_cold *cold) {
        return cold->waiting.is_slot + (cold->line ? cold->line->n : 0);
}

bool waiting_has_room(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        uint32_t n = waiting_count(registry_cold(&e->jobs, row));
        return n == 0 || (when->overlap == JOB_OVERLAP_QUEUE && n < when->queue_max);
}

/* Room for one more. 0, -ENOMEM. */
static int reserve_line(struct job_cold *cold) {
        uint32_t n = cold->line ? cold->line->n : 0;
        if (cold->line && n < cold->line->allocated)
                return 0;
        uint32_t allocated = n * 2 + 2;
        struct job_line *line = realloc(cold->line, sizeof(*line) + allocated * sizeof(line->slots[0]));
        if (!line)
                return -ENOMEM;
        line->n = n;
        line->allocated = allocated;
        cold->line = line;
        return 0;
}

/* A slot stands first, beside the trigger. */
static void put_first(struct job_cold *cold, const struct job_waiting *slot) {
        struct job_waiting *first = &cold->waiting;
        bool is_trigger = first->is_trigger, is_forced = first->is_forced;
        uint64_t run = first->run;
        *first = *slot;
        first->is_slot = true;
        first->is_trigger = is_trigger;
        first->is_forced = is_forced;
        first->run = run;
}

void waiting_put(struct engine *e, uint32_t job, const struct job_waiting *slot) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (!cold->waiting.is_slot)
                put_first(cold, slot);
        else if (reserve_line(cold) == 0) {
                cold->line->slots[cold->line->n] = *slot;
                cold->line->slots[cold->line->n++].is_slot = true;
        } else
                e->has_failed = true;
        slots_note_late(e, job);
}

void waiting_put_back(struct engine *e, uint32_t job, const struct job_waiting *slot) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (cold->waiting.is_slot && reserve_line(cold) < 0) {
                e->has_failed = true;
                return;
        }
        if (cold->waiting.is_slot) {
                struct job_line *line = cold->line;
                memmove(&line->slots[1], &line->slots[0], line->n * sizeof(line->slots[0]));
                line->n++;
                line->slots[0] = cold->waiting;
        }
        put_first(cold, slot);
        slots_note_late(e, job);
}

static void drop_from_line(struct job_cold *cold, uint32_t at) {
        struct job_line *line = cold->line;
        if (--line->n > 0)
                memmove(&line->slots[at], &line->slots[at + 1], (line->n - at) * sizeof(line->slots[0]));
        else {
                free(line);
                cold->line = NULL;
        }
}

void waiting_take(struct engine *e, uint32_t job) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        struct job_line *line = cold->line;
        cold->waiting = (struct job_waiting){
                .is_trigger = cold->waiting.is_trigger,
                .is_forced = cold->waiting.is_forced,
                .run = cold->waiting.run,
        };
        if (!line)
                return;
        put_first(cold, &line->slots[0]);
        drop_from_line(cold, 0);
}

static bool is_slot_of(const struct job_waiting *slot, enum wire_item item, uint32_t segment, int64_t key) {
        return slot->is_slot && slot->item == item && slot->segment == segment && slot->key == key;
}

bool waiting_remove(struct engine *e, uint32_t job, enum wire_item item, uint32_t segment, int64_t key) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (is_slot_of(&cold->waiting, item, segment, key)) {
                waiting_take(e, job);
                return true;
        }
        for (uint32_t i = 0; cold->line && i < cold->line->n; i++)
                if (is_slot_of(&cold->line->slots[i], item, segment, key)) {
                        drop_from_line(cold, i);
                        return true;
                }
        return false;
}

/* Where StartDeadline= is not set: the next slot takes the place of one that conditions or a pool keep. */
static int64_t next_slot_bt(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        const struct job_waiting *first = &registry_cold(&e->jobs, row)->waiting;
        bool is_limited = first->awaits != JOB_AWAITS_RUN;
        bool lasts = when->overlap == JOB_OVERLAP_QUEUE || when->catch_up == JOB_CATCH_UP_ALL;
        if (!is_limited || lasts || when->start_deadline_us != JOB_DEADLINE_NEXT || !plan_is_grid(when) ||
            !engine_has_plan(row) || row->is_paused)
                return INT64_MAX;
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t due_us = plan_due(&grid, row->key);
        if (due_us >= INT64_MAX / 2 || row->next_us > grid.until_us)
                return INT64_MAX;
        return plan_is_wall(when) ? due_us - e->offset_us : due_us;
}

/* When the first one is given up. */
static int64_t give_up_at(const struct engine *e, const struct job_row *row, enum slot_reason *ret_reason) {
        static const enum slot_reason reasons[JOB_AWAITS_MAX] = {
                [JOB_AWAITS_RUN] = SLOT_REASON_DEADLINE,
                [JOB_AWAITS_RETRY] = SLOT_REASON_RESOURCES,
                [JOB_AWAITS_CONDITION] = SLOT_REASON_CONDITION_WAIT,
                [JOB_AWAITS_POOL] = SLOT_REASON_POOL,
        };
        const struct job_waiting *first = &registry_cold(&e->jobs, row)->waiting;
        const struct job_when *when = engine_policy(e, row);
        int64_t at_us = next_slot_bt(e, row);
        *ret_reason = reasons[first->awaits];
        if (first->until_bt_us > 0 && first->until_bt_us < at_us) {
                at_us = first->until_bt_us;
                *ret_reason = first->until_reason;
        }
        bool is_limited = when->start_deadline_us != JOB_DEADLINE_NEXT && when->start_deadline_us <= DURATION_MAX &&
                          first->item != WIRE_ITEM_RETRY;
        if (is_limited && first->due_bt_us + when->start_deadline_us + 1 < at_us) {
                at_us = first->due_bt_us + when->start_deadline_us + 1;
                *ret_reason = waiting_late_reason(first);
        }
        return at_us;
}

int64_t waiting_wake(const struct engine *e, uint32_t job) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_waiting *first = &registry_cold(&e->jobs, row)->waiting;
        enum slot_reason reason;
        if (pools_is_queued(e, registry_cold(&e->jobs, row)))
                return first->is_slot ? give_up_at(e, row, &reason) : INT64_MAX;
        if (first->is_trigger || !first->is_slot || first->awaits == JOB_AWAITS_RUN)
                return 0;
        return duration_lower(first->from_bt_us, give_up_at(e, row, &reason));
}

void waiting_give_up(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        enum slot_reason reason;
        while (cold->waiting.is_slot && cold->waiting.awaits != JOB_AWAITS_RUN && give_up_at(e, row, &reason) <= now.bt_us) {
                bool is_of_plan = cold->waiting.item == WIRE_ITEM_SCHEDULE && cold->waiting.segment == row->segment;
                bool is_soon = now.bt_us - cold->waiting.due_bt_us < ENGINE_TELL_US; /* many may follow */
                if (reason == SLOT_REASON_POOL && is_of_plan && is_soon)
                        slots_miss_waiting(e, now, job, reason);
                else
                        slots_tell_waiting(e, job, SLOT_MISSED, reason);
                waiting_go_without(e, now, job);
        }
}

void waiting_go_without(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        if (!engine_has_plan(row) || engine_is_busy(e, row))
                return;
        if (plan_is_delay(when) && row->next_us == INT64_MAX && !row->is_paused)
                row->next_us = engine_next_delay(e, row, when, now.bt_us);
        if (plan_has_delay(when) && registry_cold(&e->jobs, row)->delay_bt_us == 0)
                delay_begin(e, job, now.bt_us);
}
