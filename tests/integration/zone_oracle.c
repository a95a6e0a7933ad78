// SPDX-License-Identifier: MIT
// zone_oracle FOLDER [INSTANTS [SEED]]: compares every zone below FOLDER with what the C library's localtime_r() says of the same
// file, from 1970 to 2100: at each change and beside it, at INSTANTS random ones, and civil times around each change with the instants
// that a search through the library's offsets finds. Prints the differences and a line of counts; exit 1 if there is a difference.

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/zone.h"

#define FIRST_S  INT64_C(0)
#define LAST_S   INT64_C(4133980800) /* 2101-01-01 */
#define HOUR_S   3600
#define NEAR_MAX 16
#define TOLD_MAX 50

static const char *folder;
static size_t n_random = 1000, n_zones, n_instants, n_civil, n_differences;
static uint64_t state = 1;

static uint64_t next_random(void) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return state >> 11;
}

static bool is_equal(const struct zone *z, const char *what, int64_t at_s, int64_t is, int64_t wanted) {
        if (is == wanted)
                return true;
        if (n_differences++ < TOLD_MAX)
                printf("%s at %lld: %s is %lld, not %lld\n", zone_name(z), (long long)at_s, what, (long long)is,
                       (long long)wanted);
        return false;
}

static int64_t library_offset(int64_t utc_s) {
        struct tm tm;
        time_t t = utc_s;

        return localtime_r(&t, &tm) ? tm.tm_gmtoff : INT64_MAX;
}

static void compare_instant(const struct zone *z, int64_t utc_s) {
        struct tm tm;
        time_t t = utc_s;
        bool is_dst;
        const char *abbreviation;
        int32_t offset_s = zone_offset(z, utc_s, &is_dst, &abbreviation);

        n_instants++;
        localtime_r(&t, &tm);
        if (is_equal(z, "offset", utc_s, offset_s, tm.tm_gmtoff) && is_equal(z, "daylight", utc_s, is_dst, tm.tm_isdst > 0))
                is_equal(z, "equality of abbreviations", utc_s, strcmp(abbreviation, tm.tm_zone) == 0, true);
}

/* The library's offsets within 30 hours of an instant, each once. */
static size_t offsets_near(int64_t utc_s, int64_t offsets[static NEAR_MAX]) {
        size_t n = 0, i;

        for (int hour = -30; hour <= 30; hour += 3) {
                int64_t offset_s = library_offset(utc_s + hour * HOUR_S);
                for (i = 0; i < n && offsets[i] != offset_s; i++)
                        ;
                if (i == n && n < NEAR_MAX)
                        offsets[n++] = offset_s;
        }
        return n;
}

static void compare_gap(const struct zone *z, int64_t civil_s, int64_t change_s) {
        is_equal(z, "order of the gap's begin", civil_s, change_s + library_offset(change_s - 1) <= civil_s, true);
        is_equal(z, "order of the gap's end", civil_s, change_s + library_offset(change_s) > civil_s, true);
}

static void compare_civil(const struct zone *z, int64_t civil_s, const int64_t *offsets, size_t n_offsets) {
        struct zone_instants is = zone_resolve(z, civil_s);
        int64_t found[NEAR_MAX];
        int n = 0;

        n_civil++;
        for (size_t i = 0; i < n_offsets; i++)
                if (library_offset(civil_s - offsets[i]) == offsets[i])
                        found[n++] = civil_s - offsets[i];
        if (n == 2 && found[0] > found[1]) {
                int64_t first = found[1];
                found[1] = found[0];
                found[0] = first;
        }
        if (!is_equal(z, "number of instants", civil_s, is.n, n))
                return;
        if (n == 0)
                compare_gap(z, civil_s, is.utc_s[0]);
        for (int i = 0; i < n && i < 2; i++)
                is_equal(z, "instant", civil_s, is.utc_s[i], found[i]);
}

static void compare_change(const struct zone *z, int64_t change_s) {
        int64_t offsets[NEAR_MAX], before_s = library_offset(change_s - 1), after_s = library_offset(change_s);
        size_t n = offsets_near(change_s, offsets);

        is_equal(z, "being a change", change_s, before_s != after_s, true);
        for (int64_t around = -2; around <= 2; around++) {
                compare_instant(z, change_s + around);
                compare_civil(z, change_s + before_s + around, offsets, n);
                compare_civil(z, change_s + after_s + around, offsets, n);
        }
        compare_civil(z, change_s + (before_s + after_s) / 2, offsets, n);
        for (int i = 0; i < 4; i++)
                compare_civil(z, change_s + before_s + (int64_t)(next_random() % (4 * HOUR_S)) - 2 * HOUR_S, offsets, n);
}

static void compare_zone(const struct zone *z) {
        int64_t at_s = FIRST_S;

        for (;;) {
                int64_t change_s = zone_next_change(z, at_s), until_s = change_s < LAST_S ? change_s : LAST_S;
                int64_t offset_s = library_offset(at_s);
                for (int64_t s = at_s; s < until_s; s += 15 * 86400) /* no change is passed over */
                        if (!is_equal(z, "offset before the next change", s, library_offset(s), offset_s))
                                return;
                if (change_s >= LAST_S)
                        break;
                compare_change(z, change_s);
                at_s = change_s;
        }
        for (size_t i = 0; i < n_random; i++)
                compare_instant(z, (int64_t)(next_random() % LAST_S));
}

static int on_file(const char *path, const struct stat *st, int kind, struct FTW *place) {
        char zone[4096];
        struct zone *z;

        (void)st;
        (void)place;
        if (kind != FTW_F)
                return 0;
        int r = zone_open(folder, path + strlen(folder) + 1, &z);
        if (r == -ENOTSUP) /* counts leap seconds, as right/ does */
                return 0;
        if (r == -EBADMSG || r == -EINVAL) {
                FILE *f = fopen(path, "r");
                if (f && fgetc(f) == 'T' && fgetc(f) == 'Z' && n_differences++ < TOLD_MAX)
                        printf("%s is not read\n", path);
                if (f)
                        fclose(f);
                return 0;
        }
        if (r < 0)
                return -1;
        snprintf(zone, sizeof(zone), ":%s", path);
        setenv("TZ", zone, 1);
        tzset();
        n_zones++;
        compare_zone(z);
        zone_unref(z);
        return 0;
}

int main(int argc, char **argv) {
        if (argc < 2)
                return 2;
        folder = argv[1];
        if (argc > 2)
                n_random = strtoul(argv[2], NULL, 10);
        if (argc > 3)
                state = strtoull(argv[3], NULL, 10);
        if (nftw(folder, on_file, 20, 0) != 0) {
                printf("%s can't be walked\n", folder);
                return 2;
        }
        printf("%zu zones, %zu instants, %zu civil times, %zu differences\n", n_zones, n_instants, n_civil, n_differences);
        return n_differences > 0 || n_zones == 0;
}
