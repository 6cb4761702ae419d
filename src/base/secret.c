#define _DEFAULT_SOURCE
#include "base/secret.h"

#include <string.h>

void psst_wipe(void *p, size_t len)
{
    if (len > 0) explicit_bzero(p, len);
}
