/* A request of a page, whose answer finds the page no more when it has been left meanwhile. */
#ifndef PSST_TUI_ASK_H
#define PSST_TUI_ASK_H

#include "tui/app.h"

/* result is borrowed; NULL: it failed, and failure says why (it is never NULL then). */
typedef void psst_page_answer(struct psst_page *page, struct psst_app *app, json_t *result,
                              const struct psst_failure *failure);

/* Takes params and fds. answer is called once, at once when it cannot even be asked, unless the page is forgotten before. */
void psst_page_ask(struct psst_page *page, struct psst_app *app, const char *method, json_t *params, const int *fds,
                   size_t n, psst_page_answer *answer);
/* As psst_page_ask; the passphrase (empty: none) goes in a pipe, as the first descriptor, and is wiped. params says
 * so with its "passphrase". */
void psst_page_ask_secret(struct psst_page *page, struct psst_app *app, const char *method, json_t *params,
                          struct psst_passphrase *pass, psst_page_answer *answer);
/* Every answer that is to come is for nobody: to be called when a page is freed. */
void psst_page_ask_forget(const struct psst_page *page);

#endif
