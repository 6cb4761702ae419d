/* A damaged history that is open for reading only (attack 47): what is said about it. The store thread finds out what cannot
 * be read, identity.c holds the state; here are the words, for people and as JSON. */
#ifndef PSST_DAEMON_RESCUE_H
#define PSST_DAEMON_RESCUE_H

#include "daemon/daemon.h"

#define PSST_RESCUE_WORDS_SIZE 512

/* The sentence that everything that would write is refused with: what happened, and what to do. */
void psst_rescue_words(struct psst_daemon *d, char out[PSST_RESCUE_WORDS_SIZE]);
/* For status: {"file", "readable", "parts": [...], "words"}; null while nothing is wrong. New reference. */
json_t *psst_rescue_json(struct psst_daemon *d);
/* Sentences about what cannot be read of one kind. NULL: all of it can. New reference. */
json_t *psst_rescue_parts_json(struct psst_daemon *d, enum psst_store_part_kind kind);
/* The messages between two seqs that cannot be read, of whomever: [{"first", "last", "words"}]. NULL: none. */
json_t *psst_rescue_gaps_json(struct psst_daemon *d, int64_t after, int64_t before);

#endif
