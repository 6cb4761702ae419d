/* Passphrases on their way from the person, or a file, to psstd's descriptor. */
#ifndef PSST_CLI_UNLOCK_H
#define PSST_CLI_UNLOCK_H

#include "cli/cli.h"

/* Asks for the passphrase, up to three times, and unlocks. 0, or the exit code, said. */
int psst_cli_unlock_by_asking(struct psst_cli *cli);
/* From a file ("-": standard input), with a warning when others can read it. 0, or the exit code, said. */
int psst_cli_passphrase_file(const char *path, struct psst_passphrase *out);
/* A request with up to two passphrases (NULL or empty: none) as pipes, in order; they are wiped. Other descriptors
 * (taken) come behind them. NULL: failure. */
json_t *psst_cli_call_secret(struct psst_cli *cli, const char *method, json_t *params, struct psst_passphrase *first,
                             struct psst_passphrase *second, int other_fd, struct psst_failure *failure);

#endif
