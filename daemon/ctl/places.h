// SPDX-License-Identifier: MIT
// places: where the job files are that the options mean.
#pragma once

#include "config/config.h"
#include "daemon/ctl/session.h"

struct places {
        char *settings_file, **folders; /* the usual ones; owned */
        json_t *status;                 /* GetStatus of a running chimed, or NULL */
        const char *list[OPTIONS_FOLDERS_MAX];
        struct config_paths paths;
};

/* What the options say, else what the running chimed uses, else the usual ones. An exit status; failures are told. places_done() takes
 * it in any case, if it was zeroed. */
int places_find(struct session *s, struct places *p);
void places_done(struct places *p);
