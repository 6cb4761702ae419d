/* The client against a psstd that the test plays itself, at the other end of a socket pair. */
#include "support/check.h"

#include "client/client.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

struct scene {
    struct psst_client *client;
    struct psst_lines psstd;
    int answers, failures, events;
    char last[64];
};

static void open_scene(struct scene *s)
{
    int fds[2];
    *s = (struct scene){0};
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    assert_ok(psst_client_over(&s->client, fds[0]));
    psst_lines_init(&s->psstd, fds[1]);
}

static void close_scene(struct scene *s)
{
    psst_client_close(s->client);
    psst_lines_fini(&s->psstd);
}

static void say(struct scene *s, const char *line)
{
    assert_ok(psst_lines_put(&s->psstd, psst_view_str(line), NULL, 0));
    assert_ok(psst_lines_flush(&s->psstd));
}

static void read_request(struct scene *s, struct psst_rpc *rpc)
{
    struct psst_view line;
    while (psst_lines_next(&s->psstd, &line) == PSST_ERR_AGAIN) assert_ok(psst_lines_read(&s->psstd));
    assert_ok(psst_rpc_parse(rpc, line));
}

static void on_answer(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct scene *s = ctx;
    if (result != NULL) {
        s->answers++;
        (void)snprintf(s->last, sizeof s->last, "%s", json_string_value(json_object_get(result, "is")));
    } else {
        s->failures++;
        (void)snprintf(s->last, sizeof s->last, "%.60s", failure->name);
    }
}

static void on_event(void *ctx, const char *event, json_t *params)
{
    struct scene *s = ctx;
    s->events++;
    (void)snprintf(s->last, sizeof s->last, "%s %s", event, json_string_value(json_object_get(params, "contact")));
}

static void call__answered__gives_the_result_and_events_on_the_way(void **state)
{
    (void)state;
    struct scene s;
    struct psst_failure failure;
    struct psst_rpc rpc;
    open_scene(&s);
    psst_client_on_event(s.client, on_event, &s);
    say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"session\",\"params\":{\"contact\":\"bob\"}}");
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{\"is\":\"for nobody\"}}");
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"is\":\"here\"}}");
    json_t *result = psst_client_call(s.client, "status", NULL, NULL, 0, 5000, &failure);
    assert_string_equal("here", json_string_value(json_object_get(result, "is")));
    json_decref(result);
    assert_int_equal(1, s.events);
    assert_string_equal("session bob", s.last);
    read_request(&s, &rpc);
    assert_int_equal(PSST_RPC_REQUEST, rpc.kind);
    assert_string_equal("status", rpc.method);
    assert_true(json_is_object(rpc.params));
    psst_rpc_fini(&rpc);
    close_scene(&s);
}

static void call__error__tells_exit_code_and_words(void **state)
{
    (void)state;
    struct scene s;
    struct psst_failure failure;
    open_scene(&s);
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1004,\"message\":\"no such contact\","
            "\"data\":{\"exit\":4,\"name\":\"no-contact\"}}}");
    assert_null(psst_client_call(s.client, "dial", NULL, NULL, 0, 5000, &failure));
    assert_int_equal(PSST_EXIT_NO_CONTACT, failure.exit_code);
    assert_string_equal("no-contact", failure.name);
    assert_string_equal("no such contact", failure.words);
    close_scene(&s);
}

static void call__no_answer__ends_and_a_late_one_is_ignored(void **state)
{
    (void)state;
    struct scene s;
    struct psst_failure failure;
    open_scene(&s);
    assert_null(psst_client_call(s.client, "dial", NULL, NULL, 0, 1, &failure));
    assert_string_equal("no-answer", failure.name);
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"is\":\"late\"}}");
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"is\":\"in time\"}}");
    json_t *result = psst_client_call(s.client, "dial", NULL, NULL, 0, 5000, &failure);
    assert_string_equal("in time", json_string_value(json_object_get(result, "is")));
    json_decref(result);
    close_scene(&s);
}

static void call__psstd_dies__is_told(void **state)
{
    (void)state;
    struct scene s;
    struct psst_failure failure;
    open_scene(&s);
    psst_lines_fini(&s.psstd);
    assert_null(psst_client_call(s.client, "dial", NULL, NULL, 0, 5000, &failure));
    assert_int_equal(PSST_EXIT_LOCKED, failure.exit_code);
    assert_null(psst_client_call(s.client, "dial", NULL, NULL, 0, 5000, &failure));
    close_scene(&s);
}

static void call__garbage_from_psstd__is_the_end_of_it(void **state)
{
    (void)state;
    static const char *const lines[] = {"garbage", "[]", "{}", "{\"jsonrpc\":\"2.0\",\"id\":1}"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct scene s;
        struct psst_failure failure;
        open_scene(&s);
        say(&s, lines[i]);
        assert_null(psst_client_call(s.client, "status", NULL, NULL, 0, 5000, &failure));
        assert_int_equal(PSST_EXIT_LOCKED, failure.exit_code);
        close_scene(&s);
    }
}

static void requests__several__are_answered_in_any_order(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    for (int i = 0; i < 3; i++) assert_ok(psst_client_request(s.client, "dial", NULL, NULL, 0, on_answer, &s));
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"is\":\"third\"}}");
    assert_ok(psst_client_turn(s.client));
    assert_string_equal("third", s.last);
    say(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"m\",\"data\":{\"name\":\"first\"}}}");
    assert_ok(psst_client_turn(s.client));
    assert_string_equal("first", s.last);
    assert_int_equal(1, s.answers);
    assert_int_equal(1, s.failures);
    psst_lines_fini(&s.psstd);
    assert_err(PSST_ERR_IO, psst_client_turn(s.client));
    assert_int_equal(2, s.failures); /* the second, which nobody answers any more */
    assert_err(PSST_ERR_IO, psst_client_request(s.client, "dial", NULL, NULL, 0, on_answer, &s));
    assert_int_equal(2, s.failures);
    close_scene(&s);
}

static void request__descriptors__are_counted_and_ride_along(void **state)
{
    (void)state;
    struct scene s;
    struct psst_rpc rpc;
    int fds[2], got[2];
    char letter;
    open_scene(&s);
    for (int i = 0; i < 2; i++) {
        int ends[2];
        assert_int_equal(0, pipe2(ends, O_CLOEXEC));
        assert_int_equal(1, write(ends[1], i == 0 ? "a" : "b", 1));
        (void)close(ends[1]);
        fds[i] = ends[0];
    }
    assert_ok(psst_client_request(s.client, "passwd", json_pack("{s:b}", "old", 1), fds, 2, on_answer, &s));
    read_request(&s, &rpc);
    assert_int_equal(2, json_integer_value(json_object_get(rpc.params, "fds")));
    assert_true(json_is_true(json_object_get(rpc.params, "old")));
    assert_ok(psst_lines_take_fds(&s.psstd, got, 2));
    assert_int_equal(1, read(got[0], &letter, 1));
    assert_int_equal('a', letter);
    assert_int_equal(1, read(got[1], &letter, 1));
    assert_int_equal('b', letter);
    psst_fds_close(got, 2);
    psst_rpc_fini(&rpc);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call__answered__gives_the_result_and_events_on_the_way),
        cmocka_unit_test(call__error__tells_exit_code_and_words),
        cmocka_unit_test(call__no_answer__ends_and_a_late_one_is_ignored),
        cmocka_unit_test(call__psstd_dies__is_told),
        cmocka_unit_test(call__garbage_from_psstd__is_the_end_of_it),
        cmocka_unit_test(requests__several__are_answered_in_any_order),
        cmocka_unit_test(request__descriptors__are_counted_and_ride_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
