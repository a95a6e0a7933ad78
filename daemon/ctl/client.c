// SPDX-License-Identifier: MIT
// client: a connection to chimed.
// The socket never blocks; whoever waits says how long. A reply is parsed only when it is whole, and only up to a size.

#include "daemon/ctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/ctl/text.h"
#include "daemon/varlink/message.h"

struct client {
        int fd;
        struct message_input input;
};

/* A path that is too long for an address is named by its folder's descriptor. */
static int make_address(const char *path, struct sockaddr_un *address, int *ret_folder_fd) {
        const char *slash = strrchr(path, '/');

        if (strlen(path) < sizeof(address->sun_path)) {
                strcpy(address->sun_path, path);
                return 0;
        }
        if (!slash)
                return -ENAMETOOLONG;
        _cleanup_free_ char *folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
        if (!folder)
                return -ENOMEM;
        int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret_folder_fd = fd;
        int n = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", fd, slash + 1);
        return n < (int)sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

static int wait_for(int fd, short events, int64_t deadline_us) {
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int timeout_ms = -1, r;

        do {
                if (deadline_us != CLIENT_NO_DEADLINE) {
                        int64_t left_ms = (deadline_us - clock_awake_us() + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
                        timeout_ms = left_ms < 0 ? 0 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
                }
                r = poll(&poll_fd, 1, timeout_ms);
        } while (r < 0 && errno == EINTR);
        return r < 0 ? -errno : r == 0;
}

int client_connect(const char *path, struct client **ret) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int folder = -1, fd = -1;
        int r = make_address(path, &address, &folder);

        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        /* waits where the queue of connections is full, as it should */
        while (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                if (errno != EINTR)
                        return -errno;
        if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        struct client *c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->fd = fd;
        c->input.limit = CLIENT_REPLY_MAX;
        fd = -1;
        *ret = c;
        return 0;
}

struct client *client_free(struct client *c) {
        if (!c)
                return NULL;
        util_close(c->fd);
        message_input_done(&c->input);
        free(c);
        return NULL;
}

int client_fd(const struct client *c) {
        return c->fd;
}

static int send_all(struct client *c, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
                if (n >= 0) {
                        data += n;
                        size -= (size_t)n;
                } else if (errno == EAGAIN) {
                        int r = wait_for(c->fd, POLLOUT, CLIENT_NO_DEADLINE);
                        if (r < 0)
                                return r;
                } else if (errno != EINTR)
                        return errno == EPIPE ? -ECONNRESET : -errno;
        }
        return 0;
}

int client_call(struct client *c, const char *method, json_t *parameters, bool is_more) {
        json_t *call = parameters ? json_pack("{s:s, s:o}", "method", method, "parameters", parameters) : NULL;

        if (call && is_more && json_object_set_new(call, "more", json_true()) < 0) {
                json_decref(call);
                return -ENOMEM;
        }
        _cleanup_free_ char *text = call ? json_dumps(call, JSON_COMPACT) : NULL;
        json_decref(call);
        return text ? send_all(c, text, strlen(text) + 1) : -ENOMEM;
}

/* Reads what is there. 0, 1 where nothing is, or a negative errno. */
static int fill(struct client *c) {
        char *room;
        size_t size;
        int r = message_input_room(&c->input, &room, &size);

        if (r < 0)
                return r;
        ssize_t n = recv(c->fd, room, size, 0);
        if (n > 0)
                message_input_add(&c->input, (size_t)n);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
                return -ECONNRESET;
        return n > 0 || errno == EINTR ? 0 : errno == EAGAIN ? 1 : -errno;
}

static int parse(const char *text, size_t size, struct client_reply *ret) {
        json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
        const char *error = json_string_value(json_object_get(root, "error"));
        json_t *parameters = json_object_get(root, "parameters");
        struct client_reply reply = {.has_more = json_is_true(json_object_get(root, "continues"))};

        snprintf(reply.error, sizeof(reply.error), "%s", error ? error : "");
        text_clean(reply.error, false);
        bool is_good = json_is_object(root) && (!parameters || json_is_object(parameters) || json_is_null(parameters));
        reply.parameters = json_is_object(parameters) ? json_incref(parameters) : json_object();
        json_decref(root);
        if (!is_good || !reply.parameters) {
                client_reply_done(&reply);
                return is_good ? -ENOMEM : -EBADMSG;
        }
        *ret = reply;
        return 0;
}

int client_take(struct client *c, struct client_reply *ret) {
        const char *text;
        size_t size;

        while (!message_input_next(&c->input, &text, &size)) {
                int r = fill(c);
                if (r != 0)
                        return r;
        }
        return parse(text, size, ret);
}

int client_receive(struct client *c, int64_t deadline_us, struct client_reply *ret) {
        for (;;) {
                int r = client_take(c, ret);
                if (r != 1)
                        return r;
                r = wait_for(c->fd, POLLIN, deadline_us);
                if (r != 0)
                        return r;
        }
}

void client_reply_done(struct client_reply *reply) {
        json_decref(reply->parameters);
        reply->parameters = NULL;
}
