/* Backups: header, chunks, members. What is read comes in order and whole, or is refused with a sentence; what was accepted is
 * exactly what the writer would have written.
 *
 * input: one byte that chooses, then
 *   0   a file behind its sealed private key: header, chunks, as they stand
 *   1   members, which are sealed here as an enemy with the key would
 *   2   two bytes, the sizes of good members; then three bytes each: where to turn which bits of the finished chunks
 */
#include "fuzz.h"

#include "daemon/backup/format.h"

#define OUT_MAX   (1u << 22)
#define CHUNK     PSST_BACKUP_CHUNK
#define CHEAP_LOG 4 /* what a derivation may cost here */

static const struct psst_aead_key key = {.b = {9, 8, 7}};
static uint8_t header[PSST_BACKUP_HEADER_LEN];

/* ---- what comes out ---- */

struct got {
    unsigned members;
    uint64_t due; /* of the last one */
    struct psst_backup_writer *writer;
    struct psst_buf again;
};

static enum psst_err on_begin(void *ctx, enum psst_backup_member member, uint64_t len)
{
    struct got *got = ctx;
    FUZZ_CHECK((unsigned)member == got->members && member < PSST_BACKUP_END && got->due == 0);
    FUZZ_CHECK(psst_backup_member_fits(member, len) && len <= OUT_MAX); /* never more than there is */
    got->members++;
    got->due = len;
    FUZZ_CHECK(psst_backup_writer_member(got->writer, member, len, &got->again) == PSST_OK);
    return PSST_OK;
}

static enum psst_err on_piece(void *ctx, enum psst_backup_member member, struct psst_view piece)
{
    struct got *got = ctx;
    FUZZ_CHECK((unsigned)member + 1 == got->members && piece.len > 0 && piece.len <= got->due);
    got->due -= piece.len;
    FUZZ_CHECK(psst_backup_writer_put(got->writer, piece, &got->again) == PSST_OK);
    return PSST_OK;
}

static bool read_chunks(const uint8_t *head, struct psst_view sealed)
{
    struct got got = {.members = 0};
    const struct psst_backup_sink sink = {on_begin, on_piece, &got};
    struct psst_backup_reader *r = NULL;
    struct psst_diag diag = {{0}};
    struct psst_view rest = sealed;
    psst_buf_init(&got.again, OUT_MAX);
    FUZZ_CHECK(psst_backup_writer_new(&got.writer, head, &key) == PSST_OK);
    enum psst_err err = psst_backup_reader_new(&r, head, &key, sealed.len, &sink, &diag);
    for (size_t n; err == PSST_OK && (n = psst_backup_reader_wants(r)) > 0;) {
        FUZZ_CHECK(n <= rest.len);
        err = psst_backup_reader_chunk(r, psst_view(rest.data, n), &diag);
        rest = psst_view(rest.data + n, rest.len - n);
    }
    if (err == PSST_OK) err = psst_backup_reader_end(r, &diag);
    FUZZ_CHECK(err == PSST_OK || (err == PSST_ERR_DAMAGED && diag.text[0] != '\0'));
    if (err == PSST_OK) {
        FUZZ_CHECK(got.members == PSST_BACKUP_END && got.due == 0 && rest.len == 0);
        FUZZ_CHECK(psst_backup_writer_end(got.writer, &got.again) == PSST_OK);
        FUZZ_CHECK(psst_view_equal(psst_buf_view(&got.again), sealed));
    }
    psst_backup_reader_free(r);
    psst_backup_writer_free(got.writer);
    psst_buf_fini(&got.again);
    return err == PSST_OK;
}

/* ---- what goes in ---- */

static void raw_file(struct psst_view input)
{
    uint8_t head[PSST_BACKUP_HEADER_LEN];
    struct psst_diag diag = {{0}};
    struct psst_backup_keys keys;
    fuzz_take(&input, head, sizeof head);
    enum psst_err err = psst_backup_header_check(head, &diag);
    FUZZ_CHECK(err == PSST_OK || diag.text[0] != '\0');
    if (err != PSST_OK) return;
    if (head[16] <= CHEAP_LOG && head[17] <= 2 && head[18] <= 2)
        FUZZ_CHECK(psst_backup_derive(&keys, head, input, &diag) == PSST_OK);
    (void)read_chunks(head, input);
}

static void sealed_members(struct psst_view plain)
{
    struct psst_buf sealed;
    uint64_t chunks = 0;
    psst_buf_init(&sealed, OUT_MAX);
    do {
        uint8_t ad[PSST_BACKUP_HEADER_LEN + 1];
        size_t n = plain.len < CHUNK ? plain.len : CHUNK;
        memcpy(ad, header, sizeof header);
        ad[sizeof header] = n == plain.len;
        if (psst_buf_reserve(&sealed, n + PSST_TAG_LEN) != PSST_OK) break;
        FUZZ_CHECK(psst_aead_seal(sealed.data + sealed.len, &key, chunks++, psst_view(ad, sizeof ad),
                                  psst_view(plain.data, n)) == PSST_OK);
        sealed.len += n + PSST_TAG_LEN;
        plain = psst_view(plain.data + n, plain.len - n);
    } while (plain.len > 0);
    (void)read_chunks(header, psst_buf_view(&sealed));
    psst_buf_fini(&sealed);
}

static void good_but_for_some_bits(struct psst_view input)
{
    static const uint8_t content[16 * 4096];
    struct psst_backup_writer *w;
    struct psst_buf sealed;
    const size_t lens[] = {(size_t)1 + fuzz_take_u8(&input), 17, 576, ((size_t)1 + fuzz_take_u8(&input) % 40) * 4096};
    psst_buf_init(&sealed, OUT_MAX);
    FUZZ_CHECK(psst_backup_writer_new(&w, header, &key) == PSST_OK);
    for (enum psst_backup_member m = 0; m < PSST_BACKUP_END; m++) {
        FUZZ_CHECK(psst_backup_writer_member(w, m, lens[m], &sealed) == PSST_OK);
        for (size_t left = lens[m]; left > 0;) {
            size_t n = left < sizeof content ? left : sizeof content;
            FUZZ_CHECK(psst_backup_writer_put(w, psst_view(content, n), &sealed) == PSST_OK);
            left -= n;
        }
    }
    FUZZ_CHECK(psst_backup_writer_end(w, &sealed) == PSST_OK);
    psst_backup_writer_free(w);
    FUZZ_CHECK(read_chunks(header, psst_buf_view(&sealed)));
    bool changed = false;
    while (input.len >= 3 && !changed) { /* a second turn could undo the first */
        size_t at = ((size_t)fuzz_take_u16(&input) * 3) % sealed.len;
        uint8_t bits = fuzz_take_u8(&input);
        sealed.data[at] ^= bits;
        changed = bits != 0;
    }
    FUZZ_CHECK(read_chunks(header, psst_buf_view(&sealed)) != changed);
    psst_buf_fini(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_rng state = {1};
    struct psst_rng rng = fuzz_rng_of(&state);
    fuzz_init();
    if (size == 0 || size > OUT_MAX / 2) return 0;
    psst_backup_header_make(header, &rng);
    struct psst_view input = psst_view(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0: raw_file(input); break;
    case 1: sealed_members(input); break;
    default: good_but_for_some_bits(input); break;
    }
    return 0;
}
