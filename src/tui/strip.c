#include "tui/strip.h"

#include <stdarg.h>
#include <stdio.h>

#define BETWEEN    2u
#define RANK_MOST  9u
#define LAST_LEAST 6u /* columns that somebody's words are cut to before they go */

struct psst_piece *psst_strip_add(struct psst_strip *strip, unsigned rank, enum psst_style style, const char *brief,
                                  const char *fmt, ...)
{
    if (strip->n == PSST_STRIP_PIECES) strip->n--;
    struct psst_piece *piece = &strip->pieces[strip->n++];
    *piece = (struct psst_piece){.rank = rank, .style = style, .mark = -1};
    if (brief != NULL) (void)snprintf(piece->brief, sizeof piece->brief, "%s", brief);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(piece->full, sizeof piece->full, fmt, args);
    va_end(args);
    return piece;
}

static const char *words(const struct psst_piece *piece)
{
    return piece->shown == PSST_PIECE_BRIEF ? piece->brief : piece->full;
}

static unsigned columns_of(const struct psst_piece *piece)
{
    if (piece->shown == PSST_PIECE_GONE) return 0;
    unsigned text = psst_text_columns(words(piece));
    return text + (text > 0 && piece->bar > 0 ? 1 : 0) + piece->bar;
}

static unsigned total(const struct psst_strip *strip)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < strip->n; i++) {
        const struct psst_piece *piece = &strip->pieces[i];
        unsigned columns = columns_of(piece);
        if (piece->last && columns > LAST_LEAST) columns = LAST_LEAST;
        if (columns > 0) sum += columns + (sum > 0 ? BETWEEN : 0);
    }
    return sum;
}

static bool can_shorten(const struct psst_piece *piece)
{
    return piece->shown == PSST_PIECE_FULL && piece->brief[0] != '\0';
}

/* How soon it gives way, the highest first. To be short is not as bad as to be gone: what matters less becomes short before
 * anything near it goes, and even what stays before its neighbours go. */
static unsigned readiness(const struct psst_piece *piece)
{
    if (!can_shorten(piece)) return 2 * piece->rank;
    return 2 * piece->rank + (piece->rank > 1 ? 7 : 3);
}

/* The one that gives way next, made shorter or gone. False: all that are left stay. */
static bool give_way(struct psst_strip *strip)
{
    struct psst_piece *next = NULL;
    for (unsigned i = 0; i < strip->n; i++) {
        struct psst_piece *piece = &strip->pieces[i];
        if (piece->shown == PSST_PIECE_GONE || (piece->rank == 0 && !can_shorten(piece))) continue;
        if (next == NULL || readiness(piece) >= readiness(next)) next = piece;
    }
    if (next == NULL) return false;
    next->shown = can_shorten(next) ? PSST_PIECE_BRIEF : PSST_PIECE_GONE;
    return true;
}

/* What one gave way for may have gone itself since: it is tried again, the most important first. */
static void try_again(struct psst_strip *strip, unsigned columns, unsigned from, unsigned rank)
{
    for (unsigned i = 0; i < strip->n; i++) {
        struct psst_piece *piece = &strip->pieces[i];
        if (piece->rank != rank || piece->shown != from) continue;
        bool brief = from == PSST_PIECE_GONE && piece->brief[0] != '\0';
        piece->shown = brief ? PSST_PIECE_BRIEF : PSST_PIECE_FULL;
        if (total(strip) > columns) piece->shown = from;
    }
}

unsigned psst_strip_fit(struct psst_strip *strip, unsigned columns)
{
    for (unsigned i = 0; i < strip->n; i++) strip->pieces[i].shown = PSST_PIECE_FULL;
    while (total(strip) > columns && give_way(strip)) continue;
    for (unsigned rank = 0; rank <= RANK_MOST; rank++) try_again(strip, columns, PSST_PIECE_GONE, rank);
    for (unsigned rank = 0; rank <= RANK_MOST; rank++) try_again(strip, columns, PSST_PIECE_BRIEF, rank);
    return total(strip);
}

static void draw_mark(struct psst_area area, int row, int column, const struct psst_piece *piece)
{
    double at = piece->mark < 1 ? piece->mark : 1;
    int cell = (int)(at * (piece->bar - 1) + 0.5);
    psst_draw_text(area, row, column + cell, PSST_STYLE_BOLD, "|");
}

/* One after the other, each no wider than what the ones behind it leave. */
void psst_strip_draw(struct psst_strip *strip, struct psst_area area, int row, int column, enum psst_style plain)
{
    int at = column, room = area.columns - column;
    (void)psst_strip_fit(strip, room > 0 ? (unsigned)room : 0);
    for (unsigned i = 0; i < strip->n && at < area.columns; i++) {
        const struct psst_piece *piece = &strip->pieces[i];
        enum psst_style style = piece->style == PSST_STYLE_PLAIN ? plain : piece->style;
        if (columns_of(piece) == 0) continue;
        if (at > column) at += (int)BETWEEN;
        if (words(piece)[0] != '\0') at += (int)psst_draw_text(area, row, at, style, words(piece));
        if (piece->bar == 0) continue;
        if (words(piece)[0] != '\0') at++;
        psst_draw_bar(area, row, at, piece->bar, plain, piece->value);
        if (piece->mark >= 0) draw_mark(area, row, at, piece);
        at += (int)piece->bar;
    }
}
