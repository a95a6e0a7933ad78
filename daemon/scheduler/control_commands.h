// SPDX-License-Identifier: MIT
// control_commands: the methods that change something.
#pragma once

#include "daemon/scheduler/control_internal.h"

int control_do_trigger(struct control_call *call);
int control_do_cancel(struct control_call *call);
int control_do_start(struct control_call *call);
int control_do_pause(struct control_call *call);
int control_do_resume(struct control_call *call);
int control_do_set_interval(struct control_call *call);
int control_do_reload(struct control_call *call);

/* What commands for a job and for a group share; the call's job is what an error names. */

/* A command begins: events of the job name who gave it. */
void control_begin(struct control_call *call, char by[static 32]);
/* What the engine has decided is done. 0 or a negative error. */
int control_settle(struct control_call *call);
/* The parameters of Trigger, Cancel and Pause (INT64_MAX: no end). False where the call is answered. */
bool control_get_trigger(const struct control_call *call, struct engine_trigger *ret, char **ret_parameters);
bool control_get_cancel(const struct control_call *call, bool *ret_is_run_only, const char **ret_reason);
bool control_get_pause(const struct control_call *call, int64_t *ret_for_us, const char **ret_reason);
/* Signs and tells the engine; as engine_cancel(). A hold that is there stays whose it is. */
int control_cancel(const struct control_call *call, bool is_run_only, const char *reason, uint64_t *ret_run);
/* The reply to a cancel, behind the job's name. run is taken. */
void control_put_cancelled(json_t **o, bool has_changed, const struct job_view *view, json_t *run,
                           const struct control_dropped *dropped);
/* What a trigger that was not refused has come to. *ret_view is the job's. */
void control_put_accepted(const struct control_call *call, uint32_t job, enum trigger_outcome outcome, uint64_t run,
                          struct job_view *ret_view, json_t **o);
/* Answers that the engine has refused: a trigger, or for ENGINE_REFUSED_X. */
void control_refuse_trigger(const struct control_call *call, const struct engine_trigger *trigger,
                            enum trigger_outcome outcome);
void control_refuse(const struct control_call *call, int refusal);
/* Why a job is as it is, where it does not run by itself; else NULL. Static text: cancelled, finished, failed, disabled. */
const char *control_unarmed_state(const struct job_view *view);
