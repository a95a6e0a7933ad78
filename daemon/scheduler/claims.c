// SPDX-License-Identifier: MIT
// claims: what must be durable before a slot starts, so that no death can start it again. The horizon moves ahead of all slots in one
// small commit; a slot that the horizon can't speak for (it starts late, or the ledger has not its job yet) parks its job until
// the ledger has taken the job's image. One claim is on its way at a time: what comes meanwhile travels together with the next.

#include "daemon/scheduler/engine_internal.h"

/* A claim is renewed when so much of it is left. */
static int64_t reserve_us(const struct engine *e) {
        return ENGINE_CLAIM_LEAD_US / 2 + e->claim_took_us;
}

static int64_t lead_us(const struct engine *e) {
        return ENGINE_CLAIM_LEAD_US + e->claim_took_us;
}

static bool is_on_its_way(const struct engine *e) {
        return e->asked_at_bt_us < INT64_MAX;
}

/* The ledger takes too long: slots do without. */
static bool is_overdue(const struct engine *e, struct clock_sample now) {
        return !e->holds_slots && is_on_its_way(e) && now.bt_us - e->asked_at_bt_us >= ENGINE_CLAIM_WAIT_US;
}

/* The claim that the ledger has, or will have, is the one that a start needs. */
static bool is_claimed(const struct job_cold *cold, bool is_own, int64_t key) {
        if (is_own)
                return cold->is_claim_own && cold->claimed_key == key;
        return !cold || !cold->is_claim_own;
}

bool claims_is_without(const struct engine *e, struct clock_sample now, uint32_t job, int64_t key) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_when *when = engine_policy(e, row);
        if (!e->has_ledger || !plan_is_claimed(when))
                return false;
        bool is_below = plan_is_wall(when) ? now.rt_us <= e->horizon.rt_us : now.bt_us <= e->horizon.bt_us;
        return !row->is_written || !is_below || !is_claimed(registry_cold(&e->jobs, row), claims_are_own(e, row), key);
}

bool claims_take(struct engine *e, struct clock_sample now, uint32_t job, int64_t key) {
        struct job_row *row = engine_row(e, job);
        if (!claims_is_without(e, now, job, key) || is_overdue(e, now))
                return true;
        struct job_cold *cold = registry_cold(&e->jobs, row);
        bool is_own = claims_are_own(e, row), is_right = is_claimed(cold, is_own, key);
        if (cold) {
                cold->is_claim_own = is_own;
                cold->claimed_key = key;
        }
        row->is_written = false; /* what the ledger has is another claim, until this one is released */
        if (!schedule_has(&e->parked, job) || !is_right) {
                schedule_set(&e->parked, job, (int64_t)e->n_claims + 1);
                engine_emit(e, ACTION_WRITE, job);
        }
        return false;
}

bool claims_take_attempt(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_retry *retry = &registry_cold(&e->jobs, row)->retry;
        if (!e->has_ledger || !plan_is_claimed(engine_policy(e, row)) || is_overdue(e, now))
                return true;
        if (retry->is_claimed && row->is_written)
                return true;
        if (!retry->is_claimed || !schedule_has(&e->parked, job)) {
                retry->is_claimed = true;
                row->is_written = false;
                schedule_set(&e->parked, job, (int64_t)e->n_claims + 1);
                engine_emit(e, ACTION_WRITE, job);
        }
        return false;
}

bool claims_are_own(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && (cold->waiting.is_slot || catch_up_is_open(e, row));
}

int64_t claims_last_key(const struct engine *e, uint32_t job) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        if (e->is_stopping) /* nothing starts any more */
                return INT64_MIN;
        bool is_claimed_at_all = plan_is_claimed(engine_policy(e, row));
        if (is_claimed_at_all && !row->is_written && !schedule_has(&e->parked, job))
                return INT64_MIN;
        if (!is_claimed_at_all || !claims_are_own(e, row)) /* of slots that are never claimed each may have begun */
                return INT64_MAX;
        return cold->is_claim_own ? cold->claimed_key : INT64_MIN;
}

/* The first parked job need not wait any more. */
static void release(struct engine *e, bool is_written) {
        uint32_t job = schedule_first(&e->parked)->id;
        schedule_remove(&e->parked, job);
        engine_row(e, job)->is_written = is_written;
        slots_arm(e, job);
}

void claims_release_overdue(struct engine *e, struct clock_sample now) {
        while (schedule_first(&e->parked) && is_overdue(e, now))
                release(e, false);
}

void engine_claimed(struct engine *e, struct clock_sample now, struct clock_sample horizon) {
        if (!is_on_its_way(e) || horizon.bt_us != e->asked.bt_us || horizon.rt_us != e->asked.rt_us)
                return; /* it was lowered since */
        int64_t took_us = now.bt_us - e->asked_at_bt_us;
        e->horizon = horizon;
        e->asked_at_bt_us = INT64_MAX;
        e->claim_took_us = took_us < ENGINE_CLAIM_WAIT_US ? took_us : ENGINE_CLAIM_WAIT_US;
        while (schedule_first(&e->parked) && schedule_first(&e->parked)->at_us <= (int64_t)e->n_claims)
                release(e, true);
}

/* True if a slot comes soon for which what was asked is not enough for long. */
static bool is_near(const struct engine *e, const struct schedule *queue, int64_t now_us, int64_t asked_us) {
        const struct schedule_entry *first = schedule_first(queue);
        return first && first->at_us <= now_us + lead_us(e) && asked_us < now_us + reserve_us(e);
}

void claims_ask(struct engine *e, struct clock_sample now) {
        if (!e->has_ledger || is_on_its_way(e))
                return;
        bool is_wanted = e->is_claim_lowered || (schedule_first(&e->parked) && now.bt_us >= e->next_claim_bt_us);
        bool is_real_near = e->is_clock_trusted && is_near(e, &e->real_wake, now.rt_us, e->asked.rt_us);
        if (!is_wanted && !is_real_near && !is_near(e, &e->boot_wake, now.bt_us, e->asked.bt_us))
                return;
        int64_t span_us = ENGINE_CLAIM_SPAN_US + 2 * e->claim_took_us;
        e->asked = (struct clock_sample){.rt_us = now.rt_us + span_us, .bt_us = now.bt_us + span_us};
        if (!e->is_clock_trusted) /* no slot of it starts */
                e->asked.rt_us = e->past_horizon.rt_us;
        e->asked_at_bt_us = now.bt_us;
        e->next_claim_bt_us = now.bt_us + ENGINE_CLAIM_GAP_US;
        e->is_claim_lowered = false;
        e->n_claims++;
        engine_emit(e, ACTION_HORIZON, INDEX_NONE)->horizon = e->asked;
}

/* When is_near() will be true of a queue. */
static int64_t near_at(const struct engine *e, const struct schedule *queue, int64_t asked_us) {
        const struct schedule_entry *first = schedule_first(queue);
        if (!first || first->at_us == INT64_MAX)
                return INT64_MAX;
        int64_t slot_us = first->at_us - lead_us(e), renew_us = asked_us - reserve_us(e);
        return slot_us > renew_us ? slot_us : renew_us + 1;
}

void claims_next_wake(const struct engine *e, int64_t *bt_us, int64_t *rt_us) {
        int64_t wake_us = INT64_MAX;
        if (!e->has_ledger)
                return;
        if (is_on_its_way(e)) {
                if (schedule_first(&e->parked) && !e->holds_slots)
                        wake_us = e->asked_at_bt_us + ENGINE_CLAIM_WAIT_US;
        } else {
                int64_t near_rt_us = near_at(e, &e->real_wake, e->asked.rt_us);
                wake_us = near_at(e, &e->boot_wake, e->asked.bt_us);
                if (e->is_claim_lowered)
                        wake_us = 0;
                if (schedule_first(&e->parked) && e->next_claim_bt_us < wake_us)
                        wake_us = e->next_claim_bt_us;
                if (near_rt_us < *rt_us)
                        *rt_us = near_rt_us;
        }
        if (wake_us < *bt_us)
                *bt_us = wake_us;
}

void claims_lower(struct engine *e) {
        e->horizon = e->asked = (struct clock_sample){.rt_us = ENGINE_CLAIM_NONE, .bt_us = ENGINE_CLAIM_NONE};
        e->asked_at_bt_us = INT64_MAX;
        e->is_claim_lowered = e->has_ledger;
}

void claims_sleep(struct engine *e, int64_t slept_us) {
        if (is_on_its_way(e))
                e->asked_at_bt_us += slept_us;
}
