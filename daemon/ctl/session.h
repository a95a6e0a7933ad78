// SPDX-License-Identifier: MIT
// session: what one call of chimectl works with: its options, the connection to chimed, and where screens go.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "config/duration.h"
#include "daemon/ctl/client.h"
#include "daemon/ctl/options.h"
#include "daemon/ctl/view.h"
#include "daemon/varlink/api.h"

#define SESSION_SILENCE_US (500 * USEC_PER_MSEC)

enum ctl_exit {
        CTL_EXIT_DONE = 0,
        CTL_EXIT_FAILED = 1,
        CTL_EXIT_USAGE = 2,
        CTL_EXIT_NOT_ACTIVE = 3,
        CTL_EXIT_NO_SUCH_JOB = 4,
        CTL_EXIT_TIMED_OUT = 124, /* and 128+n for a run that a signal ended */
        CTL_EXIT_NOT_RUN = 125,
};

struct verb;

struct session {
        const struct options *options;
        const struct verb *verb;
        char **names; /* arguments of the verb, borrowed */
        size_t n_names;
        struct client *client; /* NULL: not connected yet */
        char *socket;          /* its path, once it is known */
        struct view view;      /* of standard output */
        FILE *out;             /* the screen: printed when the verb is done */
        char *screen;
        size_t screen_size;
        size_t n_lines; /* of the terminal */
        bool is_json, is_terminal, is_error_terminal;
        const char *progress; /* told on a terminal where a call takes longer than SESSION_SILENCE_US; NULL: nothing */
        int64_t patience_us;  /* with calls that are answered at once */
        int64_t number;       /* of the verb's last argument, where it is one */
};

/* Looks at the terminal and the environment. options is borrowed. 0, -ENOMEM. */
int session_begin(struct session *s, const struct options *options);
/* Prints the screen, through a pager where it is longer than the terminal. Returns status, or CTL_EXIT_FAILED where that failed. */
int session_end(struct session *s, int status);

bool session_has(const struct session *s, enum ctl_option option);
const char *session_text(const struct session *s, enum ctl_option option);
int64_t session_number(const struct session *s, enum ctl_option option, int64_t otherwise);

/* A connection of its own, given to the caller. An exit status; failures are told. */
int session_connect(struct session *s, struct client **ret);
/* Whether there is a chimed to connect to; then session_call() uses that connection. Says nothing. */
bool session_is_there(struct session *s);
/* Sends a call on a connection. parameters is taken. An exit status; failures are told. */
int session_send(struct session *s, struct client *client, enum api_method method, json_t *parameters, bool is_more);
/* Takes the reply of a call over. Its texts are clean unless JSON is asked for. An exit status; failures and errors are told. */
int session_take(struct session *s, enum api_method method, int r, struct client_reply *reply);
/* Calls on the common connection and waits for the reply, which is given to the caller; a chimed that is starting gets some time.
 * An exit status; failures are told. */
int session_call(struct session *s, enum api_method method, json_t *parameters, json_t **ret);
/* The same where the answer is only good to have: NULL where there is none, and nothing is told. */
json_t *session_try(struct session *s, enum api_method method, json_t *parameters);
/* Says why it could not be received (r of client_receive()). Returns CTL_EXIT_FAILED. */
int session_tell_broken(struct session *s, int r);

/* What was done: nothing with --quiet or --json. */
void session_say(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* That there is not enough memory. Returns CTL_EXIT_FAILED. */
int session_tell_memory(void);
/* What went wrong, after "chimectl: ". Returns status. */
int session_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A reply as JSON. */
void session_json(struct session *s, const json_t *value);
/* The same on one line, at once: for streams. */
void session_json_line(struct session *s, const json_t *value);
/* Puts out at once what the screen has so far, without a pager: for verbs that go on, or that did something. */
void session_flush(struct session *s);
/* "uid 1000", as chimed names users, as the user's name, printed into buf. Returns buf. */
char *session_user(const char *by, char buf[static 64]);
