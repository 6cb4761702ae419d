/* The 256 words that a safety number is read aloud with (docs/CARD.md). */
#ifndef PSST_IDENTITY_WORDS_H
#define PSST_IDENTITY_WORDS_H

#define PSST_WORDS 256

/* Word i stands for the byte i. */
extern const char *const psst_words[PSST_WORDS];

#endif
