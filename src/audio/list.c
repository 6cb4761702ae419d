/* What devices there are: a connection of its own, three questions, one answer to the caller from a turn of the loop of its
 * own, so that nothing is freed under libpulse's feet. */
#include "audio/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define DEVICES_MAX 64
#define PATIENCE_US 3000000

struct list {
    pa_mainloop_api *api;
    pa_context *context;
    pa_defer_event *over; /* set: what is there is told */
    pa_time_event *patience;
    const char *words; /* NULL: it went well */
    psst_audio_listed *listed;
    void *ctx;
    char defaults[2][256];
    struct psst_audio_device devices[DEVICES_MAX];
    size_t n;
};

static void on_over(pa_mainloop_api *api, pa_defer_event *event, void *ctx)
{
    struct list *list = ctx;
    if (list->context != NULL) {
        pa_context_set_state_callback(list->context, NULL, NULL);
        if (list->patience != NULL) api->time_free(list->patience);
        pa_context_disconnect(list->context);
        pa_context_unref(list->context);
    }
    api->defer_free(event);
    const bool good = list->words == NULL;
    list->listed(list->ctx, list->devices, good ? list->n : 0, good ? "" : list->words);
    free(list);
}

static void finish(struct list *list, const char *words)
{
    if (list->over != NULL) return;
    list->words = words;
    list->over = list->api->defer_new(list->api, on_over, list);
    if (list->over == NULL) abort(); /* libpulse itself does so without memory */
}

static void on_patience(pa_mainloop_api *api, pa_time_event *event, const struct timeval *when, void *ctx)
{
    (void)api, (void)event, (void)when;
    finish(ctx, "the sound server does not answer");
}

static void asked(struct list *list, pa_operation *op)
{
    if (op == NULL)
        finish(list, "the sound server does not answer");
    else
        pa_operation_unref(op);
}

static void add(struct list *list, enum psst_audio_end end, const char *name, const char *description, bool monitor)
{
    if (list->n == DEVICES_MAX || name == NULL || strlen(name) > 255) return;
    struct psst_audio_device *d = &list->devices[list->n++];
    d->end = end;
    d->is_monitor = monitor;
    d->is_default = strcmp(name, list->defaults[end]) == 0;
    (void)snprintf(d->name, sizeof d->name, "%s", name);
    (void)snprintf(d->description, sizeof d->description, "%s", description != NULL ? description : name);
}

static void on_sink(pa_context *context, const pa_sink_info *info, int eol, void *ctx)
{
    (void)context;
    struct list *list = ctx;
    if (eol == 0 && info != NULL) add(list, PSST_AUDIO_SPEAKER, info->name, info->description, false);
    if (eol != 0) finish(list, NULL);
}

static void on_source(pa_context *context, const pa_source_info *info, int eol, void *ctx)
{
    struct list *list = ctx;
    if (eol == 0 && info != NULL)
        add(list, PSST_AUDIO_MICROPHONE, info->name, info->description, info->monitor_of_sink != PA_INVALID_INDEX);
    if (eol != 0) asked(list, pa_context_get_sink_info_list(context, on_sink, list));
}

static void on_server(pa_context *context, const pa_server_info *info, void *ctx)
{
    struct list *list = ctx;
    if (info != NULL && info->default_source_name != NULL)
        (void)snprintf(list->defaults[PSST_AUDIO_MICROPHONE], 256, "%s", info->default_source_name);
    if (info != NULL && info->default_sink_name != NULL)
        (void)snprintf(list->defaults[PSST_AUDIO_SPEAKER], 256, "%s", info->default_sink_name);
    asked(list, pa_context_get_source_info_list(context, on_source, list));
}

static void on_context(pa_context *context, void *ctx)
{
    const pa_context_state_t state = pa_context_get_state(context);
    if (state == PA_CONTEXT_READY) asked(ctx, pa_context_get_server_info(context, on_server, ctx));
    if (!PA_CONTEXT_IS_GOOD(state)) finish(ctx, "the sound server cannot be reached");
}

enum psst_err psst_audio_list(struct psst_audio_loop *loop, psst_audio_listed *listed, void *ctx)
{
    struct list *list = calloc(1, sizeof *list);
    if (list == NULL) return PSST_ERR_MEMORY;
    list->api = psst_audio_loop_api(loop);
    list->listed = listed;
    list->ctx = ctx;
    list->context = psst_pulse_context(list->api);
    if (list->context == NULL) {
        free(list);
        return PSST_ERR_MEMORY;
    }
    list->patience = pa_context_rttime_new(list->context, pa_rtclock_now() + PATIENCE_US, on_patience, list);
    pa_context_set_state_callback(list->context, on_context, list);
    if (!psst_pulse_connect(list->context)) finish(list, "the sound server cannot be reached");
    return PSST_OK;
}
