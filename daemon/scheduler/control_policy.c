// SPDX-License-Identifier: MIT
// control_policy: what a definition leaves to its default is told as the value that it comes to.

#include "daemon/scheduler/control_policy.h"

#include "config/ties.h"
#include "daemon/scheduler/control_json.h"

#define TIES_TOLD 100 /* of either direction */

static json_t *policy_json(const struct job_when *when) {
        static const char *const overlaps[] = {
                [JOB_OVERLAP_SKIP] = "skip",
                [JOB_OVERLAP_QUEUE] = "queue",
                [JOB_OVERLAP_REPLACE] = "replace",
                [JOB_OVERLAP_PARALLEL] = "parallel",
        };
        static const char *const catch_ups[] = {
                [JOB_CATCH_UP_NONE] = "none",
                [JOB_CATCH_UP_ONE] = "one",
                [JOB_CATCH_UP_ALL] = "all",
        };
        bool has_schedule = job_when_has_schedule(when), is_retried = when->retries > 0;
        int64_t deadline_us = when->start_deadline_us;
        json_t *o = json_object();
        control_put_text(&o, "overlap", overlaps[when->overlap]);
        control_put_known(&o, "queueMax", when->overlap == JOB_OVERLAP_QUEUE, when->queue_max);
        control_put_known(&o, "maxParallel", when->overlap == JOB_OVERLAP_PARALLEL, when->max_parallel);
        control_put_text(&o, "catchUp", has_schedule ? catch_ups[when->catch_up] : NULL);
        control_put_known(&o, "catchUpMax", has_schedule && when->catch_up == JOB_CATCH_UP_ALL, when->catch_up_max);
        control_put_known(&o, "startDeadlineUsec", deadline_us != JOB_DEADLINE_NEXT,
                          deadline_us == DURATION_INFINITY ? -1 : deadline_us);
        control_put_int(&o, "retries", when->retries);
        control_put_known(&o, "retryDelayUsec", is_retried, when->retry_delay_us);
        control_put_known(&o, "retryBackoffPpm", is_retried, when->retry_backoff_ppm);
        control_put_known(&o, "retryMaxDelayUsec", is_retried, when->retry_max_delay_us);
        control_put_bool(&o, "isInterruptedRetried", when->is_interrupted_retried);
        control_put_known(&o, "stopAfterFailures", when->stop_after_failures > 0, when->stop_after_failures);
        control_put_known(&o, "expectWithinUsec", when->expect_within_us > 0, when->expect_within_us);
        control_put_bool(&o, "hasConditions", when->has_conditions);
        control_put_known(&o, "conditionWaitUsec", when->condition_wait_us > 0, when->condition_wait_us);
        control_put_int(&o, "priority", when->priority);
        return o;
}

/* ---- pools ---- */

/* Adds the pool of a group (INDEX_NONE: of all jobs), if it has a limit. */
static void append_pool(json_t **list, const struct engine *e, uint32_t group, const char *name) {
        struct engine_pool pool;
        engine_view_pool(e, group, &pool);
        if (pool.max_running == 0)
                return;
        json_t *o = json_object();
        control_put_text(&o, "group", name);
        control_put_int(&o, "maxRunning", pool.max_running);
        control_put_int(&o, "running", pool.n_running);
        control_put_int(&o, "waiting", (int64_t)pool.n_waiting);
        control_append(list, o);
}

static json_t *pools_json(const struct engine *e, const struct ties *ties) {
        json_t *list = json_array();
        for (size_t i = 0; ties && i < ties->n && ties->list[i].kind == TIE_MEMBER; i++) {
                uint32_t group = engine_find_group(e, ties->list[i].name);
                if (group != INDEX_NONE)
                        append_pool(&list, e, group, ties->list[i].name);
        }
        append_pool(&list, e, INDEX_NONE, NULL);
        return list;
}

/* ---- chains ---- */

static json_t *events_json(uint32_t events) {
        json_t *list = json_array();
        for (int event = RUN_EVENT_NONE + 1; event < RUN_EVENT_MAX; event++)
                if (events >> event & 1)
                        control_append(&list, control_json_text(run_event_to_string((enum run_event)event)));
        return list;
}

/* Engine's walk in one of the directions, as `name`, and how many are left out as `left_out`. */
static void put_ties(json_t **object, const char *name, const char *left_out, const struct engine *e, uint32_t job,
                     uint32_t (*walk)(const struct engine *e, uint32_t job, size_t *at, uint32_t *ret_events)) {
        json_t *list = json_array();
        size_t at = 0, n = 0;
        uint32_t other, events;
        for (; (other = walk(e, job, &at, &events)) != INDEX_NONE; n++) {
                if (n >= TIES_TOLD)
                        continue;
                json_t *tie = json_object();
                control_put_text(&tie, "job", engine_job_name(e, other));
                control_put(&tie, "events", events_json(events));
                control_append(&list, tie);
        }
        control_put(object, name, list);
        control_put_int(object, left_out, n > TIES_TOLD ? (int64_t)(n - TIES_TOLD) : 0);
}

void control_put_policy(json_t **object, const struct engine *e, uint32_t job) {
        const struct job_when *when = engine_job_when(e, job);
        control_put(object, "policy", policy_json(when));
        control_put(object, "pools", pools_json(e, when->ties));
        put_ties(object, "follows", "followsLeftOut", e, job, engine_walk_parents);
        put_ties(object, "starts", "startsLeftOut", e, job, engine_walk_children);
}
