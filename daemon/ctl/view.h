// SPDX-License-Identifier: MIT
// view: for whom a screen is made: how wide, in which colours, at what time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum view_color { VIEW_PLAIN, VIEW_BOLD, VIEW_RED, VIEW_YELLOW, VIEW_GREEN, VIEW_HEADER, VIEW_COLOR_MAX };

struct view {
        int64_t now_us;
        size_t width;
        bool has_color, has_legend, is_utf8;
};

/* Switches the colour on, VIEW_PLAIN: off; nothing where the view has none. */
void view_color(const struct view *v, FILE *out, enum view_color color);
