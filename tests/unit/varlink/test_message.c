// SPDX-License-Identifier: MIT
// Calls as the reference server reads them, the stream they come in, and the replies.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/varlink/message.h"
#include "daemon/varlink/text.h"
#include "tests/unit/run_suite.h"

/* ---- calls ---- */

static const struct {
        const char *text;
        int result;
        bool is_more, is_oneway;
} calls[] = {
        {"{\"method\":\"a.B\"}", 0, false, false},
        {"{\"method\":\"a.B\"}\n", 0, false, false},
        {" {\"method\":\"a.B\",\"parameters\":null}", 0, false, false},
        {"{\"parameters\":{},\"method\":\"a.B\"}", 0, false, false},
        {"{\"method\":\"a.B\",\"more\":true,\"oneway\":false}", 0, true, false},
        {"{\"method\":\"a.B\",\"oneway\":true}", 0, false, true},
        {"{\"method\":\"a.B\",\"more\":true,\"oneway\":true}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"upgrade\":true}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"upgrade\":false}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"other\":1}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"method\":\"a.B\"}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"parameters\":{\"x\":1,\"x\":1}}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"parameters\":[]}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"parameters\":\"\"}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"more\":1}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"oneway\":null}", -EBADMSG, false, false},
        {"{\"method\":1}", -EBADMSG, false, false},
        {"{\"method\":\"a\\u0000.B\"}", -EBADMSG, false, false},
        {"{\"method\":\"a.\xff\"}", -EBADMSG, false, false},
        {"{\"method\":\"a.B\"}x", -EBADMSG, false, false},
        {"{\"method\":\"a.B\",\"parameters\":{\"x\":9223372036854775808}}", -EBADMSG, false, false},
        {"{\"parameters\":{}}", -EBADMSG, false, false},
        {"{}", -EBADMSG, false, false},
        {"[\"method\"]", -EBADMSG, false, false},
        {"\"a.B\"", -EBADMSG, false, false},
        {"null", -EBADMSG, false, false},
        {"", -EBADMSG, false, false},
        {"{\"method\":\"a.B\"", -EBADMSG, false, false},
};

START_TEST(a_call_is_read_or_closes_the_connection) {
        struct message_call call;
        ck_assert_msg(message_read_call(calls[_i].text, strlen(calls[_i].text), &call) == calls[_i].result, "%s",
                      calls[_i].text);
        if (calls[_i].result < 0)
                return;
        ck_assert_str_eq(call.method, "a.B");
        ck_assert_msg(json_object_size(call.parameters) == 0, "%s", calls[_i].text);
        ck_assert_msg(call.is_more == calls[_i].is_more && call.is_oneway == calls[_i].is_oneway, "%s", calls[_i].text);
        message_call_done(&call);
}
END_TEST

START_TEST(nesting_without_end_is_refused) {
        static char text[64 * 1024];
        struct message_call call;
        memset(text, '[', sizeof(text));
        ck_assert_int_eq(message_read_call(text, sizeof(text), &call), -EBADMSG);
}
END_TEST

/* ---- parameters ---- */

static const struct api_field fields[] = {
        {"name", API_STRING, NULL, false, ""}, {"count", API_INT, NULL, false, ""},    {"flag", API_BOOL, NULL, true, ""},
        {"list", API_STRINGS, NULL, true, ""}, {"numbers", API_INTS, NULL, true, ""},  {"note", API_STRING, NULL, true, ""},
        {"thing", API_OBJECT, "T", true, ""},  {"things", API_OBJECTS, "T", true, ""}, {"texts", API_TEXTS, NULL, true, ""},
};

static const struct {
        const char *parameters;
        const char *wrong; /* NULL: none */
} checks[] = {
        {"{\"name\":\"a\",\"count\":1}", NULL},
        {"{\"count\":9223372036854775807,\"name\":\"\"}", NULL},
        {"{\"name\":\"a\",\"count\":1,\"flag\":null,\"list\":null,\"note\":null}", NULL},
        {"{\"name\":\"a\",\"count\":1,\"flag\":true,\"list\":[\"x\"],\"numbers\":[1],\"thing\":{},\"things\":[]}", NULL},
        {"{}", "name"},
        {"{\"name\":\"a\"}", "count"},
        {"{\"count\":1}", "name"},
        {"{\"name\":null,\"count\":1}", "name"},
        {"{\"count\":null}", "count"},
        {"{\"name\":1,\"count\":\"x\"}", "name"},
        {"{\"count\":\"x\",\"name\":1}", "count"},
        {"{\"count\":true,\"name\":\"a\"}", "count"},
        {"{\"count\":1.0,\"name\":\"a\"}", "count"},
        {"{\"flag\":1}", "flag"},
        {"{\"list\":\"x\"}", "list"},
        {"{\"list\":[\"x\",1]}", "list"},
        {"{\"list\":[null]}", "list"},
        {"{\"numbers\":[\"x\"]}", "numbers"},
        {"{\"thing\":[]}", "thing"},
        {"{\"things\":{}}", "things"},
        {"{\"name\":\"a\",\"count\":1,\"texts\":{\"A\":\"\",\"b c\":\"x\"}}", NULL},
        {"{\"texts\":{\"A\":\"\",\"B\":1}}", "texts"},
        {"{\"texts\":[\"A\"]}", "texts"},
        {"{\"other\":1}", "other"},
        {"{\"other\":null,\"name\":1}", "other"},
        {"{\"Name\":\"a\"}", "Name"},
        {"{\"\":\"a\"}", ""},
};

START_TEST(the_first_wrong_parameter_is_named) {
        char text[512];
        struct message_call call;
        snprintf(text, sizeof(text), "{\"method\":\"a.B\",\"parameters\":%s}", checks[_i].parameters);
        ck_assert_int_eq(message_read_call(text, strlen(text), &call), 0);
        const char *wrong = message_check(&call, fields, ARRAY_SIZE(fields));
        ck_assert_msg(!wrong == !checks[_i].wrong && (!wrong || strcmp(wrong, checks[_i].wrong) == 0), "%s: %s", text,
                      wrong ? wrong : "none");
        message_call_done(&call);
}
END_TEST

START_TEST(parameters_are_had_by_name) {
        static const char text[] =
                "{\"method\":\"a.B\",\"parameters\":{\"n\":9223372036854775807,\"t\":\"x\",\"b\":true,\"z\":null}}";
        struct message_call call;
        ck_assert_int_eq(message_read_call(text, strlen(text), &call), 0);
        ck_assert_int_eq(message_get_int(&call, "n", 1), INT64_MAX);
        ck_assert_int_eq(message_get_int(&call, "z", 7), 7);
        ck_assert_str_eq(message_get_text(&call, "t", "other"), "x");
        ck_assert_str_eq(message_get_text(&call, "none", "other"), "other");
        ck_assert(message_get_bool(&call, "b"));
        ck_assert(!message_get_bool(&call, "none"));
        message_call_done(&call);
}
END_TEST

/* ---- stream ---- */

/* Feeds text in pieces of a size, joins the messages with "|". -EMSGSIZE at the limit of 8 bytes. */
static int split(const char *text, size_t size, size_t piece, char out[static 256]) {
        struct message_input in = {.limit = 8};
        int r = 0;
        out[0] = '\0';
        while (size > 0 && r == 0) {
                const char *message;
                char *room;
                size_t n, message_size;
                r = message_input_room(&in, &room, &n);
                if (r < 0)
                        break;
                n = n < piece ? n : piece;
                n = n < size ? n : size;
                memcpy(room, text, n);
                message_input_add(&in, n);
                text += n, size -= n;
                while (message_input_next(&in, &message, &message_size)) {
                        strncat(out, message, message_size);
                        strcat(out, "|");
                }
        }
        message_input_done(&in);
        return r;
}

START_TEST(a_stream_is_split_at_its_nuls) {
        static const char text[] = "one\0\0two\0three345\0four";
        char out[256];
        ck_assert_int_eq(split(text, sizeof(text) - 1, (size_t)_i, out), 0);
        ck_assert_str_eq(out, "one||two|three345|");
}
END_TEST

START_TEST(a_message_over_the_limit_is_refused) {
        static const char text[] = "one\0nine56789\0";
        char out[256];
        ck_assert_int_eq(split(text, sizeof(text) - 1, (size_t)_i, out), -EMSGSIZE);
        ck_assert_str_eq(out, "one|");
}
END_TEST

/* ---- replies ---- */

START_TEST(replies_are_one_object_and_a_nul) {
        struct pack out = {0};
        json_t *object = json_pack("{s:i,s:s}", "a", 1, "b", "x\ny");
        message_put_reply(&out, object, false);
        ck_assert_int_eq(pack_result(&out), 0);
        ck_assert_str_eq((char *)out.data, "{\"parameters\":{\"a\":1,\"b\":\"x\\ny\"}}");
        ck_assert_uint_eq(out.size, strlen((char *)out.data) + 1);
        pack_clear(&out);
        message_put_reply(&out, object, true);
        ck_assert_str_eq((char *)out.data, "{\"parameters\":{\"a\":1,\"b\":\"x\\ny\"},\"continues\":true}");
        pack_clear(&out);
        message_put_error(&out, "a.b", "C", NULL);
        ck_assert_str_eq((char *)out.data, "{\"error\":\"a.b.C\",\"parameters\":{}}");
        pack_clear(&out);
        message_put_reply(&out, NULL, false);
        ck_assert_int_eq(pack_result(&out), -ENOMEM);
        json_decref(object);
        pack_done(&out);
}
END_TEST

/* ---- text ---- */

#define R "\xEF\xBF\xBD"

static const struct {
        const char *bytes;
        size_t size;
        const char *text;
} texts[] = {
        {"", 0, ""},
        {"plain\n", 6, "plain\n"},
        {"a\0b", 3, "a" R "b"},
        {"gr\xC3\xBC\xC3\x9F", 6, "gr\xC3\xBC\xC3\x9F"},
        {"\xE2\x82\xAC", 3, "\xE2\x82\xAC"},
        {"\xF0\x9F\x98\x80!", 5, "\xF0\x9F\x98\x80!"},
        {"\xFF", 1, R},
        {"\x80x\x80", 3, R "x" R},
        {"\xC3", 1, R},
        {"\xC3(", 2, R "("},
        {"\xE2\x82", 2, R R},
        {"\xE2\x82\xE2\x82\xAC", 5, R R "\xE2\x82\xAC"},
        {"\xC0\xAF", 2, R R},
        {"\xED\xA0\x80", 3, R R R},
        {"\xF4\x90\x80\x80", 4, R R R R},
};

START_TEST(text_is_repaired_wherever_it_is_cut) {
        for (size_t piece = 1; piece <= texts[_i].size + 1; piece++) {
                struct pack out = {0};
                struct text_carry carry = {0};
                for (size_t at = 0; at < texts[_i].size; at += piece) {
                        size_t n = texts[_i].size - at < piece ? texts[_i].size - at : piece;
                        text_put_utf8(&out, &carry, texts[_i].bytes + at, n, false);
                }
                text_put_utf8(&out, &carry, NULL, 0, true);
                pack_u8(&out, 0);
                ck_assert_msg(strcmp((char *)out.data, texts[_i].text) == 0, "row %d in pieces of %zu: %s", _i, piece,
                              out.data);
                pack_done(&out);
        }
        struct pack whole = {0};
        text_put_utf8(&whole, NULL, texts[_i].bytes, texts[_i].size, true);
        pack_u8(&whole, 0);
        ck_assert_str_eq((char *)whole.data, texts[_i].text);
        pack_done(&whole);
        ck_assert(text_is_utf8(texts[_i].bytes, texts[_i].size) == !strstr(texts[_i].text, R));
}
END_TEST

START_TEST(a_character_at_a_piece_s_end_waits) {
        struct pack out = {0};
        struct text_carry carry = {0};
        text_put_utf8(&out, &carry, "ab\xE2\x82", 4, false);
        ck_assert_uint_eq(out.size, 2);
        ck_assert_uint_eq(carry.n, 2);
        text_put_utf8(&out, &carry, "\xAC", 1, false);
        ck_assert_uint_eq(out.size, 5);
        ck_assert_uint_eq(carry.n, 0);
        pack_done(&out);
}
END_TEST

static const struct {
        const char *bytes, *text;
} base64[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};

START_TEST(base64_is_rfc_4648) {
        struct pack out = {0};
        text_put_base64(&out, base64[_i].bytes, strlen(base64[_i].bytes));
        pack_u8(&out, 0);
        ck_assert_str_eq((char *)out.data, base64[_i].text);
        pack_done(&out);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("message");
        TCase *tc = tcase_create("message");
        tcase_add_loop_test(tc, a_call_is_read_or_closes_the_connection, 0, ARRAY_SIZE(calls));
        tcase_add_test(tc, nesting_without_end_is_refused);
        tcase_add_loop_test(tc, the_first_wrong_parameter_is_named, 0, ARRAY_SIZE(checks));
        tcase_add_test(tc, parameters_are_had_by_name);
        tcase_add_loop_test(tc, a_stream_is_split_at_its_nuls, 1, 12);
        tcase_add_loop_test(tc, a_message_over_the_limit_is_refused, 1, 12);
        tcase_add_test(tc, replies_are_one_object_and_a_nul);
        tcase_add_loop_test(tc, text_is_repaired_wherever_it_is_cut, 0, ARRAY_SIZE(texts));
        tcase_add_test(tc, a_character_at_a_piece_s_end_waits);
        tcase_add_loop_test(tc, base64_is_rfc_4648, 0, ARRAY_SIZE(base64));
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
