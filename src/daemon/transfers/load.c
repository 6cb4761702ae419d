/* Transfers out of the store: what is not over, when it is opened; and pages of all that there ever were. */
#include "daemon/transfers/internal.h"
#include "daemon/transfers/transfers.h"

#include <stdlib.h>

/* ---- at the opening ---- */

struct withdrawn {
    int64_t contact_id;
    uint32_t n;
};

struct load {
    struct psst_transfers *all;
    unsigned generation;
    struct psst_transfer *first, **end; /* a list of its own, made on the store thread */
    struct withdrawn *withdrawn;
    size_t n_withdrawn, cap_withdrawn;
    psst_transfers_loaded *loaded;
    void *ctx;
};

static enum psst_err load_each(void *ctx, const struct psst_transfer_row *row)
{
    struct load *load = ctx;
    struct psst_transfer *t = psst_transfer_new(load->all, row);
    if (t == NULL) return PSST_ERR_MEMORY;
    *load->end = t;
    load->end = &t->next;
    return PSST_OK;
}

static void load_withdrawn(void *ctx, int64_t contact_id, uint32_t n)
{
    struct load *load = ctx;
    if (load->n_withdrawn == load->cap_withdrawn) {
        size_t cap = load->cap_withdrawn == 0 ? 16 : 2 * load->cap_withdrawn;
        struct withdrawn *more = realloc(load->withdrawn, cap * sizeof *more);
        if (more == NULL) return; /* a limit that begins anew: no harm */
        load->withdrawn = more;
        load->cap_withdrawn = cap;
    }
    load->withdrawn[load->n_withdrawn++] = (struct withdrawn){contact_id, n};
}

static enum psst_err load_work(struct psst_store *store, void *arg)
{
    struct load *load = arg;
    enum psst_err err = psst_store_transfers_open(store, load_each, load);
    if (err == PSST_OK && !psst_store_is_rescue(store))
        err = psst_store_transfers_withdrawn(store, load_withdrawn, load);
    return err;
}

/* A stream whose other end was in a psstd that is gone. One that comes into a folder and had not begun can still come. */
static bool is_lost(const struct psst_transfer *t)
{
    if (t->form != PSST_FILE_FORM_STREAM || psst_transfer_is_over(t)) return false;
    if (t->direction == PSST_OUT) return true;
    return t->state == PSST_TRANSFER_ACCEPTED && (t->inode != 0 || t->path[0] != '/');
}

static void take(struct psst_transfers *all, struct psst_transfer *t)
{
    psst_transfer_add(all, t);
    if (psst_transfer_is_over(t) && (t->flags & PSST_TRANSFER_LITTER) != 0) { /* killed before it was removed */
        psst_transfer_in_sweep(t);
    } else if (is_lost(t)) {
        if (t->direction == PSST_OUT) t->flags |= PSST_TRANSFER_UNTOLD;
        t->reached = t->safe;
        psst_transfer_cut_off(t);
    } else {
        psst_transfer_count(t);
    }
}

static void load_done(void *arg, enum psst_err err, const char *words)
{
    struct load *load = arg;
    struct psst_transfers *all = load->all;
    bool current = load->generation == all->generation;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log(&all->d->log, PSST_LOG_ERROR, "transfers-not-read", "reason=\"%s\"", words);
    while (load->first != NULL) {
        struct psst_transfer *t = load->first;
        load->first = t->next;
        if (current && psst_transfer_by_id(all, t->id) == NULL)
            take(all, t);
        else
            psst_transfer_free(t);
    }
    for (size_t i = 0; current && i < load->n_withdrawn; i++) {
        struct psst_contact *contact = psst_book_by_id(all->d->book, load->withdrawn[i].contact_id);
        struct psst_courier_files *files = contact != NULL ? psst_transfer_files(contact) : NULL;
        if (files != NULL) files->withdrawn += load->withdrawn[i].n;
    }
    if (current && err == PSST_OK) all->loaded = true;
    if (load->loaded != NULL) load->loaded(load->ctx, err, words);
    free(load->withdrawn);
    free(load);
}

void psst_transfers_load(struct psst_transfers *transfers, psst_transfers_loaded *loaded, void *ctx)
{
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL) {
        if (loaded != NULL) loaded(ctx, PSST_ERR_MEMORY, "out of memory");
        return;
    }
    load->loaded = loaded;
    load->ctx = ctx;
    load->all = transfers;
    load->generation = transfers->generation;
    load->end = &load->first;
    psst_store_run(transfers->d->store, load_work, load_done, load);
}

/* ---- pages ---- */

struct page {
    struct psst_transfers *all;
    unsigned generation;
    int64_t before;
    size_t limit;
    struct psst_transfer *first, **end;
    size_t n;
    psst_transfers_page_done *done;
    void *ctx;
};

static enum psst_err page_each(void *ctx, const struct psst_transfer_row *row)
{
    struct page *page = ctx;
    struct psst_transfer *t = psst_transfer_new(page->all, row);
    if (t == NULL) return PSST_ERR_MEMORY;
    *page->end = t;
    page->end = &t->next;
    page->n++;
    return PSST_OK;
}

/* One more than was asked for tells whether there are more. */
static enum psst_err page_work(struct psst_store *store, void *arg)
{
    struct page *page = arg;
    return psst_store_transfers_before(store, page->before, page->limit + 1, page_each, page);
}

static void page_done(void *arg, enum psst_err err, const char *words)
{
    struct page *page = arg;
    struct psst_transfers *all = page->all;
    if (err == PSST_OK && page->generation != all->generation) err = PSST_ERR_LOCKED;
    bool more = page->n > page->limit;
    json_t *list = json_array();
    while (page->first != NULL) {
        struct psst_transfer *t = page->first;
        page->first = t->next;
        const struct psst_transfer *alive = err == PSST_OK ? psst_transfer_by_id(all, t->id) : NULL;
        bool wanted = err == PSST_OK && page->n-- <= page->limit;
        if (wanted) (void)json_array_append_new(list, psst_transfer_json(alive != NULL ? alive : t));
        psst_transfer_free(t);
    }
    page->done(page->ctx, err, words, list, more);
    free(page);
}

void psst_transfers_page(struct psst_transfers *transfers, int64_t before, size_t limit, psst_transfers_page_done *done,
                         void *ctx)
{
    struct page *page = calloc(1, sizeof *page);
    if (page == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory", NULL, false);
        return;
    }
    *page = (struct page){.all = transfers,
                          .generation = transfers->generation,
                          .before = before,
                          .limit = limit < PSST_TRANSFERS_PAGE_MAX ? limit : PSST_TRANSFERS_PAGE_MAX - 1,
                          .done = done,
                          .ctx = ctx};
    page->end = &page->first;
    psst_store_run(transfers->d->store, page_work, page_done, page);
}
