/* The calls of one session, for session.c and link_call.c, and for the tests. Made with the first call and kept until the session ends,
 * because counters and windows of voice datagrams go on from call to call; a session without calls has a NULL pointer.
 */
#ifndef PSST_PROTO_CALL_INTERNAL_H
#define PSST_PROTO_CALL_INTERNAL_H

#include "proto/session.h"

#define PSST_CALL_RANG_OUT_MS       60000 /* it has rung here for so long: the caller should have hung up at 45 s */
#define PSST_CALL_SILENCE_MS        2000  /* nothing heard: the user is told */
#define PSST_CALL_NO_FRAMES_MS      15000 /* the other side is there and sends no frames: it has no call */
#define PSST_CALL_UNREAD_MS         60000 /* the same, while our own driver mostly does not read: its pauses hold no call */
#define PSST_CALL_OLD_KEY_MS        2000 /* after a rekey */
#define PSST_CALL_FLAG_FRESH_MS     1000
#define PSST_CALL_BOTH_MS           3000 /* no flag for so long: TCP alone */
#define PSST_CALL_RECEIVING_GAP_MS  3000 /* between two chunks that say whether we receive */
#define PSST_CALL_REPORT_GAP_MS     1000
#define PSST_CALL_OFFERS_A_MINUTE   6  /* rings, and our own */
#define PSST_CALL_CHUNKS_A_MINUTE   64 /* but reports */
#define PSST_CALL_REPORTS_A_MINUTE  120
#define PSST_CALL_FRAMES_A_SECOND   100 /* taken, by TCP; as many again by UDP */
#define PSST_CALL_FRAMES_WAITING    10  /* of 20 ms, in the output */
#define PSST_CALL_PROBE_EVERY       10  /* frames, by UDP while TCP alone goes */
#define PSST_VOICE_FLAG_UDP_ARRIVES 0x01

/* How the other side's datagrams are opened during one epoch, the time between two rekeys. */
struct psst_voice_epoch {
    bool used;
    uint8_t number; /* the counters' top byte */
    struct psst_aead_key key;
    struct psst_replay_window window;
};

struct psst_session_call {
    enum psst_call_state state;
    uint64_t since_ns; /* in this state */
    uint16_t frame_size;
    uint16_t own_frame_size; /* what we have offered */
    uint32_t own_id;         /* receiver ids; ours is drawn once a session */
    uint32_t their_id;
    bool rung;    /* we have said so */
    bool crossed; /* both had offered */

    struct psst_limit offers_in, offers_out, chunks, reports;
    uint64_t reported_ns, said_receiving_ns; /* when we last did; PSST_NEVER: not in this call */
    bool receiving, said_receiving;          /* what our user wants; what the other side knows */

    /* liveness, while ACTIVE */
    uint64_t frame_ns;        /* the last of his frames, by either way */
    uint64_t unread_ns;       /* how long our driver has not read since then; the pause that lasts not counted */
    uint64_t silent_heard_ns; /* silence has been reported, when this was the last sign of life */
    bool silent;

    /* voice in */
    struct psst_voice_epoch now, old, next;
    uint64_t old_until_ns;
    struct psst_limit by_tcp, by_udp;
    uint64_t dropped; /* chunks and frames that came at the wrong time, too often, or malformed */

    /* voice out */
    uint64_t sent; /* datagrams under the present key */
    uint64_t flag_ns;
    uint64_t datagram_ns; /* his last; PSST_NEVER: none in this call */
    bool flagged;
    uint64_t frames_out;
    uint64_t voice_end[PSST_CALL_FRAMES_WAITING]; /* counters.bytes_out behind each of the last `v` records */
    size_t voice_at;
};

/* ---- call.c ---- */
/* Wipes; NULL is safe. */
void psst_session_call_free(struct psst_session_call *call);
enum psst_call_state psst_session_call_state(const struct psst_session *s);
/* What our user does, or its driver: kind, and what goes with it (reason, frame_size, receiving, report). */
PSST_MUST_USE enum psst_err psst_session_call_do(struct psst_session *s, uint64_t now_ns,
                                                 const struct psst_call_chunk *what);
/* A `c` chunk: PSST_ERR_MALFORMED, PSST_ERR_PROTOCOL for a flood, PSST_ERR_MEMORY. */
PSST_MUST_USE enum psst_err psst_session_call_chunk(struct psst_session *s, struct psst_view data, uint64_t now_ns,
                                                    struct psst_event *ev);
/* What the clock brings. ev stays NONE when nothing is to be told. */
void psst_session_call_due(struct psst_session *s, uint64_t now_ns, struct psst_event *ev);
uint64_t psst_session_call_deadline(const struct psst_session *s);
/* The driver is about to read again: what it did not read meanwhile was not the other side's silence. */
void psst_session_call_resumed(struct psst_session *s, uint64_t now_ns);

/* ---- call_voice.c ---- */
/* A call becomes ACTIVE. */
void psst_session_voice_begin(struct psst_session *s, uint64_t now_ns);
/* The call struct is new: it takes the session's keys. */
void psst_session_voice_init(struct psst_session *s);
/* New keys are about to be installed, the old ones still stand in s. */
void psst_session_voice_rekeyed(struct psst_session *s, const struct psst_session_keys *next, uint64_t now_ns);
void psst_session_voice_old_key_over(struct psst_session_call *call);
enum psst_voice_way psst_session_voice_way(const struct psst_session *s, uint64_t now_ns);
/* A `v` chunk; malformed, at the wrong time or too many: dropped. */
void psst_session_voice_chunk(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev);
PSST_MUST_USE enum psst_err psst_session_voice_send(struct psst_session *s, uint64_t now_ns, uint32_t timestamp_samples,
                                                    struct psst_view opus, uint8_t *datagram, size_t *len);
PSST_MUST_USE enum psst_err psst_session_voice_datagram(struct psst_session *s, uint64_t now_ns,
                                                        struct psst_view datagram, uint8_t *frame,
                                                        struct psst_voice_frame *out);

#endif
