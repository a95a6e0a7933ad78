// SPDX-License-Identifier: MIT
// beat: the words of a heartbeat.
#pragma once

#include <stdint.h>

#include "daemon/plugins/text.h"

enum beat_format { BEAT_PAIRS, BEAT_JSON, BEAT_NOTIFY };

struct beat {
        const char *job, *host;
        uint64_t run;
        int64_t now_rt_us, slot_rt_us;
};

/* One line of JSON; lines NAME=VALUE; or what sd_notify(3) would send: the watchdog is fed, and the status says when. */
void beat_write(const struct beat *beat, enum beat_format format, struct text *to);
