// SPDX-License-Identifier: MIT
// places: where the job files are that the options mean.

#include "daemon/ctl/places.h"

#include <errno.h>
#include <string.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"

#define ASK_US (3 * USEC_PER_SEC) /* for what the files can be read without */

void places_done(struct places *p) {
        config_paths_free(p->settings_file, p->folders);
        json_decref(p->status);
}

int places_find(struct session *s, struct places *p) {
        const struct options *o = s->options;
        bool is_told = session_has(s, OPTION_CONFIG) && o->n_folders > 0;
        size_t i, n = 0;
        json_t *folder;

        int r = config_default_paths(session_has(s, OPTION_USER), &p->settings_file, &p->folders);
        if (r < 0)
                return session_fail(CTL_EXIT_FAILED, "%s", r == -ENOENT ? "you have no home folder" : strerror(-r));
        s->patience_us = ASK_US;
        if (!is_told && session_is_there(s) && session_call(s, API_GET_STATUS, json_object(), &p->status) != CTL_EXIT_DONE)
                p->status = NULL;
        p->paths.settings_file = reply_text_or(p->status, "settingsFile", p->settings_file);
        if (session_has(s, OPTION_CONFIG))
                p->paths.settings_file = session_text(s, OPTION_CONFIG);
        for (i = 0; i < o->n_folders; i++)
                p->list[n++] = o->folders[i];
        if (n == 0)
                json_array_foreach(json_object_get(p->status, "jobFolders"), i, folder) {
                        if (n < ARRAY_SIZE(p->list) && json_is_string(folder))
                                p->list[n++] = json_string_value(folder);
                }
        for (i = 0; n == 0 && p->folders[i]; i++)
                p->list[i] = p->folders[i];
        p->paths.folders = p->list;
        p->paths.n_folders = n > 0 ? n : i;
        p->paths.now_rt_us = s->view.now_us;
        return CTL_EXIT_DONE;
}
