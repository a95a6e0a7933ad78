// SPDX-License-Identifier: MIT
// config_unit: the sections and settings of one job file with its drop-ins, or of the settings file.
// Decides how far an error reaches: a bad line costs its job, a bad header hides a job, bad defaults spoil all that they are for.

#include "config/config_unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/ini.h"

#define ARENA_BLOCK 65536
#define SEARCHED_MAX                                                                                                           \
        1000 /* settings of a section that are looked through for one of a family; a definition has no room for more */

struct arena_block {
        struct arena_block *next;
        size_t used, size;
        char data[];
};

static const char *unit_text(struct unit *unit, const char *text) {
        size_t size = strlen(text) + 1;
        struct arena_block *block = unit->arena;

        if (!block || size > block->size - block->used) {
                size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
                block = malloc(sizeof(*block) + room);
                if (!block) {
                        unit->error = -ENOMEM;
                        return NULL;
                }
                *block = (struct arena_block){.next = unit->arena, .size = room};
                unit->arena = block;
        }
        char *copy = block->data + block->used;
        block->used += size;
        return memcpy(copy, text, size);
}

void unit_done(struct unit *unit) {
        while (unit->arena) {
                struct arena_block *next = unit->arena->next;
                free(unit->arena);
                unit->arena = next;
        }
        free(unit->sections);
        free(unit->settings);
        free(unit->seen);
        *unit = (struct unit){};
}

static bool grow(void **list, size_t n, size_t *allocated, size_t item) {
        if (n < *allocated)
                return true;
        size_t wanted = *allocated ? *allocated * 2 : 16;
        void *grown = realloc(*list, wanted * item);
        if (!grown)
                return false;
        *list = grown;
        *allocated = wanted;
        return true;
}

/* A second [defaults] or [chimed] in one file. */
static bool is_repeated_section(struct unit *unit, const struct section *section) {
        unsigned *line = &unit->lines[section->kind];

        if (section->kind != SECTION_DEFAULTS && section->kind != SECTION_CHIMED)
                return false;
        if (*line > 0) {
                diags_add(unit->diags, false, unit->file, section->line, 1,
                          "a second section of this kind; the first is at line %u", *line);
                return true;
        }
        *line = section->line;
        return false;
}

/* What a header that is none of ours should have been. */
static void tell_section(struct unit *unit, unsigned line, const char *kind, const char *name) {
        static const char *const foreign[] = {"Unit", "Service", "Timer", "Install"};

        for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
                if (strcmp(kind, foreign[i]) == 0) {
                        diags_add(unit->diags, false, unit->file, line, 2,
                                  "[%s] is systemd's; here [job NAME] holds both what and when", kind);
                        return;
                }
        const char *why;
        if (!*name && job_name_is_valid(kind, &why) && !unit->is_settings_file)
                diags_add(unit->diags, false, unit->file, line, 2, "unknown section [%s]; did you mean [job %s]?", kind, kind);
        else
                diags_add(unit->diags, false, unit->file, line, 2, "unknown section [%.64s]; there is %s", kind,
                          unit->is_settings_file ? "[chimed], [defaults], [group NAME] and [calendar NAME]"
                                                 : "[job NAME], [group NAME], [calendar NAME] and [defaults]");
}

static enum section_kind find_named_kind(struct unit *unit, unsigned line, const char *kind, const char *name,
                                         enum section_kind found) {
        const char *why;

        if (job_name_is_valid(name, &why))
                return found;
        if (*name)
                diags_add(unit->diags, false, unit->file, line, (unsigned)strlen(kind) + 3, "%s", why);
        else
                diags_add(unit->diags, false, unit->file, line, 1, "a %s needs a name; write [%s NAME]", kind, kind);
        return SECTION_OTHER;
}

static enum section_kind find_kind(struct unit *unit, unsigned line, const char *kind, const char *name) {
        enum section_kind found = SECTION_OTHER;

        if (strcmp(kind, "job") == 0 && !unit->is_settings_file)
                return find_named_kind(unit, line, kind, name, SECTION_JOB);
        if (strcmp(kind, "calendar") == 0)
                return find_named_kind(unit, line, kind, name, SECTION_CALENDAR);
        if (strcmp(kind, "group") == 0)
                return find_named_kind(unit, line, kind, name, SECTION_GROUP);
        if (strcmp(kind, "defaults") == 0)
                found = SECTION_DEFAULTS;
        else if (strcmp(kind, "chimed") == 0 && unit->is_settings_file)
                found = SECTION_CHIMED;
        else if (strcmp(kind, "job") == 0)
                diags_add(unit->diags, false, unit->file, line, 2, "jobs belong into files NAME.ini in a job folder");
        else if (strcmp(kind, "chimed") == 0)
                diags_add(unit->diags, false, unit->file, line, 2, "[chimed] belongs into chimed.conf");
        else if (*kind) /* "" is a header that is told already */
                tell_section(unit, line, kind, name);
        if (found != SECTION_OTHER && *name) {
                diags_add(unit->diags, false, unit->file, line, 2, "[%s] takes no name", kind);
                return SECTION_OTHER;
        }
        return found;
}

/* The section at hand has an error. */
static void spoil(struct unit *unit) {
        struct section *section = unit->n_sections > 0 ? &unit->sections[unit->n_sections - 1] : NULL;

        if (!section || section->file != unit->file || section->kind == SECTION_OTHER) {
                unit->has_broken_header = true;
                unit->is_untrusted = unit->is_untrusted || unit->is_drop_in;
                return;
        }
        section->is_broken = true;
        unit->is_untrusted = unit->is_untrusted || section->kind == SECTION_DEFAULTS;
}

static void on_section(void *userdata, unsigned line, const char *kind, const char *name) {
        struct unit *unit = userdata;
        struct section section = {.file = unit->file, .line = line, .first = unit->n_settings, .is_drop_in = unit->is_drop_in};

        if (!grow((void **)&unit->sections, unit->n_sections, &unit->sections_allocated, sizeof(section))) {
                unit->error = -ENOMEM;
                return;
        }
        section.kind = find_kind(unit, line, kind, name);
        section.name = unit_text(unit, name);
        bool is_bad = is_repeated_section(unit, &section) || section.kind == SECTION_OTHER;
        unit->sections[unit->n_sections++] = section;
        if (is_bad)
                spoil(unit);
        memset(unit->seen, 0, unit->n_seen * sizeof(*unit->seen));
}

static void on_broken(void *userdata, unsigned line) {
        (void)line;
        spoil(userdata);
}

/* The keys that only sections of a kind may have. Those of [chimed] are looked at later. */
static const struct job_key *own_keys(enum section_kind kind, size_t *ret_n) {
        *ret_n = 0;
        return kind == SECTION_CALENDAR ? config_calendar_keys(ret_n) : kind == SECTION_GROUP ? config_group_keys(ret_n) : NULL;
}

static const struct job_key *find_in(const struct job_key *keys, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (job_key_is(&keys[i], name))
                        return &keys[i];
        return NULL;
}

/* *ret_seen is where it is marked that the section has the key. */
static const struct job_key *find_key(struct unit *unit, enum section_kind kind, const char *name, unsigned **ret_seen) {
        size_t n_own, n;
        const struct job_key *own = own_keys(kind, &n_own), *keys = job_keys(&n);
        const struct job_key *found = find_in(own, n_own, name);

        if (found) {
                *ret_seen = &unit->seen[n + (size_t)(found - own)];
                return found;
        }
        found = kind == SECTION_CALENDAR || kind == SECTION_CHIMED ? NULL : find_in(keys, n, name);
        if (found)
                *ret_seen = &unit->seen[found - keys];
        return found;
}

static bool has_defaults(const struct section *section) {
        return section->kind == SECTION_DEFAULTS || section->kind == SECTION_GROUP;
}

/* Where a section has that key, among the last settings that one with as many as it may have would be; 0: nowhere. */
static unsigned find_line(const struct unit *unit, const struct section *section, const char *key) {
        size_t first = section->n > SEARCHED_MAX ? section->n - SEARCHED_MAX : 0;

        for (size_t i = first; i < section->n; i++)
                if (strcmp(unit->settings[section->first + i].key, key) == 0)
                        return unit->settings[section->first + i].line;
        return 0;
}

/* A key of a job, a calendar, a group or of defaults: known, not twice (but for lists), and fit for the section. Values of jobs and calendars are
 * read later, defaults now, so that an error is told once and not for every job. */
static int check_key(struct unit *unit, const struct section *section, const struct job_setting *s, const struct job_key *key,
                     unsigned *seen) {
        if (!key && section->kind == SECTION_GROUP) {
                char hint[160];
                size_t n;
                const struct job_key *keys = config_group_keys(&n);
                diags_add(unit->diags, false, s->file, s->line, 1, "%s", job_key_hint(s->key, keys, n, hint));
                return 1;
        }
        if (!key) /* who reads the section tells */
                return has_defaults(section) ? job_setting_check(s, unit->agendas, unit->diags) : 0;
        unsigned first = job_key_is_family(key) ? find_line(unit, section, s->key) : key->is_list ? 0 : *seen;
        if (first > 0) {
                diags_add(unit->diags, false, s->file, s->line, 1, "%s= a second time in this section; the first is at line %u",
                          s->key, first);
                return 1;
        }
        *seen = s->line;
        if (!has_defaults(section) || !key->parse)
                return 0;
        if (!key->is_default_allowed) {
                diags_add(unit->diags, false, s->file, s->line, 1, "%s= can't stand in [%s]; write it into the job", s->key,
                          section->kind == SECTION_GROUP ? "group" : "defaults");
                return 1;
        }
        return job_setting_check(s, unit->agendas, unit->diags);
}

static void on_key(void *userdata, unsigned line, unsigned column, const char *name, const char *value) {
        struct unit *unit = userdata;
        struct section *section = unit->n_sections > 0 ? &unit->sections[unit->n_sections - 1] : NULL;

        if (unit->error < 0 || !section || section->kind == SECTION_OTHER)
                return;
        unsigned *seen = NULL;
        const struct job_key *key = find_key(unit, section->kind, name, &seen);
        struct job_setting s = {
                .key = key && !job_key_is_family(key) ? key->name : unit_text(unit, name),
                .value = unit_text(unit, value),
                .file = unit->file,
                .line = line,
                .column = column,
                .is_default = has_defaults(section),
                .group = section->kind == SECTION_GROUP ? section->name : NULL,
        };
        if (unit->error < 0 || !grow((void **)&unit->settings, unit->n_settings, &unit->settings_allocated, sizeof(s))) {
                unit->error = -ENOMEM;
                return;
        }
        int r = check_key(unit, section, &s, key, seen);
        if (r < 0)
                unit->error = r;
        if (r > 0)
                spoil(unit);
        if (r)
                return; /* told; it need not be told again for each job */
        unit->settings[unit->n_settings++] = s;
        section->n++;
}

int unit_read(struct unit *unit, const char *file, const char *text, size_t size) {
        const struct ini_events events = {
                .header = unit->is_settings_file ? "[chimed]" : "[job NAME]",
                .section = on_section,
                .key = on_key,
                .broken = on_broken,
        };
        size_t n_job, n_calendar, n_group;

        job_keys(&n_job);
        config_calendar_keys(&n_calendar);
        config_group_keys(&n_group);
        unit->n_seen = n_job + (n_calendar > n_group ? n_calendar : n_group);
        if (!unit->seen)
                unit->seen = calloc(unit->n_seen, sizeof(*unit->seen));
        if (!unit->seen)
                return -ENOMEM;
        unit->file = file;
        memset(unit->lines, 0, sizeof(unit->lines));
        int r = ini_parse_text(file, text, size, &events, unit, unit->diags);
        return r < 0 ? r : unit->error;
}

static int compare_sections(const void *a, const void *b) {
        const struct section *x = *(const struct section *const *)a, *y = *(const struct section *const *)b;
        int order = strcmp(x->name, y->name);

        return order ? order : (x > y) - (x < y); /* the order of files and lines: drop-ins are last */
}

int unit_sort_sections(const struct unit *unit, enum section_kind kind, const struct section ***ret, size_t *ret_n) {
        const struct section **list = calloc(unit->n_sections + 1, sizeof(*list));
        size_t n = 0;

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < unit->n_sections; i++)
                if (unit->sections[i].kind == kind)
                        list[n++] = &unit->sections[i];
        qsort(list, n, sizeof(*list), compare_sections);
        *ret = list;
        *ret_n = n;
        return 0;
}

size_t unit_count_same(const struct section *const *sections, size_t n, size_t *ret_n_main) {
        size_t n_same = 1;

        while (n_same < n && strcmp(sections[n_same]->name, sections[0]->name) == 0)
                n_same++;
        for (*ret_n_main = 0; *ret_n_main < n_same && !sections[*ret_n_main]->is_drop_in;)
                ++*ret_n_main;
        return n_same;
}
