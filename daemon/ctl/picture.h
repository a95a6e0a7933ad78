// SPDX-License-Identifier: MIT
// picture: a timeline as SVG: one file without scripts or references, for light and dark screens.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "daemon/ctl/timeline.h"

/* Of the timeline that it is made of. */
#define PICTURE_CELLS 240
#define PICTURE_SPANS 120

/* Prints it. now_us is marked where it lies in the period; note is printed below. What is too much to be drawn one by one becomes bars
 * of density, so that the size stays below a bound. 0, -ENOMEM; whether all was written is for the caller to ask of `out`. */
int picture_print(const struct timeline *t, int64_t now_us, const char *note, FILE *out);
