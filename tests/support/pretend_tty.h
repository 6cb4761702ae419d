/* A terminal that is none, for input.c without a screen: what is fed to it comes as reads of just those bytes, and the pause
 * that decides what an Escape means is over when the test says so. To be included once, by the program's one file that feeds
 * it. */
#ifndef PSST_TESTS_PRETEND_TTY_H
#define PSST_TESTS_PRETEND_TTY_H

#include "tui/screen.h"
#include "tui/signals.h"
#include "tui/tty.h"

#include <stdint.h>
#include <string.h>

static struct {
    const uint8_t *bytes;
    size_t len;
    unsigned asked_ms; /* of the alarm; 0: none */
    bool rang;
} pretend_tty;

/* Borrowed until they are read. */
static void pretend_tty_feed(const void *bytes, size_t len)
{
    pretend_tty.bytes = bytes;
    pretend_tty.len = len;
}

/* The pause is over, if one was asked for. False: none was. */
static bool pretend_tty_wait(void)
{
    if (pretend_tty.asked_ms == 0) return false;
    pretend_tty.asked_ms = 0;
    pretend_tty.rang = true;
    return true;
}

ssize_t psst_tty_read(void *to, size_t max)
{
    size_t n = pretend_tty.len < max ? pretend_tty.len : max;
    if (n > 0) memcpy(to, pretend_tty.bytes, n);
    pretend_tty.bytes += n;
    pretend_tty.len -= n;
    return (ssize_t)n;
}

void psst_tty_alarm(unsigned ms)
{
    pretend_tty.asked_ms = ms;
}

bool psst_tty_rang(void)
{
    bool rang = pretend_tty.rang;
    pretend_tty.rang = false;
    return rang;
}

int psst_tty_poll_fd(void)
{
    return -1;
}

int psst_signals_fd(void)
{
    return -1;
}

unsigned psst_signals_take(void)
{
    return 0;
}

void psst_screen_suspend(void)
{
}
void psst_screen_again(void)
{
}
void psst_screen_turn(void)
{
}
void psst_screen_bell(void)
{
}
void psst_screen_redraw(void)
{
}

#endif
