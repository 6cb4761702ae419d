/* A call: one row while it rings; during it the state, what goes out, both levels and how the line is: in one row where all
 * of it goes in, else in two. The clock moves with the levels, which come ten times a second; there is no timer. */
#include "client/call_words.h"
#include "tui/screen.h"
#include "tui/strip.h"
#include "tui/views.h"

#include <stdio.h>

#define ONE_ROW_FROM 130 /* columns of the terminal */
#define NAME_CHARS   16
#define BAR_COLUMNS  10
#define BAR_LEAST    6
#define BOTTOM_DBFS  (-60.0)

int psst_view_call_rows(const struct psst_app *app)
{
    const struct psst_call_now *call = app->model != NULL ? psst_model_call(app->model) : NULL;
    if (call == NULL || call->state == PSST_CALL_NONE) return 0;
    return call->state == PSST_CALL_ACTIVE && psst_screen_columns() < ONE_ROW_FROM ? 2 : 1;
}

static double level(double dbfs)
{
    double value = 1 - dbfs / BOTTOM_DBFS;
    return value > 0 ? value < 1 ? value : 1 : 0; /* not a number: silence */
}

/* What of the microphone goes out this moment. */
static void say_sending(struct psst_strip *strip, const struct psst_call_now *call)
{
    if (!call->send && !call->ptt)
        psst_strip_add(strip, 0, PSST_STYLE_WARN, "muted", "muted: F5, /mute; F6 talks");
    else if (call->clipping)
        psst_strip_add(strip, 0, PSST_STYLE_WARN, "too loud", "voice goes out, too loud");
    else if (call->voice)
        psst_strip_add(strip, 0, PSST_STYLE_GOOD, call->ptt ? "talking" : "voice", "%svoice goes out",
                       call->ptt ? "push to talk: " : "");
    else
        psst_strip_add(strip, 0, PSST_STYLE_PLAIN, "silence", "%ssilence goes out", call->ptt ? "push to talk: " : "");
    if (!call->receive) psst_strip_add(strip, 1, PSST_STYLE_WARN, "speaker off", "speaker off: you hear nothing");
}

static void say_trouble(struct psst_strip *strip, const struct psst_call_now *call)
{
    if (call->waiting > 0)
        psst_strip_add(strip, 2, PSST_STYLE_UNREAD, "+1 rings", "%u more call%s: /calls", call->waiting,
                       call->waiting == 1 ? " rings" : "s ring");
    if (call->state != PSST_CALL_ACTIVE) return;
    if (call->silent) psst_strip_add(strip, 1, PSST_STYLE_WARN, "nothing heard", "nothing heard for 2 s");
    if (!call->peer_receiving) psst_strip_add(strip, 1, PSST_STYLE_WARN, NULL, "does not hear you");
}

static void say_state(struct psst_strip *strip, const struct psst_call_now *call)
{
    char clock[PSST_SIZE_TEXT];
    uint64_t now_ms = psst_client_now_ms(), ms = now_ms > call->since_ms ? now_ms - call->since_ms : 0;
    const char *name = psst_out_text(call->name, NAME_CHARS);
    switch (call->state) {
    case PSST_CALL_OFFERED:
        psst_strip_add(strip, 0, PSST_STYLE_UNREAD, NULL, "%s calls:", name);
        psst_strip_add(strip, 0, PSST_STYLE_UNREAD, "F7 or F8", "/answer or /decline (F7, F8)");
        break;
    case PSST_CALL_DIALLING: psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "dialling %s", name); break;
    case PSST_CALL_CALLING: psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "calling %s", name); break;
    case PSST_CALL_RINGING: psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "rings at %s's", name); break;
    default:
        (void)psst_call_clock(clock, call->since_ms > 0 ? ms / 1000 : 0);
        psst_strip_add(strip, 0, PSST_STYLE_GOOD, NULL, "in a call with %s %s", name, clock);
    }
    if (call->state == PSST_CALL_DIALLING || call->state == PSST_CALL_CALLING || call->state == PSST_CALL_RINGING)
        psst_strip_add(strip, 1, PSST_STYLE_PLAIN, "F8 ends it", "F8, /hangup ends it");
}

static void say_levels(struct psst_strip *strip, const struct psst_call_now *call, unsigned columns)
{
    struct psst_piece *piece = psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "you");
    piece->bar = columns;
    piece->value = level(call->microphone_dbfs);
    piece->mark = call->ptt ? -1 : level(call->sense_dbfs); /* from here on something goes out */
    piece = psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "him");
    piece->bar = columns;
    piece->value = call->receive ? level(call->speaker_dbfs) : 0;
}

static void say_line(struct psst_strip *strip, const struct psst_call_now *call)
{
    char brief[32];
    (void)snprintf(brief, sizeof brief, "q%d%s", call->quality, call->fec ? "+" : "");
    psst_strip_add(strip, 4, PSST_STYLE_PLAIN, brief, "quality %d%s", call->quality, call->fec ? "+" : "");
    (void)snprintf(brief, sizeof brief, "%d dB", call->sense_dbfs);
    psst_strip_add(strip, 5, PSST_STYLE_PLAIN, brief, "sense %d dBFS", call->sense_dbfs);
    (void)snprintf(brief, sizeof brief, "%.0f%%", call->loss);
    psst_strip_add(strip, 2, PSST_STYLE_PLAIN, brief, "loss %.1f%%", call->loss);
    psst_strip_add(strip, 3, PSST_STYLE_PLAIN, NULL, "%.0f ms", call->delay_ms);
    if (call->way != NULL && call->way[0] != '\0') psst_strip_add(strip, 6, PSST_STYLE_PLAIN, NULL, "%.8s", call->way);
}

static bool has_words(const struct psst_call_now *call)
{
    return call->words != NULL && call->words[0] != '\0';
}

void psst_view_call(struct psst_app *app, struct psst_area area)
{
    struct psst_strip strip = {.n = 0};
    if (area.rows <= 0 || area.columns <= 0) return;
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    const struct psst_call_now *call = app->model != NULL ? psst_model_call(app->model) : NULL;
    if (call == NULL || call->state == PSST_CALL_NONE) return;
    bool active = call->state == PSST_CALL_ACTIVE;
    say_state(&strip, call);
    if (active) say_sending(&strip, call);
    say_trouble(&strip, call);
    if (!active || area.rows > 1) {
        if (!active && has_words(call)) psst_strip_add(&strip, 3, PSST_STYLE_WARN, NULL, "%s", call->words);
        psst_strip_draw(&strip, area, 0, 1, PSST_STYLE_PLAIN);
        strip = (struct psst_strip){.n = 0};
    }
    if (!active) return;
    say_levels(&strip, call, area.columns < 50 ? BAR_LEAST : BAR_COLUMNS);
    /* what is wrong with the sound stands before figures about it */
    if (has_words(call)) psst_strip_add(&strip, 1, PSST_STYLE_WARN, NULL, "%s", call->words)->last = area.rows > 1;
    if (!has_words(call) || area.rows == 1) say_line(&strip, call);
    psst_strip_draw(&strip, area, area.rows > 1 ? 1 : 0, 1, PSST_STYLE_PLAIN);
}
