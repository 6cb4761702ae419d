/* What the commands of the table do (commands_*.c), and what they share. */
#ifndef PSST_TUI_COMMANDS_RUN_H
#define PSST_TUI_COMMANDS_RUN_H

#include "tui/commands.h"

/* The contact that is meant: words[i], else who is open. By the whole name, else by the only one that begins so. NULL: said.
 * Good until the next turn of the client. */
const struct psst_person *psst_command_whom(struct psst_app *app, int n, char **words, int i);
/* The same, of one word; nothing is said. */
const struct psst_person *psst_command_person(const struct psst_app *app, const char *word);
/* Some word behind the first one begins with '-': what the screen does not know, the command line does. */
bool psst_command_has_options(int n, char **words);

/* calls (commands_call.c) */
void psst_run_call(struct psst_app *app, int n, char **words);
void psst_run_answer(struct psst_app *app, int n, char **words);
void psst_run_hangup(struct psst_app *app, int n, char **words);
void psst_run_dial(struct psst_app *app, int n, char **words);
void psst_run_switch(struct psst_app *app, int n, char **words); /* mute, receive, ptt */
void psst_run_number(struct psst_app *app, int n, char **words); /* sense, quality, volume */
void psst_run_play(struct psst_app *app, int n, char **words);
void psst_run_stop(struct psst_app *app, int n, char **words);

/* files (commands_file.c) */
void psst_run_file(struct psst_app *app, int n, char **words);
void psst_run_accept(struct psst_app *app, int n, char **words);
void psst_run_decline(struct psst_app *app, int n, char **words); /* a call that rings, too */
void psst_run_cancel(struct psst_app *app, int n, char **words);

/* the rest that is more than a line */
void psst_run_why(struct psst_app *app, int n, char **words); /* commands_why.c */

#endif
