/* The loop: keys, psstd, children; then what has changed is drawn.
 *
 *   poll(terminal, signals, psstd, children) -> key -> completion / page / binding / entry line
 *                                            -> psst_client_turn -> model -> changed, arrived
 *                                            -> psst_app_draw, once a turn
 */
#include "tui/commands.h"
#include "tui/rows.h"
#include "tui/screen.h"
#include "tui/views.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEYS_A_TURN   256 /* then what they did is shown */
#define CHILDREN_POLL 8
#define HOLD_MS       3000 /* so long keys wait until it is known whether they are a passphrase */
#define RETRY_MS      1000 /* psstd has ended: looked for again so often, while the person waits */

/* ---- the model's words ---- */

static void on_changed(void *ctx, unsigned parts)
{
    static const struct {
        unsigned part, dirty;
    } table[] = {
        {PSST_PART_SELF, PSST_DIRTY_ALL},
        {PSST_PART_CONTACTS, PSST_DIRTY_CONTACTS | PSST_DIRTY_STATUS | PSST_DIRTY_CONVERSATION},
        {PSST_PART_CONVERSATION, PSST_DIRTY_CONVERSATION},
        {PSST_PART_FILES, PSST_DIRTY_FILES},
        {PSST_PART_CALL, PSST_DIRTY_CALL | PSST_DIRTY_CONTACTS | PSST_DIRTY_STATUS},
        {PSST_PART_LEVELS, PSST_DIRTY_CALL},
    };
    struct psst_app *app = ctx;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((parts & table[i].part) != 0) psst_app_dirty(app, table[i].dirty);
    if ((parts & PSST_PART_CALL) != 0) psst_sight_call(app);
    app->changed |= parts;
}

static void on_arrived(void *ctx, const struct psst_arrival *arrival)
{
    psst_notify_arrival(ctx, arrival);
}

static void on_stopping(void *ctx)
{
    psst_app_error(ctx, "psstd ends");
}

/* ---- after what has changed ---- */

/* The pages that stand for a state of oneself come and go with it. */
static void look_at_self(struct psst_app *app)
{
    const struct psst_self *self = psst_model_self(app->model);
    if (!self->known) return;
    if (self->exists && self->locked &&
        app->unlocked) { /* what pages and rows still show is not for whoever comes now */
        while (app->page != NULL) psst_page_pop(app);
        psst_rows_forget();
        psst_entry_forget(app->entry);
        psst_screen_forget();
    }
    app->unlocked = self->exists && !self->locked;
    if (!self->exists && app->page == NULL) {
        psst_first_run_open(app);
    } else if (self->exists && self->locked && app->page == NULL) {
        psst_unlock_open(app);
        if (app->hold == PSST_HOLD_SECRET && !app->hold_typed) psst_hold_end(app);
    }
}

/* Somebody is open as long as there is anybody: who was open before, else the first one. */
static void look_at_open(struct psst_app *app)
{
    if (app->conversation != NULL) {
        const char *name = psst_conversation_name(app->conversation);
        if (strcmp(name, app->open) != 0) {
            char *renamed = strdup(name);
            if (renamed != NULL) {
                free(app->open);
                app->open = renamed;
            }
        }
    }
    if (app->open != NULL && psst_model_complete(app->model) && psst_model_find(app->model, app->open) == NULL) {
        psst_hold_begin(app, PSST_HOLD_PAUSE, "who was open is no contact any more");
        psst_app_open(app, NULL);
    }
    if (app->open == NULL && !app->closed && psst_model_people(app->model) > 0) {
        const struct psst_person *first = psst_model_person(app->model, 0);
        psst_app_open(app, app->was_open[0] != '\0' && psst_model_find(app->model, app->was_open) != NULL
                               ? app->was_open
                               : first->name);
    }
}

/* Once for each time that the person has asked for it, by opening or by scrolling. */
static void look_at_trouble(struct psst_app *app)
{
    const char *trouble = app->conversation != NULL ? psst_conversation_trouble(app->conversation) : "";
    if (trouble[0] != '\0' && !app->trouble_said) psst_app_error(app, "messages could not be loaded: %s", trouble);
    app->trouble_said = trouble[0] != '\0';
}

static void take_changes(struct psst_app *app)
{
    unsigned parts = app->changed;
    app->changed = 0;
    if (parts == 0) return;
    if ((parts & (PSST_PART_SELF | PSST_PART_CONTACTS)) != 0) {
        look_at_self(app);
        look_at_open(app);
    }
    if ((parts & PSST_PART_CONVERSATION) != 0) {
        psst_app_settle(app);
        look_at_trouble(app);
    }
    for (struct psst_page *page = app->page, *below; page != NULL; page = below) {
        below = page->below;
        if (page->kind->changed != NULL) page->kind->changed(page, app, parts);
        if (app->page == NULL) break;
    }
    if (app->page != NULL) psst_app_dirty(app, PSST_DIRTY_PAGE);
}

/* ---- keys ---- */

static void resize(struct psst_app *app)
{
    psst_screen_resize();
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

static bool is_interrupt(const struct psst_key *key)
{
    return key->code == PSST_KEY_TEXT && key->mods == PSST_MOD_CONTROL && key->cp == 'c';
}

static bool take_page_key(struct psst_app *app, const struct psst_key *key)
{
    struct psst_page *page = app->page;
    if (page == NULL) return false;
    psst_app_dirty(app, PSST_DIRTY_PAGE);
    if (page->kind->key != NULL && page->kind->key(page, app, key)) return true;
    bool leaves = key->code == PSST_KEY_ESCAPE || is_interrupt(key);
    if (page->kind->whole) { /* takes all keys; Ctrl+C leaves the program */
        if (leaves && key->code != PSST_KEY_ESCAPE) psst_app_quit(app);
        return true;
    }
    if (leaves) {
        psst_page_pop(app);
        return true;
    }
    return false;
}

static void take_key(struct psst_app *app, const struct psst_key *key)
{
    uint64_t now_ms = psst_client_now_ms(), since_ms = now_ms - app->last_key_ms;
    app->last_key_ms = now_ms;
    switch (key->code) {
    case PSST_KEY_RESIZE: resize(app); return;
    case PSST_KEY_GONE: psst_app_quit(app); return;
    case PSST_KEY_FOCUS_IN:
    case PSST_KEY_FOCUS_OUT:
        app->focus_known = true;
        app->focused = key->code == PSST_KEY_FOCUS_IN;
        if (app->focused) psst_app_dirty(app, PSST_DIRTY_CONVERSATION); /* what is there is seen now */
        return;
    default: break;
    }
    if (!psst_model_self(app->model)->known) { /* psstd does not answer: it may be a passphrase */
        if (is_interrupt(key)) psst_app_quit(app);
        return;
    }
    if (psst_hold_key(app, key, since_ms)) return;
    if (app->notice[0] != '\0') {
        app->notice[0] = '\0';
        psst_app_dirty(app, PSST_DIRTY_STATUS);
    }
    if (key->code != PSST_KEY_TAB && key->code != PSST_KEY_BACKTAB) psst_complete_end(&app->completion);
    if (take_page_key(app, key)) return;
    if (psst_binding_act(app, key)) return;
    if (app->page != NULL && !app->page->kind->entry) return;
    bool begins = psst_entry_text(app->entry).len == 0;
    enum psst_entry_did did = psst_entry_key(app->entry, key, (unsigned)psst_screen_columns());
    if (begins && psst_entry_text(app->entry).len > 0) psst_moment_take(app, &app->line);
    if (did == PSST_ENTRY_FULL) psst_app_error(app, "a message has at most %d bytes", PSST_ENTRY_MAX);
    if (did != PSST_ENTRY_IGNORED) psst_app_dirty(app, PSST_DIRTY_ENTRY);
    if (key->code == PSST_KEY_PASTE && key->cut)
        psst_app_error(app, "the paste was too long: the end of it is missing");
}

static void take_secret(struct psst_app *app)
{
    enum psst_secret_key what = psst_input_secret(app->page->secret);
    app->last_key_ms = psst_client_now_ms();
    if (what == PSST_SECRET_MORE) app->hold = PSST_HOLD_NOT; /* there was a pause: or it would begin behind this key */
    psst_app_dirty(app, PSST_DIRTY_PAGE);
    if (what == PSST_SECRET_RESIZE)
        resize(app);
    else if (what == PSST_SECRET_GONE)
        psst_app_quit(app);
    else if (what != PSST_SECRET_NOTHING)
        app->page->secret_key(app->page, app, what);
}

static void take_held(struct psst_app *app)
{
    enum psst_secret_key what = psst_hold_read(app);
    if (what == PSST_SECRET_MORE) app->last_key_ms = psst_client_now_ms();
    if (what == PSST_SECRET_RESIZE) resize(app);
    if (what == PSST_SECRET_GONE) psst_app_quit(app);
}

static void take_keys(struct psst_app *app)
{
    for (unsigned n = 0; n < KEYS_A_TURN && !app->quitting; n++) {
        struct psst_key key;
        if (psst_hold_reads(app)) {
            take_held(app);
            return;
        }
        if (app->page != NULL && app->page->secret != NULL) {
            take_secret(app);
            return;
        }
        psst_input_next(&key);
        if (key.code == PSST_KEY_NONE) return;
        take_key(app, &key);
    }
}

/* ---- psstd ---- */

static const struct psst_model_watch *watch_of(struct psst_app *app)
{
    static struct psst_model_watch watch;
    watch =
        (struct psst_model_watch){.ctx = app, .changed = on_changed, .arrived = on_arrived, .stopping = on_stopping};
    return &watch;
}

static void lose(struct psst_app *app)
{
    psst_conversation_close(app->conversation);
    app->conversation = NULL;
    while (app->page != NULL) psst_page_pop(app);
    psst_model_free(app->model);
    app->model = NULL;
    psst_client_close(app->client);
    app->client = NULL;
    psst_sight_call(app);
    psst_sight_files(app, NULL, 0);
}

/* Over a connection that was just made. */
static bool begin_model(struct psst_app *app)
{
    app->begun_ms = psst_client_now_ms();
    return psst_model_new(&app->model, app->client, watch_of(app)) == PSST_OK;
}

/* False: the person leaves. *start: he wants psstd to be started. */
static bool take_keys_without(struct psst_app *app, bool *start)
{
    if (app->hold == PSST_HOLD_SECRET) { /* the rest of a passphrase */
        bool typed = app->hold_typed;
        enum psst_secret_key what = psst_hold_read(app);
        if (what == PSST_SECRET_RESIZE) psst_screen_resize();
        *start = what == PSST_SECRET_DONE;
        return what != PSST_SECRET_GONE && (what != PSST_SECRET_GIVEN_UP || typed);
    }
    for (struct psst_key key = {.code = PSST_KEY_RESIZE}; key.code != PSST_KEY_NONE;) {
        psst_input_next(&key);
        if (key.code == PSST_KEY_RESIZE) psst_screen_resize();
        if (key.code == PSST_KEY_ENTER) {
            *start = true;
            psst_hold_end(app);
        }
        if (key.code == PSST_KEY_GONE || is_interrupt(&key)) return false;
        if (key.code != PSST_KEY_NONE) app->last_key_ms = psst_client_now_ms();
    }
    return true;
}

/* psstd has ended: a page says so, and Enter (or a look once a second) begins anew with whatever is there then. */
static bool reconnect(struct psst_app *app)
{
    static const struct psst_client_start how = {NULL};
    struct psst_failure failure;
    bool start = false, field = app->page != NULL && app->page->secret != NULL;
    app->hold_typed = field && app->page->secret->len > 0;
    psst_hold_begin(app, field ? PSST_HOLD_SECRET : PSST_HOLD_PAUSE, "psstd had ended, and is there again");
    (void)snprintf(app->was_open, sizeof app->was_open, "%s", app->open != NULL ? app->open : "");
    psst_app_open(app, NULL);
    lose(app);
    for (;;) {
        if (psst_client_open(&app->client, app->setup->paths, start ? &how : NULL, &failure) == PSST_OK) break;
        struct psst_area whole = {0, 0, psst_screen_rows(), psst_screen_columns()};
        psst_draw_clear(whole, PSST_STYLE_PLAIN);
        psst_draw_text(whole, 0, 1, PSST_STYLE_WARN, "psstd has ended.");
        psst_draw_text(whole, 1, 1, PSST_STYLE_PLAIN, "What was said is stored; nothing is lost.");
        psst_draw_text(whole, 2, 1, PSST_STYLE_PLAIN, "Enter starts it again; Ctrl+C leaves.");
        if (start) psst_draw_text(whole, 4, 1, PSST_STYLE_WARN, failure.words);
        psst_draw_cursor(whole, -1, 0);
        psst_screen_show();
        struct pollfd fds[2] = {{.fd = psst_input_fd(), .events = POLLIN},
                                {.fd = psst_input_signal_fd(), .events = POLLIN}};
        (void)poll(fds, 2, RETRY_MS);
        start = false;
        if (!take_keys_without(app, &start)) return false;
    }
    psst_screen_redraw();
    psst_app_dirty(app, PSST_DIRTY_ALL);
    app->gone = false;
    return begin_model(app);
}

/* ---- the loop ---- */

/* Keys stay where they are until psstd has said whether the identity is open: who types ahead types a passphrase. */
static int held_ms(const struct psst_app *app)
{
    uint64_t since = psst_client_now_ms() - app->begun_ms;
    return psst_model_self(app->model)->known || since >= HOLD_MS ? 0 : (int)(HOLD_MS - since);
}

static int patience(struct psst_app *app)
{
    int held = held_ms(app);
    if (app->dirty != 0 || app->changed != 0) return 0;
    if (held > 0) return held;
    return psst_notify_due_ms(app);
}

static void turn(struct psst_app *app)
{
    struct pollfd fds[3 + CHILDREN_POLL] = {{.fd = psst_input_fd(), .events = POLLIN},
                                            {.fd = psst_input_signal_fd(), .events = POLLIN},
                                            {.fd = psst_client_fd(app->client), .events = POLLIN}};
    if (psst_client_wants_write(app->client)) fds[2].events |= POLLOUT;
    if (held_ms(app) > 0) fds[0].fd = fds[1].fd = -1;
    size_t n = psst_child_poll(app, fds + 3, CHILDREN_POLL);
    if (poll(fds, (nfds_t)(3 + n), patience(app)) < 0) {
        if (errno == EINTR) return;
        app->quitting = true;
        return;
    }
    if (fds[0].revents != 0 || fds[1].revents != 0) take_keys(app);
    if (fds[2].revents != 0 && !app->quitting && psst_client_turn(app->client) != PSST_OK) app->gone = true;
    psst_child_turn(app, fds + 3, n);
    psst_notify_turn(app);
    if (app->unseen && !psst_screen_behind()) {
        app->unseen = false;
        psst_app_dirty(app, PSST_DIRTY_CONVERSATION);
    }
    take_changes(app);
}

static void loop(struct psst_app *app)
{
    while (!app->quitting) {
        if (app->gone && !reconnect(app)) return;
        psst_app_draw(app);
        turn(app);
    }
}

static void fini(struct psst_app *app)
{
    if (app->client != NULL) psst_client_give_up(app->client);
    psst_child_end_all(app);
    while (app->page != NULL) psst_page_pop(app);
    psst_conversation_close(app->conversation);
    psst_model_free(app->model);
    psst_client_close(app->client);
    psst_complete_end(&app->completion);
    psst_app_forget_drafts(app);
    psst_entry_free(app->entry);
    free(app->open);
}

int psst_tui_run(const struct psst_tui *setup)
{
    static const struct psst_client_start how = {NULL};
    struct psst_app *app = calloc(1, sizeof *app);
    struct psst_failure failure = {.exit_code = PSST_EXIT_FAILED};
    if (app == NULL) return PSST_EXIT_FAILED;
    app->setup = setup;
    app->dirty = PSST_DIRTY_ALL;
    if (psst_client_open(&app->client, setup->paths, &how, &failure) != PSST_OK) {
        (void)fprintf(stderr, "psst: %s\n", failure.words);
        free(app);
        return (int)failure.exit_code;
    }
    bool ready = psst_entry_new(&app->entry) == PSST_OK;
    struct psst_screen_wish wish = {.mouse = psst_app_wants_mouse(app)};
    if (!ready || !psst_screen_begin(&wish)) {
        app->code = PSST_EXIT_FAILED;
    } else {
        psst_screen_title("PSST"); /* who is open is nobody's business who sees a list of windows */
        if (begin_model(app)) loop(app);
        psst_screen_end();
        if (app->gone) (void)fprintf(stderr, "psst: psstd has ended\n");
    }
    int code = app->code;
    fini(app);
    free(app);
    return code;
}
