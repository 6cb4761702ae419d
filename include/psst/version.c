#include "psst/psst.h"

const char *psst_version(void)
{
    return PSST_VERSION;
}
