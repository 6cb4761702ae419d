/* Which key does what: one table, which F1 and the manual show too. */
#include "client/out.h"
#include "tui/commands.h"
#include "tui/screen.h"
#include "tui/views.h"

#include <string.h>

#define RANG_MS  1500 /* so long a key may still mean a call that has gone */
#define BEGAN_MS 500  /* and so long it does not mean one that has come: a person has not even seen it */

static void switch_to(struct psst_app *app, const struct psst_key *key)
{
    size_t i = key->cp == '0' ? 9 : key->cp - '1';
    if (i < psst_model_people(app->model)) psst_app_open(app, psst_model_person(app->model, i)->name);
}

static void step_back(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_step(app, -1);
}

static void step_on(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_step(app, 1);
}

static void next_unread(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_next_unread(app);
}

static void page_up(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_scroll(app, -psst_view_page_rows(app));
}

static void page_down(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_scroll(app, psst_view_page_rows(app));
}

static void line_up(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_scroll(app, -1);
}

static void line_down(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_scroll(app, 1);
}

static void wheel_up(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_scroll(app, -3);
}

static void wheel_down(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_scroll(app, 3);
}

static void to_beginning(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_scroll_to(app, -1);
}

static void to_end(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_scroll_to(app, 0);
}

static void help(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_help_open(app, NULL);
}

static void toggle_contacts(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    app->contacts_shown = !app->contacts_shown;
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

static void redraw(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_screen_redraw();
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

static void bare(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_view_bare(app);
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

static void suspend(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_screen_suspend();
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

static void complete(struct psst_app *app, const struct psst_key *key)
{
    psst_complete(&app->completion, app, app->entry, key->code == PSST_KEY_BACKTAB);
    psst_app_dirty(app, PSST_DIRTY_ENTRY);
}

static void entered(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_app_entered(app);
}

/* What is written goes first; with nothing written it says how one leaves. */
static void interrupt(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    if (psst_entry_text(app->entry).len > 0)
        psst_entry_clear(app->entry);
    else
        psst_app_say(app, "/quit leaves; psstd goes on, and with it the sessions");
    psst_app_dirty(app, PSST_DIRTY_ENTRY);
}

static void leave_or_delete(struct psst_app *app, const struct psst_key *key)
{
    if (psst_entry_text(app->entry).len == 0)
        psst_app_quit(app);
    else if (psst_entry_key(app->entry, key, (unsigned)psst_screen_columns()) != PSST_ENTRY_IGNORED)
        psst_app_dirty(app, PSST_DIRTY_ENTRY);
}

static void command(struct psst_app *app, const char *line)
{
    psst_moment_take(app, &app->meant);
    psst_command_line(app, line);
}

static void mute(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    command(app, "/mute");
}

static void talk(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    command(app, "/ptt");
}

static void answer(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    const struct psst_call_now *call = psst_model_call(app->model);
    const struct psst_sight *sight = &app->sight;
    uint64_t since = psst_client_now_ms() - sight->call_ms;
    /* who calls the one that is open, and is called by him this moment, wants to talk to him all the same */
    bool ours = app->open != NULL && strcmp(call->name, app->open) == 0 && sight->call_before == PSST_CALL_NONE;
    /* a microphone does not open for somebody whom the person did not mean when the key went down */
    if (call->state == PSST_CALL_NONE && sight->call_before == PSST_CALL_OFFERED && since < RANG_MS)
        psst_app_say(app, "that call rings no more; F7 again calls who is open");
    else if (call->state == PSST_CALL_OFFERED && !ours && since < BEGAN_MS)
        psst_app_say(app, "%s began to call this moment; F7 again answers", psst_out_text(call->name, 64));
    else if (call->state == PSST_CALL_NONE || (call->state == PSST_CALL_OFFERED && ours))
        command(app, "/call");
    else if (call->state == PSST_CALL_OFFERED)
        command(app, "/answer");
}

static void hang_up(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    const struct psst_call_now *call = psst_model_call(app->model);
    uint64_t since = psst_client_now_ms() - app->sight.call_ms;
    if (call->state == PSST_CALL_OFFERED && since < BEGAN_MS)
        psst_app_say(app, "%s began to call this moment; F8 again declines", psst_out_text(call->name, 64));
    else if (call->state == PSST_CALL_OFFERED)
        command(app, "/decline");
    else if (call->state != PSST_CALL_NONE)
        command(app, "/hangup"); /* never the session: there is a call */
    else
        psst_app_say(app, "there is no call%s; /hangup ends the session",
                     app->sight.call_before != PSST_CALL_NONE && since < RANG_MS ? " any more" : "");
}

static void adjust(struct psst_app *app, const char *what, int value)
{
    json_t *params = json_pack("{s:i}", what, value);
    psst_app_request(app, "voice.set", params, NULL, 0, psst_app_voice_answered, app);
}

static void quality_down(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    int quality = psst_model_call(app->model)->quality;
    if (quality > 0) adjust(app, "quality", quality - 1);
}

static void quality_up(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    int quality = psst_model_call(app->model)->quality;
    if (quality < 10) adjust(app, "quality", quality + 1);
}

static void sense_down(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    int sense = psst_model_call(app->model)->sense_dbfs;
    if (sense > -100) adjust(app, "sense", sense > -97 ? sense - 3 : -100);
}

static void sense_up(struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    int sense = psst_model_call(app->model)->sense_dbfs;
    if (sense < 0) adjust(app, "sense", sense < -3 ? sense + 3 : 0);
}

static void click(struct psst_app *app, const struct psst_key *key)
{
    const struct psst_person *person = psst_view_contact_at(app, key->row, key->column);
    if (person == NULL) return;
    app->contacts_shown = false;
    psst_app_open(app, person->name);
}

#define ALT     PSST_MOD_ALT
#define CONTROL PSST_MOD_CONTROL

/* The first one that fits counts. */
const struct psst_binding psst_bindings[] = {
    {"F1", "this help", PSST_KEY_F1, 0, 0, 0, help},
    {"Alt+1 .. Alt+0", "open the first .. tenth contact", PSST_KEY_TEXT, ALT, '0', '9', switch_to},
    {"Alt+Up, Alt+Left", "the contact before", PSST_KEY_UP, ALT, 0, 0, step_back},
    {NULL, NULL, PSST_KEY_LEFT, ALT, 0, 0, step_back},
    {"Alt+Down, Alt+Right", "the next contact", PSST_KEY_DOWN, ALT, 0, 0, step_on},
    {NULL, NULL, PSST_KEY_RIGHT, ALT, 0, 0, step_on},
    {"Alt+A", "the next contact with something new", PSST_KEY_TEXT, ALT, 'a', 'a', next_unread},
    {"PgUp, PgDn", "older and newer messages (also Ctrl+P, Ctrl+N by lines, the wheel)", PSST_KEY_PAGE_UP, 0, 0, 0,
     page_up},
    {NULL, NULL, PSST_KEY_PAGE_DOWN, 0, 0, 0, page_down},
    {NULL, NULL, PSST_KEY_TEXT, CONTROL, 'p', 'p', line_up},
    {NULL, NULL, PSST_KEY_TEXT, CONTROL, 'n', 'n', line_down},
    {NULL, NULL, PSST_KEY_WHEEL_UP, 0, 0, 0, wheel_up},
    {NULL, NULL, PSST_KEY_WHEEL_DOWN, 0, 0, 0, wheel_down},
    {"Alt+Home, Alt+End", "the very first message, the newest", PSST_KEY_HOME, ALT, 0, 0, to_beginning},
    {NULL, NULL, PSST_KEY_END, ALT, 0, 0, to_end},
    {"Enter", "send the text, or do the command", PSST_KEY_ENTER, 0, 0, 0, entered},
    {"Ctrl+J, Alt+Enter", "a new line in the text", PSST_KEY_TEXT, CONTROL, 'j', 'j', NULL},
    {"Tab, Shift+Tab", "complete a command, a name, a path; the next and the one before", PSST_KEY_TAB, 0, 0, 0,
     complete},
    {NULL, NULL, PSST_KEY_BACKTAB, 0, 0, 0, complete},
    {"Up, Down", "between lines, and what was entered before", PSST_KEY_UP, 0, 0, 0, NULL},
    {"Ctrl+A E B F, Alt+B F", "to the beginning, the end; by characters, by words", PSST_KEY_TEXT, CONTROL, 'e', 'e',
     NULL},
    {"Ctrl+K U W Y, Ctrl+_", "cut to the end, all before, a word; put back; undo", PSST_KEY_TEXT, CONTROL, 'k', 'k',
     NULL},
    {"F2", "contacts or conversation, on a narrow terminal", PSST_KEY_F2, 0, 0, 0, toggle_contacts},
    {"F5", "the microphone closed or open, during a call", PSST_KEY_F5, 0, 0, 0, mute},
    {"F6", "push to talk: on, and off again", PSST_KEY_F6, 0, 0, 0, talk},
    {"F7", "answer; call who is open", PSST_KEY_F7, 0, 0, 0, answer},
    {"F8", "decline; hang up", PSST_KEY_F8, 0, 0, 0, hang_up},
    {"F9, F10", "voice quality down, up", PSST_KEY_F9, 0, 0, 0, quality_down},
    {NULL, NULL, PSST_KEY_F10, 0, 0, 0, quality_up},
    {"F11, F12", "voice sensitivity: 3 dB lower, higher", PSST_KEY_F11, 0, 0, 0, sense_down},
    {NULL, NULL, PSST_KEY_F12, 0, 0, 0, sense_up},
    {"Alt+L", "the messages alone, to be copied; any key comes back", PSST_KEY_TEXT, ALT, 'l', 'l', bare},
    {"Ctrl+L", "draw all anew", PSST_KEY_TEXT, CONTROL, 'l', 'l', redraw},
    {"Ctrl+C", "throw away what is written", PSST_KEY_TEXT, CONTROL, 'c', 'c', interrupt},
    {"Ctrl+D", "leave, when nothing is written", PSST_KEY_TEXT, CONTROL, 'd', 'd', leave_or_delete},
    {"Ctrl+Z", "suspend", PSST_KEY_TEXT, CONTROL, 'z', 'z', suspend},
    {"click", "open a contact; Shift and the mouse select text", PSST_KEY_CLICK, 0, 0, 0, click},
};
const size_t psst_bindings_count = sizeof psst_bindings / sizeof psst_bindings[0];

bool psst_binding_act(struct psst_app *app, const struct psst_key *key)
{
    for (size_t i = 0; i < psst_bindings_count; i++) {
        const struct psst_binding *binding = &psst_bindings[i];
        if (binding->act == NULL || binding->code != key->code || binding->mods != key->mods) continue;
        if (binding->cp != 0 && (key->cp < binding->cp || key->cp > binding->cp_last)) continue;
        binding->act(app, key);
        return true;
    }
    return false;
}
