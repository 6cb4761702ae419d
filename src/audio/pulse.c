/* The connection to the sound server, for as long as the audio lives: made, lost, made again.
 *
 *     none --connect--> connecting --ready--> ready: streams are opened, plugging is listened to
 *      ^                    |  refused, 3 s        | the server ended
 *      `---- 0.1 to 1 s ----+----------------------'      meanwhile the rhythm of the clock serves both ends
 *
 * What libpulse's callbacks find out is only noted down; the tick acts on it, so that nothing is freed under libpulse's feet.
 */
#include "audio/internal.h"

#define BACKOFF_FIRST_NS UINT64_C(100000000)
#define BACKOFF_LAST_NS  UINT64_C(1000000000)
#define CONNECT_NS       UINT64_C(3000000000)

pa_context *psst_pulse_context(pa_mainloop_api *api)
{
    pa_proplist *props = pa_proplist_new();
    if (props == NULL) return NULL;
    (void)pa_proplist_sets(props, PA_PROP_APPLICATION_NAME, "psst");
    (void)pa_proplist_sets(props, PA_PROP_APPLICATION_ID, "psst");
    (void)pa_proplist_sets(props, PA_PROP_APPLICATION_ICON_NAME, "audio-headset");
    pa_context *context = pa_context_new_with_proplist(api, "psst", props);
    pa_proplist_free(props);
    return context;
}

bool psst_pulse_connect(pa_context *context)
{
    return pa_context_connect(context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) >= 0;
}

static struct psst_audio_side *pulse_side(struct psst_audio *audio, int end)
{
    return audio->sides[end].kind == PSST_AUDIO_PULSE ? &audio->sides[end] : NULL;
}

static void on_news(pa_context *context, pa_subscription_event_type_t type, uint32_t index, void *ctx)
{
    (void)context, (void)type, (void)index;
    struct psst_audio *audio = ctx;
    const uint64_t now_ns = psst_audio_now_ns();
    for (int end = 0; end < 2; end++)
        if (pulse_side(audio, end) != NULL) psst_pulse_stream_news(&audio->sides[end], now_ns);
}

static void on_context(pa_context *context, void *ctx)
{
    struct psst_audio *audio = ctx;
    const pa_context_state_t state = pa_context_get_state(context);
    if (!PA_CONTEXT_IS_GOOD(state)) audio->context_failed = true;
    if (state != PA_CONTEXT_READY) return;
    audio->context_ready = true;
    audio->backoff_ns = 0;
    pa_context_set_subscribe_callback(context, on_news, audio);
    const pa_subscription_mask_t mask =
        PA_SUBSCRIPTION_MASK_SINK | PA_SUBSCRIPTION_MASK_SOURCE | PA_SUBSCRIPTION_MASK_SERVER;
    pa_operation *op = pa_context_subscribe(context, mask, NULL, NULL);
    if (op != NULL) pa_operation_unref(op);
}

static void drop(struct psst_audio *audio)
{
    for (int end = 0; end < 2; end++)
        if (pulse_side(audio, end) != NULL) psst_pulse_stream_close(&audio->sides[end]);
    if (audio->context == NULL) return;
    pa_context_set_state_callback(audio->context, NULL, NULL);
    pa_context_set_subscribe_callback(audio->context, NULL, NULL);
    pa_context_disconnect(audio->context);
    pa_context_unref(audio->context);
    audio->context = NULL;
    audio->context_ready = audio->context_failed = false;
}

static void lost(struct psst_audio *audio, uint64_t now_ns)
{
    drop(audio);
    const uint64_t twice = audio->backoff_ns * 2;
    audio->backoff_ns = twice == 0 ? BACKOFF_FIRST_NS : twice < BACKOFF_LAST_NS ? twice : BACKOFF_LAST_NS;
    audio->retry_ns = now_ns + audio->backoff_ns;
    for (int end = 0; end < 2; end++)
        if (pulse_side(audio, end) != NULL)
            psst_audio_say(&audio->sides[end], false, "the %s has no sound: the sound server cannot be reached",
                           psst_audio_end_word((enum psst_audio_end)end));
}

static void connect_server(struct psst_audio *audio, uint64_t now_ns)
{
    audio->context = psst_pulse_context(psst_audio_loop_api(audio->loop));
    audio->connecting_ns = now_ns;
    if (audio->context != NULL) {
        pa_context_set_state_callback(audio->context, on_context, audio);
        if (!psst_pulse_connect(audio->context)) audio->context_failed = true;
    } else {
        audio->context_failed = true;
    }
}

void psst_pulse_tick(struct psst_audio *audio, uint64_t now_ns)
{
    if (pulse_side(audio, 0) == NULL && pulse_side(audio, 1) == NULL) return;
    if (audio->context == NULL && now_ns >= audio->retry_ns) connect_server(audio, now_ns);
    const bool waits = audio->context != NULL && !audio->context_ready;
    if (audio->context_failed || (waits && now_ns > audio->connecting_ns + CONNECT_NS)) {
        audio->context_failed = false;
        lost(audio, now_ns);
    }
    if (!audio->context_ready) return;
    for (int end = 0; end < 2; end++)
        if (pulse_side(audio, end) != NULL) psst_pulse_stream_tick(&audio->sides[end], now_ns);
}

void psst_pulse_close(struct psst_audio *audio)
{
    drop(audio);
}
