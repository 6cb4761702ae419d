#include "tui/hold.h"

#include "tui/app.h"

#define NOT_TAKEN "not taken; Enter goes on: %s"

void psst_hold_begin(struct psst_app *app, enum psst_hold how, const char *words)
{
    if (how < app->hold) return;
    app->hold = how;
    app->hold_words = words;
    if (how == PSST_HOLD_SECRET) psst_app_error(app, "Enter goes on: %s", words);
}

void psst_hold_end(struct psst_app *app)
{
    if (app->hold == PSST_HOLD_NOT) return;
    app->hold = PSST_HOLD_NOT;
    app->notice[0] = '\0';
    psst_app_dirty(app, PSST_DIRTY_STATUS);
}

bool psst_hold_key(struct psst_app *app, const struct psst_key *key, uint64_t since_ms)
{
    bool control_c = key->code == PSST_KEY_TEXT && key->mods == PSST_MOD_CONTROL && key->cp == 'c';
    if (app->hold == PSST_HOLD_NOT) return false;
    if (app->hold == PSST_HOLD_PAUSE && since_ms >= PSST_HOLD_PAUSE_MS) {
        app->hold = PSST_HOLD_NOT;
        return false;
    }
    if (key->code == PSST_KEY_ENTER || key->code == PSST_KEY_ESCAPE || control_c)
        psst_hold_end(app);
    else
        psst_app_error(app, NOT_TAKEN, app->hold_words);
    return true;
}

bool psst_hold_reads(const struct psst_app *app)
{
    bool field = app->page != NULL && app->page->secret != NULL;
    bool lately = psst_client_now_ms() - app->last_key_ms < PSST_HOLD_PAUSE_MS;
    return app->hold == PSST_HOLD_SECRET || (app->hold == PSST_HOLD_PAUSE && field && lately);
}

enum psst_secret_key psst_hold_read(struct psst_app *app)
{
    struct psst_passphrase nowhere = {.len = 0};
    enum psst_secret_key what = psst_input_secret(&nowhere);
    bool ends = what == PSST_SECRET_DONE || what == PSST_SECRET_GIVEN_UP || what == PSST_SECRET_BACK;
    psst_passphrase_wipe(&nowhere);
    if (ends)
        psst_hold_end(app);
    else if (what == PSST_SECRET_MORE) {
        app->hold_typed = true;
        psst_app_error(app, NOT_TAKEN, app->hold_words);
    }
    return what;
}
