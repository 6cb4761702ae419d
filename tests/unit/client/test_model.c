/* Oneself, contacts, what is said, notes. */
#include "model_scene.h"

static const struct psst_person *bob(const struct scene *s)
{
    const struct psst_person *person = psst_model_find(s->model, "bob");
    assert_non_null(person);
    return person;
}

static void comes(struct scene *s, int seq, const char *text)
{
    scene_tell(s, "message",
               "{\"contact\":\"bob\",\"seq\":%d,\"id\":\"%032x\",\"direction\":\"in\",\"state\":\"received\","
               "\"time_ms\":1000,\"text\":\"%s\"}",
               seq, (unsigned)seq, text);
}

static void loading__all_at_once__knows_everything(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    scene_begin(&s);
    assert_true(psst_model_complete(s.model));
    const json_t *events = json_object_get(scene_last(&s, "subscribe"), "events");
    bool voice = false;
    for (size_t i = 0; i < json_array_size(events); i++)
        voice = voice || strcmp(json_string_value(json_array_get(events, i)), "voice") == 0;
    assert_true(voice);
    const struct psst_self *self = psst_model_self(s.model);
    assert_true(self->known && self->exists && !self->locked && !self->damaged);
    assert_string_equal("alice", self->name);
    assert_string_equal("away", self->presence);
    assert_string_equal("lunch", self->presence_text);
    assert_string_equal("127.0.0.1:7778", self->listen);
    assert_int_equal(2, psst_model_people(s.model));
    assert_string_equal("bob", psst_model_person(s.model, 0)->name);
    assert_string_equal("192.0.2.7:4000", bob(&s)->address);
    assert_int_equal(PSST_THERE_BUSY, bob(&s)->there);
    assert_string_equal("deep", bob(&s)->there_text);
    assert_true(bob(&s)->verified);
    assert_int_equal(2, bob(&s)->unread);
    assert_true(psst_model_find(s.model, "CAROL")->weak);
    assert_null(psst_model_find(s.model, "dave"));
    assert_null(psst_model_person(s.model, 2));
    scene_close(&s);
}

static void loading__contacts_in_pages__asks_behind_the_last(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    s.hold = "contacts";
    scene_begin(&s);
    assert_false(psst_model_complete(s.model));
    scene_answer(&s, "contacts", "{\"contacts\":[{\"name\":\"bob\",\"fingerprint\":\"1\"}],\"more\":true}");
    s.hold = NULL;
    scene_release(&s); /* the same page again: nothing new, so that is the end */
    assert_int_equal(2, scene_times(&s, "contacts"));
    assert_string_equal("bob", json_string_value(json_object_get(scene_last(&s, "contacts"), "after")));
    assert_true(psst_model_complete(s.model));
    assert_int_equal(1, psst_model_people(s.model));
    scene_close(&s);
}

static void locked__then_unlocked__loads_again(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 10;
    struct psst_conversation *c = scene_talk(&s, "bob");
    psst_model_note(s.model, "bob", "a line");
    assert_int_equal(11, psst_conversation_count(c));
    scene_tell(&s, "identity", "{\"locked\":true}");
    assert_true(psst_model_self(s.model)->locked);
    assert_false(psst_model_complete(s.model));
    assert_int_equal(0, psst_model_people(s.model));
    assert_int_equal(0, psst_conversation_count(c)); /* nothing of it is left */
    assert_string_equal("bob", psst_conversation_name(c));
    s.messages = 11;
    scene_tell(&s, "identity", "{\"locked\":false}");
    assert_true(psst_model_complete(s.model));
    assert_int_equal(2, psst_model_people(s.model));
    assert_int_equal(12, psst_conversation_count(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void locked__from_the_start__is_known(void **state)
{
    (void)state;
    static const char *const names[] = {"locked", "no-identity"};
    for (size_t i = 0; i < 2; i++) {
        struct scene s;
        char error[32];
        scene_init(&s);
        (void)snprintf(error, sizeof error, "\"%s\"", names[i]);
        scene_answer(&s, "status",
                     i == 0 ? "{\"identity\":{\"locked\":true,\"name\":\"alice\"}}" : "{\"identity\":null}");
        scene_answer(&s, "contacts", error);
        scene_answer(&s, "files", error);
        scene_begin(&s);
        assert_true(psst_model_self(s.model)->known);
        assert_int_equal(i == 0, psst_model_self(s.model)->locked);
        assert_int_equal(i == 0, psst_model_self(s.model)->exists);
        assert_false(psst_model_complete(s.model));
        scene_answer(&s, "status", "{\"identity\":{\"locked\":false,\"name\":\"alice\"}}");
        scene_answer(&s, "contacts", "{\"contacts\":[{\"name\":\"bob\",\"fingerprint\":\"1\"}]}");
        scene_tell(&s, "identity", "{\"locked\":false}");
        assert_true(psst_model_complete(s.model));
        assert_int_equal(1, psst_model_people(s.model));
        scene_close(&s);
    }
}

static void locked__while_it_is_being_loaded__shows_nothing(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    s.hold = "contacts";
    scene_begin(&s);
    scene_tell(&s, "identity", "{\"locked\":true}");
    scene_release(&s); /* what was asked before is answered after */
    assert_int_equal(0, psst_model_people(s.model));
    assert_false(psst_model_complete(s.model));
    scene_tell(&s, "identity", "{\"locked\":false}");
    assert_true(psst_model_complete(s.model));
    scene_close(&s);
}

static void unread__counts__and_ends_with_what_is_shown(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    scene_answer(&s, "log",
                 "{\"messages\":[{\"seq\":3,\"state\":\"received\",\"direction\":\"in\",\"text\":\"a\"},"
                 "{\"seq\":6,\"state\":\"received\",\"direction\":\"in\",\"text\":\"b\"}]}");
    comes(&s, 9, "c");
    assert_int_equal(PSST_ARRIVAL_MESSAGE, s.kind);
    assert_string_equal("bob: c", s.arrived);
    assert_int_equal(3, bob(&s)->unread);
    struct psst_conversation *c = scene_talk(&s, "bob");
    comes(&s, 9, "c"); /* told of twice, it stands there once */
    assert_string_equal("a | b | c", scene_items(c));
    psst_conversation_shown(c, 0);
    scene_run(&s);
    assert_int_equal(3, scene_last_int(&s, "shown", "seq"));
    psst_conversation_shown(c, 2);
    psst_conversation_shown(c, 2);
    psst_conversation_shown(c, 1);
    scene_run(&s);
    assert_int_equal(2, scene_times(&s, "shown"));
    assert_int_equal(9, scene_last_int(&s, "shown", "seq"));
    assert_int_equal(0, bob(&s)->unread);
    assert_int_equal(PSST_STATE_SHOWN, psst_conversation_item(c, 2)->state);
    scene_tell(&s, "contact", "{\"name\":\"bob\",\"fingerprint\":\"b0b\",\"unread\":7}");
    assert_int_equal(7, bob(&s)->unread);
    psst_conversation_close(c);
    scene_close(&s);
}

static void notes__keep_their_place__before_what_came_later(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 1;
    psst_model_note(s.model, "bob", "n%d", 1);
    comes(&s, 4, "x");
    psst_model_note(s.model, "bob", "n2");
    psst_model_note(s.model, "nobody", "n3");
    scene_answer(&s, "say", "{\"id\":\"05\",\"seq\":5,\"state\":\"sent\"}");
    assert_ok(psst_model_say(s.model, "bob", psst_view_str("y"), NULL, NULL));
    scene_run(&s);
    psst_model_note(s.model, "bob", "n4");
    scene_answer(&s, "log",
                 "{\"messages\":[{\"seq\":3,\"state\":\"shown\",\"direction\":\"in\",\"text\":\"m3\"},"
                 "{\"seq\":4,\"state\":\"received\",\"direction\":\"in\",\"text\":\"x\"},"
                 "{\"seq\":5,\"state\":\"sent\",\"direction\":\"out\",\"text\":\"y\"}]}");
    struct psst_conversation *c = scene_talk(&s, "bob");
    assert_string_equal("m3 | n1 | x | n2 | y | n4", scene_items(c));
    assert_int_equal(PSST_ITEM_NOTE, psst_conversation_item(c, 1)->kind);
    assert_int_equal(3, psst_conversation_item(c, 1)->seq);
    assert_int_equal(5, psst_conversation_item(c, 5)->seq);
    for (int i = 0; i < 60; i++) psst_model_note(s.model, "bob", "z%d", i);
    assert_int_equal(3 + 50, psst_conversation_count(c));
    comes(&s, 8, "w");
    assert_string_equal("w", (const char *)psst_conversation_item(c, 53)->text.data);
    psst_conversation_close(c);
    scene_close(&s);
}

static void say__state_overtakes_the_answer__is_right(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    struct psst_conversation *c = scene_talk(&s, "bob");
    scene_answer(&s, "say", "{\"id\":\"abc\",\"seq\":30,\"state\":\"waiting\"}");
    s.hold = "say";
    assert_ok(psst_model_say(s.model, "bob", psst_view_str("hello"), scene_said, &s));
    scene_run(&s);
    assert_int_equal(1, bob(&s)->waiting);
    assert_int_equal(0, psst_conversation_count(c));
    /* psstd tells everybody who listens, us too */
    scene_tell(
        &s, "message",
        "{\"contact\":\"bob\",\"id\":\"abc\",\"seq\":30,\"time_ms\":1,\"direction\":\"out\",\"state\":\"waiting\","
        "\"text\":\"hello\"}");
    assert_int_equal(2, bob(&s)->waiting);
    assert_int_equal(1, psst_conversation_count(c));
    scene_tell(&s, "message.state", "{\"contact\":\"bob\",\"id\":\"abc\",\"seq\":30,\"state\":\"sent\"}");
    scene_tell(&s, "message.state", "{\"contact\":\"bob\",\"id\":\"abc\",\"seq\":30,\"state\":\"delivered\"}");
    comes(&s, 33, "later");
    psst_model_note(s.model, "bob", "noted");
    scene_release(&s);
    assert_int_equal(1, s.answered);
    assert_int_equal(1, bob(&s)->waiting);
    assert_string_equal("hello | later | noted", scene_items(c));
    const struct psst_item *item = psst_conversation_item(c, 0);
    assert_true(item->out);
    assert_int_equal(PSST_STATE_DELIVERED, item->state);
    scene_tell(&s, "message.state", "{\"contact\":\"bob\",\"id\":\"abc\",\"state\":\"read\"}"); /* by its id alone */
    assert_int_equal(PSST_STATE_READ, psst_conversation_item(c, 0)->state);
    psst_conversation_close(c);
    scene_close(&s);
}

static void say__refused__is_told_and_shown_nowhere(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    struct psst_conversation *c = scene_talk(&s, "bob");
    scene_answer(&s, "say", "\"disk-full\"");
    assert_ok(psst_model_say(s.model, "bob", psst_view_str("hello"), scene_said, &s));
    scene_run(&s);
    assert_int_equal(1, s.refused);
    assert_string_equal("disk-full", s.failure);
    assert_int_equal(0, psst_conversation_count(c));
    assert_int_equal(1, bob(&s)->waiting);
    assert_err(PSST_ERR_MALFORMED, psst_model_say(s.model, "bob", psst_view("\xff\xfe", 2), scene_said, &s));
    assert_int_equal(1, bob(&s)->waiting);
    psst_conversation_close(c);
    scene_close(&s);
}

static void state__refused_and_held_back__has_its_reason(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 2;
    struct psst_conversation *c = scene_talk(&s, "bob");
    scene_tell(&s, "message.state", "{\"contact\":\"bob\",\"seq\":6,\"state\":\"waiting\",\"reason\":\"paused\"}");
    assert_int_equal(PSST_STATE_WAITING, psst_conversation_item(c, 1)->state);
    assert_string_equal("paused", psst_conversation_item(c, 1)->reason);
    scene_tell(&s, "message.state", "{\"contact\":\"bob\",\"seq\":6,\"state\":\"delivered\"}");
    assert_string_equal("", psst_conversation_item(c, 1)->reason);
    psst_conversation_close(c);
    scene_close(&s);
}

static void session__up_and_down__is_noted_once(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    struct psst_conversation *c = scene_talk(&s, "carol");
    psst_model_dialling(s.model, "carol", true);
    assert_true(psst_model_find(s.model, "carol")->dialling);
    scene_tell(&s, "session", "{\"contact\":\"carol\",\"state\":\"up\",\"address\":\"192.0.2.9:1\"}");
    scene_tell(&s, "presence", "{\"contact\":\"carol\",\"state\":\"online\",\"text\":\"\"}");
    scene_tell(&s, "session", "{\"contact\":\"carol\",\"state\":\"up\",\"address\":\"192.0.2.9:1\"}");
    const struct psst_person *carol = psst_model_find(s.model, "carol");
    assert_true(carol->online && !carol->dialling);
    assert_string_equal("192.0.2.9:1", carol->address);
    assert_int_equal(PSST_THERE_ONLINE, carol->there);
    scene_tell(&s, "presence", "{\"contact\":\"carol\",\"state\":\"busy\",\"text\":\"exam\"}");
    assert_int_equal(PSST_THERE_BUSY, carol->there);
    assert_string_equal("exam", carol->there_text);
    scene_tell(&s, "session", "{\"contact\":\"carol\",\"state\":\"down\",\"reason\":\"carol hung up\"}");
    assert_false(carol->online);
    assert_string_equal("", carol->address);
    assert_true(carol->seen_ms > 0);
    assert_string_equal(
        "in session with carol at 192.0.2.9:1 | carol is busy: do not disturb, \"exam\" | carol hung up",
        scene_items(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void contact__renamed_added_removed__is_followed(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 3;
    struct psst_conversation *c = scene_talk(&s, "bob");
    psst_model_note(s.model, "bob", "note");
    scene_tell(&s, "file", "{\"id\":1,\"contact\":\"bob\",\"direction\":\"out\",\"state\":\"running\"}");
    scene_tell(&s, "contact", "{\"name\":\"robert\",\"fingerprint\":\"b0b\",\"online\":true,\"presence\":\"online\"}");
    assert_string_equal("robert", psst_conversation_name(c));
    assert_string_equal("robert", psst_model_person(s.model, 0)->name);
    assert_string_equal("192.0.2.7:4000", psst_model_person(s.model, 0)->address);
    assert_string_equal("robert", psst_model_transfer(s.model, 0)->contact);
    assert_int_equal(4, psst_conversation_count(c));
    scene_tell(&s, "contact", "{\"name\":\"dave\",\"fingerprint\":\"dd\"}");
    assert_string_equal("dave", psst_model_person(s.model, 2)->name);
    scene_tell(&s, "contact.removed", "{\"contact\":\"robert\"}");
    assert_int_equal(2, psst_model_people(s.model));
    assert_string_equal("carol", psst_model_person(s.model, 0)->name);
    assert_int_equal(0, psst_model_transfers(s.model));
    assert_int_equal(0, psst_conversation_count(c));
    assert_false(psst_conversation_has_older(c));
    psst_conversation_older(c);
    psst_conversation_end(c);
    psst_conversation_shown(c, 0);
    psst_model_note(s.model, "robert", "nobody hears it");
    scene_run(&s);
    assert_string_equal("robert", psst_conversation_name(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void forgotten__messages__leave_the_conversation(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 3;
    struct psst_conversation *c = scene_talk(&s, "bob");
    assert_int_equal(3, psst_conversation_count(c));
    s.messages = 1;
    scene_tell(&s, "contact.forgotten", "{\"contact\":\"carol\"}");
    assert_int_equal(3, psst_conversation_count(c));
    scene_tell(&s, "contact.forgotten", "{\"contact\":\"bob\"}");
    assert_string_equal("m3", scene_items(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void removed__while_a_page_is_under_way__is_survived(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 3;
    s.hold = "log";
    struct psst_conversation *c = scene_talk(&s, "bob");
    scene_tell(&s, "contact.removed", "{\"contact\":\"bob\"}");
    scene_release(&s);
    assert_int_equal(0, psst_conversation_count(c));
    psst_conversation_close(c);
    s.hold = "log";
    c = scene_talk(&s, "carol");
    psst_conversation_close(c); /* and the answer finds nobody */
    scene_release(&s);
    scene_close(&s);
}

static void own_presence_and_the_end__are_told(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    scene_tell(&s, "presence", "{\"state\":\"busy\",\"text\":\"writing\"}");
    assert_string_equal("busy", psst_model_self(s.model)->presence);
    assert_string_equal("writing", psst_model_self(s.model)->presence_text);
    scene_tell(&s, "stopping", "{}");
    assert_int_equal(1, s.stopped);
    scene_close(&s);
}

static void hostile__events__crash_nothing(void **state)
{
    (void)state;
    static const char *const events[] = {"message", "message.state",   "session",  "file", "contact", "presence",
                                         "meet",    "contact.removed", "identity", "call", "voice",   "odd"};
    static const char *const params[] = {
        "{}",
        "{\"contact\":7,\"name\":[],\"seq\":\"x\",\"state\":{},\"id\":[],\"locked\":1}",
        "{\"contact\":\"bob\",\"name\":\"bob\",\"fingerprint\":null,\"seq\":-5,\"state\":null,\"id\":-1}",
        "{\"contact\":\"bob\",\"name\":\"\",\"fingerprint\":\"x\",\"seq\":9223372036854775807,\"state\":\"sent\","
        "\"id\":9223372036854775807,\"size\":-1,\"done\":1e300,\"unread\":-9,\"microphone_dbfs\":\"loud\",\"text\":4}",
    };
    char longest[4096];
    struct scene s;
    scene_open(&s);
    struct psst_conversation *c = scene_talk(&s, "bob");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        for (size_t k = 0; k < sizeof params / sizeof params[0]; k++) scene_tell(&s, events[i], "%s", params[k]);
        scene_tell(&s, events[i],
                   "{\"contact\":\"bob\",\"seq\":50,\"state\":\"%.300s\",\"reason\":\"%s\",\"address\":\"%.500s\"}",
                   longest, longest, longest);
        scene_tell(&s, events[i], "{\"name\":\"%.400s\",\"fingerprint\":\"%.400s\"}", longest, longest);
    }
    assert_in_range(psst_model_people(s.model), 2, 3);
    psst_conversation_close(c);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading__all_at_once__knows_everything),
        cmocka_unit_test(loading__contacts_in_pages__asks_behind_the_last),
        cmocka_unit_test(locked__then_unlocked__loads_again),
        cmocka_unit_test(locked__from_the_start__is_known),
        cmocka_unit_test(locked__while_it_is_being_loaded__shows_nothing),
        cmocka_unit_test(unread__counts__and_ends_with_what_is_shown),
        cmocka_unit_test(notes__keep_their_place__before_what_came_later),
        cmocka_unit_test(say__state_overtakes_the_answer__is_right),
        cmocka_unit_test(say__refused__is_told_and_shown_nowhere),
        cmocka_unit_test(state__refused_and_held_back__has_its_reason),
        cmocka_unit_test(session__up_and_down__is_noted_once),
        cmocka_unit_test(contact__renamed_added_removed__is_followed),
        cmocka_unit_test(forgotten__messages__leave_the_conversation),
        cmocka_unit_test(removed__while_a_page_is_under_way__is_survived),
        cmocka_unit_test(own_presence_and_the_end__are_told),
        cmocka_unit_test(hostile__events__crash_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
