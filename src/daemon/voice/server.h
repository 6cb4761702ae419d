/* Where the user's sound server is: read once, before psst-voice is in its sandbox, from what libpulse itself would read. Afterwards
 * psst-voice has no files, and its relay (relay.h) alone knows the way. */
#ifndef PSST_DAEMON_VOICE_SERVER_H
#define PSST_DAEMON_VOICE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define VOICE_SERVER_PLACES 8
#define VOICE_COOKIE_LEN    256 /* PulseAudio's PA_NATIVE_COOKIE_LENGTH */

struct voice_server {
    struct sockaddr_un places[VOICE_SERVER_PLACES]; /* to be tried in this order */
    size_t n;
    bool has_cookie;
    uint8_t cookie[VOICE_COOKIE_LEN]; /* what a server of another user wants to see */
};

/* PULSE_SERVER, default-server of client.conf (the user's, else the system's), else the folders in which a server makes its socket. A
 * server on another machine is none. Never fails: out->n is 0 when there is nothing to try. */
void voice_server_find(struct voice_server *out);

#endif
