/* One connection, from its first byte to its last: handshake, then session, or the void. This is the core that the
 * daemon, the simulator, the fuzzers and embedders drive; it is sans-I/O: bytes and the time go in; bytes, events and
 * the next deadline come out.
 *
 *     bytes from the socket -> space/received -+                     +-> psst_link_next: one event at a time
 *     the time ------------------------------> | handshake | session |
 *     psst_link_text, _ack, ... -------------> +                     +-> psst_link_output / _sent -> socket
 *                                                                    +-> psst_link_deadline -> timer
 *
 * A turn: hand in what came (space, received or eof), call psst_link_next until it gives PSST_EV_NONE, write out what
 * psst_link_output shows, set the timer to psst_link_deadline. Events that are questions (ADMIT, DECAPSULATE, CONTACT)
 * hold up everything else on this link until they are answered, at once or later. One thread at a time. Views in an
 * event are valid until the next call on the same link. A callee's failed handshake goes into the void: the link
 * reports PSST_EV_FAILED once, swallows input, gives no output, and reports PSST_EV_ENDED at its random moment
 * (docs/PROTOCOL.md, "Strangers").
 */
#ifndef PSST_PROTO_LINK_H
#define PSST_PROTO_LINK_H

#include "proto/call.h"
#include "proto/chunk.h"
#include "proto/duplicate.h"
#include "proto/handshake.h"

struct psst_now {
    uint64_t mono_ns; /* monotonic */
    uint64_t unix_ms;
};

#define PSST_NEVER UINT64_MAX

/* What all links of one identity share; borrowed until the last is freed. */
struct psst_link_config {
    const struct psst_rsa_public *self;
    const struct psst_rng *rng;
    struct psst_view features;
};

struct psst_span {
    uint8_t *data;
    size_t len;
};

enum psst_event_type {
    PSST_EV_NONE,
    /* questions */
    PSST_EV_ADMIT,       /* callee: M1's MAC is right; ask the replay cache: answer with psst_link_admit */
    PSST_EV_DECAPSULATE, /* x: answer with psst_link_decapsulated */
    PSST_EV_CONTACT,     /* callee: fpr claims to call: answer with psst_link_contact. Only a claim: log no name */
    /* what happened */
    PSST_EV_FAILED,       /* callee: the handshake failed; now in the void. Nothing is known of the peer */
    PSST_EV_ESTABLISHED,  /* fpr: proved */
    PSST_EV_TEXT,         /* text: store it, then psst_link_ack or psst_link_not_accepted */
    PSST_EV_ACK,          /* ids */
    PSST_EV_NOT_ACCEPTED, /* id, reason */
    PSST_EV_READ,         /* ids: of ours, which the peer's user has been shown, as he says */
    PSST_EV_FILE,         /* file: any kind, already checked to be well formed, not against any transfer */
    PSST_EV_PRESENCE,     /* presence */
    PSST_EV_MEET,         /* meet: store it, then psst_link_ack or psst_link_not_accepted, with its id */
    PSST_EV_CALL,         /* call: one kind of chunk, already allowed by the state, or what our own clock brought */
    PSST_EV_VOICE,        /* voice: a frame that came by TCP, of an active call */
    PSST_EV_PONG,         /* rtt_ns */
    PSST_EV_REKEYED,
    PSST_EV_ENDED, /* end, and reason when the peer said bye: free the link now */
};

enum psst_link_end {
    PSST_END_CLOSED,     /* our own bye has been put out */
    PSST_END_BYE,        /* the peer said bye; reason */
    PSST_END_CUT_OFF,    /* end of stream without a bye */
    PSST_END_NO_PONG,    /* no sign of life within the limits */
    PSST_END_TAMPERED,   /* a record does not open or a chunk is out of protocol */
    PSST_END_REKEY_LATE, /* callee: 30 minutes or 2^31 bytes without a rekey */
    PSST_END_NO_ANSWER,  /* caller: no good M2 */
    PSST_END_NOT_ADDED,  /* caller: M2 was good, M4b was not: not added, blocked, or other pair secrets */
    PSST_END_VOID_OVER,  /* callee: time to close: drain what is pending, then close */
    PSST_END_MEMORY,     /* out of memory, or libcrypto failed */
};

struct psst_event {
    enum psst_event_type type;
    uint8_t mac[32];     /* ADMIT */
    uint64_t day;        /* ADMIT: the one that matched */
    const uint8_t *x;    /* DECAPSULATE: PSST_KEM_LEN bytes */
    struct psst_fpr fpr; /* CONTACT, ESTABLISHED */
    struct psst_text text;
    struct psst_view ids; /* ACK, READ: 16 bytes each */
    struct psst_msg_id id;
    uint8_t reason;
    struct psst_file_chunk file;
    struct psst_presence_chunk presence;
    struct psst_meet_chunk meet;
    struct psst_call_chunk call;
    struct psst_voice_frame voice;
    uint64_t rtt_ns;
    enum psst_link_end end;
};

struct psst_link;

/* psk may be NULL. peer is referenced while the handshake lasts and by rekeying after it. M1 is waiting in the output
 * at once. */
PSST_MUST_USE enum psst_err psst_link_call(struct psst_link **out, const struct psst_link_config *config,
                                           struct psst_rsa_public *peer, const struct psst_pair_secret *psk,
                                           struct psst_now now);
PSST_MUST_USE enum psst_err psst_link_accept(struct psst_link **out, const struct psst_link_config *config,
                                             struct psst_now now);
void psst_link_free(struct psst_link *link);

/* ---- in ---- */

/* Where to read from the socket to: scratch itself, unless half a record is waiting, then the room behind it. Valid until
 * the next call on the link, which is psst_link_received if anything was read. */
struct psst_span psst_link_space(struct psst_link *link, struct psst_span scratch);
/* len bytes were read to where psst_link_space said. scratch is the link's until psst_link_next has given NONE; what is
 * unfinished has then been copied. */
void psst_link_received(struct psst_link *link, uint8_t *data, size_t len);
void psst_link_eof(struct psst_link *link);
/* False while input must wait: in the void after 64 KiB, while a question is open, or while thousands of acknowledgements
 * wait for a peer that sends and does not read. The driver then stops reading the socket. */
bool psst_link_wants_input(const struct psst_link *link);
/* The driver itself stops reading for a while, or goes on: its disk has enough to do. Meanwhile the peer's silence is not
 * held against him, and he hears of us. */
void psst_link_pause(struct psst_link *link, struct psst_now now, bool paused);
/* One event, PSST_EV_NONE when there is nothing more to do now. Works off input and deadlines. After ENDED only NONE.
 */
void psst_link_next(struct psst_link *link, struct psst_now now, struct psst_event *ev);
/* When psst_link_next must be called again even if nothing comes: mono_ns, or PSST_NEVER. */
uint64_t psst_link_deadline(const struct psst_link *link);

/* ---- answers ---- */
void psst_link_admit(struct psst_link *link, bool admit);
void psst_link_decapsulated(struct psst_link *link, const struct psst_kem_secret *secret); /* NULL: failed */
/* contact NULL: unknown or blocked. Referenced as in psst_link_call. */
void psst_link_contact(struct psst_link *link, struct psst_rsa_public *contact, const struct psst_pair_secret *psk);

/* The other answer to CONTACT: not a byte more, as if we had gone off line after M2. */
void psst_link_silent(struct psst_link *link);

/* ---- out ---- */
/* All that waits for the socket, in one piece; seals what was collected. Valid until the next call on the link. */
struct psst_view psst_link_output(struct psst_link *link);
/* The first len bytes of the output are gone. */
void psst_link_sent(struct psst_link *link, size_t len);

/* ---- in a session: PSST_ERR_USAGE when there is none, PSST_ERR_AGAIN when over PSST_LINK_OUTPUT_MAX bytes wait ----
 */
#define PSST_LINK_OUTPUT_MAX (1024 * 1024)

PSST_MUST_USE enum psst_err psst_link_text(struct psst_link *link, struct psst_now now, const struct psst_text *text);
/* Acknowledgements are collected and go out in one chunk with the next psst_link_output. Never PSST_ERR_AGAIN. */
PSST_MUST_USE enum psst_err psst_link_ack(struct psst_link *link, struct psst_now now, const struct psst_msg_id *id);
PSST_MUST_USE enum psst_err psst_link_not_accepted(struct psst_link *link, struct psst_now now,
                                                   const struct psst_msg_id *id, uint8_t reason);
/* Read receipts, 1 to PSST_RECEIPT_IDS_MAX in one chunk. No more than a few chunks a minute: a peer who does not know them
 * ends the session at 64 unknown ones a minute. */
PSST_MUST_USE enum psst_err psst_link_read(struct psst_link *link, struct psst_now now, const struct psst_msg_id *ids,
                                           size_t n);
/* Any file chunk but data. */
PSST_MUST_USE enum psst_err psst_link_file(struct psst_link *link, struct psst_now now,
                                           const struct psst_file_chunk *chunk);
/* Optional chunks: no more than PSST_OPTIONAL_SENT_A_MINUTE of each kind, which the caller sees to. A meeting counts as no
 * text under way: who does not know them never acknowledges it. */
PSST_MUST_USE enum psst_err psst_link_presence(struct psst_link *link, struct psst_now now,
                                               const struct psst_presence_chunk *presence);
PSST_MUST_USE enum psst_err psst_link_meet(struct psst_link *link, struct psst_now now,
                                           const struct psst_meet_chunk *meet);
/* File data without a copy: begin gives the place for up to PSST_FILE_DATA_MAX bytes inside a full record in the
 * output; commit seals it (len 0: gives the place back). Nothing else may be called on the link in between. */
PSST_MUST_USE enum psst_err psst_link_file_data_begin(struct psst_link *link, struct psst_span *place);
PSST_MUST_USE enum psst_err psst_link_file_data_commit(struct psst_link *link, struct psst_now now,
                                                       const struct psst_msg_id *id, uint64_t offset, size_t len);
/* ---- calls: PSST_ERR_USAGE when the state (proto/call.h) does not allow it. Each changes the state at once, and has its chunk in the
 * output; PSST_EV_CALL brings what the other side does, and what our own clock does. That both have offered comes as an ACCEPT ----
 */
enum psst_call_state psst_link_call_state(const struct psst_link *link);
/* PSST_ERR_AGAIN: six within a minute are enough. */
PSST_MUST_USE enum psst_err psst_link_call_offer(struct psst_link *link, struct psst_now now, uint16_t frame_size);
PSST_MUST_USE enum psst_err psst_link_call_ring(struct psst_link *link, struct psst_now now); /* the user is told */
PSST_MUST_USE enum psst_err psst_link_call_accept(struct psst_link *link, struct psst_now now);
PSST_MUST_USE enum psst_err psst_link_call_decline(struct psst_link *link, struct psst_now now, uint8_t reason);
PSST_MUST_USE enum psst_err psst_link_call_hangup(struct psst_link *link, struct psst_now now, uint8_t reason);
/* On at the beginning of each call. Told every three seconds at most, the last word in the end. */
PSST_MUST_USE enum psst_err psst_link_call_receiving(struct psst_link *link, struct psst_now now, bool on);
/* One a second at most; more are dropped. */
PSST_MUST_USE enum psst_err psst_link_call_report(struct psst_link *link, struct psst_now now, uint8_t loss_256,
                                                  uint16_t jitter_ms, uint16_t delay_ms);
uint16_t psst_link_call_frame_size(const struct psst_link *link); /* of the call; 0: none */
/* Datagrams that begin with this are for this link; 0: none are. */
uint32_t psst_link_call_receiver_id(const struct psst_link *link);
enum psst_voice_way psst_link_call_way(const struct psst_link *link);
/* Our next frame. datagram holds PSST_DATAGRAM_HEAD_LEN + PSST_CALL_FRAME_MAX + PSST_TAG_LEN; *len 0: not by UDP this time.
 * What goes by TCP is in the output. opus: at most the frame size less 7. */
PSST_MUST_USE enum psst_err psst_link_voice(struct psst_link *link, struct psst_now now, uint32_t timestamp_samples,
                                            struct psst_view opus, uint8_t *datagram, size_t *len);
/* What came by UDP with our receiver id. frame holds PSST_CALL_FRAME_MAX, out borrows from it. PSST_OK: it is his, and new; the
 * address that it came from is the one to send to. PSST_ERR_AUTH: anything else. */
PSST_MUST_USE enum psst_err psst_link_datagram(struct psst_link *link, struct psst_now now, struct psst_view datagram,
                                               uint8_t *frame, struct psst_voice_frame *out);

/* A ping now: the driver has heard of a change that the line may not have survived. */
void psst_link_probe(struct psst_link *link, struct psst_now now);
/* The last record of our direction; ENDED (CLOSED) follows once it is put out (psst_link_sent has taken all). */
void psst_link_bye(struct psst_link *link, struct psst_now now, uint8_t reason);

/* ---- looking ---- */
bool psst_link_established(const struct psst_link *link);
/* Since when (mono_ns) this session waits for an answer, or for somebody to take its output, and hears nothing; PSST_NEVER:
 * it waits for nothing. The driver may look for another way long before the session is dead. */
uint64_t psst_link_unanswered(const struct psst_link *link);
uint64_t psst_link_waiting(const struct psst_link *link); /* the same, whatever is heard meanwhile */
enum psst_role psst_link_role(const struct psst_link *link);
const struct psst_duplicate_session *psst_link_times(const struct psst_link *link);
struct psst_view psst_link_peer_features(const struct psst_link *link);
struct psst_link_counters {
    uint64_t bytes_in, bytes_out, records_in, records_out, rekeys;
};
struct psst_link_counters psst_link_counters(const struct psst_link *link);

#endif
