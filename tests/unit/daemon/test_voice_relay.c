/* The way from psst-voice to the sound server: where it is, what may be said there, and that nothing else goes through. */
#include "support/check.h"

#include "daemon/voice/filter.h"
#include "daemon/voice/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD_MODULE 51
#define SUBSCRIBE   35
#define AUTH        8
#define AUTH_LEN    (20 + VOICE_COOKIE_LEN)

static void put_u32(uint8_t *at, uint32_t value)
{
    psst_store_u32(at, value);
}

/* A packet; its length, head included. */
static size_t packet(uint8_t *out, uint32_t channel, uint32_t flags, const uint8_t *body, uint32_t len)
{
    memset(out, 0, VOICE_FILTER_HEAD);
    put_u32(out, len);
    put_u32(out + 4, channel);
    put_u32(out + 16, flags);
    memcpy(out + VOICE_FILTER_HEAD, body, len);
    return VOICE_FILTER_HEAD + len;
}

static size_t command(uint8_t *out, uint32_t which)
{
    uint8_t body[15] = {'L', 0, 0, 0, 0, 'L', 0, 0, 0, 1, 'L', 0, 0, 0, 9};
    put_u32(body + 1, which);
    return packet(out, UINT32_MAX, 0, body, sizeof body);
}

static size_t auth(uint8_t *out)
{
    uint8_t body[AUTH_LEN] = {'L', 0, 0, 0, AUTH, 'L', 0, 0, 0, 0, 'L', 0xc0, 0, 0, 35, 'x', 0, 0, 1, 0};
    return packet(out, UINT32_MAX, 0, body, sizeof body);
}

/* In one go, and byte by byte: the same. */
static bool passes(const uint8_t *bytes, size_t len)
{
    static uint8_t copy[4096];
    struct voice_filter whole, pieces;
    bool byte_by_byte = true;
    voice_filter_init(&whole, NULL);
    voice_filter_init(&pieces, NULL);
    memcpy(copy, bytes, len);
    for (size_t i = 0; i < len && byte_by_byte; i++) byte_by_byte = voice_filter_pass(&pieces, &copy[i], 1);
    memcpy(copy, bytes, len);
    bool at_once = voice_filter_pass(&whole, copy, len);
    assert_int_equal(byte_by_byte, at_once);
    return at_once;
}

static void filter__passes__streams_and_looking_at_devices_alone(void **state)
{
    static const uint8_t good[] = {3, 4, 5, 6, 9, 14, 20, 21, 22, 23, 24, 35, 57};
    uint8_t bytes[256];
    (void)state;
    for (uint32_t which = 0; which < 300; which++) {
        bool wanted = memchr(good, (int)which, sizeof good) != NULL && which < 256;
        if (which == AUTH) continue;
        assert_int_equal(wanted, passes(bytes, command(bytes, which)));
    }
    assert_false(passes(bytes, command(bytes, 0x01000003)));
    assert_false(passes(bytes, command(bytes, LOAD_MODULE)));
}

static void filter__refuses__a_command_behind_what_is_good(void **state)
{
    uint8_t bytes[512], sound[64] = {0};
    (void)state;
    size_t n = command(bytes, SUBSCRIBE);
    n += packet(bytes + n, 0, 1, sound, sizeof sound);
    assert_true(passes(bytes, n));
    assert_true(passes(bytes, n + command(bytes + n, SUBSCRIBE)));
    assert_false(passes(bytes, n + command(bytes + n, LOAD_MODULE)));
    put_u32(bytes, 3); /* an end in the middle of a command: what follows is another packet */
    assert_false(passes(bytes, n));
}

static void filter__refuses__shared_memory_and_sizes(void **state)
{
    static const struct {
        uint32_t channel, flags, len;
        bool good;
    } cases[] = {
        {0, 0, 1, true},
        {7, 0xff, 60, true},
        {0, 0x80000000, 16, false},
        {0, 0x40000000, 16, false},
        {0, 0x20000000, 8, false},
        {0, 0x00800000, 8, false},
        {0, 0, 0, false},
        {0, 0, (1u << 20) + 1, false},
        {UINT32_MAX, 1, 15, false},
        {UINT32_MAX, 0, 9, false},
        {UINT32_MAX, 0, 65537, false},
    };
    uint8_t head[VOICE_FILTER_HEAD] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_u32(head, cases[i].len);
        put_u32(head + 4, cases[i].channel);
        put_u32(head + 16, cases[i].flags);
        assert_int_equal(cases[i].good, passes(head, sizeof head));
    }
}

static void filter__writes__cookie_and_version__into_auth(void **state)
{
    uint8_t bytes[512], cookie[VOICE_COOKIE_LEN];
    struct voice_filter f;
    (void)state;
    memset(cookie, 'c', sizeof cookie);
    size_t n = auth(bytes);
    voice_filter_init(&f, cookie);
    for (size_t i = 0; i < n; i++) assert_true(voice_filter_pass(&f, &bytes[i], 1));
    assert_memory_equal(cookie, bytes + VOICE_FILTER_HEAD + 20, sizeof cookie);
    assert_int_equal(0, bytes[VOICE_FILTER_HEAD + 11]); /* shares no memory */
    assert_int_equal(35, bytes[VOICE_FILTER_HEAD + 14]);
    for (size_t at = VOICE_FILTER_HEAD; at < VOICE_FILTER_HEAD + 20;
         at++) { /* of another form: nobody's cookie lands elsewhere */
        bool value = (at > VOICE_FILTER_HEAD + 5 && at < VOICE_FILTER_HEAD + 10) ||
                     (at > VOICE_FILTER_HEAD + 10 && at < VOICE_FILTER_HEAD + 15);
        n = auth(bytes);
        bytes[at] ^= 0x20;
        assert_int_equal(value, passes(bytes, n));
    }
    n = auth(bytes);
    put_u32(bytes, AUTH_LEN - 1);
    assert_false(passes(bytes, n - 1));
}

/* ---- where the sound server is ---- */

static char home[64];

static int in_a_home(void **state)
{
    static const char *const names[] = {"PULSE_SERVER", "PULSE_RUNTIME_PATH", "PULSE_COOKIE", "XDG_CONFIG_HOME"};
    (void)state;
    (void)snprintf(home, sizeof home, "/tmp/psst-relay-XXXXXX");
    if (mkdtemp(home) == NULL) return -1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) (void)unsetenv(names[i]);
    return setenv("HOME", home, 1) | setenv("XDG_RUNTIME_DIR", home, 1);
}

static int out_of_it(void **state)
{
    static const char *const names[] = {"/.pulse/client.conf", "/.pulse", "/.pulse-cookie",
                                        "/pulse/native",       "/pulse",  ""};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", home, names[i]);
        (void)remove(path);
    }
    return 0;
}

static void make_file(const char *name, const void *bytes, size_t len)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s%s", home, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(len, fwrite(bytes, 1, len, file));
    (void)fclose(file);
}

static void server__is_found__where_libpulse_finds_it(void **state)
{
    static struct voice_server server;
    char path[128];
    (void)state;
    voice_server_find(&server);
    (void)snprintf(path, sizeof path, "%s/pulse/native", home);
    assert_string_equal(path, server.places[0].sun_path);
    assert_string_equal("/var/run/pulse/native", server.places[server.n - 1].sun_path);
    assert_false(server.has_cookie);

    (void)snprintf(path, sizeof path, "%s/.pulse", home);
    assert_int_equal(0, mkdir(path, 0700));
    static const char conf[] = "; default-server = unix:/not\n  default-server = {machine}unix:/one tcp:two /three \n";
    make_file("/.pulse/client.conf", conf, sizeof conf - 1);
    uint8_t cookie[VOICE_COOKIE_LEN];
    memset(cookie, 'k', sizeof cookie);
    make_file("/.pulse-cookie", cookie, sizeof cookie);
    voice_server_find(&server);
    assert_int_equal(2, server.n);
    assert_string_equal("/one", server.places[0].sun_path);
    assert_string_equal("/three", server.places[1].sun_path);
    assert_true(server.has_cookie);
    assert_memory_equal(cookie, server.cookie, sizeof cookie);

    make_file("/.pulse-cookie", cookie, sizeof cookie - 1);
    assert_int_equal(0, setenv("PULSE_SERVER", " unix:/here {never /there tcp:/nowhere relative", 1));
    voice_server_find(&server);
    assert_int_equal(2, server.n);
    assert_string_equal("/here", server.places[0].sun_path);
    assert_string_equal("/there", server.places[1].sun_path);
    assert_false(server.has_cookie);
}

static void server__is_not_found__names_without_end(void **state)
{
    static struct voice_server server;
    static char list[4096];
    (void)state;
    memset(list, '/', 1000);
    memcpy(list + 1000, " /a /b /c /d /e /f /g /h /i /j", 31);
    assert_int_equal(0, setenv("PULSE_SERVER", list, 1));
    voice_server_find(&server);
    assert_int_equal(VOICE_SERVER_PLACES, server.n);
    assert_string_equal("/h", server.places[VOICE_SERVER_PLACES - 1].sun_path);
}

/* ---- the relay, with a sound server that only listens ---- */

struct way {
    int listener, line;
    pid_t relay;
};

static void begin(struct way *way)
{
    static struct voice_server server;
    struct sockaddr_un *place = &server.places[0];
    int pair[2];
    *place = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(place->sun_path, sizeof place->sun_path, "%s/pulse", home);
    assert_int_equal(0, mkdir(place->sun_path, 0700));
    (void)snprintf(place->sun_path, sizeof place->sun_path, "%s/pulse/native", home);
    server.n = 1;
    way->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(way->listener, (const struct sockaddr *)place, sizeof *place));
    assert_int_equal(0, listen(way->listener, 8));
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    way->relay = fork();
    assert_true(way->relay >= 0);
    if (way->relay == 0) {
        (void)close(pair[0]);
        (void)close(way->listener);
        voice_relay_run(pair[1], &server);
        _exit(0);
    }
    (void)close(pair[1]);
    way->line = pair[0];
    voice_connect_over(way->line);
}

static void end(struct way *way)
{
    int status;
    voice_connect_over(-1);
    (void)close(way->line);
    (void)close(way->listener);
    assert_int_equal(way->relay, waitpid(way->relay, &status, 0)); /* it ends with its line */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* To wherever: it is the relay's. -1: refused. */
static int reach(void)
{
    const struct sockaddr_un bus = {.sun_family = AF_UNIX, .sun_path = "/run/user/0/bus"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&bus, sizeof bus) == 0) return fd;
    assert_int_equal(ECONNREFUSED, errno);
    (void)close(fd);
    return -1;
}

static size_t hear(int fd, uint8_t *out, size_t len)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(1, poll(&p, 1, 10000));
    ssize_t n = recv(fd, out, len, 0);
    return n < 0 ? 0 : (size_t)n;
}

static void relay__carries__both_ways__but_no_module(void **state)
{
    struct way way;
    uint8_t bytes[512], got[512];
    (void)state;
    begin(&way);
    int ours = reach(), theirs = accept(way.listener, NULL, NULL);
    assert_true(ours >= 0 && theirs >= 0);
    size_t n = command(bytes, SUBSCRIBE);
    assert_int_equal(n, send(ours, bytes, n, MSG_NOSIGNAL));
    assert_int_equal(n, hear(theirs, got, sizeof got));
    assert_memory_equal(bytes, got, n);
    assert_int_equal(5, send(theirs, "hello", 5, MSG_NOSIGNAL));
    assert_int_equal(5, hear(ours, got, sizeof got));
    n = command(bytes, LOAD_MODULE);
    assert_int_equal(n, send(ours, bytes, n, MSG_NOSIGNAL));
    assert_int_equal(0, hear(theirs, got, sizeof got)); /* its end, and not one byte */
    assert_int_equal(0, hear(ours, got, sizeof got));
    (void)close(ours);
    (void)close(theirs);
    end(&way);
}

static void relay__hands_on__no_descriptor(void **state)
{
    struct way way;
    uint8_t bytes[512];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {.iov_base = bytes, .iov_len = command(bytes, SUBSCRIBE)};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    (void)state;
    begin(&way);
    int ours = reach(), theirs = accept(way.listener, NULL, NULL);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &ours, sizeof ours);
    assert_int_equal(iov.iov_len, sendmsg(ours, &msg, MSG_NOSIGNAL));
    msg.msg_controllen = sizeof control.bytes;
    assert_int_equal(iov.iov_len, recvmsg(theirs, &msg, 0));
    assert_null(CMSG_FIRSTHDR(&msg));
    (void)close(ours);
    (void)close(theirs);
    end(&way);
}

static void relay__reaches__the_sound_server_again_and_again__a_few_at_a_time(void **state)
{
    struct way way;
    int ours[VOICE_RELAY_PIPES], theirs[VOICE_RELAY_PIPES];
    uint8_t got[8];
    (void)state;
    begin(&way);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < VOICE_RELAY_PIPES; i++) {
            ours[i] = reach();
            theirs[i] = accept(way.listener, NULL, NULL);
            assert_true(ours[i] >= 0 && theirs[i] >= 0);
        }
        assert_int_equal(-1, reach());
        for (int i = 0; i < VOICE_RELAY_PIPES; i++) { /* either may be the first to go */
            (void)close(i % 2 == 0 ? ours[i] : theirs[i]);
            assert_int_equal(0, hear(i % 2 == 0 ? theirs[i] : ours[i], got, sizeof got));
            (void)close(i % 2 == 0 ? theirs[i] : ours[i]);
        }
    }
    (void)close(way.listener);
    way.listener = -1;
    assert_int_equal(-1, reach()); /* the server is gone */
    end(&way);
    assert_int_equal(-1, reach()); /* and so is the relay */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, in_a_home, out_of_it)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter__passes__streams_and_looking_at_devices_alone),
        cmocka_unit_test(filter__refuses__a_command_behind_what_is_good),
        cmocka_unit_test(filter__refuses__shared_memory_and_sizes),
        cmocka_unit_test(filter__writes__cookie_and_version__into_auth),
        T(server__is_found__where_libpulse_finds_it),
        T(server__is_not_found__names_without_end),
        T(relay__carries__both_ways__but_no_module),
        T(relay__hands_on__no_descriptor),
        T(relay__reaches__the_sound_server_again_and_again__a_few_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
