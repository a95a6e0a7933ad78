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
/* Why a job is as it is, where it does not run by itself; else NULL. Static text: cancelled, finished, failed, disabled. */
const char *control_unarmed_state(const struct job_view *view);
