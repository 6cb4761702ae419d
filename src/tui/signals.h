/* Signals of a program that has the terminal: sizes, being stopped and continued, being ended; and giving the terminal back
 * when the program dies. Handlers only set a flag and wake the loop, or write prepared bytes; one for the program.
 */
#ifndef PSST_TUI_SIGNALS_H
#define PSST_TUI_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

enum psst_signal_bit { /* what has come */
                       PSST_SIGNAL_SIZE = 1,
                       PSST_SIGNAL_END = 2,
                       PSST_SIGNAL_STOP = 4,
                       PSST_SIGNAL_CONTINUED = 8,
};

/* Whoever ends us twice, more than a second apart, without our loop taking the first one, ends us at once. */
bool psst_signals_begin(void);
void psst_signals_end(void);
/* To be polled for reading. */
int psst_signals_fd(void);
/* Takes what has come, as bits. */
unsigned psst_signals_take(void);
/* The terminal is somebody else's for a while: his keys that interrupt and quit are not for us, and who stops him stops us. */
void psst_signals_lend(bool to_others);
/* While it is lent: stops the process group as Ctrl+Z does; returns when it is continued (at once, where nobody could
 * continue it). */
void psst_signals_stop(void);

/* What a dying program writes to fd, and the mode it leaves. Bytes are copied (at most 512). len 0: nothing, the terminal
 * is not ours. */
void psst_signals_restore(int fd, const char *bytes, size_t len, const struct termios *mode);

#endif
