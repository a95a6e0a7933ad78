// SPDX-License-Identifier: MIT
// message: what the peer sent is bounded before it is parsed. Whatever the reference server answers by closing is -EBADMSG; the
// rest is an error reply, made from the table.

#include "daemon/varlink/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_FIRST 4096 /* bytes: most calls are small */

/* ---- stream ---- */

void message_input_done(struct message_input *in) {
        free(in->data);
        *in = (struct message_input){.limit = in->limit};
}

int message_input_room(struct message_input *in, char **ret, size_t *ret_size) {
        if (in->start > 0) {
                memmove(in->data, in->data + in->start, in->size - in->start);
                in->size -= in->start;
                in->scanned -= in->start;
                in->start = 0;
        }
        if (in->size == in->allocated) {
                if (in->size > in->limit)
                        return -EMSGSIZE;
                size_t n = in->allocated ? in->allocated * 2 : INPUT_FIRST;
                if (n > in->limit)
                        n = in->limit + 1; /* its NUL */
                char *data = realloc(in->data, n);
                if (!data)
                        return -ENOMEM;
                in->data = data;
                in->allocated = n;
        }
        *ret = in->data + in->size;
        *ret_size = in->allocated - in->size;
        return 0;
}

void message_input_add(struct message_input *in, size_t size) {
        in->size += size;
}

bool message_input_has_next(struct message_input *in) {
        if (in->scanned < in->size) {
                const char *nul = memchr(in->data + in->scanned, '\0', in->size - in->scanned);
                in->scanned = nul ? (size_t)(nul - in->data) : in->size;
        }
        return in->scanned < in->size;
}

bool message_input_next(struct message_input *in, const char **ret, size_t *ret_size) {
        if (!message_input_has_next(in))
                return false;
        *ret = in->data + in->start;
        *ret_size = in->scanned - in->start;
        in->start = ++in->scanned;
        return true;
}

size_t message_input_waiting(const struct message_input *in) {
        return in->size - in->start;
}

/* ---- calls ---- */

/* Takes one member of the call over. False where it may not be so. */
static bool take_member(struct message_call *call, const char *key, json_t *value) {
        if (strcmp(key, "method") == 0) {
                call->method = json_string_value(value);
                return call->method;
        }
        if (strcmp(key, "parameters") == 0) {
                if (json_is_object(value))
                        call->parameters = json_incref(value);
                return json_is_object(value) || json_is_null(value);
        }
        if (strcmp(key, "more") == 0)
                call->is_more = json_is_true(value);
        else if (strcmp(key, "oneway") == 0)
                call->is_oneway = json_is_true(value);
        else
                return false; /* "upgrade" too: we have no other protocol */
        return json_is_boolean(value);
}

static bool take_members(struct message_call *call) {
        const char *key;
        json_t *value;
        json_object_foreach(call->root, key, value) {
                if (!take_member(call, key, value))
                        return false;
        }
        return call->method && !(call->is_more && call->is_oneway);
}

int message_read_call(const char *text, size_t size, struct message_call *ret) {
        json_error_t error;
        struct message_call call = {.root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error)};
        if (!call.root)
                return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
        bool is_good = json_is_object(call.root) && take_members(&call);
        if (is_good && !call.parameters)
                call.parameters = json_object();
        if (!is_good || !call.parameters) {
                message_call_done(&call);
                return is_good ? -ENOMEM : -EBADMSG;
        }
        *ret = call;
        return 0;
}

void message_call_done(struct message_call *call) {
        json_decref(call->parameters);
        json_decref(call->root);
        *call = (struct message_call){0};
}

static bool is_list_of(const json_t *value, bool (*is_member)(const json_t *)) {
        size_t i;
        json_t *member;
        if (!json_is_array(value))
                return false;
        json_array_foreach(value, i, member) {
                if (!is_member(member))
                        return false;
        }
        return true;
}

static bool is_text(const json_t *value) {
        return json_is_string(value);
}

static bool is_int(const json_t *value) {
        return json_is_integer(value);
}

static bool is_map_of_texts(const json_t *value) {
        for (void *i = json_object_iter((json_t *)value); i; i = json_object_iter_next((json_t *)value, i))
                if (!is_text(json_object_iter_value(i)))
                        return false;
        return json_is_object(value);
}

static bool has_type(const json_t *value, enum api_type type) {
        switch (type) {
        case API_BOOL:
                return json_is_boolean(value);
        case API_INT:
                return is_int(value);
        case API_STRING:
                return is_text(value);
        case API_STRINGS:
                return is_list_of(value, is_text);
        case API_INTS:
                return is_list_of(value, is_int);
        case API_OBJECT:
                return json_is_object(value);
        case API_OBJECTS:
                return json_is_array(value);
        case API_TEXTS:
                return is_map_of_texts(value);
        }
        return false;
}

static const struct api_field *find_field(const struct api_field *fields, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(fields[i].name, name) == 0)
                        return &fields[i];
        return NULL;
}

const char *message_check(const struct message_call *call, const struct api_field *fields, size_t n) {
        const char *key;
        json_t *value;
        json_object_foreach(call->parameters, key, value) {
                const struct api_field *field = find_field(fields, n, key);
                if (!field || !(has_type(value, field->type) || (field->is_optional && json_is_null(value))))
                        return key;
        }
        for (size_t i = 0; i < n; i++)
                if (!fields[i].is_optional && !json_object_get(call->parameters, fields[i].name))
                        return fields[i].name;
        return NULL;
}

const json_t *message_get(const struct message_call *call, const char *name) {
        const json_t *value = json_object_get(call->parameters, name);
        return json_is_null(value) ? NULL : value;
}

int64_t message_get_int(const struct message_call *call, const char *name, int64_t otherwise) {
        const json_t *value = message_get(call, name);
        return value ? json_integer_value(value) : otherwise;
}

bool message_get_bool(const struct message_call *call, const char *name) {
        return json_is_true(message_get(call, name));
}

const char *message_get_text(const struct message_call *call, const char *name, const char *otherwise) {
        const json_t *value = message_get(call, name);
        return value ? json_string_value(value) : otherwise;
}

/* ---- replies ---- */

static int put_bytes(const char *buffer, size_t size, void *out) {
        pack_raw(out, buffer, size);
        return pack_result(out);
}

void message_put_json(struct pack *out, const json_t *object) {
        if ((!object || json_dump_callback(object, put_bytes, out, JSON_COMPACT | JSON_ENCODE_ANY) < 0) && out->error == 0)
                out->error = -ENOMEM;
}

static void put_text(struct pack *out, const char *text) {
        pack_raw(out, text, strlen(text));
}

void message_put_reply(struct pack *out, const json_t *parameters, bool has_more) {
        put_text(out, "{\"parameters\":");
        message_put_json(out, parameters);
        put_text(out, has_more ? ",\"continues\":true}" : "}");
        pack_u8(out, 0);
}

void message_put_error(struct pack *out, const char *interface, const char *error, const json_t *parameters) {
        put_text(out, "{\"error\":\"");
        put_text(out, interface);
        put_text(out, ".");
        put_text(out, error);
        put_text(out, "\",\"parameters\":");
        if (parameters)
                message_put_json(out, parameters);
        else
                put_text(out, "{}");
        put_text(out, "}");
        pack_u8(out, 0);
}
