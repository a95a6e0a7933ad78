// SPDX-License-Identifier: MIT
// event: the table of journal records. An id is for ever: once released it is neither changed nor given to another kind.

#include "daemon/core/event.h"

#include <syslog.h>

static const struct event_row rows[EVENT_KIND_MAX] = {
        [EVENT_STARTED] = {EVENT_STARTED, "started", "fefc79e1fc364c23be9c0e4343f643e9", LOG_INFO},
        [EVENT_ENDED] = {EVENT_ENDED, "ended", "69670e8337ce46f8b64dde07a3e2e12e", LOG_INFO},
        [EVENT_FAILED] = {EVENT_FAILED, "failed", "f075cc7d26754a23bb2fdbb6d0ac9fef", LOG_ERR},
        [EVENT_TIMED_OUT] = {EVENT_TIMED_OUT, "timed-out", "a1c5c42a9daa4a6bbc7866da1fc8ccd3", LOG_ERR},
        [EVENT_RETRY] = {EVENT_RETRY, "retry", "5845236e11b0474c9b04436ef63460f1", LOG_WARNING},
        [EVENT_MISSED] = {EVENT_MISSED, "missed", "8631867c83b34481bbf4e8cda8198f88", LOG_WARNING},
        [EVENT_WITHHELD] = {EVENT_WITHHELD, "withheld", "66641cb7394849f195b6b2ca321b3ee5", LOG_NOTICE},
        [EVENT_PENDING] = {EVENT_PENDING, "pending", "a5b0d7c3e14f4a52963b0c41f7de8862", LOG_NOTICE},
        [EVENT_MERGED] = {EVENT_MERGED, "merged", "921805b1f4c54575b392de7385507150", LOG_INFO},
        [EVENT_CAUGHT_UP] = {EVENT_CAUGHT_UP, "caught-up", "d47e9d54fe4641c6a29d394b00a14422", LOG_NOTICE},
        [EVENT_INTERRUPTED] = {EVENT_INTERRUPTED, "interrupted", "6dc14bcc17d14fde93fb683111895bb4", LOG_WARNING},
        [EVENT_HELD] = {EVENT_HELD, "held", "947860b2a4524167a6dcac2567fdb637", LOG_NOTICE},
        [EVENT_ARMED] = {EVENT_ARMED, "armed", "d9906635ee934361a35661780ebc1bbf", LOG_NOTICE},
        [EVENT_JOB_STOPPED] = {EVENT_JOB_STOPPED, "job-stopped", "d853ae02e0e04afab4c5735074fc941b", LOG_NOTICE},
        [EVENT_JOB_FAILED] = {EVENT_JOB_FAILED, "job-failed", "5eb70ad89fe740c29ca7d7bef45e5dde", LOG_ERR},
        [EVENT_OVERDUE] = {EVENT_OVERDUE, "overdue", "714fa1ed1976402a927064845bdc8678", LOG_WARNING},
        [EVENT_CLOCK_STEP] = {EVENT_CLOCK_STEP, "clock-step", "6158212241e74398b4a41172c97366c2", LOG_NOTICE},
        [EVENT_RESUMED] = {EVENT_RESUMED, "resumed", "f72d576b69d54523a096bbdd3de8b176", LOG_INFO},
        [EVENT_RELOAD] = {EVENT_RELOAD, "reload", "ea0eb1ebb10b4c4eb1be79721ecee0af", LOG_INFO},
        [EVENT_CONFIG_ERROR] = {EVENT_CONFIG_ERROR, "config-error", "5666ca839a13472690261298b6473703", LOG_ERR},
        [EVENT_CONFIG_WARNING] = {EVENT_CONFIG_WARNING, "config-warning", "bae6d7a7c5754bcf984bdd2bb5445096", LOG_WARNING},
        [EVENT_DEGRADED] = {EVENT_DEGRADED, "degraded", "61c45cb22f564a7a90be85a8c915aff6", LOG_WARNING},
        [EVENT_LEFT_BEHIND] = {EVENT_LEFT_BEHIND, "left-behind", "df687ddef189474f9478fb53475f9a2f", LOG_WARNING},
        [EVENT_READY] = {EVENT_READY, "ready", "3e41f3c1967a41d8b43158f3e1205102", LOG_INFO},
        [EVENT_STOPPED] = {EVENT_STOPPED, "stopped", "89f83557836a4e37ae6b9dc02314988e", LOG_INFO},
        [EVENT_RE_EXECUTED] = {EVENT_RE_EXECUTED, "re-executed", "7f066073f6c8451f850fbf934bb42ca2", LOG_NOTICE},
};

const struct event_row *event_row(enum event_kind kind) {
        return &rows[kind];
}
