// SPDX-License-Identifier: MIT
// beat: the words of a heartbeat.

#include "daemon/plugins/beat.h"

static void add_pairs(const struct beat *beat, struct text *to) {
        text_add(to, "TIME=");
        text_add_time(to, beat->now_rt_us);
        text_add(to, "\nSLOT=");
        text_add_time(to, beat->slot_rt_us);
        text_add(to, "\nRUN=%llu\nJOB=%s\nHOST=%s\n", (unsigned long long)beat->run, beat->job, beat->host);
}

static void add_json(const struct beat *beat, struct text *to) {
        text_add(to, "{\"time\":\"");
        text_add_time(to, beat->now_rt_us);
        text_add(to, "\",\"slot\":\"");
        text_add_time(to, beat->slot_rt_us);
        text_add(to, "\",\"run\":%llu,\"job\":", (unsigned long long)beat->run);
        text_add_json(to, beat->job);
        text_add(to, ",\"host\":");
        text_add_json(to, beat->host);
        text_add(to, "}\n");
}

void beat_write(const struct beat *beat, enum beat_format format, struct text *to) {
        switch (format) {
        case BEAT_PAIRS:
                add_pairs(beat, to);
                break;
        case BEAT_JSON:
                add_json(beat, to);
                break;
        case BEAT_NOTIFY:
                text_add(to, "WATCHDOG=1\nSTATUS=job %s, run %llu at ", beat->job, (unsigned long long)beat->run);
                text_add_time(to, beat->now_rt_us);
                text_add(to, "\n");
                break;
        }
}
