#include "client/private.h"

#include "base/secret.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void psst_free_wiped(void *p)
{
    if (p != NULL) psst_wipe(p, malloc_usable_size(p));
    free(p);
}

void psst_process_private(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef PSST_SANITIZED /* the leak check at the end needs to be able to look */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    json_set_alloc_funcs(malloc, psst_free_wiped);
}
