/* The stack of pages. */
#include "tui/page.h"

#include "tui/app.h"

#include <stdlib.h>

void psst_page_push(struct psst_app *app, struct psst_page *page)
{
    page->below = app->page;
    app->page = page;
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
