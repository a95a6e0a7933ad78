// SPDX-License-Identifier: MIT
// screen_groups: the table of groups.

#include <errno.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/table.h"

static int compare(const void *a, const void *b) {
        return strcmp(reply_text_or(*(json_t *const *)a, "name", ""), reply_text_or(*(json_t *const *)b, "name", ""));
}

static void add_row(struct table *t, const struct view *v, const json_t *group) {
        int64_t max = reply_int(group, "maxRunning", 0), waiting = reply_int(group, "waiting", 0);
        bool is_held = reply_object(group, "hold");
        char hold[512];

        table_row(t, is_held ? VIEW_YELLOW : VIEW_PLAIN);
        table_cell(t, "%c %s", is_held ? '=' : ' ', reply_text_or(group, "name", "?"));
        table_cell(t, "%lld", (long long)reply_int(group, "members", 0));
        if (max > 0)
                table_cell(t, "%lld of %lld", (long long)reply_int(group, "running", 0), (long long)max);
        else
                table_cell(t, "%lld", (long long)reply_int(group, "running", 0));
        if (waiting > 0)
                table_cell(t, "%lld", (long long)waiting);
        else
                table_cell(t, "-");
        table_cell(t, "%s", is_held ? screen_hold(v, group, true, hold) : reply_text_or(group, "description", ""));
}

int screen_groups(const struct view *v, json_t *groups, FILE *out) {
        static const struct table_column columns[] = {
                {"  GROUP", false, 8}, {"JOBS", true, 0}, {"RUNNING", true, 0}, {"WAITING", true, 0}, {"WHAT", false, 16}};
        struct table *table;
        size_t i, n = json_array_size(groups);
        json_t *group;

        if (reply_sort(groups, compare) < 0 || table_new(columns, ARRAY_SIZE(columns), &table) < 0)
                return -ENOMEM;
        json_array_foreach(groups, i, group) {
                add_row(table, v, group);
        }
        int r = table_print(table, v, out);
        table_free(table);
        if (r == 0 && v->has_legend && n > 0)
                fprintf(out, "%zu group%s.\n", n, n == 1 ? "" : "s");
        else if (r == 0 && v->has_legend)
                fputs("No groups. Write one into a file of jobs: [group NAME]; see chimed.job(5).\n", out);
        return r;
}
