/*   chunk i = AEAD(key, nonce i, AD = header || last, up to 64 KiB of:  member || member || ... || end)
 *   member  = u8 length, name || u64 length, bytes */
#include "daemon/backup/format.h"

#include <stdlib.h>

#define AD_LEN          (PSST_BACKUP_HEADER_LEN + 1)
#define NAME_MAX_LEN    16
#define MEMBER_HEAD_MAX (1 + NAME_MAX_LEN + 8)
#define PAGE_BYTES      4096

static const char damaged[] = "the backup is damaged, or was cut short";

static const struct shape {
    const char *name;
    uint64_t min, max, multiple;
} shapes[PSST_BACKUP_MEMBERS] = {
    [PSST_BACKUP_CARD] = {"card.psst", 1, 16384, 1},
    [PSST_BACKUP_CONFIG] = {"config", 0, 65536, 1},
    [PSST_BACKUP_STORE_KEY] = {"store.key", PSST_KEM_LEN + PSST_KEY_LEN + PSST_TAG_LEN,
                               PSST_KEM_LEN + PSST_KEY_LEN + PSST_TAG_LEN, 1},
    [PSST_BACKUP_STORE_DB] = {"store.db", PAGE_BYTES, UINT64_C(1) << 42, PAGE_BYTES},
    [PSST_BACKUP_END] = {"end", sizeof(struct psst_hash), sizeof(struct psst_hash), 1},
};

const char *psst_backup_member_name(enum psst_backup_member member)
{
    return shapes[member].name;
}

bool psst_backup_member_fits(enum psst_backup_member member, uint64_t len)
{
    const struct shape *s = &shapes[member];
    return len >= s->min && len <= s->max && len % s->multiple == 0;
}

static void make_ad(uint8_t ad[AD_LEN], const uint8_t header[PSST_BACKUP_HEADER_LEN], bool last)
{
    memcpy(ad, header, PSST_BACKUP_HEADER_LEN);
    ad[PSST_BACKUP_HEADER_LEN] = last ? 1 : 0;
}

/* ---- writing ---- */

struct psst_backup_writer {
    uint8_t header[PSST_BACKUP_HEADER_LEN];
    struct psst_aead_key key;
    uint64_t chunks;
    struct psst_sha256_stream *sha; /* over all members so far */
    enum psst_backup_member next;
    uint64_t left; /* of the member that was begun */
    size_t len;
    uint8_t plain[PSST_BACKUP_CHUNK];
};

enum psst_err psst_backup_writer_new(struct psst_backup_writer **out, const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                     const struct psst_aead_key *key)
{
    struct psst_backup_writer *w = calloc(1, sizeof *w);
    if (w == NULL) return PSST_ERR_MEMORY;
    w->sha = psst_sha256_stream_new();
    if (w->sha == NULL) {
        free(w);
        return PSST_ERR_MEMORY;
    }
    memcpy(w->header, header, sizeof w->header);
    w->key = *key;
    *out = w;
    return PSST_OK;
}

void psst_backup_writer_free(struct psst_backup_writer *w)
{
    if (w == NULL) return;
    psst_sha256_stream_free(w->sha);
    psst_wipe(w, sizeof *w);
    free(w);
}

static enum psst_err seal_chunk(struct psst_backup_writer *w, bool last, struct psst_buf *out)
{
    uint8_t ad[AD_LEN];
    make_ad(ad, w->header, last);
    enum psst_err err = psst_buf_reserve(out, w->len + PSST_TAG_LEN);
    if (err == PSST_OK)
        err = psst_aead_seal(out->data + out->len, &w->key, w->chunks, psst_view(ad, sizeof ad),
                             psst_view(w->plain, w->len));
    if (err != PSST_OK) return err;
    out->len += w->len + PSST_TAG_LEN;
    w->chunks++;
    w->len = 0;
    return PSST_OK;
}

/* A full chunk is sealed only when more comes: the last one is sealed otherwise. */
static enum psst_err add(struct psst_backup_writer *w, struct psst_view data, struct psst_buf *out)
{
    enum psst_err err = psst_sha256_stream_update(w->sha, data);
    while (err == PSST_OK && data.len > 0) {
        if (w->len == PSST_BACKUP_CHUNK) err = seal_chunk(w, false, out);
        size_t room = PSST_BACKUP_CHUNK - w->len;
        size_t n = data.len < room ? data.len : room;
        memcpy(w->plain + w->len, data.data, n);
        w->len += n;
        data = psst_view(data.data + n, data.len - n);
    }
    return err;
}

static enum psst_err add_member(struct psst_backup_writer *w, enum psst_backup_member member, uint64_t len,
                                struct psst_buf *out)
{
    if (w->next != member || w->left > 0 || !psst_backup_member_fits(member, len)) return PSST_ERR_USAGE;
    struct psst_buf head;
    psst_buf_init(&head, MEMBER_HEAD_MAX);
    psst_buf_put_u8(&head, (uint8_t)strlen(shapes[member].name));
    psst_buf_put_str(&head, shapes[member].name);
    psst_buf_put_u64(&head, len);
    enum psst_err err = head.failed ? PSST_ERR_MEMORY : add(w, psst_buf_view(&head), out);
    psst_buf_fini(&head);
    if (err != PSST_OK) return err;
    w->next = member + 1;
    w->left = len;
    return PSST_OK;
}

enum psst_err psst_backup_writer_member(struct psst_backup_writer *w, enum psst_backup_member member, uint64_t len,
                                        struct psst_buf *out)
{
    return member == PSST_BACKUP_END ? PSST_ERR_USAGE : add_member(w, member, len, out);
}

enum psst_err psst_backup_writer_put(struct psst_backup_writer *w, struct psst_view data, struct psst_buf *out)
{
    if (data.len > w->left) return PSST_ERR_USAGE;
    w->left -= data.len;
    return add(w, data, out);
}

enum psst_err psst_backup_writer_end(struct psst_backup_writer *w, struct psst_buf *out)
{
    struct psst_hash hash;
    enum psst_err err = psst_sha256_stream_peek(w->sha, &hash);
    if (err == PSST_OK) err = add_member(w, PSST_BACKUP_END, sizeof hash.b, out);
    if (err == PSST_OK) err = psst_backup_writer_put(w, psst_view(hash.b, sizeof hash.b), out);
    return err == PSST_OK ? seal_chunk(w, true, out) : err;
}

/* ---- reading ---- */

struct psst_backup_reader {
    uint8_t header[PSST_BACKUP_HEADER_LEN];
    struct psst_aead_key key;
    struct psst_backup_sink sink;
    uint64_t chunks;
    uint64_t sealed_left, plain_left;
    struct psst_sha256_stream *sha;
    struct psst_hash hash; /* of all before the end */
    enum psst_backup_member next;
    uint64_t left; /* of the member that was begun */
    size_t head_len, end_len;
    uint8_t head[MEMBER_HEAD_MAX]; /* as much as has been read of the next member's */
    struct psst_hash end;          /* as much as has been read of it */
    uint8_t chunk[PSST_BACKUP_SEALED_CHUNK];
};

enum psst_err psst_backup_reader_new(struct psst_backup_reader **out, const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                     const struct psst_aead_key *key, uint64_t sealed_len,
                                     const struct psst_backup_sink *sink, struct psst_diag *diag)
{
    uint64_t rest = sealed_len % PSST_BACKUP_SEALED_CHUNK;
    if (sealed_len == 0 || (rest > 0 && rest <= PSST_TAG_LEN)) return psst_fail(diag, PSST_ERR_DAMAGED, "%s", damaged);
    struct psst_backup_reader *r = calloc(1, sizeof *r);
    if (r == NULL) return PSST_ERR_MEMORY;
    r->sha = psst_sha256_stream_new();
    if (r->sha == NULL) {
        free(r);
        return PSST_ERR_MEMORY;
    }
    memcpy(r->header, header, sizeof r->header);
    r->key = *key;
    r->sink = *sink;
    r->sealed_left = sealed_len;
    r->plain_left = sealed_len - PSST_TAG_LEN * (sealed_len / PSST_BACKUP_SEALED_CHUNK + (rest > 0));
    *out = r;
    return PSST_OK;
}

void psst_backup_reader_free(struct psst_backup_reader *r)
{
    if (r == NULL) return;
    psst_sha256_stream_free(r->sha);
    psst_wipe(r, sizeof *r);
    free(r);
}

size_t psst_backup_reader_wants(const struct psst_backup_reader *r)
{
    return r->sealed_left < PSST_BACKUP_SEALED_CHUNK ? (size_t)r->sealed_left : PSST_BACKUP_SEALED_CHUNK;
}

/* One byte more of the next member's head. It is not known how long that is before its first byte has been read. */
static enum psst_err take_head(struct psst_backup_reader *r, uint8_t byte, struct psst_diag *diag)
{
    const char *name = shapes[r->next].name;
    size_t name_len = strlen(name);
    if (r->head_len == 0 && r->next == PSST_BACKUP_END && psst_sha256_stream_peek(r->sha, &r->hash) != PSST_OK)
        return PSST_ERR_INTERNAL;
    r->head[r->head_len++] = byte;
    if (r->head[0] != name_len) return psst_fail(diag, PSST_ERR_DAMAGED, "%s", damaged);
    if (r->head_len < 1 + name_len + 8) return PSST_OK;
    uint64_t len = psst_load_u64(r->head + 1 + name_len);
    bool fits =
        memcmp(r->head + 1, name, name_len) == 0 && psst_backup_member_fits(r->next, len) && len <= r->plain_left;
    if (!fits) return psst_fail(diag, PSST_ERR_DAMAGED, "%s", damaged);
    r->head_len = 0;
    r->left = len;
    r->next++;
    return r->next > PSST_BACKUP_END ? PSST_OK : r->sink.begin(r->sink.ctx, r->next - 1, len);
}

static enum psst_err take_bytes(struct psst_backup_reader *r, struct psst_view piece)
{
    enum psst_backup_member member = r->next - 1;
    r->left -= piece.len;
    if (member != PSST_BACKUP_END) return r->sink.piece(r->sink.ctx, member, piece);
    memcpy(r->end.b + r->end_len, piece.data, piece.len);
    r->end_len += piece.len;
    return PSST_OK;
}

static enum psst_err take_plain(struct psst_backup_reader *r, struct psst_view plain, struct psst_diag *diag)
{
    enum psst_err err = PSST_OK;
    while (err == PSST_OK && plain.len > 0) {
        bool in_head = r->left == 0;
        if (in_head && r->next > PSST_BACKUP_END) return psst_fail(diag, PSST_ERR_DAMAGED, "%s", damaged);
        size_t n = in_head ? 1 : plain.len <= r->left ? plain.len : (size_t)r->left;
        struct psst_view piece = psst_view(plain.data, n);
        r->plain_left -= n;
        /* the end's own head is hashed too, but its hash was taken before */
        err = in_head ? take_head(r, piece.data[0], diag) : take_bytes(r, piece);
        if (err == PSST_OK) err = psst_sha256_stream_update(r->sha, piece);
        plain = psst_view(plain.data + n, plain.len - n);
    }
    return err;
}

enum psst_err psst_backup_reader_chunk(struct psst_backup_reader *r, struct psst_view sealed, struct psst_diag *diag)
{
    uint8_t ad[AD_LEN];
    if (sealed.len == 0 || sealed.len != psst_backup_reader_wants(r)) return PSST_ERR_USAGE;
    make_ad(ad, r->header, sealed.len == r->sealed_left);
    memcpy(r->chunk, sealed.data, sealed.len);
    enum psst_err err =
        psst_aead_open(r->chunk, &r->key, r->chunks, psst_view(ad, sizeof ad), psst_view(r->chunk, sealed.len));
    if (err == PSST_ERR_AUTH) err = psst_fail(diag, PSST_ERR_DAMAGED, "%s", damaged);
    if (err == PSST_OK) {
        r->chunks++;
        r->sealed_left -= sealed.len;
        err = take_plain(r, psst_view(r->chunk, sealed.len - PSST_TAG_LEN), diag);
    }
    psst_wipe(r->chunk, sealed.len);
    return err;
}

enum psst_err psst_backup_reader_end(const struct psst_backup_reader *r, struct psst_diag *diag)
{
    bool whole = r->sealed_left == 0 && r->next == PSST_BACKUP_MEMBERS && r->left == 0 && r->head_len == 0 &&
                 r->end_len == sizeof r->end.b &&
                 psst_view_equal(psst_view(r->hash.b, sizeof r->hash.b), psst_view(r->end.b, sizeof r->end.b));
    return whole ? PSST_OK : psst_fail(diag, PSST_ERR_DAMAGED, "%s", damaged);
}
