// SPDX-License-Identifier: MIT
// message: Varlink's messages: splits a stream at its NULs, reads calls as strictly as systemd 257's server does, checks
// parameters against the table of the interface, prints replies.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/pack.h"
#include "daemon/varlink/api.h"

/* Bytes of a stream that wait to be whole messages. Zero-initialise, set the limit: the most bytes of a message. */
struct message_input {
        char *data;
        size_t start, size, allocated; /* start..size are there */
        size_t scanned;                /* no NUL before this */
        size_t limit;
};

void message_input_done(struct message_input *in);
/* Where the next bytes of the stream should be put: at least one. 0; -EMSGSIZE where a message is over the limit; -ENOMEM. */
int message_input_room(struct message_input *in, char **ret, size_t *ret_size);
/* So many bytes were put there. */
void message_input_add(struct message_input *in, size_t size);
/* True where a whole message is there. */
bool message_input_has_next(struct message_input *in);
/* Takes the next message out, without its NUL; false where none is whole. Borrowed until the next message_input_room(). */
bool message_input_next(struct message_input *in, const char **ret, size_t *ret_size);
/* Bytes that wait, whole messages or not. */
size_t message_input_waiting(const struct message_input *in);

/* A call. */
struct message_call {
        json_t *root;       /* owned */
        const char *method; /* borrowed from it, with its interface */
        json_t *parameters; /* an object; owned */
        bool is_more, is_oneway;
};

/* Reads a call. 0; -EBADMSG where the reference server closes the connection; -ENOMEM. */
int message_read_call(const char *text, size_t size, struct message_call *ret);
void message_call_done(struct message_call *call);
/* The first parameter that is unknown or mistyped, in the caller's order, or else that is missing, in the table's; NULL: all are in
 * order. Borrowed. An optional one that is null counts as absent. */
const char *message_check(const struct message_call *call, const struct api_field *fields, size_t n);
/* A parameter that was checked; NULL where it is absent or null. */
const json_t *message_get(const struct message_call *call, const char *name);
/* The same by type, or what is given for its absence. */
int64_t message_get_int(const struct message_call *call, const char *name, int64_t otherwise);
bool message_get_bool(const struct message_call *call, const char *name);
const char *message_get_text(const struct message_call *call, const char *name, const char *otherwise);

/* Appends a reply with its NUL; parameters is borrowed. An object that could not be made whole (NULL) is -ENOMEM in the writer. */
void message_put_reply(struct pack *out, const json_t *parameters, bool has_more);
/* The same for an error; parameters may be NULL where it has none. */
void message_put_error(struct pack *out, const char *interface, const char *error, const json_t *parameters);
/* The object as text, without NUL. */
void message_put_json(struct pack *out, const json_t *object);
