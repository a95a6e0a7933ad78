// SPDX-License-Identifier: MIT
// control_client: a connection: bytes in, calls in their order, replies out. It reads only while it may do calls, so what a peer sends
// too early stays in its own socket buffer. What is left to do after a pass comes back as a ready socket, never as a timer.

#include "daemon/scheduler/control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_feed.h"
#include "daemon/scheduler/control_history.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/control_simulate.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/vault.h"

#define GROUPS_MAX 1024 /* of a peer: what is beyond gives no right */
#define KEEP_SIZE  (16 * 1024)

/* ---- users ---- */

static struct control_user *find_user(struct control *c, uid_t uid) {
        for (struct control_user *user = c->users; user; user = user->next)
                if (user->uid == uid)
                        return user;
        struct control_user *user = calloc(1, sizeof(*user));
        if (!user)
                return NULL;
        *user = (struct control_user){.next = c->users, .uid = uid};
        c->users = user;
        return user;
}

static void drop_user(struct control *c, struct control_user *user) {
        if (!user || user->n_clients > 0)
                return;
        struct control_user **at = &c->users;
        while (*at != user)
                at = &(*at)->next;
        *at = user->next;
        free(user);
}

/* ---- the peer ---- */

static int read_groups(struct control_client *client) {
        socklen_t size = 32 * sizeof(gid_t);
        for (;;) {
                gid_t *groups = realloc(client->groups, size);
                if (!groups)
                        return -ENOMEM;
                client->groups = groups;
                socklen_t wanted = size;
                if (getsockopt(client->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
                        break;
                if (errno != ERANGE || size > GROUPS_MAX * sizeof(gid_t) || size <= wanted) {
                        size = 0; /* it has rights by its user and first group */
                        break;
                }
        }
        client->peer.groups = client->groups;
        client->peer.n_groups = size / sizeof(gid_t);
        return 0;
}

static int read_peer(struct control_client *client) {
        struct ucred cred;
        socklen_t size = sizeof(cred);
        if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return -errno;
        client->peer = (struct control_peer){.uid = cred.uid, .gid = cred.gid};
        return read_groups(client);
}

enum api_right control_client_right(const struct control_client *client, const struct engine *e, uint32_t job) {
        if (client->is_admin)
                return API_RIGHT_ADMIN;
        return job == INDEX_NONE ? API_RIGHT_SEE : control_right_of(&client->peer, engine_job_when(e, job));
}

/* ---- bounds ---- */

/* Takes over what the buffers of a client have come to. False where a bound is reached. */
static bool charge(struct control_client *client) {
        struct control *c = client->control;
        size_t bytes = client->in.allocated + client->out.allocated;
        if (client->wait.kind == CONTROL_WAIT_FEED)
                bytes += control_feed_bytes(client->wait.feed);
        c->bytes += bytes - client->charged;
        client->user->bytes += bytes - client->charged;
        bool has_grown = bytes > client->charged;
        client->charged = bytes;
        if (!has_grown)
                return true;
        if (client->is_admin)
                return c->bytes <= CONTROL_BUFFERS_MAX;
        return client->user->bytes <= CONTROL_BUFFERS_UID && c->bytes <= CONTROL_BUFFERS_MAX - CONTROL_BUFFERS_ROOT;
}

size_t control_client_waiting(const struct control_client *client) {
        return client->out.size - client->out_sent;
}

/* ---- turns ---- */

static void join_turns(struct control_client *client) {
        struct control_client **at = &client->user->turns;
        while (*at)
                at = &(*at)->next_turn;
        client->next_turn = NULL;
        client->has_turn = true;
        *at = client;
}

static void leave_turns(struct control_client *client) {
        struct control_client **at = &client->user->turns;
        while (*at && *at != client)
                at = &(*at)->next_turn;
        if (*at)
                *at = client->next_turn;
        client->has_turn = false;
}

void control_client_touch(struct control_client *client) {
        if (client->is_dead)
                return;
        if (!client->has_turn)
                join_turns(client);
        if (client->is_touched)
                return;
        client->is_touched = true;
        client->next_touched = client->control->touched;
        client->control->touched = client;
}

/* The client whose turn it is; its user is the last from now on. NULL where nobody has anything to do. */
static struct control_client *next_turn(struct control *c) {
        struct control_user **at = &c->users;
        while (*at && !(*at)->turns)
                at = &(*at)->next;
        struct control_user *user = *at;
        if (!user)
                return NULL;
        *at = user->next;
        while (*at)
                at = &(*at)->next;
        user->next = NULL;
        *at = user;
        return user->turns;
}

/* ---- calls ---- */

static bool has_calls(struct control_client *client) {
        return client->wait.kind == CONTROL_WAIT_NONE && control_client_waiting(client) <= CONTROL_OUT_MARK &&
               message_input_has_next(&client->in);
}

bool control_client_has_time(const struct control *c) {
        return clock_now().bt_us < c->busy_bt_us;
}

/* Does some of the calls that are there. */
static int do_calls(struct control_client *client) {
        const char *text;
        size_t size;
        for (int i = 0;
             i < CONTROL_CALLS_A_TURN && !client->is_dead && has_calls(client) && control_client_has_time(client->control);
             i++) {
                message_input_next(&client->in, &text, &size);
                client->partial_bt_us = INT64_MAX;
                int r = control_dispatch(client, text, size);
                if (r == -EBADMSG || pack_result(&client->out) < 0)
                        control_client_close(client);
                else if (r < 0)
                        return r;
        }
        return 0;
}

static int read_some(struct control_client *client) {
        char *room;
        size_t size;
        int r = message_input_room(&client->in, &room, &size);
        if (r < 0)
                return r;
        ssize_t n = recv(client->fd, room, size, MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR || errno == ECONNRESET
                               ? 0
                               : -errno; /* the last is said once, before the rest */
        message_input_add(&client->in, (size_t)n);
        client->is_at_end = n == 0;
        return 0;
}

static bool is_reading(struct control_client *client) {
        return !client->is_at_end && client->wait.kind == CONTROL_WAIT_NONE && client->held_number == 0 &&
               control_client_waiting(client) <= CONTROL_OUT_MARK && !message_input_has_next(&client->in);
}

static int on_ready(void *userdata, uint32_t events) {
        struct control_client *client = userdata;
        if (events & (EPOLLHUP | EPOLLERR)) {
                /* it has closed: what it had sent is still done, but nobody hears of it */
                client->is_deaf = true;
                client->out.size = client->out_sent = 0;
                if (client->wait.kind != CONTROL_WAIT_NONE) {
                        control_client_close(client);
                        return 0;
                }
        }
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && is_reading(client) && read_some(client) < 0)
                control_client_close(client);
        control_client_touch(client);
        return 0;
}

int control_client_turns(struct control *c) {
        struct control_client *client;
        int r = 0;
        c->busy_bt_us = clock_now().bt_us + CONTROL_BUSY_US;
        while (r == 0 && control_client_has_time(c) && (client = next_turn(c))) {
                leave_turns(client);
                if (client->wait.kind == CONTROL_WAIT_NONE)
                        r = do_calls(client);
                else
                        control_wait_room(&client->wait, clock_now());
        }
        return r;
}

/* ---- replies ---- */

void control_client_hold(struct control_client *client, struct clock_sample now) {
        struct vault *vault = link_vault(client->control->link);
        uint64_t number = vault ? vault_pending(vault) : 0;
        if (number == 0)
                return;
        client->held_number = number;
        client->held_bt_us = now.bt_us + CONTROL_HOLD_US;
        control_wake_at(client->control, client->held_bt_us);
}

void control_client_release(struct control_client *client) {
        client->held_number = 0;
        control_client_touch(client);
}

static void write_some(struct control_client *client) {
        struct pack *out = &client->out;
        if (client->held_number > 0 && !client->is_deaf)
                return;
        while (!client->is_deaf && client->out_sent < out->size) {
                ssize_t n = send(client->fd, out->data + client->out_sent, out->size - client->out_sent,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
                        break;
                if (n < 0)
                        client->is_deaf = true;
                else
                        client->out_sent += (size_t)n;
        }
        if (client->is_deaf)
                client->out_sent = out->size;
        if (client->out_sent < out->size)
                return;
        out->size = client->out_sent = 0;
        if (out->allocated > KEEP_SIZE)
                pack_done(out);
}

/* Moves what waits to the front once that is worth it. */
static void compact(struct control_client *client) {
        struct pack *out = &client->out;
        if (client->out_sent == 0 || client->out_sent < out->size / 2)
                return;
        memmove(out->data, out->data + client->out_sent, out->size - client->out_sent);
        out->size -= client->out_sent;
        client->out_sent = 0;
}

static bool wants_room(struct control_client *client) {
        switch (client->wait.kind) {
        case CONTROL_WAIT_NONE:
                return message_input_has_next(&client->in) && control_client_waiting(client) <= CONTROL_OUT_MARK;
        case CONTROL_WAIT_PAGES:
                return true;
        case CONTROL_WAIT_SIMULATE:
                return control_simulate_has_turn(&client->wait);
        case CONTROL_WAIT_FEED:
                return control_feed_has_more(&client->wait);
        case CONTROL_WAIT_LEDGER:
                return client->wait.history->is_room_wanted;
        case CONTROL_WAIT_TRIGGER:
        case CONTROL_WAIT_CANCEL:
        case CONTROL_WAIT_RUNS:
        case CONTROL_WAIT_RELOAD:
        case CONTROL_WAIT_DESCRIBE:
                return false;
        }
        return false;
}

static int watch(struct control_client *client) {
        uint32_t events =
                (is_reading(client) ? EPOLLIN : 0u) |
                (client->held_number == 0 && (control_client_waiting(client) > 0 || wants_room(client)) ? EPOLLOUT : 0u);
        if (events == client->events)
                return 0;
        client->events = events;
        return loop_set_events(client->source, events);
}

/* A call that has begun must come to its end in time; while it may not be read, time stands still. */
static void watch_partial(struct control_client *client) {
        if (!is_reading(client) || message_input_waiting(&client->in) == 0) {
                client->partial_bt_us = INT64_MAX;
        } else if (client->partial_bt_us == INT64_MAX) {
                client->partial_bt_us = clock_now().bt_us + CONTROL_CALL_TIME_US;
                control_wake_at(client->control, client->partial_bt_us);
        }
}

int control_client_flush(struct control_client *client) {
        if (client->is_dead)
                return 0;
        write_some(client);
        compact(client);
        if (client->wait.kind == CONTROL_WAIT_NONE && message_input_waiting(&client->in) == 0)
                message_input_done(&client->in);
        bool is_done = client->is_at_end && client->wait.kind == CONTROL_WAIT_NONE && !message_input_has_next(&client->in) &&
                       control_client_waiting(client) == 0;
        bool is_unheard = client->is_deaf && client->wait.kind != CONTROL_WAIT_NONE;
        bool is_within = charge(client);
        if (!is_within && client->wait.kind == CONTROL_WAIT_FEED) {
                control_feed_shed(client->control, client->wait.feed);
                is_within = charge(client);
        }
        if (is_done || is_unheard || !is_within || pack_result(&client->out) < 0) {
                control_client_close(client);
                return 0;
        }
        watch_partial(client);
        return watch(client);
}

/* ---- life ---- */

static void join(struct control *c, struct control_client *client) {
        client->next = c->clients;
        if (c->clients)
                c->clients->previous = client;
        c->clients = client;
        c->n_clients++;
        client->user->n_clients++;
}

static void leave(struct control_client *client) {
        struct control *c = client->control;
        if (client->previous)
                client->previous->next = client->next;
        else
                c->clients = client->next;
        if (client->next)
                client->next->previous = client->previous;
        c->n_clients--;
        client->user->n_clients--;
        c->bytes -= client->charged;
        client->user->bytes -= client->charged;
        drop_user(c, client->user);
        client->user = NULL;
}

int control_client_accept(struct control *c, int fd) {
        struct control_client *client = calloc(1, sizeof(*client));
        if (!client) {
                util_close(fd);
                return 0; /* the peer sees it closed; the scheduler goes on */
        }
        *client = (struct control_client){
                .control = c,
                .fd = fd,
                .events = EPOLLIN,
                .in = {.limit = CONTROL_CALL_MAX},
                .partial_bt_us = INT64_MAX,
        };
        const char *why = "no memory";
        if (read_peer(client) == 0 && (client->user = find_user(c, client->peer.uid))) {
                client->is_admin = control_is_admin(&client->peer, c->own_uid, c->admin_gid);
                bool is_root = client->peer.uid == 0 || client->peer.uid == c->own_uid;
                why = control_refusal(is_root, c->n_clients, client->user->n_clients);
                if (!why && loop_add_io(c->loop, fd, EPOLLIN, on_ready, client, &client->source) < 0)
                        why = "the kernel refuses to watch it";
        }
        if (why) {
                control_tell_refused(c, clock_now(), client->peer.uid, why);
                drop_user(c, client->user);
                client->user = NULL;
                control_client_free(client);
                return 0;
        }
        join(c, client);
        return 0;
}

void control_client_close(struct control_client *client) {
        struct control *c = client->control;
        if (client->is_dead)
                return;
        if (client->wait.kind != CONTROL_WAIT_NONE)
                control_wait_end(&client->wait);
        leave_turns(client);
        leave(client);
        client->source = loop_source_free(client->source);
        client->fd = util_close(client->fd);
        client->is_dead = true;
        client->next = c->dead;
        client->previous = NULL;
        c->dead = client;
}

struct control_client *control_client_free(struct control_client *client) {
        if (!client)
                return NULL;
        loop_source_free(client->source);
        util_close(client->fd);
        message_input_done(&client->in);
        pack_done(&client->out);
        free(client->groups);
        free(client);
        return NULL;
}
