/* The stack of pages. */
#include "tui/page.h"

#include "tui/app.h"

#include <stdlib.h>

void psst_page_push(struct psst_app *app, struct psst_page *page)
{
    /* what a person types into a passphrase, or the first run, goes nowhere else: what comes meanwhile waits below */
    bool waits = app->page != NULL && app->page->kind->whole && !page->kind->whole;
    struct psst_page **at = waits ? &app->page->below : &app->page;
    page->below = *at;
    *at = page;
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

void psst_page_pop(struct psst_app *app)
{
    struct psst_page *page = app->page;
    if (page == NULL) return;
    app->page = page->below;
    if (page->kind->free != NULL)
        page->kind->free(page);
    else
        free(page);
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

void psst_page_leave(struct psst_app *app, struct psst_page *page)
{
    const struct psst_page *at = app->page;
    while (at != NULL && at != page) at = at->below;
    if (at == NULL) return; /* it is gone already */
    while (app->page != page) psst_page_pop(app);
    psst_page_pop(app);
}
