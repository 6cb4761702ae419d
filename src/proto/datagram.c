#include "proto/datagram.h"

/* ---- the replay window: a ring of words over the counters, one word longer than the window (RFC 6479), so that a word
 * is cleared before its first counter can fall into it ---- */

#define WORD_BITS 64
#define WORDS     (PSST_REPLAY_WINDOW / WORD_BITS + 1)

/* False: nothing was accepted yet. */
static bool highest(const struct psst_replay_window *w, uint64_t *top)
{
    if (w->last_used)
        *top = UINT64_MAX;
    else if (w->next > 0)
        *top = w->next - 1;
    else
        return false;
    return true;
}

static uint64_t bit_of(uint64_t counter)
{
    return UINT64_C(1) << (counter % WORD_BITS);
}

bool psst_replay_window_check(const struct psst_replay_window *w, uint64_t counter)
{
    uint64_t top;
    if (!highest(w, &top) || counter > top) return true;
    if (top - counter >= PSST_REPLAY_WINDOW) return false;
    return (w->bits[counter / WORD_BITS % WORDS] & bit_of(counter)) == 0;
}

void psst_replay_window_mark(struct psst_replay_window *w, uint64_t counter)
{
    uint64_t top = 0;
    bool any = highest(w, &top);
    if (any && counter <= top && top - counter >= PSST_REPLAY_WINDOW) return; /* its word is another's by now */
    if (counter > top) {
        uint64_t ahead = counter / WORD_BITS - top / WORD_BITS;
        if (ahead > WORDS) ahead = WORDS;
        for (uint64_t i = 0; i < ahead; i++) w->bits[(counter / WORD_BITS - i) % WORDS] = 0;
    }
    w->bits[counter / WORD_BITS % WORDS] |= bit_of(counter);
    if (any && counter <= top) return;
    w->last_used = counter == UINT64_MAX;
    w->next = counter == UINT64_MAX ? UINT64_MAX : counter + 1;
}

/* ---- datagrams ---- */

enum psst_err psst_datagram_seal(uint8_t *out, const struct psst_aead_key *key, uint32_t receiver_id, uint64_t counter,
                                 struct psst_view frame)
{
    psst_store_u32(out, receiver_id);
    psst_store_u64(out + 4, counter);
    return psst_aead_seal(out + PSST_DATAGRAM_HEAD_LEN, key, counter, psst_view(out, PSST_DATAGRAM_HEAD_LEN), frame);
}

enum psst_err psst_datagram_open(uint8_t *frame, const struct psst_aead_key *key, uint32_t receiver_id,
                                 struct psst_replay_window *window, size_t expected_frame_len,
                                 struct psst_view datagram, uint64_t *counter)
{
    struct psst_reader r = psst_reader(datagram);
    struct psst_view head = psst_read_view(&r, PSST_DATAGRAM_HEAD_LEN);
    struct psst_view sealed = psst_read_rest(&r);
    if (r.failed || sealed.len < PSST_TAG_LEN || sealed.len - PSST_TAG_LEN != expected_frame_len) return PSST_ERR_AUTH;
    uint64_t value = psst_load_u64(head.data + 4);
    if (psst_load_u32(head.data) != receiver_id || !psst_replay_window_check(window, value)) return PSST_ERR_AUTH;
    if (psst_aead_open(frame, key, value, head, sealed) != PSST_OK) return PSST_ERR_AUTH;
    psst_replay_window_mark(window, value);
    *counter = value;
    return PSST_OK;
}

/* ---- frames: u32 timestamp || u8 flags || u16 length || Opus || zeros ---- */

enum psst_err psst_voice_frame_write(uint8_t *out, size_t frame_len, const struct psst_voice_frame *frame)
{
    if (frame_len < PSST_VOICE_FRAME_HEAD_LEN || frame->opus.len > frame_len - PSST_VOICE_FRAME_HEAD_LEN ||
        frame->opus.len > UINT16_MAX)
        return PSST_ERR_TOO_LONG;
    memset(out, 0, frame_len);
    psst_store_u32(out, frame->timestamp_samples);
    out[4] = frame->flags;
    psst_store_u16(out + 5, (uint16_t)frame->opus.len);
    if (frame->opus.len > 0) memcpy(out + PSST_VOICE_FRAME_HEAD_LEN, frame->opus.data, frame->opus.len);
    return PSST_OK;
}

enum psst_err psst_voice_frame_read(struct psst_voice_frame *out, struct psst_view frame)
{
    struct psst_reader r = psst_reader(frame);
    struct psst_voice_frame f = {.timestamp_samples = psst_read_u32(&r)};
    f.flags = psst_read_u8(&r);
    f.opus = psst_read_view(&r, psst_read_u16(&r));
    psst_read_zeros(&r);
    if (!psst_reader_end(&r)) return PSST_ERR_MALFORMED;
    *out = f;
    return PSST_OK;
}
