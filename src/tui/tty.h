/* The terminal as a device: bytes in, bytes out, raw or as it was. Below screen.c (what is written) and input.c (what was
 * pressed); knows nothing of either. One for the program.
 *
 * Nothing here waits for the terminal, but where a patience is given: it is opened anew, so that not waiting is a property
 * of our own end and not of the shell's. What it does not take is kept, and psst_tty_poll_fd becomes ready when it takes
 * again.
 */
#ifndef PSST_TUI_TTY_H
#define PSST_TUI_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

/* False, and said on standard error: standard input or output is no terminal. */
bool psst_tty_open(void);
void psst_tty_close(void);
/* Keys come singly and none means a signal; or as it was when it was opened. */
void psst_tty_raw(bool on);
/* As it was. */
const struct termios *psst_tty_before(void);
int psst_tty_out_fd(void);
void psst_tty_size(int *rows, int *columns);

/* Readable: there are bytes, or the alarm has come, or the terminal takes again what it did not take. */
int psst_tty_poll_fd(void);
/* Bytes that are there; 0: none; -1: the terminal is gone. */
ssize_t psst_tty_read(void *to, size_t max);
/* Once, in so many milliseconds; 0: not any more. */
void psst_tty_alarm(unsigned ms);
bool psst_tty_rang(void);

/* To be written after what waits; out of memory: lost, and said by false. */
bool psst_tty_put(const void *bytes, size_t len);
bool psst_tty_puts(const char *text);
/* Writes what it takes within patience_ms. True: nothing is left. */
bool psst_tty_flush(int patience_ms);
bool psst_tty_waits(void);
void psst_tty_drop(void);

#endif
