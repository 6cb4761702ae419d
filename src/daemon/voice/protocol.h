/* The messages between psstd and psst-voice: one datagram each on a SOCK_SEQPACKET socket pair (descriptor 3 of the child), at
 * most PSST_VOICE_MESSAGE_MAX bytes, big-endian, read and written through protocol.c alone. Both sides take the other's for
 * hostile: psst-voice decodes what strangers' programs have encoded.
 *
 *   psstd -> psst-voice                               psst-voice -> psstd
 *   START   job, its ends, settings, descriptors      READY    the job runs
 *   SET     settings, while it runs                   FRAME    timestamp, payload: send this now
 *   FRAME   timestamp, payload: this came             LEVELS   ten a second
 *   REMOTE  what the other side reports               REPORT   one a second: what we get
 *   STOP    end it in order, then exit                DEVICE   an end has sound, or has none
 *                                                     LISTED   one device (job DEVICES)
 *                                                     DONE     the job is over: result, words
 *
 * A psst-voice has one job after another: START replaces what runs (ring tone, then call). It ends when its socket does.
 * psstd ends one that has a CALL and has said nothing for 300 ms, and starts another that goes on with the next timestamp.
 */
#ifndef PSST_DAEMON_VOICE_PROTOCOL_H
#define PSST_DAEMON_VOICE_PROTOCOL_H

#include "audio/audio.h"
#include "media/voice.h"

#define PSST_VOICE_FD          3
#define PSST_VOICE_MESSAGE_MAX 2048
#define PSST_VOICE_FDS_MAX     2
#define PSST_VOICE_WORDS_MAX   200

enum psst_voice_job {
    PSST_VOICE_CALL = 1,
    PSST_VOICE_RING = 2,     /* we are called: a tone, until START or STOP; no microphone */
    PSST_VOICE_RINGBACK = 3, /* we call, and it rings there */
    PSST_VOICE_PLAY = 4,     /* fd 0: Ogg Opus, to the speaker; DONE at its end */
    PSST_VOICE_RECORD = 5,   /* a tone, then the microphone, to fd 0 as Ogg Opus, until STOP or `limit_s` */
    PSST_VOICE_CHECK = 6, /* sound check: limit_s of the microphone through sender and receiver, played back, words */
    PSST_VOICE_DEVICES = 7,
};

struct psst_voice_settings {
    uint8_t quality;    /* 0 to 10 */
    int8_t sense_dbfs;  /* -100 to 0 */
    uint8_t volume;     /* of the speaker, percent, 0 to 200 */
    bool send, receive; /* the microphone goes out; what comes is played */
    bool echo, clean;   /* sender.h */
};

struct psst_voice_start {
    enum psst_voice_job job;
    enum psst_audio_kind kinds[2]; /* by enum psst_audio_end */
    char devices[2][256];
    uint16_t opus_max;  /* CALL: room in a frame */
    uint32_t timestamp; /* CALL: of the first frame */
    uint16_t limit_s;   /* RECORD, CHECK */
    struct psst_voice_settings settings;
    /* descriptors, in the order of use: wav of the microphone, wav of the speaker, the Ogg file; those that there are */
};
/* How many descriptors a START brings; more than PSST_VOICE_FDS_MAX is malformed. */
size_t psst_voice_start_fds(const struct psst_voice_start *start);

enum psst_voice_op {
    PSST_VOICE_START = 1,
    PSST_VOICE_SET = 2,
    PSST_VOICE_FRAME = 3,
    PSST_VOICE_REMOTE = 4,
    PSST_VOICE_STOP = 5,
    PSST_VOICE_READY = 17,
    PSST_VOICE_LEVELS = 18,
    PSST_VOICE_REPORT = 19,
    PSST_VOICE_DEVICE = 20,
    PSST_VOICE_LISTED = 21,
    PSST_VOICE_DONE = 22, /* FRAME goes both ways */
};

struct psst_voice_levels {
    int8_t microphone_dbfs, speaker_dbfs;
    bool voice, clipping; /* sender.h */
    uint8_t quality;      /* in use */
    bool fec;
};
struct psst_voice_report {
    uint8_t loss_256;
    uint16_t jitter_ms, delay_ms; /* delay: held before playout, and the device's own latency as far as known */
    uint32_t received, lost, late, recovered, concealed, garbage;
    uint64_t first_capture_ns, first_playback_ns; /* monotonic; 0: not yet. For measuring mouth to ear */
};

struct psst_voice_message {
    enum psst_voice_op op;
    struct psst_voice_start start;       /* START */
    struct psst_voice_settings settings; /* SET */
    uint32_t timestamp;                  /* FRAME */
    uint64_t time_ns;                    /* FRAME: to psst-voice, when it came off the wire, monotonic */
    struct psst_view payload;            /* FRAME: borrowed */
    struct psst_voice_levels levels;
    struct psst_voice_report report;      /* REPORT; REMOTE: loss, jitter, delay */
    enum psst_audio_end end;              /* DEVICE, LISTED */
    bool works;                           /* DEVICE */
    bool is_default;                      /* LISTED */
    uint8_t result;                       /* DONE: 0 well */
    char name[256];                       /* LISTED */
    char words[PSST_VOICE_WORDS_MAX + 1]; /* DEVICE, LISTED (description), DONE: valid UTF-8, cleaned when read */
};

/* The length written to out of PSST_VOICE_MESSAGE_MAX; 0: it does not fit. */
size_t psst_voice_message_write(uint8_t *out, const struct psst_voice_message *message);
/* PSST_ERR_MALFORMED: anything that is not exactly as above, values out of range among it. */
PSST_MUST_USE enum psst_err psst_voice_message_read(struct psst_voice_message *out, struct psst_view datagram);

#endif
