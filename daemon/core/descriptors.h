// SPDX-License-Identifier: MIT
// descriptors: a message with open descriptors, from one process to another over a SOCK_SEQPACKET socket.
// Both ends know how long it is and how many come with it; the receiver believes neither.
#pragma once

#include <stddef.h>

#define DESCRIPTORS_MAX 4 /* of a message */

/* Such a socket, non-blocking and close-on-exec at both ends, which are the caller's to close. 0 or a negative error. */
int descriptors_pair(int *ret, int *ret_peer);
/* Sends size bytes (at least 1) with copies of fds[0..n), all borrowed; never blocks. 0; -EAGAIN: the peer has not read enough;
 * -ETOOMANYREFS: too many are under way; -EPIPE, or another error of the socket. */
int descriptors_send(int socket, const void *data, size_t size, const int *fds, size_t n);
/* Receives one message of exactly size bytes into data and n descriptors into ret_fds, close-on-exec and the caller's to close; never
 * blocks. 0; 1: the peer has closed; -EAGAIN: nothing is there; -EBADMSG: it was another kind of message, of which nothing is kept;
 * or another error of the socket. On failure data may have been written to. */
int descriptors_receive(int socket, void *data, size_t size, int *ret_fds, size_t n);
