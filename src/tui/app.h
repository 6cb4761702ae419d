/* The terminal interface as one thing: what is open, where one is in it, what is to be drawn again; and the loop.
 *
 *   app.c       loop: keys, psstd, children -> what to do -> psst_app_draw      views.h  what is drawn where
 *   act.c       what the parts do to the whole                                  page.h   what covers the conversation
 *   keys.c      which key does what (F1 shows the table)                        entry.h  the line one writes in
 *   commands.c  what begins with a slash; child.h: verbs as children            text.h   how text becomes cells
 *   moment.h    what a command can have meant                                   hold.h   keys that go nowhere
 *   notify.c    bell and desktop                                                draw.h, screen.h, input.h  the terminal
 *   pager.c     a text to be read, laid out by sheet.c                                    (screen_kind.c: of what kind;
 *                                                                                          lent.h: while it is lent)
 *
 * One thread. Nothing here waits but the loop's poll. Only a call that rings wakes it by the clock (notify.c), and a psstd that
 * has ended is looked for once a second.
 */
#ifndef PSST_TUI_APP_H
#define PSST_TUI_APP_H

#include "client/conversation.h"
#include "client/model.h"
#include "tui/complete.h"
#include "tui/hold.h"
#include "tui/moment.h"
#include "tui/page.h"
#include "tui/tui.h"

#define PSST_NOBODY_OPEN "nobody is open: Alt+1 opens the first contact, /add FILE adds one"

/* Where one is in the conversation: the item at the bottom edge, and how many of its rows are below that edge. Anchored to the
 * message, not to a row, so that it survives resizing and what comes. */
struct psst_place {
    uint64_t serial;
    unsigned hidden_rows;
    int64_t seq; /* of that message, or before that line of ours: should it be erased, its neighbour is found by this */
    bool end;    /* follows what comes; the others do not count then */
};

struct psst_draft {   /* what was being written to a contact when another was opened; and where one was */
    char *key, *text; /* key: the fingerprint: a name may become somebody else's */
    size_t cursor;
    int64_t seq; /* 0: at the end */
};

enum psst_dirty { /* as bits: areas to draw again */
                  PSST_DIRTY_CONTACTS = 1,
                  PSST_DIRTY_CONVERSATION = 2,
                  PSST_DIRTY_STATUS = 4,
                  PSST_DIRTY_CALL = 8,
                  PSST_DIRTY_FILES = 16,
                  PSST_DIRTY_ENTRY = 32,
                  PSST_DIRTY_PAGE = 64,
                  PSST_DIRTY_ALL = 127,
};

struct psst_areas {
    struct psst_area contacts, conversation, call, transfers, status, notice, entry;
    bool folded; /* too narrow for both: contacts is empty, or takes the place of the conversation */
};

struct psst_children; /* child.c */

struct psst_app {
    const struct psst_tui *setup;
    struct psst_client *client;
    struct psst_model *model;
    struct psst_conversation *conversation; /* of the contact that is open; NULL: none is */
    char *open;                             /* his name; NULL */
    char open_key[PSST_NAME_ROOM];          /* his fingerprint */
    struct psst_place place;
    struct psst_draft *drafts;
    size_t n_drafts;
    struct psst_entry *entry;
    struct psst_completion completion;
    struct psst_page *page; /* the uppermost; NULL */
    struct psst_children *children;
    struct psst_areas areas; /* as drawn last (views.h) */
    int64_t wanted_seq;      /* scroll_to: the message that is still being loaded; 0: none */
    bool wanted_beginning;
    bool trouble_said;             /* that a page of the conversation did not come; until one scrolls again */
    bool closed;                   /* the person wanted nobody open (/close) */
    char was_open[PSST_NAME_ROOM]; /* before psstd ended */
    bool unlocked;                 /* the identity was open when last looked at */
    bool unseen;                   /* what stands in the conversation has not reached the terminal yet */
    uint64_t begun_ms;             /* the model is asked since then */
    struct psst_sight sight;
    struct psst_moment line, meant; /* when the line was begun; when that was decided which is being done (moment.h) */
    enum psst_hold hold;            /* keys go nowhere (hold.h) */
    const char *hold_words;
    bool hold_typed;   /* something that may be a part of a passphrase */
    unsigned changed;  /* parts of the model that nobody has looked at yet */
    char notice[1024]; /* one line above the entry line, until the next key; "" */
    bool notice_warns;
    bool contacts_shown; /* on a narrow terminal: the list instead of the conversation (F2) */
    bool focused, focus_known;
    bool talking; /* push to talk is held on by us */
    uint64_t last_key_ms;
    unsigned dirty;
    bool quitting, gone; /* gone: psstd has ended */
    int code;
};

/* ---- what the parts do to the whole (act.c) ---- */

void psst_app_dirty(struct psst_app *app, unsigned what);
/* Opens a contact (NULL: none), with its draft and its place. */
void psst_app_open(struct psst_app *app, const char *name);
/* The one before or after in the list; with unread the next one that has something new, a call before all. */
void psst_app_step(struct psst_app *app, int by);
void psst_app_next_unread(struct psst_app *app);
/* A sentence for the person: a short one as a notice, one of several lines in a pager. */
void psst_app_say(struct psst_app *app, const char *fmt, ...) PSST_PRINTF(2, 3);
void psst_app_error(struct psst_app *app, const char *fmt, ...) PSST_PRINTF(2, 3);
/* A request whose failure is said, and whose success needs no word; or `done` says it: it is called once, at once when nothing
 * can be asked. Takes params and fds. */
void psst_app_request(struct psst_app *app, const char *method, json_t *params, const int *fds, size_t n,
                      psst_client_answer *done, void *ctx);
/* The line that was entered: a command, or a text to whom is open. */
void psst_app_entered(struct psst_app *app);
void psst_app_say_to(struct psst_app *app, const char *name, struct psst_view text);
void psst_app_scroll(struct psst_app *app, int rows);       /* up is negative */
void psst_app_scroll_to(struct psst_app *app, int64_t seq); /* a message in the middle; 0: the end, -1: the beginning */
/* scroll_to's message is there: the place in it. */
void psst_app_settle(struct psst_app *app);
void psst_app_quit(struct psst_app *app);
void psst_app_forget_drafts(struct psst_app *app);
/* An answer to voice.set, ctx the app: what holds now, for the model. */
void psst_app_voice_answered(void *ctx, json_t *result, const struct psst_failure *failure);
/* The setting `mouse`; asks psstd, and waits for the moment that takes. */
bool psst_app_wants_mouse(struct psst_app *app);

/* ---- keys (keys.c): the table of which key does what ---- */

struct psst_binding {
    const char *label; /* "Alt+1 .. Alt+0", as F1 shows it */
    const char *words; /* what it does */
    enum psst_key_code code;
    unsigned mods;
    uint32_t cp, cp_last; /* of PSST_KEY_TEXT: first and last; 0: any */
    void (*act)(struct psst_app *app,
                const struct psst_key *key); /* NULL: the entry line does it; it stands here for F1 */
};
extern const struct psst_binding psst_bindings[];
extern const size_t psst_bindings_count;
/* True: it was one of them. */
bool psst_binding_act(struct psst_app *app, const struct psst_key *key);

/* ---- notify.c ---- */

/* Bell, and the desktop where there is one, as the settings say (bell, notify), unless the person sees it anyhow. */
void psst_notify_arrival(struct psst_app *app, const struct psst_arrival *arrival);
/* For the loop: milliseconds until psst_notify_turn has something to do (a call that goes on ringing); -1: nothing. */
int psst_notify_due_ms(struct psst_app *app);
void psst_notify_turn(struct psst_app *app);

#endif
