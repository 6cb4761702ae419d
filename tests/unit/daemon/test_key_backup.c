/* The head of a backup: header, keys, the sealed private key; in pieces, and by the real psst-key. */
#include "daemon/key/backup.h"
#include "key_bench.h"
#include "support/vectors.h"

#include <unistd.h>

static const uint8_t salt_counts_up[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                           16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

/* A header with a cost that tests can afford. */
static void cheap_header(uint8_t header[PSST_BACKUP_HEADER_LEN])
{
    psst_backup_header_make(header, &psst_crypto_rng);
    header[16] = 4;
    header[17] = 1;
    header[18] = 1;
    memcpy(header + 20, salt_counts_up, sizeof salt_counts_up);
}

/* ---- the pieces ---- */

static void header__has__the_form_of_the_page(void **state)
{
    (void)state;
    uint8_t a[PSST_BACKUP_HEADER_LEN], b[PSST_BACKUP_HEADER_LEN];
    psst_backup_header_make(a, &psst_crypto_rng);
    psst_backup_header_make(b, &psst_crypto_rng);
    assert_bytes(vectors_hex_digits("50535354206261636b75700d0a1a0a01"
                                    "0e081000"),
                 a, 20);
    assert_memory_equal(a, b, 20);
    assert_memory_not_equal(a + 20, b + 20, 32);
    assert_ok(psst_backup_header_check(a, NULL));
}

static void header__is_refused__with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        enum psst_err want;
        const char *word;
    } cases[] = {
        {0, 'p', PSST_ERR_MALFORMED, "no backup"}, {11, '\n', PSST_ERR_MALFORMED, "no backup"}, /* sent as text */
        {15, 0, PSST_ERR_MALFORMED, "no backup"},  {15, 2, PSST_ERR_USAGE, "newer"},
        {16, 0, PSST_ERR_MALFORMED, "damaged"},    {16, 64, PSST_ERR_MALFORMED, "damaged"},
        {16, 63, PSST_ERR_TOO_LONG, "cost"},       {16, 16, PSST_ERR_TOO_LONG, "cost"},
        {17, 0, PSST_ERR_MALFORMED, "damaged"},    {17, 255, PSST_ERR_TOO_LONG, "cost"},
        {18, 0, PSST_ERR_MALFORMED, "damaged"},    {18, 33, PSST_ERR_TOO_LONG, "cost"},
        {19, 1, PSST_ERR_MALFORMED, "damaged"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t header[PSST_BACKUP_HEADER_LEN];
        struct psst_backup_keys keys;
        struct psst_diag diag = {{0}};
        psst_backup_header_make(header, &psst_crypto_rng);
        header[cases[i].at] = cases[i].value;
        assert_err(cases[i].want, psst_backup_header_check(header, &diag));
        assert_non_null(strstr(diag.text, cases[i].word));
        assert_err(cases[i].want, psst_backup_derive(&keys, header, psst_view_str("p"), NULL));
    }
}

/* Computed apart: scrypt("correct horse", salt 00..1f, N = 16, r = 1, p = 1), then HKDF-Expand as docs/BACKUP.md has it. */
static void derive__gives__two_keys(void **state)
{
    (void)state;
    uint8_t header[PSST_BACKUP_HEADER_LEN];
    struct psst_backup_keys keys;
    cheap_header(header);
    assert_ok(psst_backup_derive(&keys, header, psst_view_str("correct horse"), NULL));
    assert_bytes(vectors_hex_digits("3a9b3facce02b82f59d345a980a733c1d6e21e032b9aefa58389ef61d8192edb"),
                 keys.identity.b, 32);
    assert_bytes(vectors_hex_digits("05b8b41dab0301f661f445331f03910542ef503f80edd7af689fc6baba975f1e"), keys.stream.b,
                 32);
}

static void identity__opens__only_as_it_was_sealed(void **state)
{
    (void)state;
    uint8_t header[PSST_BACKUP_HEADER_LEN], other[PSST_BACKUP_HEADER_LEN], sealed[5 + PSST_TAG_LEN], out[5];
    struct psst_backup_keys keys;
    cheap_header(header);
    assert_ok(psst_backup_derive(&keys, header, psst_view_str("p"), NULL));
    assert_ok(psst_backup_identity_seal(sealed, &keys.identity, header, psst_view_str("hello")));
    assert_ok(psst_backup_identity_open(out, &keys.identity, header, psst_view(sealed, sizeof sealed)));
    assert_memory_equal("hello", out, 5);
    for (size_t len = 0; len < sizeof sealed; len++)
        assert_err(PSST_ERR_AUTH, psst_backup_identity_open(out, &keys.identity, header, psst_view(sealed, len)));
    assert_err(PSST_ERR_AUTH, psst_backup_identity_open(out, &keys.stream, header, psst_view(sealed, sizeof sealed)));
    for (size_t i = 0; i < PSST_BACKUP_HEADER_LEN; i++) {
        memcpy(other, header, sizeof other);
        other[i] ^= 1;
        assert_err(PSST_ERR_AUTH,
                   psst_backup_identity_open(out, &keys.identity, other, psst_view(sealed, sizeof sealed)));
    }
}

/* ---- psst-key ---- */

static struct key_result seal(struct key_bench *b, const uint8_t *header, struct psst_view pem, int out_fd,
                              int passphrase_fd)
{
    struct key_result r = {0};
    psst_key_backup_seal(b->kc, header, fd_with(pem), dup(out_fd), passphrase_fd, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

/* out_fd -1: check. */
static struct key_result open_sealed(struct key_bench *b, const uint8_t *header, struct psst_view sealed, int out_fd,
                                     int passphrase_fd)
{
    struct key_result r = {0};
    psst_key_backup_open(b->kc, header, fd_with(sealed), out_fd >= 0 ? dup(out_fd) : -1, passphrase_fd, key_result_take,
                         &r);
    key_wait(b, &r);
    return r;
}

/* With the real cost, and a key file with a passphrase of its own and one without. */
static void seal_and_open__give_back__the_key_file(void **state)
{
    struct key_bench *b = *state;
    static const struct {
        const char *pem;
        bool encrypted;
    } cases[] = {{"keys/a1024.pem", false}, {"made", true}};
    struct psst_buf made;
    psst_buf_init(&made, 16384);
    struct psst_rsa_private *key = vectors_private_key("a1024");
    assert_ok(psst_rsa_private_to_pem(key, psst_view_str("the key's own"), &made));
    psst_rsa_private_free(key);
    for (size_t i = 0; i < 2; i++) {
        uint8_t header[PSST_BACKUP_HEADER_LEN];
        struct psst_view pem = cases[i].encrypted ? psst_buf_view(&made) : vectors_file(cases[i].pem);
        psst_backup_header_make(header, &psst_crypto_rng);
        int sealed_fd = fd_empty_file(), out_fd = fd_empty_file();
        struct key_result sealed = seal(b, header, pem, sealed_fd, fd_with_text("correct horse\n"));
        assert_ok(sealed.err);
        assert_int_equal(cases[i].encrypted, sealed.encrypted);
        struct psst_buf bytes = file_content(sealed_fd);
        assert_int_equal(pem.len + PSST_TAG_LEN, bytes.len);
        assert_null(memmem(bytes.data, bytes.len, "PRIVATE KEY", 11));

        struct key_result opened = open_sealed(b, header, psst_buf_view(&bytes), out_fd, fd_with_text("correct horse"));
        assert_ok(opened.err);
        assert_int_equal(cases[i].encrypted, opened.encrypted);
        assert_memory_equal(sealed.backup_key.b, opened.backup_key.b, 32);
        struct psst_buf back = file_content(out_fd);
        assert_bytes(pem, back.data, back.len);

        struct key_result checked = open_sealed(b, header, psst_buf_view(&bytes), -1, fd_with_text("correct horse"));
        assert_ok(checked.err);
        assert_memory_equal(sealed.backup_key.b, checked.backup_key.b, 32);
        psst_buf_fini(&bytes);
        psst_buf_fini(&back);
        (void)close(sealed_fd);
        (void)close(out_fd);
    }
    psst_buf_fini(&made);
}

static void seal__refuses__no_passphrase_and_no_key(void **state)
{
    struct key_bench *b = *state;
    uint8_t header[PSST_BACKUP_HEADER_LEN];
    cheap_header(header);
    int out_fd = fd_empty_file();
    struct psst_view pem = vectors_file("keys/a1024.pem");
    static const char *const empty[] = {"", "\n"};
    for (size_t i = 0; i < 2; i++) {
        struct key_result r = seal(b, header, pem, out_fd, fd_with_text(empty[i]));
        assert_err(PSST_ERR_USAGE, r.err);
        assert_non_null(strstr(r.words, "empty"));
    }
    assert_err(PSST_ERR_USAGE, seal(b, header, pem, out_fd, -1).err);
    assert_err(PSST_ERR_MALFORMED, seal(b, header, psst_view_str("no key"), out_fd, fd_with_text("p")).err);
    header[18] = 255; /* a cost that is not sane */
    header[16] = 20;
    assert_err(PSST_ERR_TOO_LONG, seal(b, header, pem, out_fd, fd_with_text("p")).err);
    struct psst_buf nothing = file_content(out_fd);
    assert_int_equal(0, nothing.len);
    psst_buf_fini(&nothing);
    (void)close(out_fd);
}

static void open__refuses__what_it_did_not_seal(void **state)
{
    struct key_bench *b = *state;
    uint8_t header[PSST_BACKUP_HEADER_LEN];
    cheap_header(header);
    int sealed_fd = fd_empty_file(), out_fd = fd_empty_file();
    assert_ok(seal(b, header, vectors_file("keys/a1024.pem"), sealed_fd, fd_with_text("p")).err);
    struct psst_buf sealed = file_content(sealed_fd);
    struct key_result r = open_sealed(b, header, psst_buf_view(&sealed), out_fd, fd_with_text("q"));
    assert_err(PSST_ERR_PASSPHRASE, r.err);
    assert_non_null(strstr(r.words, "passphrase"));
    sealed.data[7] ^= 1;
    assert_err(PSST_ERR_PASSPHRASE, open_sealed(b, header, psst_buf_view(&sealed), out_fd, fd_with_text("p")).err);
    assert_err(PSST_ERR_PASSPHRASE, open_sealed(b, header, psst_buf_view(&sealed), -1, fd_with_text("p")).err);
    sealed.data[7] ^= 1;
    assert_err(PSST_ERR_PASSPHRASE, open_sealed(b, header, psst_view(sealed.data, 15), out_fd, fd_with_text("p")).err);
    assert_err(PSST_ERR_USAGE, open_sealed(b, header, psst_buf_view(&sealed), out_fd, -1).err);
    header[0] = 'X';
    assert_err(PSST_ERR_MALFORMED, open_sealed(b, header, psst_buf_view(&sealed), out_fd, fd_with_text("p")).err);
    header[0] = 'P';
    struct psst_buf nothing = file_content(out_fd);
    assert_int_equal(0, nothing.len);
    psst_buf_fini(&nothing);

    /* well sealed, but no key inside */
    struct psst_backup_keys keys;
    uint8_t junk[8 + PSST_TAG_LEN];
    assert_ok(psst_backup_derive(&keys, header, psst_view_str("p"), NULL));
    assert_ok(psst_backup_identity_seal(junk, &keys.identity, header, psst_view_str("no key!!")));
    assert_err(PSST_ERR_MALFORMED, open_sealed(b, header, psst_view(junk, sizeof junk), out_fd, fd_with_text("p")).err);
    assert_ok(open_sealed(b, header, psst_buf_view(&sealed), out_fd, fd_with_text("p")).err);
    psst_buf_fini(&sealed);
    (void)close(sealed_fd);
    (void)close(out_fd);
}

int main(void)
{
#define K(f) cmocka_unit_test_setup_teardown(f, key_bench_setup, key_bench_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header__has__the_form_of_the_page),
        cmocka_unit_test(header__is_refused__with_a_sentence),
        cmocka_unit_test(derive__gives__two_keys),
        cmocka_unit_test(identity__opens__only_as_it_was_sealed),
        K(seal_and_open__give_back__the_key_file),
        K(seal__refuses__no_passphrase_and_no_key),
        K(open__refuses__what_it_did_not_seal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
