/* What every fuzz target shares: the entry point, a check that holds in every build, randomness that is the same each
 * time, and two small RSA keys. One thread. */
#ifndef PSST_FUZZ_FUZZ_H
#define PSST_FUZZ_FUZZ_H

#include "crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's. Always returns 0. data may be NULL when size is 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert: must hold in a release build too. */
#define FUZZ_CHECK(x)                                                                                                  \
    do {                                                                                                               \
        if (!(x)) {                                                                                                    \
            (void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Prepares libcrypto; cheap after the first time. */
void fuzz_init(void);

/* A stream that depends on its state alone (splitmix64). */
struct fuzz_rng {
    uint64_t state;
};
struct psst_rng fuzz_rng_of(struct fuzz_rng *rng);

/* Copies of tests/vectors/keys/a1024.pem and b1024.pem, compiled in; they live until the end. */
const struct psst_rsa_private *fuzz_key_a(void);
const struct psst_rsa_private *fuzz_key_b(void);

/* Takes up to len bytes off the front of the input; what is missing is zeros. */
void fuzz_take(struct psst_view *input, uint8_t *out, size_t len);
uint8_t fuzz_take_u8(struct psst_view *input);
uint16_t fuzz_take_u16(struct psst_view *input);
/* Borrows up to len bytes off the front. */
struct psst_view fuzz_take_view(struct psst_view *input, size_t len);

#endif
