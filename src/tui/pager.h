/* Text to be read, as a page; it may still grow while it is shown. Laid out lazily: only what is on the screen. */
#ifndef PSST_TUI_PAGER_H
#define PSST_TUI_PAGER_H

#include "tui/page.h"

#define PSST_PAGER_MAX (1u << 20) /* bytes; what comes behind them is left out, and a last line says so */

/* Opened empty; NULL: no memory. left (may be NULL) is told when the person leaves it. */
struct psst_page *psst_pager_begin(struct psst_app *app, const char *title, void (*left)(void *ctx), void *ctx);
/* end: stays at the end, if one was there. */
void psst_pager_append(struct psst_page *page, struct psst_app *app, struct psst_view text);
/* What `left` was told to is no more. */
void psst_pager_forget(struct psst_page *page, struct psst_app *app);
/* Whether this is a pager with that title, so that it need not be opened again. */
bool psst_pager_is(const struct psst_page *page, const char *title);

#endif
