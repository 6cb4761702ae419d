/* The way to the sound server, for a psst-voice that can open nothing any more. A process of its own, begun before the sandbox, which
 * never sees what strangers have encoded:
 *
 *     psst-voice --connect()--> relay: a pair of sockets; connects to the sound server
 *        libpulse <====pair====> filter.c ====> sound server
 *
 * libpulse cannot be given a connection, so psst-voice has a connect() of its own (connect.c), which asks the relay for one, whatever
 * it is asked for. No descriptor and no shared memory goes through, in either direction. The relay ends when psst-voice does. */
#ifndef PSST_DAEMON_VOICE_RELAY_H
#define PSST_DAEMON_VOICE_RELAY_H

#include "base/err.h"
#include "daemon/voice/server.h"

/* Of the line between the two, a SOCK_SEQPACKET pair: a request is one byte, its number; the answer that number and an errno, 0 with
 * the connection's descriptor. */
#define VOICE_RELAY_PIPES      4   /* connections at a time */
#define VOICE_RELAY_ANSWERS_MS 200 /* psst-voice waits no longer for an answer */

/* The relay itself: until the other end of the line is closed. */
void voice_relay_run(int line, const struct voice_server *server);
/* Forks the relay, and sends this process's connect() there. Before psst_voice_sandbox. */
PSST_MUST_USE enum psst_err voice_relay_begin(void);
/* Ends the relay, and waits for that: nobody else may be there to do it. Nothing happens when none was begun. */
void voice_relay_end(void);

/* connect.c: this end of the line, borrowed; -1: every connection is refused. */
void voice_connect_over(int line);

#endif
