/* Clusters, and the cells that show them.
 *
 * Widths are the C library's, since ncurses and most terminals go by them. Where Unicode's tables say something else a
 * terminal may do so too, and the character is replaced, but for what was found to be the same wherever it was tried:
 *
 *   vowel signs that stand beside their letter (Mc)  one column, a cell of their own
 *   conjoining jamo                                  composed; without a syllable to join they are replaced
 *   regional indicators                              one column each, in pairs; one alone is replaced
 *   skin tones                                       left out: some terminals join them to the emoji, some do not
 */
#include "tui/text_parts.h"

#include "base/secret.h"

#include <stdlib.h>
#include <utf8proc.h>

#define LF ((uint32_t)'\n')
#define CR ((uint32_t)'\r')

static bool ascii(uint8_t b)
{
    return b >= 0x20 && b < 0x7f;
}

/* ---- characters ---- */

static bool between(uint32_t cp, uint32_t first, uint32_t last)
{
    return cp >= first && cp <= last;
}

static bool regional(uint32_t cp)
{
    return between(cp, 0x1f1e6, 0x1f1ff);
}

static bool skin_tone(uint32_t cp)
{
    return between(cp, 0x1f3fb, 0x1f3ff);
}

int psst_char_columns(uint32_t cp)
{
    if (between(cp, 0x20, 0x7e)) return 1;
    int library = wcwidth((wchar_t)cp), unicode = utf8proc_charwidth((utf8proc_int32_t)cp);
    if (library == unicode) return library;
    if (library == 1 && utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_MC) return 1;
    if (library == 0 && (between(cp, 0x1160, 0x11ff) || between(cp, 0xd7b0, 0xd7fb))) return 0;
    return -1;
}

/* A vowel or a final consonant into the syllable before it (Unicode 15, section 3.12); 0: they make none. */
static uint32_t compose_hangul(uint32_t before, uint32_t cp)
{
    if (between(before, 0x1100, 0x1112) && between(cp, 0x1161, 0x1175))
        return 0xac00 + ((before - 0x1100) * 21 + (cp - 0x1161)) * 28;
    if (between(before, 0xac00, 0xd7a3) && (before - 0xac00) % 28 == 0 && between(cp, 0x11a8, 0x11c2))
        return before + (cp - 0x11a7);
    return 0;
}

/* ---- boundaries ---- */

/* The end of the cluster that begins at `at`, as UAX 29 has it, except that CR and LF are two: one is shown, the other is not. */
static size_t cluster_end(struct psst_view text, size_t at)
{
    const uint8_t *p = text.data;
    if (ascii(p[at]) && (at + 1 == text.len || p[at + 1] < 0x80)) return at + 1;
    uint32_t before, cp;
    at += psst_text_decode(p + at, text.len - at, &before);
    if (before == PSST_TEXT_INVALID) before = PSST_TEXT_REPLACEMENT;
    utf8proc_int32_t state = 0;
    while (at < text.len && before != LF && before != CR) {
        size_t len = psst_text_decode(p + at, text.len - at, &cp);
        if (cp == PSST_TEXT_INVALID) cp = PSST_TEXT_REPLACEMENT;
        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)before, (utf8proc_int32_t)cp, &state)) break;
        before = cp;
        at += len;
    }
    return at;
}

/* ---- cells ---- */

void psst_cells_init(struct psst_cells *cells)
{
    *cells = (struct psst_cells){0};
    psst_buf_init(&cells->shown, SIZE_MAX / 4);
}

void psst_cells_fini(struct psst_cells *cells)
{
    psst_buf_fini(&cells->shown);
    if (cells->at != NULL) psst_wipe(cells->at, cells->n * sizeof *cells->at);
    free(cells->at);
    cells->at = NULL;
    cells->n = cells->cap = 0;
}

/* One more cell, without characters, at the end; NULL: out of memory. Good until the next one. */
static struct psst_cell *add(struct psst_cells *cells, size_t at, size_t len)
{
    if (cells->n == cells->cap) {
        size_t cap = cells->cap == 0 ? 64 : 2 * cells->cap;
        struct psst_cell *more = cells->failed ? NULL : malloc(cap * sizeof *more);
        if (more == NULL) {
            cells->failed = true;
            return NULL;
        }
        if (cells->n > 0) { /* not realloc: wiped wherever it stood */
            memcpy(more, cells->at, cells->n * sizeof *more);
            psst_wipe(cells->at, cells->n * sizeof *more);
        }
        free(cells->at);
        cells->at = more;
        cells->cap = cap;
    }
    struct psst_cell *cell = &cells->at[cells->n++];
    memset(cell, 0, sizeof *cell);
    cell->at = (uint32_t)at;
    cell->len = (uint32_t)len;
    return cell;
}

/* A character that takes no columns of its own: onto the cell before. What does not fit is left out. */
static void join(struct psst_cell *cell, uint32_t cp)
{
    size_t n = wcslen(cell->chars);
    if (n < PSST_CELL_CHARS && cell->chars[0] != PSST_TEXT_REPLACEMENT) cell->chars[n] = (wchar_t)cp;
}

/* The cells of what rendering made of one cluster. */
static void add_shown(struct psst_cells *cells, size_t at, size_t len)
{
    struct psst_cell *cell = NULL; /* the one before, of this cluster */
    bool flag = false;             /* it is the first half of one */
    struct psst_view shown = psst_buf_view(&cells->shown);
    for (size_t i = 0; i < shown.len;) {
        uint32_t cp, next = 0;
        i += psst_text_decode(shown.data + i, shown.len - i, &cp);
        uint32_t syllable = cell != NULL && cell->chars[1] == 0 ? compose_hangul((uint32_t)cell->chars[0], cp) : 0;
        if (syllable != 0) {
            cell->chars[0] = (wchar_t)syllable;
            continue;
        }
        if (cell != NULL && skin_tone(cp)) continue;
        int columns = psst_char_columns(cp);
        if (cell != NULL && columns == 0) {
            join(cell, cp);
            continue;
        }
        if (regional(cp) && !flag) {
            if (i < shown.len) (void)psst_text_decode(shown.data + i, shown.len - i, &next);
            flag = regional(next);
            if (!flag) columns = -1;
        } else {
            flag = false;
        }
        bool odd = columns <= 0 || skin_tone(cp);
        cell = add(cells, at, cell == NULL ? len : 0);
        if (cell == NULL) return;
        cell->chars[0] = odd ? PSST_TEXT_REPLACEMENT : (wchar_t)cp;
        cell->columns = odd ? 1 : (uint8_t)columns;
    }
}

size_t psst_cells_take(struct psst_cells *cells, struct psst_view text, size_t at, enum psst_render how)
{
    size_t end = cluster_end(text, at);
    uint8_t first = text.data[at];
    if (end == at + 1 && (ascii(first) || (first == LF && how == PSST_RENDER_PARAGRAPH))) {
        struct psst_cell *cell = add(cells, at, 1);
        if (cell == NULL || first == LF) return end;
        cell->chars[0] = first;
        cell->columns = 1;
        return end;
    }
    cells->shown.len = 0;
    psst_text_render(&cells->shown, psst_view(text.data + at, end - at), how, SIZE_MAX);
    if (cells->shown.failed)
        cells->failed = true;
    else
        add_shown(cells, at, end - at);
    return end;
}

/* ---- text as the entry line walks it ---- */

static bool paragraph_start(struct psst_view text, size_t at)
{
    return at == 0 || text.data[at - 1] == LF;
}

static bool visible(struct psst_cells *cells, struct psst_view text, size_t at, size_t *end)
{
    if (ascii(text.data[at]) || text.data[at] == LF) {
        *end = cluster_end(text, at);
        return true;
    }
    cells->n = 0;
    *end = psst_cells_take(cells, text, at, PSST_RENDER_PARAGRAPH);
    return cells->n > 0 || cells->failed;
}

/* From one boundary to the next: what cannot be seen belongs to what stands before it, or to what follows where a paragraph
 * begins with it, as in psst_layout_make. */
static size_t next_boundary(struct psst_cells *cells, struct psst_view text, size_t at)
{
    size_t end = at;
    bool seen = !paragraph_start(text, at);
    if (seen) (void)visible(cells, text, at, &end); /* whatever it is: a step */
    while (!seen && end < text.len) seen = visible(cells, text, end, &end);
    if (text.data[end - 1] == LF) return end;
    size_t after;
    while (end < text.len && !visible(cells, text, end, &after)) end = after;
    return end;
}

size_t psst_text_next(struct psst_view text, size_t at)
{
    if (at >= text.len) return text.len;
    struct psst_cells cells;
    psst_cells_init(&cells);
    size_t next = next_boundary(&cells, text, at);
    psst_cells_fini(&cells);
    return next;
}

/* The code point that ends at `at`, and where it begins; PSST_TEXT_INVALID: one byte. */
static size_t step_back(struct psst_view text, size_t at, uint32_t *cp)
{
    for (size_t begin = at; begin > 0 && at - begin < 4;)
        if ((text.data[--begin] & 0xc0) != 0x80)
            if (psst_text_decode(text.data + begin, at - begin, cp) == at - begin && *cp != PSST_TEXT_INVALID)
                return begin;
    *cp = PSST_TEXT_INVALID;
    return at - 1;
}

/* The code point in [from, to) can be seen. Only it is looked at, so that a long cluster is not looked at again and again. */
static bool visible_alone(struct psst_cells *cells, struct psst_view text, size_t from, size_t to)
{
    size_t end;
    return visible(cells, psst_view(text.data, to), from, &end);
}

/* A boundary before `at` from which on all can be told without looking further back: the start of a paragraph, or between two
 * characters that never join, and that can both be seen. */
static size_t safe_before(struct psst_cells *cells, struct psst_view text, size_t at)
{
    uint32_t before, after;
    size_t here = step_back(text, at, &after);
    while (!paragraph_start(text, here)) {
        size_t there = step_back(text, here, &before);
        if (before != PSST_TEXT_INVALID && after != PSST_TEXT_INVALID &&
            utf8proc_grapheme_break((utf8proc_int32_t)before, (utf8proc_int32_t)after) &&
            visible_alone(cells, text, there, here) && visible_alone(cells, text, here, at))
            break;
        at = here;
        here = there;
        after = before;
    }
    return here;
}

size_t psst_text_previous(struct psst_view text, size_t at)
{
    if (at > text.len) at = text.len;
    if (at == 0) return 0;
    struct psst_cells cells;
    psst_cells_init(&cells);
    size_t here = safe_before(&cells, text, at);
    for (size_t next; (next = next_boundary(&cells, text, here)) < at;) here = next;
    psst_cells_fini(&cells);
    return here;
}

unsigned psst_text_columns(const char *text)
{
    struct psst_view view = psst_view_str(text);
    struct psst_cells cells;
    psst_cells_init(&cells);
    unsigned columns = 0;
    for (size_t at = 0; at < view.len && !cells.failed;) {
        cells.n = 0;
        at = psst_cells_take(&cells, view, at, PSST_RENDER_LINE);
        for (size_t i = 0; i < cells.n; i++) columns += cells.at[i].columns;
    }
    psst_cells_fini(&cells);
    return columns;
}
