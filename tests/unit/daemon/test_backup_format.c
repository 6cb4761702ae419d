/* The members of a backup, in chunks: what was written comes back, anything else is refused. */
#include "daemon/backup/format.h"
#include "support/check.h"
#include "support/vectors.h"

#include <stdio.h>
#include <stdlib.h>

static const struct psst_aead_key key = {.b = {1, 2, 3}};
static uint8_t header[PSST_BACKUP_HEADER_LEN];

#define BIG (1u << 21)

/* What a backup holds, and what came out of one. */
struct content {
    struct psst_buf at[PSST_BACKUP_END];
    unsigned begun; /* members, in order */
    uint64_t announced;
    enum psst_err refuse;
};

static void content_init(struct content *c)
{
    *c = (struct content){.begun = 0};
    for (size_t i = 0; i < PSST_BACKUP_END; i++) psst_buf_init(&c->at[i], BIG);
}

static void content_fini(struct content *c)
{
    for (size_t i = 0; i < PSST_BACKUP_END; i++) psst_buf_fini(&c->at[i]);
}

static void content_fill(struct content *c, size_t card, size_t config, size_t pages)
{
    const size_t lens[PSST_BACKUP_END] = {card, config, 576, pages * 4096};
    content_init(c);
    for (size_t i = 0; i < PSST_BACKUP_END; i++)
        for (size_t j = 0; j < lens[i]; j++) psst_buf_put_u8(&c->at[i], (uint8_t)(j * 7 + j / 251 + i));
}

static enum psst_err on_begin(void *ctx, enum psst_backup_member member, uint64_t len)
{
    struct content *c = ctx;
    assert_int_equal(c->begun, member);
    if (member > 0) assert_int_equal(c->announced, c->at[member - 1].len);
    c->begun++;
    c->announced = len;
    return c->refuse;
}

static enum psst_err on_piece(void *ctx, enum psst_backup_member member, struct psst_view piece)
{
    struct content *c = ctx;
    assert_int_equal(c->begun, member + 1u);
    psst_buf_put_view(&c->at[member], piece);
    assert_true(c->at[member].len <= c->announced);
    return PSST_OK;
}

/* step: how many bytes are put at once. */
static void write_all(const struct content *c, size_t step, struct psst_buf *out)
{
    struct psst_backup_writer *w;
    psst_buf_init(out, BIG * 2);
    assert_ok(psst_backup_writer_new(&w, header, &key));
    for (enum psst_backup_member m = 0; m < PSST_BACKUP_END; m++) {
        assert_ok(psst_backup_writer_member(w, m, c->at[m].len, out));
        for (size_t at = 0; at < c->at[m].len; at += step) {
            size_t n = c->at[m].len - at < step ? c->at[m].len - at : step;
            assert_ok(psst_backup_writer_put(w, psst_view(c->at[m].data + at, n), out));
        }
    }
    assert_ok(psst_backup_writer_end(w, out));
    psst_backup_writer_free(w);
}

static enum psst_err read_with(struct content *c, struct psst_view sealed, const uint8_t *head,
                               const struct psst_aead_key *with)
{
    struct psst_diag diag = {{0}};
    const struct psst_backup_sink sink = {on_begin, on_piece, c};
    struct psst_backup_reader *r = NULL;
    enum psst_err err = psst_backup_reader_new(&r, head, with, sealed.len, &sink, &diag);
    for (size_t n; err == PSST_OK && (n = psst_backup_reader_wants(r)) > 0;) {
        err = psst_backup_reader_chunk(r, psst_view(sealed.data, n), &diag);
        sealed = psst_view(sealed.data + n, sealed.len - n);
    }
    if (err == PSST_OK) err = psst_backup_reader_end(r, &diag);
    if (err == PSST_ERR_DAMAGED) assert_non_null(strstr(diag.text, "damaged"));
    psst_backup_reader_free(r);
    return err;
}

static enum psst_err read_all(struct psst_view sealed)
{
    struct content c;
    content_init(&c);
    enum psst_err err = read_with(&c, sealed, header, &key);
    content_fini(&c);
    return err;
}

static void assert_round_trip(struct content *c, size_t step)
{
    struct content back;
    struct psst_buf sealed;
    write_all(c, step, &sealed);
    content_init(&back);
    assert_ok(read_with(&back, psst_buf_view(&sealed), header, &key));
    assert_int_equal(PSST_BACKUP_END, back.begun);
    for (size_t i = 0; i < PSST_BACKUP_END; i++)
        assert_bytes(psst_buf_view(&c->at[i]), back.at[i].data, back.at[i].len);
    psst_buf_fini(&sealed);
    content_fini(&back);
}

static void backup__comes_back__as_it_was_written(void **state)
{
    (void)state;
    static const struct {
        size_t card, config, pages, step;
    } cases[] = {
        {1, 0, 1, 1},      {16384, 65536, 1, 4096},   {700, 100, 15, 65536},  {700, 100, 16, 65537},
        {700, 0, 17, 100}, {700, 100, 200, 1u << 20}, {5, 65536, 48, 300000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct content c;
        content_fill(&c, cases[i].card, cases[i].config, cases[i].pages);
        assert_round_trip(&c, cases[i].step);
        content_fini(&c);
    }
}

/* Members that end exactly with a chunk: the last chunk is full, and no empty one follows. */
static void backup__comes_back__when_it_ends_with_a_full_chunk(void **state)
{
    (void)state;
    const size_t heads = (1 + 9 + 8) + (1 + 6 + 8) + (1 + 9 + 8) + (1 + 8 + 8) + (1 + 3 + 8 + 32);
    for (size_t around = 0; around < 3; around++) {
        struct content c;
        content_fill(&c, 65536 - heads - 576 - 12 * 4096 - 1 + around, 0, 12);
        struct psst_buf sealed;
        write_all(&c, 1000, &sealed);
        assert_int_equal(around < 2 ? 65536 - 1 + around + 16 : 65536 + 16 + 1 + 16, sealed.len);
        psst_buf_fini(&sealed);
        assert_round_trip(&c, 1000);
        content_fini(&c);
    }
}

static void backup__has__the_form_of_the_page(void **state)
{
    (void)state;
    struct content c;
    struct psst_buf sealed, plain;
    content_fill(&c, 3, 2, 1);
    write_all(&c, 4096, &sealed);
    psst_buf_init(&plain, BIG);
    static const char *const names[] = {"card.psst", "config", "store.key", "store.db"};
    for (size_t i = 0; i < PSST_BACKUP_END; i++) {
        psst_buf_put_u8(&plain, (uint8_t)strlen(names[i]));
        psst_buf_put_str(&plain, names[i]);
        psst_buf_put_u64(&plain, c.at[i].len);
        psst_buf_put_view(&plain, psst_buf_view(&c.at[i]));
    }
    struct psst_hash hash;
    struct psst_view whole = psst_buf_view(&plain);
    assert_ok(psst_sha256(&hash, &whole, 1));
    psst_buf_put_u8(&plain, 3);
    psst_buf_put_str(&plain, "end");
    psst_buf_put_u64(&plain, 32);
    psst_buf_put(&plain, hash.b, 32);
    uint8_t ad[PSST_BACKUP_HEADER_LEN + 1], want[8192];
    memcpy(ad, header, sizeof header);
    ad[sizeof header] = 1;
    assert_ok(psst_aead_seal(want, &key, 0, psst_view(ad, sizeof ad), psst_buf_view(&plain)));
    assert_bytes(psst_view(want, plain.len + PSST_TAG_LEN), sealed.data, sealed.len);
    psst_buf_fini(&plain);
    psst_buf_fini(&sealed);
    content_fini(&c);
}

static void backup__is_refused__cut_anywhere_or_with_more_behind(void **state)
{
    (void)state;
    struct content c;
    struct psst_buf sealed;
    content_fill(&c, 20, 10, 2);
    write_all(&c, 4096, &sealed);
    for (size_t len = 0; len < sealed.len; len++) assert_err(PSST_ERR_DAMAGED, read_all(psst_view(sealed.data, len)));
    psst_buf_put_u8(&sealed, 0);
    assert_err(PSST_ERR_DAMAGED, read_all(psst_buf_view(&sealed)));
    for (size_t i = 0; i < 100; i++) psst_buf_put_u8(&sealed, 0);
    assert_err(PSST_ERR_DAMAGED, read_all(psst_buf_view(&sealed)));
    psst_buf_fini(&sealed);
    content_fini(&c);
}

static void backup__is_refused__with_any_bit_turned(void **state)
{
    (void)state;
    struct content c;
    struct psst_buf sealed;
    content_fill(&c, 20, 10, 1);
    write_all(&c, 4096, &sealed);
    for (size_t bit = 0; bit < sealed.len * 8; bit += 3) {
        sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_err(PSST_ERR_DAMAGED, read_all(psst_buf_view(&sealed)));
        sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_ok(read_all(psst_buf_view(&sealed)));
    psst_buf_fini(&sealed);
    content_fini(&c);
}

static void backup__is_refused__with_chunks_moved_left_out_or_cut_off(void **state)
{
    (void)state;
    struct content c;
    struct psst_buf sealed;
    const size_t chunk = PSST_BACKUP_SEALED_CHUNK;
    content_fill(&c, 20, 10, 60); /* four chunks */
    write_all(&c, 4096, &sealed);
    assert_true(sealed.len > 3 * chunk && sealed.len < 4 * chunk);
    uint8_t *other = malloc(sealed.len);
    assert_non_null(other);
    for (size_t n = 1; n <= 3; n++) assert_err(PSST_ERR_DAMAGED, read_all(psst_view(sealed.data, n * chunk)));
    memcpy(other, sealed.data, sealed.len); /* two exchanged */
    memcpy(other + chunk, sealed.data + 2 * chunk, chunk);
    memcpy(other + 2 * chunk, sealed.data + chunk, chunk);
    assert_err(PSST_ERR_DAMAGED, read_all(psst_view(other, sealed.len)));
    memcpy(other, sealed.data, sealed.len); /* one left out */
    memcpy(other + chunk, sealed.data + 2 * chunk, sealed.len - 2 * chunk);
    assert_err(PSST_ERR_DAMAGED, read_all(psst_view(other, sealed.len - chunk)));
    free(other);
    psst_buf_fini(&sealed);
    content_fini(&c);
}

static void backup__is_refused__with_another_key_or_header(void **state)
{
    (void)state;
    struct content c, back;
    struct psst_buf sealed;
    const struct psst_aead_key wrong = {.b = {1, 2, 4}};
    content_fill(&c, 20, 10, 1);
    write_all(&c, 4096, &sealed);
    content_init(&back);
    assert_err(PSST_ERR_DAMAGED, read_with(&back, psst_buf_view(&sealed), header, &wrong));
    for (size_t i = 0; i < sizeof header; i++) {
        uint8_t other[PSST_BACKUP_HEADER_LEN];
        memcpy(other, header, sizeof other);
        other[i] ^= 0x80;
        assert_err(PSST_ERR_DAMAGED, read_with(&back, psst_buf_view(&sealed), other, &key));
    }
    assert_int_equal(0, back.begun); /* nothing of it was believed */
    psst_buf_fini(&sealed);
    content_fini(&back);
    content_fini(&c);
}

/* ---- what only somebody with the key can write ---- */

/* Seals plain as it stands. */
static enum psst_err read_plain(struct psst_view plain)
{
    struct psst_buf sealed;
    uint64_t chunks = 0;
    psst_buf_init(&sealed, BIG);
    do {
        uint8_t ad[PSST_BACKUP_HEADER_LEN + 1], out[PSST_BACKUP_SEALED_CHUNK];
        size_t n = plain.len < PSST_BACKUP_CHUNK ? plain.len : PSST_BACKUP_CHUNK;
        memcpy(ad, header, sizeof header);
        ad[sizeof header] = n == plain.len;
        assert_ok(psst_aead_seal(out, &key, chunks++, psst_view(ad, sizeof ad), psst_view(plain.data, n)));
        psst_buf_put(&sealed, out, n + PSST_TAG_LEN);
        plain = psst_view(plain.data + n, plain.len - n);
    } while (plain.len > 0);
    enum psst_err err = read_all(psst_buf_view(&sealed));
    psst_buf_fini(&sealed);
    return err;
}

struct named {
    const char *name;
    uint64_t said;
    size_t len;
};

/* At most eight members, ended by a NULL name; then the end, right but for what spoil says: 1: its hash; 2: none; 3: more behind
 * it; 4: a length of 31. */
static enum psst_err read_members(const struct named *members, unsigned spoil)
{
    struct psst_buf plain;
    psst_buf_init(&plain, BIG);
    for (; members->name != NULL; members++) {
        psst_buf_put_u8(&plain, (uint8_t)strlen(members->name));
        psst_buf_put_str(&plain, members->name);
        psst_buf_put_u64(&plain, members->said);
        psst_buf_put_zeros(&plain, members->len);
    }
    struct psst_hash hash;
    struct psst_view whole = psst_buf_view(&plain);
    assert_ok(psst_sha256(&hash, &whole, 1));
    if (spoil == 1) hash.b[31] ^= 1;
    if (spoil != 2) {
        psst_buf_put_u8(&plain, 3);
        psst_buf_put_str(&plain, "end");
        psst_buf_put_u64(&plain, spoil == 4 ? 31 : 32);
        psst_buf_put(&plain, hash.b, spoil == 4 ? 31 : 32);
    }
    if (spoil == 3) psst_buf_put_u8(&plain, 0);
    assert_false(plain.failed);
    enum psst_err err = read_plain(psst_buf_view(&plain));
    psst_buf_fini(&plain);
    return err;
}

#define CARD                                                                                                           \
    {                                                                                                                  \
        "card.psst", 9, 9                                                                                              \
    }
#define CONFIG                                                                                                         \
    {                                                                                                                  \
        "config", 0, 0                                                                                                 \
    }
#define STORE_KEY                                                                                                      \
    {                                                                                                                  \
        "store.key", 576, 576                                                                                          \
    }
#define STORE_DB                                                                                                       \
    {                                                                                                                  \
        "store.db", 4096, 4096                                                                                         \
    }
#define NO_MORE                                                                                                        \
    {                                                                                                                  \
        NULL, 0, 0                                                                                                     \
    }

static void members__are_refused__but_for_the_fixed_ones_in_their_order(void **state)
{
    (void)state;
    static const struct named good[] = {CARD, CONFIG, STORE_KEY, STORE_DB, NO_MORE};
    static const struct named cases[][8] = {
        {NO_MORE},
        {CARD, CONFIG, STORE_KEY, NO_MORE},
        {CARD, STORE_KEY, STORE_DB, NO_MORE},
        {CONFIG, CARD, STORE_KEY, STORE_DB, NO_MORE},
        {CARD, CONFIG, STORE_KEY, STORE_DB, STORE_DB, NO_MORE},
        {CARD, CARD, CONFIG, STORE_KEY, STORE_DB, NO_MORE},
        {CARD, CONFIG, STORE_KEY, STORE_DB, {"replay", 0, 0}, NO_MORE},
        {{"../card.psst", 9, 9}, CONFIG, STORE_KEY, STORE_DB, NO_MORE},
        {{"card/psst", 9, 9}, CONFIG, STORE_KEY, STORE_DB, NO_MORE},
        {{"", 9, 9}, CONFIG, STORE_KEY, STORE_DB, NO_MORE},
        {{"identity.pem", 9, 9}, CARD, CONFIG, STORE_KEY, STORE_DB, NO_MORE},
        {{"card.psst", 0, 0}, CONFIG, STORE_KEY, STORE_DB, NO_MORE},
        {{"card.psst", 16385, 16385}, CONFIG, STORE_KEY, STORE_DB, NO_MORE},
        {CARD, {"config", 65537, 65537}, STORE_KEY, STORE_DB, NO_MORE},
        {CARD, CONFIG, {"store.key", 575, 575}, STORE_DB, NO_MORE},
        {CARD, CONFIG, {"store.key", 577, 577}, STORE_DB, NO_MORE},
        {CARD, CONFIG, STORE_KEY, {"store.db", 0, 0}, NO_MORE},
        {CARD, CONFIG, STORE_KEY, {"store.db", 4097, 4097}, NO_MORE},
        {CARD, CONFIG, STORE_KEY, {"store.db", 8192, 4096}, NO_MORE},
        {CARD, CONFIG, STORE_KEY, {"store.db", UINT64_MAX, 4096}, NO_MORE},
        {CARD, CONFIG, STORE_KEY, {"store.db", UINT64_C(1) << 63, 4096}, NO_MORE},
        {CARD, CONFIG, STORE_KEY, {"store.db", UINT64_C(1) << 42, 4096}, NO_MORE},
    };
    assert_ok(read_members(good, 0));
    for (unsigned spoil = 1; spoil <= 4; spoil++) assert_err(PSST_ERR_DAMAGED, read_members(good, spoil));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (read_members(cases[i], 0) != PSST_ERR_DAMAGED) fail_msg("case %zu was not refused", i);
}

static void reader__ends__when_the_sink_refuses(void **state)
{
    (void)state;
    struct content c, back;
    struct psst_buf sealed;
    content_fill(&c, 20, 10, 40);
    write_all(&c, 4096, &sealed);
    content_init(&back);
    back.refuse = PSST_ERR_DISK_FULL;
    assert_err(PSST_ERR_DISK_FULL, read_with(&back, psst_buf_view(&sealed), header, &key));
    assert_int_equal(1, back.begun);
    psst_buf_fini(&sealed);
    content_fini(&back);
    content_fini(&c);
}

static void writer__refuses__another_order_or_length(void **state)
{
    (void)state;
    struct psst_backup_writer *w;
    struct psst_buf out;
    uint8_t zeros[600] = {0};
    psst_buf_init(&out, BIG);
    assert_ok(psst_backup_writer_new(&w, header, &key));
    assert_err(PSST_ERR_USAGE, psst_backup_writer_put(w, psst_view_str("x"), &out));
    assert_err(PSST_ERR_USAGE, psst_backup_writer_member(w, PSST_BACKUP_CONFIG, 0, &out));
    assert_err(PSST_ERR_USAGE, psst_backup_writer_member(w, PSST_BACKUP_CARD, 0, &out));
    assert_ok(psst_backup_writer_member(w, PSST_BACKUP_CARD, 2, &out));
    assert_err(PSST_ERR_USAGE, psst_backup_writer_member(w, PSST_BACKUP_CONFIG, 0, &out)); /* two bytes are due */
    assert_err(PSST_ERR_USAGE, psst_backup_writer_put(w, psst_view_str("xyz"), &out));
    assert_ok(psst_backup_writer_put(w, psst_view_str("xy"), &out));
    assert_err(PSST_ERR_USAGE, psst_backup_writer_end(w, &out));
    assert_ok(psst_backup_writer_member(w, PSST_BACKUP_CONFIG, 0, &out));
    assert_err(PSST_ERR_USAGE, psst_backup_writer_member(w, PSST_BACKUP_STORE_KEY, 575, &out));
    assert_ok(psst_backup_writer_member(w, PSST_BACKUP_STORE_KEY, 576, &out));
    assert_ok(psst_backup_writer_put(w, psst_view(zeros, 576), &out));
    assert_err(PSST_ERR_USAGE, psst_backup_writer_member(w, PSST_BACKUP_END, 32, &out));
    assert_int_equal(0, out.len); /* nothing is sealed before a chunk is full, or the end */
    psst_backup_writer_free(w);
    psst_buf_fini(&out);
}

int main(void)
{
    psst_backup_header_make(header, &psst_crypto_rng);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backup__comes_back__as_it_was_written),
        cmocka_unit_test(backup__comes_back__when_it_ends_with_a_full_chunk),
        cmocka_unit_test(backup__has__the_form_of_the_page),
        cmocka_unit_test(backup__is_refused__cut_anywhere_or_with_more_behind),
        cmocka_unit_test(backup__is_refused__with_any_bit_turned),
        cmocka_unit_test(backup__is_refused__with_chunks_moved_left_out_or_cut_off),
        cmocka_unit_test(backup__is_refused__with_another_key_or_header),
        cmocka_unit_test(members__are_refused__but_for_the_fixed_ones_in_their_order),
        cmocka_unit_test(reader__ends__when_the_sink_refuses),
        cmocka_unit_test(writer__refuses__another_order_or_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
