/* What a person should notice while looking elsewhere: the terminal's bell, and the desktop through psst-notify.
 *
 *   arrival -> seen anyhow? quiet? a flood? -> psstd's settings -> bell, psst-notify (kind, title, body on its input)
 *
 * The settings are asked for each time: whoever changes them is obeyed at once, in every interface.
 */
#include "tui/screen.h"
#include "tui/spawn.h"
#include "tui/views.h"

#include "base/text.h"
#include "client/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Between two of one contact; twice as long each time that no key was pressed in between, up to PATIENT_MS. */
#define FLOOD_MS   2000
#define PATIENT_MS 60000
#define AT_ONCE    3     /* of all contacts together in FLOOD_MS */
#define RING_MS    3000  /* a call that goes on ringing */
#define AT_KEYS_MS 30000 /* a terminal that does not tell its focus: whoever pressed a key so lately looks at it */
#define RECENT     32
#define ASKED_MAX  8
#define WORDS_MAX  200 /* characters of what is shown on the desktop */

struct recent { /* who rang when */
    char name[PSST_NAME_ROOM];
    bool call;
    uint64_t ms, wait_ms;
};

struct asked {       /* waits for the settings */
    bool used, late; /* late: only if it goes on ringing */
    enum psst_arrival_kind kind;
    struct psst_app *app;
    char name[PSST_NAME_ROOM];
    char *words;
};

static struct recent recents[RECENT];
static struct asked asked_for[ASKED_MAX];
static uint64_t burst_ms; /* when the first of these rang */
static unsigned burst;
static uint64_t ring_ms; /* when the bell rings again for the call that rings; 0: it does not */

/* ---- whether ---- */

static bool looks_at_us(const struct psst_app *app, uint64_t now)
{
    if (app->focus_known) return app->focused;
    return app->last_key_ms > 0 && now - app->last_key_ms < AT_KEYS_MS;
}

static bool sees(const struct psst_app *app, const char *name, uint64_t now)
{
    bool covered = app->page != NULL || (app->contacts_shown && app->areas.folded);
    return looks_at_us(app, now) && !covered && app->place.end && app->open != NULL && strcmp(app->open, name) == 0;
}

/* The place of this one among those that rang lately, or the oldest of these for him. */
static struct recent *recent_of(const char *name, bool call)
{
    struct recent *place = &recents[0];
    for (size_t i = 0; i < RECENT; i++) {
        if (recents[i].ms > 0 && recents[i].call == call && strcmp(recents[i].name, name) == 0) return &recents[i];
        if (recents[i].ms < place->ms) place = &recents[i];
    }
    *place = (struct recent){.call = call};
    (void)snprintf(place->name, sizeof place->name, "%s", name);
    return place;
}

/* True: enough has rung. Otherwise this one does now. Who writes on and on while nobody is there rings less and less often; a call
 * that rings is no news an hour later, and has its own pace. */
static bool floods(const struct psst_app *app, const char *name, bool call, uint64_t now)
{
    struct recent *recent = recent_of(name, call);
    bool ignored = recent->ms > 0 && app->last_key_ms <= recent->ms && !call;
    uint64_t wait_ms = ignored ? recent->wait_ms : FLOOD_MS;
    if (recent->ms > 0 && now - recent->ms < wait_ms) return true;
    if (now - burst_ms >= FLOOD_MS) {
        burst_ms = now;
        burst = 0;
    }
    if (!call && burst >= AT_ONCE) return true;
    burst++;
    recent->wait_ms = ignored ? 2 * wait_ms : FLOOD_MS;
    if (recent->wait_ms > PATIENT_MS) recent->wait_ms = PATIENT_MS;
    recent->ms = now > 0 ? now : 1;
    return false;
}

/* ---- the desktop ---- */

static bool has_desktop(void)
{
    char path[PSST_PATH_MAX];
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
    if (address != NULL && address[0] != '\0') return true;
    if (runtime == NULL || runtime[0] == '\0') return false;
    int len = snprintf(path, sizeof path, "%s/bus", runtime);
    return len > 0 && (size_t)len < sizeof path && access(path, F_OK) == 0;
}

static void show(const struct asked *asked, bool whole)
{
    bool call = asked->kind == PSST_ARRIVAL_RINGS;
    struct psst_buf text;
    psst_buf_init(&text, 4096);
    psst_buf_put_str(&text, call ? "call\n" : "news\n");
    if (whole) {
        psst_text_render(&text, psst_view_str(asked->name), PSST_RENDER_LINE, WORDS_MAX);
        psst_buf_put_u8(&text, '\n');
        psst_text_render(&text, psst_view_str(asked->words != NULL ? asked->words : ""), PSST_RENDER_LINE, WORDS_MAX);
    } else {
        psst_buf_put_str(&text, "PSST\n");
        psst_buf_put_str(&text, call ? "A call is coming in" : "Something new for you");
    }
    psst_buf_put_u8(&text, '\n');
    if (!text.failed) psst_spawn_notify(text.data, text.len);
    psst_buf_fini(&text);
}

static void answered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct asked *asked = ctx;
    (void)failure;
    const char *bell = json_string_value(json_object_get(result, "bell"));
    const char *notify = json_string_value(json_object_get(result, "notify"));
    if (bell != NULL && strcmp(bell, "yes") == 0) {
        if (!asked->late) psst_screen_bell();
        if (asked->kind == PSST_ARRIVAL_RINGS) ring_ms = psst_client_now_ms() + RING_MS;
    }
    bool whole = notify != NULL && strcmp(notify, "shown") == 0,
         hidden = notify != NULL && strcmp(notify, "hidden") == 0;
    if ((whole || hidden) && !asked->late && has_desktop() &&
        !(asked->kind == PSST_ARRIVAL_RINGS && asked->app->focused))
        show(asked, whole);
    psst_free_wiped(asked->words);
    *asked = (struct asked){.used = false};
}

/* ---- what comes ---- */

void psst_notify_arrival(struct psst_app *app, const struct psst_arrival *arrival)
{
    const uint64_t now = psst_client_now_ms();
    bool call = arrival->kind == PSST_ARRIVAL_RINGS;
    /* who is called should hear it, wherever the conversation stands */
    if (arrival->quiet || (!call && sees(app, arrival->contact, now))) return;
    bool late = floods(app, arrival->contact, call, now);
    if (late && !call) return;
    struct asked *asked = NULL;
    for (size_t i = 0; i < ASKED_MAX && asked == NULL; i++)
        if (!asked_for[i].used) asked = &asked_for[i];
    if (asked == NULL) return; /* psstd does not answer; there is enough to be told already */
    *asked = (struct asked){.used = true, .late = late, .kind = arrival->kind, .app = app};
    (void)snprintf(asked->name, sizeof asked->name, "%s", arrival->contact);
    /* four bytes at most a character; what is cut in the middle of one is rendered as such */
    asked->words = strndup(arrival->words != NULL ? arrival->words : "", (size_t)(WORDS_MAX + 1) * 4);
    if (psst_client_request(app->client, "settings", NULL, NULL, 0, answered, asked) != PSST_OK) {
        psst_free_wiped(asked->words);
        *asked = (struct asked){.used = false};
    }
}

/* ---- a call that goes on ringing: the only thing that wakes us by the clock ---- */

static bool rings(const struct psst_app *app)
{
    const struct psst_call_now *call = app->model != NULL ? psst_model_call(app->model) : NULL;
    return call != NULL && call->state == PSST_CALL_OFFERED;
}

int psst_notify_due_ms(struct psst_app *app)
{
    if (ring_ms == 0 || !rings(app)) return -1;
    uint64_t now = psst_client_now_ms();
    return ring_ms > now ? (int)(ring_ms - now) : 0;
}

void psst_notify_turn(struct psst_app *app)
{
    if (ring_ms == 0) return;
    if (!rings(app)) {
        ring_ms = 0;
        return;
    }
    uint64_t now = psst_client_now_ms();
    if (now < ring_ms) return;
    psst_screen_bell();
    ring_ms = now + RING_MS;
}
