// SPDX-License-Identifier: MIT
// client: a connection to chimed: calls are sent, replies are taken, with a deadline.
#pragma once

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define CLIENT_REPLY_MAX   (16 * 1024 * 1024) /* bytes of a reply */
#define CLIENT_NO_DEADLINE INT64_MAX

struct client;

struct client_reply {
        char error[128];    /* with its interface; "": none */
        json_t *parameters; /* owned; an object */
        bool has_more;      /* another one follows */
};

/* Connects to a socket, also where its path is longer than an address can be. 0 or a negative errno. */
int client_connect(const char *path, struct client **ret);
struct client *client_free(struct client *c);
/* For poll(). */
int client_fd(const struct client *c);
/* Sends a call; method has its interface, parameters (an object) is taken, also on failure. 0 or a negative errno. */
int client_call(struct client *c, const char *method, json_t *parameters, bool is_more);
/* The next reply that is there, without waiting. 0; 1: none is there yet; -ECONNRESET: chimed has closed; -EBADMSG: it is none;
 * -EMSGSIZE: it is longer than CLIENT_REPLY_MAX; another negative errno. */
int client_take(struct client *c, struct client_reply *ret);
/* The same, but waits for it until clock_awake_us() is deadline_us; then 1. */
int client_receive(struct client *c, int64_t deadline_us, struct client_reply *ret);
void client_reply_done(struct client_reply *reply);
