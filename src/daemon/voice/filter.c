#include "daemon/voice/filter.h"

#include "daemon/voice/server.h"

#define CONTROL      UINT32_MAX /* the channel of commands; any other is a stream's sound */
#define SEEK_MASK    0xffu      /* all that the flags of sound may hold: the rest speaks of memory that is shared */
#define CONTROL_MAX  65536u     /* bytes of a command */
#define SOUND_MAX    (1u << 20)
#define TAG_U32      'L'
#define TAG_BLOB     'x'
#define SHARES_MASK  0xc0u /* of the version's top byte: "let us share memory" */
#define AT_COMMAND   0     /* a tag each, and then the value */
#define AT_SEQUENCE  5
#define AT_VERSION   10 /* of AUTH, as are the next two */
#define AT_COOKIE    15
#define COOKIE_BEGIN 20

/* What src/audio makes libpulse say; the numbers are those of each version, and of PipeWire. */
enum command {
    CREATE_PLAYBACK = 3,
    DELETE_PLAYBACK = 4,
    CREATE_RECORD = 5,
    DELETE_RECORD = 6,
    AUTH = 8,
    SET_CLIENT_NAME = 9,
    GET_PLAYBACK_LATENCY = 14,
    GET_SERVER_INFO = 20,
    GET_SINK_INFO = 21,
    GET_SINK_INFO_LIST = 22,
    GET_SOURCE_INFO = 23,
    GET_SOURCE_INFO_LIST = 24,
    SUBSCRIBE = 35,
    GET_RECORD_LATENCY = 57,
};

static bool is_allowed(uint32_t command)
{
    switch ((enum command)command) {
    case CREATE_PLAYBACK:
    case DELETE_PLAYBACK:
    case CREATE_RECORD:
    case DELETE_RECORD:
    case AUTH:
    case SET_CLIENT_NAME:
    case GET_PLAYBACK_LATENCY:
    case GET_SERVER_INFO:
    case GET_SINK_INFO:
    case GET_SINK_INFO_LIST:
    case GET_SOURCE_INFO:
    case GET_SOURCE_INFO_LIST:
    case SUBSCRIBE:
    case GET_RECORD_LATENCY: return true;
    }
    return false;
}

void voice_filter_init(struct voice_filter *f, const uint8_t *cookie)
{
    *f = (struct voice_filter){.cookie = cookie};
}

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The head is whole. */
static bool begin_packet(struct voice_filter *f)
{
    f->len = word(f->head);
    f->at = f->command = 0;
    f->control = word(f->head + 4) == CONTROL;
    uint32_t flags = word(f->head + 16);
    if (f->control) return f->len >= AT_VERSION && f->len <= CONTROL_MAX && flags == 0;
    return f->len > 0 && f->len <= SOUND_MAX && (flags & ~SEEK_MASK) == 0;
}

/* One byte of a command, at f->at. */
static bool take(struct voice_filter *f, uint8_t *byte)
{
    const uint32_t at = f->at, cookie_len = VOICE_COOKIE_LEN;
    if (at == AT_COMMAND || at == AT_SEQUENCE) return *byte == TAG_U32;
    if (at < AT_SEQUENCE) {
        f->command = f->command << 8 | *byte;
        return at < AT_SEQUENCE - 1 || is_allowed(f->command);
    }
    if (f->command != AUTH || at < AT_VERSION) return true;
    if (at == AT_VERSION) return *byte == TAG_U32 && f->len == COOKIE_BEGIN + cookie_len;
    if (at == AT_VERSION + 1) *byte &= (uint8_t)~SHARES_MASK;
    if (at == AT_COOKIE) return *byte == TAG_BLOB;
    if (at > AT_COOKIE && at < COOKIE_BEGIN) return *byte == (uint8_t)(cookie_len >> (8 * (COOKIE_BEGIN - 1 - at)));
    if (at >= COOKIE_BEGIN && f->cookie != NULL) *byte = f->cookie[at - COOKIE_BEGIN];
    return true;
}

bool voice_filter_pass(struct voice_filter *f, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        if (f->n_head < VOICE_FILTER_HEAD) {
            f->head[f->n_head++] = bytes[i++];
            if (f->n_head == VOICE_FILTER_HEAD && !begin_packet(f)) return false;
            continue;
        }
        if (f->control) {
            if (!take(f, &bytes[i])) return false;
            i++;
            f->at++;
        } else {
            size_t left = f->len - f->at, here = len - i < left ? len - i : left;
            i += here;
            f->at += (uint32_t)here;
        }
        if (f->at == f->len) f->n_head = 0;
    }
    return true;
}
