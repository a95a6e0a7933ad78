// SPDX-License-Identifier: MIT
// view: for whom a screen is made.

#include "daemon/ctl/view.h"

void view_color(const struct view *v, FILE *out, enum view_color color) {
        static const char *const codes[VIEW_COLOR_MAX] = {
                [VIEW_PLAIN] = "\033[0m",   [VIEW_BOLD] = "\033[1m",   [VIEW_RED] = "\033[1;31m",
                [VIEW_YELLOW] = "\033[33m", [VIEW_GREEN] = "\033[32m", [VIEW_HEADER] = "\033[4m",
        };

        if (v->has_color)
                fputs(codes[color], out);
}
