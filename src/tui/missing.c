/* For as long as the parts are being built side by side: what is not there yet does nothing. */
#include "tui/commands.h"
#include "tui/screen.h"
#include "tui/views.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define WEAK __attribute__((weak))

WEAK enum psst_err psst_model_new(struct psst_model **out, struct psst_client *client,
                                  const struct psst_model_watch *watch)
{
    return PSST_OK;
}
WEAK void psst_model_free(struct psst_model *model)
{
}
WEAK const struct psst_self *psst_model_self(const struct psst_model *model)
{
    return NULL;
}
WEAK size_t psst_model_people(const struct psst_model *model)
{
    return 0;
}
WEAK const struct psst_person *psst_model_person(const struct psst_model *model, size_t i)
{
    return NULL;
}
WEAK const struct psst_person *psst_model_find(const struct psst_model *model, const char *name)
{
    return NULL;
}
WEAK const struct psst_call_now *psst_model_call(const struct psst_model *model)
{
    return NULL;
}
WEAK size_t psst_model_transfers(const struct psst_model *model)
{
    return 0;
}
WEAK const struct psst_transfer *psst_model_transfer(const struct psst_model *model, size_t i)
{
    return NULL;
}
WEAK bool psst_model_complete(const struct psst_model *model)
{
    return 0;
}
WEAK enum psst_err psst_model_say(struct psst_model *model, const char *name, struct psst_view text,
                                  psst_client_answer *answer, void *ctx)
{
    return PSST_OK;
}
WEAK void psst_model_note(struct psst_model *model, const char *name, const char *fmt, ...)
{
}
WEAK enum psst_err psst_conversation_open(struct psst_conversation **out, struct psst_model *model, const char *name)
{
    return PSST_OK;
}
WEAK void psst_conversation_close(struct psst_conversation *conversation)
{
}
WEAK const char *psst_conversation_name(const struct psst_conversation *conversation)
{
    return NULL;
}
WEAK size_t psst_conversation_count(const struct psst_conversation *conversation)
{
    return 0;
}
WEAK const struct psst_item *psst_conversation_item(const struct psst_conversation *conversation, size_t i)
{
    return NULL;
}
WEAK size_t psst_conversation_find(const struct psst_conversation *conversation, uint64_t serial)
{
    return 0;
}
WEAK bool psst_conversation_loaded(const struct psst_conversation *conversation)
{
    return 0;
}
WEAK bool psst_conversation_has_older(const struct psst_conversation *conversation)
{
    return 0;
}
WEAK bool psst_conversation_has_newer(const struct psst_conversation *conversation)
{
    return 0;
}
WEAK uint64_t psst_conversation_below(const struct psst_conversation *conversation)
{
    return 0;
}
WEAK void psst_conversation_older(struct psst_conversation *conversation)
{
}
WEAK void psst_conversation_newer(struct psst_conversation *conversation)
{
}
WEAK void psst_conversation_jump(struct psst_conversation *conversation, int64_t seq)
{
}
WEAK void psst_conversation_end(struct psst_conversation *conversation)
{
}
WEAK void psst_conversation_beginning(struct psst_conversation *conversation)
{
}
WEAK void psst_conversation_shown(struct psst_conversation *conversation, size_t i)
{
}
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
WEAK void psst_model_voice(struct psst_model *model, const json_t *state)
{
}
