/* The messages between psstd and psst-voice, and what psst-voice can no longer do once it is in its sandbox. */
#include "support/check.h"

#include "daemon/voice/line.h"
#include "daemon/voice/protocol.h"
#include "daemon/voice/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct psst_voice_settings some_settings = {
    .quality = 10, .sense_dbfs = -100, .volume = 200, .send = true, .echo = true};

static struct psst_voice_message a_start(enum psst_voice_job job)
{
    return (struct psst_voice_message){.op = PSST_VOICE_START,
                                       .start = {.job = job,
                                                 .kinds = {PSST_AUDIO_PULSE, PSST_AUDIO_WAV},
                                                 .devices = {"alsa_input.pci", ""},
                                                 .opus_max = 80,
                                                 .timestamp = 0xfffffff0,
                                                 .limit_s = 60,
                                                 .settings = some_settings}};
}

static size_t write_message(uint8_t *out, const struct psst_voice_message *message)
{
    const size_t len = psst_voice_message_write(out, message);
    assert_true(len > 0);
    return len;
}

/* ---- round trips ---- */

static void protocol__keeps_all_fields__start(void **state)
{
    (void)state;
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    struct psst_voice_message got, said = a_start(PSST_VOICE_RECORD);
    memset(said.start.devices[1], 'x', 255);
    assert_ok(psst_voice_message_read(&got, psst_view(bytes, write_message(bytes, &said))));
    assert_int_equal(PSST_VOICE_START, got.op);
    assert_memory_equal(&said.start, &got.start, sizeof said.start);
    assert_int_equal(2, psst_voice_start_fds(&got.start)); /* a wav, and the Ogg */
}

static void protocol__keeps_all_fields__frame(void **state)
{
    (void)state;
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX], opus[PSST_VOICE_OPUS_MAX];
    memset(opus, 0xa5, sizeof opus);
    const size_t lengths[] = {0, 1, sizeof opus};
    for (size_t i = 0; i < 3; i++) {
        struct psst_voice_message got, said = {.op = PSST_VOICE_FRAME,
                                               .timestamp = 0x12345678,
                                               .time_ns = UINT64_MAX,
                                               .payload = psst_view(opus, lengths[i])};
        assert_ok(psst_voice_message_read(&got, psst_view(bytes, write_message(bytes, &said))));
        assert_int_equal(said.timestamp, got.timestamp);
        assert_true(said.time_ns == got.time_ns);
        assert_bytes(said.payload, got.payload.data, got.payload.len);
    }
    const struct psst_voice_message long_one = {.op = PSST_VOICE_FRAME,
                                                .payload = psst_view(bytes, PSST_VOICE_OPUS_MAX + 1)};
    uint8_t out[PSST_VOICE_MESSAGE_MAX];
    assert_int_equal(0, psst_voice_message_write(out, &long_one));
}

static void protocol__keeps_all_fields__what_psst_voice_says(void **state)
{
    (void)state;
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    struct psst_voice_message got, levels = {.op = PSST_VOICE_LEVELS, .levels = {-20, -100, true, false, 4, true}};
    assert_ok(psst_voice_message_read(&got, psst_view(bytes, write_message(bytes, &levels))));
    assert_memory_equal(&levels.levels, &got.levels, sizeof levels.levels);

    struct psst_voice_message report = {.op = PSST_VOICE_REPORT,
                                        .report = {255, 400, 500, 1, 2, 3, 4, 5, 6, UINT64_MAX, UINT64_MAX - 1}};
    assert_ok(psst_voice_message_read(&got, psst_view(bytes, write_message(bytes, &report))));
    assert_memory_equal(&report.report, &got.report, sizeof report.report);

    struct psst_voice_message listed = {.op = PSST_VOICE_LISTED,
                                        .end = PSST_AUDIO_SPEAKER,
                                        .is_default = true,
                                        .name = "alsa_output",
                                        .words = "Lautsprecher, größer"};
    assert_ok(psst_voice_message_read(&got, psst_view(bytes, write_message(bytes, &listed))));
    assert_int_equal(PSST_AUDIO_SPEAKER, got.end);
    assert_true(got.is_default);
    assert_string_equal(listed.name, got.name);
    assert_string_equal(listed.words, got.words);
}

static void protocol__cleans_words__from_a_device(void **state)
{
    (void)state;
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    struct psst_voice_message got, said = {.op = PSST_VOICE_DEVICE,
                                           .works = true,
                                           .words = "a\x1b[2Jb\xe2\x80\xae"
                                                    "c"};
    const size_t len = write_message(bytes, &said);
    assert_ok(psst_voice_message_read(&got, psst_view(bytes, len)));
    assert_string_equal("a\xe2\x90\x9b[2Jbc", got.words);
    /* and when psst-voice itself has been taken over, what is read is cleaned again */
    const char hostile[] = "\x14\x00\x01\x02\x1b[";
    assert_ok(psst_voice_message_read(&got, psst_view(hostile, sizeof hostile - 1)));
    assert_string_equal("\xe2\x90\x9b[", got.words);
    /* symbols take three bytes each: cut between two */
    memset(said.words, 1, PSST_VOICE_WORDS_MAX);
    said.words[PSST_VOICE_WORDS_MAX] = '\0';
    assert_ok(psst_voice_message_read(&got, psst_view(bytes, write_message(bytes, &said))));
    assert_int_equal(198, strlen(got.words));
}

/* ---- what is refused ---- */

static void protocol__refuses__what_is_cut_or_goes_on(void **state)
{
    (void)state;
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX + 1];
    const enum psst_voice_op ops[] = {PSST_VOICE_START,  PSST_VOICE_SET,    PSST_VOICE_REMOTE, PSST_VOICE_STOP,
                                      PSST_VOICE_READY,  PSST_VOICE_LEVELS, PSST_VOICE_REPORT, PSST_VOICE_DEVICE,
                                      PSST_VOICE_LISTED, PSST_VOICE_DONE};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        struct psst_voice_message got, said = a_start(PSST_VOICE_CALL);
        said.op = ops[i];
        const size_t len = write_message(bytes, &said);
        assert_ok(psst_voice_message_read(&got, psst_view(bytes, len)));
        for (size_t cut = 0; cut < len; cut++)
            assert_err(PSST_ERR_MALFORMED, psst_voice_message_read(&got, psst_view(bytes, cut)));
        bytes[len] = 0;
        assert_err(PSST_ERR_MALFORMED, psst_voice_message_read(&got, psst_view(bytes, len + 1)));
    }
}

static void protocol__refuses__values_out_of_range(void **state)
{
    (void)state;
    /* START: op job kind 14 "alsa_input.pci" kind 0 opus_max(2) timestamp(4) limit(2) quality sense volume flags */
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 0},  {0, 6},  {0, 16},  {0, 23},  {1, 0},  {1, 8},    {2, 4},    {3, 200},  {4, 0x1f}, {4, 0xff},
                 {18, 4}, {20, 4}, {21, 19}, {28, 11}, {29, 1}, {29, 127}, {29, 128}, {29, 155}, {30, 201}, {31, 16}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
        struct psst_voice_message got, said = a_start(PSST_VOICE_CALL);
        const size_t len = write_message(bytes, &said);
        assert_int_equal(32, len);
        if (wrong[i].at == 20) bytes[21] = 0xaa; /* 1,194 */
        if (wrong[i].at == 21) bytes[20] = 0;    /* less than the lowest quality */
        bytes[wrong[i].at] = wrong[i].value;
        if (psst_voice_message_read(&got, psst_view(bytes, len)) != PSST_ERR_MALFORMED)
            fail_msg("byte %zu may be %u", wrong[i].at, wrong[i].value);
    }
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    struct psst_voice_message got, record = a_start(PSST_VOICE_RECORD);
    record.start.kinds[PSST_AUDIO_MICROPHONE] = PSST_AUDIO_WAV; /* three descriptors */
    assert_err(PSST_ERR_MALFORMED, psst_voice_message_read(&got, psst_view(bytes, write_message(bytes, &record))));
    record = a_start(PSST_VOICE_RECORD);
    record.start.limit_s = 0;
    assert_err(PSST_ERR_MALFORMED, psst_voice_message_read(&got, psst_view(bytes, write_message(bytes, &record))));
    const char levels[] = "\x12\x00\x01\x00\x00\x00\x00"; /* 1 dBFS */
    assert_err(PSST_ERR_MALFORMED, psst_voice_message_read(&got, psst_view(levels, 7)));
    const char end[] = "\x14\x02\x00\x00";
    assert_err(PSST_ERR_MALFORMED, psst_voice_message_read(&got, psst_view(end, 4)));
}

/* ---- the line ---- */

static void line__takes_descriptors__with_start_alone(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    static struct voice_received got;
    assert_err(PSST_ERR_AGAIN, voice_line_receive(pair[1], &got));
    const struct psst_voice_message stop = {.op = PSST_VOICE_STOP};
    assert_ok(voice_line_send(pair[0], &stop));
    assert_ok(voice_line_receive(pair[1], &got));
    assert_int_equal(PSST_VOICE_STOP, got.message.op);
    const struct psst_voice_message start = a_start(PSST_VOICE_CALL);
    assert_ok(voice_line_send(pair[0], &start)); /* it names a wav, and brings none */
    assert_err(PSST_ERR_MALFORMED, voice_line_receive(pair[1], &got));
    (void)close(pair[0]);
    assert_err(PSST_ERR_IO, voice_line_receive(pair[1], &got));
    (void)close(pair[1]);
}

static void line__drops__when_nobody_reads(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    const struct psst_voice_message ready = {.op = PSST_VOICE_READY};
    enum psst_err err = PSST_OK;
    for (int i = 0; i < 100000 && err == PSST_OK; i++) err = voice_line_send(pair[0], &ready);
    assert_err(PSST_ERR_FULL, err);
    (void)close(pair[1]);
    assert_err(PSST_ERR_IO, voice_line_send(pair[0], &ready));
    (void)close(pair[0]);
}

/* ---- the sandbox: each attempt in a child of its own ---- */

#ifndef PSST_SANITIZED
enum attempt {
    NOTHING,
    READ_FILE,
    READ_OURS,
    WRITE_FILE,
    MAKE_FILE,
    INTERNET,
    STREAM,
    DATAGRAM,
    REACH_PATH,
    REACH_ABSTRACT,
    NAME_ADDRESS,
    SHARE_MEMORY,
    RUNNABLE,
    EXEC,
    FORK,
    TRACE
};

static char ours[64]; /* a file of the user's */
static struct sockaddr_un path_name = {.sun_family = AF_UNIX}, abstract = {.sun_family = AF_UNIX};

/* By the real connect(): psst-voice has one of its own. */
static int reach(const struct sockaddr_un *there)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return syscall(SYS_connect, fd, there, sizeof *there) != 0 ? errno : 0;
}

/* 0: it could be done; errno of the refusal. */
static int attempt(enum attempt what)
{
    int fd = -1;
    switch (what) {
    case NOTHING: return 0;
    case READ_FILE: fd = open("/dev/null", O_RDONLY | O_CLOEXEC); break;
    case READ_OURS: fd = open(ours, O_RDONLY | O_CLOEXEC); break;
    case WRITE_FILE: fd = open("/dev/null", O_WRONLY | O_CLOEXEC); break;
    case MAKE_FILE: fd = open("/tmp/psst-voice-was-here", O_RDONLY | O_CREAT | O_CLOEXEC, 0600); break;
    case INTERNET: fd = socket(AF_INET, SOCK_DGRAM, 0); break;
    case STREAM: fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); break;
    case DATAGRAM: fd = socket(AF_UNIX, SOCK_DGRAM, 0); break;
    case REACH_PATH: return reach(&path_name);
    case REACH_ABSTRACT: return reach(&abstract);
    case NAME_ADDRESS:
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        return sendto(fd, "x", 1, 0, (const struct sockaddr *)&path_name, sizeof path_name) < 0 ? errno : 0;
    case SHARE_MEMORY: fd = memfd_create("shared", 0); break;
    case RUNNABLE:
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
    case EXEC: return execl("/bin/true", "true", (char *)NULL) != 0 ? errno : 0;
    case FORK: return fork() < 0 ? errno : 0;
    case TRACE: return ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 ? errno : 0;
    }
    return fd < 0 ? errno : 0;
}

static int outcome_in(enum psst_err (*sandbox)(void), enum attempt what)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(sandbox() != PSST_OK ? 255 : attempt(what));
    int status;
    assert_int_equal(pid, waitpid(pid, &status, 0));
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int outcome(enum attempt what)
{
    return outcome_in(psst_voice_sandbox, what);
}

static int outcome_of_relay(enum attempt what)
{
    return outcome_in(psst_voice_relay_sandbox, what);
}

static int listen_at(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(fd, (const struct sockaddr *)name, sizeof *name));
    assert_int_equal(0, listen(fd, 8));
    return fd;
}

static void sandbox__allows__only_what_sound_needs(void **state)
{
    (void)state;
    assert_int_equal(0, outcome(NOTHING));
    assert_int_equal(0, outcome(STREAM)); /* to be replaced by one that is connected */
    assert_int_equal(EACCES, outcome(READ_FILE));
    assert_int_equal(EACCES, outcome(WRITE_FILE));
    assert_int_equal(EACCES, outcome(MAKE_FILE));
    assert_int_equal(EACCES, outcome(INTERNET));
    assert_int_equal(EACCES, outcome(DATAGRAM));
    assert_int_equal(EACCES, outcome(SHARE_MEMORY));
    assert_int_equal(EACCES, outcome(RUNNABLE));
    assert_int_equal(-SIGSYS, outcome(EXEC));
    assert_int_equal(-SIGSYS, outcome(FORK));
    assert_int_equal(-SIGSYS, outcome(TRACE));
}

/* Session bus, agents, psstd's own: whoever takes psst-voice over reaches none of them. */
static void sandbox__reaches__no_socket_of_anybodys(void **state)
{
    (void)state;
    (void)snprintf(path_name.sun_path, sizeof path_name.sun_path, "/tmp/psst-voice-test-%d", (int)getpid());
    (void)snprintf(abstract.sun_path + 1, sizeof abstract.sun_path - 1, "psst-voice-test-%d", (int)getpid());
    int listeners[2] = {listen_at(&path_name), listen_at(&abstract)};
    assert_int_equal(0, attempt(REACH_PATH)); /* there is somebody */
    int path = outcome(REACH_PATH), other = outcome(REACH_ABSTRACT), named = outcome(NAME_ADDRESS);
    int relay = outcome_of_relay(REACH_PATH);
    (void)unlink(path_name.sun_path);
    (void)close(listeners[0]);
    (void)close(listeners[1]);
    assert_int_equal(EACCES, path);
    assert_int_equal(EACCES, other);
    assert_int_equal(EACCES, named);
    assert_int_equal(0, relay);
}

static void relays_sandbox__allows__sockets_alone(void **state)
{
    (void)state;
    assert_int_equal(0, outcome_of_relay(NOTHING));
    assert_int_equal(EACCES, outcome_of_relay(READ_FILE));
    assert_int_equal(EACCES, outcome_of_relay(MAKE_FILE));
    assert_int_equal(EACCES, outcome_of_relay(INTERNET));
    assert_int_equal(EACCES, outcome_of_relay(RUNNABLE));
    assert_int_equal(-SIGSYS, outcome_of_relay(EXEC));
    assert_int_equal(-SIGSYS, outcome_of_relay(TRACE));
}

/* Landlock, as far as this kernel has it: a second wall, should the filter have a hole. */
static void no_files__hides__what_is_not_open(void **state)
{
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) skip();
    (void)snprintf(ours, sizeof ours, "/tmp/psst-voice-ours-XXXXXX");
    int fd = mkstemp(ours);
    assert_true(fd >= 0);
    (void)close(fd);
    int read_ours = outcome_in(psst_voice_no_files, READ_OURS);
    (void)unlink(ours);
    assert_int_equal(EACCES, read_ours);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocol__keeps_all_fields__start),
        cmocka_unit_test(protocol__keeps_all_fields__frame),
        cmocka_unit_test(protocol__keeps_all_fields__what_psst_voice_says),
        cmocka_unit_test(protocol__cleans_words__from_a_device),
        cmocka_unit_test(protocol__refuses__what_is_cut_or_goes_on),
        cmocka_unit_test(protocol__refuses__values_out_of_range),
        cmocka_unit_test(line__takes_descriptors__with_start_alone),
        cmocka_unit_test(line__drops__when_nobody_reads),
#ifndef PSST_SANITIZED
        cmocka_unit_test(sandbox__allows__only_what_sound_needs),
        cmocka_unit_test(sandbox__reaches__no_socket_of_anybodys),
        cmocka_unit_test(relays_sandbox__allows__sockets_alone),
        cmocka_unit_test(no_files__hides__what_is_not_open),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
