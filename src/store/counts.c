/* What waits and what nobody has seen, of all contacts at once. */
#include "store/store_internal.h"

/* Each half walks one partial index, which holds nothing but what is to be counted. Named, so that no planner ever
 * prefers to walk over all rows. */
static const char counts_sql[] =
    "SELECT contact_id, count(*), 0, 0 FROM messages INDEXED BY messages_waiting WHERE state = 0 GROUP BY contact_id"
    " UNION ALL "
    "SELECT contact_id, 0, count(*), sum(length(CAST(text AS BLOB))) FROM messages INDEXED BY messages_unseen"
    " WHERE state = 3 GROUP BY contact_id";

_Static_assert(PSST_MESSAGE_WAITING == 0 && PSST_MESSAGE_RECEIVED == 3, "the indices in schema.c");

static uint32_t clamped(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

enum psst_err psst_store_counts(struct psst_store *store, psst_counts_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (store->rescue) return psst_rescue_counts(store, each, ctx);
    enum psst_err err = psst_store_stmt(store, STMT_COUNTS, counts_sql, &stmt);
    if (err != PSST_OK) return err;
    while ((err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        const struct psst_counts_row row = {
            .contact_id = sqlite3_column_int64(stmt, 0),
            .waiting = clamped(psst_store_column_u64(stmt, 1)),
            .unread = {clamped(psst_store_column_u64(stmt, 2)), psst_store_column_u64(stmt, 3)},
        };
        if ((err = each(ctx, &row)) != PSST_OK) break;
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}
