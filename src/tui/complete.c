#include "tui/complete.h"

#include "tui/complete_find.h"

#include <stdio.h>
#include <stdlib.h>

#define LISTED_CHARS 40 /* of one candidate in the notice */

void psst_complete_end(struct psst_completion *completion)
{
    for (size_t i = 0; i < completion->n; i++) {
        free(completion->words[i]);
        free(completion->shown[i]);
    }
    free(completion->words);
    free(completion->shown);
    *completion = (struct psst_completion){0};
}

/* ---- what is put in ---- */

static void put_word(struct psst_buf *out, const struct psst_found *found, const char *word)
{
    if (found->quote == PSST_QUOTE_NONE)
        psst_buf_put_str(out, word);
    else
        psst_word_quote(out, word, found->quote == PSST_QUOTE_PATH, found->tilde);
}

/* A candidate as it stands in the line, with what comes behind it. NULL: no memory. */
static char *whole_word(const struct psst_found *found, const struct psst_candidate *candidate)
{
    struct psst_buf out;
    psst_buf_init(&out, PSST_ENTRY_MAX);
    put_word(&out, found, candidate->word);
    if (candidate->tail == ':') psst_buf_put_u8(&out, ':');
    if (candidate->tail != 0) psst_buf_put_u8(&out, ' ');
    psst_buf_put_u8(&out, '\0');
    char *word = out.failed ? NULL : strdup((const char *)out.data);
    psst_buf_fini(&out);
    return word;
}

/* For the list: rendered, since a file name is input from anybody. */
static char *shown_word(const struct psst_found *found, const struct psst_candidate *candidate)
{
    struct psst_buf out;
    psst_buf_init(&out, 4096);
    const char *text = candidate->shown != NULL ? candidate->shown : candidate->word + found->behind;
    psst_text_render(&out, psst_view_str(text), PSST_RENDER_LINE, LISTED_CHARS);
    psst_buf_put_u8(&out, '\0');
    char *shown = out.failed ? NULL : strdup((const char *)out.data);
    psst_buf_fini(&out);
    return shown;
}

static bool keep(struct psst_completion *completion, const struct psst_found *found)
{
    size_t n = found->n < PSST_COMPLETE_MAX ? found->n : PSST_COMPLETE_MAX;
    completion->words = calloc(n, sizeof *completion->words);
    completion->shown = calloc(n, sizeof *completion->shown);
    if (completion->words == NULL || completion->shown == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        completion->n = i + 1;
        completion->words[i] = whole_word(found, &found->list[i]);
        completion->shown[i] = shown_word(found, &found->list[i]);
        if (completion->words[i] == NULL || completion->shown[i] == NULL) return false;
    }
    completion->more = found->n - n;
    completion->chosen = n;
    return true;
}

/* False: it would become too long. */
static bool put_in(struct psst_completion *completion, struct psst_entry *entry, const char *word, bool whole)
{
    struct psst_view text = psst_entry_text(entry), with = psst_view_str(word);
    size_t rest = text.len - completion->to;
    /* a blank that is there already is the one behind it */
    if (whole && rest > 0 && with.len > 0 && with.data[with.len - 1] == ' ' && text.data[completion->to] == ' ')
        with.len--;
    size_t want = completion->from + with.len + rest;
    if (want > PSST_ENTRY_MAX) return false;
    psst_entry_replace(entry, completion->from, completion->to, with);
    if (psst_entry_text(entry).len != want) return false;
    completion->to = completion->from + with.len;
    return true;
}

/* ---- the list ---- */

/* From the chosen one on, which stands in brackets, as many as fit. */
static void list(struct psst_app *app, const struct psst_completion *completion)
{
    struct psst_buf line;
    psst_buf_init(&line, sizeof app->notice - 40);
    size_t first = completion->chosen < completion->n ? completion->chosen : 0, i = 0;
    for (; i < completion->n; i++) {
        size_t at = (first + i) % completion->n;
        const char *word = completion->shown[at];
        if (line.len + strlen(word) + 4 > line.max) break;
        if (i > 0) psst_buf_put_str(&line, "  ");
        psst_buf_printf(&line, at == completion->chosen ? "[%s]" : "%s", word);
    }
    psst_buf_put_u8(&line, '\0');
    size_t more = completion->n - i + completion->more;
    if (!line.failed && more > 0)
        psst_app_say(app, "%s  and %zu more", (const char *)line.data, more);
    else if (!line.failed)
        psst_app_say(app, "%s", (const char *)line.data);
    psst_buf_fini(&line);
}

/* ---- Tab ---- */

/* What all begin with, as the first one spells it: its length. */
static size_t common(const struct psst_found *found)
{
    const char *first = found->list[0].word;
    size_t len = strlen(first);
    bool folded = found->quote != PSST_QUOTE_PATH;
    for (size_t i = 1; i < found->n; i++) {
        const char *other = found->list[i].word;
        size_t same = 0;
        while (same < len && other[same] != '\0') {
            unsigned char a = (unsigned char)first[same], b = (unsigned char)other[same];
            if (folded && a >= 'A' && a <= 'Z') a |= 0x20;
            if (folded && b >= 'A' && b <= 'Z') b |= 0x20;
            if (a != b) break;
            same++;
        }
        len = same;
    }
    while (len > 0 && ((unsigned char)first[len] & 0xc0) == 0x80) len--;
    return len;
}

/* The beginning goes in when it says more than what is written; else the line stays as it was typed. */
static void put_common(struct psst_completion *completion, struct psst_entry *entry, const struct psst_found *found)
{
    struct psst_buf out, word;
    psst_buf_init(&word, PSST_ENTRY_MAX);
    psst_buf_init(&out, PSST_ENTRY_MAX);
    psst_buf_put(&word, found->list[0].word, common(found));
    psst_buf_put_u8(&word, '\0');
    if (!word.failed) {
        bool path = found->quote != PSST_QUOTE_NONE; /* with backslashes: no quote is left open */
        if (path)
            psst_word_quote(&out, (const char *)word.data, true, found->tilde);
        else
            psst_buf_put_str(&out, (const char *)word.data);
    }
    psst_buf_put_u8(&out, '\0');
    if (!word.failed && !out.failed && out.len - 1 > completion->to - completion->from)
        (void)put_in(completion, entry, (const char *)out.data, false);
    psst_buf_fini(&word);
    psst_buf_fini(&out);
}

static void begin(struct psst_completion *completion, struct psst_app *app, struct psst_entry *entry)
{
    struct psst_found found;
    size_t cursor = psst_entry_cursor(entry);
    psst_find(&found, app, psst_entry_text(entry), cursor);
    completion->from = found.from;
    completion->to = cursor;
    if (found.n == 0) {
        if (found.hidden > 0)
            psst_app_say(app, "what is there has a name that cannot be shown as it is, and is not offered");
    } else if (keep(completion, &found)) {
        if (found.n == 1) {
            (void)put_in(completion, entry, completion->words[0], true);
        } else {
            put_common(completion, entry, &found);
            list(app, completion);
            completion->active = true;
        }
    }
    psst_found_fini(&found);
}

void psst_complete(struct psst_completion *completion, struct psst_app *app, struct psst_entry *entry, bool back)
{
    bool goes_on = completion->active && completion->n > 0 && psst_entry_cursor(entry) == completion->to;
    if (!goes_on) {
        psst_complete_end(completion);
        begin(completion, app, entry);
        if (!completion->active) psst_complete_end(completion);
        return;
    }
    size_t n = completion->n, now = completion->chosen;
    completion->chosen = back ? (now == 0 || now == n ? n - 1 : now - 1) : (now == n ? 0 : (now + 1) % n);
    if (!put_in(completion, entry, completion->words[completion->chosen], true)) {
        psst_complete_end(completion);
        return;
    }
    list(app, completion);
}
