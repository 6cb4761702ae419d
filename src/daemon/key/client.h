/* psstd's end of the line to psst-key, the one process that holds the RSA private key.
 *
 * Messages are datagrams on a SOCK_SEQPACKET socket pair (key/protocol.h): u32 request number, u8 operation, fields;
 * file descriptors travel along. psst-key opens nothing itself: key file, passphrase pipe and new key file are
 * descriptors that it is handed. Requests are answered in order. Loop thread only; `done` is called once for each
 * request, later (at once only when memory ran out), also when psst-key dies (PSST_ERR_IO) - it is started again at once,
 * locked, at most five times a minute. At most 256 requests are under way, more get PSST_ERR_FULL. Passphrase descriptors:
 * read to their end by psst-key, at most 1,024 bytes, one trailing line feed dropped, for at most two minutes
 * (PSST_ERR_EXPIRED), during which everything behind waits; the client closes its copy in every case (takes). -1: there is
 * none. Generate and import need a locked psst-key; after an error, what is in out_fd is for the caller to remove.
 */
#ifndef PSST_DAEMON_KEY_CLIENT_H
#define PSST_DAEMON_KEY_CLIENT_H

#include "base/log.h"
#include "crypto/crypto.h"
#include "daemon/key/backup.h"

#include <uv.h>

struct psst_key_client;

struct psst_key_reply {
    enum psst_err err;
    struct psst_diag diag;
    struct psst_view spki;           /* unlock, generate, import: the public key; borrowed */
    struct psst_kem_secret secret;   /* decapsulate */
    struct psst_store_key store_key; /* open and create store; wiped after done returns */
    struct psst_aead_key backup_key; /* backups: of the stream; wiped after done returns */
    struct psst_view wrapped;        /* create store: what goes into store.key */
    bool encrypted;                  /* unlock, backups: the key file has a passphrase */
};
typedef void psst_key_done(void *ctx, const struct psst_key_reply *reply);
typedef void psst_key_progress(void *ctx, unsigned candidates_tried);

/* program is the path of psst-key. died is told when psst-key ended by itself (the identity is locked now). */
PSST_MUST_USE enum psst_err psst_key_client_new(struct psst_key_client **out, uv_loop_t *loop, const char *program,
                                                struct psst_log *log, void (*died)(void *ctx), void *ctx);
/* Asks psst-key to end and closes; pending requests get PSST_ERR_IO. closed is called when the handles are gone. */
void psst_key_client_close(struct psst_key_client *kc, void (*closed)(void *ctx), void *ctx);

/* The key file's content is read from key_fd (takes). After it psst-key is unlocked. Without passphrase and with an
 * encrypted key: PSST_ERR_PASSPHRASE. */
void psst_key_unlock(struct psst_key_client *kc, int key_fd, int passphrase_fd, psst_key_done *done, void *ctx);
void psst_key_lock(struct psst_key_client *kc, psst_key_done *done, void *ctx);
/* X -> Z under LBL("z"). PSST_ERR_LOCKED; PSST_ERR_AUTH. */
void psst_key_decapsulate(struct psst_key_client *kc, const uint8_t x[PSST_KEM_LEN], psst_key_done *done, void *ctx);
/* Makes a key of bits bits and writes it as PKCS#8 PEM to out_fd (takes; an empty file of mode 0600 that the client
 * made), encrypted when there is a passphrase, fsyncs, and is unlocked afterwards. */
void psst_key_generate(struct psst_key_client *kc, unsigned bits, int out_fd, int passphrase_fd,
                       psst_key_progress *progress, psst_key_done *done, void *ctx);
/* The same with an existing PEM from in_fd, which the same passphrase opens when it is encrypted. */
void psst_key_import(struct psst_key_client *kc, int in_fd, int out_fd, int passphrase_fd, psst_key_done *done,
                     void *ctx);
/* Reads the key file, opens it with old_fd, writes it to out_fd under new_fd (-1: unencrypted). */
void psst_key_change_passphrase(struct psst_key_client *kc, int key_fd, int out_fd, int old_fd, int new_fd,
                                psst_key_done *done, void *ctx);
/* 32 random bytes, wrapped to oneself: X || AEAD(RSA-KEM under LBL("store"), nonce 0, AD = LBL("store"), key). */
void psst_key_create_store(struct psst_key_client *kc, psst_key_done *done, void *ctx);
void psst_key_open_store(struct psst_key_client *kc, struct psst_view wrapped, psst_key_done *done, void *ctx);
/* Backups (key/backup.h), locked or not. The passphrase is the backup's own and must be there. seal: the key file as it lies
 * on the disk, sealed into out_fd. open: the other way; out_fd -1: only whether it could be. The files as above, all taken.
 * PSST_ERR_PASSPHRASE; PSST_ERR_MALFORMED, PSST_ERR_TOO_LONG: the header is none, or asks for too much. */
void psst_key_backup_seal(struct psst_key_client *kc, const uint8_t header[PSST_BACKUP_HEADER_LEN], int key_fd,
                          int out_fd, int passphrase_fd, psst_key_done *done, void *ctx);
void psst_key_backup_open(struct psst_key_client *kc, const uint8_t header[PSST_BACKUP_HEADER_LEN], int sealed_fd,
                          int out_fd, int passphrase_fd, psst_key_done *done, void *ctx);

#endif
