/* Keys in readline's way. What moves or changes something ends a row of kills, of Up and Down, of letters that are undone
 * together; each key says which of them it goes on with. */
#include "tui/entry_edit.h"

static struct psst_view text_of(const struct psst_entry *entry)
{
    return psst_buf_view(&entry->text);
}

static enum psst_entry_did changed(bool done)
{
    return done ? PSST_ENTRY_CHANGED : PSST_ENTRY_FULL;
}

static enum psst_entry_did move(struct psst_entry *entry, size_t to)
{
    entry->cursor = to;
    return PSST_ENTRY_MOVED;
}

/* ---- to remove, and to have it again ---- */

static enum psst_entry_did rub(struct psst_entry *entry, size_t from, size_t to, enum psst_edit kind)
{
    if (from == to) return PSST_ENTRY_MOVED;
    return changed(psst_entry_splice(entry, from, to, psst_view(NULL, 0), kind));
}

/* What was killed by the key before is joined at the side where it stood. */
static enum psst_entry_did kill(struct psst_entry *entry, size_t from, size_t to, bool joined)
{
    entry->killing = true;
    if (from == to) {
        entry->killing = joined;
        return PSST_ENTRY_MOVED;
    }
    struct psst_view gone = psst_view(entry->text.data + from, to - from);
    struct psst_buf all;
    psst_buf_init(&all, PSST_ENTRY_MAX);
    if (joined && from == entry->cursor) psst_buf_put_view(&all, psst_buf_view(&entry->killed));
    psst_buf_put_view(&all, gone);
    if (joined && from != entry->cursor) psst_buf_put_view(&all, psst_buf_view(&entry->killed));
    if (all.failed) { /* more than a line can hold was killed: the last of it is what comes back */
        psst_buf_fini(&all);
        psst_buf_put_view(&all, gone);
    }
    psst_buf_fini(&entry->killed);
    entry->killed = all;
    return rub(entry, from, to, PSST_EDIT_ALONE);
}

static enum psst_entry_did kill_to_begin(struct psst_entry *entry, bool joined)
{
    size_t from = psst_walk_line_begin(text_of(entry), entry->cursor);
    if (from == entry->cursor)
        from = psst_walk_previous(text_of(entry), from); /* nothing before it in its line: the line feed */
    return kill(entry, from, entry->cursor, joined);
}

static enum psst_entry_did kill_to_end(struct psst_entry *entry, bool joined)
{
    size_t to = psst_walk_line_end(text_of(entry), entry->cursor);
    if (to == entry->cursor) to = psst_walk_next(text_of(entry), to);
    return kill(entry, entry->cursor, to, joined);
}

/* The cluster before the cursor goes behind the one at it; at the end of a line the last two change places. */
static enum psst_entry_did transpose(struct psst_entry *entry)
{
    struct psst_view text = text_of(entry);
    size_t middle = entry->cursor;
    if (middle == text.len || text.data[middle] == '\n') middle = psst_walk_previous(text, middle);
    size_t from = psst_walk_previous(text, middle), to = psst_walk_next(text, middle);
    if (from == middle || middle == to || text.data[from] == '\n' || text.data[middle] == '\n') return PSST_ENTRY_MOVED;
    struct psst_buf swapped;
    psst_buf_init(&swapped, PSST_ENTRY_MAX);
    psst_buf_put(&swapped, text.data + middle, to - middle);
    psst_buf_put(&swapped, text.data + from, middle - from);
    bool done = !swapped.failed && psst_entry_splice(entry, from, to, psst_buf_view(&swapped), PSST_EDIT_ALONE);
    psst_buf_fini(&swapped);
    return changed(done);
}

/* ---- to write ---- */

static enum psst_entry_did type(struct psst_entry *entry, uint32_t cp)
{
    uint8_t b[4];
    size_t n = 0;
    if (cp < 0x80) {
        b[n++] = (uint8_t)cp;
    } else if (cp < 0x800) {
        b[n++] = (uint8_t)(0xc0 | cp >> 6);
    } else if (cp < 0x10000) {
        b[n++] = (uint8_t)(0xe0 | cp >> 12);
        b[n++] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
    } else {
        b[n++] = (uint8_t)(0xf0 | (cp >> 18 & 0x07));
        b[n++] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
        b[n++] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
    }
    if (cp >= 0x80) b[n++] = (uint8_t)(0x80 | (cp & 0x3f));
    struct psst_view typed = psst_view(b, n);
    if (cp > 0x10ffff || !psst_text_valid(typed)) return PSST_ENTRY_MOVED;
    return changed(psst_entry_splice(entry, entry->cursor, entry->cursor, typed, PSST_EDIT_TYPED));
}

static enum psst_entry_did paste(struct psst_entry *entry, const struct psst_key *key)
{
    size_t before = entry->text.len;
    if (key->paste_len == 0) return PSST_ENTRY_MOVED;
    psst_entry_insert(entry, psst_view(key->paste, key->paste_len));
    return changed(entry->text.len != before);
}

/* ---- up and down ---- */

static enum psst_entry_did walk(struct psst_entry *entry, int by, unsigned columns, bool walking)
{
    const struct psst_layout *layout = psst_entry_layout(entry, entry->columns > 0 ? entry->columns : columns);
    if (layout == NULL) return PSST_ENTRY_MOVED;
    size_t row;
    unsigned column;
    psst_layout_find(layout, (uint32_t)entry->cursor, &row, &column);
    if (!walking) entry->column = column;
    entry->walking = true;
    if (by < 0 ? row > 0 : row + 1 < layout->n_rows) {
        size_t to = by < 0 ? row - 1 : row + 1;
        return move(entry, psst_walk_snap(text_of(entry), psst_layout_at(layout, to, entry->column)));
    }
    entry->walking = false;
    return psst_history_step(entry, by) ? PSST_ENTRY_CHANGED : PSST_ENTRY_MOVED;
}

/* ---- the table ---- */

struct last { /* what the key before did */
    bool killing, walking;
};

static enum psst_entry_did control(struct psst_entry *entry, uint32_t cp, struct last last)
{
    struct psst_view text = text_of(entry);
    size_t at = entry->cursor;
    switch (cp) {
    case 'a': return move(entry, psst_walk_line_begin(text, at));
    case 'e': return move(entry, psst_walk_line_end(text, at));
    case 'b': return move(entry, psst_walk_previous(text, at));
    case 'f': return move(entry, psst_walk_next(text, at));
    case 'd':
        if (text.len == 0) return PSST_ENTRY_IGNORED;
        return rub(entry, at, psst_walk_next(text, at), PSST_EDIT_ALONE);
    case 'h': return rub(entry, psst_walk_previous(text, at), at, PSST_EDIT_RUBBED);
    case 'j': return type(entry, '\n');
    case 'k': return kill_to_end(entry, last.killing);
    case 'u': return kill_to_begin(entry, last.killing);
    case 'w': return kill(entry, psst_walk_word_left(text, at, true), at, last.killing);
    case 'y': return changed(psst_entry_splice(entry, at, at, psst_buf_view(&entry->killed), PSST_EDIT_ALONE));
    case 't': return transpose(entry);
    case '_': return psst_undo_last(entry) ? PSST_ENTRY_CHANGED : PSST_ENTRY_MOVED;
    default: return PSST_ENTRY_IGNORED;
    }
}

static enum psst_entry_did alt(struct psst_entry *entry, const struct psst_key *key, struct last last)
{
    struct psst_view text = text_of(entry);
    size_t at = entry->cursor;
    if (key->code == PSST_KEY_ENTER) return type(entry, '\n');
    if (key->code == PSST_KEY_BACKSPACE) return kill(entry, psst_walk_word_left(text, at, false), at, last.killing);
    if (key->code != PSST_KEY_TEXT) return PSST_ENTRY_IGNORED;
    switch (key->cp) {
    case 'b': return move(entry, psst_walk_word_left(text, at, false));
    case 'f': return move(entry, psst_walk_word_right(text, at));
    case 'd': return kill(entry, at, psst_walk_word_right(text, at), last.killing);
    default: return PSST_ENTRY_IGNORED;
    }
}

static enum psst_entry_did with_control(struct psst_entry *entry, const struct psst_key *key, struct last last)
{
    struct psst_view text = text_of(entry);
    size_t at = entry->cursor;
    switch (key->code) {
    case PSST_KEY_TEXT: return control(entry, key->cp, last);
    case PSST_KEY_LEFT: return move(entry, psst_walk_word_left(text, at, false));
    case PSST_KEY_RIGHT: return move(entry, psst_walk_word_right(text, at));
    case PSST_KEY_HOME: return move(entry, 0);
    case PSST_KEY_END: return move(entry, text.len);
    case PSST_KEY_BACKSPACE: return kill(entry, psst_walk_word_left(text, at, false), at, last.killing);
    case PSST_KEY_DELETE: return kill(entry, at, psst_walk_word_right(text, at), last.killing);
    default: return PSST_ENTRY_IGNORED;
    }
}

static enum psst_entry_did bare(struct psst_entry *entry, const struct psst_key *key, unsigned columns,
                                struct last last)
{
    struct psst_view text = text_of(entry);
    size_t at = entry->cursor;
    switch (key->code) {
    case PSST_KEY_TEXT: return key->cp >= 0x20 && key->cp != 0x7f ? type(entry, key->cp) : PSST_ENTRY_IGNORED;
    case PSST_KEY_PASTE: return paste(entry, key);
    case PSST_KEY_ENTER: return (key->mods & PSST_MOD_SHIFT) != 0 ? type(entry, '\n') : PSST_ENTRY_IGNORED;
    case PSST_KEY_BACKSPACE: return rub(entry, psst_walk_previous(text, at), at, PSST_EDIT_RUBBED);
    case PSST_KEY_DELETE: return rub(entry, at, psst_walk_next(text, at), PSST_EDIT_ALONE);
    case PSST_KEY_INSERT: return PSST_ENTRY_MOVED; /* nothing, and nobody else's */
    case PSST_KEY_LEFT: return move(entry, psst_walk_previous(text, at));
    case PSST_KEY_RIGHT: return move(entry, psst_walk_next(text, at));
    case PSST_KEY_UP: return walk(entry, -1, columns, last.walking);
    case PSST_KEY_DOWN: return walk(entry, 1, columns, last.walking);
    case PSST_KEY_HOME: return move(entry, psst_walk_line_begin(text, at));
    case PSST_KEY_END: return move(entry, psst_walk_line_end(text, at));
    default: return PSST_ENTRY_IGNORED;
    }
}

enum psst_entry_did psst_entry_key(struct psst_entry *entry, const struct psst_key *key, unsigned columns)
{
    struct last last = {entry->killing, entry->walking};
    entry->killing = entry->walking = false;
    bool shaped = key->code == PSST_KEY_PASTE; /* mods mean nothing there */
    enum psst_entry_did did;
    if (!shaped && (key->mods & PSST_MOD_ALT) != 0)
        did = (key->mods & PSST_MOD_CONTROL) != 0 ? PSST_ENTRY_IGNORED : alt(entry, key, last);
    else if (!shaped && (key->mods & PSST_MOD_CONTROL) != 0)
        did = with_control(entry, key, last);
    else
        did = bare(entry, key, columns, last);
    if (did == PSST_ENTRY_MOVED) entry->undos.closed = true;
    return did;
}
