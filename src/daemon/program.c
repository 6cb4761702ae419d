#include "daemon/program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool psst_program_find(char out[PSST_PATH_MAX], const char *name)
{
    const size_t size = strlen(name) + 1, room = PSST_PATH_MAX - size;
    ssize_t n = readlink("/proc/self/exe", out, room);
    if (n > 0 && (size_t)n < room) {
        out[n] = '\0';
        char *slash = strrchr(out, '/');
        if (slash != NULL) {
            memcpy(slash + 1, name, size);
            if (access(out, X_OK) == 0) return true;
        }
    }
    int len = snprintf(out, PSST_PATH_MAX, "%s/%s", PSST_LIBEXEC, name);
    if (len > 0 && len < PSST_PATH_MAX && access(out, X_OK) == 0) return true;
    out[0] = '\0';
    return false;
}
