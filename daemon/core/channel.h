// SPDX-License-Identifier: MIT
// channel: one end of a SOCK_SEQPACKET pair: records batched into messages of at most 64 KiB, never blocking, with a bounded
// queue behind. It knows frames, not what the records mean (that is wire.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/loop.h"

#define CHANNEL_MESSAGE_MAX (64 * 1024)
#define CHANNEL_RECORD_MAX  (CHANNEL_MESSAGE_MAX - 16)

struct channel;

/* Called for each record, in order; payload is borrowed for the call. May free the channel. A negative result closes the
 * channel and is passed to on_closed. */
typedef int (*channel_record_fn)(void *userdata, uint8_t type, const void *payload, size_t size);
/* Called once, when the peer has closed and all it had sent was handled (error 0), or on an error (-EBADMSG: the peer sent
 * what is no message). The channel is then dead; the callback may free it. */
typedef int (*channel_closed_fn)(void *userdata, int error);
/* Called by the loop when the queue has drained to half its limit, after it had been over that or a record was refused. May
 * send and free the channel. */
typedef int (*channel_room_fn)(void *userdata);

/* Called when a message has come, before its records are handed out. Must not free the channel. A negative result as of
 * channel_record_fn. */
typedef int (*channel_message_fn)(void *userdata);

struct channel_callbacks {
        channel_record_fn on_record;
        channel_closed_fn on_closed;
        channel_room_fn on_room;       /* may be NULL, */
        channel_message_fn on_message; /* as may this */
};

/* Takes fd (closes it with the channel; also on failure). queue_limit bounds the bytes that wait when the peer does not read;
 * where nothing waits, one record is taken whatever its size. */
int channel_new(struct loop *loop, int fd, size_t queue_limit, const struct channel_callbacks *callbacks, void *userdata,
                struct channel **ret);
struct channel *channel_free(struct channel *ch);

/* Adds a record to the message in the making; a full message goes out at once, the rest with channel_flush().
 * Returns 0; -ENOBUFS where the queue is at its limit (nothing is added); -EMSGSIZE over CHANNEL_RECORD_MAX; -EPIPE after the end;
 * -ENOMEM. */
int channel_send(struct channel *ch, uint8_t type, const void *payload, size_t size);
/* Writes what the socket takes; the rest is written when it can be. Returns 0, or -EPIPE (on_closed is called by the loop). */
int channel_flush(struct channel *ch);
/* Reads all that is there now and calls on_record for it (to hear the peer before a decision), and on_closed, as the loop would
 * do. Inside on_record of the same channel it does nothing. Returns 0 or the error that a callback wants the loop to end with. */
int channel_poll(struct channel *ch);
/* While it rests the loop does not hear that something has come, only of the end; whoever lets it rest calls channel_take(), which
 * handles as much as a pass of the loop would. Both on every channel that is not dead. 0 or the error as of channel_poll(). */
void channel_rest(struct channel *ch, bool is_resting);
int channel_take(struct channel *ch);
/* Bytes that wait in the queue, the message in the making included. */
size_t channel_queued(const struct channel *ch);
/* Whether the peer has read all that was written, which what waits in the queue is not yet; also where nobody can tell. */
bool channel_is_read(struct channel *ch);

/* Sends one record as a message of its own through fd, which is nobody's channel here but may be one at the other end; never blocks.
 * 0; -EAGAIN: the socket is full; -EMSGSIZE; -EPIPE after the end, or another error of the socket. */
int channel_send_alone(int fd, uint8_t type, const void *payload, size_t size);

/* The frame by itself, for tests and fuzzers: splits one message, calls fn for each record. 0, -EBADMSG, or fn's error. */
int channel_split(const void *message, size_t size, channel_record_fn fn, void *userdata);
