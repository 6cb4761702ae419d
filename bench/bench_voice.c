/* The processor that a call takes, both directions of one side: the microphone's frames through echo canceller, noise
 * suppression, gain, gate and Opus; what comes through the jitter buffer and Opus to the speaker. As part of one core, and
 * against the bare sum of what libopus and speexdsp take for the same, called directly. CPU time; medians over interleaved
 * rounds.
 *
 *     bench_voice                                     the rows
 *     bench_voice paced SAID.wav CAME.wav SECONDS     the bare sum for one frame each 20 ms, asleep in between: what a call
 *                                                     with these two voices takes at least; prints percent of a core
 */
#include "common.h"

#include "../tests/unit/media/sound.h"
#include "media/receiver.h"
#include "media/sender.h"

#include <opus.h>
#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#define ROUND      500 /* frames in one measurement: 10 s of a call */
#define WARM       250
#define PIECE      480 /* as src/media/echo.c has it */
#define TAIL       9600
#define COMPLEXITY 5 /* as src/media/codec.c has it */
#define PACED_WARM 150
#define SPEECH     (8 * ROUND)

static int16_t near[SPEECH][SOUND_FRAME], far[SPEECH][SOUND_FRAME]; /* what the microphone hears; what came */

struct ours {
    struct psst_sender *sender;
    struct psst_receiver *receiver;
    uint8_t (*came)[PSST_VOICE_OPUS_MAX]; /* SPEECH payloads of the other side */
    size_t came_len;
    uint64_t frame;
};

struct bare {
    OpusEncoder *enc;
    OpusDecoder *dec;
    SpeexEchoState *echo;
    SpeexPreprocessState *clean;
    uint8_t (*came)[PSST_VOICE_OPUS_MAX];
    size_t came_len;
    uint64_t frame;
};

static void ours(void *ctx)
{
    struct ours *o = ctx;
    size_t i = o->frame % SPEECH, len;
    int16_t out[SOUND_FRAME];
    uint8_t opus[PSST_VOICE_OPUS_MAX];
    uint64_t now_ns = o->frame * PSST_VOICE_FRAME_NS;
    psst_receiver_put(o->receiver, (uint32_t)(o->frame * SOUND_FRAME), psst_view(o->came[i], o->came_len), now_ns);
    psst_receiver_pull(o->receiver, out, SOUND_FRAME, now_ns + PSST_VOICE_FRAME_NS / 2);
    psst_sender_played(o->sender, out, SOUND_FRAME);
    BENCH_CHECK(psst_sender_frame(o->sender, near[i], opus, &len) == PSST_OK && len == o->came_len);
    o->frame++;
}

static void bare(void *ctx)
{
    struct bare *b = ctx;
    size_t i = b->frame++ % SPEECH;
    int16_t out[SOUND_FRAME], cleaned[SOUND_FRAME];
    uint8_t opus[PSST_VOICE_OPUS_MAX];
    BENCH_CHECK(opus_decode(b->dec, b->came[i], (opus_int32)b->came_len, out, SOUND_FRAME, 0) == SOUND_FRAME);
    memcpy(cleaned, near[i], sizeof cleaned);
    for (int at = 0; b->echo != NULL && at < SOUND_FRAME; at += PIECE)
        speex_echo_cancellation(b->echo, near[i] + at, out + at, cleaned + at);
    for (int at = 0; b->clean != NULL && at < SOUND_FRAME; at += PIECE)
        (void)speex_preprocess_run(b->clean, cleaned + at);
    BENCH_CHECK(opus_encode(b->enc, cleaned, SOUND_FRAME, opus, (opus_int32)b->came_len) == (opus_int32)b->came_len);
}

static void bare_init(struct bare *b, size_t bytes, bool echo, bool clean)
{
    int hz = PSST_VOICE_HZ, on = 1, noise = -18;
    *b = (struct bare){.came_len = bytes};
    b->enc = opus_encoder_create(hz, 1, OPUS_APPLICATION_VOIP, NULL);
    b->dec = opus_decoder_create(hz, 1, NULL);
    BENCH_CHECK(b->enc != NULL && b->dec != NULL);
    BENCH_CHECK(opus_encoder_ctl(b->enc, OPUS_SET_VBR(0)) == OPUS_OK);
    BENCH_CHECK(opus_encoder_ctl(b->enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) == OPUS_OK);
    BENCH_CHECK(opus_encoder_ctl(b->enc, OPUS_SET_COMPLEXITY(COMPLEXITY)) == OPUS_OK);
    BENCH_CHECK(opus_encoder_ctl(b->enc, OPUS_SET_BITRATE((opus_int32)bytes * 400)) == OPUS_OK);
    if (echo) {
        b->echo = speex_echo_state_init(PIECE, TAIL);
        BENCH_CHECK(b->echo != NULL && speex_echo_ctl(b->echo, SPEEX_ECHO_SET_SAMPLING_RATE, &hz) == 0);
    }
    if (!echo && !clean) return;
    b->clean = speex_preprocess_state_init(PIECE, hz);
    BENCH_CHECK(b->clean != NULL && speex_preprocess_ctl(b->clean, SPEEX_PREPROCESS_SET_DENOISE, &on) == 0);
    BENCH_CHECK(speex_preprocess_ctl(b->clean, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &noise) == 0);
    if (echo) BENCH_CHECK(speex_preprocess_ctl(b->clean, SPEEX_PREPROCESS_SET_ECHO_STATE, b->echo) == 0);
}

static void bare_fini(struct bare *b)
{
    opus_encoder_destroy(b->enc);
    opus_decoder_destroy(b->dec);
    if (b->clean != NULL) speex_preprocess_state_destroy(b->clean);
    if (b->echo != NULL) speex_echo_state_destroy(b->echo);
}

/* What the other side said, encoded. */
static void encode_far(struct bare *b, uint8_t came[][PSST_VOICE_OPUS_MAX])
{
    const opus_int32 bytes = (opus_int32)b->came_len;
    for (size_t i = 0; i < SPEECH; i++) BENCH_CHECK(opus_encode(b->enc, far[i], SOUND_FRAME, came[i], bytes) == bytes);
    b->came = came;
}

/* Milliseconds of CPU for a frame of 20. */
static double measure(void (*what)(void *), void *ctx, int frames)
{
    double start = bench_cpu_s();
    for (int i = 0; i < frames; i++) what(ctx);
    return (bench_cpu_s() - start) * 1000 / frames;
}

static void bench(const char *name, unsigned quality, bool echo, bool clean, bool goals)
{
    static uint8_t came[SPEECH][PSST_VOICE_OPUS_MAX];
    size_t bytes = psst_voice_opus_bytes(quality);
    struct bare b;
    bare_init(&b, bytes, echo, clean);
    encode_far(&b, came);
    struct psst_sender_settings settings = {.opus_max = bytes,
                                            .quality = quality,
                                            .sense_dbfs = PSST_VOICE_SILENCE_DBFS,
                                            .send = true,
                                            .echo = echo,
                                            .clean = clean};
    struct ours o = {.came = came, .came_len = bytes};
    BENCH_CHECK(psst_sender_new(&o.sender, &settings) == PSST_OK && psst_receiver_new(&o.receiver) == PSST_OK);

    double us[BENCH_PAIRS], them[BENCH_PAIRS], ratio[BENCH_PAIRS];
    (void)measure(ours, &o, WARM);
    (void)measure(bare, &b, WARM);
    for (int i = 0; i < BENCH_PAIRS; i++) {
        us[i] = measure(ours, &o, ROUND);
        them[i] = measure(bare, &b, ROUND);
        ratio[i] = us[i] / them[i];
    }
    double ms = bench_median(us, BENCH_PAIRS), floor_ms = bench_median(them, BENCH_PAIRS);
    double r = bench_median(ratio, BENCH_PAIRS), part = ms / 20 * 100;
    char row[100];
    (void)snprintf(row, sizeof row, "a call's CPU, both directions, %s", name);
    bench_row(row, part, "% core", goals ? "at most 5 % of a core" : NULL, part <= 5, NULL, 0, -1);
    (void)snprintf(row, sizeof row, "a call's CPU against its libraries, %s", name);
    bench_row(row, ms, "ms", goals ? "at most 1.15 times the bare sum" : NULL, r <= 1.15,
              "libopus and speexdsp called directly, ms for 20 ms", floor_ms, r);
    psst_sender_free(o.sender);
    psst_receiver_free(o.receiver);
    bare_fini(&b);
}

/* ---- paced ---- */

static void read_wav(const char *path, int16_t to[][SOUND_FRAME])
{
    FILE *file = fopen(path, "rb");
    BENCH_CHECK(file != NULL && fseek(file, 44, SEEK_SET) == 0);
    BENCH_CHECK(fread(to, sizeof to[0], SPEECH, file) > 0); /* silence after its end */
    (void)fclose(file);
}

static double used_s(void)
{
    struct rusage u;
    BENCH_CHECK(getrusage(RUSAGE_SELF, &u) == 0);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void sleep_until(struct timespec *when)
{
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, when, NULL) == EINTR) {
    }
    when->tv_nsec += 20000000;
    when->tv_sec += when->tv_nsec / 1000000000;
    when->tv_nsec %= 1000000000;
}

static int paced(const char *said, const char *heard, int seconds)
{
    static uint8_t came[SPEECH][PSST_VOICE_OPUS_MAX];
    struct bare b;
    struct timespec when;
    double start = 0, began = 0;
    BENCH_CHECK(seconds > 0 && seconds < 1000);
    read_wav(said, near);
    read_wav(heard, far);
    bare_init(&b, psst_voice_opus_bytes(6), true, true);
    encode_far(&b, came);
    (void)clock_gettime(CLOCK_MONOTONIC, &when);
    for (int i = 0; i < PACED_WARM + seconds * 50; i++) {
        if (i == PACED_WARM) {
            start = used_s();
            began = bench_wall_s();
        }
        sleep_until(&when);
        bare(&b);
    }
    printf("%.3f\n", (used_s() - start) / (bench_wall_s() - began) * 100);
    bare_fini(&b);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "paced") == 0) return paced(argv[2], argv[3], atoi(argv[4]));
    sound_speech(near[0], (size_t)SPEECH * SOUND_FRAME, -20, 0);
    sound_speech(far[0], (size_t)SPEECH * SOUND_FRAME, -20, 99999999);
    bench("32 kbit/s, echo and noise", 6, true, true, true);
    bench("24 kbit/s, plain", PSST_VOICE_QUALITY_DEFAULT, false, false, false);
    return 0;
}
