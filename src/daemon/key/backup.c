#include "daemon/key/backup.h"

#define VERSION  1
#define MAGIC    "PSST backup\r\n\x1a\n" /* a line end that a transfer as text would change */
#define COST_AT  16
#define SALT_AT  20
#define SALT_LEN 32
#define LOG2_N   14
#define R        8
#define P        16

#define LABEL_IDENTITY "PSST/1 backup identity"
#define LABEL_STREAM   "PSST/1 backup"

_Static_assert(sizeof MAGIC - 1 + 1 == COST_AT, "the version stands behind the magic");
_Static_assert(SALT_AT + SALT_LEN == PSST_BACKUP_HEADER_LEN, "the salt ends the header");

void psst_backup_header_make(uint8_t header[PSST_BACKUP_HEADER_LEN], const struct psst_rng *rng)
{
    memcpy(header, MAGIC, sizeof MAGIC - 1);
    header[COST_AT - 1] = VERSION;
    header[COST_AT] = LOG2_N;
    header[COST_AT + 1] = R;
    header[COST_AT + 2] = P;
    header[COST_AT + 3] = 0;
    rng->fill(rng->ctx, header + SALT_AT, SALT_LEN);
}

enum psst_err psst_backup_header_check(const uint8_t header[PSST_BACKUP_HEADER_LEN], struct psst_diag *diag)
{
    if (memcmp(header, MAGIC, sizeof MAGIC - 1) != 0 || header[COST_AT - 1] == 0)
        return psst_fail(diag, PSST_ERR_MALFORMED, "this is no backup that psst made");
    if (header[COST_AT - 1] > VERSION)
        return psst_fail(diag, PSST_ERR_USAGE, "this backup was made by a newer psst than this one");
    uint8_t log2_n = header[COST_AT];
    enum psst_err err = log2_n > 63 || header[COST_AT + 3] != 0
                            ? PSST_ERR_MALFORMED
                            : psst_crypto_scrypt_check(UINT64_C(1) << log2_n, header[COST_AT + 1], header[COST_AT + 2]);
    if (err == PSST_ERR_TOO_LONG)
        return psst_fail(diag, err, "opening this backup would cost too much: its scrypt asks for more than is sane");
    return err == PSST_OK ? err : psst_fail(diag, err, "this backup is damaged at its beginning");
}

enum psst_err psst_backup_derive(struct psst_backup_keys *keys, const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                 struct psst_view passphrase, struct psst_diag *diag)
{
    uint8_t root[32];
    const struct psst_view identity = psst_view_str(LABEL_IDENTITY), stream = psst_view_str(LABEL_STREAM);
    enum psst_err err = psst_backup_header_check(header, diag);
    if (err != PSST_OK) return err;
    err = psst_crypto_scrypt(root, sizeof root, passphrase, psst_view(header + SALT_AT, SALT_LEN),
                             UINT64_C(1) << header[COST_AT], header[COST_AT + 1], header[COST_AT + 2]);
    if (err == PSST_OK) err = psst_hkdf_expand(keys->identity.b, root, &identity, 1);
    if (err == PSST_OK) err = psst_hkdf_expand(keys->stream.b, root, &stream, 1);
    PSST_WIPE(root);
    return err;
}

enum psst_err psst_backup_identity_seal(uint8_t *out, const struct psst_aead_key *key,
                                        const uint8_t header[PSST_BACKUP_HEADER_LEN], struct psst_view pem)
{
    return psst_aead_seal(out, key, 0, psst_view(header, PSST_BACKUP_HEADER_LEN), pem);
}

enum psst_err psst_backup_identity_open(uint8_t *out, const struct psst_aead_key *key,
                                        const uint8_t header[PSST_BACKUP_HEADER_LEN], struct psst_view sealed)
{
    return psst_aead_open(out, key, 0, psst_view(header, PSST_BACKUP_HEADER_LEN), sealed);
}
