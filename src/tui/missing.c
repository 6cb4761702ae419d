/* For as long as the parts are being built side by side: what is not there yet does nothing. */
#include "tui/commands.h"
#include "tui/screen.h"
#include "tui/views.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define WEAK __attribute__((weak))

WEAK void psst_app_dirty(struct psst_app *app, unsigned what)
{
}
WEAK void psst_app_open(struct psst_app *app, const char *name)
{
}
WEAK void psst_app_step(struct psst_app *app, int by)
{
}
WEAK void psst_app_next_unread(struct psst_app *app)
{
}
WEAK void psst_app_say(struct psst_app *app, const char *fmt, ...)
{
}
WEAK void psst_app_error(struct psst_app *app, const char *fmt, ...)
{
}
WEAK void psst_app_request(struct psst_app *app, const char *method, json_t *params, const int *fds, size_t n,
                           psst_client_answer *done, void *ctx)
{
}
WEAK void psst_app_entered(struct psst_app *app)
{
}
WEAK void psst_app_scroll(struct psst_app *app, int rows)
{
}
WEAK void psst_app_scroll_to(struct psst_app *app, int64_t seq)
{
}
WEAK void psst_app_quit(struct psst_app *app)
{
}
WEAK bool psst_binding_act(struct psst_app *app, const struct psst_key *key)
{
    return 0;
}
WEAK void psst_areas_divide(struct psst_areas *out, const struct psst_shape *shape)
{
}
WEAK void psst_app_draw(struct psst_app *app)
{
}
WEAK void psst_view_notice(struct psst_app *app, struct psst_area area)
{
}
WEAK int psst_tui_run(const struct psst_tui *setup)
{
    return 0;
}
WEAK const struct psst_binding psst_bindings[] = {{0}};
WEAK const size_t psst_bindings_count = 0;
