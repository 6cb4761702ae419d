/* What two devices of a sound server take by themselves: the microphone's samples go to the speaker as soon as they come, with
 * the latencies that src/audio asks for and nothing in between. Runs until it is ended; bench/voice.py measures meanwhile.
 *
 *     bench_devices MICROPHONE SPEAKER
 *
 * What waits here is at most what came since the speaker asked last, and one fragment. */
#include "audio/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define WAITS_MAX 65536 /* bytes */

struct floor_loop {
    pa_mainloop *main;
    const char *devices[2];
    pa_stream *streams[2];
    uint8_t waits[WAITS_MAX];
    size_t n;
};

static void check(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_devices: %s\n", what);
    exit(1);
}

static void on_readable(pa_stream *stream, size_t bytes, void *ctx)
{
    struct floor_loop *f = ctx;
    const void *data;
    size_t len;
    (void)bytes;
    while (pa_stream_readable_size(stream) > 0 && pa_stream_peek(stream, &data, &len) == 0 && len > 0) {
        if (data != NULL && f->n + len <= sizeof f->waits) {
            memcpy(f->waits + f->n, data, len);
            f->n += len;
        }
        (void)pa_stream_drop(stream);
    }
}

/* The newest of what waits, and one fragment that stays; silence where there is too little. */
static void on_writable(pa_stream *stream, size_t bytes, void *ctx)
{
    static const uint8_t silence[WAITS_MAX];
    struct floor_loop *f = ctx;
    (void)bytes;
    size_t wanted = pa_stream_writable_size(stream), most = wanted + PSST_PULSE_FRAGMENT_BYTES;
    if (wanted > sizeof silence) wanted = most = sizeof silence;
    const size_t old = f->n > most ? f->n - most : 0, missing = f->n < wanted ? wanted - f->n : 0;
    const size_t given = wanted - missing;
    (void)pa_stream_write(stream, silence, missing, NULL, 0, PA_SEEK_RELATIVE);
    (void)pa_stream_write(stream, f->waits + old, given, NULL, 0, PA_SEEK_RELATIVE);
    f->n -= old + given;
    memmove(f->waits, f->waits + old + given, f->n);
}

static void on_context(pa_context *context, void *ctx)
{
    struct floor_loop *f = ctx;
    const pa_context_state_t state = pa_context_get_state(context);
    check(PA_CONTEXT_IS_GOOD(state), "there is no sound server");
    if (state != PA_CONTEXT_READY) return;
    const pa_sample_spec spec = {.format = PA_SAMPLE_S16NE, .rate = PSST_AUDIO_HZ, .channels = 1};
    for (int end = 0; end < 2; end++) {
        f->streams[end] = pa_stream_new(context, "floor", &spec, NULL);
        check(f->streams[end] != NULL, "no memory");
    }
    const pa_buffer_attr in = psst_pulse_attr(PSST_AUDIO_MICROPHONE), out = psst_pulse_attr(PSST_AUDIO_SPEAKER);
    pa_stream_set_read_callback(f->streams[0], on_readable, f);
    pa_stream_set_write_callback(f->streams[1], on_writable, f);
    check(pa_stream_connect_record(f->streams[0], f->devices[0], &in, PSST_PULSE_FLAGS) == 0 &&
              pa_stream_connect_playback(f->streams[1], f->devices[1], &out, PSST_PULSE_FLAGS, NULL, NULL) == 0,
          "the devices cannot be opened");
}

int main(int argc, char **argv)
{
    static struct floor_loop f;
    check(argc == 3, "usage: bench_devices MICROPHONE SPEAKER");
    f = (struct floor_loop){.main = pa_mainloop_new(), .devices = {argv[1], argv[2]}};
    check(f.main != NULL, "no memory");
    pa_context *context = pa_context_new(pa_mainloop_get_api(f.main), "floor");
    check(context != NULL, "no memory");
    pa_context_set_state_callback(context, on_context, &f);
    check(pa_context_connect(context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) >= 0, "there is no sound server");
    return pa_mainloop_run(f.main, NULL) < 0;
}
