// SPDX-License-Identifier: MIT
// control_methods: what a call is answered with, and the methods that only look.
#pragma once

#include "daemon/scheduler/control_internal.h"

/* Does a call. 0; -EBADMSG where the connection is to be closed; another negative error: the loop's. */
int control_dispatch(struct control_client *client, const char *text, size_t size);
/* Replies to a client; parameters is taken. */
void control_send(struct control_client *client, json_t *parameters, bool has_more);
/* The same for a call, which may want no reply. */
void control_reply(const struct control_call *call, json_t *parameters);
void control_error(const struct control_call *call, enum api_error error, json_t *parameters);
void control_client_error(struct control_client *client, enum api_error error, json_t *parameters);
/* One of the standard errors that name a parameter. */
void control_invalid(const struct control_call *call, const char *parameter);
/* PermissionDenied, also told in the journal. */
void control_denied(const struct control_call *call, enum api_right right);
/* The rows of the names in a parameter. 0; 1 where the call is answered with an error; -EBADMSG without memory. */
int control_get_rows(const struct control_call *call, const char *parameter, struct control_rows *ret);
/* A page of ListJobs. NULL without memory. *at is put behind it; *ret_is_last: nothing more comes. */
json_t *control_list_page(struct control *c, struct control_client *client, struct clock_sample now,
                          const struct control_rows *rows, uint32_t *at, bool *ret_is_last);
/* Answers ShowJob; described may be NULL. */
void control_show(struct control_client *client, struct clock_sample now, uint32_t job, const struct wire_described *described);
