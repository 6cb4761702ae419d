/* Randomness for tests alone: reproducible from a seed, or read from a script. Never for keys that anybody uses. */
#ifndef PSST_TESTS_DET_RNG_H
#define PSST_TESTS_DET_RNG_H

#include "crypto/crypto.h"

/* A stream of bytes that is a function of the seed (splitmix64). The caller keeps rng and asks det_rng_of for the
 * struct: struct det_rng rng = det_rng(7);  struct psst_rng r = det_rng_of(&rng);  */
struct det_rng {
    uint64_t state;
};

struct det_rng det_rng(uint64_t seed);
/* Borrows rng while the result is used. */
struct psst_rng det_rng_of(struct det_rng *rng);

/* Gives the bytes of the script in order. Asking for more than is there ends the test binary with a message. */
struct script_rng {
    struct psst_view left;
};

struct script_rng script_rng(struct psst_view script);
struct psst_rng script_rng_of(struct script_rng *rng);

#endif
