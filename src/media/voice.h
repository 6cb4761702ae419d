/* What every part of the voice shares (docs/VOICE.md): mono, 48 kHz, 16 bits, 20 ms a frame, and the eleven qualities.
 * media knows no device, clock, thread or socket: samples, payloads and the time go in; samples and payloads come out.
 * Nothing here allocates, locks or waits after `new`: all of it runs in the audio callback. */
#ifndef PSST_MEDIA_VOICE_H
#define PSST_MEDIA_VOICE_H

#include "base/bytes.h"

#define PSST_VOICE_HZ            48000
#define PSST_VOICE_FRAME_SAMPLES 960 /* 20 ms */
#define PSST_VOICE_FRAME_NS      UINT64_C(20000000)
#define PSST_VOICE_OPUS_MAX      1193 /* of a frame of 1,200 bytes: 7 are its head (docs/PROTOCOL.md, "Voice datagrams") */

#define PSST_VOICE_QUALITY_MAX     10
#define PSST_VOICE_QUALITY_DEFAULT 4
/* quality 0 to 10: 8 12 16 20 24 28 32 40 48 64 96 kbit/s; over 10: as 10 */
unsigned psst_voice_bits_a_second(unsigned quality);
/* Opus at a constant bit rate: bytes of a frame = bit rate / 400. */
size_t psst_voice_opus_bytes(unsigned quality);
/* The highest quality whose frames fit into so many bytes of Opus; 0 when none does. */
unsigned psst_voice_quality_of(size_t opus_bytes);

#define PSST_VOICE_SILENCE_DBFS (-100) /* what is under this, too */

#endif
