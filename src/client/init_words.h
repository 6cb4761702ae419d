/* What both first runs share, that of the command line and that of the screen: suggestions, limits, words. */
#ifndef PSST_CLIENT_INIT_WORDS_H
#define PSST_CLIENT_INIT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define PSST_INIT_BITS      4096
#define PSST_INIT_BITS_MIN  1024
#define PSST_INIT_NAME_SIZE 65 /* with its terminator */

/* What the system knows: the full name, else the login name; "" when it knows none. Not rendered. */
void psst_init_suggest_name(char out[PSST_INIT_NAME_SIZE]);
bool psst_init_bits_allowed(long long bits);

/* The sizes that are offered, the default first; the last one has no number: any other size. */
struct psst_init_size {
    int bits;
    const char *words;
};
extern const struct psst_init_size psst_init_sizes[3];
extern const char psst_init_size_words[];       /* what stands above them */
extern const char psst_init_passphrase_words[]; /* a sentence or two, without line feeds; a full stop is missing */

#endif
