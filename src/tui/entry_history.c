#include "base/secret.h"
#include "tui/entry_edit.h"

#include <stdlib.h>

static void drop(struct psst_view *line)
{
    uint8_t *data = (uint8_t *)(uintptr_t)line->data;
    if (data != NULL) psst_wipe(data, line->len);
    free(data);
    *line = psst_view(NULL, 0);
}

/* Whole text in the newest place; empty ones and the newest once more are not kept. */
static void add(struct psst_history *history, struct psst_view line)
{
    if (line.len == 0 || (history->n > 0 && psst_view_equal(history->lines[history->n - 1], line))) return;
    uint8_t *copy = malloc(line.len);
    if (copy == NULL) return;
    memcpy(copy, line.data, line.len);
    bool writing = history->at == history->n;
    if (history->n == PSST_ENTRY_HISTORY) {
        drop(&history->lines[0]);
        history->n--;
        if (history->at > 0) history->at--;
        memmove(&history->lines[0], &history->lines[1], history->n * sizeof history->lines[0]);
    }
    history->lines[history->n++] = psst_view(copy, line.len);
    if (writing) history->at = history->n;
}

static bool fits(const struct psst_history *history, size_t i)
{
    struct psst_view line = history->lines[i];
    return line.len >= history->prefix &&
           (history->prefix == 0 || memcmp(line.data, history->draft.data, history->prefix) == 0);
}

/* What is being written is kept; and it says which lines are gone through: those that begin so, if any does. */
static bool keep_draft(struct psst_entry *entry)
{
    struct psst_history *history = &entry->history;
    psst_buf_fini(&history->draft);
    psst_buf_put_view(&history->draft, psst_buf_view(&entry->text));
    if (history->draft.failed) {
        psst_buf_fini(&history->draft);
        return false;
    }
    history->prefix = history->draft.len;
    for (size_t i = 0; i < history->n; i++)
        if (fits(history, i)) return true;
    history->prefix = 0;
    return true;
}

bool psst_history_step(struct psst_entry *entry, int by)
{
    struct psst_history *history = &entry->history;
    size_t to = history->at;
    if (to == history->n) {
        if (by > 0 || history->n == 0 || !keep_draft(entry)) return false;
    } else if (!psst_view_equal(history->lines[to], psst_buf_view(&entry->text))) {
        /* one from before, and changed: not lost, but a line of its own */
        add(history, psst_buf_view(&entry->text));
        to = history->at;
    }
    if (by < 0) {
        do {
            if (to == 0) return false;
            to--;
        } while (!fits(history, to));
    } else {
        do to++;
        while (to < history->n && !fits(history, to));
    }
    if (!psst_entry_put(entry, to == history->n ? psst_buf_view(&history->draft) : history->lines[to])) return false;
    history->at = to;
    if (to == history->n) psst_buf_fini(&history->draft);
    return true;
}

void psst_history_leave(struct psst_entry *entry)
{
    entry->history.at = entry->history.n;
    psst_buf_fini(&entry->history.draft);
}

void psst_history_done(struct psst_entry *entry)
{
    struct psst_history *history = &entry->history;
    if (history->at < history->n) add(history, psst_buf_view(&history->draft));
    add(history, psst_buf_view(&entry->text));
    psst_history_leave(entry);
}

void psst_history_fini(struct psst_history *history)
{
    while (history->n > 0) drop(&history->lines[--history->n]);
    psst_buf_fini(&history->draft);
}
