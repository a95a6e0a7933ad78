// SPDX-License-Identifier: MIT
// link: the scheduler's end of the link to the runner: records to engine events, engine actions to records and to the story.
#pragma once

#include "daemon/core/channel.h"
#include "daemon/core/journal.h"
#include "daemon/core/loop.h"
#include "daemon/scheduler/engine.h"

#define LINK_QUEUE_MARK  (512 * 1024) /* bytes of orders that wait: beyond it no slot is looked at until the runner has read */
#define LINK_QUEUE_LIMIT (16 * 1024 * 1024) /* for what can't wait: answers, and what is due at a commit */
#define LINK_PATIENCE_US (5 * USEC_PER_SEC) /* a runner that reads nothing for so long is told */

struct link;

/* Takes the two descriptors of the link; loop and journal are borrowed. The runner speaks first.
 * When the link ends the loop is ended: with status 0 where the runner closed it, 1 where it spoke nonsense. */
int link_new(struct loop *loop, struct journal *journal, int control_fd, int output_fd, struct link **ret);
struct link *link_free(struct link *link);

/* Time has come, or the wall clock may have been set: hears the runner first (ends before slots), then does what is due, unless the
 * runner is behind with reading: then slots wait, and are late. 0, or a negative error. */
int link_advance(struct link *link);
/* Sends what the pass has batched. For the loop's flush hook. */
int link_flush(struct link *link);
/* Asks the runner to read the job files. */
int link_reload(struct link *link);
/* When link_advance() wants to be called, by clock; INT64_MAX for never. To be asked after link_flush(). */
void link_next_wake(const struct link *link, int64_t *ret_bt_us, int64_t *ret_rt_us);

/* One record from the runner, as the channel hands it over; for the fuzzer too. */
int link_handle_record(void *link, uint8_t type, const void *payload, size_t size);
