// SPDX-License-Identifier: MIT
// journal_stream: a stream of a job's own to journald, as programs under systemd have it for their output.
#pragma once

/* Connects without waiting. Each line is a record of level info, unless it says another as "<N>", under the identifier. The
 * descriptor blocks, which is the job's business, is close-on-exec and the caller's. Else a negative error: journald is not there
 * (-ENOENT, -ECONNREFUSED), or takes no more connections for now (-EAGAIN). */
int journal_stream_open(const char *identifier);
