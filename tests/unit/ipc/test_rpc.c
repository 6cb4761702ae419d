#include "support/check.h"

#include "ipc/methods.h"
#include "ipc/rpc.h"

#include <stdlib.h>
#include <sys/socket.h>

static void parse__what_is_no_object__is_malformed(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        " ",
        "garbage",
        "GET / HTTP/1.1",
        "[]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}]",
        "1",
        "\"text\"",
        "null",
        "{",
        "{\"a\":1",
        "{\"a\":1}x",
        "{\"a\":1}{\"a\":1}",
        "{'a':1}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xc0\x80\"}",
        "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":01}",
        "{\"a\":1e999}",
        "{\"a\":99999999999999999999}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":NaN}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"hello\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"say\",\"params\":{\"name\":\"a\",\"name\":\"b\"}}",
        "{\"a\":[[[[[[[[[]]]]]]]]]}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct psst_rpc rpc;
        enum psst_err err = psst_rpc_parse(&rpc, psst_view_str(lines[i]));
        if (err != PSST_ERR_MALFORMED) print_error("not malformed: %s\n", lines[i]);
        assert_err(PSST_ERR_MALFORMED, err);
        assert_null(rpc.root);
    }
}

static void parse__a_nest_of_a_megabyte__costs_nothing(void **state)
{
    (void)state;
    char *deep = malloc(PSST_LINE_MAX);
    struct psst_rpc rpc;
    assert_non_null(deep);
    memset(deep, '[', PSST_LINE_MAX);
    assert_err(PSST_ERR_MALFORMED, psst_rpc_parse(&rpc, psst_view(deep, PSST_LINE_MAX)));
    free(deep);
}

static void parse__brackets_in_strings__are_no_depth(void **state)
{
    (void)state;
    struct psst_rpc rpc;
    const char *line =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"say\",\"params\":{\"text\":\"[[[[[[[[[[{{{\\\"[[[[\"}}";
    assert_ok(psst_rpc_parse(&rpc, psst_view_str(line)));
    assert_string_equal("[[[[[[[[[[{{{\"[[[[", json_string_value(json_object_get(rpc.params, "text")));
    psst_rpc_fini(&rpc);
}

static void parse__no_request__is_refused_with_its_id(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int id; /* 0: none can be told */
    } cases[] = {
        {"{}", 0},
        {"{\"id\":7,\"method\":\"hello\"}", 7},
        {"{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"hello\"}", 7},
        {"{\"jsonrpc\":2.0,\"id\":7,\"method\":\"hello\"}", 7},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":1}", 7},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"hello\",\"params\":[1]}", 7},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"hello\",\"params\":null}", 7},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"hello\"}", 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"hello\"}", 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"hello\"}", 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":7}", 7},
        {"{\"jsonrpc\":\"2.0\",\"result\":{}}", 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{}}", 7},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":\"bad\"}", 7},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"0123456789012345678901234567890123456789012345678901234567890123456789\","
         "\"method\":\"hello\"}",
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_rpc rpc;
        enum psst_err err = psst_rpc_parse(&rpc, psst_view_str(cases[i].line));
        if (err != PSST_ERR_PROTOCOL) print_error("not refused: %s\n", cases[i].line);
        assert_err(PSST_ERR_PROTOCOL, err);
        assert_int_equal(cases[i].id, json_integer_value(rpc.id));
        psst_rpc_fini(&rpc);
    }
}

/* What one side writes, the other one reads as the same. */
static void parse_own(json_t *object, struct psst_rpc *rpc)
{
    struct psst_buf line;
    psst_buf_init(&line, PSST_LINE_MAX);
    assert_non_null(object);
    assert_ok(psst_rpc_dump(object, &line));
    json_decref(object);
    assert_null(memchr(line.data, '\n', line.len));
    assert_ok(psst_rpc_parse(rpc, psst_buf_view(&line)));
    psst_buf_fini(&line);
}

static void round_trip__each_kind__is_what_it_was(void **state)
{
    (void)state;
    struct psst_rpc rpc;
    parse_own(psst_rpc_request(42, "say", json_pack("{s:s}", "text", "line\nfeed \x1b[31m \xc2\x9b")), &rpc);
    assert_int_equal(PSST_RPC_REQUEST, rpc.kind);
    assert_string_equal("say", rpc.method);
    assert_int_equal(42, json_integer_value(rpc.id));
    assert_string_equal("line\nfeed \x1b[31m \xc2\x9b", json_string_value(json_object_get(rpc.params, "text")));
    psst_rpc_fini(&rpc);
    parse_own(psst_rpc_event("session", NULL), &rpc);
    assert_int_equal(PSST_RPC_EVENT, rpc.kind);
    assert_null(rpc.id);
    psst_rpc_fini(&rpc);
    json_t *id = json_string("seven");
    parse_own(psst_rpc_result(id, NULL), &rpc);
    assert_int_equal(PSST_RPC_RESULT, rpc.kind);
    assert_string_equal("seven", json_string_value(rpc.id));
    assert_true(json_is_object(rpc.result));
    psst_rpc_fini(&rpc);
    parse_own(psst_rpc_error(id, 1004, PSST_EXIT_NO_CONTACT, "no-contact", "no \x1b such\xff contact"), &rpc);
    assert_int_equal(PSST_RPC_ERROR, rpc.kind);
    assert_int_equal(PSST_EXIT_NO_CONTACT, rpc.exit_code);
    assert_string_equal("no-contact", rpc.name);
    assert_string_equal("no \xe2\x90\x9b such\xef\xbf\xbd contact", rpc.message);
    psst_rpc_fini(&rpc);
    json_decref(id);
}

static void error__without_data__gets_defaults(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32700,\"message\":\"no\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no\",\"data\":{\"exit\":0}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no\",\"data\":{\"exit\":99}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"no\",\"data\":7}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct psst_rpc rpc;
        assert_ok(psst_rpc_parse(&rpc, psst_view_str(lines[i])));
        assert_int_equal(PSST_EXIT_FAILED, rpc.exit_code);
        assert_string_equal("failed", rpc.name);
        psst_rpc_fini(&rpc);
    }
}

/* A name that is no UTF-8 is asked for as well as it can be, never left out: without `name` a request may mean everybody. */
static void name__no_utf8__is_replaced(void **state)
{
    (void)state;
    json_t *exact = psst_rpc_name("Zo\xc3\xab\n"), *replaced = psst_rpc_name("Bob\xff");
    assert_string_equal("Zo\xc3\xab\n", json_string_value(json_object_get(exact, "name")));
    const char *name = json_string_value(json_object_get(replaced, "name"));
    assert_non_null(name);
    assert_int_equal(0, strncmp(name, "Bob", 3));
    assert_null(strchr(name, 0xff));
    json_decref(exact);
    json_decref(replaced);
}

static void put__an_object_over_a_line__is_too_long(void **state)
{
    (void)state;
    int fds[2];
    struct psst_lines lines;
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    psst_lines_init(&lines, fds[0]);
    char *text = malloc(PSST_LINE_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', PSST_LINE_MAX);
    text[PSST_LINE_MAX] = '\0';
    json_t *params = json_pack("{s:s}", "text", text);
    assert_err(PSST_ERR_TOO_LONG, psst_rpc_put(&lines, psst_rpc_event("message", params), NULL, 0));
    assert_int_equal(0, psst_lines_waiting(&lines));
    free(text);
    psst_lines_fini(&lines);
    psst_fds_close(&fds[1], 1);
}

static void methods__each__is_found_and_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PSST_METHOD_COUNT; i++) {
        assert_non_null(psst_methods[i].name);
        assert_int_equal(i, psst_method_find(psst_methods[i].name));
        assert_true(psst_methods[i].max_fds <= PSST_LINE_FDS);
    }
    assert_int_equal(PSST_METHOD_COUNT, psst_method_find("contact"));
    assert_int_equal(PSST_METHOD_COUNT, psst_method_find(""));
    for (unsigned i = 0; i < PSST_IPC_EVENTS; i++) assert_int_equal(i, psst_ipc_event_find(psst_ipc_event_names[i]));
    assert_int_equal(PSST_IPC_EVENTS, psst_ipc_event_find("init.progress"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__what_is_no_object__is_malformed),
        cmocka_unit_test(parse__a_nest_of_a_megabyte__costs_nothing),
        cmocka_unit_test(parse__brackets_in_strings__are_no_depth),
        cmocka_unit_test(parse__no_request__is_refused_with_its_id),
        cmocka_unit_test(round_trip__each_kind__is_what_it_was),
        cmocka_unit_test(error__without_data__gets_defaults),
        cmocka_unit_test(name__no_utf8__is_replaced),
        cmocka_unit_test(put__an_object_over_a_line__is_too_long),
        cmocka_unit_test(methods__each__is_found_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
