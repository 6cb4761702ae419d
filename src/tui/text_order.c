/* The order in which text is seen (UAX 9). Rendering has dropped every control of direction, so that there are never more
 * than three levels, and nobody can turn words around but by the letters that he uses. One code point stands for a cell. */
#include "tui/text_parts.h"

#include "base/secret.h"

#include <fribidi.h>
#include <stdlib.h>

_Static_assert(sizeof(FriBidiChar) == 4 && sizeof(FriBidiCharType) == 4 && sizeof(FriBidiBracketType) == 4,
               "one room for three");
_Static_assert(sizeof(FriBidiLevel) == 1, "levels are bytes");

static FriBidiCharType type_of(const struct psst_cell *cell)
{
    /* what goes on with a cluster stays with it */
    return cell->len == 0 ? FRIBIDI_TYPE_NSM : fribidi_get_bidi_type((FriBidiChar)cell->chars[0]);
}

static bool any_rtl(const struct psst_cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cells[i].chars[0] >= 0x590 && FRIBIDI_IS_RTL(type_of(&cells[i]))) return true;
    return false;
}

static void free_room(struct psst_order *order)
{
    if (order->room != NULL) psst_wipe(order->room, order->cap * (3 * sizeof *order->room + 1));
    free(order->room);
    order->cap = 0;
}

static enum psst_err make_room(struct psst_order *order, size_t n)
{
    if (n <= order->cap) return PSST_OK;
    free_room(order);
    order->room = calloc(n, 3 * sizeof *order->room + 1);
    if (order->room == NULL) return PSST_ERR_MEMORY;
    order->cap = n;
    return PSST_OK;
}

enum psst_err psst_order_find(struct psst_order *order, struct psst_cell *cells, size_t n)
{
    order->levels = NULL;
    order->rtl = false;
    if (!any_rtl(cells, n)) return PSST_OK;
    if (make_room(order, n) != PSST_OK) return PSST_ERR_MEMORY;
    FriBidiChar *chars = order->room;
    FriBidiCharType *types = order->room + n;
    FriBidiBracketType *brackets = order->room + 2 * n;
    FriBidiLevel *levels = (FriBidiLevel *)(order->room + 3 * n);
    for (size_t i = 0; i < n; i++) {
        chars[i] = (FriBidiChar)cells[i].chars[0];
        types[i] = type_of(&cells[i]);
    }
    fribidi_get_bracket_types(chars, (FriBidiStrIndex)n, types, brackets);
    FriBidiParType direction = FRIBIDI_PAR_ON;
    if (fribidi_get_par_embedding_levels_ex(types, brackets, (FriBidiStrIndex)n, &direction, levels) == 0)
        return PSST_ERR_MEMORY;
    order->levels = (uint8_t *)levels;
    order->rtl = FRIBIDI_IS_RTL(direction);
    for (size_t i = 0; i < n; i++) cells[i].rtl = (levels[i] & 1) != 0;
    return PSST_OK;
}

static void turn_bracket(struct psst_cell *cell)
{
    FriBidiChar mirror;
    if (!fribidi_get_mirror_char((FriBidiChar)cell->chars[0], &mirror)) return;
    if (psst_char_columns(mirror) == cell->columns) cell->chars[0] = (wchar_t)mirror;
}

static void reverse(struct psst_cell *cells, uint8_t *levels, size_t from, size_t to)
{
    for (; from + 1 < to; from++, to--) {
        struct psst_cell cell = cells[from];
        cells[from] = cells[to - 1];
        cells[to - 1] = cell;
        uint8_t level = levels[from];
        levels[from] = levels[to - 1];
        levels[to - 1] = level;
    }
}

void psst_order_row(struct psst_order *order, struct psst_cell *cells, size_t first, size_t n)
{
    if (order->levels == NULL) return;
    struct psst_cell *row = cells + first;
    uint8_t *levels = order->levels + first, base = order->rtl ? 1 : 0, highest = 0;
    while (n > 0 && row[n - 1].columns == 0) row[--n].rtl = order->rtl;         /* they stay behind */
    for (size_t i = n; i > 0 && type_of(&row[i - 1]) == FRIBIDI_TYPE_WS; i--) { /* L1 */
        levels[i - 1] = base;
        row[i - 1].rtl = order->rtl;
    }
    for (size_t i = 0; i < n; i++) {
        if (levels[i] > highest) highest = levels[i];
        if (row[i].rtl) turn_bracket(&row[i]);
    }
    for (uint8_t level = highest; level > 0; level--) { /* L2 */
        for (size_t from = 0; from < n;) {
            size_t to = from;
            while (to < n && levels[to] >= level) to++;
            if (to > from) reverse(row, levels, from, to);
            from = to + 1;
        }
    }
}

void psst_order_fini(struct psst_order *order)
{
    free_room(order);
    *order = (struct psst_order){0};
}
