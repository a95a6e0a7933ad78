// SPDX-License-Identifier: MIT
// config: the settings file and the job folders, with masks and drop-ins, to one immutable snapshot and all diagnostics.
// One unit (a file with its drop-ins) is read, built and forgotten before the next, so memory holds jobs and not their texts; but
// one with groups or members of groups is kept until all groups are known.

#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_loader.h"
#include "config/config_settings.h"

struct config *config_free(struct config *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_jobs; i++)
                job_free(c->jobs[i]);
        for (size_t i = 0; i < c->n_broken; i++) {
                free(c->broken[i].file);
                free(c->broken[i].name);
        }
        for (size_t i = 0; i < c->n_groups; i++) {
                free(c->groups[i].name);
                free(c->groups[i].file);
                free(c->groups[i].description);
        }
        free(c->jobs);
        free(c->broken);
        free(c->groups);
        agendas_done(&c->agendas);
        zones_done(&c->zones);
        free(c);
        return NULL;
}

int loader_grow(void **list, size_t n, size_t *allocated, size_t item) {
        if (n <= *allocated)
                return 0;
        size_t wanted = *allocated * 2 > n ? *allocated * 2 : n + 16;
        void *grown = realloc(*list, wanted * item);
        if (!grown)
                return -ENOMEM;
        *list = grown;
        *allocated = wanted;
        return 0;
}

int loader_add_broken(struct loader *l, const char *file, const char *name) {
        struct config *c = l->config;
        struct config_broken broken = {.file = strdup(file), .name = name ? strdup(name) : NULL};
        int r = loader_grow((void **)&c->broken, c->n_broken + 1, &l->broken_allocated, sizeof(broken));

        if (r < 0 || !broken.file || (name && !broken.name)) {
                free(broken.file);
                free(broken.name);
                return -ENOMEM;
        }
        c->broken[c->n_broken++] = broken;
        return 0;
}

static struct kept *kept_free(struct kept *kept) {
        unit_done(&kept->unit);
        config_files_done(&kept->drop_ins);
        free(kept);
        return NULL;
}

static void loader_done(struct loader *l) {
        for (size_t i = 0; i < l->n_members; i++)
                free(l->members[i].layers);
        free(l->members);
        config_groups_done(&l->groups);
        for (struct kept *kept = l->kept, *next; kept; kept = next) {
                next = kept->next;
                kept_free(kept);
        }
        unit_done(&l->settings);
        config_files_done(&l->files);
        config_files_done(&l->drop_ins);
        for (size_t i = 0; i < l->n_declared; i++) {
                if (!l->declared[i].job) {
                        free(l->declared[i].name);
                        free(l->declared[i].file);
                }
                job_free(l->declared[i].job);
        }
        free(l->declared);
        free(l->layers);
        identity_cache_done(&l->identities);
        config_plugins_done(&l->plugins);
        calendars_done(&l->calendars);
        config_free(l->config);
}

/* Without its defaults no job can be taken: a missing User= would run them as root. So any doubt ends the reading. */
static int load_settings(struct loader *l) {
        const char *path = l->paths->settings_file;
        char *text = NULL;
        size_t size;

        l->settings = (struct unit){.agendas = &l->config->agendas, .diags = l->diags, .is_settings_file = true};
        int r = path ? config_file_read(path, l->diags, &text, &size) : CONFIG_FILE_ABSENT;
        if (r == CONFIG_FILE_REFUSED)
                return -EBADMSG;
        if (r != CONFIG_FILE_READ)
                return r < 0 ? r : 0;
        r = unit_read(&l->settings, path, text, size);
        free(text);
        if (r < 0)
                return r;
        l->config->n_files++;
        r = calendars_add(&l->calendars, &l->settings);
        if (r == 0)
                r = config_groups_add(&l->groups, &l->settings);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->settings.n_sections; i++)
                if (l->settings.sections[i].kind == SECTION_CHIMED)
                        config_settings_read(&l->config->settings, l->settings.settings + l->settings.sections[i].first,
                                             l->settings.sections[i].n, l->diags);
        return l->settings.is_untrusted || l->settings.has_broken_header ? -EBADMSG : 0;
}

static int scan_folders(struct loader *l) {
        for (size_t i = 0; i < l->paths->n_folders; i++) {
                const char *folder = l->paths->folders[i];
                int r = config_files_scan(folder, i, ".ini", &l->files, &l->drop_ins, l->diags);
                if (r < 0)
                        return r;
        }
        config_files_sort(&l->files, true);
        config_files_sort(&l->drop_ins, true);
        return 0;
}

/* Reads the *.conf of one unit from all of its drop-in folders. */
static int read_drop_ins(struct loader *l, struct unit *unit, const struct config_file *folders, size_t n,
                         struct config_files *files) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (!folders[i].is_refused)
                        r = config_files_scan(folders[i].path, folders[i].rank, ".conf", files, NULL, l->diags);
                unit->is_untrusted = unit->is_untrusted || folders[i].is_refused || r != 0;
                if (r < 0 && r != -ENOMEM && r != -EMFILE && r != -ENFILE)
                        r = 0; /* no matter of other units */
        }
        config_files_sort(files, false);
        unit->is_drop_in = true;
        for (size_t i = 0; r >= 0 && i < files->n; i++) {
                char *text = NULL;
                size_t size;
                if (files->list[i].is_refused)
                        continue;
                r = config_file_read(files->list[i].path, l->diags, &text, &size);
                unit->is_untrusted = unit->is_untrusted || r == CONFIG_FILE_REFUSED;
                if (r == CONFIG_FILE_READ) {
                        r = unit_read(unit, files->list[i].path, text, size);
                        free(text);
                        l->config->n_files++;
                }
        }
        return r < 0 ? r : 0;
}

static int add_settings(struct loader *l, size_t *n, const struct job_setting *settings, size_t n_settings) {
        int r = loader_grow((void **)&l->layers, *n + n_settings, &l->layers_allocated, sizeof(*l->layers));

        if (r < 0 || n_settings == 0)
                return r;
        memcpy(l->layers + *n, settings, n_settings * sizeof(*l->layers));
        *n += n_settings;
        return 0;
}

static int add_layer(struct loader *l, size_t *n, const struct unit *unit, const struct section *section) {
        return section->n > 0 ? add_settings(l, n, unit->settings + section->first, section->n) : 0;
}

static int add_defaults(struct loader *l, size_t *n, const struct unit *unit) {
        for (size_t i = 0; i < unit->n_sections; i++)
                if (unit->sections[i].kind == SECTION_DEFAULTS) {
                        int r = add_layer(l, n, unit, &unit->sections[i]);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* Takes a job over; NULL: it is broken. */
static int declare(struct loader *l, const struct section *section, struct job *job) {
        struct declared d = {.job = job, .line = section->line};
        int r = loader_grow((void **)&l->declared, l->n_declared + 1, &l->declared_allocated, sizeof(d));

        d.name = job ? job->name : strdup(section->name);
        d.file = job ? job->file : strdup(section->file);
        if (r < 0 || !d.name || !d.file) {
                if (!job) {
                        free(d.name);
                        free(d.file);
                }
                job_free(job);
                return -ENOMEM;
        }
        l->declared[l->n_declared++] = d;
        return 0;
}

/* Part of a broken section is missing, so it says nothing as a whole; what there is is still read for its errors. */
static int check_settings(struct loader *l, size_t first, size_t end) {
        for (size_t i = first; i < end; i++) {
                int r = job_setting_check(&l->layers[i], &l->config->agendas, l->diags);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Builds one job as far as its own file goes. 0, 1 if it is broken (told), or a negative error. */
static int build_job(struct loader *l, const struct section *section, size_t n_layers, struct job **ret) {
        struct job *job = NULL;
        int r = job_build(section->name, section->file, section->line, l->layers, n_layers, &l->config->agendas, l->diags,
                          &job);

        if (r == 0)
                r = identity_resolve(&l->identities, job, l->diags);
        if (r == 0)
                r = config_plugins_check(&l->plugins, job, l->diags);
        if (r == 0)
                *ret = job;
        else
                job_free(job);
        return r;
}

bool loader_traces(const struct loader *l, const char *job) {
        return l->origins && strcmp(l->origins->job, job) == 0;
}

/* Where somebody asks for the origins of this job's settings, they are the layers. Of two definitions the first is told. */
static int trace_job(struct loader *l, const struct section *section, size_t n_layers) {
        if (!loader_traces(l, section->name) || l->origins->is_found)
                return 0;
        l->origins->is_found = true;
        return config_origins_take(l->origins, l->layers, n_layers);
}

/* Traces a job and builds it. 0, also where it is broken (told) and *ret stays; a negative error. */
static int take_job(struct loader *l, const struct section *section, size_t n_layers, struct job **ret) {
        int r = trace_job(l, section, n_layers);

        if (r == 0)
                r = build_job(l, section, n_layers, ret);
        return r < 0 ? r : 0;
}

/* It is declared without a job, and built by build_members(). */
static int keep_member(struct loader *l, const struct section *section, size_t n_layers) {
        struct member m = {
                .declared = l->n_declared,
                .section = section,
                .layers = calloc(n_layers, sizeof(*m.layers)),
                .n_layers = n_layers,
        };
        int r = m.layers ? loader_grow((void **)&l->members, l->n_members + 1, &l->members_allocated, sizeof(m)) : -ENOMEM;

        if (r < 0) {
                free(m.layers);
                return r;
        }
        memcpy(m.layers, l->layers, n_layers * sizeof(*m.layers));
        l->members[l->n_members++] = m;
        return 0;
}

/* One name of a unit: its sections in files (more than one is told later), then those in drop-ins. */
static int load_job(struct loader *l, const struct unit *unit, const struct section *const *sections, size_t n_main, size_t n,
                    size_t n_defaults) {
        if (n_main == 0) {
                diags_add(l->diags, false, sections[0]->file, sections[0]->line, 0, "there is no job %s that this could add to",
                          sections[0]->name);
                return 0;
        }
        for (size_t i = 0; i < n_main; i++) {
                size_t n_layers = n_defaults;
                bool is_broken = sections[i]->is_broken;
                struct job *job = NULL;
                int r = add_layer(l, &n_layers, unit, sections[i]);
                for (size_t k = n_main; r == 0 && k < n; k++) {
                        is_broken = is_broken || sections[k]->is_broken;
                        r = add_layer(l, &n_layers, unit, sections[k]);
                }
                bool is_member = r == 0 && !is_broken && !unit->is_untrusted && config_groups_has_member(l->layers, n_layers);
                if (r == 0 && is_broken)
                        r = trace_job(l, sections[i], n_layers);
                if (r == 0)
                        r = is_broken   ? check_settings(l, n_defaults, n_layers)
                            : is_member ? keep_member(l, sections[i], n_layers)
                                        : take_job(l, sections[i], n_layers, &job);
                if (unit->is_untrusted)
                        job = job_free(job);
                if (!job && !is_member && loader_traces(l, sections[i]->name))
                        l->origins->is_broken = true;
                if (r >= 0)
                        r = declare(l, sections[i], job);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_jobs(struct loader *l, const struct unit *unit) {
        const struct section **jobs = NULL;
        size_t n = 0, n_defaults = 0;
        int r = unit_sort_sections(unit, SECTION_JOB, &jobs, &n);

        if (r == 0)
                r = add_defaults(l, &n_defaults, &l->settings);
        l->n_settings_layers = n_defaults;
        if (r == 0)
                r = add_defaults(l, &n_defaults, unit);
        for (size_t i = 0, n_main, n_all; r == 0 && i < n; i += n_all) {
                n_all = unit_count_same(jobs + i, n - i, &n_main);
                r = load_job(l, unit, jobs + i, n_main, n_all, n_defaults);
        }
        free(jobs);
        return r;
}

/* Where the file that counts is broken, those that it masks may have been in force before. */
static int add_broken_files(struct loader *l, const struct config_file *files, size_t n) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = loader_add_broken(l, files[i].path, NULL);
        return r;
}

/* The groups and jobs of a file that was read. *ret_is_needed: later on, too. */
static int load_sections(struct loader *l, const struct unit *unit, bool *ret_is_needed) {
        size_t n_groups = l->groups.n, n_members = l->n_members;
        int r = calendars_add(&l->calendars, unit);

        if (r == 0)
                r = config_groups_add(&l->groups, unit);
        if (r == 0)
                r = load_jobs(l, unit);
        *ret_is_needed = l->groups.n > n_groups || l->n_members > n_members;
        return r;
}

static int load_text(struct loader *l, struct kept *kept, const struct config_file *file, size_t n_files, const char *text,
                     size_t size, const struct config_file *folders, size_t n_folders) {
        int r = unit_read(&kept->unit, file->path, text, size);

        if (r == 0 && n_folders > 0)
                r = read_drop_ins(l, &kept->unit, folders, n_folders, &kept->drop_ins);
        if (r == 0 && (kept->unit.is_untrusted || kept->unit.has_broken_header))
                r = add_broken_files(l, file, n_files);
        return r;
}

/* Reads one job file, the first of those of its name that is there, with the drop-ins that are given. */
static int load_unit(struct loader *l, const struct config_file *file, size_t n_files, const struct config_file *folders,
                     size_t n_folders) {
        bool is_needed = false;
        char *text = NULL;
        size_t size;
        int r = CONFIG_FILE_ABSENT;

        for (; n_files > 0; file++, n_files--) {
                r = file->is_refused ? CONFIG_FILE_REFUSED : config_file_read(file->path, l->diags, &text, &size);
                if (r != CONFIG_FILE_ABSENT)
                        break;
        }
        if (r == CONFIG_FILE_REFUSED)
                return add_broken_files(l, file, n_files);
        if (r != CONFIG_FILE_READ)
                return r < 0 ? r : 0;
        l->config->n_files++;
        struct kept *kept = calloc(1, sizeof(*kept));
        if (kept) {
                kept->unit = (struct unit){.agendas = &l->config->agendas, .diags = l->diags};
                kept->next = l->kept;
                l->kept = kept;
        }
        r = kept ? load_text(l, kept, file, n_files, text, size, folders, n_folders) : -ENOMEM;
        free(text);
        if (r == 0)
                r = load_sections(l, &kept->unit, &is_needed);
        if (r == 0 && !is_needed) {
                l->kept = kept->next;
                kept_free(kept);
        }
        return r;
}

/* The drop-in folders "NAME.ini.d" of "NAME.ini"; the list is sorted. */
static size_t find_drop_ins(const struct config_files *folders, const char *name, size_t *ret_first) {
        size_t first = 0, last = folders->n, n = 0;
        char wanted[NAME_MAX + 8];

        snprintf(wanted, sizeof(wanted), "%s.d", name);
        while (first < last) {
                size_t middle = first + (last - first) / 2;
                if (strcmp(folders->list[middle].name, wanted) < 0)
                        first = middle + 1;
                else
                        last = middle;
        }
        while (first + n < folders->n && strcmp(folders->list[first + n].name, wanted) == 0)
                n++;
        *ret_first = first;
        return n;
}

static int load_units(struct loader *l) {
        int r = 0;

        for (size_t i = 0, next; r == 0 && i < l->files.n; i = next) {
                const struct config_file *file = &l->files.list[i];
                size_t first, n = find_drop_ins(&l->drop_ins, file->name, &first);
                for (next = i + 1; next < l->files.n && strcmp(l->files.list[next].name, file->name) == 0;)
                        next++;
                for (size_t k = first; k < first + n; k++)
                        l->drop_ins.list[k].is_used = true;
                r = load_unit(l, file, next - i, n > 0 ? l->drop_ins.list + first : NULL, n);
        }
        for (size_t i = 0; r == 0 && i < l->drop_ins.n; i++)
                if (!l->drop_ins.list[i].is_used)
                        diags_add(l->diags, true, l->drop_ins.list[i].path, 0, 0,
                                  "not read: there is no file of this name without .d");
        return r;
}

/* With the defaults of its groups between those of the settings file and those of its own. */
static int build_member(struct loader *l, const struct member *m) {
        struct declared *d = &l->declared[m->declared];
        struct job_setting *defaults = NULL;
        size_t n = 0, n_first = l->n_settings_layers, n_defaults = 0;
        int r = config_groups_resolve(&l->groups, m->layers, m->n_layers, l->diags, &defaults, &n_defaults);
        struct job *job = NULL;

        if (r == 0)
                r = add_settings(l, &n, m->layers, n_first);
        if (r == 0)
                r = add_settings(l, &n, defaults, n_defaults);
        if (r == 0)
                r = add_settings(l, &n, m->layers + n_first, m->n_layers - n_first);
        if (r == 0)
                r = take_job(l, m->section, n, &job);
        free(defaults);
        if (job) {
                free(d->name);
                free(d->file);
                *d = (struct declared){.job = job, .name = job->name, .file = job->file, .line = d->line};
        } else if (loader_traces(l, d->name))
                l->origins->is_broken = true;
        return r < 0 ? r : 0;
}

static int build_members(struct loader *l) {
        int r = config_groups_settle(&l->groups, l->config, l->diags);

        for (size_t i = 0; r == 0 && i < l->n_members; i++)
                r = build_member(l, &l->members[i]);
        return r;
}

static int load(const struct config_paths *paths, struct config_origins *origins, struct diags *diags, struct config **ret) {
        struct loader l = {.paths = paths, .diags = diags, .config = calloc(1, sizeof(*l.config)), .origins = origins};

        if (!l.config)
                return -ENOMEM;
        config_settings_init(&l.config->settings);
        l.config->agendas = (struct agendas){.find_zone = zones_find_for_agendas, .userdata = &l.config->zones};
        l.plugins = (struct config_plugins){
                .warns = paths->warns_of_plugins, .host = paths->plugin_host, .folder = l.config->settings.plugin_directory};
        int r = load_settings(&l);
        if (r == 0)
                r = scan_folders(&l);
        if (r == 0)
                r = load_units(&l);
        if (r == 0)
                r = build_members(&l);
        if (r == 0)
                r = loader_finish_jobs(&l);
        if (r == 0)
                r = loader_settle_jobs(&l);
        if (r == 0) {
                *ret = l.config;
                l.config = NULL;
        }
        loader_done(&l);
        diags_sort(diags);
        return r;
}

int config_load(const struct config_paths *paths, struct diags *diags, struct config **ret) {
        return load(paths, NULL, diags, ret);
}

int config_load_origins(const struct config_paths *paths, const char *job, struct diags *diags, struct config_origins *ret) {
        struct config_origins origins = {.job = job};
        struct config *config = NULL;
        int r = load(paths, &origins, diags, &config);

        config_free(config);
        if (r == 0)
                *ret = origins;
        else
                config_origins_done(&origins);
        return r;
}
