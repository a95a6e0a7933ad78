// SPDX-License-Identifier: MIT
// simulation_json: there may be hundreds of thousands of them, so that they are packed at once.

#include "daemon/scheduler/simulation_json.h"

#include "daemon/scheduler/control_json.h"

static json_t *json_run(const struct simulation_row *row) {
        json_t *o = json_pack("{s:s,s:I,s:s,s:i,s:I,s:I}", "job", row->job, "runId", (json_int_t)row->run, "cause",
                              run_cause_to_string(row->cause), "attempt", (int)row->attempt, "startUsec",
                              (json_int_t)row->start_us, "lagUsec", (json_int_t)row->lag_us);

        if (row->slot_us > 0)
                control_put_int(&o, "slotUsec", row->slot_us);
        if (row->end_us >= 0) {
                control_put_int(&o, "endUsec", row->end_us);
                control_put_text(&o, "result", run_result_to_string(row->result));
        }
        return o;
}

static json_t *json_slots(const struct simulation_row *row) {
        json_t *o = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I}", "job", row->job, "outcome", slot_outcome_to_string(row->outcome),
                              "reason", slot_reason_to_string(row->reason), "count", (json_int_t)row->n, "firstSlotUsec",
                              (json_int_t)row->first_us, "lastSlotUsec", (json_int_t)row->last_us);

        if (row->run > 0)
                control_put_int(&o, "runId", (int64_t)row->run);
        return o;
}

json_t *simulation_json(const struct simulation_row *row) {
        return row->outcome == SLOT_RAN ? json_run(row) : json_slots(row);
}
