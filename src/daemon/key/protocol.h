/* The messages between psstd and psst-key: one datagram each on a SOCK_SEQPACKET socket pair, at most
 * PSST_KEY_MESSAGE_MAX bytes, all integers big-endian. Both sides read them with the same bounded parser and neither
 * believes the other.
 *
 *     request   u32 number | u8 operation | u8 passphrases (bit 0: first, bit 1: second) | u16 bits | data
 *               descriptors travel along: those of the operation, then the passphrases that the bits announce
 *     progress  u32 number | u8 0 | u32 candidates tried
 *     answer    u32 number | u8 1 | u8 error | u8 length, sentence | u8 encrypted | u16 length, SPKI
 *               | u8 length (0 or 32), secret | u16 length, wrapped
 *
 * | operation     | descriptors            | passphrases | data          | answer has        | needs    |
 * | ------------- | ---------------------- | ----------- | ------------- | ----------------- | -------- |
 * | unlock        | key file               | 1           |               | SPKI, encrypted   |          |
 * | lock          |                        |             |               |                   |          |
 * | decapsulate   |                        |             | X, 528 bytes  | secret: Z         | unlocked |
 * | generate      | new key file           | 1           | (bits)        | SPKI, encrypted   | locked   |
 * | import        | PEM, new key file      | 1           |               | SPKI, encrypted   | locked   |
 * | change        | key file, new key file | 2: old, new |               | SPKI, encrypted   |          |
 * | create store  |                        |             |               | secret, wrapped   | unlocked |
 * | open store    |                        |             | wrapped, 576  | secret            | unlocked |
 * | backup: seal  | key file, new file     | 1           | header, 52    | secret, encrypted |          |
 * | backup: open  | sealed, new key file   | 1           | header, 52    | secret, encrypted |          |
 * | backup: check | sealed                 | 1           | header, 52    | secret, encrypted |          |
 */
#ifndef PSST_DAEMON_KEY_PROTOCOL_H
#define PSST_DAEMON_KEY_PROTOCOL_H

#include "crypto/crypto.h"

#define PSST_KEY_SOCKET         3 /* psst-key's end of the socket pair */
#define PSST_KEY_MESSAGE_MAX    2048
#define PSST_KEY_FDS_MAX        4
#define PSST_KEY_PASSPHRASE_MAX 1024 /* bytes, without the line feed */
#define PSST_KEY_PEM_MAX        16384
#define PSST_KEY_WRAPPED_LEN    (PSST_KEM_LEN + PSST_KEY_LEN + PSST_TAG_LEN)

enum psst_key_op {
    PSST_KEY_UNLOCK = 1,
    PSST_KEY_LOCK,
    PSST_KEY_DECAPSULATE,
    PSST_KEY_GENERATE,
    PSST_KEY_IMPORT,
    PSST_KEY_CHANGE,
    PSST_KEY_CREATE_STORE,
    PSST_KEY_OPEN_STORE,
    PSST_KEY_BACKUP_SEAL,
    PSST_KEY_BACKUP_OPEN,
    PSST_KEY_BACKUP_CHECK,
    PSST_KEY_OPS /* one more than the last */
};

struct psst_key_request {
    uint32_t number;
    enum psst_key_op op;
    bool passphrase[2];
    uint16_t bits;
    struct psst_view data;
};

/* What this request must bring: descriptors of the operation and announced passphrases. */
size_t psst_key_request_fds(const struct psst_key_request *request);
/* Of these, how many come before the passphrases. */
size_t psst_key_op_files(enum psst_key_op op);

void psst_key_request_write(struct psst_buf *out, const struct psst_key_request *request);
/* PSST_ERR_MALFORMED; number is set in any case, 0 when there is none. data borrows from message. */
PSST_MUST_USE enum psst_err psst_key_request_read(struct psst_key_request *request, struct psst_view message);

struct psst_key_answer {
    uint32_t number;
    bool progress;
    uint32_t tried; /* progress alone; the rest: answers alone */
    enum psst_err err;
    struct psst_diag diag;
    bool encrypted;
    struct psst_view spki, secret, wrapped; /* borrowed */
};

void psst_key_answer_write(struct psst_buf *out, const struct psst_key_answer *answer);
PSST_MUST_USE enum psst_err psst_key_answer_read(struct psst_key_answer *answer, struct psst_view message);

#endif
