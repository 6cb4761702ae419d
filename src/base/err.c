#include "base/err.h"

#include <stdio.h>

const char *psst_err_name(enum psst_err err)
{
    switch (err) {
    case PSST_OK: return "ok";
    case PSST_ERR_USAGE: return "usage";
    case PSST_ERR_NOT_FOUND: return "not-found";
    case PSST_ERR_EXISTS: return "exists";
    case PSST_ERR_PERMISSION: return "permission";
    case PSST_ERR_LOCKED: return "locked";
    case PSST_ERR_PASSPHRASE: return "passphrase";
    case PSST_ERR_MALFORMED: return "malformed";
    case PSST_ERR_PROTOCOL: return "protocol";
    case PSST_ERR_AUTH: return "auth";
    case PSST_ERR_BAD_KEY: return "bad-key";
    case PSST_ERR_AGAIN: return "again";
    case PSST_ERR_TOO_LONG: return "too-long";
    case PSST_ERR_FULL: return "full";
    case PSST_ERR_EXPIRED: return "expired";
    case PSST_ERR_MEMORY: return "memory";
    case PSST_ERR_IO: return "io";
    case PSST_ERR_DISK_FULL: return "disk-full";
    case PSST_ERR_DAMAGED: return "damaged";
    case PSST_ERR_INTERNAL: return "internal";
    }
    return "unknown";
}

enum psst_err psst_fail(struct psst_diag *diag, enum psst_err err, const char *fmt, ...)
{
    if (diag != NULL && diag->text[0] == '\0') {
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(diag->text, sizeof diag->text, fmt, args);
        va_end(args);
    }
    return err;
}
