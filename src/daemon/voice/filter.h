/* What psst-voice may say to the sound server: PulseAudio's native protocol, as far as streams and looking at devices need it. All
 * else ends the connection: a psst-voice that was taken over loads no modules, and touches nobody else's streams or devices.
 * The server's answers are not looked at. */
#ifndef PSST_DAEMON_VOICE_FILTER_H
#define PSST_DAEMON_VOICE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOICE_FILTER_HEAD 20 /* of a packet: its length, channel, offset (2) and flags, each a big-endian u32 */

struct voice_filter {
    const uint8_t
        *cookie; /* borrowed; written over the one that a client shows: psst-voice knows none. NULL: left as it is */
    uint8_t head[VOICE_FILTER_HEAD];
    uint32_t at, len; /* in the packet behind its head */
    size_t n_head;
    uint32_t command;
    bool control;
};

void voice_filter_init(struct voice_filter *f, const uint8_t *cookie);
/* The next bytes of a client, wherever packets begin and end; some are changed in place. False: he may not say that, and none of these
 * bytes may go on (those that went before were no command yet). */
bool voice_filter_pass(struct voice_filter *f, uint8_t *bytes, size_t len);

#endif
