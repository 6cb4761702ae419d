/* Chunks (docs/PROTOCOL.md, "Chunks"): what a record holds. Writing and reading of each kind stand side by side, and
 * read like the tables of the document. Readers borrow from the body; writers append to a psst_buf. */
#ifndef PSST_PROTO_CHUNK_H
#define PSST_PROTO_CHUNK_H

#include "crypto/crypto.h"
#include "proto/wire.h"

enum psst_chunk_id {
    PSST_CHUNK_TEXT = 't',
    PSST_CHUNK_ACK = 'a',
    PSST_CHUNK_NOT_ACCEPTED = 'n',
    PSST_CHUNK_PING = 'p',
    PSST_CHUNK_PONG = 'q',
    PSST_CHUNK_FILE = 'f',
    PSST_CHUNK_CALL = 'c',
    PSST_CHUNK_VOICE = 'v',
    PSST_CHUNK_REKEY = 'r',
    PSST_CHUNK_BYE = 'b',
    PSST_CHUNK_READ = 0xf2,
    PSST_CHUNK_MEET = 0xf1,
    PSST_CHUNK_PRESENCE = 0xf3,
};
#define PSST_CHUNK_OPTIONAL 0x80

struct psst_chunk {
    uint8_t id;
    struct psst_view data; /* borrowed */
};

/* Takes a record's body apart: exactly one chunk, then zeros. PSST_ERR_PROTOCOL for an identifier that is unknown and
 * not optional, PSST_ERR_MALFORMED for the rest. */
PSST_MUST_USE enum psst_err psst_chunk_read(struct psst_chunk *out, struct psst_view body);
void psst_chunk_write(struct psst_buf *out, uint8_t id, struct psst_view data);

enum psst_not_accepted_reason {
    PSST_NOT_ACCEPTED_MALFORMED = 1,
    PSST_NOT_ACCEPTED_OTHER_BODY = 2, /* the same identifier came before with another body */
    PSST_NOT_ACCEPTED_DISK_FULL = 3,
    PSST_NOT_ACCEPTED_PAUSED = 4,
    PSST_NOT_ACCEPTED_HASH = 5, /* a file whose SHA-256 is not the announced one */
};
enum psst_bye_reason {
    PSST_BYE_CLOSED = 1,    /* the user hung up */
    PSST_BYE_DUPLICATE = 2, /* a newer session, or the one that was chosen, takes its place */
    PSST_BYE_LOCKED = 3,
    PSST_BYE_STOPPING = 4,
};

struct psst_text {
    struct psst_msg_id id;
    uint64_t time_ms; /* unix, the sender's clock */
    struct psst_view utf8;
};
void psst_text_write(struct psst_buf *out, const struct psst_text *text);
/* PSST_ERR_MALFORMED. has_id tells whether at least the identifier could be read: then the answer is "not accepted",
 * and the session goes on; otherwise it ends. */
PSST_MUST_USE enum psst_err psst_text_read(struct psst_text *out, struct psst_view data, bool *has_id);

void psst_ack_write(struct psst_buf *out, const struct psst_msg_id *ids, size_t n);
/* ids.len is 16 times their number, at least one. */
PSST_MUST_USE enum psst_err psst_ack_read(struct psst_view *ids, struct psst_view data);

/* Read receipts: ids of messages that the user has been shown. n and what is read: 1 to PSST_RECEIPT_IDS_MAX. */
#define PSST_RECEIPT_IDS_MAX 64
void psst_receipt_write(struct psst_buf *out, const struct psst_msg_id *ids, size_t n);
PSST_MUST_USE enum psst_err psst_receipt_read(struct psst_view *ids, struct psst_view data);

void psst_not_accepted_write(struct psst_buf *out, const struct psst_msg_id *id, uint8_t reason);
PSST_MUST_USE enum psst_err psst_not_accepted_read(struct psst_msg_id *id, uint8_t *reason, struct psst_view data);

void psst_ping_write(struct psst_buf *out, uint8_t ping_or_pong, const uint8_t payload[8]);
PSST_MUST_USE enum psst_err psst_ping_read(uint8_t payload[8], struct psst_view data);

void psst_bye_write(struct psst_buf *out, uint8_t reason);
PSST_MUST_USE enum psst_err psst_bye_read(uint8_t *reason, struct psst_view data);

/* The optional kinds: who finds one malformed skips it, so that PSST_ERR_MALFORMED never ends a session. */
struct psst_presence_chunk {
    uint8_t state; /* 1 there, 2 away, 3 do not disturb */
    struct psst_view utf8;
};
void psst_presence_write(struct psst_buf *out, const struct psst_presence_chunk *presence);
/* An unknown state is read as 1. */
PSST_MUST_USE enum psst_err psst_presence_read(struct psst_presence_chunk *out, struct psst_view data);

struct psst_meet_chunk {
    struct psst_msg_id id;
    uint64_t time_ms; /* unix; 0: called off */
};
void psst_meet_write(struct psst_buf *out, const struct psst_meet_chunk *meet);
PSST_MUST_USE enum psst_err psst_meet_read(struct psst_meet_chunk *out, struct psst_view data);

/* One `f` chunk: u8 kind || transfer id (16 bytes) || by kind. */
enum psst_file_kind {
    PSST_FILE_OFFER = 1,   /* u8 form || u64 size || name, 1 to 255 bytes of UTF-8 */
    PSST_FILE_ACCEPT = 2,  /* u64 offset to begin from */
    PSST_FILE_DECLINE = 3, /* u8 reason */
    PSST_FILE_DATA = 4,    /* u64 offset || 1 to PSST_FILE_DATA_MAX bytes */
    PSST_FILE_DONE = 5,    /* u64 size || SHA-256 of the whole file */
    PSST_FILE_CANCEL = 6,  /* u8 reason; by either side */
    PSST_FILE_PAUSE = 7,   /* u8 why; by either side */
    PSST_FILE_WINDOW = 8,  /* u64 offset up to which a stream may be sent */
};
enum psst_file_form { /* others are read all the same, and are declined by whoever takes offers */
                      PSST_FILE_FORM_FILE = 0,
                      PSST_FILE_FORM_FOLDER = 1,
                      PSST_FILE_FORM_STREAM = 2,
                      PSST_FILE_FORM_VOICE = 3, /* a file that is a voice message */
};
enum psst_file_reason { /* of decline and cancel */
                        PSST_FILE_BY_USER = 1,
                        PSST_FILE_NOT_SUPPORTED = 2,
                        PSST_FILE_PROTOCOL = 3,  /* data overlapping, past the end, never offered */
                        PSST_FILE_CHANGED = 4,   /* the source changed while it was read, or went away */
                        PSST_FILE_NOT_SAVED = 5, /* disk full or another error on the receiver's side */
                        PSST_FILE_HASH = 6,
                        PSST_FILE_CUT_OFF = 7, /* the session broke, and a stream cannot be taken up again */
                        PSST_FILE_REFUSED = 8, /* what is in a folder may not be there, or is damaged */
};
enum psst_file_pause { /* why, in reason */
                       PSST_FILE_PAUSE_BY_USER = 1,
                       PSST_FILE_PAUSE_ANSWER = 2, /* sender: no more data comes of what you asked me to pause */
};
#define PSST_FILE_SIZE_UNKNOWN UINT64_MAX
#define PSST_FILE_SIZE_MAX     (UINT64_C(1) << 62)

struct psst_file_chunk {
    uint8_t kind;
    struct psst_msg_id id;
    uint8_t form, reason;
    uint64_t size, offset;
    struct psst_view name, data;
    struct psst_hash sha256;
};
void psst_file_write(struct psst_buf *out, const struct psst_file_chunk *chunk);
/* PSST_ERR_MALFORMED ends the session but for a name that is not valid UTF-8 or holds NUL, or a size over the limit:
 * those give PSST_ERR_TOO_LONG with id set, and only that transfer is declined. */
PSST_MUST_USE enum psst_err psst_file_read(struct psst_file_chunk *out, struct psst_view data);

#endif
