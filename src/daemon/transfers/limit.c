/* The limit on bandwidth: a bucket over all file data that goes out, to whomever; texts are not in it. There is a timer
 * only while limited data waits. (What comes in is limited by whoever sends it.) */
#include "daemon/transfers/internal.h"
#include "daemon/transfers/transfers.h"

#include <stdlib.h>

#define KIB         1024
#define PIECES      8    /* a second's worth goes out in at least so many pieces */
#define PIECE_MIN   1024 /* under this the records cost more than what is in them */
#define BURST_PARTS 4    /* of a second's worth: in a full bucket */

static void set(struct psst_transfers *transfers)
{
    struct psst_daemon *d = transfers->d;
    const char *value = d->settings != NULL ? psst_settings_get(d->settings, "upload_limit") : "0";
    uint64_t a_second = (uint64_t)strtoull(value, NULL, 10) * KIB;
    psst_bucket_change(&transfers->limit, psst_daemon_now(d).mono_ns, a_second, a_second / BURST_PARTS + 1);
}

void psst_transfers_limit_init(struct psst_transfers *transfers)
{
    (void)uv_timer_init(transfers->d->loop, &transfers->limit_timer);
    transfers->limit_timer.data = transfers;
    set(transfers);
}

void psst_transfers_limit_close(struct psst_transfers *transfers)
{
    if (!uv_is_closing((uv_handle_t *)&transfers->limit_timer)) uv_close((uv_handle_t *)&transfers->limit_timer, NULL);
}

static bool sends(const struct psst_contact *contact)
{
    const struct psst_courier_files *files = contact->transfers;
    return contact->session != NULL && files != NULL && (files->sending != NULL || files->n_streams > 0);
}

/* All who wait may try again; the first turn goes round, for it may take all there is. */
static void wake(struct psst_transfers *transfers)
{
    struct psst_book *book = transfers->d->book;
    int64_t first = 0;
    for (int round = 0; round < 2; round++) {
        for (struct psst_contact *c = psst_book_first(book); c != NULL; c = c->next) {
            if (!sends(c) || (c->id > transfers->served) != (round == 0)) continue;
            if (first == 0) first = c->id;
            psst_conn_kick(c->session);
        }
    }
    transfers->served = first;
}

static void on_timer(uv_timer_t *timer)
{
    wake(timer->data);
}

size_t psst_transfers_limit_ask(struct psst_transfers *transfers)
{
    struct psst_bucket *limit = &transfers->limit;
    if (limit->a_second == 0) return PSST_FILE_DATA_MAX;
    uint64_t wait_ns = psst_bucket_wait_ns(limit, psst_daemon_now(transfers->d).mono_ns);
    if (wait_ns > 0) {
        if (!uv_is_active((uv_handle_t *)&transfers->limit_timer))
            (void)uv_timer_start(&transfers->limit_timer, on_timer, wait_ns / 1000000 + 1, 0);
        return 0;
    }
    uint64_t piece = limit->a_second / PIECES;
    if (piece < PIECE_MIN) piece = PIECE_MIN;
    return piece < PSST_FILE_DATA_MAX ? (size_t)piece : PSST_FILE_DATA_MAX;
}

void psst_transfers_limit_take(struct psst_transfers *transfers, size_t n)
{
    if (transfers->limit.a_second > 0) psst_bucket_take(&transfers->limit, psst_daemon_now(transfers->d).mono_ns, n);
}

void psst_transfers_limit_changed(struct psst_transfers *transfers)
{
    set(transfers);
    (void)uv_timer_stop(&transfers->limit_timer);
    wake(transfers);
}
