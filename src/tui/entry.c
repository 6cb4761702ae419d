#include "tui/entry.h"

#include "base/secret.h"
#include "tui/entry_edit.h"

#include <stdlib.h>

enum psst_err psst_entry_new(struct psst_entry **out)
{
    struct psst_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) return PSST_ERR_MEMORY;
    psst_buf_init(&entry->text, PSST_ENTRY_MAX);
    psst_buf_init(&entry->killed, PSST_ENTRY_MAX);
    psst_buf_init(&entry->history.draft, PSST_ENTRY_MAX);
    *out = entry;
    return PSST_OK;
}

static void forget_layout(struct psst_entry *entry)
{
    if (entry->laid) psst_layout_fini(&entry->layout);
    entry->laid = false;
}

void psst_entry_free(struct psst_entry *entry)
{
    if (entry == NULL) return;
    forget_layout(entry);
    psst_undo_forget(entry);
    psst_history_fini(&entry->history);
    psst_buf_fini(&entry->killed);
    psst_buf_fini(&entry->text);
    PSST_WIPE(*entry);
    free(entry);
}

void psst_entry_forget(struct psst_entry *entry)
{
    struct psst_history *history = &entry->history;
    if (history->at < history->n) (void)psst_entry_put(entry, psst_buf_view(&history->draft));
    psst_undo_forget(entry);
    psst_history_fini(history);
    history->at = 0;
    psst_buf_fini(&entry->killed);
}

struct psst_view psst_entry_text(const struct psst_entry *entry)
{
    return psst_buf_view(&entry->text);
}

size_t psst_entry_cursor(const struct psst_entry *entry)
{
    return entry->cursor;
}

bool psst_entry_splice(struct psst_entry *entry, size_t from, size_t to, struct psst_view with, enum psst_edit kind)
{
    struct psst_buf *text = &entry->text;
    size_t removed = to - from, rest = text->len - to;
    if (with.len > PSST_ENTRY_MAX - (text->len - removed)) return false;
    if (with.len > removed && psst_buf_reserve(text, with.len - removed) != PSST_OK) {
        text->failed = false; /* nothing is missing in it */
        return false;
    }
    if (with.len == 0 && removed == 0) return true;
    psst_undo_note(entry, from, to, with, kind);
    if (rest > 0) memmove(text->data + from + with.len, text->data + to, rest);
    if (with.len > 0) memcpy(text->data + from, with.data, with.len);
    size_t len = text->len - removed + with.len;
    if (len < text->len) psst_wipe(text->data + len, text->len - len);
    text->len = len;
    forget_layout(entry);
    entry->cursor = psst_walk_snap(psst_buf_view(text), from + with.len);
    return true;
}

bool psst_entry_put(struct psst_entry *entry, struct psst_view text)
{
    if (!psst_entry_splice(entry, 0, entry->text.len, text, PSST_EDIT_UNDO)) return false;
    psst_undo_forget(entry);
    entry->top = 0;
    return true;
}

/* ---- from outside ---- */

/* What of it is UTF-8 without NUL: `text` itself when all is, else a copy in `clean`. */
static struct psst_view cleaned(struct psst_view text, struct psst_buf *clean)
{
    psst_buf_init(clean, text.len);
    if (psst_text_valid(text)) return text;
    for (size_t at = 0, len; at<text.len; at += len> 0 ? len : 1) {
        for (len = text.len - at < 4 ? text.len - at : 4; len > 0; len--) {
            bool one = len == 1 || (text.data[at + len - 1] & 0xc0) == 0x80;
            if (one && text.data[at] != 0 && psst_text_valid(psst_view(text.data + at, len))) break;
        }
        psst_buf_put(clean, text.data + at, len);
    }
    if (clean->failed) clean->len = 0;
    return psst_buf_view(clean);
}

static void one_change(struct psst_entry *entry)
{
    entry->killing = entry->walking = false;
    entry->undos.closed = true;
}

void psst_entry_set(struct psst_entry *entry, struct psst_view text, size_t cursor)
{
    struct psst_buf clean;
    struct psst_view good = cleaned(text, &clean);
    one_change(entry);
    psst_history_leave(entry);
    if (psst_entry_put(entry, good) && cursor < good.len)
        entry->cursor = psst_walk_snap(psst_buf_view(&entry->text), cursor);
    psst_buf_fini(&clean);
}

void psst_entry_replace(struct psst_entry *entry, size_t from, size_t to, struct psst_view text)
{
    struct psst_view now = psst_buf_view(&entry->text);
    struct psst_buf clean;
    struct psst_view good = cleaned(text, &clean);
    if (to > now.len) to = now.len;
    if (from > to) from = to;
    while (from > 0 && from < now.len && (now.data[from] & 0xc0) == 0x80) from--;
    while (to < now.len && (now.data[to] & 0xc0) == 0x80) to++;
    one_change(entry);
    (void)psst_entry_splice(entry, from, to, good, PSST_EDIT_ALONE);
    psst_buf_fini(&clean);
}

void psst_entry_insert(struct psst_entry *entry, struct psst_view text)
{
    psst_entry_replace(entry, entry->cursor, entry->cursor, text);
}

void psst_entry_clear(struct psst_entry *entry)
{
    psst_entry_set(entry, psst_view(NULL, 0), 0);
}

void psst_entry_done(struct psst_entry *entry)
{
    psst_history_done(entry);
    psst_entry_clear(entry);
}

/* ---- rows ---- */

const struct psst_layout *psst_entry_layout(struct psst_entry *entry, unsigned columns)
{
    if (columns < 2) columns = 2;
    entry->columns = columns;
    if (entry->laid && entry->laid_for == columns) return &entry->layout;
    forget_layout(entry);
    if (psst_layout_make(&entry->layout, psst_buf_view(&entry->text), PSST_RENDER_PARAGRAPH, columns) != PSST_OK)
        return NULL;
    entry->laid = true;
    entry->laid_for = columns;
    return &entry->layout;
}

size_t psst_entry_top(struct psst_entry *entry, const struct psst_layout *layout, size_t rows)
{
    size_t row;
    unsigned column;
    psst_layout_find(layout, (uint32_t)entry->cursor, &row, &column);
    if (rows == 0) rows = 1;
    if (entry->top + rows > layout->n_rows) entry->top = layout->n_rows > rows ? layout->n_rows - rows : 0;
    if (row < entry->top) entry->top = row;
    if (row >= entry->top + rows) entry->top = row - rows + 1;
    return entry->top;
}
