/* The head of a backup file (docs/BACKUP.md): what the passphrase is stretched with, and the private key file, sealed. psst-key
 * does the sealing and opening, so that psstd never holds a private key that has no passphrase of its own; psstd gets the
 * key of all that follows. Pure functions; both sides link them. */
#ifndef PSST_DAEMON_KEY_BACKUP_H
#define PSST_DAEMON_KEY_BACKUP_H

#include "crypto/crypto.h"

#define PSST_BACKUP_HEADER_LEN 52

/* A new header: this version, N = 2^14, r = 8, p = 16, a salt of 32 bytes that was never used before. */
void psst_backup_header_make(uint8_t header[PSST_BACKUP_HEADER_LEN], const struct psst_rng *rng);
/* Magic, version and cost, each with its sentence: PSST_ERR_MALFORMED, PSST_ERR_USAGE (a newer version), PSST_ERR_TOO_LONG. */
PSST_MUST_USE enum psst_err psst_backup_header_check(const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                                     struct psst_diag *diag);

struct psst_backup_keys {
    struct psst_aead_key identity; /* of the private key file: stays in psst-key */
    struct psst_aead_key stream;   /* of everything else */
};
/* Checks the header, then takes half a second. */
PSST_MUST_USE enum psst_err psst_backup_derive(struct psst_backup_keys *keys,
                                               const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                               struct psst_view passphrase, struct psst_diag *diag);

/* out holds pem.len + PSST_TAG_LEN bytes. */
PSST_MUST_USE enum psst_err psst_backup_identity_seal(uint8_t *out, const struct psst_aead_key *key,
                                                      const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                                      struct psst_view pem);
/* out holds sealed.len - PSST_TAG_LEN bytes. PSST_ERR_AUTH: another passphrase, or not what was written. */
PSST_MUST_USE enum psst_err psst_backup_identity_open(uint8_t *out, const struct psst_aead_key *key,
                                                      const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                                      struct psst_view sealed);

#endif
