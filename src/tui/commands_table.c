/* The table of commands. What is more than some lines is in commands_*.c; usage, summary and help that are NULL are those of
 * the verb of that name. */
#include "tui/commands_run.h"
#include "tui/screen.h"
#include "tui/views.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 4096

static void run_help(struct psst_app *app, int n, char **words)
{
    psst_help_open(app, n > 1 ? words[1] : NULL);
}

static void run_card(struct psst_app *app, int n, char **words)
{
    if (psst_command_has_options(n, words)) {
        psst_child_run(app, words);
        return;
    }
    const struct psst_person *person = n > 1 ? psst_command_whom(app, n, words, 1) : NULL;
    if (n == 1 || person != NULL) psst_card_open(app, person != NULL ? person->name : NULL);
}

static void run_add(struct psst_app *app, int n, char **words)
{
    if (psst_command_has_options(n, words))
        psst_child_run(app, words);
    else
        psst_add_open(app, n > 1 ? words[1] : NULL);
}

static void run_verify(struct psst_app *app, int n, char **words)
{
    if (psst_command_has_options(n, words)) n = 1;
    const struct psst_person *person = psst_command_whom(app, n, words, 1);
    if (person != NULL) psst_verify_open(app, person->name);
}

static void run_msg(struct psst_app *app, int n, char **words)
{
    if (n < 3) {
        psst_app_error(app, "/%s NAME TEXT", words[0]);
        return;
    }
    const struct psst_person *person = psst_command_whom(app, n, words, 1);
    if (person == NULL) return;
    psst_app_say_to(app, person->name, psst_view_str(words[2]));
    if (app->open == NULL || strcmp(app->open, person->name) != 0) psst_app_say(app, "said to %s", person->name);
}

static void run_open(struct psst_app *app, int n, char **words)
{
    const struct psst_person *person = n > 1 ? psst_command_whom(app, n, words, 1) : NULL;
    if (n == 1) psst_app_error(app, "/%s NAME", words[0]);
    if (person == NULL) return;
    app->closed = false;
    psst_app_open(app, person->name);
}

static void run_close(struct psst_app *app, int n, char **words)
{
    (void)n;
    (void)words;
    app->closed = true;
    psst_app_open(app, NULL);
}

static void run_search(struct psst_app *app, int n, char **words)
{
    if (n > 1)
        psst_search_open(app, words[1]);
    else
        psst_app_error(app, "/search WORDS, \"some words in a row\" or begin*");
}

static void run_unlock(struct psst_app *app, int n, char **words)
{
    (void)n;
    (void)words;
    if (psst_model_self(app->model)->locked)
        psst_unlock_open(app);
    else
        psst_app_say(app, "your key is unlocked");
}

/* ---- how one shows oneself ---- */

static void shown_as(void *ctx, json_t *result, const struct psst_failure *failure)
{
    const char *state = json_string_value(json_object_get(result, "state"));
    const char *text = json_string_value(json_object_get(result, "text"));
    (void)failure;
    if (result == NULL || state == NULL) return;
    bool words = text != NULL && text[0] != '\0';
    psst_app_say(ctx, "to everybody you are %s%s%s", state, words ? ": " : "", words ? text : "");
}

static void run_presence(struct psst_app *app, int n, char **words)
{
    const char *state = strcmp(words[0], "back") == 0 ? "online" : words[0];
    json_t *text = psst_rpc_text(n > 1 ? words[1] : "");
    psst_app_request(app, "presence", json_pack("{s:s,s:o}", "state", state, "text", text), NULL, 0, shown_as, app);
}

/* ---- settings ---- */

static void told_setting(void *ctx, json_t *result, const struct psst_failure *failure)
{
    const char *value = json_string_value(json_object_get(result, "value"));
    (void)failure;
    if (result == NULL) return;
    if (value != NULL && value[0] != '\0')
        psst_app_say(ctx, "now: %s", value);
    else
        psst_app_say(ctx, "now: nothing");
}

static void told_mouse(void *ctx, json_t *result, const struct psst_failure *failure)
{
    const char *value = json_string_value(json_object_get(result, "value"));
    if (value != NULL) psst_screen_mouse(strcmp(value, "yes") == 0);
    told_setting(ctx, result, failure);
}

static void run_set(struct psst_app *app, int n, char **words)
{
    char value[VALUE_MAX] = "";
    if (n < 3) {
        psst_child_run(app, words);
        return;
    }
    for (int i = 2; i < n; i++) {
        size_t len = strlen(value);
        (void)snprintf(value + len, sizeof value - len, "%s%s", i > 2 ? " " : "", words[i]);
    }
    if (strlen(value) + 1 == sizeof value) {
        psst_app_error(app, "that is too long for a setting");
        return;
    }
    json_t *params = json_pack("{s:o}", "key", psst_rpc_text(words[1]));
    (void)json_object_set_new(params, "value", value[0] != '\0' ? psst_rpc_text(value) : json_null());
    psst_app_request(app, "set", params, NULL, 0, strcmp(words[1], "mouse") == 0 ? told_mouse : told_setting, app);
}

/* ---- the screen ---- */

static void run_clear(struct psst_app *app, int n, char **words)
{
    (void)n;
    (void)words;
    psst_screen_redraw();
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

static void run_bare(struct psst_app *app, int n, char **words)
{
    (void)n;
    (void)words;
    psst_view_bare(app);
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

static void run_top(struct psst_app *app, int n, char **words)
{
    (void)n;
    (void)words;
    psst_app_scroll_to(app, -1);
}

static void run_bottom(struct psst_app *app, int n, char **words)
{
    (void)n;
    (void)words;
    psst_app_scroll_to(app, 0);
}

/* A text of several lines that was pasted may begin so, and is not meant. */
static void run_quit(struct psst_app *app, int n, char **words)
{
    (void)words;
    if (n > 1)
        psst_app_error(app, "/quit stands alone; with two slashes it is said as text");
    else
        psst_app_quit(app);
}

#define CALLS_LAST "A call ends when you leave psst: nobody is left alone with an open microphone.\n"

/* In the order of the help. */
const struct psst_command psst_commands[] = {
    {"help", "help [COMMAND]", "keys and commands, or all about one",
     "F1 shows the same. A command may be shortened as long as only one begins so.\n", PSST_WORD_COMMAND, run_help, 0},
    {"open", "open NAME", "go to a contact", "The name may be shortened as long as only one contact's begins so.\n",
     PSST_WORD_CONTACT, run_open, 0},
    {"query", "query NAME", "go to a contact", "The same as /open.\n", PSST_WORD_CONTACT, run_open, 0},
    {"close", "close", "nobody is open", "The session and what was written stay.\n", PSST_WORD_NONE, run_close, 0},
    {"msg", "msg NAME TEXT...", "say something, without going there",
     "All that stands behind the name is the text, as it is written. It is stored first,\n"
     "so it is never lost: it goes at once when there is a session or one can be had,\n"
     "else at the next session.\n",
     PSST_WORD_CONTACT, run_msg, 2},
    {"say", "say NAME TEXT...", "say something, without going there", "The same as /msg.\n", PSST_WORD_CONTACT, run_msg,
     2},
    {"search", "search WORDS...", "find what was said",
     "In the conversation that is open, else with everybody. All the words must be in a\n"
     "message; \"two words\" that follow each other; a star at the end of a word:\n"
     "whatever begins so. Enter goes to the message that was found.\n",
     PSST_WORD_NONE, run_search, 1},
    {"why", "why [NAME]", "why things are as they are with a contact",
     "In session or not, and why; what waits, and for what; whether you can be reached;\n"
     "how safe the line is, and what would make it safer.\n",
     PSST_WORD_CONTACT, psst_run_why, 0},
    {"card", "card [NAME]", "your card, to hand over", NULL, PSST_WORD_CONTACT, run_card, 0},
    {"add", "add [CARD]", NULL, NULL, PSST_WORD_PATH, run_add, 0},
    {"verify", "verify [NAME]", NULL, NULL, PSST_WORD_CONTACT, run_verify, 0},
    {"dial", "dial [NAME] [HOST[:PORT]]", NULL, NULL, PSST_WORD_CONTACT, psst_run_dial, 0},
    {"hangup", "hangup [NAME]", "end the call, else the session",
     "The other side is told. With a call under way it ends the call, and the session\n"
     "stays; without one it ends the session, and its keys are erased at once. Within\n"
     "5 seconds of the end of a call it only says that; once more ends the session.\n",
     PSST_WORD_CONTACT, psst_run_hangup, 0},
    {"call", "call [NAME] [--message]", NULL,
     "Dials when there is no session, and rings over there. Your microphone opens when\n"
     "the other side answers. With --message it leaves a voice message instead.\n" CALLS_LAST,
     PSST_WORD_CONTACT, psst_run_call, 0},
    {"answer", "answer [NAME]", NULL,
     "Opens your microphone. NAME may be left out when just one call rings, and rang\n"
     "already when you began to write.\n" CALLS_LAST,
     PSST_WORD_CONTACT, psst_run_answer, 0},
    {"decline", "decline [ID]\ndecline NAME", "refuse a call that rings, or a file",
     "Without a word: the call that rings, else the only file that is offered, if it\n"
     "stood on the screen when you began to write. What begins with a digit is the\n"
     "number of a file, anything else the name of a contact who calls. The other side\n"
     "is told.\n",
     PSST_WORD_FILE_ID, psst_run_decline, 0},
    {"mute", NULL, NULL,
     "The other side hears silence; what leaves your machine looks the same. Without a\n"
     "word it is turned over.\n",
     PSST_WORD_ON_OFF, psst_run_switch, 0},
    {"receive", NULL, NULL,
     "With off nothing is played, and the other side is told that you do not listen.\n"
     "Without a word it is turned over.\n",
     PSST_WORD_ON_OFF, psst_run_switch, 0},
    {"ptt", NULL, NULL,
     "With on the microphone goes out although it is muted, until off. Without a word it\n"
     "is turned over. /set push_to_talk yes begins calls muted.\n",
     PSST_WORD_ON_OFF, psst_run_switch, 0},
    {"sense", NULL, NULL, NULL, PSST_WORD_NONE, psst_run_number, 0},
    {"quality", NULL, NULL, NULL, PSST_WORD_NONE, psst_run_number, 0},
    {"volume", NULL, NULL, NULL, PSST_WORD_NONE, psst_run_number, 0},
    {"play", "play [ID]", NULL,
     "Without a number the first voice message of who is open that was not heard yet.\n"
     "/stop ends it. It is decoded in a process that can do nothing else.\n",
     PSST_WORD_FILE_ID, psst_run_play, 0},
    {"stop", "stop", "end what is played, recorded, or at work",
     "Ends a voice message that is played or recorded, and programs that were begun\n"
     "here and still run, such as /log -f.\n",
     PSST_WORD_NONE, psst_run_stop, 0},
    {"file", "file PATH...", "offer files and folders to who is open", NULL, PSST_WORD_PATH, psst_run_file, 0},
    {"accept", "accept [ID...]\naccept ID -o DIR|FILE", NULL,
     "Without a number the only one that is offered, if it stood on the screen when you\n"
     "began to write. It comes into the download directory, under a name that is free;\n"
     "nothing is ever overwritten. With -o into DIR, or as FILE, which must not be there\n"
     "yet.\n",
     PSST_WORD_FILE_ID, psst_run_accept, 0},
    {"cancel", "cancel [ID...]", NULL, NULL, PSST_WORD_FILE_ID, psst_run_cancel, 0},
    {"away", "away [TEXT...]", "show yourself as away",
     "Contacts in session see it, with up to 140 bytes of text. /back takes it back;\n"
     "/presence does more.\n",
     PSST_WORD_NONE, run_presence, 1},
    {"busy", "busy [TEXT...]", "show yourself as busy: no bell rings", "As /away.\n", PSST_WORD_NONE, run_presence, 1},
    {"back", "back", "show yourself as online", NULL, PSST_WORD_NONE, run_presence, 1},
    {"unlock", "unlock", NULL, NULL, PSST_WORD_NONE, run_unlock, 0},
    {"set", NULL, NULL, NULL, PSST_WORD_NONE, run_set, 0},
    {"bare", "bare", "the messages alone, to be copied",
     "Without frame, times and names, so that the mouse selects text and links alone.\n"
     "Any key comes back.\n",
     PSST_WORD_NONE, run_bare, 0},
    {"top", "top", "the very first message", NULL, PSST_WORD_NONE, run_top, 0},
    {"bottom", "bottom", "the newest message", NULL, PSST_WORD_NONE, run_bottom, 0},
    {"clear", "clear", "draw all anew", NULL, PSST_WORD_NONE, run_clear, 0},
    {"quit", "quit", "leave; psstd and the sessions go on",
     "What is written and not sent is lost, a call ends. /down ends psstd, too.\n", PSST_WORD_NONE, run_quit, 0},
};
const size_t psst_commands_count = sizeof psst_commands / sizeof psst_commands[0];
