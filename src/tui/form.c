/* Forms: what is in them, and their keys. form_draw.c draws them. */
#include "tui/form.h"

#include "base/secret.h"
#include "tui/form_internal.h"
#include "tui/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX   4096
#define WIDE_ENOUGH 1000 /* columns: a field is one row, whatever it holds */
#define PATH_MAX_   1023
#define WHEEL_ROWS  3

/* ---- making ---- */

static void clear_item(struct psst_form_item *item)
{
    free(item->label);
    psst_entry_free(item->entry);
    psst_qr_fini(&item->qr);
}

void psst_form_clear(struct psst_form *form)
{
    for (size_t i = 0; i < form->n; i++) clear_item(&form->items[i]);
    *form = (struct psst_form){.follow = true};
}

static bool takes_keys(const struct psst_form_item *item)
{
    return item->kind != PSST_FORM_WORDS && item->kind != PSST_FORM_QR;
}

/* A further item; NULL: no room. */
static struct psst_form_item *add(struct psst_form *form, enum psst_form_kind kind, int id, const char *label)
{
    if (form->n == PSST_FORM_ITEMS) return NULL;
    struct psst_form_item item = {.kind = kind, .id = id, .label = strdup(label)};
    if (item.label == NULL) return NULL;
    bool first = takes_keys(&item);
    for (size_t i = 0; i < form->n; i++) first = first && !takes_keys(&form->items[i]);
    form->items[form->n] = item;
    if (first) form->focus = form->n;
    form->follow = true;
    return &form->items[form->n++];
}

void psst_form_words(struct psst_form *form, enum psst_style style, const char *fmt, ...)
{
    char words[WORDS_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    struct psst_form_item *item = add(form, PSST_FORM_WORDS, 0, words);
    if (item != NULL) item->style = style;
}

void psst_form_fact(struct psst_form *form, enum psst_style style, const char *label, const char *text)
{
    struct psst_buf shown;
    psst_buf_init(&shown, WORDS_MAX);
    psst_text_render(&shown, psst_view_str(text), PSST_RENDER_LINE, 1000);
    const char *between = label[0] == '\0' ? "" : label[0] == '!' ? " " : ": ";
    psst_form_words(form, style, "%s%s%.*s", label, between, (int)shown.len,
                    shown.len > 0 ? (const char *)shown.data : "");
    psst_buf_fini(&shown);
}

void psst_form_field(struct psst_form *form, int id, const char *label, const char *text, size_t max)
{
    struct psst_form_item *item = add(form, PSST_FORM_FIELD, id, label);
    if (item == NULL) return;
    item->max = max;
    if (psst_entry_new(&item->entry) != PSST_OK) {
        clear_item(item);
        form->n--;
        return;
    }
    psst_entry_set(item->entry, psst_view_str(text), strlen(text));
}

void psst_form_path(struct psst_form *form, int id, const char *label, const char *text)
{
    size_t n = form->n;
    psst_form_field(form, id, label, text, PATH_MAX_);
    if (form->n > n) form->items[n].path = true;
}

void psst_form_choice(struct psst_form *form, int id, const char *options, unsigned chosen)
{
    struct psst_form_item *item = add(form, PSST_FORM_CHOICE, id, options);
    if (item == NULL) return;
    item->options = 1;
    for (const char *p = options; *p != '\0'; p++) item->options += *p == '\n';
    item->chosen = chosen < item->options ? chosen : 0;
}

void psst_form_secret(struct psst_form *form, int id, const char *label, const struct psst_passphrase *secret)
{
    struct psst_form_item *item = add(form, PSST_FORM_SECRET, id, label);
    if (item != NULL) item->secret = secret;
}

void psst_form_button(struct psst_form *form, int id, const char *label)
{
    (void)add(form, PSST_FORM_BUTTON, id, label);
}

void psst_form_qr(struct psst_form *form, struct psst_qr *qr)
{
    struct psst_form_item *item = add(form, PSST_FORM_QR, 0, "");
    if (item != NULL)
        item->qr = *qr;
    else
        psst_qr_fini(qr);
    *qr = (struct psst_qr){.n = 0};
}

static struct psst_form_item *find(const struct psst_form *form, int id)
{
    for (size_t i = 0; i < form->n; i++)
        if (id != 0 && form->items[i].id == id) return (struct psst_form_item *)&form->items[i];
    return NULL;
}

void psst_form_focus(struct psst_form *form, int id)
{
    const struct psst_form_item *item = find(form, id);
    if (item == NULL) return;
    form->focus = (size_t)(item - form->items);
    form->follow = true;
}

/* ---- reading ---- */

char *psst_form_text(const struct psst_form *form, int id)
{
    const struct psst_form_item *item = find(form, id);
    struct psst_view text = item != NULL && item->entry != NULL ? psst_entry_text(item->entry) : psst_view("", 0);
    return strndup(text.len > 0 ? (const char *)text.data : "", text.len);
}

unsigned psst_form_chosen(const struct psst_form *form, int id)
{
    const struct psst_form_item *item = find(form, id);
    return item != NULL ? item->chosen : 0;
}

void psst_form_set(struct psst_form *form, int id, const char *text)
{
    const struct psst_form_item *item = find(form, id);
    if (item != NULL && item->entry != NULL) psst_entry_set(item->entry, psst_view_str(text), strlen(text));
}

void psst_form_choose(struct psst_form *form, int id, unsigned chosen)
{
    struct psst_form_item *item = find(form, id);
    if (item != NULL && chosen < item->options) item->chosen = chosen;
}

int psst_form_focused(const struct psst_form *form)
{
    return form->focus < form->n ? form->items[form->focus].id : 0;
}

/* ---- keys ---- */

/* The next item in that direction that takes keys; that which has them when there is none. */
static size_t neighbour(const struct psst_form *form, int by)
{
    for (size_t i = form->focus + (size_t)by; i < form->n; i += (size_t)by)
        if (takes_keys(&form->items[i])) return i;
    return form->focus;
}

static void scroll_by(struct psst_form *form, int rows)
{
    int most = form->rows > form->area.rows ? form->rows - form->area.rows : 0;
    form->scroll += rows;
    if (form->scroll > most) form->scroll = most;
    if (form->scroll < 0) form->scroll = 0;
    form->follow = false;
}

static void move(struct psst_form *form, int by)
{
    size_t to = neighbour(form, by);
    if (to == form->focus) scroll_by(form, by);
    form->follow = to != form->focus;
    form->focus = to;
}

static enum psst_form_did press(struct psst_form *form, size_t i)
{
    form->focus = i;
    form->pressed = form->items[i].id;
    return PSST_FORM_PRESSED;
}

static enum psst_form_did enter(struct psst_form *form)
{
    if (form->focus >= form->n) return PSST_FORM_IGNORED;
    size_t next = neighbour(form, 1);
    if (form->items[form->focus].kind == PSST_FORM_BUTTON) return press(form, form->focus);
    if (next != form->focus && form->items[next].kind == PSST_FORM_BUTTON) return press(form, next);
    move(form, 1);
    return PSST_FORM_TOOK;
}

static bool choose(struct psst_form *form, struct psst_form_item *item, enum psst_key_code code)
{
    bool back = code == PSST_KEY_UP || code == PSST_KEY_LEFT;
    if (back ? item->chosen == 0 : item->chosen + 1 == item->options) return false;
    item->chosen += back ? (unsigned)-1 : 1;
    form->follow = true;
    return true;
}

/* Up to the first line feed, and without what no line holds. */
static void paste(struct psst_form_item *item, const struct psst_key *key)
{
    size_t from = 0, len;
    while (from < key->paste_len && (key->paste[from] == '\n' || key->paste[from] == ' ')) from++;
    const char *end = memchr(key->paste + from, '\n', key->paste_len - from);
    len = end != NULL ? (size_t)(end - key->paste) - from : key->paste_len - from;
    if (psst_entry_text(item->entry).len + len > item->max) return;
    psst_entry_insert(item->entry, psst_view(key->paste + from, len));
}

static enum psst_form_did edit(struct psst_form *form, struct psst_form_item *item, const struct psst_key *key)
{
    if (key->code == PSST_KEY_PASTE) {
        paste(item, key);
        return PSST_FORM_TOOK;
    }
    bool line_feed = key->code == PSST_KEY_TEXT && key->mods == PSST_MOD_CONTROL && key->cp == 'j';
    if (line_feed || key->code > PSST_KEY_F1) return PSST_FORM_IGNORED;
    struct psst_view text = psst_entry_text(item->entry);
    size_t cursor = psst_entry_cursor(item->entry), len = text.len;
    char *before = strndup(len > 0 ? (const char *)text.data : "", len);
    enum psst_entry_did did = psst_entry_key(item->entry, key, WIDE_ENOUGH);
    text = psst_entry_text(item->entry);
    bool bad = text.len > item->max || (text.len > 0 && memchr(text.data, '\n', text.len) != NULL);
    if (bad && before != NULL) psst_entry_set(item->entry, psst_view(before, len), cursor);
    if (before != NULL) psst_wipe(before, len);
    free(before);
    form->follow = true;
    return did == PSST_ENTRY_IGNORED ? PSST_FORM_IGNORED : PSST_FORM_TOOK;
}

/* True: there was something to complete. */
static bool complete(struct psst_form *form, struct psst_form_item *item)
{
    char *typed = psst_form_text(form, item->id), *longer = NULL;
    if (typed == NULL || typed[0] == '\0') {
        free(typed);
        return false;
    }
    bool more = psst_path_complete(typed, &longer, form->hint, sizeof form->hint);
    if (longer != NULL && strlen(longer) <= item->max)
        psst_entry_set(item->entry, psst_view_str(longer), strlen(longer));
    free(longer);
    free(typed);
    return more;
}

static enum psst_form_did click(struct psst_form *form, const struct psst_key *key)
{
    unsigned option;
    size_t i = psst_form_at(form, key->row, key->column, &option);
    if (i >= form->n) return PSST_FORM_IGNORED;
    if (form->items[i].kind == PSST_FORM_BUTTON) return press(form, i);
    form->focus = i;
    if (form->items[i].kind == PSST_FORM_CHOICE) form->items[i].chosen = option;
    return PSST_FORM_TOOK;
}

enum psst_form_did psst_form_key(struct psst_form *form, const struct psst_key *key)
{
    struct psst_form_item *item = form->focus < form->n ? &form->items[form->focus] : NULL;
    if (item != NULL && !takes_keys(item)) item = NULL;
    bool field = item != NULL && item->kind == PSST_FORM_FIELD;
    bool horizontal = key->code == PSST_KEY_LEFT || key->code == PSST_KEY_RIGHT;
    if ((key->mods & (PSST_MOD_ALT | PSST_MOD_CONTROL)) != 0 && !field) return PSST_FORM_IGNORED;
    form->hint[0] = '\0';
    switch (key->code) {
    case PSST_KEY_TAB:
        if (field && item->path && complete(form, item)) return PSST_FORM_TOOK;
        move(form, 1);
        return PSST_FORM_TOOK;
    case PSST_KEY_BACKTAB: move(form, -1); return PSST_FORM_TOOK;
    case PSST_KEY_ENTER: return key->mods == 0 ? enter(form) : PSST_FORM_IGNORED;
    case PSST_KEY_PAGE_UP: scroll_by(form, 1 - form->area.rows); return PSST_FORM_TOOK;
    case PSST_KEY_PAGE_DOWN: scroll_by(form, form->area.rows - 1); return PSST_FORM_TOOK;
    case PSST_KEY_WHEEL_UP: scroll_by(form, -WHEEL_ROWS); return PSST_FORM_TOOK;
    case PSST_KEY_WHEEL_DOWN: scroll_by(form, WHEEL_ROWS); return PSST_FORM_TOOK;
    case PSST_KEY_CLICK: return click(form, key);
    case PSST_KEY_UP:
    case PSST_KEY_DOWN:
    case PSST_KEY_LEFT:
    case PSST_KEY_RIGHT:
        if (key->mods != 0 && !(field && horizontal)) return PSST_FORM_IGNORED;
        if (field && horizontal) return edit(form, item, key);
        if (item != NULL && item->kind == PSST_FORM_CHOICE && choose(form, item, key->code)) return PSST_FORM_TOOK;
        move(form, key->code == PSST_KEY_UP || key->code == PSST_KEY_LEFT ? -1 : 1);
        return PSST_FORM_TOOK;
    case PSST_KEY_TEXT:
        if (item != NULL && item->kind == PSST_FORM_BUTTON && key->cp == ' ') return press(form, form->focus);
        return field ? edit(form, item, key) : PSST_FORM_IGNORED;
    default: return field && key->code != PSST_KEY_ESCAPE ? edit(form, item, key) : PSST_FORM_IGNORED;
    }
}
