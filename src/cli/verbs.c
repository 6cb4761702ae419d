/* The table of verbs; which one is meant, and what there is to know about it. */
#include "cli/cli.h"
#include "client/out.h"
#include "client/private.h"
#include "tui/tui.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef PSST_VERSION
#define PSST_VERSION "0"
#endif

const struct psst_verb *const psst_verbs[] = {
    &psst_verb_init,      &psst_verb_card,       &psst_verb_add,     &psst_verb_contacts, &psst_verb_remove,
    &psst_verb_block,     &psst_verb_unblock,    &psst_verb_pause,   &psst_verb_unpause,  &psst_verb_presence,
    &psst_verb_rename,    &psst_verb_address,    &psst_verb_history, &psst_verb_forget,   &psst_verb_verify,
    &psst_verb_passwd,    &psst_verb_backup,     &psst_verb_restore, &psst_verb_unlock,   &psst_verb_lock,
    &psst_verb_up,        &psst_verb_down,       &psst_verb_status,  &psst_verb_set,      &psst_verb_dial,
    &psst_verb_reconnect, &psst_verb_hangup,     &psst_verb_say,     &psst_verb_chat,     &psst_verb_meet,
    &psst_verb_log,       &psst_verb_check,      &psst_verb_outbox,  &psst_verb_recall,   &psst_verb_receipts,
    &psst_verb_send,      &psst_verb_files,      &psst_verb_accept,  &psst_verb_decline,  &psst_verb_cancel,
    &psst_verb_call,      &psst_verb_answer,     &psst_verb_calls,   &psst_verb_play,     &psst_verb_mute,
    &psst_verb_receive,   &psst_verb_ptt,        &psst_verb_sense,   &psst_verb_quality,  &psst_verb_volume,
    &psst_verb_devices,   &psst_verb_soundcheck, &psst_verb_help,
};
const size_t psst_verbs_count = sizeof psst_verbs / sizeof psst_verbs[0];

static const struct psst_verb *find(const char *name)
{
    for (size_t i = 0; i < psst_verbs_count; i++)
        if (strcmp(psst_verbs[i]->name, name) == 0) return psst_verbs[i];
    return NULL;
}

/* ---- what was meant ---- */

static int unknown(const char *name)
{
    const struct psst_verb *nearest = NULL;
    unsigned least = PSST_VERB_SLIP;
    for (size_t i = 0; i < psst_verbs_count; i++) {
        unsigned d = psst_verb_distance(name, psst_verbs[i]->name);
        if (d >= least) continue;
        least = d;
        nearest = psst_verbs[i];
    }
    if (nearest != NULL)
        return psst_cli_error(PSST_EXIT_USAGE, "there is no verb \"%s\"; is psst %s meant?", name, nearest->name);
    return psst_cli_error(PSST_EXIT_USAGE, "there is no verb \"%s\": psst help lists them", name);
}

/* ---- help ---- */

static void print_list(void)
{
    (void)printf("psst: a private line between two people who hold each other's keys\n\n");
    for (size_t i = 0; i < psst_verbs_count; i++)
        (void)printf("  %-10s %s\n", psst_verbs[i]->name, psst_verbs[i]->summary);
    (void)printf("\nA first conversation: psst init; psst card -o me.psst; hand it over;\n"
                 "psst add bob.psst; psst verify Bob; psst chat Bob.\n"
                 "psst help VERB says more, man psst says all.\n");
}

static void print_help(const struct psst_verb *verb)
{
    psst_cli_print_usage(stdout, verb);
    (void)printf("\n%s", verb->help);
}

static int run_help(struct psst_cli *cli, int argc, char **argv)
{
    if (argc > 2) return psst_cli_usage(cli, "one verb at a time");
    const struct psst_verb *verb = argc == 2 ? find(argv[1]) : NULL;
    if (argc == 2 && verb == NULL) return unknown(argv[1]);
    if (verb != NULL)
        print_help(verb);
    else
        print_list();
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_help = {
    "help",
    "help [VERB]",
    "this list, or all about one verb",
    "psst VERB --help says the same.\n",
    PSST_VERB_ALONE,
    PSST_SCREEN_OWN,
    run_help,
};

/* ---- the program ---- */

static int run(const struct psst_verb *verb, int argc, char **argv)
{
    struct psst_cli cli = {.verb = verb};
    struct psst_diag diag = {{0}};
    optind = 0; /* anew, GNU style */
    opterr = 0;
    if (psst_paths_get(&cli.paths, &diag) != PSST_OK) return psst_cli_error(PSST_EXIT_FAILED, "%s", diag.text);
    int code = verb->run(&cli, argc, argv);
    psst_client_close(cli.client);
    return code;
}

/* `psst` alone, where a person sits. */
static int run_screen(void)
{
    struct psst_paths paths;
    struct psst_diag diag = {{0}};
    if (psst_paths_get(&paths, &diag) != PSST_OK) return psst_cli_error(PSST_EXIT_FAILED, "%s", diag.text);
    struct psst_tui setup = {
        .paths = &paths, .verbs = psst_verbs, .n_verbs = psst_verbs_count, .version = PSST_VERSION};
    return psst_tui_run(&setup);
}

int psst_cli_main(int argc, char **argv)
{
    psst_process_private();
    psst_out_init();
    (void)signal(SIGPIPE, SIG_IGN);
    int code = PSST_EXIT_DONE;
    if (argc == 1 && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) return run_screen();
    const char *name = argc > 1 ? argv[1] : "help";
    const struct psst_verb *verb = find(name);
    bool asks = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    if (argc < 2 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        print_list();
    else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        (void)printf("psst %s\n", PSST_VERSION);
    else if (verb == NULL)
        code = unknown(name);
    else if (asks)
        print_help(verb);
    else
        code = run(verb, argc - 1, argv + 1);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (code == PSST_EXIT_DONE) code = psst_cli_error(PSST_EXIT_FAILED, "the output could not be written");
    }
    return code;
}
