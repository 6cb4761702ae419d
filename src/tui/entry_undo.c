#include "tui/entry_edit.h"

#define JOINED_MAX 64 /* bytes that one undo takes back of what was typed or rubbed out */

static void drop(struct psst_undos *undos, struct psst_undo *undo)
{
    undos->bytes -= undo->removed.len;
    psst_buf_fini(&undo->removed);
}

static void drop_oldest(struct psst_undos *undos)
{
    drop(undos, &undos->list[0]);
    undos->n--;
    memmove(&undos->list[0], &undos->list[1], undos->n * sizeof undos->list[0]);
}

void psst_undo_forget(struct psst_entry *entry)
{
    struct psst_undos *undos = &entry->undos;
    while (undos->n > 0) drop(undos, &undos->list[--undos->n]);
    undos->closed = true;
}

/* A letter goes with those before it, up to the beginning of a word. */
static bool join_typed(const struct psst_entry *entry, struct psst_undo *last, size_t from, struct psst_view with)
{
    if (from == 0 || last->at + last->inserted != from || last->inserted >= JOINED_MAX || with.len == 0) return false;
    if (entry->text.data[from - 1] == ' ' && with.data[0] != ' ') return false;
    last->inserted += with.len;
    return true;
}

static bool join_rubbed(struct psst_undos *undos, struct psst_undo *last, struct psst_view removed, size_t from)
{
    if (from + removed.len != last->at || last->removed.len >= JOINED_MAX) return false;
    struct psst_buf longer;
    psst_buf_init(&longer, PSST_ENTRY_MAX);
    psst_buf_put_view(&longer, removed);
    psst_buf_put_view(&longer, psst_buf_view(&last->removed));
    if (longer.failed) {
        psst_buf_fini(&longer);
        return false;
    }
    psst_buf_fini(&last->removed);
    last->removed = longer;
    last->at = from;
    undos->bytes += removed.len;
    return true;
}

void psst_undo_note(struct psst_entry *entry, size_t from, size_t to, struct psst_view with, enum psst_edit kind)
{
    struct psst_undos *undos = &entry->undos;
    if (kind == PSST_EDIT_UNDO) return;
    struct psst_view removed = psst_view(entry->text.data + from, to - from);
    struct psst_undo *last = undos->n > 0 ? &undos->list[undos->n - 1] : NULL;
    bool more = last != NULL && !undos->closed && last->kind == kind;
    undos->closed = false;
    if (more && kind == PSST_EDIT_TYPED && removed.len == 0 && join_typed(entry, last, from, with)) return;
    if (more && kind == PSST_EDIT_RUBBED && with.len == 0 && join_rubbed(undos, last, removed, from)) return;
    while (undos->n == PSST_UNDO_MAX || (undos->n > 0 && undos->bytes + removed.len > PSST_UNDO_BYTES_MAX))
        drop_oldest(undos);
    struct psst_undo undo = {.kind = kind, .at = from, .inserted = with.len, .cursor = entry->cursor};
    psst_buf_init(&undo.removed, PSST_ENTRY_MAX);
    psst_buf_put_view(&undo.removed, removed);
    if (undo.removed.failed) { /* what came before it cannot be gone back to over a gap */
        psst_undo_forget(entry);
        return;
    }
    undos->bytes += undo.removed.len;
    undos->list[undos->n++] = undo;
}

bool psst_undo_last(struct psst_entry *entry)
{
    struct psst_undos *undos = &entry->undos;
    if (undos->n == 0) return false;
    struct psst_undo *last = &undos->list[undos->n - 1];
    if (!psst_entry_splice(entry, last->at, last->at + last->inserted, psst_buf_view(&last->removed), PSST_EDIT_UNDO))
        return false;
    entry->cursor = psst_walk_snap(psst_buf_view(&entry->text), last->cursor);
    drop(undos, last);
    undos->n--;
    undos->closed = true;
    return true;
}
