// SPDX-License-Identifier: MIT
// zone: what the wall clock shows in zones of every kind, gaps and folds, rules beyond the table, damaged files, names.

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/civil.h"
#include "config/zone.h"
#include "tests/unit/config/zone_folder.h"
#include "tests/unit/run_suite.h"

#define HOUR 3600
#define NEVER                                                                                                                  \
        {}

/* Bytes of a zone file that a test makes up. */
struct file {
        uint8_t bytes[1024];
        size_t size;
};

static void put(struct file *f, const void *bytes, size_t size) {
        ck_assert_uint_le(f->size + size, sizeof(f->bytes));
        memcpy(f->bytes + f->size, bytes, size);
        f->size += size;
}

static void put_number(struct file *f, uint64_t number, int size) {
        for (int i = size - 1; i >= 0; i--)
                put(f, &(uint8_t){(uint8_t)(number >> (8 * i))}, 1);
}

static void put_header(struct file *f, char version, uint32_t changes, uint32_t types, uint32_t characters) {
        put(f, "TZif", 4);
        put(f, &version, 1);
        put_number(f, 0, 8);
        put_number(f, 0, 7);
        put_number(f, 0, 8);
        put_number(f, 0, 4);
        put_number(f, changes, 4);
        put_number(f, types, 4);
        put_number(f, characters, 4);
}

/* Positions of the second header's fields in such a file. */
enum { SECOND = 44, COUNTS = SECOND + 20, CHANGES = SECOND + 44 };

/* Without changes, type 0 is 12345 s east of UTC: only the footer counts. With: type i at the i-th change, i hours east. */
static struct file make_file(const char *footer, const int64_t *changes, uint32_t n) {
        struct file f = {};

        put_header(&f, '3', 0, 0, 0);
        put_header(&f, '3', n, n + 1, 4);
        for (uint32_t i = 0; i < n; i++)
                put_number(&f, (uint64_t)changes[i], 8);
        for (uint32_t i = 0; i < n; i++)
                put_number(&f, i + 1, 1);
        for (uint32_t i = 0; i <= n; i++) {
                put_number(&f, n ? i * HOUR : 12345, 4);
                put_number(&f, 0, 2);
        }
        put(&f, "ABC", 4);
        put(&f, "\n", 1);
        put(&f, footer, strlen(footer));
        put(&f, "\n", 1);
        return f;
}

/* A zone of this machine, or one that consists of a footer only. */
static struct zone *get_zone(const char *text) {
        struct zone *z = NULL;
        int r = zone_open(NULL, text, &z);

        if (r < 0) {
                struct file f = make_file(text, NULL, 0);
                r = zone_parse(f.bytes, f.size, text, &z);
        }
        ck_assert_msg(r == 0, "%s: %d", text, r);
        return z;
}

static const struct {
        const char *zone;
        struct civil utc;
        int32_t offset_s;
        bool is_dst;
        const char *abbreviation;
} offsets[] = {
        {"UTC", {2026, 1, 1, 0, 0, 0}, 0, false, "UTC"},
        {"Europe/Berlin", {2026, 3, 29, 0, 59, 59}, HOUR, false, "CET"},
        {"Europe/Berlin", {2026, 3, 29, 1, 0, 0}, 2 * HOUR, true, "CEST"},
        {"Europe/Berlin", {2026, 10, 25, 0, 59, 59}, 2 * HOUR, true, "CEST"},
        {"Europe/Berlin", {2026, 10, 25, 1, 0, 0}, HOUR, false, "CET"},
        {"Europe/Berlin", {1880, 1, 1, 0, 0, 0}, 3208, false, "LMT"},
        {"Europe/Berlin", {9999, 7, 1, 0, 0, 0}, 2 * HOUR, true, "CEST"},
        {"Europe/Berlin", {1, 7, 1, 0, 0, 0}, 3208, false, "LMT"},
        {"Europe/Dublin", {2026, 1, 15, 12, 0, 0}, 0, true, "GMT"}, /* winter is the exception there */
        {"Europe/Dublin", {2026, 7, 15, 12, 0, 0}, HOUR, false, "IST"},
        {"Australia/Sydney", {2026, 1, 15, 12, 0, 0}, 11 * HOUR, true, "AEDT"},
        {"Australia/Sydney", {2126, 7, 15, 12, 0, 0}, 10 * HOUR, false, "AEST"},
        {"Australia/Lord_Howe", {2026, 1, 15, 12, 0, 0}, 11 * HOUR, true, "+11"},
        {"Australia/Lord_Howe", {2026, 7, 15, 12, 0, 0}, 10 * HOUR + 1800, false, "+1030"},
        {"Pacific/Apia", {2011, 12, 30, 9, 59, 59}, -10 * HOUR, true, "-10"},
        {"Pacific/Apia", {2011, 12, 30, 10, 0, 0}, 14 * HOUR, true, "+14"},
        {"Africa/Casablanca", {2026, 1, 15, 12, 0, 0}, HOUR, false, "+01"},
        {"Africa/Casablanca", {2026, 3, 1, 12, 0, 0}, 0, true, "+00"}, /* Ramadan */
        {"Asia/Kathmandu", {2026, 1, 1, 0, 0, 0}, 5 * HOUR + 2700, false, "+0545"},
        {"EST5EDT,M3.2.0,M11.1.0", {2026, 3, 8, 6, 59, 59}, -5 * HOUR, false, "EST"},
        {"EST5EDT,M3.2.0,M11.1.0", {2026, 3, 8, 7, 0, 0}, -4 * HOUR, true, "EDT"},
        {"EST5EDT,M3.2.0,M11.1.0", {2026, 11, 1, 5, 59, 59}, -4 * HOUR, true, "EDT"},
        {"EST5EDT,M3.2.0,M11.1.0", {2026, 11, 1, 6, 0, 0}, -5 * HOUR, false, "EST"},
        {"<+03>-3", {2026, 7, 1, 0, 0, 0}, 3 * HOUR, false, "+03"},
        {"<-0330>3:30:15", {2026, 7, 1, 0, 0, 0}, -(3 * HOUR + 1815), false, "-0330"},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", {2026, 3, 29, 0, 59, 59}, -2 * HOUR, false, "-02"}, /* Nuuk: Saturday 23:00 */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", {2026, 3, 29, 1, 0, 0}, -HOUR, true, "-01"},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", {2026, 3, 27, 23, 59, 59}, 2 * HOUR, false, "EET"}, /* Gaza: two days on */
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", {2026, 3, 28, 0, 0, 0}, 3 * HOUR, true, "EEST"},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", {2026, 12, 1, 0, 0, 0}, 0, true, "GMT"},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", {2026, 6, 1, 0, 0, 0}, HOUR, false, "IST"},
        {"AAA0BBB,J60/0,J300/0", {2024, 2, 29, 23, 59, 59}, 0, false, "AAA"}, /* J60 is March 1 in leap years too */
        {"AAA0BBB,J60/0,J300/0", {2024, 3, 1, 0, 0, 0}, HOUR, true, "BBB"},
        {"AAA0BBB,59/0,300/0", {2024, 2, 29, 0, 0, 0}, HOUR, true, "BBB"},
        {"AAA0BBB,59/0,300/0", {2023, 2, 28, 23, 59, 59}, 0, false, "AAA"},
        {"AAA0BBB,59/0,300/0", {2023, 3, 1, 0, 0, 0}, HOUR, true, "BBB"},
        {"AAA0BBB,0/-167,J365/167", {2023, 12, 24, 23, 59, 59}, HOUR, true, "BBB"},    /* over both ends of the year */
        {"AAA0BBB,M1.1.0/-167,M12.5.0/0", {2022, 12, 25, 0, 59, 59}, 0, false, "AAA"}, /* January 1, 2023 less 167 h */
        {"AAA0BBB,M1.1.0/-167,M12.5.0/0", {2022, 12, 25, 1, 0, 0}, HOUR, true, "BBB"},
        {"EST5EDT,0/0,J365/25", {2026, 1, 1, 4, 59, 59}, -4 * HOUR, true, "EDT"}, /* daylight all the year */
        {"EST5EDT,0/0,J365/25", {2026, 12, 31, 23, 0, 0}, -4 * HOUR, true, "EDT"},
        {"XXX3EDT4,0/0,J365/23", {2026, 1, 1, 3, 0, 0}, -4 * HOUR, true, "EDT"},
        {"EST5EDT,J1/0,J1/1", {2026, 1, 1, 5, 0, 0}, -5 * HOUR, false, "EST"}, /* never */
};

START_TEST(offset_is_known) {
        struct zone *z = get_zone(offsets[_i].zone);
        bool is_dst;
        const char *abbreviation;
        int32_t offset_s = zone_offset(z, civil_seconds(&offsets[_i].utc), &is_dst, &abbreviation);

        ck_assert_msg(offset_s == offsets[_i].offset_s, "row %d, %s: %d", _i, offsets[_i].zone, offset_s);
        ck_assert_msg(is_dst == offsets[_i].is_dst, "row %d, %s: daylight %d", _i, offsets[_i].zone, is_dst);
        ck_assert_str_eq(abbreviation, offsets[_i].abbreviation);
        ck_assert_int_eq(zone_offset(z, civil_seconds(&offsets[_i].utc), NULL, NULL), offset_s);
        zone_unref(z);
}
END_TEST

static const struct {
        const char *zone;
        struct civil civil;
        int n;
        struct civil utc[2];
} resolutions[] = {
        {"UTC", {2026, 3, 29, 2, 30, 0}, 1, {{2026, 3, 29, 2, 30, 0}}},
        {"Europe/Berlin", {2026, 3, 29, 1, 59, 59}, 1, {{2026, 3, 29, 0, 59, 59}}},
        {"Europe/Berlin", {2026, 3, 29, 2, 0, 0}, 0, {{2026, 3, 29, 1, 0, 0}}},
        {"Europe/Berlin", {2026, 3, 29, 2, 30, 0}, 0, {{2026, 3, 29, 1, 0, 0}}},
        {"Europe/Berlin", {2026, 3, 29, 2, 59, 59}, 0, {{2026, 3, 29, 1, 0, 0}}},
        {"Europe/Berlin", {2026, 3, 29, 3, 0, 0}, 1, {{2026, 3, 29, 1, 0, 0}}},
        {"Europe/Berlin", {2026, 10, 25, 1, 59, 59}, 1, {{2026, 10, 24, 23, 59, 59}}},
        {"Europe/Berlin", {2026, 10, 25, 2, 0, 0}, 2, {{2026, 10, 25, 0, 0, 0}, {2026, 10, 25, 1, 0, 0}}},
        {"Europe/Berlin", {2026, 10, 25, 2, 30, 0}, 2, {{2026, 10, 25, 0, 30, 0}, {2026, 10, 25, 1, 30, 0}}},
        {"Europe/Berlin", {2026, 10, 25, 2, 59, 59}, 2, {{2026, 10, 25, 0, 59, 59}, {2026, 10, 25, 1, 59, 59}}},
        {"Europe/Berlin", {2026, 10, 25, 3, 0, 0}, 1, {{2026, 10, 25, 2, 0, 0}}},
        {"Europe/Berlin", {2226, 3, 26, 2, 30, 0}, 0, {{2226, 3, 26, 1, 0, 0}}},
        {"Australia/Sydney", {2026, 10, 4, 2, 30, 0}, 0, {{2026, 10, 3, 16, 0, 0}}},
        {"Australia/Sydney", {2026, 4, 5, 2, 30, 0}, 2, {{2026, 4, 4, 15, 30, 0}, {2026, 4, 4, 16, 30, 0}}},
        {"Australia/Lord_Howe", {2026, 10, 4, 2, 15, 0}, 0, {{2026, 10, 3, 15, 30, 0}}},
        {"Australia/Lord_Howe", {2026, 10, 4, 2, 30, 0}, 1, {{2026, 10, 3, 15, 30, 0}}},
        {"Australia/Lord_Howe", {2026, 4, 5, 1, 45, 0}, 2, {{2026, 4, 4, 14, 45, 0}, {2026, 4, 4, 15, 15, 0}}},
        {"Europe/Dublin", {2026, 3, 29, 1, 30, 0}, 0, {{2026, 3, 29, 1, 0, 0}}},
        {"Europe/Dublin", {2026, 10, 25, 1, 30, 0}, 2, {{2026, 10, 25, 0, 30, 0}, {2026, 10, 25, 1, 30, 0}}},
        {"Pacific/Apia", {2011, 12, 29, 23, 59, 59}, 1, {{2011, 12, 30, 9, 59, 59}}},
        {"Pacific/Apia", {2011, 12, 30, 0, 0, 0}, 0, {{2011, 12, 30, 10, 0, 0}}},
        {"Pacific/Apia", {2011, 12, 30, 23, 59, 59}, 0, {{2011, 12, 30, 10, 0, 0}}},
        {"Pacific/Apia", {2011, 12, 31, 0, 0, 0}, 1, {{2011, 12, 30, 10, 0, 0}}},
        {"Africa/Casablanca", {2026, 2, 15, 2, 30, 0}, 2, {{2026, 2, 15, 1, 30, 0}, {2026, 2, 15, 2, 30, 0}}},
        {"Africa/Casablanca", {2026, 3, 22, 2, 30, 0}, 0, {{2026, 3, 22, 2, 0, 0}}},
        {"America/New_York", {1883, 11, 18, 12, 0, 0}, 2, {{1883, 11, 18, 16, 56, 2}, {1883, 11, 18, 17, 0, 0}}},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", {2026, 3, 28, 2, 30, 0}, 0, {{2026, 3, 28, 0, 0, 0}}},
        {"<+20>-20<+21>,0/0,364/30", {2027, 1, 1, 5, 30, 0}, 1, {{2026, 12, 31, 8, 30, 0}}}, /* daylight times that overlap */
};

START_TEST(civil_time_is_resolved) {
        struct zone *z = get_zone(resolutions[_i].zone);
        struct zone_instants is = zone_resolve(z, civil_seconds(&resolutions[_i].civil));

        ck_assert_msg(is.n == resolutions[_i].n, "row %d, %s: %d instants", _i, resolutions[_i].zone, is.n);
        for (int i = 0; i < (is.n == 2 ? 2 : 1); i++) {
                struct civil c = civil_of_seconds(is.utc_s[i]);
                ck_assert_msg(is.utc_s[i] == civil_seconds(&resolutions[_i].utc[i]), "row %d, %s: instant %d is %02d:%02d:%02d",
                              _i, resolutions[_i].zone, i, c.hour, c.minute, c.second);
        }
        zone_unref(z);
}
END_TEST

static const struct {
        const char *zone;
        struct civil after, next; /* year 0: never */
} next_changes[] = {
        {"UTC", {2026, 1, 1, 0, 0, 0}, {}},
        {"Europe/Berlin", {2026, 1, 1, 0, 0, 0}, {2026, 3, 29, 1, 0, 0}},
        {"Europe/Berlin", {2026, 3, 29, 0, 59, 59}, {2026, 3, 29, 1, 0, 0}},
        {"Europe/Berlin", {2026, 3, 29, 1, 0, 0}, {2026, 10, 25, 1, 0, 0}},
        {"Europe/Berlin", {2026, 12, 31, 23, 59, 59}, {2027, 3, 28, 1, 0, 0}},
        {"Europe/Berlin", {1, 1, 1, 0, 0, 0}, {1893, 3, 31, 23, 6, 32}},
        {"Asia/Tokyo", {2026, 1, 1, 0, 0, 0}, {}},
        {"Europe/Paris", {1945, 5, 1, 0, 0, 0}, {1945, 9, 16, 1, 0, 0}}, /* past changes of name only */
        {"Africa/Casablanca", {2087, 5, 12, 0, 0, 0}, {}},
        {"AAA0BBB0,M3.5.0,M10.5.0", {2026, 1, 1, 0, 0, 0}, {}},
        {"EST5EDT,0/0,J365/25", {2026, 1, 1, 0, 0, 0}, {}},
        {"XXX3EDT4,0/0,J365/23", {2026, 1, 1, 0, 0, 0}, {}},
        {"EST5EDT,J1/0,J1/1", {2026, 1, 1, 0, 0, 0}, {}},
        {"EST5EDT,0/0,364/25", {2026, 1, 1, 0, 0, 0}, {2028, 12, 31, 5, 0, 0}}, /* standard time on a leap year's last day */
        {"EST5EDT,0/0,364/25", {2028, 12, 31, 5, 0, 0}, {2029, 1, 1, 5, 0, 0}},
};

START_TEST(next_change_is_known) {
        struct zone *z = get_zone(next_changes[_i].zone);
        int64_t next_s = zone_next_change(z, civil_seconds(&next_changes[_i].after));
        int64_t wanted_s = next_changes[_i].next.year ? civil_seconds(&next_changes[_i].next) : INT64_MAX;

        ck_assert_msg(next_s == wanted_s, "row %d, %s: %lld, not %lld", _i, next_changes[_i].zone, (long long)next_s,
                      (long long)wanted_s);
        zone_unref(z);
}
END_TEST

static const char *const bad_footers[] = {
        "E",
        "EST",
        "ES5",
        "E5T5",
        "EST25",
        "EST5:60",
        "EST5:30:60",
        "EST5:",
        "EST5EDT",
        "EST5EDT,",
        "EST5EDT,M3.2.0",
        "EST5EDT,M3.2.0,",
        "EST5EDT,M3.2.0,M11.1.0,",
        "EST5EDT,M0.2.0,M11.1.0",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.0.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,M3.2,M11.1.0",
        "EST5EDT,J0,J300",
        "EST5EDT,J366,J300",
        "EST5EDT,366,300",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "EST5EDT,M3.2.0/-168,M11.1.0",
        "EST5EDT,M3.2.0/2x,M11.1.0",
        "EST5EDT4000000000000000000000,M3.2.0,M11.1.0",
        "<EST5",
        "<>5",
        "<E>5",
        "<+03-3",
        "<+0 3>-3",
        "ABCDEFGHIJKLMNOP5",
        ":EST5",
        "EST5 ",
};

START_TEST(bad_footer_is_refused) {
        struct file f = make_file(bad_footers[_i], NULL, 0);
        struct zone *z = NULL;

        ck_assert_msg(zone_parse(f.bytes, f.size, "bad", &z) == -EBADMSG && !z, "\"%s\" is read", bad_footers[_i]);
}
END_TEST

/* What is patched over a good file of two changes. */
static const struct {
        const char *what;
        size_t at;
        const char *bytes;
        size_t size;
        int result;
} damages[] = {
        {"nothing", 0, "T", 1, 0},
        {"first magic", 0, "t", 1, -EBADMSG},
        {"second magic", SECOND, "t", 1, -EBADMSG},
        {"more changes than bytes", COUNTS + 12, "\xff\xff\xff\xff", 4, -EBADMSG},
        {"more types than bytes", COUNTS + 16, "\xff\xff\xff\xff", 4, -EBADMSG},
        {"no type", COUNTS + 16, "\0\0\0\0", 4, -EBADMSG},
        {"more characters than bytes", COUNTS + 20, "\xff\xff\xff\xff", 4, -EBADMSG},
        {"no characters", COUNTS + 20, "\0\0\0\0", 4, -EBADMSG},
        {"abbreviation without an end", CHANGES + 16 + 2 + 18 + 3, "D", 1, -EBADMSG},
        {"changes not ascending", CHANGES, "\0\0\0\0\0\0\7\xd0", 8, -EBADMSG},
        {"change before all time", CHANGES, "\x80\0\0\0\0\0\0\0", 8, -EBADMSG},
        {"change to an unknown type", CHANGES + 16, "\3", 1, -EBADMSG},
        {"offset of a day and more", CHANGES + 16 + 2, "\0\1\x6d\xa0", 4, -EBADMSG},
        {"lowest number as offset", CHANGES + 16 + 2, "\x80\0\0\0", 4, -EBADMSG},
        {"daylight flag of 2", CHANGES + 16 + 2 + 4, "\2", 1, -EBADMSG},
        {"abbreviation behind the end", CHANGES + 16 + 2 + 5, "\4", 1, -EBADMSG},
        {"empty abbreviation", CHANGES + 16 + 2 + 5, "\3", 1, 0},
        {"no line break before the footer", CHANGES + 16 + 2 + 18 + 4, "x", 1, -EBADMSG},
};

static struct file good_file(void) {
        return make_file("UTC0", (int64_t[]){1000, 2000}, 2);
}

START_TEST(damaged_file_is_refused) {
        struct file f = good_file();
        struct zone *z = NULL;

        memcpy(f.bytes + damages[_i].at, damages[_i].bytes, damages[_i].size);
        int r = zone_parse(f.bytes, f.size, "damaged", &z);
        ck_assert_msg(r == damages[_i].result, "%s: %d", damages[_i].what, r);
        ck_assert((r == 0) == (z != NULL));
        zone_unref(z);
}
END_TEST

START_TEST(file_that_ends_early_is_refused) {
        struct file f = good_file();
        struct zone *z = NULL;

        for (size_t size = 0; size < f.size; size++) {
                uint8_t *exact = malloc(size + 1); /* so that the address checks see a byte too many */
                memcpy(exact, f.bytes, size);
                ck_assert_msg(zone_parse(exact, size, "short", &z) == -EBADMSG, "%zu bytes are read", size);
                free(exact);
        }
        ck_assert_int_eq(zone_parse(f.bytes, f.size, "whole", &z), 0);
        zone_unref(z);
}
END_TEST

START_TEST(file_over_a_bound_is_refused) {
        size_t size = (1 << 20) + 1;
        uint8_t *bytes = calloc(1, size);
        struct file good = good_file(), many = {};
        struct zone *z = NULL;

        memcpy(bytes, good.bytes, good.size);
        ck_assert_int_eq(zone_parse(bytes, size - 1, "long", &z), 0);
        zone_unref(z);
        ck_assert_int_eq(zone_parse(bytes, size, "longer", &z), -EBADMSG);
        put_header(&many, 0, 2001, 1, 4);
        memcpy(bytes, many.bytes, many.size);
        for (uint32_t i = 0; i < 2001; i++)
                for (int k = 0; k < 4; k++)
                        bytes[44 + 4 * i + (uint32_t)k] = (uint8_t)(i >> (8 * (3 - k)));
        ck_assert_int_eq(zone_parse(bytes, size - 1, "many", &z), -EBADMSG);
        bytes[34] = 0x7;
        bytes[35] = 0xd0; /* 2000 */
        memset(bytes + 44 + 4 * 2000, 0, 4);
        ck_assert_int_eq(zone_parse(bytes, size - 1, "fewer", &z), 0);
        zone_unref(z);
        free(bytes);
}
END_TEST

START_TEST(file_with_leap_seconds_is_not_understood) {
        struct file f = {};
        struct zone *z = NULL;

        put_header(&f, 0, 0, 1, 4);
        f.bytes[31] = 1;
        put_number(&f, 0, 6);
        put(&f, "UTC", 4);
        put_number(&f, 78796800, 4);
        put_number(&f, 1, 4);
        ck_assert_int_eq(zone_parse(f.bytes, f.size, "right", &z), -ENOTSUP);
}
END_TEST

START_TEST(table_goes_over_into_the_rule) {
        struct file f = make_file("<+05>-5", (int64_t[]){-1000, 1000, 2000}, 3);
        static const struct {
                int64_t utc_s;
                int hours;
        } steps[] = {{INT64_MIN, 0}, {-1001, 0}, {-1000, 1}, {999, 1}, {1000, 2}, {1999, 2}, {2000, 5}, {INT64_MAX, 5}};
        struct zone *z;

        ck_assert_int_eq(zone_parse(f.bytes, f.size, "steps", &z), 0);
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
                ck_assert_msg(zone_offset(z, steps[i].utc_s, NULL, NULL) == steps[i].hours * HOUR, "step %zu", i);
        ck_assert_int_eq(zone_next_change(z, 1999), 2000);
        ck_assert_int_eq(zone_next_change(z, 2000), INT64_MAX);
        zone_unref(z);
}
END_TEST

START_TEST(table_without_a_rule_ends_with_its_last_type) {
        struct file f = make_file("", (int64_t[]){-1000, 1000, 2000}, 3);
        struct zone *z;

        ck_assert_int_eq(zone_parse(f.bytes, f.size, "steps", &z), 0);
        ck_assert_int_eq(zone_offset(z, 2000, NULL, NULL), 3 * HOUR);
        ck_assert_int_eq(zone_offset(z, INT64_MAX, NULL, NULL), 3 * HOUR);
        ck_assert_int_eq(zone_next_change(z, 2000), INT64_MAX);
        ck_assert_int_eq(zone_resolve(z, INT64_MAX).n, 1);
        ck_assert_int_eq(zone_resolve(z, INT64_MIN).n, 1);
        zone_unref(z);
}
END_TEST

START_TEST(version_1_has_no_footer) {
        struct file f = {};
        struct zone *z;

        put_header(&f, 0, 1, 2, 4);
        put_number(&f, (uint32_t)-1000, 4);
        put_number(&f, 1, 1);
        put_number(&f, 0, 6);
        put_number(&f, HOUR, 4);
        put_number(&f, 1 << 8, 2);
        put(&f, "ABC", 4);
        ck_assert_int_eq(zone_parse(f.bytes, f.size, "old", &z), 0);
        ck_assert_int_eq(zone_offset(z, -1001, NULL, NULL), 0);
        ck_assert_int_eq(zone_offset(z, -1000, NULL, NULL), HOUR);
        zone_unref(z);
}
END_TEST

START_TEST(changed_data_have_another_hash) {
        struct file a = make_file("CET-1", NULL, 0), b = make_file("CET-2", NULL, 0);
        struct zone *x, *y, *z;

        ck_assert_int_eq(zone_parse(a.bytes, a.size, "x", &x), 0);
        ck_assert_int_eq(zone_parse(a.bytes, a.size, "y", &y), 0);
        ck_assert_int_eq(zone_parse(b.bytes, b.size, "x", &z), 0);
        struct hash128 of_x = zone_hash(x), of_y = zone_hash(y), of_z = zone_hash(z);
        ck_assert(memcmp(&of_x, &of_y, sizeof(of_x)) == 0);
        ck_assert(memcmp(&of_x, &of_z, sizeof(of_x)) != 0);
        ck_assert_str_eq(zone_name(y), "y");
        zone_unref(x);
        zone_unref(y);
        zone_unref(z);
}
END_TEST

START_TEST(zone_lives_until_its_last_owner_gives_it_back) {
        struct zone *z = get_zone("UTC"), *same = zone_ref(z);

        ck_assert_ptr_eq(z, same);
        ck_assert_ptr_null(zone_unref(z));
        ck_assert_str_eq(zone_name(same), "UTC");
        ck_assert_ptr_null(zone_unref(same));
        ck_assert_ptr_null(zone_unref(NULL));
}
END_TEST

static void make_files(void) {
        struct file good = good_file();

        folder_make();
        ck_assert_int_eq(mkdir(folder_path("Area"), 0700), 0);
        folder_write("Area/Good_Town", good.bytes, good.size);
        folder_write("Etc+1-2", good.bytes, good.size);
        folder_write("damaged", good.bytes, good.size - 1);
        folder_write("empty", "", 0);
        ck_assert_int_eq(mkfifo(folder_path("pipe"), 0600), 0);
}

static const struct {
        const char *name;
        int result;
} names[] = {
        {"Area/Good_Town", 0},
        {"Etc+1-2", 0},
        {"UTC", 0},
        {"Area/Bad_Town", -ENOENT},
        {"Area", -ENOENT},
        {"Area/Good_Town/more", -ENOENT},
        {"pipe", -ENOENT},
        {"damaged", -EBADMSG},
        {"empty", -EBADMSG},
        {"", -EINVAL},
        {"/etc/localtime", -EINVAL},
        {"../zoneinfo/UTC", -EINVAL},
        {"Area/../Area/Good_Town", -EINVAL},
        {"Area/..", -EINVAL},
        {"./Area/Good_Town", -EINVAL},
        {"Area//Good_Town", -EINVAL},
        {"Area/Good_Town/", -EINVAL},
        {"Good Town", -EINVAL},
        {":UTC", -EINVAL},
        {"CET-1CEST,M3.5.0,M10.5.0/3", -EINVAL},
        {"Area/Good_Town\n", -EINVAL},
};

START_TEST(name_opens_as_expected) {
        struct zone *z = NULL;
        int r = zone_open(folder, names[_i].name, &z);

        ck_assert_msg(r == names[_i].result, "\"%s\": %d", names[_i].name, r);
        ck_assert((r == 0) == (z != NULL));
        if (z)
                ck_assert_str_eq(zone_name(z), names[_i].name);
        zone_unref(z);
}
END_TEST

START_TEST(long_names_are_refused) {
        char name[ZONE_NAME_MAX + 2];
        struct zone *z = NULL;

        memset(name, 'a', sizeof(name));
        name[ZONE_NAME_MAX + 1] = 0;
        ck_assert_int_eq(zone_open(folder, name, &z), -EINVAL);
        name[ZONE_NAME_MAX] = 0;
        ck_assert_int_eq(zone_open(folder, name, &z), -ENOENT);
}
END_TEST

START_TEST(long_file_is_not_read) {
        char *bytes = calloc(1, (1 << 20) + 1);
        struct zone *z = NULL;

        folder_write("long", bytes, (1 << 20) + 1);
        ck_assert_int_eq(zone_open(folder, "long", &z), -EBADMSG);
        free(bytes);
}
END_TEST

START_TEST(environment_names_the_folder) {
        struct zone *z;

        setenv("TZDIR", folder, 1);
        ck_assert_int_eq(zone_open(NULL, "Area/Good_Town", &z), 0);
        zone_unref(z);
        unsetenv("TZDIR");
        ck_assert_int_eq(zone_open(NULL, "Area/Good_Town", &z), -ENOENT);
}
END_TEST

/* Appends a path, without the folder in front of it. */
static int note_place(void *userdata, const char *path) {
        char *places = userdata;
        size_t n = strlen(folder);

        strcat(places, strncmp(path, folder, n) == 0 ? path + n : path);
        strcat(places, " ");
        return 0;
}

static void make_links(void) {
        static const struct {
                const char *target, *name;
        } links[] = {{"Good_Town", "Area/Alias"},
                     {"../Area/Alias", "Top/Alias"},
                     {"Area", "Place"},
                     {"Nowhere", "Area/Broken"},
                     {"Loop", "Loop"},
                     {"./..//Area/./Good_Town", "Top/Twisted"}};

        ck_assert_int_eq(mkdir(folder_path("Top"), 0755), 0);
        for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
                ck_assert_int_eq(symlink(links[i].target, folder_path(links[i].name)), 0);
}

static const struct {
        const char *name;
        int result;
        const char *places;
} traces[] = {
        {"Area/Good_Town", 0, "/Area/Good_Town "},
        {"Area/Alias", 0, "/Area/Alias /Area/Good_Town "},
        {"Top/Alias", 0, "/Top/Alias /Area/Alias /Area/Good_Town "},
        {"Top/Twisted", 0, "/Top/Twisted /Area/Good_Town "},
        {"Place/Good_Town", 0, "/Place /Area/Good_Town "},
        {"Area/Broken", 0, "/Area/Broken /Area/Nowhere "},
        {"Area/Missing", 0, "/Area/Missing "},
        {"Missing/Town", 0, "/Missing "},
        {"UTC", 0, ""},
        {"../Area", -EINVAL, ""},
};

START_TEST(what_the_data_depend_on_is_traced) {
        char places[1024] = "";

        make_links();
        ck_assert_int_eq(zone_trace(folder, traces[_i].name, note_place, places), traces[_i].result);
        ck_assert_str_eq(places, traces[_i].places);
}
END_TEST

static int count_places(void *userdata, const char *path) {
        int *n = userdata;

        (void)path;
        return ++*n < 100 ? 0 : -E2BIG;
}

START_TEST(links_in_a_circle_are_left) {
        int n = 0;

        make_links();
        ck_assert_int_eq(zone_trace(folder, "Loop", count_places, &n), -ELOOP);
        ck_assert_int_lt(n, 100);
        n = 99;
        ck_assert_int_eq(zone_trace(folder, "Area/Alias", count_places, &n), -E2BIG);
}
END_TEST

START_TEST(machine_zone_begins_at_its_link) {
        char places[1024] = "";

        ck_assert_int_eq(zone_trace(folder, NULL, note_place, places), 0);
        ck_assert_int_eq(strncmp(places, "/etc/localtime ", strlen("/etc/localtime ")), 0);
}
END_TEST

START_TEST(machine_has_a_zone) {
        struct zone *z;

        ck_assert_int_eq(zone_open("/nowhere", NULL, &z), 0);
        ck_assert_uint_gt(strlen(zone_name(z)), 0);
        zone_unref(z);
}
END_TEST

static const char zi[] = "# version 1\n"
                         "R d 1916 o - Jun 14 23s 1 S\n"
                         "Z Area/Good_Town 0:12:12 - LMT 1891 Mar 16\n"
                         "0:9:21 - PMT 1911 Mar 11\n"
                         "Z Area/Sub/Other_Town 1 - CET\n"
                         "Z UCT 0 - UTC\n"
                         "L Area/Good_Town Greatland\n"
                         "L Area/Good_Town Old/Good_Town\n";
static const char tab[] = "# comment Area/Wrong\n"
                          "AD\t+4230+00131\tArea/Good_Town\n"
                          "AE,OM\t+2518+05518\tArea/Sub/Other_Town\tCrozet\n"
                          "XX\t+2518+05518\tGreatland\n";

static const struct {
        const char *name, *suggestion;
} suggestions[] = {
        {"Good_Town", "Area/Good_Town"},
        {"good town", "Area/Good_Town"},
        {"Area/Godo_Town", "Area/Good_Town"},
        {"Elsewhere/Good_Town", "Area/Good_Town"},
        {"area/good_town", "Area/Good_Town"},
        {"Other_Twon", "Area/Sub/Other_Town"},
        {"AreaGood_Town", "Area/Good_Town"},
        {"Graetland", "Greatland"},
        {"Zzyzx", NULL},
        {"", NULL},
        {"Area/Wrnog", NULL},
};

START_TEST(near_name_is_suggested) {
        static const struct { const char *file, *text; } lists[] = {{"tzdata.zi", zi}, {"zone1970.tab", tab}};
        char is[ZONE_NAME_MAX + 1];

        ck_assert_int_eq(zone_suggest(folder, suggestions[_i].name, is), -ENODATA);
        for (size_t i = 0; i < 2; i++) {
                folder_write(lists[i].file, lists[i].text, strlen(lists[i].text));
                strcpy(is, "untouched");
                int r = zone_suggest(folder, suggestions[_i].name, is);
                unlink(folder_path(lists[i].file));
                const char *wanted = suggestions[_i].suggestion;
                ck_assert_msg(r == (wanted ? 0 : -ENOENT) && strcmp(is, wanted ? wanted : "untouched") == 0, "\"%s\": %d, %s",
                              suggestions[_i].name, r, is);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("zone");
        TCase *times = tcase_create("times"), *data = tcase_create("data"), *files = tcase_create("files");

        tcase_add_loop_test(times, offset_is_known, 0, sizeof(offsets) / sizeof(offsets[0]));
        tcase_add_loop_test(times, civil_time_is_resolved, 0, sizeof(resolutions) / sizeof(resolutions[0]));
        tcase_add_loop_test(times, next_change_is_known, 0, sizeof(next_changes) / sizeof(next_changes[0]));
        suite_add_tcase(suite, times);
        tcase_add_loop_test(data, bad_footer_is_refused, 0, sizeof(bad_footers) / sizeof(bad_footers[0]));
        tcase_add_loop_test(data, damaged_file_is_refused, 0, sizeof(damages) / sizeof(damages[0]));
        tcase_add_test(data, file_that_ends_early_is_refused);
        tcase_add_test(data, file_over_a_bound_is_refused);
        tcase_add_test(data, file_with_leap_seconds_is_not_understood);
        tcase_add_test(data, table_goes_over_into_the_rule);
        tcase_add_test(data, table_without_a_rule_ends_with_its_last_type);
        tcase_add_test(data, version_1_has_no_footer);
        tcase_add_test(data, changed_data_have_another_hash);
        tcase_add_test(data, zone_lives_until_its_last_owner_gives_it_back);
        suite_add_tcase(suite, data);
        tcase_add_checked_fixture(files, make_files, folder_remove);
        tcase_add_loop_test(files, name_opens_as_expected, 0, sizeof(names) / sizeof(names[0]));
        tcase_add_test(files, long_names_are_refused);
        tcase_add_test(files, long_file_is_not_read);
        tcase_add_test(files, environment_names_the_folder);
        tcase_add_loop_test(files, what_the_data_depend_on_is_traced, 0, sizeof(traces) / sizeof(traces[0]));
        tcase_add_test(files, links_in_a_circle_are_left);
        tcase_add_test(files, machine_zone_begins_at_its_link);
        tcase_add_test(files, machine_has_a_zone);
        tcase_add_loop_test(files, near_name_is_suggested, 0, sizeof(suggestions) / sizeof(suggestions[0]));
        suite_add_tcase(suite, files);
        return run_suite(suite);
}
