// SPDX-License-Identifier: MIT
// config_origins: the settings of one job that are in force, each with the place that it comes from.
// What is in force is decided as job_build() does: later wins, lists append, an empty value clears.

#include "config/config_origins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void config_origins_done(struct config_origins *origins) {
        for (size_t i = 0; i < origins->n; i++) {
                free(origins->list[i].key);
                free(origins->list[i].value);
                free(origins->list[i].file);
                free(origins->list[i].group);
        }
        free(origins->list);
        *origins = (struct config_origins){};
}

static int add(struct config_origins *origins, const struct job_setting *s) {
        struct config_origin *list = reallocarray(origins->list, origins->n + 1, sizeof(*list));

        if (!list)
                return -ENOMEM;
        origins->list = list;
        struct config_origin *origin = &list[origins->n++];
        *origin = (struct config_origin){.key = strdup(s->key),
                                         .value = strdup(s->value),
                                         .file = strdup(s->file),
                                         .group = s->group ? strdup(s->group) : NULL,
                                         .line = s->line,
                                         .is_default = s->is_default};
        return origin->key && origin->value && origin->file && (origin->group || !s->group) ? 0 : -ENOMEM;
}

/* Adds what is in force of one key. */
static int add_key(struct config_origins *origins, const struct job_key *key, const struct job_setting *settings, size_t n) {
        size_t first = n;

        for (size_t i = 0; i < n; i++)
                if (strcmp(settings[i].key, key->name) == 0) {
                        if (!*settings[i].value)
                                first = n;
                        else if (first == n || !key->is_list)
                                first = i;
                }
        for (size_t i = first; i < n; i++)
                if (strcmp(settings[i].key, key->name) == 0 && add(origins, &settings[i]) < 0)
                        return -ENOMEM;
        return 0;
}

/* The same of a family, of which each key is one of its own. */
static int add_family(struct config_origins *origins, const struct job_key *key, const struct job_setting *settings, size_t n) {
        for (size_t i = 0; i < n; i++) {
                bool is_in_force = job_key_is(key, settings[i].key) && *settings[i].value;
                for (size_t k = i + 1; k < n && is_in_force; k++)
                        is_in_force = strcmp(settings[k].key, settings[i].key) != 0;
                if (is_in_force && add(origins, &settings[i]) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int config_origins_take(struct config_origins *origins, const struct job_setting *settings, size_t n) {
        size_t n_keys;
        const struct job_key *keys = job_keys(&n_keys);
        int r = 0;

        for (size_t i = 0; r == 0 && i < n_keys; i++)
                r = (job_key_is_family(&keys[i]) ? add_family : add_key)(origins, &keys[i], settings, n);
        return r;
}
