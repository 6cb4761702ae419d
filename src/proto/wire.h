/* Numbers of PSST/1, from docs/PROTOCOL.md. Nothing here can be changed without changing the wire. */
#ifndef PSST_PROTO_WIRE_H
#define PSST_PROTO_WIRE_H

#define PSST_LBL(x) "PSST/1 " x

/* handshake messages */
#define PSST_M1_LEN          592
#define PSST_M2_LEN          48
#define PSST_M3_LEN          272
#define PSST_M4_LEN          816
#define PSST_M4A_LEN         544
#define PSST_M4B_LEN         272
#define PSST_M5_LEN          48
#define PSST_M3_FEATURES_MAX 222 /* 256 - 32 of fingerprint - 2 of length */
#define PSST_M4_FEATURES_MAX 254

/* records */
#define PSST_RECORD_HEAD_LEN 18
#define PSST_RECORD_BODY_MIN 4
#define PSST_RECORD_BODY_MAX 65502
#define PSST_RECORD_MAX      65536 /* head + body + tag */
#define PSST_RECORD_RATCHET  1000

/* chunks */
#define PSST_CHUNK_HEAD_LEN 4
#define PSST_CHUNK_DATA_MAX (PSST_RECORD_BODY_MAX - PSST_CHUNK_HEAD_LEN)
#define PSST_TEXT_MAX       65474                      /* bytes of UTF-8 in one message */
#define PSST_FILE_DATA_MAX  (PSST_CHUNK_DATA_MAX - 25) /* kind, transfer id, offset */
#define PSST_FILE_NAME_MAX  255
#define PSST_PRESENCE_MAX   140 /* bytes of UTF-8 beside a state */
#define PSST_REKEY_LEN      560 /* R1 and R2: X25519 key and X */

/* voice datagrams */
#define PSST_DATAGRAM_HEAD_LEN 12
#define PSST_REPLAY_WINDOW     2048

/* time, in nanoseconds unless the name says otherwise */
#define PSST_SECOND_NS               UINT64_C(1000000000)
#define PSST_MS_NS                   UINT64_C(1000000)
#define PSST_MINUTE_NS               (60 * PSST_SECOND_NS)
#define PSST_HANDSHAKE_DEADLINE_NS   (10 * PSST_SECOND_NS)
#define PSST_M4_DELAY_NS             UINT64_C(5000000)
#define PSST_VOID_MIN_NS             (20 * PSST_SECOND_NS) /* after accepting */
#define PSST_VOID_MAX_NS             (40 * PSST_SECOND_NS)
#define PSST_VOID_BYTES              65536
#define PSST_PING_MIN_NS             (10 * PSST_SECOND_NS)
#define PSST_PING_MAX_NS             (15 * PSST_SECOND_NS)
#define PSST_DEAD_IDLE_NS            (25 * PSST_SECOND_NS)
#define PSST_DEAD_WAITING_NS         (12 * PSST_SECOND_NS)
#define PSST_REKEY_NS                (900 * PSST_SECOND_NS)
#define PSST_REKEY_BYTES             (UINT64_C(1) << 30)
#define PSST_REKEY_LATEST_NS         (1800 * PSST_SECOND_NS)
#define PSST_REKEY_LATEST_BYTES      (UINT64_C(1) << 31)
#define PSST_UNKNOWN_CHUNKS_A_MINUTE 64
#define PSST_OPTIONAL_SENT_A_MINUTE  12 /* of each kind */
#define PSST_OPTIONAL_TAKEN_A_MINUTE 24 /* of each kind: the line may bunch what was sent over two minutes */

#endif
