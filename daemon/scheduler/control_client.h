// SPDX-License-Identifier: MIT
// control_client: connections: bytes in, calls in their order, replies out, within bounds.
#pragma once

#include "daemon/scheduler/control_internal.h"

/* Takes fd. The connection is closed at once where a limit is reached. 0 or a negative error. */
int control_client_accept(struct control *c, int fd);
/* Closes the connection and forgets all of it but the memory, which goes at the end of the pass. */
void control_client_close(struct control_client *client);
struct control_client *control_client_free(struct control_client *client);
/* Something is to be done for it at the end of the pass: it has a turn, and then what it has to say is written. */
void control_client_touch(struct control_client *client);
/* Does calls and goes on with streams while the pass has time: users by turns, and the clients of a user by turns, so that one who
 * asks little does not wait for one who asks much. 0 or a negative error. */
int control_client_turns(struct control *c);
/* False where this pass has done enough for clients: the rest is for the next. */
bool control_client_has_time(const struct control *c);
/* What the client is told from now on, it hears only when the ledger has what was decided until now. */
void control_client_hold(struct control_client *client, struct clock_sample now);
/* A commit is durable, or the client has waited long enough. */
void control_client_release(struct control_client *client);
/* Bytes of replies that wait. */
size_t control_client_waiting(const struct control_client *client);
/* Writes what the socket takes, checks the bounds and watches for what is to come. 0 or a negative error. */
int control_client_flush(struct control_client *client);
/* What the peer may do with a job. */
enum api_right control_client_right(const struct control_client *client, const struct engine *e, uint32_t job);
