/* The Nth allocation fails while a backup is written or read: an ordinary error, and nothing is lost or left (attack 49). */
#include "daemon/backup/format.h"
#include "support/check.h"
#include "support/failing_malloc.h"

static const struct psst_aead_key key = {.b = {4}};
static uint8_t header[PSST_BACKUP_HEADER_LEN];

static enum psst_err write_all(struct psst_buf *out)
{
    static const uint8_t zeros[8192];
    static const size_t lens[] = {10, 0, 576, 8192};
    struct psst_backup_writer *w = NULL;
    enum psst_err err = psst_backup_writer_new(&w, header, &key);
    for (enum psst_backup_member m = 0; m < PSST_BACKUP_END && err == PSST_OK; m++) {
        err = psst_backup_writer_member(w, m, lens[m], out);
        if (err == PSST_OK) err = psst_backup_writer_put(w, psst_view(zeros, lens[m]), out);
    }
    if (err == PSST_OK) err = psst_backup_writer_end(w, out);
    psst_backup_writer_free(w);
    return err;
}

static enum psst_err on_begin(void *ctx, enum psst_backup_member member, uint64_t len)
{
    (void)member;
    *(uint64_t *)ctx += len;
    return PSST_OK;
}

static enum psst_err on_piece(void *ctx, enum psst_backup_member member, struct psst_view piece)
{
    (void)member;
    *(uint64_t *)ctx -= piece.len;
    return PSST_OK;
}

static enum psst_err read_all(struct psst_view sealed)
{
    uint64_t left = 0;
    struct psst_backup_reader *r = NULL;
    const struct psst_backup_sink sink = {on_begin, on_piece, &left};
    enum psst_err err = psst_backup_reader_new(&r, header, &key, sealed.len, &sink, NULL);
    if (err == PSST_OK) err = psst_backup_reader_chunk(r, sealed, NULL);
    if (err == PSST_OK) err = psst_backup_reader_end(r, NULL);
    if (err == PSST_OK) assert_int_equal(0, left);
    psst_backup_reader_free(r);
    return err;
}

static void nth_allocation_fails__writing_and_reading__is_an_ordinary_error(void **state)
{
    (void)state;
    unsigned errors[2] = {0};
    struct psst_buf sealed;
    psst_buf_init(&sealed, 1 << 16);
    for (unsigned n = 1, all = 0; !all; n++) {
        psst_buf_fini(&sealed);
        failing_malloc_at(n);
        enum psst_err err = write_all(&sealed);
        all = !failing_malloc_stop();
        if (err != PSST_OK) errors[0]++;
        assert_int_equal(all ? PSST_OK : PSST_ERR_MEMORY, err);
    }
    for (unsigned n = 1, all = 0; !all; n++) {
        failing_malloc_at(n);
        enum psst_err err = read_all(psst_buf_view(&sealed));
        all = !failing_malloc_stop();
        if (err != PSST_OK) errors[1]++;
        assert_int_equal(all ? PSST_OK : PSST_ERR_MEMORY, err);
    }
    assert_true(errors[0] >= 2 && errors[1] >= 2);
    psst_buf_fini(&sealed);
}

int main(void)
{
    if (psst_crypto_init(0) != PSST_OK) return 1; /* what is kept for each thread is there before anything fails */
    psst_backup_header_make(header, &psst_crypto_rng);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nth_allocation_fails__writing_and_reading__is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
