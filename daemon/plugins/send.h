// SPDX-License-Identifier: MIT
// send: one message to a local socket or by UDP, without waiting.
#pragma once

#include <stddef.h>
#include <sys/socket.h>

struct send_address {
        struct sockaddr_storage name;
        socklen_t size;
};

/*
 * Reads /PATH, @NAME (abstract), or udp:ADDRESS:PORT with a numeric address, one of version 6 in brackets. -EINVAL: it is none of
 * these; -ENAMETOOLONG: a socket's path has at most 107 bytes.
 */
int send_parse(const char *text, struct send_address *ret);

/*
 * Sends the message as one datagram; to a local socket that is a stream: as a line, which it should end with. Never waits:
 * -EAGAIN: the reader is behind. Other negative errnos are connect(2)'s and send(2)'s.
 */
int send_message(const struct send_address *to, const void *message, size_t size);
