/* Keys come from the terminal's own bytes and not through the terminal library's queue of keys, which drops half of a
 * character when a read ends there, waits for what may follow an Escape, and keeps a passphrase.
 *
 *   read -> ring -> sequence.c -> key           between the marks of a paste: ring -> paste.c
 *           (wiped as it is taken)              alarm: what an Escape means, what a paste that does not end is
 */
#include "tui/input.h"

#include "base/secret.h"
#include "tui/input_begin.h"
#include "tui/paste.h"
#include "tui/screen.h"
#include "tui/sequence.h"
#include "tui/signals.h"
#include "tui/tty.h"

#include <curses.h>
#include <string.h>
#include <term.h>

#define RING         4096
#define ESCAPE_MS    25  /* after which Escape is the key */
#define SEQUENCE_MS  150 /* after which a sequence that has begun is given up */
#define PASTE_MS     2000
#define PASTE_A_CALL 65536 /* bytes; then others have their turn */
#define NAMED_MAX    64

static struct {
    uint8_t ring[RING];
    size_t from, len;
    bool waits;          /* for what follows; the alarm is set */
    bool pasting, given; /* given: what was pasted was handed out */
    bool stalled;        /* the paste has stopped in the middle: what comes may be its rest, or a person who types */
    struct psst_paste paste;
    unsigned signals;        /* that have come and were not handed out */
    bool focus_later, focus; /* came while a passphrase was asked for */
    struct psst_sequence named[NAMED_MAX];
    size_t n_named;
} in;

/* ---- what terminfo says about keys ---- */

static void name(const char *capability, enum psst_key_code code, unsigned mods)
{
    char wanted[16];
    (void)snprintf(wanted, sizeof wanted, "%s", capability);
    const char *bytes = tigetstr(wanted);
    if (bytes == NULL || bytes == (char *)-1 || bytes[0] != '\033' || in.n_named == NAMED_MAX) return;
    struct psst_sequence *named = &in.named[in.n_named];
    if (strlen(bytes) < 2 || strlen(bytes) >= sizeof named->bytes) return;
    memcpy(named->bytes, bytes, strlen(bytes) + 1);
    named->code = code;
    named->mods = mods;
    in.n_named++;
}

void psst_input_begin(void)
{
    static const struct {
        const char *plain, *moved; /* moved: with 3 for Alt, 5 for control behind it */
        enum psst_key_code code;
    } table[] = {
        {"kcuu1", "kUP", PSST_KEY_UP},     {"kcud1", "kDN", PSST_KEY_DOWN},     {"kcub1", "kLFT", PSST_KEY_LEFT},
        {"kcuf1", "kRIT", PSST_KEY_RIGHT}, {"khome", "kHOM", PSST_KEY_HOME},    {"kend", "kEND", PSST_KEY_END},
        {"kpp", "kPRV", PSST_KEY_PAGE_UP}, {"knp", "kNXT", PSST_KEY_PAGE_DOWN}, {"kdch1", "kDC", PSST_KEY_DELETE},
        {"kich1", "kIC", PSST_KEY_INSERT}, {"kcbt", NULL, PSST_KEY_BACKTAB},    {"kent", NULL, PSST_KEY_ENTER}};
    char capability[16];
    memset(&in, 0, sizeof in);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        name(table[i].plain, table[i].code, 0);
        if (table[i].moved == NULL) continue;
        (void)snprintf(capability, sizeof capability, "%s3", table[i].moved);
        name(capability, table[i].code, PSST_MOD_ALT);
        (void)snprintf(capability, sizeof capability, "%s5", table[i].moved);
        name(capability, table[i].code, PSST_MOD_CONTROL);
    }
    for (unsigned i = 0; i < 12; i++) {
        (void)snprintf(capability, sizeof capability, "kf%u", i + 1);
        name(capability, (enum psst_key_code)(PSST_KEY_F1 + i), 0);
    }
}

void psst_input_end(void)
{
    psst_paste_fini(&in.paste);
    PSST_WIPE(in);
}

int psst_input_fd(void)
{
    return psst_tty_poll_fd();
}

int psst_input_signal_fd(void)
{
    return psst_signals_fd();
}

/* ---- the ring ---- */

static void take(size_t n)
{
    psst_wipe(in.ring + in.from, n);
    in.from += n;
    in.len -= n;
    if (in.len == 0) in.from = 0;
}

/* 1: there is more, at most so many bytes; 0: nothing; -1: gone. */
static int fill(size_t most)
{
    if (in.from > 0 && in.len > 0) {
        memmove(in.ring, in.ring + in.from, in.len);
        psst_wipe(in.ring + in.len, in.from);
    }
    in.from = 0;
    if (most > RING - in.len) most = RING - in.len;
    ssize_t n = psst_tty_read(in.ring + in.len, most);
    if (n <= 0) return (int)n;
    in.len += (size_t)n;
    in.waits = false;
    return 1;
}

static void wait_for(unsigned ms)
{
    if (in.waits) return;
    psst_tty_alarm(ms);
    in.waits = true;
}

/* ---- what is no key ---- */

/* True: out says what has come. */
static bool take_signal(struct psst_key *out)
{
    in.signals |= psst_signals_take();
    if (in.signals == 0) return false;
    if ((in.signals & PSST_SIGNAL_END) != 0) {
        *out = (struct psst_key){.code = PSST_KEY_GONE};
        return true;
    }
    if ((in.signals & PSST_SIGNAL_STOP) != 0)
        psst_screen_suspend();
    else if ((in.signals & PSST_SIGNAL_CONTINUED) != 0)
        psst_screen_again();
    in.signals = 0;
    *out = (struct psst_key){.code = PSST_KEY_RESIZE};
    return true;
}

static void give_paste(struct psst_key *out, bool ended)
{
    *out = (struct psst_key){.code = PSST_KEY_PASTE,
                             .paste = in.paste.text != NULL ? in.paste.text : "",
                             .paste_len = in.paste.len,
                             .cut = in.paste.cut};
    in.pasting = !ended;
    in.stalled = !ended;
    in.given = true;
}

/* One key, and nothing else. */
static bool is_single_key(void)
{
    struct psst_key key;
    size_t n = psst_sequence_read(&key, in.ring + in.from, in.len, true, in.named, in.n_named);
    bool single = n == in.len && key.code != PSST_KEY_NONE;
    PSST_WIPE(key);
    return single;
}

/* True: out says something, if only that there is nothing. False: it has ended without a mark, keys follow. */
static bool take_paste(struct psst_key *out, bool over)
{
    for (size_t taken = 0; taken < PASTE_A_CALL;) {
        bool ended;
        size_t n = psst_paste_take(&in.paste, in.ring + in.from, in.len, &ended);
        take(n);
        taken += n;
        if (ended) {
            give_paste(out, true);
            return true;
        }
        int more = fill(RING);
        if (more > 0) {
            in.pasting = !in.stalled || !is_single_key();
            in.stalled = false;
            if (in.pasting) continue;
            psst_paste_fini(&in.paste); /* half a character at most */
            return false;
        }
        if (more < 0)
            out->code = PSST_KEY_GONE;
        else if (over)
            give_paste(out, false);
        else if (!in.stalled)
            wait_for(PASTE_MS);
        return true;
    }
    return true;
}

static bool take_key(struct psst_key *out, bool over)
{
    for (;;) {
        size_t n = psst_sequence_read(out, in.ring + in.from, in.len, over, in.named, in.n_named);
        if (n > 0) {
            take(n);
            in.waits = false;
            if (out->code == PSST_KEY_NONE) continue;
            if (out->code != PSST_KEY_PASTE) return true;
            out->code = PSST_KEY_NONE;
            in.pasting = true;
            in.stalled = false;
            return false;
        }
        int more = fill(RING);
        if (more > 0) {
            over = false;
            continue;
        }
        *out = (struct psst_key){.code = more < 0 ? PSST_KEY_GONE : PSST_KEY_NONE};
        if (more == 0 && in.len > 0) wait_for(in.len == 1 ? ESCAPE_MS : SEQUENCE_MS);
        return true;
    }
}

void psst_input_next(struct psst_key *out)
{
    *out = (struct psst_key){.code = PSST_KEY_NONE};
    if (in.given && in.pasting)
        psst_paste_again(&in.paste);
    else if (in.given)
        psst_paste_fini(&in.paste);
    in.given = false;
    if (take_signal(out)) return;
    psst_screen_turn();
    if (in.focus_later) {
        out->code = in.focus ? PSST_KEY_FOCUS_IN : PSST_KEY_FOCUS_OUT;
        in.focus_later = false;
        return;
    }
    bool over = psst_tty_rang() && in.waits;
    if (over) in.waits = false;
    for (;;) {
        if (!in.pasting && take_key(out, over)) return;
        if (take_paste(out, over)) return;
    }
}

/* ---- passphrases: byte by byte, from the terminal into the field; only what begins with an Escape gathers in the ring ---- */

static enum psst_secret_key rub_out(struct psst_passphrase *pass, bool all)
{
    if (pass->len == 0) return PSST_SECRET_NOTHING;
    uint8_t byte;
    do {
        byte = (uint8_t)pass->text[--pass->len];
        pass->text[pass->len] = '\0';
    } while (pass->len > 0 && (all || (byte & 0xc0) == 0x80));
    return PSST_SECRET_MORE;
}

static enum psst_secret_key add(struct psst_passphrase *pass, uint8_t byte)
{
    if (pass->len == PSST_PASSPHRASE_MAX) {
        psst_screen_bell();
        return PSST_SECRET_NOTHING;
    }
    pass->text[pass->len++] = (char)byte;
    pass->text[pass->len] = '\0';
    return PSST_SECRET_MORE;
}

static enum psst_secret_key take_control(struct psst_passphrase *pass, uint8_t byte)
{
    switch (byte) {
    case '\r':
    case '\n': return in.pasting ? PSST_SECRET_NOTHING : PSST_SECRET_DONE;
    case 0x08:
    case 0x7f: return in.pasting ? PSST_SECRET_NOTHING : rub_out(pass, false);
    case 'U' - '@': return in.pasting ? PSST_SECRET_NOTHING : rub_out(pass, true);
    case 'C' - '@': return in.pasting ? PSST_SECRET_NOTHING : PSST_SECRET_GIVEN_UP;
    case 'L' - '@': psst_screen_redraw(); return PSST_SECRET_RESIZE;
    case 'Z' - '@': psst_screen_suspend(); return PSST_SECRET_RESIZE;
    default: return PSST_SECRET_NOTHING;
    }
}

static enum psst_secret_key do_key(struct psst_passphrase *pass, const struct psst_key *key)
{
    switch (key->code) {
    case PSST_KEY_PASTE: in.pasting = true; break;
    case PSST_KEY_FOCUS_IN:
    case PSST_KEY_FOCUS_OUT:
        in.focus_later = true;
        in.focus = key->code == PSST_KEY_FOCUS_IN;
        break;
    case PSST_KEY_ESCAPE: return in.pasting ? PSST_SECRET_NOTHING : PSST_SECRET_BACK;
    case PSST_KEY_ENTER: return in.pasting || key->mods != 0 ? PSST_SECRET_NOTHING : PSST_SECRET_DONE;
    case PSST_KEY_TEXT: /* the keypad's; no letter beyond ASCII comes as a sequence */
        if (key->mods == 0 && key->cp < 0x80) return add(pass, (uint8_t)key->cp);
        break;
    default: break; /* keys that are no letters are swallowed whole */
    }
    return PSST_SECRET_NOTHING;
}

/* What stands first in the ring; nothing is taken while it is not known what it is. over: nothing follows for now. */
static enum psst_secret_key take_secret(struct psst_passphrase *pass, bool over)
{
    static const char end[] = PSST_PASTE_END;
    struct psst_key key;
    uint8_t byte = in.ring[in.from];
    if (byte != 0x1b) {
        take(1);
        enum psst_secret_key did = byte < 0x20 || byte == 0x7f ? take_control(pass, byte) : add(pass, byte);
        PSST_WIPE(byte);
        return did;
    }
    size_t took = psst_sequence_read(&key, in.ring + in.from, in.len, over, in.named, in.n_named);
    if (took == 0) return PSST_SECRET_NOTHING;
    if (took == sizeof end - 1 && memcmp(in.ring + in.from, end, took) == 0) in.pasting = false;
    take(took);
    enum psst_secret_key did = do_key(pass, &key);
    PSST_WIPE(key);
    return did;
}

enum psst_secret_key psst_input_secret(struct psst_passphrase *pass)
{
    enum psst_secret_key what = PSST_SECRET_NOTHING;
    struct psst_key key;
    if (take_signal(&key)) return key.code == PSST_KEY_GONE ? PSST_SECRET_GONE : PSST_SECRET_RESIZE;
    psst_screen_turn();
    bool over = psst_tty_rang() && in.waits, asks = false;
    if (over) in.waits = false;
    if (over && in.len == 0) in.pasting = false; /* it had no end */
    psst_paste_fini(&in.paste);                  /* of what was pasted elsewhere */
    in.given = false;
    for (unsigned n = 0; n < RING; n++) {
        if (in.len == 0 || asks) {
            int got = fill(1);
            if (got < 0) return PSST_SECRET_GONE;
            if (got == 0) break;
            over = false;
        }
        size_t len = in.len;
        enum psst_secret_key did = take_secret(pass, over);
        asks = in.len == len; /* what follows */
        if (did != PSST_SECRET_NOTHING && did != PSST_SECRET_MORE) return did;
        if (did == PSST_SECRET_MORE) what = did;
    }
    if (in.len > 0)
        wait_for(in.len == 1 ? ESCAPE_MS : SEQUENCE_MS);
    else if (in.pasting)
        wait_for(PASTE_MS);
    return what;
}
