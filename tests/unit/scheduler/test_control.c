// SPDX-License-Identifier: MIT
// The control socket: odd input as the reference server answers it, every method with good and bad parameters, rights, bounds.

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/control_fixture.h"

/* ---- odd input ---- */

#define CALL(rest) "{\"method\":\"io.chimed.Why\"" rest "}"
#define CLOSED     NULL

/* What is sent, and what the reply says; CLOSED: the connection is closed without one. */
static const struct {
        const char *bytes;
        const char *reply;
} odd[] = {
        {CALL(""), "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"job\"}}"},
        {CALL(",\"parameters\":{\"job\":1}"), "InvalidParameter\",\"parameters\":{\"parameter\":\"job\"}"},
        {CALL(",\"parameters\":{\"slotUsec\":\"x\",\"job\":1}"), "{\"parameter\":\"slotUsec\"}"},
        {CALL(",\"parameters\":{\"job\":\"job\",\"nope\":1}"), "{\"parameter\":\"nope\"}"},
        {CALL(",\"parameters\":{\"job\":\"job\"}"), "\"state\":\"waiting\""},
        {CALL(",\"parameters\":{\"job\":\"job\"}") "\n", "\"state\":\"waiting\""},
        {CALL(",\"parameters\":{\"job\":\"job\",\"slotUsec\":null}"), "\"state\":\"waiting\""},
        {CALL(",\"parameters\":{\"job\":\"job\"},\"more\":true"), "\"nextSlotUsec\":"},
        {"{\"method\":\"io.chimed.GetStatus\",\"parameters\":null}", "\"version\":"},
        {"{\"method\":\"io.chimed.Nope\"}",
         "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"io.chimed.Nope\"}}"},
        {"{\"method\":\"io.other.GetStatus\"}", "{\"method\":\"io.other.GetStatus\"}"},
        {"{\"method\":\"GetStatus\"}", "MethodNotFound\",\"parameters\":{\"method\":\"GetStatus\"}"},
        {"{\"method\":\"\"}", "MethodNotFound\",\"parameters\":{\"method\":\"\"}"},
        {"{\"method\":\"org.varlink.service.Nope\"}", "{\"method\":\"org.varlink.service.Nope\"}"},
        {"{\"method\":\"io.chimed.Subscribe\"}", "{\"error\":\"org.varlink.service.ExpectedMore\",\"parameters\":{}}"},
        {CALL(",\"key\":1"), CLOSED},
        {CALL(",\"method\":\"io.chimed.Why\""), CLOSED},
        {CALL(",\"parameters\":{\"job\":\"a\",\"job\":\"b\"}"), CLOSED},
        {CALL(",\"more\":true,\"oneway\":true"), CLOSED},
        {CALL(",\"upgrade\":true"), CLOSED},
        {CALL(",\"more\":1"), CLOSED},
        {"[]", CLOSED},
        {"1", CLOSED},
        {"\"text\"", CLOSED},
        {"", CLOSED},
        {"nonsense", CLOSED},
        {"{\"method\":1}", CLOSED},
        {"{\"parameters\":{}}", CLOSED},
};

START_TEST(odd_input_is_answered_as_the_reference_server_does) {
        struct peer p = dial();
        say_bytes(&p, odd[_i].bytes, strlen(odd[_i].bytes) + 1);
        const char *reply = hear(&p);
        if (odd[_i].reply) {
                ck_assert_msg(reply && strstr(reply, odd[_i].reply), "%s: %s", odd[_i].bytes, reply ? reply : "(silence)");
                ck_assert_msg(!strstr(reply, "continues"), "%s: %s", odd[_i].bytes, reply);
                says(ask(&p, "org.varlink.service.GetInfo", "{}"), "\"vendor\":\"chimed\"");
        } else {
                ck_assert_msg(!reply, "%s: %s", odd[_i].bytes, reply);
                ck_assert_msg(is_closed(&p), "%s", odd[_i].bytes);
        }
        hang_up(&p);
}
END_TEST

START_TEST(two_calls_in_one_write_are_answered_in_order) {
        struct peer p = dial();
        static const char two[] = "{\"method\":\"io.chimed.Nope\"}\n\0{\"method\":\"org.varlink.service.GetInfo\"}";
        say_bytes(&p, two, sizeof(two));
        says(hear(&p), "MethodNotFound");
        says(hear(&p), "\"product\":\"chimed\"");
        hang_up(&p);
}
END_TEST

START_TEST(a_call_may_come_byte_by_byte) {
        static const char call[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
        struct peer p = dial();
        for (size_t i = 0; i < sizeof(call); i++) {
                ck_assert_uint_eq(p.size, 0);
                say_bytes(&p, call + i, 1);
                settle();
        }
        says(hear(&p), "\"vendor\":");
        hang_up(&p);
}
END_TEST

START_TEST(oneway_is_done_without_reply) {
        struct peer p = dial();
        say_more(&p, "Pause", "{\"job\":\"job\"}", ONEWAY);
        say_more(&p, "Nope", "{}", ONEWAY);
        say_more(&p, "Pause", "{}", ONEWAY);
        say_more(&p, "Cancel", "{\"job\":\"nope\"}", ONEWAY);
        say_more(&p, "ShowJob", "{\"job\":\"job\"}", ONEWAY);
        say_more(&p, "Wait", "{\"job\":\"job\"}", ONEWAY);
        say_more(&p, "org.varlink.service.GetInfo", "{}", ONEWAY);
        says(ask(&p, "Why", "{\"job\":\"job\"}"), "\"state\":\"paused\"");
        ck_assert_uint_eq(told.described, 0);
        hang_up(&p);
}
END_TEST

START_TEST(nothing_is_looked_up_for_who_has_gone) {
        struct peer p = dial();
        for (int i = 0; i < 5; i++)
                say(&p, "ShowJob", "{\"job\":\"job\"}");
        say_more(&p, "Pause", "{\"job\":\"job\"}", ONEWAY);
        hang_up(&p);
        settle();
        ck_assert_uint_eq(told.described, 0);
        ck_assert_uint_eq(control->n_clients, 0);
        p = dial();
        says(ask(&p, "Why", "{\"job\":\"job\"}"), "\"state\":\"paused\"");
        hang_up(&p);
}
END_TEST

START_TEST(what_was_sent_before_the_end_is_done) {
        struct peer p = dial(), other = dial();
        say_more(&p, "Pause", "{\"job\":\"job\"}", ONEWAY);
        hang_up(&p);
        says(ask(&other, "Why", "{\"job\":\"job\"}"), "\"state\":\"paused\"");
        settle();
        /* half a connection is enough for an answer */
        say(&other, "GetStatus", "{}");
        ck_assert_int_eq(shutdown(other.fd, SHUT_WR), 0);
        says(hear(&other), "\"connections\":1");
        ck_assert(is_closed(&other));
        hang_up(&other);
        ck_assert_uint_eq(control->n_clients, 0);
}
END_TEST

START_TEST(the_service_describes_itself) {
        struct peer p = dial();
        says(ask(&p, "org.varlink.service.GetInfo", "{}"), "\"interfaces\":[\"io.chimed\",\"org.varlink.service\"]");
        says(ask(&p, "org.varlink.service.GetInfo", "{\"x\":1}"), "{\"parameter\":\"x\"}");
        says(ask(&p, "org.varlink.service.GetInterfaceDescription", "{\"interface\":\"io.chimed\"}"), "interface io.chimed\\n");
        says(ask(&p, "org.varlink.service.GetInterfaceDescription", "{\"interface\":\"org.varlink.service\"}"),
             "interface org.varlink.service\\n");
        says(ask(&p, "org.varlink.service.GetInterfaceDescription", "{\"interface\":\"io.nope\"}"),
             "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"io.nope\"}}");
        says(ask(&p, "org.varlink.service.GetInterfaceDescription", "{}"), "{\"parameter\":\"interface\"}");
        hang_up(&p);
}
END_TEST

START_TEST(before_the_first_commit_nothing_is_ready) {
        struct peer p = dial();
        for (size_t i = 0; i < API_METHOD_MAX; i++) {
                const struct api_row *row = &api_methods()[i];
                bool has_job = row->n_in > 0 && strcmp(row->in[0].name, "job") == 0;
                say_more(&p, row->name, has_job ? "{\"job\":\"a\"}" : "{}", row->more == API_MUST_MORE ? MORE : "");
                says(hear(&p), "{\"error\":\"io.chimed.NotReady\",\"parameters\":{}}");
        }
        hang_up(&p);
}
END_TEST

START_TEST(after_the_runner_is_gone_nothing_is_ready) {
        struct peer p = dial(), waiting = dial();
        say(&waiting, "Wait", "{\"job\":\"job\"}");
        settle();
        close(runner);
        runner = -1;
        settle();
        says(ask(&p, "GetStatus", "{}"), "NotReady");
        control = control_free(control);
        fill(&waiting);
        says(waiting.buf, "NotReady");
        hang_up(&p);
        hang_up(&waiting);
        teardown();
        setup_without_jobs();
}
END_TEST

/* ---- methods ---- */

/* Calls of root in this order, on one instance; what the reply says. */
static const struct {
        const char *method, *parameters, *reply;
} calls[] = {
        {"GetStatus", "{}",
         "\"jobs\":5,\"running\":0,\"paused\":0,\"cancelled\":0,\"failing\":0,\"connections\":1,\"subscriptions\":0"},
        {"GetStatus", "{\"x\":1}", "{\"parameter\":\"x\"}"},
        {"ListJobs", "{\"jobs\":[\"off\"]}", "{\"parameters\":{\"jobs\":[{\"name\":\"off\",\"state\":\"disabled\""},
        {"ListJobs", "{\"jobs\":[\"off\",\"off\"]}", "}],\"after\":null}"},
        {"ListJobs", "{\"jobs\":[]}", "{\"jobs\":[],\"after\":null}"},
        {"ListJobs", "{\"jobs\":[\"job\",\"nope\"]}", "{\"error\":\"io.chimed.NoSuchJob\",\"parameters\":{\"job\":\"nope\"}}"},
        {"ListJobs", "{\"after\":-1}", "{\"parameter\":\"after\"}"},
        {"ListJobs", "{\"after\":4294967296}", "{\"parameter\":\"after\"}"},
        {"ListJobs", "{\"after\":4294967295}", "{\"jobs\":[],\"after\":null}"},
        {"Next", "{\"jobs\":[\"job\"],\"n\":2}", "\"note\":null},{\"job\":\"job\""},
        {"Next", "{\"jobs\":[\"manual\",\"off\"]}", "{\"next\":[],\"after\":null}"},
        {"Next", "{\"n\":0}", "{\"parameter\":\"n\"}"},
        {"Next", "{\"n\":1001}", "{\"parameter\":\"n\"}"},
        {"Next", "{\"fromUsec\":-1}", "{\"parameter\":\"fromUsec\"}"},
        {"Next", "{\"fromUsec\":9223372036854775807}", "{\"parameter\":\"fromUsec\"}"},
        {"Next", "{\"jobs\":[\"nope\"]}", "NoSuchJob"},
        {"Simulate", "{\"jobs\":[\"manual\",\"off\"]}",
         "\"jobs\":2,\"measured\":0,\"runs\":[],\"missed\":[],\"isCut\":false}}"},
        {"Simulate", "{\"jobs\":[\"job\"],\"limit\":24}", "\"isCut\":false"},
        {"Simulate", "{\"jobs\":[\"job\"],\"limit\":23}", "\"isCut\":true"},
        {"Simulate", "{\"untilUsec\":1}", "{\"parameter\":\"untilUsec\"}"},
        {"Simulate", "{\"untilUsec\":9223372036854775807}", "{\"parameter\":\"untilUsec\"}"},
        {"Simulate", "{\"tookUsec\":-1}", "{\"parameter\":\"tookUsec\"}"},
        {"Simulate", "{\"limit\":0}", "{\"parameter\":\"limit\"}"},
        {"Simulate", "{\"limit\":1001}", "{\"parameter\":\"limit\"}"},
        {"Simulate", "{\"jobs\":[\"job\",\"nope\"]}", "NoSuchJob"},
        {"Why", "{\"job\":\"manual\"}",
         "\"state\":\"manual\",\"sentences\":[\"It runs on demand only: chimectl trigger manual\""},
        {"Why", "{\"job\":\"off\"}", "\"reason\":\"disabled\""},
        {"Why", "{\"job\":\"job\",\"slotUsec\":-9223372036854775808}", "Nothing is known of that slot"},
        {"Why", "{\"job\":\"job\",\"slotUsec\":9223372036854775807}", "has not come yet"},
        {"Why", "{\"job\":\"nope\"}", "{\"job\":\"nope\"}"},
        {"Trigger", "{\"job\":\"off\"}",
         "{\"error\":\"io.chimed.NotArmed\",\"parameters\":{\"job\":\"off\",\"state\":\"disabled\"}}"},
        {"Trigger", "{\"job\":\"job\",\"ifRunning\":\"x\"}", "{\"parameter\":\"ifRunning\"}"},
        {"Trigger", "{\"job\":\"job\",\"schedule\":\"consume\"}", "{\"parameter\":\"schedule\"}"},
        {"Trigger", "{\"job\":\"manual\",\"schedule\":\"rebase\"}", "io.chimed.NotPossible"},
        {"Trigger", "{\"job\":\"nope\"}", "NoSuchJob"},
        {"Cancel", "{\"job\":\"job\",\"what\":\"run\"}",
         "{\"error\":\"io.chimed.NotRunning\",\"parameters\":{\"job\":\"job\"}}"},
        {"Cancel", "{\"job\":\"job\",\"what\":\"x\"}", "{\"parameter\":\"what\"}"},
        {"Cancel", "{\"job\":\"job\",\"runId\":1}", "{\"parameter\":\"runId\"}"},
        {"Cancel", "{\"job\":\"job\",\"what\":\"run\",\"runId\":9}",
         "{\"error\":\"io.chimed.NoSuchRun\",\"parameters\":{\"job\":\"job\",\"runId\":9}}"},
        {"Pause", "{\"job\":\"job\",\"forUsec\":0}", "{\"parameter\":\"forUsec\"}"},
        {"Pause", "{\"job\":\"off\"}",
         "{\"error\":\"io.chimed.NotArmed\",\"parameters\":{\"job\":\"off\",\"state\":\"disabled\"}}"},
        {"Pause", "{\"job\":\"job\",\"reason\":\"disk full\"}",
         "{\"job\":\"job\",\"changed\":true,\"state\":\"paused\",\"nextSlotUsec\":null,\"group\":null,\"runId\":null}"},
        {"Pause", "{\"job\":\"job\"}", "\"changed\":false"},
        {"Why", "{\"job\":\"job\"}", ": disk full.\",\"It goes on with: chimectl resume job\"],\"reason\":\"paused\""},
        {"ListJobs", "{\"jobs\":[\"job\"]}", "\"untilUsec\":null,\"reason\":\"disk full\",\"group\":null}"},
        {"Pause", "{\"job\":\"job\",\"forUsec\":3600000000}", "\"changed\":true"},
        {"ListJobs", "{\"jobs\":[\"job\"]}", "\"hold\":{\"by\":\""},
        {"GetStatus", "{}", "\"paused\":1"},
        {"Resume", "{\"job\":\"job\"}", "\"changed\":true,\"state\":\"waiting\",\"nextSlotUsec\":1"},
        {"Resume", "{\"job\":\"job\"}", "\"changed\":false"},
        {"Resume", "{\"job\":\"off\"}", "NotArmed"},
        {"Start", "{\"job\":\"job\"}", "\"changed\":false"},
        {"Start", "{\"job\":\"off\"}", "NotArmed"},
        {"Cancel", "{\"job\":\"job\",\"reason\":\"done\"}",
         "{\"job\":\"job\",\"changed\":true,\"state\":\"cancelled\",\"run\":null,"},
        {"Cancel", "{\"job\":\"job\",\"reason\":\"again\"}", "\"changed\":false,\"state\":\"cancelled\""},
        {"Why", "{\"job\":\"job\"}", ": done.\",\"It will not run again until: chimectl start job\"],\"reason\":\"cancelled\""},
        {"Pause", "{\"job\":\"job\"}",
         "{\"error\":\"io.chimed.NotArmed\",\"parameters\":{\"job\":\"job\",\"state\":\"cancelled\"}}"},
        {"Why", "{\"job\":\"job\"}", ": done."},
        {"Trigger", "{\"job\":\"job\"}", "\"state\":\"cancelled\"}"},
        {"Wait", "{\"job\":\"job\"}",
         "{\"error\":\"io.chimed.NotArmed\",\"parameters\":{\"job\":\"job\",\"state\":\"cancelled\"}}"},
        {"GetStatus", "{}", "\"cancelled\":1"},
        {"Start", "{\"job\":\"job\"}", "\"changed\":true,\"state\":\"waiting\""},
        {"SetInterval", "{\"job\":\"job\"}", "{\"parameter\":\"everyUsec\"}"},
        {"SetInterval", "{\"job\":\"job\",\"everyUsec\":999}", "{\"parameter\":\"everyUsec\"}"},
        {"SetInterval", "{\"job\":\"job\",\"everyUsec\":9223372036854775807}", "{\"parameter\":\"everyUsec\"}"},
        {"SetInterval", "{\"job\":\"job\",\"everyUsec\":1000,\"reset\":true}", "{\"parameter\":\"everyUsec\"}"},
        {"SetInterval", "{\"job\":\"job\",\"reset\":false}", "{\"parameter\":\"everyUsec\"}"},
        {"SetInterval", "{\"job\":\"manual\",\"everyUsec\":1000}",
         "{\"error\":\"io.chimed.NotPossible\",\"parameters\":{\"job\":\"manual\",\"reason\":"},
        {"SetInterval", "{\"job\":\"job\",\"everyUsec\":7200000000}",
         "\"changed\":true,\"everyUsec\":7200000000,\"nextSlotUsec\":1"},
        {"SetInterval", "{\"job\":\"job\",\"everyUsec\":7200000000}", "\"changed\":false"},
        {"ListJobs", "{\"jobs\":[\"job\"]}", "\"schedule\":\"every 2h, fixed rate\""},
        {"SetInterval", "{\"job\":\"job\",\"reset\":true}", "\"changed\":true,\"everyUsec\":3600000000"},
        {"Wait", "{\"job\":\"job\",\"finished\":true}",
         "{\"job\":\"job\",\"runs\":0,\"successes\":0,\"state\":\"waiting\",\"lastRun\":null}"},
        {"Wait", "{\"job\":\"job\",\"runs\":0}", "\"runs\":0"},
        {"Wait", "{\"job\":\"job\",\"more\":0}", "\"runs\":0"},
        {"Wait", "{\"job\":\"job\",\"more\":-1}", "{\"parameter\":\"more\"}"},
        {"Wait", "{\"job\":\"job\",\"more\":9223372036854775807}", "{\"parameter\":\"more\"}"},
        {"Wait", "{\"job\":\"job\",\"runs\":1,\"successes\":1}", "{\"parameter\":\"successes\"}"},
        {"Wait", "{\"job\":\"job\",\"forUsec\":-1}", "{\"parameter\":\"forUsec\"}"},
        {"Wait", "{\"job\":\"job\",\"forUsec\":0}", "{\"error\":\"io.chimed.TimedOut\",\"parameters\":{\"job\":\"job\"}}"},
        {"Wait", "{\"job\":\"nope\"}", "NoSuchJob"},
};

START_TEST(calls_are_answered) {
        struct peer p = dial();
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                const char *reply = ask(&p, calls[i].method, calls[i].parameters);
                ck_assert_msg(strstr(reply, calls[i].reply) != NULL, "%s %s: %s", calls[i].method, calls[i].parameters, reply);
        }
        hang_up(&p);
}
END_TEST

/* Two jobs are members of a group, one of another too; also a hold of the one is not that of the other. */
static const struct {
        const char *method, *parameters, *reply;
} group_calls[] = {
        {"ListGroups", "{}",
         "{\"groups\":[{\"name\":\"g\",\"description\":\"two\",\"members\":2,\"maxRunning\":3,\"running\":0,\"waiting\":0,"
         "\"hold\":null},{\"name\":\"h\",\"description\":null,\"members\":1,\"maxRunning\":null"},
        {"ListGroups", "{\"after\":-1}", "{\"parameter\":\"after\"}"},
        {"ListGroups", "{\"after\":2}", "{\"groups\":[],\"after\":null}"},
        {"ListJobs", "{\"jobs\":[\"@g\"]}", "\"groups\":[\"g\",\"h\"]"},
        {"ListJobs", "{\"jobs\":[\"@h\",\"a\"]}", "\"hold\":null}],\"after\":null}"},
        {"ListJobs", "{\"jobs\":[\"@nope\"]}", "{\"error\":\"io.chimed.NoSuchJob\",\"parameters\":{\"job\":\"@nope\"}}"},
        {"Pause", "{\"job\":\"@nope\"}", "{\"error\":\"io.chimed.NoSuchJob\",\"parameters\":{\"job\":\"@nope\"}}"},
        {"ShowJob", "{\"job\":\"@g\"}", "NoSuchJob"},
        {"Pause", "{\"job\":\"@g\",\"reason\":\"moving\"}", "{\"job\":\"@g\",\"changed\":true,\"state\":\"paused\"}"},
        {"Pause", "{\"job\":\"@g\"}", "\"changed\":false"},
        {"ListGroups", "{}", "\"untilUsec\":null,\"reason\":\"moving\",\"group\":\"g\"}"},
        {"ListJobs", "{\"jobs\":[\"a\"]}", "\"nextReason\":\"its group is paused\""},
        {"ListJobs", "{\"jobs\":[\"a\"]}", "\"reason\":\"moving\",\"group\":\"g\"}"},
        {"Why", "{\"job\":\"a\"}", ": moving.\",\"It goes on with: chimectl resume @g\"],\"reason\":\"paused\""},
        {"GetStatus", "{}", "\"paused\":2"},
        {"Resume", "{\"job\":\"a\"}",
         "\"changed\":false,\"state\":\"paused\",\"nextSlotUsec\":null,\"group\":\"g\",\"runId\":null}"},
        {"Pause", "{\"job\":\"a\",\"reason\":\"mine\"}", "\"changed\":true"},
        {"Why", "{\"job\":\"a\"}", "\"That hold ends with: chimectl resume @g\",\"It was paused by root at "},
        {"Resume", "{\"job\":\"@g\"}", "{\"job\":\"@g\",\"changed\":true,\"state\":\"waiting\"}"},
        {"Resume", "{\"job\":\"@g\"}", "\"changed\":false"},
        {"ListJobs", "{\"jobs\":[\"a\"]}", "\"reason\":\"mine\",\"group\":null}"},
        {"GetStatus", "{}", "\"paused\":1"},
        {"Cancel", "{\"job\":\"@g\"}", "{\"job\":\"@g\",\"changed\":true,\"state\":\"cancelled\"}"},
        {"Cancel", "{\"job\":\"@g\"}", "\"changed\":false"},
        {"Cancel", "{\"job\":\"@g\",\"what\":\"run\",\"runId\":1}", "{\"parameter\":\"runId\"}"},
        {"Trigger", "{\"job\":\"@g\"}",
         "{\"error\":\"io.chimed.NotArmed\",\"parameters\":{\"job\":\"a\",\"state\":\"cancelled\"}}"},
        {"Start", "{\"job\":\"@g\"}", "{\"job\":\"@g\",\"changed\":true,\"state\":\"waiting\"}"},
        {"Start", "{\"job\":\"@g\"}", "\"changed\":false"},
        {"Trigger", "{\"job\":\"@g\"}",
         "{\"job\":\"@g\",\"kind\":\"accepted\",\"accepted\":[{\"job\":\"a\",\"runId\":1,\"outcome\":\"started\","
         "\"behindRunId\":null},{\"job\":"
         "\"b\","},
        {"Trigger", "{\"job\":\"@g\",\"ifRunning\":\"reject\"}",
         "{\"error\":\"io.chimed.AlreadyRunning\",\"parameters\":{\"job\":\"a\",\"runId\":1}}"},
};

START_TEST(a_group_stands_for_its_members) {
        struct peer p = dial();
        define_job("a", HOURLY "MemberOf=g h\n");
        define_job("b", HOURLY "MemberOf=g\n");
        wire_put_group(&pack, &(struct wire_group){.name = "g", .description = "two", .max_running = 3});
        runner_say(WIRE_GROUP);
        wire_put_group(&pack, &(struct wire_group){.name = "h", .description = ""});
        runner_say(WIRE_GROUP);
        commit_asked(0, 7);
        settle();
        for (size_t i = 0; i < ARRAY_SIZE(group_calls); i++) {
                const char *reply = ask(&p, group_calls[i].method, group_calls[i].parameters);
                ck_assert_msg(strstr(reply, group_calls[i].reply) != NULL, "%s %s: %s", group_calls[i].method,
                              group_calls[i].parameters, reply);
        }
        hang_up(&p);
}
END_TEST

/* Where no run of the job is in flight, it is not behind one; and a pause says whether one goes on. */
START_TEST(what_waits_for_a_place_is_behind_no_run) {
        struct peer p = dial();
        define_job("a", HOURLY "MemberOf=g\n");
        define_job("b", HOURLY "MemberOf=g\n");
        wire_put_group(&pack, &(struct wire_group){.name = "g", .description = "", .max_running = 1});
        runner_say(WIRE_GROUP);
        commit_asked(0, 7);
        settle();
        says(ask(&p, "Trigger", "{\"job\":\"a\"}"), "\"outcome\":\"started\",\"behindRunId\":null");
        says(ask(&p, "Trigger", "{\"job\":\"b\"}"), "\"outcome\":\"queued\",\"behindRunId\":null");
        says(ask(&p, "Pause", "{\"job\":\"b\"}"), "\"group\":null,\"runId\":null");
        says(ask(&p, "Pause", "{\"job\":\"a\"}"), "\"group\":null,\"runId\":1}");
        hang_up(&p);
}
END_TEST

START_TEST(who_may_not_is_told_who_may) {
        static const char *const refused[][3] = {
                {"Trigger", "{\"job\":\"other\"}", "who the job's Allow= names (without Allow=, its User=)"},
                {"Pause", "{\"job\":\"other\"}", "who the job's Allow=control: names"},
                {"Pause", "{\"job\":\"@g\"}", "\"right\":\"admin\",\"job\":\"@g\",\"holders\":\"root or group chimed\""},
                {"Resume", "{\"job\":\"@g\"}", "\"right\":\"admin\",\"job\":\"@g\",\"holders\":\"root or group chimed\""},
                {"Trigger", "{\"job\":\"@g\"}",
                 "\"job\":\"@g\",\"holders\":\"root, group chimed or who may trigger each member"},
                {"Cancel", "{\"job\":\"@g\"}", "who the Allow=control: of each member names"},
        };
        define_job("a", HOURLY "MemberOf=g\n");
        wire_put_group(&pack, &(struct wire_group){.name = "g", .description = ""});
        runner_say(WIRE_GROUP);
        commit_asked(0, 6);
        settle();
        struct peer p = dial();
        become(1001);
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
                says(ask(&p, refused[i][0], refused[i][1]), refused[i][2]);
        hang_up(&p);
}
END_TEST

START_TEST(a_reason_is_bounded) {
        struct peer p = dial();
        char text[512], reason[BOOK_TEXT_MAX + 2];
        memset(reason, 'x', sizeof(reason));
        reason[BOOK_TEXT_MAX + 1] = '\0';
        snprintf(text, sizeof(text), "{\"job\":\"job\",\"reason\":\"%s\"}", reason);
        says(ask(&p, "Pause", text), "{\"parameter\":\"reason\"}");
        says(ask(&p, "Cancel", text), "{\"parameter\":\"reason\"}");
        snprintf(text, sizeof(text), "{\"job\":\"job\",\"reason\":\"%s\"}", reason + 1);
        says(ask(&p, "Pause", text), "\"changed\":true");
        hang_up(&p);
}
END_TEST

START_TEST(every_member_of_the_interface_is_in_the_reply) {
        struct peer p = dial();
        static const char *const asked[][2] = {{"GetStatus", "{}"}, {"Why", "{\"job\":\"job\"}"}, {"Next", "{}"}};
        for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
                const struct api_row *row = api_method_find(asked[i][0]);
                json_t *reply = json_loads(ask(&p, asked[i][0], asked[i][1]), 0, NULL);
                json_t *parameters = json_object_get(reply, "parameters");
                ck_assert_uint_eq(json_object_size(parameters), row->n_out);
                for (size_t k = 0; k < row->n_out; k++)
                        ck_assert_msg(json_object_get(parameters, row->out[k].name) != NULL, "%s: %s", row->name,
                                      row->out[k].name);
                json_decref(reply);
        }
        size_t n_types;
        const struct api_row *job = api_types(&n_types);
        while (n_types > 0 && strcmp(job->name, "Job") != 0) {
                job++;
                n_types--;
        }
        ck_assert_uint_gt(n_types, 0);
        json_t *reply = json_loads(ask(&p, "ListJobs", "{\"jobs\":[\"job\"]}"), 0, NULL);
        json_t *first = json_array_get(json_object_get(json_object_get(reply, "parameters"), "jobs"), 0);
        ck_assert_uint_eq(json_object_size(first), job->n_out);
        for (size_t k = 0; k < job->n_out; k++)
                ck_assert_msg(json_object_get(first, job->out[k].name) != NULL, "Job: %s", job->out[k].name);
        json_decref(reply);
        hang_up(&p);
}
END_TEST

START_TEST(lists_come_in_pages) {
        struct peer p = dial();
        json_error_t error;
        char parameters[64] = "{}";
        int n = 0, pages = 0;
        for (int i = 0; i < 250; i++) {
                char name[32];
                snprintf(name, sizeof(name), "page%d", i);
                define_job(name, HOURLY);
        }
        commit_asked(0, 255);
        for (;;) {
                json_t *reply = json_loads(ask(&p, _i ? "Next" : "ListJobs", parameters), 0, &error);
                json_t *out = json_object_get(reply, "parameters"), *after = json_object_get(out, "after");
                size_t size = json_array_size(json_object_get(out, _i ? "next" : "jobs"));
                ck_assert_uint_le(size, CONTROL_PAGE);
                n += (int)size;
                pages++;
                bool is_last = json_is_null(after);
                snprintf(parameters, sizeof(parameters), "{\"after\":%lld}", (long long)json_integer_value(after));
                json_decref(reply);
                if (is_last)
                        break;
        }
        ck_assert_int_eq(n, _i ? 253 : 255); /* manual and off have no slots */
        ck_assert_int_eq(pages, 3);
        hang_up(&p);
}
END_TEST

START_TEST(with_more_all_pages_come) {
        struct peer p = dial();
        int n = 0;
        for (int i = 0; i < 250; i++) {
                char name[32];
                snprintf(name, sizeof(name), "page%d", i);
                define_job(name, HOURLY);
        }
        commit_asked(0, 255);
        say_more(&p, "ListJobs", "{}", MORE);
        say(&p, "org.varlink.service.GetInfo", "{}");
        for (int i = 0; i < 3; i++) {
                const char *reply = hear(&p);
                ck_assert_ptr_nonnull(reply);
                ck_assert(!strstr(reply, "\"continues\":true") == (i == 2));
                for (const char *at = reply; (at = strstr(at, "{\"name\":")); at++)
                        n++;
        }
        ck_assert_int_eq(n, 255);
        says(hear(&p), "\"vendor\"");
        hang_up(&p);
}
END_TEST

/* ---- rights ---- */

static const struct {
        uid_t uid;
        gid_t gid;
        const char *when;
        enum api_right right;
} rights[] = {
        {1000, 1000, "", API_RIGHT_SEE},
        {1000, 1000, "Allow=trigger:1000\n", API_RIGHT_TRIGGER},
        {1000, 1000, "Allow=trigger:1001\n", API_RIGHT_SEE},
        {1000, 1000, "Allow=control:1000\n", API_RIGHT_CONTROL},
        {1000, 1000, "Allow=trigger:%1000\n", API_RIGHT_TRIGGER},
        {1000, 50, "Allow=trigger:%1000\n", API_RIGHT_SEE},
        {1000, 50, "Allow=control:%50\n", API_RIGHT_CONTROL},
        {1000, 50, "Allow=control:%77\n", API_RIGHT_CONTROL}, /* one of its other groups */
        {1000, 50, "Allow=control:77\n", API_RIGHT_SEE},
        {1000, 50, "Allow=trigger:1000 control:%50\n", API_RIGHT_CONTROL},
        {1000, 50, "Allow=control:%50 trigger:1000\n", API_RIGHT_CONTROL},
        {1000, 50, "Allow=trigger:1 trigger:2 trigger:3 trigger:4 trigger:5 trigger:6 trigger:7 control:1000\n",
         API_RIGHT_CONTROL},
};

START_TEST(a_job_gives_rights_to_whom_it_names) {
        static const gid_t groups[] = {76, 77};
        struct job_when when;
        char *description;
        struct control_peer peer = {.uid = rights[_i].uid, .gid = rights[_i].gid, .groups = groups, .n_groups = 2};
        ck_assert_int_eq(job_when_parse(rights[_i].when, strlen(rights[_i].when), NULL, &when, &description), 0);
        ck_assert_msg(control_right_of(&peer, &when) == rights[_i].right, "%s", rights[_i].when);
        free(description);
}
END_TEST

START_TEST(some_may_do_everything) {
        static const gid_t groups[] = {76, 77};
        struct control_peer peer = {.uid = 1000, .gid = 50, .groups = groups, .n_groups = 2};
        ck_assert(!control_is_admin(&peer, 0, (gid_t)-1));
        ck_assert(!control_is_admin(&peer, 999, 60));
        ck_assert(control_is_admin(&peer, 1000, (gid_t)-1));
        ck_assert(control_is_admin(&peer, 0, 50));
        ck_assert(control_is_admin(&peer, 0, 77));
        peer.uid = 0;
        ck_assert(control_is_admin(&peer, 999, (gid_t)-1));
        peer = (struct control_peer){.uid = 1, .gid = (gid_t)-1};
        ck_assert(!control_is_admin(&peer, 0, (gid_t)-1));
}
END_TEST

/* The right that a call needs; with it the reply is something else than a refusal. */
static const struct {
        const char *method, *parameters, *more;
        enum api_right right;
} needs[] = {
        {"GetStatus", "{}", "", API_RIGHT_SEE},
        {"ListJobs", "{}", "", API_RIGHT_SEE},
        {"Next", "{}", "", API_RIGHT_SEE},
        {"Why", "{\"job\":\"job\"}", "", API_RIGHT_SEE},
        {"Wait", "{\"job\":\"job\",\"forUsec\":0}", "", API_RIGHT_SEE},
        {"Subscribe", "{}", MORE, API_RIGHT_SEE},
        {"Trigger", "{\"job\":\"job\"}", "", API_RIGHT_TRIGGER},
        {"Trigger", "{\"job\":\"job\",\"ifRunning\":\"queue\"}", "", API_RIGHT_TRIGGER},
        {"Trigger", "{\"job\":\"job\",\"ifRunning\":\"replace\"}", "", API_RIGHT_CONTROL},
        {"Trigger", "{\"job\":\"job\",\"schedule\":\"rebase\"}", "", API_RIGHT_CONTROL},
        {"Trigger", "{\"job\":\"job\",\"force\":true}", "", API_RIGHT_CONTROL},
        {"Trigger", "{\"job\":\"job\",\"output\":true}", MORE, API_RIGHT_CONTROL},
        {"Cancel", "{\"job\":\"job\",\"what\":\"run\"}", "", API_RIGHT_CONTROL},
        {"Start", "{\"job\":\"job\"}", "", API_RIGHT_CONTROL},
        {"Pause", "{\"job\":\"job\"}", "", API_RIGHT_CONTROL},
        {"Resume", "{\"job\":\"job\"}", "", API_RIGHT_CONTROL},
        {"SetInterval", "{\"job\":\"job\",\"reset\":true}", "", API_RIGHT_CONTROL},
        {"Reload", "{}", "", API_RIGHT_ADMIN},
};

START_TEST(a_call_needs_its_right) {
        static const uid_t uids[] = {[API_RIGHT_SEE] = 5, [API_RIGHT_TRIGGER] = 1000, [API_RIGHT_CONTROL] = 1001};
        for (enum api_right right = API_RIGHT_SEE; right <= API_RIGHT_ADMIN; right++) {
                struct peer p = dial();
                if (right < API_RIGHT_ADMIN)
                        become(uids[right]);
                say_more(&p, needs[_i].method, needs[_i].parameters, needs[_i].more);
                settle();
                if (told.reload > 0)
                        commit_asked(told.reload, 5);
                const char *reply = hear(&p);
                bool is_denied = reply && strstr(reply, "PermissionDenied");
                ck_assert_msg(reply && is_denied == (right < needs[_i].right), "%s %s as %s: %s", needs[_i].method,
                              needs[_i].parameters, api_right_to_string(right), reply);
                if (is_denied) {
                        char wanted[64];
                        enum api_right first = api_method_find(needs[_i].method)->right; /* some words need more than it */
                        snprintf(wanted, sizeof(wanted), "{\"right\":\"%s\",\"job\":%s,\"holders\":\"root",
                                 api_right_to_string(right < first ? first : needs[_i].right),
                                 needs[_i].right == API_RIGHT_ADMIN ? "null" : "\"job\"");
                        says(reply, wanted);
                }
                hang_up(&p);
                settle();
        }
}
END_TEST

START_TEST(values_and_commands_are_for_those_in_control) {
        struct peer p = dial();
        say(&p, "Trigger", "{\"job\":\"job\"}");
        says(hear(&p), "\"outcome\":\"started\"");
        run_ended(told.run, RUN_RESULT_SUCCESS, "secret");
        says(ask(&p, "Wait", "{\"job\":\"job\",\"runs\":1}"), "\"value\":\"secret\"");
        struct peer stranger = dial();
        become(1000);
        says(ask(&stranger, "Wait", "{\"job\":\"job\",\"runs\":1}"), "\"value\":null");
        says(ask(&stranger, "ShowJob", "{\"job\":\"job\"}"), "\"command\":null");
        ck_assert(!strstr(ask(&stranger, "ShowJob", "{\"job\":\"job\"}"), "secret"));
        hang_up(&p);
        hang_up(&stranger);
}
END_TEST

/* ---- bounds ---- */

START_TEST(a_user_has_so_many_connections) {
        struct peer peers[CONTROL_CLIENTS_UID_MAX + 1];
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                peers[i] = dial();
        ck_assert_uint_eq(control->n_clients, CONTROL_CLIENTS_UID_MAX);
        ck_assert(is_closed(&peers[CONTROL_CLIENTS_UID_MAX]));
        says(ask(&peers[0], "GetStatus", "{}"), "\"connections\":64");
        hang_up(&peers[1]);
        settle();
        peers[1] = dial();
        says(ask(&peers[1], "GetStatus", "{}"), "\"connections\":64");
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                hang_up(&peers[i]);
        settle();
        ck_assert_uint_eq(control->n_clients, 0);
        ck_assert_ptr_null(control->users);
        ck_assert_uint_eq(control->bytes, 0);
}
END_TEST

START_TEST(the_last_connections_are_root_s) {
        const size_t open = CONTROL_CLIENTS_MAX - CONTROL_ROOT_RESERVE;
        ck_assert_ptr_null(control_refusal(false, open - 1, 0));
        ck_assert_ptr_nonnull(control_refusal(false, open, 0));
        ck_assert_ptr_null(control_refusal(true, open, 0));
        ck_assert_ptr_nonnull(control_refusal(true, CONTROL_CLIENTS_MAX, 0));
        ck_assert_ptr_nonnull(control_refusal(false, 100, CONTROL_CLIENTS_UID_MAX));
}
END_TEST

START_TEST(a_user_has_so_many_calls_that_wait) {
        struct peer peers[CONTROL_STREAMS_UID_MAX + 1];
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
                peers[i] = dial();
                say(&peers[i], "Wait", "{\"job\":\"job\"}");
                settle();
        }
        struct peer *last = &peers[CONTROL_STREAMS_UID_MAX];
        says(hear(last),
             "{\"error\":\"io.chimed.LimitReached\",\"parameters\":{\"what\":\"streams and calls that wait\",\"limit\":32}}");
        says(ask(last, "Reload", "{}"), "LimitReached");
        ck_assert_uint_eq(told.reload, 0);
        says(ask(last, "Cancel", "{\"job\":\"other\"}"), "\"state\":\"cancelled\""); /* it is what may be needed most */
        hang_up(&peers[0]);
        settle();
        say(last, "Reload", "{}");
        settle();
        ck_assert_uint_eq(told.reload, 1);
        for (size_t i = 1; i < ARRAY_SIZE(peers); i++)
                hang_up(&peers[i]);
        settle();
        ck_assert_ptr_null(control->waits);
}
END_TEST

START_TEST(a_call_over_the_bound_closes) {
        static char text[CONTROL_CALL_MAX + 4096];
        struct peer p = dial();
        memset(text, ' ', sizeof(text));
        memcpy(text, "{", 1);
        for (size_t at = 0; at < sizeof(text); at += 4096) {
                ssize_t n = send(p.fd, text + at, 4096, MSG_NOSIGNAL);
                if (n < 0)
                        break;
                settle();
        }
        ck_assert(is_closed(&p));
        hang_up(&p);
        ck_assert_uint_eq(control->bytes, 0);
}
END_TEST

START_TEST(a_call_of_the_largest_size_is_served) {
        static char text[CONTROL_CALL_MAX + 1];
        static const char call[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
        struct peer p = dial();
        memset(text, ' ', sizeof(text));
        memcpy(text, call, strlen(call));
        text[CONTROL_CALL_MAX] = '\0';
        say_bytes(&p, text, sizeof(text));
        says(hear(&p), "\"vendor\"");
        hang_up(&p);
}
END_TEST

START_TEST(a_call_that_is_never_whole_closes) {
        struct peer p = dial();
        say_bytes(&p, "{", 1);
        settle();
        int64_t until_us = control->clients->partial_bt_us, now_us = clock_now().bt_us;
        ck_assert_int_gt(until_us, now_us + CONTROL_CALL_TIME_US - USEC_PER_SEC);
        ck_assert_int_le(until_us, now_us + CONTROL_CALL_TIME_US);
        ck_assert_int_le(control_next_wake(control), until_us);
        say_bytes(&p, "\"", 1); /* a byte more gives no time more */
        settle();
        ck_assert_int_eq(control->clients->partial_bt_us, until_us);
        ck_assert_int_eq(control_advance(control, (struct clock_sample){.bt_us = until_us}), 0);
        ck_assert(is_closed(&p));
        hang_up(&p);
}
END_TEST

START_TEST(an_idle_connection_stays) {
        struct peer p = dial();
        says(ask(&p, "GetStatus", "{}"), "version");
        settle();
        ck_assert_int_eq(control->clients->partial_bt_us, INT64_MAX);
        control->wake_bt_us = 0;
        ck_assert_int_eq(control_advance(control, (struct clock_sample){.bt_us = INT64_MAX - 1}), 0);
        says(ask(&p, "GetStatus", "{}"), "version");
        hang_up(&p);
}
END_TEST

START_TEST(who_reads_no_reply_is_not_read) {
        static const char call[] =
                "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"io.chimed\"}}";
        struct peer p = dial();
        int n_sent = 0, n_heard = 0;
        for (;;) { /* until our own socket is full: nobody takes more */
                ssize_t n = send(p.fd, call, sizeof(call), MSG_NOSIGNAL);
                if (n < 0)
                        break;
                ck_assert_int_eq(n, sizeof(call));
                n_sent++;
                if (n_sent % 50 == 0)
                        for (int i = 0; i < 10; i++)
                                pass();
        }
        ck_assert_uint_le(control->bytes, 4 * CONTROL_OUT_MARK);
        while (hear(&p))
                n_heard++;
        ck_assert_int_eq(n_heard, n_sent);
        hang_up(&p);
}
END_TEST

START_TEST(the_bytes_of_a_user_are_bounded) {
        static char begun[60000];
        struct peer peers[50];
        memset(begun, ' ', sizeof(begun));
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
                peers[i] = dial();
                become(5);
                (void)send(peers[i].fd, begun, sizeof(begun), MSG_NOSIGNAL);
                settle();
                ck_assert_uint_le(control->bytes, CONTROL_BUFFERS_UID);
        }
        ck_assert_uint_gt(control->n_clients, 20);
        ck_assert_uint_lt(control->n_clients, 40);
        struct peer root = dial(); /* who may do everything is not held to it */
        says(ask(&root, "GetStatus", "{}"), "version");
        hang_up(&root);
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                hang_up(&peers[i]);
}
END_TEST

START_TEST(calls_are_done_at_the_end_of_a_pass) {
        struct peer p = dial();
        say(&p, "GetStatus", "{}");
        for (int i = 0; i < 3; i++)
                ck_assert_int_ge(loop_run_once(loop, 0), 0);
        ck_assert_uint_eq(control_client_waiting(control->clients), 0);
        ck_assert_int_eq(control_flush(control), 0);
        says(hear(&p), "version");
        hang_up(&p);
}
END_TEST

/* Forty peers send as much as they can, of one user or each of its own; one more asks once. */
START_TEST(who_asks_little_does_not_wait_for_who_asks_much) {
        static const char call[] = "{\"method\":\"io.chimed.Why\",\"parameters\":{\"job\":\"job\"},\"oneway\":true}";
        struct peer peers[40], p;
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
                peers[i] = dial();
                become(5 + (uid_t)(_i * i));
        }
        p = dial();
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                for (int k = 0; k < 500; k++)
                        (void)send(peers[i].fd, call, sizeof(call), MSG_NOSIGNAL);
        say(&p, "GetStatus", "{}");
        int n = 0;
        for (bool is_answered = false; !is_answered; n++) {
                pass();
                fill(&p);
                is_answered = p.size > 0;
        }
        /* one user has a turn before it, or forty have: each at least one call, or as many as a pass has time for */
        ck_assert_int_le(n, _i ? 2 + (int)ARRAY_SIZE(peers) : 3);
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                hang_up(&peers[i]);
        hang_up(&p);
}
END_TEST

START_TEST(named_rows_are_kept_in_order) {
        uint32_t list[] = {9, 3, 7, 3, 9, 1}, at = 2;
        struct control_rows rows = {.is_some = true, .list = list, .n = ARRAY_SIZE(list)}, all = {0};
        control_rows_sort(&rows);
        ck_assert_uint_eq(rows.n, 4);
        ck_assert(control_rows_has(&rows, 1) && control_rows_has(&rows, 9) && !control_rows_has(&rows, 2));
        ck_assert(control_rows_has(&all, 2));
        control_rows_forget(&rows, 1, &at);
        ck_assert_uint_eq(at, 1);
        control_rows_forget(&rows, 9, &at);
        control_rows_forget(&rows, 2, &at);
        ck_assert_uint_eq(at, 1);
        ck_assert_uint_eq(rows.n, 2);
        ck_assert(rows.list[0] == 3 && rows.list[1] == 7);
}
END_TEST

START_TEST(a_flood_of_denied_calls_is_told_in_a_few_lines) {
        struct peer p = dial();
        char buf[4096];
        int n = 0;
        become(5);
        for (int i = 0; i < 200; i++)
                says(ask(&p, "Reload", "{}"), "PermissionDenied");
        while (recv(journald, buf, sizeof(buf), 0) > 0)
                n++;
        ck_assert_int_gt(n, 0);
        ck_assert_int_lt(n, 40);
        hang_up(&p);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("control");
        TCase *tc = tcase_create("control");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, odd_input_is_answered_as_the_reference_server_does, 0, ARRAY_SIZE(odd));
        tcase_add_test(tc, two_calls_in_one_write_are_answered_in_order);
        tcase_add_test(tc, a_call_may_come_byte_by_byte);
        tcase_add_test(tc, oneway_is_done_without_reply);
        tcase_add_test(tc, what_was_sent_before_the_end_is_done);
        tcase_add_test(tc, nothing_is_looked_up_for_who_has_gone);
        tcase_add_test(tc, the_service_describes_itself);
        tcase_add_test(tc, calls_are_answered);
        tcase_add_test(tc, a_group_stands_for_its_members);
        tcase_add_test(tc, what_waits_for_a_place_is_behind_no_run);
        tcase_add_test(tc, who_may_not_is_told_who_may);
        tcase_add_test(tc, a_reason_is_bounded);
        tcase_add_test(tc, every_member_of_the_interface_is_in_the_reply);
        tcase_add_loop_test(tc, lists_come_in_pages, 0, 2);
        tcase_add_test(tc, with_more_all_pages_come);
        tcase_add_loop_test(tc, a_call_needs_its_right, 0, ARRAY_SIZE(needs));
        tcase_add_test(tc, values_and_commands_are_for_those_in_control);
        tcase_add_test(tc, a_user_has_so_many_connections);
        tcase_add_test(tc, a_user_has_so_many_calls_that_wait);
        tcase_add_test(tc, a_call_over_the_bound_closes);
        tcase_add_test(tc, a_call_of_the_largest_size_is_served);
        tcase_add_test(tc, a_call_that_is_never_whole_closes);
        tcase_add_test(tc, an_idle_connection_stays);
        tcase_add_test(tc, who_reads_no_reply_is_not_read);
        tcase_add_test(tc, the_bytes_of_a_user_are_bounded);
        tcase_add_test(tc, calls_are_done_at_the_end_of_a_pass);
        tcase_add_loop_test(tc, who_asks_little_does_not_wait_for_who_asks_much, 0, 2);
        tcase_add_test(tc, a_flood_of_denied_calls_is_told_in_a_few_lines);
        tcase_add_test(tc, after_the_runner_is_gone_nothing_is_ready);
        suite_add_tcase(suite, tc);
        tc = tcase_create("not ready");
        tcase_add_checked_fixture(tc, setup_without_jobs, teardown);
        tcase_add_test(tc, before_the_first_commit_nothing_is_ready);
        suite_add_tcase(suite, tc);
        tc = tcase_create("pure");
        tcase_add_loop_test(tc, a_job_gives_rights_to_whom_it_names, 0, ARRAY_SIZE(rights));
        tcase_add_test(tc, some_may_do_everything);
        tcase_add_test(tc, the_last_connections_are_root_s);
        tcase_add_test(tc, named_rows_are_kept_in_order);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
