// SPDX-License-Identifier: MIT
// api: the one table of the interface io.chimed: methods, their fields, rights, types and errors. The server checks calls by it, the
// IDL is printed from it, chimectl's commands, the manual and the completions are compared with it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define API_INTERFACE "io.chimed"
#define API_SERVICE   "org.varlink.service"
#define API_SOCKET    "io.chimed" /* file name in the run folder */

enum api_type {
        API_BOOL,
        API_INT,
        API_STRING,
        API_STRINGS, /* []string */
        API_INTS,    /* []int */
        API_OBJECT,  /* of the named type */
        API_OBJECTS, /* [] of the named type */
        API_TEXTS,   /* [string]string: names with texts */
};

struct api_field {
        const char *name;
        enum api_type type;
        const char *of; /* API_OBJECT, API_OBJECTS: name of the type */
        bool is_optional;
        const char *help; /* one sentence */
};

/* What the caller must be allowed. Root, the daemon's own user and the group chimed have all of them. */
enum api_right {
        API_RIGHT_SEE,     /* whoever can connect: names and states */
        API_RIGHT_TRIGGER, /* of the job: its User=, or Allow=trigger: */
        API_RIGHT_CONTROL, /* of the job: Allow=control:, which includes trigger */
        API_RIGHT_ADMIN,   /* nobody else */
};

enum api_more {
        API_SINGLE,    /* one reply; "more" changes nothing */
        API_MAY_MORE,  /* with "more" a stream of replies */
        API_MUST_MORE, /* without "more": ExpectedMore */
};

enum api_method {
        API_GET_STATUS,
        API_LIST_JOBS,
        API_SHOW_JOB,
        API_NEXT,
        API_SIMULATE,
        API_LIST_GROUPS,
        API_WHY,
        API_LIST_RUNS,
        API_LIST_MISSED,
        API_AUDIT,
        API_TRIGGER,
        API_CANCEL,
        API_START,
        API_PAUSE,
        API_RESUME,
        API_SET_INTERVAL,
        API_WAIT,
        API_SUBSCRIBE,
        API_RELOAD,
        API_METHOD_MAX
};

/* A method; or, of api_types() and api_errors(), a type (fields in `out`) or an error (parameters in `out`). */
struct api_row {
        const char *name; /* without the interface */
        const char *help;
        enum api_right right;
        enum api_more more;
        const struct api_field *in;
        size_t n_in;
        const struct api_field *out;
        size_t n_out;
};

enum api_error {
        API_ERROR_NO_SUCH_JOB,
        API_ERROR_NO_SUCH_RUN,
        API_ERROR_NOT_ARMED,
        API_ERROR_ALREADY_RUNNING,
        API_ERROR_NOT_RUNNING,
        API_ERROR_NOT_POSSIBLE,
        API_ERROR_NOT_ACCEPTED,
        API_ERROR_PARAMETERS_DIFFER,
        API_ERROR_TIMED_OUT,
        API_ERROR_LIMIT_REACHED,
        API_ERROR_NOT_READY,
        API_ERROR_NO_LEDGER,
        API_ERROR_LEDGER_FAILED,
        API_ERROR_MAX
};

/* The rows; static. Row i of the methods is enum api_method i, of the errors enum api_error i. */
const struct api_row *api_methods(void);
const struct api_row *api_errors(void);
const struct api_row *api_types(size_t *ret_n);
/* The method of a name without the interface, or NULL. */
const struct api_row *api_method_find(const char *name);
/* The words of `right` ("see", "trigger", "control", "admin"). */
const char *api_right_to_string(enum api_right right);
/* The kinds of events that Subscribe can send, NULL-terminated. */
const char *const *api_event_kinds(void);
/* The interface as IDL text with a comment on every member, given to the caller. 0, -ENOMEM. */
int api_print_idl(char **ret);
/* The same of org.varlink.service; static. */
const char *api_service_idl(void);
