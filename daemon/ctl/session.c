// SPDX-License-Identifier: MIT
// session: what one call of chimectl works with.
// A screen is made in memory and printed at the end, so it is known whether it needs a pager.

#include "daemon/ctl/session.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/memory_stream.h"
#include "daemon/core/util.h"
#include "daemon/ctl/errors.h"
#include "daemon/ctl/reply.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN     40
#define WIDTH_MAX     1000
#define PATIENCE_US   (5 * USEC_PER_SEC)  /* with a chimed that is starting */
#define ANSWER_US     (30 * USEC_PER_SEC) /* with one that should answer at once */
#define TRY_AGAIN_US  (50 * USEC_PER_MSEC)
#define SYSTEM_SOCKET "/run/chimed/" API_SOCKET

static const char *environment(const char *name) {
        const char *value = getenv(name);

        return value && *value ? value : NULL;
}

static size_t number_of(const char *text, size_t otherwise) {
        char *end;
        unsigned long n = text ? strtoul(text, &end, 10) : 0;

        return n > 0 && *end == '\0' && n <= WIDTH_MAX ? n : otherwise;
}

static bool wants_color(bool is_terminal) {
        const char *said = environment("CHIMED_COLORS"), *terminal = getenv("TERM");

        if (!said && environment("NO_COLOR"))
                return false;
        if (!said)
                said = environment("SYSTEMD_COLORS");
        if (said)
                return !strchr("0nNfF", *said) && strcmp(said, "off") != 0;
        return is_terminal && terminal && strcmp(terminal, "dumb") != 0;
}

int session_begin(struct session *s, const struct options *options) {
        struct winsize size = {};
        const struct option_value *json = &options->values[OPTION_JSON];

        *s = (struct session){.options = options,
                              .is_terminal = isatty(STDOUT_FILENO),
                              .is_error_terminal = isatty(STDERR_FILENO),
                              .patience_us = ANSWER_US};
        if (s->is_terminal)
                (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        size_t width = number_of(environment("COLUMNS"), size.ws_col > 0 ? size.ws_col : WIDTH_DEFAULT);
        s->n_lines = number_of(environment("LINES"), size.ws_row);
        s->is_json = json->is_set && json->number != JSON_FORM_OFF;
        s->view = (struct view){
                .now_us = clock_now().rt_us,
                .width = width < WIDTH_MIN ? WIDTH_MIN : width,
                .has_color = wants_color(s->is_terminal),
                .has_legend = !options->values[OPTION_NO_LEGEND].is_set,
                .is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        };
        s->out = memory_stream_open(&s->screen, &s->screen_size);
        return s->out ? 0 : -ENOMEM;
}

/* ---- pager ---- */

static const char *find_pager(const struct session *s) {
        static const char *const variables[] = {"CHIMED_PAGER", "SYSTEMD_PAGER", "PAGER"};
        size_t n_lines = 0;

        if (!s->is_terminal || s->is_json || s->options->values[OPTION_NO_PAGER].is_set)
                return NULL;
        for (size_t i = 0; i < s->screen_size; i++)
                n_lines += s->screen[i] == '\n';
        if (s->n_lines == 0 || n_lines < s->n_lines)
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
                const char *pager = getenv(variables[i]); /* empty means none */
                if (pager)
                        return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
        }
        return "less";
}

/* The child: reads the screen from `from`. */
static void become_pager(const char *pager, int from) {
        if (dup2(from, STDIN_FILENO) < 0)
                _exit(127);
        setenv("LESS", "FRSXMK", 0);
        if (getenv("SUDO_UID"))
                setenv("LESSSECURE", "1", 1); /* no shell as another user */
        execl("/bin/sh", "sh", "-c", pager, NULL);
        _exit(127);
}

/* False where there is no pager after all. */
static bool page(const struct session *s, const char *pager) {
        int ends[2], status;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return false;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
                become_pager(pager, ends[0]);
        util_close(ends[0]);
        /* a pager that is left early closes its end */
        sighandler_t saved = signal(SIGPIPE, SIG_IGN);
        for (size_t at = 0; pid > 0 && at < s->screen_size;) {
                ssize_t n = write(ends[1], s->screen + at, s->screen_size - at);
                if (n < 0 && errno != EINTR)
                        break;
                at += n > 0 ? (size_t)n : 0;
        }
        util_close(ends[1]);
        while (pid > 0 && waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return false;
        signal(SIGPIPE, saved);
        return pid > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}

void session_flush(struct session *s) {
        fflush(s->out);
        fwrite(s->screen, 1, s->screen_size, stdout);
        fflush(stdout);
        fseek(s->out, 0, SEEK_SET); /* what could not be printed stays noted */
}

int session_end(struct session *s, int status) {
        bool has_failed = !memory_stream_finish(s->out, &s->screen);
        const char *pager = has_failed ? NULL : find_pager(s);
        if (has_failed)
                fputs("chimectl: not enough memory for the screen\n", stderr);
        else if (!pager || !page(s, pager))
                fwrite(s->screen, 1, s->screen_size, stdout);
        if (fflush(stdout) != 0 || ferror(stdout)) {
                fprintf(stderr, "chimectl: standard output: %s\n", strerror(errno));
                has_failed = true;
        }
        free(s->screen);
        free(s->socket);
        client_free(s->client);
        return has_failed && status == CTL_EXIT_DONE ? CTL_EXIT_FAILED : status;
}

/* ---- options ---- */

bool session_has(const struct session *s, enum ctl_option option) {
        return s->options->values[option].is_set;
}

const char *session_text(const struct session *s, enum ctl_option option) {
        return s->options->values[option].text;
}

int64_t session_number(const struct session *s, enum ctl_option option, int64_t otherwise) {
        return session_has(s, option) ? s->options->values[option].number : otherwise;
}

/* ---- connection ---- */

/* The user's own socket, given to the caller; NULL where there can be none. */
static char *user_socket(void) {
        const char *folder = environment("XDG_RUNTIME_DIR");
        char *path;

        if (folder)
                return asprintf(&path, "%s/chimed/" API_SOCKET, folder) < 0 ? NULL : path;
        return asprintf(&path, "/run/user/%u/chimed/" API_SOCKET, (unsigned)geteuid()) < 0 ? NULL : path;
}

/* The one that is asked for; without a word the system's, or the user's where only that is there. */
static char *find_socket(const struct session *s) {
        const char *said = session_text(s, OPTION_SOCKET);

        if (!said && !session_has(s, OPTION_USER))
                said = environment("CHIMED_SOCKET");
        if (said)
                return strdup(said);
        if (!session_has(s, OPTION_USER) && access(SYSTEM_SOCKET, F_OK) == 0)
                return strdup(SYSTEM_SOCKET);
        char *own = user_socket();
        if (!own || session_has(s, OPTION_USER) || access(own, F_OK) == 0)
                return own; /* also without memory: never another's */
        free(own);
        return strdup(SYSTEM_SOCKET);
}

static int connect_quietly(struct session *s, struct client **ret) {
        if (!s->socket)
                s->socket = find_socket(s);
        return s->socket ? client_connect(s->socket, ret) : -ENOMEM;
}

/* What to do about a socket that can't be connected to. */
static const char *advice(const struct session *s, int r) {
        if (r == -EACCES)
                return "you may not connect; try: sudo chimectl";
        if (strcmp(s->socket, SYSTEM_SOCKET) == 0)
                return "start it: systemctl start chimed";
        return session_has(s, OPTION_SOCKET) || environment("CHIMED_SOCKET") ? "start it, or give another --socket="
                                                                             : "start it: systemctl --user start chimed";
}

int session_connect(struct session *s, struct client **ret) {
        int r = connect_quietly(s, ret);

        if (r == 0)
                return CTL_EXIT_DONE;
        if (!s->socket)
                return session_fail(CTL_EXIT_FAILED, "%s", strerror(-r));
        if (r == -ECONNREFUSED || r == -ENOENT || r == -EACCES)
                return session_fail(CTL_EXIT_FAILED, "%s (%s: %s): %s",
                                    r == -EACCES ? "chimed is closed to you" : "chimed is not running", s->socket, strerror(-r),
                                    advice(s, r));
        return session_fail(CTL_EXIT_FAILED, "%s: %s", s->socket, strerror(-r));
}

bool session_is_there(struct session *s) {
        return s->client || connect_quietly(s, &s->client) == 0;
}

int session_tell_broken(struct session *s, int r) {
        const char *user = strcmp(s->socket, SYSTEM_SOCKET) == 0 ? "" : "--user ";

        if (r == -ETIMEDOUT)
                return session_fail(CTL_EXIT_FAILED, "chimed does not answer (%s); see: systemctl %sstatus chimed", s->socket,
                                    user);
        if (r == -ECONNRESET)
                return session_fail(CTL_EXIT_FAILED, "chimed closed the connection (%s); see: journalctl %s-u chimed",
                                    s->socket, user);
        if (r == -EBADMSG || r == -EMSGSIZE)
                return session_fail(CTL_EXIT_FAILED, "%s: what answers there is not chimed", s->socket);
        return session_fail(CTL_EXIT_FAILED, "%s: %s", s->socket, strerror(-r));
}

int session_send(struct session *s, struct client *client, enum api_method method, json_t *parameters, bool is_more) {
        char name[64];

        snprintf(name, sizeof(name), API_INTERFACE ".%s", api_methods()[method].name);
        int r = client_call(client, name, parameters, is_more);
        return r < 0 ? session_tell_broken(s, r) : CTL_EXIT_DONE;
}

int session_take(struct session *s, enum api_method method, int r, struct client_reply *reply) {
        if (r < 0)
                return session_tell_broken(s, r);
        bool is_raw = session_has(s, OPTION_FOLLOW) && !s->is_terminal && !s->is_error_terminal;
        r = s->is_json && !reply->error[0] ? 0 : reply_clean(reply->parameters, is_raw);
        int status = r < 0 ? session_tell_broken(s, r) : reply->error[0] ? errors_tell(s, method, reply) : CTL_EXIT_DONE;
        if (status != CTL_EXIT_DONE)
                client_reply_done(reply);
        return status;
}

static bool is_not_ready(const struct client_reply *reply) {
        char name[64];

        snprintf(name, sizeof(name), API_INTERFACE ".%s", api_errors()[API_ERROR_NOT_READY].name);
        return strcmp(reply->error, name) == 0;
}

/* Some calls are answered when something has happened; all others at once, unless chimed hangs. */
static int64_t deadline_of(const struct session *s, enum api_method method) {
        bool is_waiting = method == API_CANCEL || method == API_WAIT || method == API_RELOAD;

        return is_waiting ? CLIENT_NO_DEADLINE : clock_awake_us() + s->patience_us;
}

/* Waits for the reply; on a terminal it is told where that takes a while. */
static int receive(struct session *s, enum api_method method, const json_t *parameters, struct client_reply *reply) {
        const char *job = reply_text(parameters, "job");
        int64_t deadline_us = deadline_of(s, method);
        bool is_told = s->progress && s->is_error_terminal && !session_has(s, OPTION_QUIET);
        int r = is_told ? client_receive(s->client, clock_awake_us() + SESSION_SILENCE_US, reply) : 1;

        if (r != 1)
                return r;
        if (is_told)
                fprintf(stderr, "%s%s%s\n", job ? job : "", job ? ": " : "", s->progress);
        r = client_receive(s->client, deadline_us, reply);
        return r == 1 ? -ETIMEDOUT : r;
}

/* Calls once. parameters is borrowed. 1: chimed is not ready yet. */
static int call_once(struct session *s, enum api_method method, json_t *parameters, bool is_last, json_t **ret) {
        struct client_reply reply;
        int status = session_send(s, s->client, method, json_incref(parameters), false);

        if (status != CTL_EXIT_DONE)
                return -status;
        int r = receive(s, method, parameters, &reply);
        if (r == 0 && !is_last && is_not_ready(&reply)) {
                client_reply_done(&reply);
                return 1;
        }
        status = session_take(s, method, r, &reply);
        if (status == CTL_EXIT_DONE)
                *ret = reply.parameters;
        if (r < 0)
                s->client = client_free(s->client); /* a late reply would be taken for that of the next call */
        return -status;
}

int session_call(struct session *s, enum api_method method, json_t *parameters, json_t **ret) {
        int64_t end_us = clock_awake_us() + PATIENCE_US;
        int status = s->client ? CTL_EXIT_DONE : session_connect(s, &s->client);

        while (status == CTL_EXIT_DONE) {
                int r = call_once(s, method, parameters, clock_awake_us() > end_us, ret);
                status = r < 0 ? -r : CTL_EXIT_DONE;
                if (r != 1)
                        break;
                usleep(TRY_AGAIN_US); /* soon it will be ready */
        }
        json_decref(parameters);
        return status;
}

json_t *session_try(struct session *s, enum api_method method, json_t *parameters) {
        struct client_reply reply = {};
        char name[64];

        snprintf(name, sizeof(name), API_INTERFACE ".%s", api_methods()[method].name);
        int r = client_call(s->client, name, parameters, false);
        if (r == 0)
                r = client_receive(s->client, clock_awake_us() + s->patience_us, &reply);
        if (r != 0) {
                s->client = client_free(s->client); /* a late reply would be taken for that of the next call */
                return NULL;
        }
        if (!reply.error[0] && reply_clean(reply.parameters, false) == 0)
                return reply.parameters;
        client_reply_done(&reply);
        return NULL;
}

/* ---- words ---- */

void session_say(struct session *s, const char *format, ...) {
        va_list arguments;

        if (s->is_json || session_has(s, OPTION_QUIET))
                return;
        va_start(arguments, format);
        vfprintf(s->out, format, arguments);
        va_end(arguments);
        fputc('\n', s->out);
}

int session_fail(int status, const char *format, ...) {
        va_list arguments;

        fputs("chimectl: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        return status;
}

int session_tell_memory(void) {
        return session_fail(CTL_EXIT_FAILED, "%s", strerror(ENOMEM));
}

static void put_json(struct session *s, const json_t *value, size_t flags) {
        json_dumpf(value, s->out, flags | (s->is_terminal ? JSON_ENSURE_ASCII : 0));
        fputc('\n', s->out);
}

void session_json(struct session *s, const json_t *value) {
        put_json(s, value, session_number(s, OPTION_JSON, JSON_FORM_SHORT) == JSON_FORM_PRETTY ? JSON_INDENT(8) : JSON_COMPACT);
}

void session_json_line(struct session *s, const json_t *value) {
        put_json(s, value, JSON_COMPACT);
        session_flush(s);
}

char *session_user(const char *by, char buf[static 64]) {
        unsigned uid;
        char end;

        if (sscanf(by, "uid %u%c", &uid, &end) == 1) {
                const struct passwd *account = getpwuid(uid);
                if (account)
                        by = account->pw_name;
        }
        snprintf(buf, 64, "%s", by);
        return buf;
}
