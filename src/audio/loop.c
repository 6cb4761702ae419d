/* The loop is libpulse's own, in the thread that calls it: one poll for the sound server's socket, psstd's, and the timers. */
#include "audio/internal.h"

#include <stdlib.h>
#include <time.h>

struct psst_audio_watch {
    struct psst_audio_loop *loop;
    pa_io_event *event;
    psst_audio_readable *readable;
    void *ctx;
};

enum psst_err psst_audio_loop_new(struct psst_audio_loop **out)
{
    struct psst_audio_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) return PSST_ERR_MEMORY;
    loop->main = pa_mainloop_new();
    if (loop->main == NULL) {
        free(loop);
        return PSST_ERR_MEMORY;
    }
    *out = loop;
    return PSST_OK;
}

void psst_audio_loop_free(struct psst_audio_loop *loop)
{
    if (loop == NULL) return;
    pa_mainloop_free(loop->main);
    free(loop);
}

void psst_audio_loop_run(struct psst_audio_loop *loop)
{
    /* pa_mainloop_run cannot be called again once it has been left */
    loop->quit = false;
    while (!loop->quit && pa_mainloop_prepare(loop->main, -1) >= 0 && pa_mainloop_poll(loop->main) >= 0) {
        /* first: what it brings is there for those who are called now; and whoever is called may be freed by it */
        if (loop->rests != NULL) loop->rests->readable(loop->rests->ctx);
        if (pa_mainloop_dispatch(loop->main) < 0) return;
    }
}

void psst_audio_loop_quit(struct psst_audio_loop *loop)
{
    loop->quit = true;
}

pa_mainloop_api *psst_audio_loop_api(struct psst_audio_loop *loop)
{
    return pa_mainloop_get_api(loop->main);
}

static void on_io(pa_mainloop_api *api, pa_io_event *event, int fd, pa_io_event_flags_t flags, void *ctx)
{
    (void)api, (void)event, (void)fd, (void)flags;
    const struct psst_audio_watch *watch = ctx;
    watch->readable(watch->ctx);
}

enum psst_err psst_audio_watch_add(struct psst_audio_watch **out, struct psst_audio_loop *loop, int fd,
                                   psst_audio_readable *readable, void *ctx)
{
    struct psst_audio_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) return PSST_ERR_MEMORY;
    *watch = (struct psst_audio_watch){.loop = loop, .readable = readable, .ctx = ctx};
    pa_mainloop_api *api = psst_audio_loop_api(loop);
    watch->event = api->io_new(api, fd, PA_IO_EVENT_INPUT | PA_IO_EVENT_HANGUP | PA_IO_EVENT_ERROR, on_io, watch);
    if (watch->event == NULL) {
        free(watch);
        return PSST_ERR_MEMORY;
    }
    *out = watch;
    return PSST_OK;
}

void psst_audio_watch_rest(struct psst_audio_watch *watch, bool resting)
{
    if (watch == NULL) return;
    const pa_io_event_flags_t ends = PA_IO_EVENT_HANGUP | PA_IO_EVENT_ERROR;
    if (resting)
        watch->loop->rests = watch;
    else if (watch->loop->rests == watch)
        watch->loop->rests = NULL;
    psst_audio_loop_api(watch->loop)->io_enable(watch->event, resting ? ends : PA_IO_EVENT_INPUT | ends);
}

void psst_audio_watch_remove(struct psst_audio_watch *watch)
{
    if (watch == NULL) return;
    if (watch->loop->rests == watch) watch->loop->rests = NULL;
    psst_audio_loop_api(watch->loop)->io_free(watch->event);
    free(watch);
}

uint64_t psst_audio_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
