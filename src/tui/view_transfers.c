/* Files on their way, one a row; offers first, since they wait for the person. A file's name is the other side's word: it
 * stands last, where it looks like nothing of ours. What is over is told in the conversation. */
#include "client/file_words.h"
#include "tui/strip.h"
#include "tui/views.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MOST   3
#define BAR_COLUMNS 10
#define NAME_CHARS  16

static bool is_state(const struct psst_transfer *file, const char *state)
{
    return strcmp(file->state, state) == 0;
}

static size_t count(const struct psst_app *app)
{
    size_t n = 0;
    if (app->model == NULL) return 0;
    for (size_t i = 0; i < psst_model_transfers(app->model); i++)
        if (psst_transfer_is_under_way(psst_model_transfer(app->model, i))) n++;
    return n;
}

int psst_view_transfer_rows(const struct psst_app *app)
{
    size_t n = count(app);
    return n < ROWS_MOST ? (int)n : ROWS_MOST;
}

static void say_offer(struct psst_strip *strip, const struct psst_transfer *file)
{
    char size[PSST_SIZE_TEXT] = "";
    long long id = (long long)file->id;
    char brief[96];
    if (file->size >= 0) (void)psst_out_size(size, (unsigned long long)file->size);
    (void)snprintf(brief, sizeof brief, "<- %s:", psst_out_text(file->contact, NAME_CHARS));
    psst_strip_add(strip, 1, PSST_STYLE_UNREAD, brief,
                   "<- %s offers a %s%s%s:", psst_out_text(file->contact, NAME_CHARS), psst_transfer_word(file),
                   size[0] != '\0' ? ", " : "", size);
    (void)snprintf(brief, sizeof brief, "/accept %lld", id);
    psst_strip_add(strip, 0, PSST_STYLE_UNREAD, brief, "/accept %lld or /decline %lld", id, id);
}

static void say_progress(struct psst_strip *strip, const struct psst_transfer *file)
{
    char size[PSST_SIZE_TEXT], time[PSST_SIZE_TEXT];
    double part = file->size > 0 ? (double)file->done / (double)file->size : 0;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    psst_strip_add(strip, 0, PSST_STYLE_PLAIN, file->in ? "<-" : "->", "%s %s", file->in ? "<-" : "->",
                   psst_out_text(file->contact, NAME_CHARS));
    if (file->size > 0) {
        struct psst_piece *bar = psst_strip_add(strip, 4, PSST_STYLE_PLAIN, NULL, "%s", "");
        bar->bar = BAR_COLUMNS;
        bar->value = part;
        psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "%d%%", (int)(part * 100));
        psst_strip_add(strip, 3, PSST_STYLE_PLAIN, NULL, "of %s", psst_out_size(size, (unsigned long long)file->size));
    } else {
        psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "%s",
                       psst_out_size(size, (unsigned long long)(file->done > 0 ? file->done : 0)));
    }
    if (is_state(file, "paused")) {
        bool us = file->paused_by != NULL && strcmp(file->paused_by, "us") == 0;
        psst_strip_add(strip, 1, PSST_STYLE_WARN, "paused",
                       us ? "paused: /files resume %lld" : "paused over there (%lld)", (long long)file->id);
    } else if (is_state(file, "waiting")) {
        psst_strip_add(strip, 1, PSST_STYLE_PLAIN, "waits", "waits (%lld)", (long long)file->id);
    } else {
        if (file->rate > 0)
            psst_strip_add(strip, 5, PSST_STYLE_PLAIN, NULL, "%s/s",
                           psst_out_size(size, (unsigned long long)file->rate));
        if (file->left_ms > 0)
            psst_strip_add(strip, 2, PSST_STYLE_PLAIN, NULL, "%s left",
                           psst_out_duration(time, (unsigned long long)file->left_ms));
    }
}

static void draw_one(const struct psst_transfer *file, struct psst_area area, int row)
{
    struct psst_strip strip = {.n = 0};
    if (psst_transfer_is_offer(file))
        say_offer(&strip, file);
    else
        say_progress(&strip, file);
    psst_strip_add(&strip, psst_transfer_is_offer(file) ? 1 : 2, PSST_STYLE_PLAIN, NULL, "%s", file->name)->last = true;
    psst_strip_draw(&strip, area, row, 1, PSST_STYLE_PLAIN);
}

void psst_view_transfers(struct psst_app *app, struct psst_area area)
{
    struct psst_seen_file seen[ROWS_MOST];
    if (area.rows <= 0 || area.columns <= 0) {
        psst_sight_files(app, NULL, 0);
        return;
    }
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    size_t n = count(app), shown = (size_t)area.rows;
    if (n > shown) shown--; /* the last row says how many there are besides */
    int row = 0;
    for (int offers = 1; offers >= 0; offers--) {
        for (size_t i = 0; i < psst_model_transfers(app->model) && (size_t)row < shown; i++) {
            const struct psst_transfer *file = psst_model_transfer(app->model, i);
            if (!psst_transfer_is_under_way(file) || psst_transfer_is_offer(file) != (offers == 1)) continue;
            if (row < ROWS_MOST) seen[row] = (struct psst_seen_file){.id = file->id, .offer = offers == 1};
            draw_one(file, area, row++);
        }
    }
    psst_sight_files(app, seen, (size_t)(row < ROWS_MOST ? row : ROWS_MOST));
    if (n > shown)
        psst_draw_format(area, area.rows - 1, 1, PSST_STYLE_DIM, "%zu %sfile%s: /files", n - shown,
                         shown > 0 ? "more " : "", n - shown == 1 ? "" : "s");
}
