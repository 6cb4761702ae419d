/* The command line: one table of verbs, each in a small file of its own (cmd_*.c), over the client. It holds no keys and
 * no state; what it shows of others goes through psst_out_text first.
 *
 *   main.c, verbs.c: argv -> verb -> run         cmd_*.c: options -> psst_cli_call -> what is printed
 */
#ifndef PSST_CLI_CLI_H
#define PSST_CLI_CLI_H

#include "client/client.h"
#include "client/passphrase.h"
#include "client/verb.h"

#include <getopt.h>
#include <stdio.h>

struct psst_cli {
    const struct psst_verb *verb;
    struct psst_paths paths;
    struct psst_client *client; /* NULL for PSST_VERB_ALONE until psst_cli_connect */
};

/* In the order of the help. */
extern const struct psst_verb *const psst_verbs[];
extern const size_t psst_verbs_count;

extern const struct psst_verb psst_verb_init, psst_verb_card, psst_verb_add, psst_verb_contacts, psst_verb_remove,
    psst_verb_block, psst_verb_unblock, psst_verb_pause, psst_verb_unpause, psst_verb_rename, psst_verb_presence,
    psst_verb_meet, psst_verb_address, psst_verb_history, psst_verb_forget, psst_verb_verify, psst_verb_passwd,
    psst_verb_backup, psst_verb_restore, psst_verb_unlock, psst_verb_lock, psst_verb_up, psst_verb_down,
    psst_verb_status, psst_verb_set, psst_verb_dial, psst_verb_reconnect, psst_verb_hangup, psst_verb_say,
    psst_verb_chat, psst_verb_log, psst_verb_check, psst_verb_outbox, psst_verb_recall, psst_verb_receipts,
    psst_verb_send, psst_verb_files, psst_verb_accept, psst_verb_decline, psst_verb_cancel, psst_verb_call,
    psst_verb_answer, psst_verb_calls, psst_verb_mute, psst_verb_receive, psst_verb_ptt, psst_verb_sense,
    psst_verb_quality, psst_verb_volume, psst_verb_devices, psst_verb_soundcheck, psst_verb_play, psst_verb_help;

/* The whole program but for main: what tests call. */
int psst_cli_main(int argc, char **argv);

/* ---- words on standard error; each gives the exit code to end with ---- */

/* "psst: ..." */
void psst_cli_warn(const char *fmt, ...) PSST_PRINTF(1, 2);
/* What an answer says it could not read of a damaged history. */
void psst_cli_warn_damaged(const json_t *answer);
int psst_cli_error(int exit_code, const char *fmt, ...) PSST_PRINTF(2, 3);
int psst_cli_fail(const struct psst_failure *failure);
/* Wrong usage: the sentence, then how it is meant. */
int psst_cli_usage(const struct psst_cli *cli, const char *fmt, ...) PSST_PRINTF(2, 3);
/* After getopt_long gave '?' or ':' (options begin with ":"). */
int psst_cli_bad_option(const struct psst_cli *cli, char **argv);
/* Exactly so many arguments after the options (optind). True when right; else *code is set. */
bool psst_cli_args(const struct psst_cli *cli, int argc, int min, int max, int *code);

/* The whole command line of a verb that takes --json and nothing else. True when right; else *code is set. */
bool psst_cli_json_only(const struct psst_cli *cli, int argc, char **argv, bool *as_json, int *code);

void psst_cli_print_usage(FILE *f, const struct psst_verb *verb);

/* ---- psstd ---- */

/* start: psstd is started when none runs. 0, or the exit code, said. */
int psst_cli_connect(struct psst_cli *cli, bool start);
/* Request and answer, over a connection that is made when there is none yet. When the identity is locked and a person
 * sits there, it asks for the passphrase, unlocks, and tries again. NULL: said, *code is set. Takes params. */
json_t *psst_cli_call(struct psst_cli *cli, const char *method, json_t *params, int *code);
/* Over the connection that stands, without any word or unlocking: the failure goes to the caller. */
json_t *psst_cli_try(struct psst_cli *cli, const char *method, json_t *params, struct psst_failure *failure);
/* Makes sure that the identity is unlocked before anything is shown. 0, or the exit code, said. */
int psst_cli_need_unlocked(struct psst_cli *cli);
/* How long a request may take that waits for nobody but this machine. */
#define PSST_CLI_CALL_MS 60000
/* What erases messages answers when they are gone; a million of them takes a minute. */
#define PSST_CLI_ERASE_MS 3600000
/* dial tries several addresses, one after the other. */
#define PSST_CLI_DIAL_MS 180000

/* ---- numbers and paths from the command line ---- */

/* Decimal digits only, in [lo, hi]. */
bool psst_cli_number(const char *text, long long lo, long long hi, long long *out);
/* Absolute, links resolved; NULL: said. Freed by the caller. */
char *psst_cli_absolute(const char *path);

#endif
