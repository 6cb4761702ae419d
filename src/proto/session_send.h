/* How a session sends, for session.c: the records that it sends of itself. Errors: PSST_ERR_AGAIN when too much waits
 * already (only where said), PSST_ERR_MEMORY, and then the session has ended. */
#ifndef PSST_PROTO_SESSION_SEND_H
#define PSST_PROTO_SESSION_SEND_H

#include "proto/session.h"

/* Over this many acknowledgements in bytes, held back because their receiver does not read, nothing more is read from him.
 * Far over what one who keeps to the limit of texts under way can bring about. */
#define PSST_ACKS_HELD_MAX (4 * PSST_TEXT_OUTSTANDING_MAX * sizeof(struct psst_msg_id))

/* Ends the session, to be reported by the next psst_session_next; the first reason stays. */
void psst_session_fail(struct psst_session *s, enum psst_link_end end);

/* One chunk, whatever waits: rekey, ping, bye. */
PSST_MUST_USE enum psst_err psst_session_send(struct psst_session *s, uint64_t now_ns, uint8_t id,
                                              struct psst_view data);
/* These give PSST_ERR_AGAIN over PSST_LINK_OUTPUT_MAX. */
PSST_MUST_USE enum psst_err psst_session_send_ping(struct psst_session *s, uint64_t now_ns, uint8_t ping_or_pong,
                                                   const uint8_t payload[8]);
PSST_MUST_USE enum psst_err psst_session_send_not_accepted(struct psst_session *s, uint64_t now_ns,
                                                           const struct psst_msg_id *id, uint8_t reason);
PSST_MUST_USE enum psst_err psst_session_send_file(struct psst_session *s, uint64_t now_ns,
                                                   const struct psst_file_chunk *chunk);
/* Any `c` chunk, whatever waits: call.c bounds them all. */
PSST_MUST_USE enum psst_err psst_session_send_call(struct psst_session *s, uint64_t now_ns,
                                                   const struct psst_call_chunk *chunk);
/* A `v` chunk, its record without padding: all frames of a call have one size. */
PSST_MUST_USE enum psst_err psst_session_send_voice(struct psst_session *s, uint64_t now_ns, struct psst_view frame);

#endif
