/* A store that came out of a backup, opened for the first time. Whoever made the backup knew its key, so anything may be in it:
 * its tables, views and indexes must be ours to the letter, and nothing else may be there - no trigger, no other view -, before
 * anything is written to it. And what waited when the backup was made may have been sent by the machine that it was made
 * on: it is in doubt from now on, like what was handed to a session that broke, and cannot be recalled. The receiver knows
 * its identifier if he has it.
 *
 * That it was restored is known by a file beside it, which is removed when all this is committed. */
#include "store/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define TAIL "-restored"

static bool name_of(char out[4096], const char *path)
{
    return (size_t)snprintf(out, 4096, "%s" TAIL, path) < 4096;
}

bool psst_store_is_restored(const char *path)
{
    char name[4096];
    return name_of(name, path) && (access(name, F_OK) == 0 || errno != ENOENT);
}

/* ---- the schema ---- */

static const char all[] = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name";
#define COLUMNS 4

static enum psst_err make_like(sqlite3 **db, int64_t version)
{
    if (sqlite3_open_v2(":memory:", db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return PSST_ERR_MEMORY;
    for (int64_t i = 0; i < version; i++)
        if (sqlite3_exec(*db, psst_store_step(i), NULL, NULL, NULL) != SQLITE_OK) return PSST_ERR_INTERNAL;
    return PSST_OK;
}

/* Both at their next row, or both at their end (*over). */
static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b, bool *over)
{
    int one = sqlite3_step(a), other = sqlite3_step(b);
    *over = one == SQLITE_DONE;
    if (one != other || (one != SQLITE_ROW && one != SQLITE_DONE)) return false;
    for (int i = 0; i < COLUMNS && !*over; i++)
        if (!psst_view_equal(psst_store_column_view(a, i), psst_store_column_view(b, i))) return false;
    return true;
}

static bool same_schema(sqlite3 *a, sqlite3 *b)
{
    sqlite3_stmt *of_a = NULL, *of_b = NULL;
    bool same = sqlite3_prepare_v2(a, all, -1, &of_a, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(b, all, -1, &of_b, NULL) == SQLITE_OK;
    for (bool over = false; same && !over;) same = same_row(of_a, of_b, &over);
    (void)sqlite3_finalize(of_a);
    (void)sqlite3_finalize(of_b);
    return same;
}

enum psst_err psst_store_restored_look(struct psst_store *store, struct psst_diag *diag)
{
    sqlite3 *like = NULL;
    enum psst_err err = make_like(&like, store->version);
    if (err == PSST_OK && !same_schema(store->db, like))
        err =
            psst_fail(diag, PSST_ERR_USAGE,
                      "The history that was restored is not made as psst makes its own: it is not opened. Do not trust "
                      "who made that backup.");
    else if (err != PSST_OK)
        (void)psst_fail(diag, err, "The history that was restored cannot be looked at.");
    (void)sqlite3_close(like);
    return err;
}

/* ---- what waits ---- */

enum psst_err psst_store_restored_settle(struct psst_store *store, struct psst_diag *diag)
{
    char name[4096];
    enum psst_err err = psst_store_begin(store);
    if (err == PSST_OK) {
        err = psst_store_exec(store, "UPDATE messages SET sent_ms = max(stored_ms, 1)"
                                     " WHERE state = " PSST_WAITING " AND sent_ms = 0");
        if (err != PSST_OK) store->broken = err; /* commit then undoes it */
        err = psst_store_commit(store);
    }
    if (err != PSST_OK)
        return psst_fail(diag, err, "The history that was restored cannot be changed: %s.", store->words);
    /* when this fails it is done once more at the next opening, which changes nothing but what was said meanwhile */
    if (name_of(name, store->path)) (void)unlink(name);
    return PSST_OK;
}
