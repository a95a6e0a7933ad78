// SPDX-License-Identifier: MIT
// control_feed: subscriptions: queues of events.
#pragma once

#include "daemon/scheduler/control_internal.h"

/* Subscribe. */
int control_do_subscribe(struct control_call *call);
struct control_feed *control_feed_free(struct control_feed *feed);
/* What its queues take. */
size_t control_feed_bytes(const struct control_feed *feed);
/* Drops what may be dropped: its user has too many bytes. */
void control_feed_shed(struct control *c, struct control_feed *feed);
/* True where the subscriber wants the output of a job. */
bool control_feed_wants_output(const struct control_wait *wait, const struct engine *e, uint32_t job);
/* Moves events, and how each job stands, to the client's buffer. */
void control_feed_room(struct control_wait *wait, struct clock_sample now);
/* True where control_feed_room() would have something. */
bool control_feed_has_more(const struct control_wait *wait);
/* What the link tells, as events for who wants them; text is the piece as UTF-8. A subscriber may be closed by it. */
void control_feed_action(struct control *c, struct clock_sample now, const struct action *a, const void *value,
                         size_t value_size);
void control_feed_commit(struct control *c, struct clock_sample now, const struct wire_commit *commit);
void control_feed_output(struct control *c, struct clock_sample now, uint32_t job, const struct wire_bytes *piece,
                         const char *text);
/* The last word to all: stopping. */
void control_feed_stop(struct control *c, struct clock_sample now);
