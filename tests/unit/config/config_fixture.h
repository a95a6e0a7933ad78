// SPDX-License-Identifier: MIT
// config_fixture: a folder of its own with a settings file and job folders, read as a whole.
#pragma once

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

static char root[] = "/tmp/chimed-test-config-XXXXXX";
static struct diags diags;
static struct config *config;
static const char *plugin_host; /* NULL: plugins are not looked at */

static int on_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
        (void)st, (void)kind, (void)ftw;
        return remove(path);
}

static void set_up(void) {
        strcpy(root + sizeof(root) - 7, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        ck_assert_int_eq(chdir(root), 0);
        umask(022);
        mkdir("etc", 0755);
        mkdir("run", 0755);
}

static void tear_down(void) {
        config = config_free(config);
        diags_done(&diags);
        ck_assert_int_eq(chdir("/"), 0);
        nftw(root, on_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text) {
        FILE *f = fopen(path, "w");
        ck_assert_msg(f != NULL, "%s", path);
        fputs(text, f);
        fclose(f);
}

/* Reads etc before run, with the settings file "conf". */
static int load(void) {
        static const char *const folders[] = {"etc", "run", "absent"};
        struct config_paths paths = {.settings_file = "conf",
                                     .folders = folders,
                                     .n_folders = 3,
                                     .plugin_host = plugin_host,
                                     .warns_of_plugins = true};

        config = config_free(config);
        diags_done(&diags);
        return config_load(&paths, &diags, &config);
}

/* The names of the jobs, and after ! those of what is broken, as text: "a b ! c etc/x.ini". */
static const char *names(void) {
        static char text[1000];
        size_t n = 0;

        text[0] = 0;
        for (size_t i = 0; i < config->n_jobs; i++)
                n += (size_t)sprintf(text + n, "%s%s", n ? " " : "", config->jobs[i]->name);
        for (size_t i = 0; i < config->n_broken; i++)
                n += (size_t)sprintf(text + n, "%s%s", i == 0 ? n ? " ! " : "! " : " ",
                                     config->broken[i].name ? config->broken[i].name : config->broken[i].file);
        return text;
}

static const char *diag(size_t i) {
        static char *text;

        free(text);
        text = i < diags.n ? diag_print(&diags.list[i]) : strdup("none");
        return text;
}

#define JOB(name) "[job " name "]\nCommand=/bin/true\nEvery=1h\n"
