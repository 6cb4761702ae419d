/* How much text one contact may bring (attack 28): two buckets, of bytes and of messages, that fill up with time. A human
 * conversation, or some thousands of messages after a long absence, never finds one empty. Arithmetic only: the time is
 * passed in; who holds the socket meanwhile is delivery/in.c. */
#ifndef PSST_DAEMON_DELIVERY_INTAKE_H
#define PSST_DAEMON_DELIVERY_INTAKE_H

#include <stddef.h>
#include <stdint.h>

#define PSST_INTAKE_BYTES          ((uint64_t)16 << 20) /* in a full bucket */
#define PSST_INTAKE_BYTES_A_MINUTE ((uint64_t)2 << 20)
#define PSST_INTAKE_TEXTS          20000
#define PSST_INTAKE_TEXTS_A_SECOND 50

/* When each bucket will be full again; all zeros is full. */
struct psst_intake {
    uint64_t bytes_ns, texts_ns;
};

/* Takes one text out, also when there is not enough: what is missing is a debt. Gives the time until it is paid, 0: none. */
uint64_t psst_intake_take(struct psst_intake *intake, uint64_t now_ns, size_t bytes);
/* The debt that there is. */
uint64_t psst_intake_debt(const struct psst_intake *intake, uint64_t now_ns);

#endif
