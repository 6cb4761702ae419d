/* One thing that the program can do, told once: `psst VERB`, /VERB on the screen, both helps and the manual read this table.
 * src/cli has the entries (cmd_*.c); the terminal interface is handed the table when it begins. */
#ifndef PSST_CLIENT_VERB_H
#define PSST_CLIENT_VERB_H

#include <stddef.h>

struct psst_cli;

enum psst_verb_daemon {
    PSST_VERB_ALONE,  /* connects by itself, if at all */
    PSST_VERB_DAEMON, /* psstd is started when it does not run */
};

/* What the terminal interface does with /NAME. */
enum psst_verb_screen {
    PSST_SCREEN_OWN,   /* it has a command of that name (tui/commands.h), which knows with whom one talks */
    PSST_SCREEN_SHOWN, /* runs the verb as a program of its own and shows what it prints */
    PSST_SCREEN_ASKS,  /* runs the verb on the whole terminal, since it asks the person */
    PSST_SCREEN_NOT,   /* says that it makes no sense there */
};

struct psst_verb {
    const char *name;
    const char *usage;   /* what follows "psst "; one form a line */
    const char *summary; /* for the list, under 50 characters */
    const char *help;    /* paragraphs, lines of at most 80 columns */
    enum psst_verb_daemon daemon;
    enum psst_verb_screen screen;
    int (*run)(struct psst_cli *cli, int argc, char **argv); /* argv[0] is the verb; gives the exit code */
};

/* Letters to add, drop, change or swap with the next one, until a is b; words of more than 16 letters are 16 apart. From
 * PSST_VERB_SLIP on it is no slip of the fingers. */
#define PSST_VERB_SLIP 3
unsigned psst_verb_distance(const char *a, const char *b);

#endif
