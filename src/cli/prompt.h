/* Asking the person at the terminal. Questions go to standard error, answers come from standard input. */
#ifndef PSST_CLI_PROMPT_H
#define PSST_CLI_PROMPT_H

#include "client/passphrase.h"

#include <stddef.h>

/* Whether a person can be asked: standard input and standard error are terminals. */
bool psst_prompt_possible(void);
/* One line without its line feed. false: end of input, or too long. */
bool psst_prompt_line(const char *question, char *out, size_t size);
/* "[y/N]": true only for y or yes. Also reads from a pipe. */
bool psst_prompt_yes(const char *question);
/* Without echo. false: end of input, or too long (said). An interrupt restores the terminal and ends the program. */
bool psst_prompt_passphrase(const char *question, struct psst_passphrase *out);
/* A new one, twice, until both are the same; empty only after "really?". false: given up. */
bool psst_prompt_new_passphrase(const char *question, struct psst_passphrase *out);

#endif
