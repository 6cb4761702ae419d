/* Pages: what covers the conversation until it is left: help, long answers, the card, a form. They stack. Escape leaves one. */
#ifndef PSST_TUI_PAGE_H
#define PSST_TUI_PAGE_H

#include "tui/draw.h"
#include "tui/input.h"

struct psst_app;
struct psst_page;

struct psst_page_kind {
    void (*draw)(struct psst_page *page, struct psst_app *app, struct psst_area area);
    /* False: not a key for this page: the program's own (switching contacts, F1, Escape leaves the page). */
    bool (*key)(struct psst_page *page, struct psst_app *app, const struct psst_key *key);
    void (*changed)(struct psst_page *page, struct psst_app *app, unsigned parts); /* enum psst_part; may be NULL */
    void (*free)(struct psst_page *page);
    bool whole; /* covers the whole screen, contacts too, and takes all keys: the first run, the passphrase */
    bool entry; /* the entry line below it stays, and gets the keys that the page does not take */
};

struct psst_page { /* embedded at the beginning of each page's own struct */
    const struct psst_page_kind *kind;
    struct psst_page *below;
    char title[80];
    /* not NULL: it asks for a passphrase now; the loop reads with psst_input_secret and gives what came of it to `secret_key` */
    struct psst_passphrase *secret;
    void (*secret_key)(struct psst_page *page, struct psst_app *app, enum psst_secret_key what);
};

/* page is taken. */
void psst_page_push(struct psst_app *app, struct psst_page *page);
void psst_page_pop(struct psst_app *app);
/* This one and all above it. */
void psst_page_leave(struct psst_app *app, struct psst_page *page);

/* ---- pages that others need ---- */

/* Text to be read and scrolled: arrows, PgUp, PgDn, Home, End, / searches, q and Escape leave. text is copied. (pager.c) */
void psst_pager_open(struct psst_app *app, const char *title, const char *text);
/* F1, /help [NAME]; NULL: all. (help.c) */
void psst_help_open(struct psst_app *app, const char *about);
/* /search: found messages; Enter goes there. (search.c) */
void psst_search_open(struct psst_app *app, const char *words);
/* There is no identity (first_run.c); it is locked (unlock.c). */
void psst_first_run_open(struct psst_app *app);
void psst_unlock_open(struct psst_app *app);
/* One's card: where it lies, its QR code; NULL: for anybody. (card_page.c) */
void psst_card_open(struct psst_app *app, const char *for_name);
/* A contact's card; NULL: asks for the path. (add_page.c) */
void psst_add_open(struct psst_app *app, const char *path);
/* The safety number. (verify_page.c) */
void psst_verify_open(struct psst_app *app, const char *name);

#endif
