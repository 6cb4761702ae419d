/* Known answers, asked once at start-up by psst_crypto_init. */
#ifndef PSST_CRYPTO_SELFTEST_H
#define PSST_CRYPTO_SELFTEST_H

#include "base/err.h"

/* PSST_ERR_INTERNAL when a primitive gives a wrong answer. */
PSST_MUST_USE enum psst_err psst_crypto_selftest(void);

#endif
