/* What stands in a backup behind the private key (docs/BACKUP.md): members in a fixed order, cut into chunks that are sealed one by one.
 * Both directions, no file, no clock, no randomness: psstd's jobs (backup.c, restore.c) and the fuzz target pump it.
 *
 *   members --writer--> chunks --file--> chunks --reader--> members
 *
 * Any thread, one at a time. Chunks are 64 KiB; only the last one is shorter, and it alone is sealed as the last: nothing can
 * be cut off, put behind, left out or exchanged. */
#ifndef PSST_DAEMON_BACKUP_FORMAT_H
#define PSST_DAEMON_BACKUP_FORMAT_H

#include "daemon/key/backup.h"

#define PSST_BACKUP_CHUNK        65536
#define PSST_BACKUP_SEALED_CHUNK (PSST_BACKUP_CHUNK + PSST_TAG_LEN)
#define PSST_BACKUP_IDENTITY_MAX (16384 + PSST_TAG_LEN) /* the sealed private key file */

enum psst_backup_member {
    PSST_BACKUP_CARD,
    PSST_BACKUP_CONFIG,
    PSST_BACKUP_STORE_KEY,
    PSST_BACKUP_STORE_DB,
    PSST_BACKUP_END, /* the hash of all before it; made and checked in here */
    PSST_BACKUP_MEMBERS
};
/* Its name in the backup, which is also that of the file it comes from. */
const char *psst_backup_member_name(enum psst_backup_member member);
/* Whether this member can have so many bytes. */
bool psst_backup_member_fits(enum psst_backup_member member, uint64_t len);

/* ---- writing ---- */

struct psst_backup_writer;

/* Copies header and key. */
PSST_MUST_USE enum psst_err psst_backup_writer_new(struct psst_backup_writer **out,
                                                   const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                                   const struct psst_aead_key *key);
void psst_backup_writer_free(struct psst_backup_writer *w); /* wipes; NULL is safe */
/* The next member, in the order above, of exactly len bytes, which put then brings. What is sealed on the way is appended to
 * out. PSST_ERR_USAGE: not this one, not so long, not now. */
PSST_MUST_USE enum psst_err psst_backup_writer_member(struct psst_backup_writer *w, enum psst_backup_member member,
                                                      uint64_t len, struct psst_buf *out);
PSST_MUST_USE enum psst_err psst_backup_writer_put(struct psst_backup_writer *w, struct psst_view data,
                                                   struct psst_buf *out);
/* After the last member: its hash, and the last chunk. */
PSST_MUST_USE enum psst_err psst_backup_writer_end(struct psst_backup_writer *w, struct psst_buf *out);

/* ---- reading ---- */

/* Where the members go. What one of these returns other than PSST_OK ends the reading and is returned. */
struct psst_backup_sink {
    enum psst_err (*begin)(void *ctx, enum psst_backup_member member, uint64_t len);
    enum psst_err (*piece)(void *ctx, enum psst_backup_member member, struct psst_view piece);
    void *ctx;
};

struct psst_backup_reader;

/* sealed_len: bytes of all chunks. PSST_ERR_DAMAGED: there cannot be so many. */
PSST_MUST_USE enum psst_err psst_backup_reader_new(struct psst_backup_reader **out,
                                                   const uint8_t header[PSST_BACKUP_HEADER_LEN],
                                                   const struct psst_aead_key *key, uint64_t sealed_len,
                                                   const struct psst_backup_sink *sink, struct psst_diag *diag);
void psst_backup_reader_free(struct psst_backup_reader *r); /* wipes; NULL is safe */
/* Bytes of the next chunk; 0: that was the last. */
size_t psst_backup_reader_wants(const struct psst_backup_reader *r);
/* Exactly so many bytes. PSST_ERR_DAMAGED with a sentence: not what was written. */
PSST_MUST_USE enum psst_err psst_backup_reader_chunk(struct psst_backup_reader *r, struct psst_view sealed,
                                                     struct psst_diag *diag);
/* After the last chunk: PSST_OK only when every member was there, whole, and nothing else. */
PSST_MUST_USE enum psst_err psst_backup_reader_end(const struct psst_backup_reader *r, struct psst_diag *diag);

#endif
