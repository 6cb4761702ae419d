/* The keys for calls, and the keys that go nowhere: what a finger does that was on its way before the screen changed. All that
 * keys do is made up here, and written down. */
#include "support/check.h"

#include "client/passphrase.h"
#include "tui/commands.h"
#include "tui/screen.h"
#include "tui/views.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct psst_app app;
static struct psst_call_now call;
static char line[256]; /* the command that was run last; "" */
static uint64_t now = 1000000;
static enum psst_secret_key secret_gives;

uint64_t psst_client_now_ms(void)
{
    return now;
}
const struct psst_call_now *psst_model_call(const struct psst_model *model)
{
    (void)model;
    return &call;
}
size_t psst_model_people(const struct psst_model *model)
{
    (void)model;
    return 0;
}
const struct psst_person *psst_model_person(const struct psst_model *model, size_t i)
{
    (void)model, (void)i;
    return NULL;
}
void psst_app_dirty(struct psst_app *a, unsigned what)
{
    a->dirty |= what;
}
static void tell(struct psst_app *a, const char *fmt, va_list args)
{
    (void)vsnprintf(a->notice, sizeof a->notice, fmt, args);
}
void psst_app_say(struct psst_app *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(a, fmt, args);
    va_end(args);
}
void psst_app_error(struct psst_app *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(a, fmt, args);
    va_end(args);
}
void psst_command_line(struct psst_app *a, const char *words)
{
    (void)a;
    (void)snprintf(line, sizeof line, "%s", words);
}
enum psst_secret_key psst_input_secret(struct psst_passphrase *pass)
{
    pass->text[pass->len++] = 'x';
    return secret_gives;
}

/* What other keys do does not matter here. */
void psst_app_open(struct psst_app *a, const char *name)
{
    (void)a, (void)name;
}
void psst_app_step(struct psst_app *a, int by)
{
    (void)a, (void)by;
}
void psst_app_next_unread(struct psst_app *a)
{
    (void)a;
}
void psst_app_scroll(struct psst_app *a, int rows)
{
    (void)a, (void)rows;
}
void psst_app_scroll_to(struct psst_app *a, int64_t seq)
{
    (void)a, (void)seq;
}
void psst_app_entered(struct psst_app *a)
{
    (void)a;
}
void psst_app_quit(struct psst_app *a)
{
    a->quitting = true;
}
void psst_app_request(struct psst_app *a, const char *method, json_t *params, const int *fds, size_t n,
                      psst_client_answer *answer, void *ctx)
{
    (void)a, (void)method, (void)fds, (void)n, (void)answer, (void)ctx;
    json_decref(params);
}
void psst_app_voice_answered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    (void)ctx, (void)result, (void)failure;
}
void psst_complete(struct psst_completion *completion, struct psst_app *a, struct psst_entry *entry, bool back)
{
    (void)completion, (void)a, (void)entry, (void)back;
}
void psst_help_open(struct psst_app *a, const char *about)
{
    (void)a, (void)about;
}
void psst_screen_redraw(void)
{
}
void psst_screen_suspend(void)
{
}
int psst_screen_columns(void)
{
    return 80;
}
int psst_view_page_rows(const struct psst_app *a)
{
    (void)a;
    return 1;
}
void psst_view_bare(struct psst_app *a)
{
    (void)a;
}
const struct psst_person *psst_view_contact_at(const struct psst_app *a, int row, int column)
{
    (void)a, (void)row, (void)column;
    return NULL;
}

/* ---- calls ---- */

static int begin(void **state)
{
    static char bob[] = "Bob";
    (void)state;
    now += 100000;
    app = (struct psst_app){.open = bob, .model = (struct psst_model *)&app};
    call = (struct psst_call_now){.state = PSST_CALL_NONE, .name = ""};
    line[0] = '\0';
    return 0;
}

static void turns(enum psst_call_state state, const char *who)
{
    call.state = state;
    call.name = who;
    psst_sight_call(&app);
}

static void press(enum psst_key_code code)
{
    struct psst_key key = {.code = code};
    line[0] = app.notice[0] = '\0';
    assert_true(psst_binding_act(&app, &key));
}

static void check(enum psst_key_code code, const char *want, const char *notice)
{
    press(code);
    assert_string_equal(want, line);
    if (strstr(app.notice, notice) == NULL) fail_msg("it says: %s", app.notice);
}

static void f7__answers__whom_the_person_has_seen_ringing(void **state)
{
    (void)state;
    check(PSST_KEY_F7, "/call", "");
    turns(PSST_CALL_OFFERED, "Carol");
    now += 499;
    check(PSST_KEY_F7, "", "Carol began to call this moment");
    now += 1;
    check(PSST_KEY_F7, "/answer", "");
    assert_true(psst_moment_rang(&app.meant, "Carol"));
    turns(PSST_CALL_NONE, "");
    now += 1499;
    check(PSST_KEY_F7, "", "rings no more");
    now += 1;
    check(PSST_KEY_F7, "/call", "");
}

static void f7__open_contact_begins_to_call__is_a_call_with_him_all_the_same(void **state)
{
    (void)state;
    turns(PSST_CALL_OFFERED, "Bob");
    check(PSST_KEY_F7, "/call", "");
    turns(PSST_CALL_NONE, "");
    now += 10000;
    turns(PSST_CALL_OFFERED, "Carol");
    now += 10000;
    turns(PSST_CALL_OFFERED, "Bob"); /* in Carol's place: she was meant */
    check(PSST_KEY_F7, "", "Bob began to call this moment");
}

static void f8__declines_or_hangs_up__never_the_session(void **state)
{
    (void)state;
    check(PSST_KEY_F8, "", "there is no call;");
    turns(PSST_CALL_ACTIVE, "Bob");
    check(PSST_KEY_F8, "/hangup", "");
    turns(PSST_CALL_NONE, "");
    now += 1;
    check(PSST_KEY_F8, "", "there is no call any more");
    turns(PSST_CALL_OFFERED, "Carol"); /* as the call with Bob is being hung up */
    check(PSST_KEY_F8, "", "Carol began to call this moment");
    now += 500;
    check(PSST_KEY_F8, "/decline", "");
}

/* ---- keys that go nowhere ---- */

static bool goes(enum psst_key_code code, uint32_t cp, unsigned mods, uint64_t since_ms)
{
    struct psst_key key = {.code = code, .cp = cp, .mods = mods};
    return !psst_hold_key(&app, &key, since_ms);
}

static void hold__until_a_pause__takes_what_is_typed_on(void **state)
{
    (void)state;
    assert_true(goes(PSST_KEY_TEXT, 'a', 0, 0));
    psst_hold_begin(&app, PSST_HOLD_PAUSE, "it has changed");
    assert_string_equal("", app.notice); /* who does not type need not know */
    assert_false(goes(PSST_KEY_TEXT, 'a', 0, 100));
    assert_non_null(strstr(app.notice, "it has changed"));
    assert_false(goes(PSST_KEY_PASTE, 0, 0, 1499));
    assert_true(goes(PSST_KEY_TEXT, 'b', 0, 1500));
    assert_true(goes(PSST_KEY_TEXT, 'c', 0, 0));
}

static void hold__enter_escape_or_control_c__ends_it_and_does_no_more(void **state)
{
    static const struct psst_key keys[] = {{.code = PSST_KEY_ENTER},
                                           {.code = PSST_KEY_ESCAPE},
                                           {.code = PSST_KEY_TEXT, .cp = 'c', .mods = PSST_MOD_CONTROL}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        psst_hold_begin(&app, PSST_HOLD_PAUSE, "it has changed");
        assert_false(goes(keys[i].code, keys[i].cp, keys[i].mods, 0));
        assert_true(goes(PSST_KEY_TEXT, 'a', 0, 0));
    }
}

static void hold__behind_a_passphrase__knows_no_pause(void **state)
{
    (void)state;
    psst_hold_begin(&app, PSST_HOLD_SECRET, "it was opened");
    assert_non_null(strstr(app.notice, "it was opened"));
    psst_hold_begin(&app, PSST_HOLD_PAUSE, "something less");
    now += 3600000;
    assert_true(psst_hold_reads(&app));
    secret_gives = PSST_SECRET_MORE;
    assert_int_equal(PSST_SECRET_MORE, psst_hold_read(&app));
    assert_true(app.hold_typed);
    assert_non_null(strstr(app.notice, "not taken"));
    assert_non_null(strstr(app.notice, "it was opened"));
    secret_gives = PSST_SECRET_RESIZE;
    assert_int_equal(PSST_SECRET_RESIZE, psst_hold_read(&app));
    assert_true(psst_hold_reads(&app));
    secret_gives = PSST_SECRET_DONE;
    (void)psst_hold_read(&app);
    assert_false(psst_hold_reads(&app));
    assert_string_equal("", app.notice);
}

/* A message was being typed, and a passphrase field has come: its rest is no passphrase, unless one has paused. */
static void hold__field_behind_a_message__takes_no_rest_of_it(void **state)
{
    struct psst_passphrase field = {.len = 0};
    struct psst_page page = {.secret = &field};
    (void)state;
    app.page = &page;
    app.last_key_ms = now;
    assert_false(psst_hold_reads(&app));
    psst_hold_begin(&app, PSST_HOLD_PAUSE, "psstd had ended");
    assert_true(psst_hold_reads(&app));
    now += PSST_HOLD_PAUSE_MS;
    assert_false(psst_hold_reads(&app));
}

#define fresh(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(f7__answers__whom_the_person_has_seen_ringing),
        fresh(f7__open_contact_begins_to_call__is_a_call_with_him_all_the_same),
        fresh(f8__declines_or_hangs_up__never_the_session),
        fresh(hold__until_a_pause__takes_what_is_typed_on),
        fresh(hold__enter_escape_or_control_c__ends_it_and_does_no_more),
        fresh(hold__behind_a_passphrase__knows_no_pause),
        fresh(hold__field_behind_a_message__takes_no_rest_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
