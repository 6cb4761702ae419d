#include "world.h"

#include "store/store_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const struct psst_store_key world_key = {.b = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0xff}};

struct psst_store *world_open(struct world *w)
{
    struct psst_diag diag = {.text = ""};
    enum psst_err err = psst_store_open(&w->store, w->path, &world_key, false, &diag);
    if (err != PSST_OK) print_error("%s: %s\n", psst_err_name(err), diag.text);
    must(err);
    return w->store;
}

void world_close(struct world *w)
{
    psst_store_close(w->store);
    w->store = NULL;
}

void world_reopen(struct world *w)
{
    world_close(w);
    (void)world_open(w);
}

int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL) return -1;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(w->dir, sizeof w->dir, "%s/psst-store-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(w->dir) == NULL) return -1;
    (void)snprintf(w->path, sizeof w->path, "%s/history", w->dir);
    (void)world_open(w);
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    struct world *w = *state;
    world_close(w);
    DIR *dir = opendir(w->dir);
    for (struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL; e = readdir(dir))
        if (e->d_name[0] != '.') (void)unlinkat(dirfd(dir), e->d_name, 0);
    if (dir != NULL) (void)closedir(dir);
    (void)rmdir(w->dir);
    free(w);
    return 0;
}

int64_t world_contact(struct world *w, const char *alias, bool keep_history)
{
    struct psst_contact_row row = {.keep_history = keep_history, .added_ms = 5};
    (void)snprintf(row.alias, sizeof row.alias, "%s", alias);
    memset(row.fpr.b, alias[0], sizeof row.fpr.b);
    row.fpr.b[31] = (uint8_t)strlen(alias);
    row.spki = psst_view_str("the key");
    must(psst_store_contact_put(w->store, &row));
    assert_true(row.id > 0);
    return row.id;
}

struct psst_msg_id world_id(unsigned n)
{
    struct psst_msg_id id = {.b = {0xaa}};
    psst_store_u32(id.b + 12, n);
    return id;
}

struct psst_hash world_digest(const char *text)
{
    struct psst_hash hash = {.b = {0}};
    for (size_t i = 0; text[i] != '\0'; i++) hash.b[i % 32] = (uint8_t)(hash.b[i % 32] * 31 + (uint8_t)text[i]);
    return hash;
}

struct psst_message_row world_message(int64_t contact, unsigned n, const char *text)
{
    return (struct psst_message_row){.contact_id = contact,
                                     .id = world_id(n),
                                     .time_ms = 1000 + n,
                                     .stored_ms = 2000 + n,
                                     .digest = world_digest(text),
                                     .text = psst_view_str(text)};
}

enum psst_err world_out(struct world *w, int64_t contact, unsigned n, const char *text, int64_t *seq)
{
    struct psst_message_row row = world_message(contact, n, text);
    row.state = PSST_MESSAGE_SENT;
    enum psst_err err = psst_store_message_out(w->store, &row);
    if (err == PSST_OK && seq != NULL) *seq = row.seq;
    return err;
}

enum psst_err world_in(struct world *w, int64_t contact, unsigned n, const char *text, int64_t *seq)
{
    struct psst_message_row row = world_message(contact, n, text);
    enum psst_err err = psst_store_message_in(w->store, &row);
    if (err == PSST_OK && seq != NULL) *seq = row.seq;
    return err;
}

uint64_t world_tidy(struct world *w, uint64_t now_ms)
{
    struct psst_tidied tidied = {.more = true};
    for (unsigned steps = 0; tidied.more; steps++) {
        assert_true(steps < 10000);
        must(psst_store_begin(w->store));
        must(psst_store_tidy(w->store, now_ms, &tidied));
        must(psst_store_commit(w->store));
    }
    return tidied.next_ms;
}

enum psst_err world_see(void *ctx, const struct psst_message_row *row)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);
    (void)snprintf(seen->text + len, sizeof seen->text - len, "%u:%.*s|", (unsigned)psst_load_u32(row->id.b + 12),
                   (int)row->text.len, row->text.data == NULL ? "" : (const char *)row->text.data);
    seen->n++;
    seen->last = *row;
    return PSST_OK;
}

const char *world_log(struct world *w, int64_t contact, int64_t after, size_t limit, struct seen *seen)
{
    *seen = (struct seen){.n = 0};
    must(psst_store_log(w->store, contact, after, limit, world_see, seen));
    return seen->text;
}

const char *world_outbox(struct world *w, int64_t contact, int64_t after, size_t limit, struct seen *seen)
{
    *seen = (struct seen){.n = 0};
    must(psst_store_outbox(w->store, contact, after, limit, world_see, seen));
    return seen->text;
}

uint8_t *world_file(const char *path, size_t *len)
{
    *len = 0;
    FILE *f = fopen(path, "rb");
    if (f == NULL) return NULL;
    struct stat st;
    assert_int_equal(fstat(fileno(f), &st), 0);
    uint8_t *data = malloc((size_t)st.st_size + 1);
    assert_non_null(data);
    *len = fread(data, 1, (size_t)st.st_size, f);
    (void)fclose(f);
    return data;
}

void world_write_file(const char *path, const uint8_t *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

void world_assert_integrity(struct world *w)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(w->store->db, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "ok");
    (void)sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_prepare_v2(w->store->db, "PRAGMA foreign_key_check", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    (void)sqlite3_finalize(stmt);
}
