// SPDX-License-Identifier: MIT
// send: one message to a local socket or by UDP, without waiting.

#include "daemon/plugins/send.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static int parse_local(const char *text, struct send_address *ret) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        size_t length = strlen(text);

        if (length < 2)
                return -EINVAL;
        if (length >= sizeof(name.sun_path))
                return -ENAMETOOLONG;
        memcpy(name.sun_path, text, length);
        if (*text == '@')
                name.sun_path[0] = '\0';
        ret->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*text == '/'));
        memcpy(&ret->name, &name, sizeof(name));
        return 0;
}

static int parse_udp(const char *text, struct send_address *ret) {
        struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM}, *found;
        char host[64];
        const char *colon = strrchr(text, ':');
        size_t length = colon ? (size_t)(colon - text) : 0;

        if (length == 0 || length >= sizeof(host) || strspn(colon + 1, "0123456789") > 5 || atoi(colon + 1) > UINT16_MAX)
                return -EINVAL;
        if (*text == '[' && text[length - 1] == ']') {
                text++;
                length -= 2;
        } else if (memchr(text, ':', length)) {
                return -EINVAL; /* where does its address end? */
        }
        memcpy(host, text, length);
        host[length] = '\0';
        if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
                return -EINVAL;
        memcpy(&ret->name, found->ai_addr, found->ai_addrlen);
        ret->size = found->ai_addrlen;
        freeaddrinfo(found);
        return 0;
}

int send_parse(const char *text, struct send_address *ret) {
        struct send_address address = {};
        int r = -EINVAL;

        if (*text == '/' || *text == '@')
                r = parse_local(text, &address);
        else if (strncmp(text, "udp:", 4) == 0)
                r = parse_udp(text + 4, &address);
        if (r == 0)
                *ret = address;
        return r;
}

static int send_as(int type, const struct send_address *to, const void *message, size_t size) {
        int fd = socket(to->name.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = 0;

        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)&to->name, to->size) < 0) {
                r = -errno;
        } else {
                ssize_t n = send(fd, message, size, MSG_NOSIGNAL);
                r = n < 0 ? -errno : n < (ssize_t)size ? -EAGAIN : 0;
        }
        close(fd);
        return r;
}

int send_message(const struct send_address *to, const void *message, size_t size) {
        int r = send_as(SOCK_DGRAM, to, message, size);

        return r == -EPROTOTYPE && to->name.ss_family == AF_UNIX ? send_as(SOCK_STREAM, to, message, size) : r;
}
