/* Voice messages: Ogg Opus (RFC 7845), written and read frame by frame. media does no I/O, so the bytes go through functions
 * that the caller passes. Reading takes whatever a stranger's program has written: any number of channels becomes mono, any
 * rate 48 kHz; what is no Ogg Opus is refused with a sentence; input and length are bounded. One thread each; these do
 * allocate while they run, unlike all else in media. */
#ifndef PSST_MEDIA_MESSAGE_H
#define PSST_MEDIA_MESSAGE_H

#include "media/voice.h"

#ifndef PSST_MESSAGE_SECONDS_MAX     /* the test of it has less time */
#define PSST_MESSAGE_SECONDS_MAX 600 /* what is longer is cut off here */
#endif
#define PSST_MESSAGE_BYTES_MAX (16 * 1024 * 1024) /* of a message that is read; ours take 2.4 MiB for ten minutes */
#define PSST_MESSAGE_QUALITY   6                  /* 32 kbit/s: nobody listens along to a file's sizes, so VBR */

/* All of data, now; false: it could not be written (the message is then as good as it got). */
typedef bool psst_message_write(void *ctx, const uint8_t *data, size_t len);
/* Up to len bytes to out, len at least 1. 0: the end; below 0: it cannot be read. */
typedef ptrdiff_t psst_message_read(void *ctx, uint8_t *out, size_t len);

struct psst_message_writer;
/* write is called within frame and finish, with ctx. */
PSST_MUST_USE enum psst_err psst_message_writer_new(struct psst_message_writer **out, psst_message_write *write,
                                                    void *ctx);
/* PSST_ERR_TOO_LONG: PSST_MESSAGE_SECONDS_MAX are full, nothing was added; PSST_ERR_IO: write has failed, now or before. */
PSST_MUST_USE enum psst_err psst_message_writer_frame(struct psst_message_writer *writer,
                                                      const int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);
/* Writes what is still held; once, before free. A message without a frame gets a silent one. */
PSST_MUST_USE enum psst_err psst_message_writer_finish(struct psst_message_writer *writer);
/* 20 ms each. */
uint32_t psst_message_writer_frames(const struct psst_message_writer *writer);
void psst_message_writer_free(struct psst_message_writer *writer);

struct psst_message_reader;
/* Reads the head. PSST_ERR_MALFORMED, PSST_ERR_IO, PSST_ERR_MEMORY, with a sentence in diag. */
PSST_MUST_USE enum psst_err psst_message_reader_new(struct psst_message_reader **out, psst_message_read *read,
                                                    void *ctx, struct psst_diag *diag);
/* The next 20 ms; the last one is filled up with silence. PSST_ERR_NOT_FOUND: there is no more (the end, or the limits).
 * PSST_ERR_IO, PSST_ERR_MALFORMED: from here on it cannot be read; pcm is silence. Holes are left out. */
PSST_MUST_USE enum psst_err psst_message_reader_frame(struct psst_message_reader *reader,
                                                      int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);
void psst_message_reader_free(struct psst_message_reader *reader);

#endif
