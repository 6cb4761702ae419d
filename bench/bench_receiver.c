/* What a call sounds like over a bad line, in virtual time: a wav of 48 kHz mono goes through encoder, line and receiver
 * into another wav. For tuning; bench/receiver.py says how well it can be understood.
 *
 *   bench_receiver IN.wav OUT.wav [option value]...
 *     kbit 32  fec 10 (announced loss in percent)  delay 30  jitter 40  kind u|e|g  loss 0.1  burst 1  drift 0 (ppm)
 *     phase 7.3 (ms, of the pulls)  piece 960 (samples of a pull)  seed 1  trace 0|1
 *
 * Prints "pull n, held, target, jitter" once a second with trace, and a line of figures at the end.
 */
#include "../tests/unit/media/line.h"

#include <stdio.h>
#include <stdlib.h>

struct wav {
    int16_t *in, *out;
    size_t frames;
    bool trace;
    uint32_t moved;
    unsigned moves;
    struct psst_receiver_stats last;
};

static void say(void *ctx, size_t n, int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    struct wav *w = ctx;
    memset(pcm, 0, PSST_VOICE_FRAME_SAMPLES * sizeof *pcm);
    if (n < w->frames) memcpy(pcm, w->in + n * PSST_VOICE_FRAME_SAMPLES, PSST_VOICE_FRAME_SAMPLES * sizeof *pcm);
}

static void hear(void *ctx, size_t n, double now_ms, const int16_t pcm[PSST_VOICE_FRAME_SAMPLES],
                 const struct psst_receiver *receiver)
{
    struct wav *w = ctx;
    memcpy(w->out + n * PSST_VOICE_FRAME_SAMPLES, pcm, PSST_VOICE_FRAME_SAMPLES * sizeof *pcm);
    w->last = psst_receiver_stats(receiver);
    uint32_t moved = w->last.stretched + w->last.shrunk;
    if (moved != w->moved) w->moves++;
    if (w->trace && (n % 50 == 0 || moved != w->moved))
        printf("%8.0f ms: held %u target %u jitter %u loss %u stretched %u shrunk %u\n", now_ms, w->last.held_ms,
               w->last.target_ms, w->last.jitter_ms, w->last.loss_256, w->last.stretched, w->last.shrunk);
    w->moved = moved;
}

static double number(int argc, char **argv, const char *name, double usual)
{
    for (int i = 3; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0) return atof(argv[i + 1]);
    return usual;
}

static char kind(int argc, char **argv)
{
    for (int i = 3; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "kind") == 0) return argv[i + 1][0];
    return 'u';
}

int main(int argc, char **argv)
{
    uint8_t head[44];
    if (argc < 3) return 2;
    FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
    if (in == NULL || out == NULL || fread(head, 1, sizeof head, in) != sizeof head) {
        perror(argv[1]);
        return 1;
    }
    (void)fseek(in, 0, SEEK_END);
    struct wav w = {.frames = (size_t)(ftell(in) - 44) / 2 / PSST_VOICE_FRAME_SAMPLES,
                    .trace = number(argc, argv, "trace", 0) > 0};
    (void)fseek(in, 44, SEEK_SET);
    size_t samples = w.frames * PSST_VOICE_FRAME_SAMPLES;
    w.in = calloc(samples, 2);
    w.out = calloc(samples, 2);
    if (w.in == NULL || w.out == NULL || fread(w.in, 2, samples, in) != samples) return 1;
    char k = kind(argc, argv);
    struct line_call call = {
        .profile = {.delay_ms = number(argc, argv, "delay", 30),
                    .jitter_ms = number(argc, argv, "jitter", 40),
                    .kind = k == 'e'   ? LINE_EXPONENTIAL
                            : k == 'g' ? LINE_GAUSSIAN
                                       : LINE_UNIFORM,
                    .loss = number(argc, argv, "loss", 0.1),
                    .burst = number(argc, argv, "burst", 1),
                    .drift_ppm = number(argc, argv, "drift", 0)},
        .seed = (uint64_t)number(argc, argv, "seed", 1),
        .bytes = (size_t)(number(argc, argv, "kbit", 32) * 2.5),
        .fec = (unsigned)number(argc, argv, "fec", 10),
        .phase_ms = number(argc, argv, "phase", 7.3),
        .pull_jitter_ms = number(argc, argv, "pulljitter", 0),
        .piece = (size_t)number(argc, argv, "piece", PSST_VOICE_FRAME_SAMPLES),
        .frames = w.frames,
        .say = say,
        .hear = hear,
        .ctx = &w,
    };
    line_play(&call);
    if (fwrite(head, 1, sizeof head, out) != sizeof head || fwrite(w.out, 2, samples, out) != samples) return 1;
    printf("received %u lost %u late %u recovered %u concealed %u stretched %u shrunk %u moves %u held %u target %u "
           "jitter %u loss %u\n",
           w.last.received, w.last.lost, w.last.late, w.last.recovered, w.last.concealed, w.last.stretched,
           w.last.shrunk, w.moves, w.last.held_ms, w.last.target_ms, w.last.jitter_ms, w.last.loss_256);
    free(w.in);
    free(w.out);
    (void)fclose(in);
    return fclose(out) == 0 ? 0 : 1;
}
