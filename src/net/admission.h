/* Who may take up a place before having proved anything (docs/PROTOCOL.md, "Strangers"; attacks 3, 4 and 6). Bookkeeping
 * only: no socket, no clock, no allocation. The connection embeds its struct psst_place; the owner closes whom it is told.
 *
 *   enter --> waiting (64 in all, 4 a source) --> leave     the handshake was completed, or the connection is gone
 *                     \--> void (256) ----------> leave     the handshake failed
 *
 * A source is an IPv4 address or the /64 of an IPv6 one. A source that has its 4 places taken, or a newcomer when all 64
 * are, takes the place of the oldest that has not yet shown a first message with a valid MAC (of the same source; of all).
 * So whoever holds our public key gets in behind an address from which somebody else takes all places: his first message
 * follows his connection at once, and from then on nobody can take his place.
 */
#ifndef PSST_NET_ADMISSION_H
#define PSST_NET_ADMISSION_H

#include "base/bucket.h"
#include "net/address.h"

#define PSST_PLACES            64
#define PSST_PLACES_PER_SOURCE 4
#define PSST_PLACES_VOID       256
#define PSST_RATE_SOURCES      256 /* sources whose rate is remembered; the one quiet for longest is forgotten */
#define PSST_RATE_BURST        12  /* valid first messages from one source at once ... */
#define PSST_RATE_PER_SECOND   6   /* ... and a second */

/* Valid first messages of all sources together. Each costs an entry in the replay cache, which keeps it for up to three days:
 * in three days both buckets together let through fewer than the million that the cache holds, so that nobody can fill it
 * and keep everyone out, from however many addresses. The second bucket is for sources that a contact was last seen at. */
#define PSST_TAKEN_BURST         200000
#define PSST_TAKEN_PER_SECOND    2
#define PSST_RESERVED_BURST      1000
#define PSST_RESERVED_PER_SECOND 1

struct psst_source {
    uint8_t b[9]; /* family, then the address or its /64 */
};
struct psst_source psst_source_of(const union psst_sockaddr *sa);
bool psst_source_equal(const struct psst_source *a, const struct psst_source *b);

struct psst_place {
    struct psst_place *next, *prev; /* NULL: in no list */
    struct psst_source source;
    bool in_void;
    bool shown; /* has sent a first message with a valid MAC */
};

struct psst_place_list {
    struct psst_place *oldest, *newest;
    unsigned n;
};

struct psst_rate {
    struct psst_source source;
    uint32_t thousandths; /* of a first message that may still come */
    uint64_t at_ns;
    bool used;
};

struct psst_admission {
    struct psst_place_list waiting, in_void;
    struct psst_rate rates[PSST_RATE_SOURCES];
    struct psst_bucket taken, reserved;
};

/* taken: first messages that the replay cache holds already, from before a restart. */
void psst_admission_init(struct psst_admission *a, size_t taken, uint64_t now_ns);
/* A newcomer. False: there is no place, drop it. *evicted: who has lost his place to it (already left) and must be closed;
 * NULL: nobody. */
PSST_MUST_USE bool psst_admission_enter(struct psst_admission *a, struct psst_place *place, struct psst_source source,
                                        struct psst_place **evicted);
void psst_admission_shown(struct psst_place *place);
/* The handshake failed. Gives whom to close when the void is full, else NULL. */
struct psst_place *psst_admission_to_void(struct psst_admission *a, struct psst_place *place);
/* Out of whichever list; harmless when in none. */
void psst_admission_leave(struct psst_admission *a, struct psst_place *place);
/* Whether one more valid first message from this source may cost us a private operation now. */
PSST_MUST_USE bool psst_admission_rate(struct psst_admission *a, struct psst_source source, uint64_t now_ns);
/* Whether one more valid first message of anybody may be taken in; when not, whether one from a source that is known may. */
PSST_MUST_USE bool psst_admission_take(struct psst_admission *a, uint64_t now_ns);
PSST_MUST_USE bool psst_admission_take_reserved(struct psst_admission *a, uint64_t now_ns);

#endif
