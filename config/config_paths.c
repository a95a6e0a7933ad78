// SPDX-License-Identifier: MIT
// config_paths: where the settings file and the job folders are, of the system and of a user.

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

/* "$VARIABLE/TAIL", else "$HOME/FALLBACK/TAIL". An XDG variable counts only where it is absolute. */
static int user_path(const char *variable, const char *fallback, const char *tail, char **ret) {
        const char *base = getenv(variable), *home = getenv("HOME");
        int n;

        if (!home || home[0] != '/') {
                const struct passwd *account = getpwuid(geteuid());
                home = account ? account->pw_dir : NULL;
        }
        if (base && base[0] == '/')
                n = asprintf(ret, "%s/%s", base, tail);
        else if (home && fallback)
                n = asprintf(ret, "%s/%s/%s", home, fallback, tail);
        else
                return -ENOENT;
        if (n < 0)
                *ret = NULL;
        return n < 0 ? -ENOMEM : 0;
}

void config_paths_free(char *settings_file, char **folders) {
        for (char **folder = folders; folder && *folder; folder++)
                free(*folder);
        free(folders);
        free(settings_file);
}

static int system_paths(char **ret_settings_file, char **folders) {
        static const char *const system_folders[] = {CHIMED_SYSCONFDIR "/jobs.d", "/run/chimed/jobs.d",
                                                     CHIMED_VENDORDIR "/jobs.d"};

        for (size_t i = 0; i < sizeof(system_folders) / sizeof(system_folders[0]); i++) {
                folders[i] = strdup(system_folders[i]);
                if (!folders[i])
                        return -ENOMEM;
        }
        *ret_settings_file = strdup(CHIMED_SYSCONFDIR "/chimed.conf");
        return *ret_settings_file ? 0 : -ENOMEM;
}

static int user_paths(char **ret_settings_file, char **folders) {
        size_t n = 0;
        int r = user_path("XDG_CONFIG_HOME", ".config", "chimed/chimed.conf", ret_settings_file);

        if (r == 0)
                r = user_path("XDG_CONFIG_HOME", ".config", "chimed/jobs.d", &folders[n++]);
        if (r == 0 && user_path("XDG_RUNTIME_DIR", NULL, "chimed/jobs.d", &folders[n]) == 0)
                n++; /* not everybody has one */
        if (r == 0)
                r = user_path("XDG_DATA_HOME", ".local/share", "chimed/jobs.d", &folders[n]);
        return r;
}

int config_default_paths(int is_user, char **ret_settings_file, char ***ret_folders) {
        char *settings_file = NULL, **folders = calloc(4, sizeof(*folders));

        if (!folders)
                return -ENOMEM;
        int r = is_user ? user_paths(&settings_file, folders) : system_paths(&settings_file, folders);
        if (r < 0) {
                config_paths_free(settings_file, folders);
                return r;
        }
        *ret_settings_file = settings_file;
        *ret_folders = folders;
        return 0;
}
