/* The one set of error codes, and the place where the words for people go.
 *
 * Every function that can fail returns enum psst_err, and its result must be looked at. Where a person will read about
 * the failure, the caller passes a struct psst_diag, and the function that knows best writes one plain sentence into
 * it: what happened, and what to do. Nothing secret and nothing unsanitised from a peer goes into it.
 */
#ifndef PSST_BASE_ERR_H
#define PSST_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define PSST_MUST_USE           __attribute__((warn_unused_result))
#define PSST_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

enum psst_err {
    PSST_OK = 0,

    /* usage: the caller, in the end the user, asked for something that cannot be done as asked */
    PSST_ERR_USAGE,      /* wrong arguments, or in a state where this makes no sense */
    PSST_ERR_NOT_FOUND,  /* no such contact, file, message */
    PSST_ERR_EXISTS,     /* there already, and never overwritten */
    PSST_ERR_PERMISSION, /* readable by others, not ours, refused by the system */
    PSST_ERR_LOCKED,     /* the identity is locked */
    PSST_ERR_PASSPHRASE, /* the passphrase does not open the key */

    /* peer: what came from outside is not as it must be */
    PSST_ERR_MALFORMED, /* does not parse */
    PSST_ERR_PROTOCOL,  /* parses, but not allowed now */

    /* crypto */
    PSST_ERR_AUTH,    /* a tag or MAC does not verify, a decapsulation failed: never say more */
    PSST_ERR_BAD_KEY, /* a key outside the limits of docs/PROTOCOL.md */

    /* again: not an error of anybody */
    PSST_ERR_AGAIN, /* not now; call again when something has changed */

    /* limit */
    PSST_ERR_TOO_LONG, /* over a named limit */
    PSST_ERR_FULL,     /* a bounded place is full */
    PSST_ERR_EXPIRED,  /* a deadline passed */

    /* system */
    PSST_ERR_MEMORY,
    PSST_ERR_IO,        /* the operating system refused; the diag has its reason */
    PSST_ERR_DISK_FULL, /* ENOSPC or EDQUOT: goes on by itself once there is room */
    PSST_ERR_DAMAGED,   /* a file of ours is not what we wrote */

    /* internal */
    PSST_ERR_INTERNAL, /* a library failed that never should; our own bug */
};

/* A sentence for a person. Starts empty; the first writer wins, because it was the closest to the cause. */
struct psst_diag {
    char text[256];
};

/* Stable lower-case name of a code, for logs: "malformed", "auth", ... Never NULL. */
const char *psst_err_name(enum psst_err err);

/* Writes the sentence unless one is there already, and returns err, so that `return psst_fail(diag, ERR, "...")` reads
 * well. diag may be NULL. */
enum psst_err psst_fail(struct psst_diag *diag, enum psst_err err, const char *fmt, ...) PSST_PRINTF(3, 4);

#endif
