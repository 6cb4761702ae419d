#include "tui/rows.h"
#include "base/me.h"
#include "client/out.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_MOST    16u /* columns of a name; longer ones are cut */
#define NAME_LEAST   4u
#define TEXT_WISHED  24u /* columns for text for which a long name gives way */
#define TEXT_LEAST   2u
#define TIME_COLUMNS 6u  /* "14:03 " */
#define TIME_FROM    32u /* columns of a terminal that shows times */
#define OURS_INDENT  5u  /* "--   " */

/* ---- shape ---- */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

struct psst_gutter_shape psst_gutter_shape(unsigned columns, const char *alias)
{
    struct psst_gutter_shape shape = {.columns = columns, .time = columns >= TIME_FROM ? TIME_COLUMNS : 0};
    unsigned wished = psst_text_columns(psst_out_alias(alias, PSST_NAME_ROOM)),
             beside = shape.time + 2 + 3; /* mark, "| " and blanks */
    unsigned room = columns > beside + TEXT_WISHED ? columns - beside - TEXT_WISHED : 0;
    if (wished < sizeof PSST_ME - 1) wished = sizeof PSST_ME - 1;
    if (room < NAME_LEAST) room = NAME_LEAST;
    shape.name = least(least(wished, NAME_MOST), room);
    shape.bar = shape.time + 2 + shape.name + 1;
    shape.text = columns > shape.bar + 2 + TEXT_LEAST ? columns - shape.bar - 2 : TEXT_LEAST;
    return shape;
}

const struct psst_mark psst_marks[] = {
    {PSST_STATE_WAITING, '~', "waits here until there is a session"},
    {PSST_STATE_SENT, '>', "on its way, not acknowledged yet"},
    {PSST_STATE_DELIVERED, '.', "stored over there"},
    {PSST_STATE_READ, '+', "read, as the other side says"},
    {PSST_STATE_REFUSED, '!', "not accepted; the line below says why"},
    {PSST_STATE_RECALLED, 'x', "taken back before it left"},
};
const size_t psst_marks_count = sizeof psst_marks / sizeof psst_marks[0];

char psst_mark_of(const struct psst_item *item)
{
    if (item->kind != PSST_ITEM_MESSAGE || !item->out) return ' ';
    for (size_t i = 0; i < psst_marks_count; i++)
        if (psst_marks[i].state == item->state) return psst_marks[i].sign;
    return ' ';
}

static bool is_under_way(const struct psst_item *item)
{
    bool known = item->kind == PSST_ITEM_MESSAGE && item->out && item->reason != NULL && item->reason[0] != '\0';
    return known && (item->state == PSST_STATE_WAITING || item->state == PSST_STATE_SENT);
}

const struct psst_item *psst_rows_waits(const struct psst_conversation *conversation)
{
    for (size_t i = conversation != NULL ? psst_conversation_count(conversation) : 0; i-- > 0;) {
        const struct psst_item *item = psst_conversation_item(conversation, i);
        if (is_under_way(item)) return item;
    }
    return NULL;
}

/* ---- cache ---- */

#define SLOTS       160
#define CACHE_BYTES (900u * 1024) /* one longer than that is kept alone, while it is looked at */

enum part { PART_BODY, PART_REASON };

/* What a layout was made of. The text's sum is there because an item's text may change (edited, erased), and because serials
 * begin anew with each conversation. */
struct key {
    uint64_t serial, sum;
    int64_t seq, time_ms;
    size_t len;
    unsigned columns, bar;
    enum part part;
    bool ours;
};

static struct slot {
    struct key key;
    struct psst_layout layout;
    size_t bytes; /* 0: empty */
    uint64_t used;
} slots[SLOTS];
static size_t cached;
static uint64_t turn;

static const struct psst_layout nothing = {0};

static void slot_free(struct slot *slot)
{
    psst_layout_fini(&slot->layout);
    cached -= slot->bytes;
    *slot = (struct slot){.bytes = 0};
}

void psst_rows_forget(void)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].bytes > 0) slot_free(&slots[i]);
}

size_t psst_rows_cached(void)
{
    return cached;
}

static bool same_key(const struct key *a, const struct key *b)
{
    return a->serial == b->serial && a->sum == b->sum && a->seq == b->seq && a->time_ms == b->time_ms &&
           a->len == b->len && a->columns == b->columns && a->bar == b->bar && a->part == b->part && a->ours == b->ours;
}

static uint64_t sum_of(struct psst_view text)
{
    uint64_t sum = 14695981039346656037u; /* FNV-1a: tells apart, protects nothing */
    for (size_t i = 0; i < text.len; i++) sum = (sum ^ text.data[i]) * 1099511628211u;
    return sum;
}

/* An empty one, or the one that was not used for longest. But for `keep`. */
static struct slot *slot_oldest(const struct slot *keep, bool used)
{
    struct slot *oldest = NULL;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &slots[i];
        if (slot == keep || (used && slot->bytes == 0)) continue;
        if (slot->bytes == 0) return slot;
        if (oldest == NULL || slot->used < oldest->used) oldest = slot;
    }
    return oldest;
}

/* What could be taken for the "|" of a message. */
static bool bar_like(wchar_t c)
{
    static const uint16_t some[] = {'|',    0xa6,   0x1c0,  0x5c0,  0x964,  0x9f0,  0x1175, 0x2016,
                                    0x20d2, 0x2223, 0x23d0, 0x23b8, 0x23b9, 0x2758, 0x2759, 0x275a,
                                    0x2d4f, 0x3021, 0x3163, 0xa4f2, 0xfe31, 0xff5c, 0xffdc, 0xffe4};
    uint32_t cp = (uint32_t)c;
    if (cp >= 0x2500 && cp < 0x25a0) return true; /* boxes and blocks */
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        if (some[i] == cp) return true;
    return false;
}

/* A line of ours has no "|" at the column where messages have theirs, whatever names it tells. */
static void unbar(struct psst_layout *layout, unsigned bar, unsigned columns)
{
    for (size_t i = 0; i < layout->n_rows; i++) {
        const struct psst_row *row = &layout->rows[i];
        unsigned at = OURS_INDENT + (row->rtl && columns > row->columns ? columns - row->columns : 0);
        if (i == 0 && !row->rtl) at -= OURS_INDENT - 3; /* "-- " */
        for (size_t j = row->first; j < row->first + row->n; at += layout->cells[j++].columns) {
            struct psst_cell *cell = &layout->cells[j];
            if (at > bar || at + cell->columns <= bar || !bar_like(cell->chars[0])) continue;
            memset(cell->chars, 0, sizeof cell->chars);
            for (unsigned k = 0; k < cell->columns; k++) cell->chars[k] = L'?';
            if (cell->columns > 1) cell->chars[1] = L'\0', cell->chars[0] = 0xff1f; /* a wide one */
        }
    }
}

static const struct psst_layout *lay_out(struct key key, struct psst_view text)
{
    key.sum = sum_of(text);
    key.len = text.len;
    turn++;
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].bytes == 0 || !same_key(&slots[i].key, &key)) continue;
        slots[i].used = turn;
        return &slots[i].layout;
    }
    struct psst_layout made = {0};
    if (psst_layout_make(&made, text, PSST_RENDER_PARAGRAPH, key.columns) != PSST_OK) return &nothing;
    if (key.ours) unbar(&made, key.bar, key.columns);
    struct slot *slot = slot_oldest(NULL, false);
    if (slot->bytes > 0) slot_free(slot);
    size_t bytes = sizeof *slot + made.n_cells * sizeof *made.cells + made.n_rows * sizeof *made.rows;
    *slot = (struct slot){.key = key, .layout = made, .bytes = bytes, .used = turn};
    cached += bytes;
    /* a block has two layouts at most: the one that was used just before this stays */
    for (struct slot *old = slot_oldest(slot, true); cached > CACHE_BYTES && old != NULL && old->used + 1 < turn;
         old = slot_oldest(slot, true))
        slot_free(old);
    return &slot->layout;
}

/* ---- blocks ---- */

static bool other_day(int64_t a_ms, int64_t b_ms)
{
    time_t a = (time_t)(a_ms / 1000), b = (time_t)(b_ms / 1000);
    struct tm day, next;
    if (a == b) return false;
    if (localtime_r(&a, &day) == NULL || localtime_r(&b, &next) == NULL) return true;
    return day.tm_yday != next.tm_yday || day.tm_year != next.tm_year;
}

static unsigned count(const struct psst_layout *layout)
{
    return layout != NULL ? (unsigned)layout->n_rows : 0;
}

static unsigned ours_columns(const struct psst_gutter_shape *shape)
{
    return shape->columns > OURS_INDENT + TEXT_LEAST ? shape->columns - OURS_INDENT : TEXT_LEAST;
}

/* The words of ours go before those of others: text of somebody else's is never the beginning of our line. */
static const struct psst_layout *lay_out_ours(const struct psst_rows *rows, const struct psst_item *item,
                                              enum part part, const char *before, struct psst_view words)
{
    struct psst_buf text;
    struct key key = {.serial = item->serial,
                      .seq = item->seq,
                      .time_ms = item->time_ms,
                      .columns = ours_columns(&rows->shape),
                      .bar = rows->shape.bar,
                      .part = part,
                      .ours = true};
    psst_buf_init(&text, 1u << 17);
    psst_buf_put_str(&text, before);
    psst_buf_put_view(&text, words);
    const struct psst_layout *layout = text.failed ? &nothing : lay_out(key, psst_buf_view(&text));
    psst_buf_fini(&text);
    return layout;
}

void psst_rows_block(const struct psst_rows *rows, size_t i, struct psst_block *out)
{
    const struct psst_item *item = psst_conversation_item(rows->conversation, i);
    const struct psst_item *before = i > 0 ? psst_conversation_item(rows->conversation, i - 1) : NULL;
    *out = (struct psst_block){.day = before == NULL || other_day(before->time_ms, item->time_ms),
                               .fresh = rows->fresh_seq > 0 && item->kind == PSST_ITEM_MESSAGE &&
                                        item->seq == rows->fresh_seq};
    if (item->kind == PSST_ITEM_DAMAGED) {
        out->body = lay_out_ours(rows, item, PART_BODY, "cannot be read, the history is damaged: ", item->text);
    } else if (item->kind == PSST_ITEM_NOTE) {
        out->body = lay_out_ours(rows, item, PART_BODY, "", item->text);
    } else {
        struct key key = {.serial = item->serial,
                          .seq = item->seq,
                          .time_ms = item->time_ms,
                          .columns = rows->shape.text,
                          .part = PART_BODY};
        out->body = lay_out(key, item->text.len > 0 ? item->text : psst_view_str("text no longer kept"));
        if (item->state == PSST_STATE_REFUSED)
            out->reason = lay_out_ours(rows, item, PART_REASON,
                                       "not accepted: ", psst_view_str(item->reason != NULL ? item->reason : ""));
        else if (rows->waits != 0 && item->serial == rows->waits)
            out->reason = lay_out_ours(rows, item, PART_REASON, "", psst_view_str(item->reason));
    }
    out->rows = (out->day ? 1u : 0) + (out->fresh ? 1u : 0) + count(out->body) + count(out->reason);
}

enum psst_row_kind psst_block_row(const struct psst_block *block, unsigned row, size_t *of_layout)
{
    unsigned body = count(block->body);
    *of_layout = 0;
    if (block->day && row-- == 0) return PSST_ROW_DAY;
    if (block->fresh && row-- == 0) return PSST_ROW_FRESH;
    *of_layout = row < body ? row : row - body;
    return row < body ? PSST_ROW_BODY : PSST_ROW_REASON;
}

unsigned psst_block_row_at(const struct psst_block *block, uint32_t at)
{
    unsigned before = (block->day ? 1u : 0) + (block->fresh ? 1u : 0);
    const struct psst_layout *body = block->body;
    size_t i = 0;
    while (i + 1 < body->n_rows && body->rows[i].end <= at) i++;
    return before + (unsigned)i;
}
