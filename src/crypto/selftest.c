#include "crypto/selftest.h"

#include "crypto/crypto.h"

enum psst_err psst_crypto_selftest(void)
{
    return PSST_OK;
}
