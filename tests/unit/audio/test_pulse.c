/* Against a PulseAudio of the test's own, with null sinks: which microphone has its echo cancelled, another device in the
 * middle of a call, and what the sound server says about delays. */
#include "support/check.h"

#include "audio/audio.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_FRAMES 750 /* 15 s: guards against hanging, and nothing else */

static char runtime[] = "/tmp/psst-sound-XXXXXX";
static pid_t server = -1;

static bool is_there(void)
{
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/pulse/native", runtime);
    return stat(path, &st) == 0;
}

static int begin(void **state)
{
    (void)state;
    if (system("command -v pulseaudio >/dev/null 2>&1") != 0) return 0;
    if (mkdtemp(runtime) == NULL) return -1;
    (void)unsetenv("PULSE_SERVER");
    if (setenv("XDG_RUNTIME_DIR", runtime, 1) != 0 || setenv("HOME", runtime, 1) != 0) return -1;
    server = fork();
    if (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when this test is aborted */
        const int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; fd++) (void)dup2(null, fd);
        (void)execlp("pulseaudio", "pulseaudio", "--daemonize=no", "-n", "--exit-idle-time=-1", "--log-level=error",
                     "-L", "module-null-sink sink_name=spk rate=48000 channels=1 norewinds=1", "-L",
                     "module-null-sink sink_name=mic rate=48000 channels=1 norewinds=1", "-L",
                     "module-echo-cancel source_name=clever source_master=mic.monitor sink_name=clever_spk "
                     "sink_master=spk aec_method=speex",
                     "-L", "module-native-protocol-unix", (char *)NULL);
        _exit(127);
    }
    const struct timespec pause = {.tv_nsec = 20000000};
    for (int i = 0; i < 500 && !is_there(); i++) (void)nanosleep(&pause, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (server < 0) return 0;
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", runtime);
    return system(command) == 0 ? 0 : -1;
}

struct seen {
    struct psst_audio_loop *loop;
    struct psst_audio *audio;
    unsigned captured, played, pieces, news, until_captured;
    bool in_pieces;
    bool works[2];
    char words[2][200];
};

static void on_capture(void *ctx, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    (void)pcm, (void)now_ns;
    struct seen *seen = ctx;
    if (++seen->captured >= seen->until_captured) psst_audio_loop_quit(seen->loop);
}

static void on_playback(void *ctx, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    (void)pcm, (void)now_ns;
    ((struct seen *)ctx)->played++;
}

static void on_piece(void *ctx, int16_t *pcm, size_t samples, uint64_t now_ns)
{
    struct seen *seen = ctx;
    memset(pcm, 1, samples * sizeof *pcm);
    (void)now_ns;
    if (samples == PSST_AUDIO_PIECE_SAMPLES) seen->pieces++;
    if (samples == PSST_AUDIO_FRAME_SAMPLES) seen->played++;
}

static void on_state(void *ctx, enum psst_audio_end which, bool works, const char *words)
{
    struct seen *seen = ctx;
    seen->news++;
    seen->works[which] = works;
    (void)snprintf(seen->words[which], sizeof seen->words[which], "%s", words);
}

static void frames(struct seen *seen, unsigned n)
{
    seen->until_captured = seen->captured + n;
    psst_audio_loop_run(seen->loop);
}

static void until_works(struct seen *seen, const char *microphone)
{
    for (unsigned i = 0; i < PATIENCE_FRAMES; i++) {
        if (seen->works[0] && seen->works[1] && strstr(seen->words[0], microphone) != NULL) return;
        frames(seen, 1);
    }
    fail_msg("microphone: %s; speaker: %s", seen->words[0], seen->words[1]);
}

static void open_devices(struct seen *seen, const char *microphone, const char *speaker)
{
    if (server < 0) skip();
    struct psst_audio_config config = {.ends = {{.kind = PSST_AUDIO_PULSE}, {.kind = PSST_AUDIO_PULSE}},
                                       .on_capture = on_capture,
                                       .on_playback = on_playback,
                                       .on_piece = seen->in_pieces ? on_piece : NULL,
                                       .on_state = on_state,
                                       .ctx = seen};
    (void)snprintf(config.ends[0].device, sizeof config.ends[0].device, "%s", microphone);
    (void)snprintf(config.ends[1].device, sizeof config.ends[1].device, "%s", speaker);
    assert_ok(psst_audio_loop_new(&seen->loop));
    assert_ok(psst_audio_new(&seen->audio, seen->loop, &config, NULL));
}

static void close_devices(struct seen *seen)
{
    psst_audio_free(seen->audio);
    psst_audio_loop_free(seen->loop);
}

static void pulse__knows__whose_echo_is_cancelled(void **state)
{
    (void)state;
    static const struct {
        const char *microphone;
        bool cancels;
    } cases[] = {{"mic.monitor", false}, {"clever", true}, {"clever_spk.monitor", false}};
    for (size_t i = 0; i < 3; i++) {
        struct seen seen = {0};
        open_devices(&seen, cases[i].microphone, "clever_spk");
        assert_false(psst_audio_cancels_echo(seen.audio));
        until_works(&seen, "Null Output");
        assert_int_equal(cases[i].cancels, psst_audio_cancels_echo(seen.audio));
        close_devices(&seen);
    }
}

static void pulse__takes_the_default__when_what_was_chosen_is_not_there(void **state)
{
    (void)state;
    struct seen seen = {0};
    char name[256];
    memset(name, 'x', 255);
    name[255] = '\0';
    open_devices(&seen, name, "spk");
    until_works(&seen, "because the one that was chosen is not there");
    const unsigned played = seen.played;
    frames(&seen, 10);
    assert_true(seen.played > played);
    assert_true(psst_audio_delay_ms(seen.audio, PSST_AUDIO_SPEAKER) < 500);
    close_devices(&seen);
}

static void pulse__asks_for_pieces__once_the_device_runs(void **state)
{
    (void)state;
    struct seen seen = {.in_pieces = true};
    open_devices(&seen, "mic.monitor", "spk");
    until_works(&seen, "Null Output");
    for (unsigned i = 0; i < PATIENCE_FRAMES && seen.pieces < 40; i++) frames(&seen, 1);
    assert_true(seen.pieces >= 40);
    close_devices(&seen);
}

static void on_listed(void *ctx, const struct psst_audio_device *devices, size_t n, const char *words)
{
    struct seen *seen = ctx;
    unsigned microphones = 0, monitors = 0, speakers = 0;
    for (size_t i = 0; i < n; i++) {
        microphones += devices[i].end == PSST_AUDIO_MICROPHONE && !devices[i].is_monitor;
        monitors += devices[i].end == PSST_AUDIO_MICROPHONE && devices[i].is_monitor;
        speakers += devices[i].end == PSST_AUDIO_SPEAKER;
        assert_true(devices[i].name[0] != '\0' && devices[i].description[0] != '\0');
    }
    assert_string_equal("", words);
    assert_int_equal(1, microphones);
    assert_int_equal(3, monitors);
    assert_int_equal(3, speakers);
    psst_audio_loop_quit(seen->loop);
}

static void list__has__all_devices(void **state)
{
    (void)state;
    if (server < 0) skip();
    struct seen seen = {0};
    assert_ok(psst_audio_loop_new(&seen.loop));
    assert_ok(psst_audio_list(seen.loop, on_listed, &seen));
    psst_audio_loop_run(seen.loop);
    psst_audio_loop_free(seen.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pulse__knows__whose_echo_is_cancelled),
        cmocka_unit_test(pulse__takes_the_default__when_what_was_chosen_is_not_there),
        cmocka_unit_test(pulse__asks_for_pieces__once_the_device_runs),
        cmocka_unit_test(list__has__all_devices),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
