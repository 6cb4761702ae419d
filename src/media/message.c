#include "media/message.h"

#include <opusenc.h>
#include <opusfile.h>

#include <stdlib.h>

#define FRAMES_MAX  (PSST_MESSAGE_SECONDS_MAX * 50)
#define EMPTIES_MAX 1000 /* holes and empty links in a row; each has cost the message some bytes */

/* ---- writing ---- */

struct psst_message_writer {
    OggOpusEnc *enc;
    psst_message_write *write;
    void *ctx;
    uint32_t frames;
    bool failed;
};

static int enc_write(void *user, const unsigned char *data, opus_int32 len)
{
    struct psst_message_writer *writer = user;
    if (!writer->failed && len > 0) writer->failed = !writer->write(writer->ctx, data, (size_t)len);
    return writer->failed;
}

static int enc_close(void *user)
{
    (void)user;
    return 0;
}

enum psst_err psst_message_writer_new(struct psst_message_writer **out, psst_message_write *write, void *ctx)
{
    static const OpusEncCallbacks callbacks = {enc_write, enc_close};
    enum psst_err err = PSST_ERR_MEMORY;
    OggOpusComments *comments = ope_comments_create();
    struct psst_message_writer *writer = calloc(1, sizeof *writer);
    if (comments == NULL || writer == NULL) goto fail;
    writer->write = write;
    writer->ctx = ctx;
    int why;
    writer->enc = ope_encoder_create_callbacks(&callbacks, writer, comments, PSST_VOICE_HZ, 1, 0, &why);
    if (writer->enc == NULL) {
        err = why == OPE_ALLOC_FAIL ? PSST_ERR_MEMORY : PSST_ERR_INTERNAL;
        goto fail;
    }
    if (ope_encoder_ctl(writer->enc, OPUS_SET_BITRATE((opus_int32)psst_voice_bits_a_second(PSST_MESSAGE_QUALITY))) !=
            OPE_OK ||
        ope_encoder_ctl(writer->enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) != OPE_OK) {
        err = PSST_ERR_INTERNAL;
        goto fail;
    }
    ope_comments_destroy(comments); /* the encoder has its own copy */
    *out = writer;
    return PSST_OK;
fail:
    if (comments != NULL) ope_comments_destroy(comments);
    psst_message_writer_free(writer);
    return err;
}

static enum psst_err enc_result(const struct psst_message_writer *writer, int result)
{
    if (writer->failed) return PSST_ERR_IO;
    if (result == OPE_OK) return PSST_OK;
    return result == OPE_ALLOC_FAIL ? PSST_ERR_MEMORY : PSST_ERR_INTERNAL;
}

enum psst_err psst_message_writer_frame(struct psst_message_writer *writer, const int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    if (writer->failed) return PSST_ERR_IO;
    if (writer->frames >= FRAMES_MAX) return PSST_ERR_TOO_LONG;
    enum psst_err err = enc_result(writer, ope_encoder_write(writer->enc, pcm, PSST_VOICE_FRAME_SAMPLES));
    if (err == PSST_OK) writer->frames++;
    return err;
}

enum psst_err psst_message_writer_finish(struct psst_message_writer *writer)
{
    static const int16_t silence[PSST_VOICE_FRAME_SAMPLES];
    enum psst_err err = PSST_OK;
    if (writer->frames == 0)
        err = psst_message_writer_frame(writer, silence); /* libopusenc aborts where there is nothing */
    if (err != PSST_OK || writer->failed) return writer->failed ? PSST_ERR_IO : err;
    return enc_result(writer, ope_encoder_drain(writer->enc));
}

uint32_t psst_message_writer_frames(const struct psst_message_writer *writer)
{
    return writer->frames;
}

void psst_message_writer_free(struct psst_message_writer *writer)
{
    if (writer == NULL) return;
    if (writer->enc != NULL) ope_encoder_destroy(writer->enc);
    free(writer);
}

/* ---- reading ---- */

struct psst_message_reader {
    OggOpusFile *file;
    psst_message_read *read;
    void *ctx;
    size_t left; /* bytes that may still be read: what libopusfile and libogg keep is bounded by it */
    uint32_t frames;
    bool failed;
    enum psst_err over; /* not PSST_OK: nothing more comes, and why */
};

static int file_read(void *stream, unsigned char *out, int len)
{
    struct psst_message_reader *reader = stream;
    size_t most = len > 0 ? (size_t)len : 0;
    if (most > reader->left) most = reader->left;
    if (most == 0) return 0;
    ptrdiff_t n = reader->read(reader->ctx, out, most);
    if (n < 0 || (size_t)n > most) {
        reader->failed = true;
        return -1;
    }
    reader->left -= (size_t)n;
    return (int)n;
}

enum psst_err psst_message_reader_new(struct psst_message_reader **out, psst_message_read *read, void *ctx,
                                      struct psst_diag *diag)
{
    static const OpusFileCallbacks callbacks = {.read = file_read}; /* no seeking: what was read is gone */
    struct psst_message_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return psst_fail(diag, PSST_ERR_MEMORY, "There is no memory to play this.");
    reader->read = read;
    reader->ctx = ctx;
    reader->left = PSST_MESSAGE_BYTES_MAX;
    reader->file = op_open_callbacks(reader, &callbacks, NULL, 0, NULL);
    if (reader->file != NULL) {
        *out = reader;
        return PSST_OK;
    }
    bool failed = reader->failed;
    psst_message_reader_free(reader);
    if (failed) return psst_fail(diag, PSST_ERR_IO, "The voice message could not be read.");
    /* Why, is not asked: libopusfile says "no memory" of some malformed ones, too. */
    return psst_fail(diag, PSST_ERR_MALFORMED, "This is no voice message: there is no Ogg Opus sound in it.");
}

static int16_t middle(const opus_int16 *stereo)
{
    return (int16_t)((stereo[0] + stereo[1]) / 2);
}

/* Up to n samples of mono; 0 at the end, for whichever reason: reader->over. */
static int read_some(struct psst_message_reader *reader, int16_t *out, int n)
{
    opus_int16 stereo[2 * PSST_VOICE_FRAME_SAMPLES];
    int got = OP_HOLE;
    for (unsigned empties = 0; got == OP_HOLE && empties < EMPTIES_MAX; empties++)
        got = op_read_stereo(reader->file, stereo, 2 * n); /* 48 kHz, and other numbers of channels mixed, always */
    if (got <= 0) {
        reader->over = reader->failed ? PSST_ERR_IO : got == 0 ? PSST_ERR_NOT_FOUND : PSST_ERR_MALFORMED;
        return 0;
    }
    for (int i = 0; i < got; i++) out[i] = middle(stereo + 2 * i);
    return got;
}

enum psst_err psst_message_reader_frame(struct psst_message_reader *reader, int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    int have = 0;
    if (reader->frames >= FRAMES_MAX) reader->over = PSST_ERR_NOT_FOUND;
    while (have < PSST_VOICE_FRAME_SAMPLES && reader->over == PSST_OK)
        have += read_some(reader, pcm + have, PSST_VOICE_FRAME_SAMPLES - have);
    memset(pcm + have, 0, (size_t)(PSST_VOICE_FRAME_SAMPLES - have) * sizeof *pcm);
    if (have == 0) return reader->over;
    reader->frames++;
    return PSST_OK;
}

void psst_message_reader_free(struct psst_message_reader *reader)
{
    if (reader == NULL) return;
    if (reader->file != NULL) op_free(reader->file);
    free(reader);
}
