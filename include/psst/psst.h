/* libpsst: what it takes to hold a PSST/1 conversation, for programs that bring their own sockets, clock and storage.
 *
 *     identity   crypto/crypto.h   keys, encapsulation, the primitives       identity/card.h   contact cards, safety numbers
 *     the core   proto/link.h      one connection: bytes and the time go in; bytes, events and the next deadline come out
 *                proto/replay.h    the cache that a callee shows each M1     proto/duplicate.h   which of two sessions stays
 *                proto/datagram.h  voice datagrams                           proto/handshake.h, record.h, chunk.h   the parts
 *     base       base/bytes.h      views, buffers, readers                   base/err.h, secret.h, text.h
 *
 * Call psst_crypto_init(0) once, make a struct psst_link for each connection, and follow the turn that proto/link.h
 * describes. tests/embed/embed.c is a whole program that does. The wire is docs/PROTOCOL.md, the card docs/CARD.md.
 *
 * Compile and link with what `pkg-config libpsst` says.
 */
#ifndef PSST_PSST_H
#define PSST_PSST_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "identity/card.h"
#include "proto/chunk.h"
#include "proto/datagram.h"
#include "proto/duplicate.h"
#include "proto/handshake.h"
#include "proto/link.h"
#include "proto/record.h"
#include "proto/replay.h"
#include "proto/wire.h"

#define PSST_VERSION "0.1.0"

/* The version of the library that is linked, which may be another than PSST_VERSION, that of this header. */
const char *psst_version(void);

#endif
