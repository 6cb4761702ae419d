/* One stream of the sound server: 48 kHz mono in fragments of 5 ms, with 20 ms ahead of the speaker. The server may move it
 * to another device (that is how unplugging a headset works), and starts and stops with it; our own part is to notice.
 *
 *     closed --open--> opening --ready--> warming --100 ms of sound later--> running --silent for 1 s: said, and waited for
 *       ^                 `--- no such device: the default ---'                 |
 *       `------------------------- 1 s, or news of a device -------- failed ----'
 *
 * The first moments of an idle device are lost by the server, so nothing of ours is given to it before it has taken 100 ms.
 */
#include "audio/internal.h"

#include "base/text.h"

#include <stdio.h>

#define TARGET_BYTES 1920 /* 20 ms */
#define WARM_BYTES   9600
#define RETRY_NS     UINT64_C(1000000000)
#define NEWS_NS      UINT64_C(50000000)   /* a device that has just come is not always ready for streams */
#define OPEN_NS      UINT64_C(5000000000) /* to open, and to give the first sound */
#define SILENT_NS    UINT64_C(1000000000)
#define WARM_NS      UINT64_C(3000000000) /* before the first sound: an idle device may be two seconds asleep */
#define GAP_NS       UINT64_C(60000000)   /* between callbacks: what has piled up then is of no use */
#define HOLE_MAX     (10 * PSST_AUDIO_FRAME_BYTES)

static void works_now(struct psst_audio_side *side)
{
    struct psst_pulse_stream *p = &side->pulse;
    const char *word = psst_audio_end_word(side->end);
    const char *name = p->description[0] != '\0' ? p->description : "there";
    if (p->fallback)
        psst_audio_say(side, true, "the %s is %s, because the one that was chosen is not there", word, name);
    else
        psst_audio_say(side, true, "the %s is %s", word, name);
}

static void set_running(struct psst_audio_side *side)
{
    side->pulse.running = true;
    side->pulse.at = side->pulse.asked = 0;
    works_now(side);
}

/* True when what is there now is from before a pause that the clock has filled already. */
static bool is_stale(struct psst_audio_side *side, uint64_t now_ns)
{
    struct psst_pulse_stream *p = &side->pulse;
    const bool stale = !side->by_device && now_ns > p->heard_ns + GAP_NS;
    p->heard_ns = now_ns;
    if (stale) p->at = p->asked = 0;
    return stale;
}

/* ---- microphone ---- */

/* data NULL: a hole, which is silence. */
static void collect(struct psst_audio_side *side, const uint8_t *data, size_t len, uint64_t now_ns)
{
    struct psst_pulse_stream *p = &side->pulse;
    if (data == NULL && len > HOLE_MAX) len = HOLE_MAX;
    for (size_t samples = len / 2; samples > 0;) {
        const size_t left = PSST_AUDIO_FRAME_SAMPLES - p->at, n = samples < left ? samples : left;
        if (data != NULL) {
            memcpy(p->frame + p->at, data, 2 * n);
            data += 2 * n;
        } else {
            memset(p->frame + p->at, 0, 2 * n);
        }
        p->at += n;
        samples -= n;
        if (p->at < PSST_AUDIO_FRAME_SAMPLES) continue;
        p->at = 0;
        (void)psst_audio_end_frame(side, p->frame, now_ns);
    }
}

static void on_readable(pa_stream *stream, size_t bytes, void *ctx)
{
    (void)bytes;
    struct psst_audio_side *side = ctx;
    struct psst_pulse_stream *p = &side->pulse;
    const uint64_t now_ns = psst_audio_now_ns();
    const bool stale = is_stale(side, now_ns);
    for (;;) {
        const void *data = NULL;
        size_t len = pa_stream_readable_size(stream);
        if (len == (size_t)-1 || (len > 0 && pa_stream_peek(stream, &data, &len) < 0)) {
            p->failed = true;
            return;
        }
        if (len == 0) return;
        if (p->running && !stale) collect(side, data, len, now_ns);
        p->warmed += len;
        (void)pa_stream_drop(stream);
        if (!p->running && p->warmed >= WARM_BYTES) set_running(side);
    }
}

/* ---- speaker ---- */

/* The next bytes for the speaker, at most a frame's, or a piece's; *len is how many. */
static const void *next_samples(struct psst_audio_side *side, size_t *len, uint64_t now_ns)
{
    struct psst_pulse_stream *p = &side->pulse;
    if (p->at >= p->asked) {
        memset(p->frame, 0, sizeof p->frame);
        p->asked = psst_audio_end_frame(side, p->frame, now_ns);
        p->at = 0;
    }
    const size_t left = 2 * (p->asked - p->at);
    const void *data = p->frame + p->at;
    if (*len > left) *len = left;
    p->at += *len / 2;
    return data;
}

static void on_writable(pa_stream *stream, size_t bytes, void *ctx)
{
    (void)bytes;
    static const int16_t silence[PSST_AUDIO_FRAME_SAMPLES];
    struct psst_audio_side *side = ctx;
    struct psst_pulse_stream *p = &side->pulse;
    const uint64_t now_ns = psst_audio_now_ns();
    const bool stale = is_stale(side, now_ns);
    size_t wanted = pa_stream_writable_size(stream);
    if (wanted == (size_t)-1) {
        p->failed = true;
        return;
    }
    if (!p->running && p->warmed >= WARM_BYTES) set_running(side);
    p->warmed += wanted;
    while (wanted >= 2) {
        size_t len = wanted < sizeof silence ? wanted & ~(size_t)1 : sizeof silence;
        /* more than 100 ms at once is what the server has missed, not what it plays next */
        const bool old = stale || wanted > 5 * PSST_AUDIO_FRAME_BYTES;
        const void *data = p->running && !old ? next_samples(side, &len, now_ns) : silence;
        if (pa_stream_write(stream, data, len, NULL, 0, PA_SEEK_RELATIVE) < 0) {
            p->failed = true;
            return;
        }
        wanted -= len;
    }
}

/* ---- which device it is ---- */

static bool named_for_echo(const char *name)
{
    return name != NULL && (strstr(name, "echo-cancel") != NULL || strstr(name, "echo_cancel") != NULL);
}

/* module-echo-cancel names its source so unless told otherwise, and says "filter" and "phone" in any case; PipeWire's has it
 * in its node's name. */
static bool cancels_echo(const pa_source_info *info)
{
    if (info->monitor_of_sink != PA_INVALID_INDEX) return false; /* what goes to its speaker end */
    const char *class = pa_proplist_gets(info->proplist, PA_PROP_DEVICE_CLASS);
    const char *roles = pa_proplist_gets(info->proplist, PA_PROP_DEVICE_INTENDED_ROLES);
    if (class != NULL && roles != NULL && strcmp(class, "filter") == 0 && strstr(roles, "phone") != NULL) return true;
    return named_for_echo(info->name) || named_for_echo(pa_proplist_gets(info->proplist, "node.name")) ||
           named_for_echo(pa_proplist_gets(info->proplist, "media.name"));
}

static void described(struct psst_audio_side *side, const char *name, const char *description)
{
    struct psst_pulse_stream *p = &side->pulse;
    struct psst_buf shown;
    psst_buf_init(&shown, 1024);
    psst_text_render(&shown, psst_view_str(description != NULL && description[0] != '\0' ? description : name),
                     PSST_RENDER_LINE, 40); /* at most 120 bytes of a sentence */
    const size_t len = shown.len < sizeof p->description ? shown.len : 0;
    if (len > 0) memcpy(p->description, shown.data, len);
    p->description[len] = '\0';
    psst_buf_fini(&shown);
    p->fallback = side->device[0] != '\0' && strcmp(side->device, name) != 0;
    if (p->running) works_now(side);
}

static void on_source(pa_context *context, const pa_source_info *info, int eol, void *ctx)
{
    (void)context;
    struct psst_audio_side *side = ctx;
    if (eol != 0 || info == NULL || side->pulse.stream == NULL) return;
    side->pulse.cancels_echo = cancels_echo(info);
    described(side, info->name, info->description);
}

static void on_sink(pa_context *context, const pa_sink_info *info, int eol, void *ctx)
{
    (void)context;
    struct psst_audio_side *side = ctx;
    if (eol == 0 && info != NULL && side->pulse.stream != NULL) described(side, info->name, info->description);
}

static void ask_device(struct psst_audio_side *side, pa_stream *stream)
{
    pa_context *context = pa_stream_get_context(stream);
    const uint32_t index = pa_stream_get_device_index(stream);
    pa_operation *op = side->end == PSST_AUDIO_MICROPHONE
                           ? pa_context_get_source_info_by_index(context, index, on_source, side)
                           : pa_context_get_sink_info_by_index(context, index, on_sink, side);
    if (op != NULL) pa_operation_unref(op);
}

static void on_moved(pa_stream *stream, void *ctx)
{
    ask_device(ctx, stream);
}

static void on_stream(pa_stream *stream, void *ctx)
{
    struct psst_audio_side *side = ctx;
    const pa_stream_state_t state = pa_stream_get_state(stream);
    if (!PA_STREAM_IS_GOOD(state)) side->pulse.failed = true;
    if (state == PA_STREAM_READY) ask_device(side, stream);
}

/* ---- opening and closing ---- */

pa_buffer_attr psst_pulse_attr(enum psst_audio_end end)
{
    const uint32_t any = (uint32_t)-1;
    if (end == PSST_AUDIO_MICROPHONE) return (pa_buffer_attr){.maxlength = any, .fragsize = PSST_PULSE_FRAGMENT_BYTES};
    /* no prebuffering: it starts at once, and an underrun is silence and nothing else */
    return (pa_buffer_attr){
        .maxlength = any, .tlength = TARGET_BYTES, .prebuf = 0, .minreq = PSST_PULSE_FRAGMENT_BYTES};
}

static pa_stream *make(struct psst_audio_side *side)
{
    const pa_sample_spec spec = {.format = PA_SAMPLE_S16NE, .rate = PSST_AUDIO_HZ, .channels = 1};
    pa_proplist *props = pa_proplist_new();
    if (props == NULL) return NULL;
    (void)pa_proplist_sets(props, PA_PROP_MEDIA_ROLE, "phone"); /* music gives way; a filter may be put before it */
    pa_stream *stream = pa_stream_new_with_proplist(
        side->audio->context, side->end == PSST_AUDIO_MICROPHONE ? "microphone" : "speaker", &spec, NULL, props);
    pa_proplist_free(props);
    return stream;
}

void psst_pulse_stream_open(struct psst_audio_side *side, uint64_t now_ns)
{
    struct psst_pulse_stream *p = &side->pulse;
    const bool fallback = p->fallback;
    *p = (struct psst_pulse_stream){.heard_ns = now_ns, .fallback = fallback};
    p->stream = make(side);
    if (p->stream == NULL) {
        p->retry_ns = now_ns + RETRY_NS;
        return;
    }
    pa_stream_set_state_callback(p->stream, on_stream, side);
    pa_stream_set_moved_callback(p->stream, on_moved, side);
    const char *device = side->device[0] != '\0' && !fallback ? side->device : NULL;
    const pa_buffer_attr attr = psst_pulse_attr(side->end);
    int rc;
    if (side->end == PSST_AUDIO_MICROPHONE) {
        pa_stream_set_read_callback(p->stream, on_readable, side);
        rc = pa_stream_connect_record(p->stream, device, &attr, PSST_PULSE_FLAGS);
    } else {
        pa_stream_set_write_callback(p->stream, on_writable, side);
        rc = pa_stream_connect_playback(p->stream, device, &attr, PSST_PULSE_FLAGS, NULL, NULL);
    }
    if (rc < 0) p->failed = true;
}

void psst_pulse_stream_close(struct psst_audio_side *side)
{
    struct psst_pulse_stream *p = &side->pulse;
    if (p->stream == NULL) return;
    pa_stream_set_state_callback(p->stream, NULL, NULL);
    pa_stream_set_moved_callback(p->stream, NULL, NULL);
    pa_stream_set_read_callback(p->stream, NULL, NULL);
    pa_stream_set_write_callback(p->stream, NULL, NULL);
    if (PA_STREAM_IS_GOOD(pa_stream_get_state(p->stream))) (void)pa_stream_disconnect(p->stream);
    pa_stream_unref(p->stream);
    p->stream = NULL;
    p->failed = p->running = p->cancels_echo = false;
}

static void give_up(struct psst_audio_side *side, uint64_t now_ns)
{
    struct psst_pulse_stream *p = &side->pulse;
    const char *word = psst_audio_end_word(side->end);
    const bool named = side->device[0] != '\0' && !p->fallback;
    const bool missing = pa_context_errno(side->audio->context) == PA_ERR_NOENTITY;
    psst_pulse_stream_close(side);
    p->fallback = named; /* next time the usual one */
    p->retry_ns = named ? now_ns : now_ns + RETRY_NS;
    if (named) return;
    if (missing)
        psst_audio_say(side, false, "there is no %s", word);
    else
        psst_audio_say(side, false, "the %s cannot be opened", word);
}

void psst_pulse_stream_tick(struct psst_audio_side *side, uint64_t now_ns)
{
    struct psst_pulse_stream *p = &side->pulse;
    if (p->stream == NULL) {
        if (now_ns >= p->retry_ns) psst_pulse_stream_open(side, now_ns);
        return;
    }
    const uint64_t silent_ns = now_ns > p->heard_ns ? now_ns - p->heard_ns : 0;
    if (p->failed || (pa_stream_get_state(p->stream) != PA_STREAM_READY && silent_ns > OPEN_NS)) {
        give_up(side, now_ns);
        return;
    }
    if (silent_ns > (p->running ? SILENT_NS : WARM_NS))
        psst_audio_say(side, false, "the %s does not answer", psst_audio_end_word(side->end));
    else if (p->running && !side->works && side->by_device)
        works_now(side);
}

/* ---- plugging ---- */

static void try_wanted(struct psst_audio_side *side)
{
    struct psst_pulse_stream *p = &side->pulse;
    if (p->stream == NULL || !p->fallback) return;
    p->fallback = false;
    psst_pulse_stream_close(side);
    p->retry_ns = psst_audio_now_ns() + NEWS_NS;
}

static void on_wanted_source(pa_context *context, const pa_source_info *info, int eol, void *ctx)
{
    (void)context;
    if (eol == 0 && info != NULL) try_wanted(ctx);
}

static void on_wanted_sink(pa_context *context, const pa_sink_info *info, int eol, void *ctx)
{
    (void)context;
    if (eol == 0 && info != NULL) try_wanted(ctx);
}

void psst_pulse_stream_news(struct psst_audio_side *side, uint64_t now_ns)
{
    struct psst_pulse_stream *p = &side->pulse;
    if (p->stream == NULL) {
        if (p->retry_ns > now_ns + NEWS_NS) p->retry_ns = now_ns + NEWS_NS;
        p->fallback = false;
    } else if (p->fallback) {
        pa_context *context = side->audio->context;
        pa_operation *op = side->end == PSST_AUDIO_MICROPHONE
                               ? pa_context_get_source_info_by_name(context, side->device, on_wanted_source, side)
                               : pa_context_get_sink_info_by_name(context, side->device, on_wanted_sink, side);
        if (op != NULL) pa_operation_unref(op);
    }
}

uint32_t psst_pulse_stream_delay_ms(const struct psst_audio_side *side)
{
    pa_usec_t us = 0;
    int negative = 0;
    if (side->pulse.stream == NULL || pa_stream_get_latency(side->pulse.stream, &us, &negative) < 0) return 0;
    return negative != 0 || us > 10000000 ? 0 : (uint32_t)(us / 1000);
}
