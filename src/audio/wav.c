/* Wav files as microphone and speaker. A file is read and written at its descriptor's own offset, which psstd shares: when a
 * psst-voice dies, the next one is given the same descriptors and goes on where the last one was. */
#include "audio/internal.h"

#include <errno.h>
#include <unistd.h>

#define HEADER_LEN 44
#define CHUNKS_MAX 32 /* looked through for the samples; ordinary files have two to five */
#define BYTES_MAX  (UINT32_MAX - HEADER_LEN - (uint32_t)PSST_AUDIO_FRAME_BYTES)

#define FORMAT_PCM        1
#define FORMAT_EXTENSIBLE 0xfffe

static const char needed[] = "a wav of 48 kHz, mono, 16 bits is needed";

static uint16_t load16(const uint8_t *in)
{
    return (uint16_t)(in[0] | in[1] << 8);
}

static uint32_t load32(const uint8_t *in)
{
    return load16(in) | (uint32_t)load16(in + 2) << 16;
}

static void store16(uint8_t *out, unsigned v)
{
    out[0] = (uint8_t)v;
    out[1] = (uint8_t)(v >> 8);
}

static void store32(uint8_t *out, uint32_t v)
{
    store16(out, v & 0xffff);
    store16(out + 2, v >> 16);
}

/* All of len bytes at `at`, or false. */
static bool read_at(int fd, uint8_t *out, size_t len, uint64_t at)
{
    for (size_t got = 0; got < len;) {
        const ssize_t n = pread(fd, out + got, len - got, (off_t)(at + got));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

static bool format_is_ours(const uint8_t format[40], uint32_t len)
{
    const uint16_t tag = load16(format);
    if (tag == FORMAT_EXTENSIBLE && (len < 40 || load16(format + 24) != FORMAT_PCM)) return false;
    return (tag == FORMAT_PCM || tag == FORMAT_EXTENSIBLE) && load16(format + 2) == 1 &&
           load32(format + 4) == PSST_AUDIO_HZ && load16(format + 14) == 16;
}

/* Where the samples begin and how many bytes they are, as far as the file goes. */
static bool find_samples(int fd, uint64_t size, uint64_t *begin, uint64_t *len)
{
    uint8_t head[12], format[40];
    if (!read_at(fd, head, sizeof head, 0) || memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WAVE", 4) != 0)
        return false;
    bool known = false;
    uint64_t at = 12;
    for (unsigned i = 0; i < CHUNKS_MAX && read_at(fd, head, 8, at); i++) {
        const uint32_t chunk = load32(head + 4);
        at += 8;
        if (memcmp(head, "data", 4) == 0) {
            *begin = at;
            *len = chunk < size - at ? chunk : size - at; /* a recorder that was killed leaves any length there */
            return known;
        }
        if (memcmp(head, "fmt ", 4) == 0) {
            const size_t want = chunk < sizeof format ? chunk : sizeof format;
            if (chunk < 16 || !read_at(fd, format, want, at) || !format_is_ours(format, chunk)) return false;
            known = true;
        }
        at += (uint64_t)chunk + (chunk & 1);
    }
    return false;
}

enum psst_err psst_wav_in_init(struct psst_wav_in *wav, int fd, struct psst_diag *diag)
{
    *wav = (struct psst_wav_in){.fd = -1};
    const off_t now = lseek(fd, 0, SEEK_CUR), size = now < 0 ? -1 : lseek(fd, 0, SEEK_END);
    uint64_t begin = 0, len = 0;
    if (size < 0 || !find_samples(fd, (uint64_t)size, &begin, &len)) {
        (void)close(fd);
        return psst_fail(diag, PSST_ERR_MALFORMED, "the microphone's file: %s", needed);
    }
    const uint64_t at = (uint64_t)now > begin ? (uint64_t)now : begin;
    wav->left = at < begin + len ? begin + len - at : 0;
    if (lseek(fd, (off_t)at, SEEK_SET) < 0) wav->left = 0;
    wav->fd = fd;
    return PSST_OK;
}

void psst_wav_in_frame(struct psst_wav_in *wav, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES])
{
    uint8_t bytes[PSST_AUDIO_FRAME_BYTES] = {0};
    const size_t want = wav->left < sizeof bytes ? (size_t)wav->left : sizeof bytes;
    size_t got = 0;
    while (got < want) {
        const ssize_t n = read(wav->fd, bytes + got, want - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            wav->left = got; /* shorter than it was */
            break;
        }
        got += (size_t)n;
    }
    wav->left -= got;
    for (size_t i = 0; i < PSST_AUDIO_FRAME_SAMPLES; i++) pcm[i] = (int16_t)load16(bytes + 2 * i);
}

void psst_wav_in_fini(struct psst_wav_in *wav)
{
    if (wav->fd >= 0) (void)close(wav->fd);
    wav->fd = -1;
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* In place: its lengths, nothing else, change. */
static bool write_lengths(const struct psst_wav_out *wav)
{
    uint8_t riff[4], data[4];
    store32(riff, wav->bytes + HEADER_LEN - 8);
    store32(data, wav->bytes);
    return pwrite(wav->fd, riff, 4, 4) == 4 && pwrite(wav->fd, data, 4, 40) == 4;
}

static bool write_header(int fd)
{
    uint8_t header[HEADER_LEN] = "RIFF....WAVEfmt ";
    store32(header + 4, HEADER_LEN - 8);
    store32(header + 16, 16);
    store16(header + 20, FORMAT_PCM);
    store16(header + 22, 1);
    store32(header + 24, PSST_AUDIO_HZ);
    store32(header + 28, PSST_AUDIO_HZ * 2);
    store16(header + 32, 2);
    store16(header + 34, 16);
    memcpy(header + 36, "data", 4);
    store32(header + 40, 0);
    return write_all(fd, header, sizeof header);
}

enum psst_err psst_wav_out_init(struct psst_wav_out *wav, int fd, struct psst_diag *diag)
{
    *wav = (struct psst_wav_out){.fd = -1};
    const off_t now = lseek(fd, 0, SEEK_CUR);
    if (now < 0 || (now != 0 && now < HEADER_LEN) || now > (off_t)BYTES_MAX || (now == 0 && !write_header(fd))) {
        (void)close(fd);
        return psst_fail(diag, PSST_ERR_IO, "the speaker's file cannot be written as a wav");
    }
    wav->bytes = now == 0 ? 0 : (uint32_t)now - HEADER_LEN;
    wav->fd = fd;
    return PSST_OK;
}

void psst_wav_out_frame(struct psst_wav_out *wav, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES])
{
    uint8_t bytes[PSST_AUDIO_FRAME_BYTES];
    if (wav->fd < 0 || wav->bytes > BYTES_MAX) return;
    for (size_t i = 0; i < PSST_AUDIO_FRAME_SAMPLES; i++) store16(bytes + 2 * i, (uint16_t)pcm[i]);
    if (!write_all(wav->fd, bytes, sizeof bytes)) return;
    wav->bytes += (uint32_t)sizeof bytes;
    (void)write_lengths(wav);
}

void psst_wav_out_fini(struct psst_wav_out *wav)
{
    if (wav->fd >= 0) (void)close(wav->fd);
    wav->fd = -1;
}
