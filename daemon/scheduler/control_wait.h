// SPDX-License-Identifier: MIT
// control_wait: calls that wait, and what they wait for.
#pragma once

#include "daemon/scheduler/control_internal.h"

/* True where one more call of this client's user may wait; else the call is answered with an error. */
bool control_wait_is_free(const struct control_call *call);
/* The call waits from now on. The client's wait is zeroed but for what is given here. NULL where nobody waits for an answer. */
struct control_wait *control_wait_begin(struct control_call *call, enum control_wait_kind kind, int64_t deadline_bt_us);
/* The call was answered, or its client has gone. */
void control_wait_end(struct control_wait *wait);
/* More of a stream, where there is room for it. */
void control_wait_room(struct control_wait *wait, struct clock_sample now);
/* Wait. */
int control_do_wait(struct control_call *call);
/* What the link tells: whoever waits for it is answered. */
void control_wait_action(struct control *c, struct clock_sample now, const struct action *a);
void control_wait_commit(struct control *c, const struct wire_commit *commit);
void control_wait_described(struct control *c, struct clock_sample now, const struct wire_described *described);
/* text is the piece as UTF-8. */
void control_wait_output(struct control *c, struct clock_sample now, uint32_t job, const struct wire_bytes *piece,
                         const char *text);
/* The deadline has come. */
void control_wait_expired(struct control_wait *wait, struct clock_sample now);
/* Nothing more will come. */
void control_wait_abandon(struct control *c);
