/* Each allocation fails in turn (attack 49): an error or something missing, never a crash, and nothing is left behind. */
#include "model_scene.h"

#include "support/failing_malloc.h"

static void tell_forgotten(struct scene *s)
{
    failing_malloc_pause(true);
    s->gone = 20;
    assert_ok(
        psst_rpc_put(&s->psstd, psst_rpc_event("contact.forgotten", json_pack("{s:s}", "contact", "bob")), NULL, 0));
    enum psst_err err = psst_lines_flush(&s->psstd); /* nobody may be there to hear it */
    (void)err;
    failing_malloc_pause(false);
}

static void work(struct scene *s)
{
    const struct psst_model_watch watch = {.ctx = NULL};
    struct psst_conversation *c = NULL;
    enum psst_err err = psst_model_new(&s->model, s->client, &watch);
    if (err != PSST_OK) {
        assert_err(PSST_ERR_MEMORY, err);
        assert_null(s->model);
        return;
    }
    for (int i = 0; i < 8; i++) scene_try(s);
    err = psst_conversation_open(&c, s->model, "bob");
    if (err != PSST_OK) {
        assert_err(PSST_ERR_MEMORY, err);
        return;
    }
    for (int i = 0; i < 4; i++) scene_try(s);
    psst_model_note(s->model, "bob", "a note");
    enum psst_err said = psst_model_say(s->model, "bob", psst_view_str("hello"), scene_said, s);
    assert_true(said == PSST_OK || said == PSST_ERR_MEMORY || said == PSST_ERR_IO || said == PSST_ERR_MALFORMED);
    for (int i = 0; i < 4; i++) scene_try(s);
    psst_conversation_shown(c, 0);
    psst_conversation_older(c);
    for (int i = 0; i < 4; i++) scene_try(s);
    tell_forgotten(s);
    for (int i = 0; i < 4; i++) scene_try(s);
    psst_conversation_jump(c, 60 * SCENE_STEP);
    for (int i = 0; i < 4; i++) scene_try(s);
    for (size_t i = 0; i < psst_conversation_count(c); i++) assert_non_null(psst_conversation_item(c, i)->reason);
    for (size_t i = 0; i < psst_model_transfers(s->model); i++) assert_non_null(psst_model_transfer(s->model, i)->path);
    psst_conversation_close(c);
}

static void model__each_allocation_fails__is_survived(void **state)
{
    (void)state;
    for (unsigned n = 1;; n++) {
        struct scene s;
        scene_init(&s);
        s.messages = 120;
        s.aside = failing_malloc_pause;
        scene_answer(&s, "say", "{\"id\":\"ab\",\"seq\":900,\"state\":\"sent\"}");
        scene_answer(
            &s, "files",
            "{\"files\":[{\"id\":1,\"contact\":\"bob\",\"direction\":\"in\",\"state\":\"failed\",\"name\":\"x\","
            "\"reason\":\"y\",\"path\":\"/z\"}]}");
        scene_answer(
            &s, "calls",
            "{\"calls\":[{\"id\":3,\"name\":\"bob\",\"direction\":\"in\",\"result\":\"missed\",\"seen\":false}]}");
        failing_malloc_at(n);
        work(&s);
        bool failed = failing_malloc_stop();
        scene_close(&s);
        if (!failed) break;
        assert_true(n < 100000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(model__each_allocation_fails__is_survived)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
