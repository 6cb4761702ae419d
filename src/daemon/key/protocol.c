/* The messages of key/protocol.h, written and read. */
#include "daemon/key/protocol.h"

#include "daemon/key/backup.h"

#define KIND_PROGRESS 0
#define KIND_ANSWER   1

/* What each operation brings along; one row an operation. */
static const struct shape {
    uint8_t files, passphrases;
    uint16_t data_len;
} shapes[PSST_KEY_OPS] = {
    [PSST_KEY_UNLOCK] = {1, 1, 0},
    [PSST_KEY_LOCK] = {0, 0, 0},
    [PSST_KEY_DECAPSULATE] = {0, 0, PSST_KEM_LEN},
    [PSST_KEY_GENERATE] = {1, 1, 0},
    [PSST_KEY_IMPORT] = {2, 1, 0},
    [PSST_KEY_CHANGE] = {2, 2, 0},
    [PSST_KEY_CREATE_STORE] = {0, 0, 0},
    [PSST_KEY_OPEN_STORE] = {0, 0, PSST_KEY_WRAPPED_LEN},
    [PSST_KEY_BACKUP_SEAL] = {2, 1, PSST_BACKUP_HEADER_LEN},
    [PSST_KEY_BACKUP_OPEN] = {2, 1, PSST_BACKUP_HEADER_LEN},
    [PSST_KEY_BACKUP_CHECK] = {1, 1, PSST_BACKUP_HEADER_LEN},
};

size_t psst_key_op_files(enum psst_key_op op)
{
    return shapes[op].files;
}

size_t psst_key_request_fds(const struct psst_key_request *request)
{
    return shapes[request->op].files + (size_t)request->passphrase[0] + (size_t)request->passphrase[1];
}

void psst_key_request_write(struct psst_buf *out, const struct psst_key_request *request)
{
    psst_buf_put_u32(out, request->number);
    psst_buf_put_u8(out, (uint8_t)request->op);
    psst_buf_put_u8(out, (uint8_t)((request->passphrase[0] ? 1 : 0) | (request->passphrase[1] ? 2 : 0)));
    psst_buf_put_u16(out, request->bits);
    psst_buf_put_view(out, request->data);
}

enum psst_err psst_key_request_read(struct psst_key_request *request, struct psst_view message)
{
    struct psst_reader r = psst_reader(message);
    *request = (struct psst_key_request){.number = psst_read_u32(&r)};
    uint8_t op = psst_read_u8(&r);
    uint8_t passphrases = psst_read_u8(&r);
    uint16_t bits = psst_read_u16(&r);
    if (op == 0 || op >= PSST_KEY_OPS) return PSST_ERR_MALFORMED;
    struct psst_view data = psst_read_view(&r, shapes[op].data_len);
    if (!psst_reader_end(&r) || passphrases >> shapes[op].passphrases != 0) return PSST_ERR_MALFORMED;
    request->op = (enum psst_key_op)op;
    request->passphrase[0] = (passphrases & 1) != 0;
    request->passphrase[1] = (passphrases & 2) != 0;
    request->bits = bits;
    request->data = data;
    return PSST_OK;
}

void psst_key_answer_write(struct psst_buf *out, const struct psst_key_answer *answer)
{
    psst_buf_put_u32(out, answer->number);
    psst_buf_put_u8(out, answer->progress ? KIND_PROGRESS : KIND_ANSWER);
    if (answer->progress) {
        psst_buf_put_u32(out, answer->tried);
        return;
    }
    size_t words = strnlen(answer->diag.text, sizeof answer->diag.text - 1);
    psst_buf_put_u8(out, (uint8_t)answer->err);
    psst_buf_put_u8(out, (uint8_t)words);
    psst_buf_put(out, answer->diag.text, words);
    psst_buf_put_u8(out, answer->encrypted ? 1 : 0);
    psst_buf_put_u16(out, (uint16_t)answer->spki.len);
    psst_buf_put_view(out, answer->spki);
    psst_buf_put_u8(out, (uint8_t)answer->secret.len);
    psst_buf_put_view(out, answer->secret);
    psst_buf_put_u16(out, (uint16_t)answer->wrapped.len);
    psst_buf_put_view(out, answer->wrapped);
}

static enum psst_err read_answer(struct psst_key_answer *a, struct psst_reader *r)
{
    uint8_t err = psst_read_u8(r);
    struct psst_view words = psst_read_view(r, psst_read_u8(r));
    uint8_t encrypted = psst_read_u8(r);
    a->spki = psst_read_view(r, psst_read_u16(r));
    a->secret = psst_read_view(r, psst_read_u8(r));
    a->wrapped = psst_read_view(r, psst_read_u16(r));
    bool fits = psst_reader_end(r) && err <= PSST_ERR_INTERNAL && encrypted <= 1 && words.len < sizeof a->diag.text &&
                a->spki.len <= PSST_SPKI_MAX_LEN && (a->secret.len == 0 || a->secret.len == PSST_KEY_LEN) &&
                (a->wrapped.len == 0 || a->wrapped.len == PSST_KEY_WRAPPED_LEN);
    if (!fits) return PSST_ERR_MALFORMED;
    a->err = (enum psst_err)err;
    a->encrypted = encrypted != 0;
    if (words.len > 0) memcpy(a->diag.text, words.data, words.len);
    return PSST_OK;
}

enum psst_err psst_key_answer_read(struct psst_key_answer *answer, struct psst_view message)
{
    struct psst_reader r = psst_reader(message);
    struct psst_key_answer a = {.number = psst_read_u32(&r)};
    uint8_t kind = psst_read_u8(&r);
    enum psst_err err = PSST_ERR_MALFORMED;
    if (kind == KIND_PROGRESS) {
        a.progress = true;
        a.tried = psst_read_u32(&r);
        if (psst_reader_end(&r)) err = PSST_OK;
    } else if (kind == KIND_ANSWER) {
        err = read_answer(&a, &r);
    }
    if (err == PSST_OK) *answer = a;
    return err;
}
