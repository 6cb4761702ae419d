/* A small form: words, fields of one line, choices, buttons, a QR code, one below the other. For pages; it scrolls when the area is too low.
 * Tab and the arrows move, Enter goes on: from the last field before a button it presses that button.
 */
#ifndef PSST_TUI_FORM_H
#define PSST_TUI_FORM_H

#include "client/qr.h"
#include "tui/draw.h"
#include "tui/entry.h"

#define PSST_FORM_ITEMS 48

enum psst_form_kind {
    PSST_FORM_WORDS,  /* paragraphs, wrapped */
    PSST_FORM_CHOICE, /* one of several, each a row or more */
    PSST_FORM_FIELD,
    PSST_FORM_SECRET, /* shown as bullets; its keys do not come through here (page.h) */
    PSST_FORM_BUTTON,
    PSST_FORM_QR,
};

struct psst_form_item {
    enum psst_form_kind kind;
    enum psst_style style; /* of words */
    int id;                /* the caller's, from 1 on; 0: words */
    char *label;           /* owned; the words; of a choice: its options, a line each */
    struct psst_entry *entry;
    size_t max; /* bytes that a field takes */
    bool path;  /* Tab completes a path */
    unsigned chosen, options;
    const struct psst_passphrase *secret; /* borrowed */
    struct psst_qr qr;                    /* owned; shown where the whole form fits with it */
};

struct psst_form {
    struct psst_form_item items[PSST_FORM_ITEMS];
    size_t n, focus;
    int scroll, rows; /* rows: of the whole, as drawn last */
    bool follow;      /* the item that has the keys is scrolled into sight */
    int pressed;      /* the button */
    struct psst_area area;
    char hint[200]; /* what a Tab in a path could become */
};

/* ---- making: the items in their order; after psst_form_clear anew. What does not fit into memory is left out. ---- */

/* Also for the end. All zeros is an empty form. Fields are wiped. */
void psst_form_clear(struct psst_form *form);
/* Rendered when drawn, line feeds hold. "" is an empty row. */
void psst_form_words(struct psst_form *form, enum psst_style style, const char *fmt, ...) PSST_PRINTF(3, 4);
/* Those that are told from outside, whatever they hold: line feeds in it are shown as symbols. */
void psst_form_fact(struct psst_form *form, enum psst_style style, const char *label, const char *text);
void psst_form_field(struct psst_form *form, int id, const char *label, const char *text, size_t max);
void psst_form_path(struct psst_form *form, int id, const char *label, const char *text);
void psst_form_choice(struct psst_form *form, int id, const char *options, unsigned chosen);
void psst_form_secret(struct psst_form *form, int id, const char *label, const struct psst_passphrase *secret);
void psst_form_button(struct psst_form *form, int id, const char *label);
/* qr is taken. */
void psst_form_qr(struct psst_form *form, struct psst_qr *qr);
/* The item that gets the keys from now on. */
void psst_form_focus(struct psst_form *form, int id);

/* ---- reading ---- */

/* The text of a field, freed by the caller; "" when there is none. NULL: out of memory. */
char *psst_form_text(const struct psst_form *form, int id);
unsigned psst_form_chosen(const struct psst_form *form, int id);
void psst_form_set(struct psst_form *form, int id, const char *text);
void psst_form_choose(struct psst_form *form, int id, unsigned chosen);
int psst_form_focused(const struct psst_form *form); /* 0: none */

/* ---- being there ---- */

enum psst_form_did {
    PSST_FORM_IGNORED,
    PSST_FORM_TOOK,
    PSST_FORM_PRESSED /* form->pressed says which button */
};
enum psst_form_did psst_form_key(struct psst_form *form, const struct psst_key *key);
/* Clears the area, draws, sets the cursor. */
void psst_form_draw(struct psst_form *form, struct psst_area area);

#endif
