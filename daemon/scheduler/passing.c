// SPDX-License-Identifier: MIT
// passing: parameters on their way from a trigger to its run, and on to its further attempts. A run is known by its number from the moment on
// at which somebody was told of it, so they are kept by numbers, and nothing is in a job's own state.

#include "daemon/scheduler/engine_internal.h"

struct needs {
        const struct engine *e;
        const struct job_cold *cold;
};

/* True if an attempt waits that was lost with the scheduler before. */
static bool has_attempt_waiting(const struct job_cold *cold) {
        if (cold->waiting.is_slot && cold->waiting.item == WIRE_ITEM_RETRY)
                return true;
        for (uint32_t i = 0; cold->line && i < cold->line->n; i++)
                if (cold->line->slots[i].item == WIRE_ITEM_RETRY)
                        return true;
        return false;
}

static bool is_needed(const void *userdata, uint64_t run) {
        const struct needs *needs = userdata;
        const struct job_cold *cold = needs->cold;
        if (run == PARCEL_OF_WAITING)
                return has_attempt_waiting(cold);
        if (cold->run.run == run || cold->waiting.run == run || (cold->retry.is_waiting && cold->retry.run == run))
                return true;
        for (const struct beside_row *row = beside_walk(needs->e, cold->beside); row; row = beside_walk(needs->e, row->next))
                if (row->run.run == run)
                        return true;
        return false;
}

void passing_sweep(struct engine *e) {
        uint32_t job = INDEX_NONE;
        while ((job = parcels_next_stale(&e->parcels, job)) != INDEX_NONE) {
                const struct job_row *row = engine_row(e, job);
                if (!row->is_restored) /* else it is not known yet what of it goes on */
                        parcels_keep(&e->parcels, job, is_needed, &(struct needs){e, registry_cold(&e->jobs, row)});
        }
}

void passing_promise(struct engine *e, uint32_t job, uint64_t run, const struct engine_trigger *trigger) {
        if (trigger->parameters_size == 0 || parcels_find(&e->parcels, job, run))
                return;
        struct parcel *parcel = parcel_new(trigger->parameters, trigger->parameters_size);
        if (!parcel || parcels_add(&e->parcels, job, run, parcel) < 0) {
                parcel_drop(parcel);
                e->has_failed = true;
        }
}

void passing_follow(struct engine *e, uint32_t job, uint64_t from, uint64_t to) {
        if (parcels_pass(&e->parcels, job, from, to) < 0)
                e->has_failed = true;
}

bool passing_clashes(const struct engine *e, uint32_t job, uint64_t a, uint64_t b) {
        if (e->parcels.n == 0 || a == 0 || b == 0)
                return false;
        const struct parcel *parcel = parcels_find(&e->parcels, job, a);
        return !parcels_are_same(&e->parcels, job, b, parcel ? parcel->data : NULL, parcel ? parcel->size : 0);
}

uint64_t engine_trigger_meets(const struct engine *e, uint32_t job, const struct engine_trigger *trigger) {
        const struct job_cold *cold = registry_cold(&e->jobs, &e->jobs.rows[job]);
        if (!cold)
                return 0;
        if (cold->run.run > 0 && trigger->if_running == TRIGGER_JOIN && !cold->run.is_ending)
                return cold->run.run;
        if (cold->waiting.run > 0)
                return cold->waiting.run;
        if (cold->waiting.is_slot && cold->waiting.item == WIRE_ITEM_RETRY)
                return PARCEL_OF_WAITING;
        return cold->retry.is_waiting ? cold->retry.run : 0;
}

enum trigger_outcome passing_refuse(const struct engine *e, uint32_t job, const struct engine_trigger *trigger) {
        if (e->parcels.n == 0 && trigger->parameters_size == 0)
                return TRIGGER_STARTED;
        uint64_t met = engine_trigger_meets(e, job, trigger);
        if (met > 0 && !parcels_are_same(&e->parcels, job, met, trigger->parameters, trigger->parameters_size))
                return TRIGGER_PARAMETERS_DIFFER;
        bool is_full = trigger->parameters_size > 0 && !parcels_have_room(&e->parcels, trigger->parameters_size);
        return is_full ? TRIGGER_PARAMETERS_FULL : TRIGGER_STARTED;
}

const char *engine_parameters(const struct engine *e, uint32_t job, uint64_t run, size_t *ret_size) {
        const struct parcel *parcel = e->parcels.n > 0 ? parcels_find(&e->parcels, job, run) : NULL;
        *ret_size = parcel ? parcel->size : 0;
        return parcel ? parcel->data : NULL;
}

const char *engine_job_accepted(const struct engine *e, uint32_t job) {
        return registry_accepted(&e->jobs, &e->jobs.rows[job]);
}
