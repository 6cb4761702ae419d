/* The messages of voice/protocol.h, written and read. One table says what follows the operation's byte; FRAME, fifty times a
 * second and more, is written and read without any memory. */
#include "daemon/voice/protocol.h"

#include "base/text.h"

/* ---- writing: into a fixed place, failing for good once it is full ---- */

struct writer {
    uint8_t *out;
    size_t len;
    bool failed;
};

static uint8_t *room(struct writer *w, size_t len)
{
    if (w->failed || len > PSST_VOICE_MESSAGE_MAX - w->len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->out + w->len;
    w->len += len;
    return at;
}

static void put_u8(struct writer *w, uint8_t v)
{
    uint8_t *at = room(w, 1);
    if (at != NULL) *at = v;
}

static void put_u16(struct writer *w, uint16_t v)
{
    uint8_t *at = room(w, 2);
    if (at != NULL) psst_store_u16(at, v);
}

static void put_u32(struct writer *w, uint32_t v)
{
    uint8_t *at = room(w, 4);
    if (at != NULL) psst_store_u32(at, v);
}

static void put_u64(struct writer *w, uint64_t v)
{
    uint8_t *at = room(w, 8);
    if (at != NULL) psst_store_u64(at, v);
}

static void put_text(struct writer *w, const char *text, size_t len)
{
    put_u8(w, (uint8_t)len);
    uint8_t *at = room(w, len);
    if (at != NULL && len > 0) memcpy(at, text, len);
}

/* What a sound server calls its device: no character of it may be lost, so what is not one name is refused. */
static bool name_is_good(struct psst_view name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < 0x20 || name.data[i] == 0x7f) return false;
    return name.len < 256 && psst_text_valid(name);
}

static void put_name(struct writer *w, const char name[256])
{
    const size_t len = strnlen(name, 256);
    if (!name_is_good(psst_view(name, len))) w->failed = true;
    if (!w->failed) put_text(w, name, len);
}

/* Fit for a screen, cut between characters; out is terminated. False: no memory. */
static bool clean(char out[PSST_VOICE_WORDS_MAX + 1], struct psst_view text)
{
    struct psst_buf buf;
    psst_buf_init(&buf, 4 * (size_t)PSST_VOICE_MESSAGE_MAX);
    psst_text_render(&buf, text, PSST_RENDER_LINE, PSST_VOICE_WORDS_MAX);
    size_t len = buf.len < PSST_VOICE_WORDS_MAX ? buf.len : PSST_VOICE_WORDS_MAX;
    while (len > 0 && len < buf.len && (buf.data[len] & 0xc0) == 0x80) len--;
    if (len > 0) memcpy(out, buf.data, len);
    out[len] = '\0';
    const bool good = !buf.failed;
    psst_buf_fini(&buf);
    return good;
}

static void put_words(struct writer *w, const char *words)
{
    char cleaned[PSST_VOICE_WORDS_MAX + 1];
    if (!clean(cleaned, psst_view(words, strnlen(words, PSST_VOICE_WORDS_MAX)))) w->failed = true;
    if (!w->failed) put_text(w, cleaned, strlen(cleaned));
}

/* ---- settings ---- */

#define FLAG_SEND    1u
#define FLAG_RECEIVE 2u
#define FLAG_ECHO    4u
#define FLAG_CLEAN   8u
#define FLAGS        15u

#define VOLUME_MAX 200

static void put_settings(struct writer *w, const struct psst_voice_settings *s)
{
    put_u8(w, s->quality);
    put_u8(w, (uint8_t)s->sense_dbfs);
    put_u8(w, s->volume);
    put_u8(w, (uint8_t)((s->send ? FLAG_SEND : 0) | (s->receive ? FLAG_RECEIVE : 0) | (s->echo ? FLAG_ECHO : 0) |
                        (s->clean ? FLAG_CLEAN : 0)));
}

/* -128 to 127 of what is sent as one byte. */
static int8_t as_i8(uint8_t v)
{
    return (int8_t)(v < 128 ? v : v - 256);
}

static bool dbfs_is_good(int8_t dbfs)
{
    return dbfs >= PSST_VOICE_SILENCE_DBFS && dbfs <= 0;
}

static bool read_settings(struct psst_reader *r, struct psst_voice_settings *s)
{
    s->quality = psst_read_u8(r);
    s->sense_dbfs = as_i8(psst_read_u8(r));
    s->volume = psst_read_u8(r);
    const uint8_t flags = psst_read_u8(r);
    s->send = (flags & FLAG_SEND) != 0;
    s->receive = (flags & FLAG_RECEIVE) != 0;
    s->echo = (flags & FLAG_ECHO) != 0;
    s->clean = (flags & FLAG_CLEAN) != 0;
    return flags <= FLAGS && s->quality <= PSST_VOICE_QUALITY_MAX && s->volume <= VOLUME_MAX &&
           dbfs_is_good(s->sense_dbfs);
}

/* ---- texts, read ---- */

static bool read_bool(struct psst_reader *r, bool *out)
{
    const uint8_t v = psst_read_u8(r);
    *out = v == 1;
    return v <= 1;
}

static bool read_end(struct psst_reader *r, enum psst_audio_end *out)
{
    const uint8_t v = psst_read_u8(r);
    if (v > PSST_AUDIO_SPEAKER) return false;
    *out = (enum psst_audio_end)v;
    return true;
}

static bool read_name(struct psst_reader *r, char out[256])
{
    const struct psst_view name = psst_read_view(r, psst_read_u8(r));
    if (!name_is_good(name)) return false;
    if (name.len > 0) memcpy(out, name.data, name.len);
    out[name.len] = '\0';
    return true;
}

static bool read_words(struct psst_reader *r, char out[PSST_VOICE_WORDS_MAX + 1])
{
    const struct psst_view words = psst_read_view(r, psst_read_u8(r));
    return words.len <= PSST_VOICE_WORDS_MAX && psst_text_valid(words) && clean(out, words);
}

/* ---- START ---- */

size_t psst_voice_start_fds(const struct psst_voice_start *start)
{
    return (start->kinds[PSST_AUDIO_MICROPHONE] == PSST_AUDIO_WAV ? 1u : 0u) +
           (start->kinds[PSST_AUDIO_SPEAKER] == PSST_AUDIO_WAV ? 1u : 0u) +
           (start->job == PSST_VOICE_PLAY || start->job == PSST_VOICE_RECORD ? 1u : 0u);
}

static void put_start(struct writer *w, const struct psst_voice_start *start)
{
    put_u8(w, (uint8_t)start->job);
    for (int end = 0; end < 2; end++) {
        put_u8(w, (uint8_t)start->kinds[end]);
        put_name(w, start->devices[end]);
    }
    put_u16(w, start->opus_max);
    put_u32(w, start->timestamp);
    put_u16(w, start->limit_s);
    put_settings(w, &start->settings);
}

static bool read_start(struct psst_reader *r, struct psst_voice_start *start)
{
    const uint8_t job = psst_read_u8(r);
    if (job < PSST_VOICE_CALL || job > PSST_VOICE_DEVICES) return false;
    start->job = (enum psst_voice_job)job;
    for (int end = 0; end < 2; end++) {
        const uint8_t kind = psst_read_u8(r);
        if (kind > PSST_AUDIO_PULSE || !read_name(r, start->devices[end])) return false;
        start->kinds[end] = (enum psst_audio_kind)kind;
    }
    start->opus_max = psst_read_u16(r);
    start->timestamp = psst_read_u32(r);
    start->limit_s = psst_read_u16(r);
    const bool call = start->job == PSST_VOICE_CALL;
    const bool timed = start->job == PSST_VOICE_RECORD || start->job == PSST_VOICE_CHECK;
    return read_settings(r, &start->settings) && psst_voice_start_fds(start) <= PSST_VOICE_FDS_MAX &&
           (!timed || start->limit_s > 0) &&
           (!call || (start->opus_max >= psst_voice_opus_bytes(0) && start->opus_max <= PSST_VOICE_OPUS_MAX));
}

/* ---- levels and reports ---- */

static void put_levels(struct writer *w, const struct psst_voice_levels *l)
{
    put_u8(w, (uint8_t)l->microphone_dbfs);
    put_u8(w, (uint8_t)l->speaker_dbfs);
    put_u8(w, l->voice);
    put_u8(w, l->clipping);
    put_u8(w, l->quality);
    put_u8(w, l->fec);
}

static bool read_levels(struct psst_reader *r, struct psst_voice_levels *l)
{
    l->microphone_dbfs = as_i8(psst_read_u8(r));
    l->speaker_dbfs = as_i8(psst_read_u8(r));
    bool good = read_bool(r, &l->voice);
    good = read_bool(r, &l->clipping) && good;
    l->quality = psst_read_u8(r);
    good = read_bool(r, &l->fec) && good;
    return good && l->quality <= PSST_VOICE_QUALITY_MAX && dbfs_is_good(l->microphone_dbfs) &&
           dbfs_is_good(l->speaker_dbfs);
}

static void put_report(struct writer *w, const struct psst_voice_report *report)
{
    put_u8(w, report->loss_256);
    put_u16(w, report->jitter_ms);
    put_u16(w, report->delay_ms);
    const uint32_t counts[] = {report->received,  report->lost,      report->late,
                               report->recovered, report->concealed, report->garbage};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) put_u32(w, counts[i]);
    put_u64(w, report->first_capture_ns);
    put_u64(w, report->first_playback_ns);
}

static void read_report(struct psst_reader *r, struct psst_voice_report *report)
{
    report->loss_256 = psst_read_u8(r);
    report->jitter_ms = psst_read_u16(r);
    report->delay_ms = psst_read_u16(r);
    uint32_t *const counts[] = {&report->received,  &report->lost,      &report->late,
                                &report->recovered, &report->concealed, &report->garbage};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) *counts[i] = psst_read_u32(r);
    report->first_capture_ns = psst_read_u64(r);
    report->first_playback_ns = psst_read_u64(r);
}

/* ---- all of them ---- */

static void put_body(struct writer *w, const struct psst_voice_message *m)
{
    uint8_t *payload;
    switch (m->op) {
    case PSST_VOICE_START: put_start(w, &m->start); return;
    case PSST_VOICE_SET: put_settings(w, &m->settings); return;
    case PSST_VOICE_FRAME:
        put_u32(w, m->timestamp);
        put_u64(w, m->time_ns);
        if (m->payload.len > PSST_VOICE_OPUS_MAX) w->failed = true;
        payload = room(w, m->payload.len);
        if (payload != NULL && m->payload.len > 0) memcpy(payload, m->payload.data, m->payload.len);
        return;
    case PSST_VOICE_REMOTE:
        put_u8(w, m->report.loss_256);
        put_u16(w, m->report.jitter_ms);
        put_u16(w, m->report.delay_ms);
        return;
    case PSST_VOICE_STOP:
    case PSST_VOICE_READY: return;
    case PSST_VOICE_LEVELS: put_levels(w, &m->levels); return;
    case PSST_VOICE_REPORT: put_report(w, &m->report); return;
    case PSST_VOICE_DEVICE:
        put_u8(w, (uint8_t)m->end);
        put_u8(w, m->works);
        put_words(w, m->words);
        return;
    case PSST_VOICE_LISTED:
        put_u8(w, (uint8_t)m->end);
        put_u8(w, m->is_default);
        put_name(w, m->name);
        put_words(w, m->words);
        return;
    case PSST_VOICE_DONE:
        put_u8(w, m->result);
        put_words(w, m->words);
        return;
    }
    w->failed = true;
}

size_t psst_voice_message_write(uint8_t *out, const struct psst_voice_message *message)
{
    struct writer w = {.out = out};
    put_u8(&w, (uint8_t)message->op);
    put_body(&w, message);
    return w.failed ? 0 : w.len;
}

/* False: not as it must be; that all of it was there is asked afterwards. */
static bool read_body(struct psst_reader *r, uint8_t op, struct psst_voice_message *m)
{
    switch (op) {
    case PSST_VOICE_START: return read_start(r, &m->start);
    case PSST_VOICE_SET: return read_settings(r, &m->settings);
    case PSST_VOICE_FRAME:
        m->timestamp = psst_read_u32(r);
        m->time_ns = psst_read_u64(r);
        m->payload = psst_read_rest(r);
        return m->payload.len <= PSST_VOICE_OPUS_MAX;
    case PSST_VOICE_REMOTE:
        m->report.loss_256 = psst_read_u8(r);
        m->report.jitter_ms = psst_read_u16(r);
        m->report.delay_ms = psst_read_u16(r);
        return true;
    case PSST_VOICE_STOP:
    case PSST_VOICE_READY: return true;
    case PSST_VOICE_LEVELS: return read_levels(r, &m->levels);
    case PSST_VOICE_REPORT: read_report(r, &m->report); return true;
    case PSST_VOICE_DEVICE: return read_end(r, &m->end) && read_bool(r, &m->works) && read_words(r, m->words);
    case PSST_VOICE_LISTED:
        return read_end(r, &m->end) && read_bool(r, &m->is_default) && read_name(r, m->name) && read_words(r, m->words);
    case PSST_VOICE_DONE: m->result = psst_read_u8(r); return read_words(r, m->words);
    default: return false;
    }
}

enum psst_err psst_voice_message_read(struct psst_voice_message *out, struct psst_view datagram)
{
    if (datagram.len > PSST_VOICE_MESSAGE_MAX) return PSST_ERR_MALFORMED;
    struct psst_reader r = psst_reader(datagram);
    struct psst_voice_message m = {0};
    const uint8_t op = psst_read_u8(&r);
    if (!read_body(&r, op, &m) || !psst_reader_end(&r)) return PSST_ERR_MALFORMED;
    m.op = (enum psst_voice_op)op;
    *out = m;
    return PSST_OK;
}
