/* psst chat: a plain conversation, line by line. Standard input and the socket are polled together; what is typed is
 * sent as it comes, in order.
 *
 *   a line -> request "say" -> answer (seq) -> event message.state -> settled
 *   event message -> gutter -> shown
 */
#include "cli/bar.h"
#include "cli/cli.h"
#include "cli/event_note.h"
#include "cli/gutter.h"
#include "cli/history.h"
#include "client/call_words.h"

#include <errno.h>
#include <poll.h>
#include <strings.h>
#include <unistd.h>

#define HISTORY     10
#define TEXT_MAX    65474
#define FINISH_MS   10000 /* at the end of a script: how long its messages may take */
#define OWN_MAX     1024  /* messages said here that are not settled yet */
#define ID_SIZE     33
#define IN_FLIGHT   32 /* unanswered requests: then no more is read */
#define IDLE_PAUSED (-1)
#define TOGETHER_MS 50 /* nobody types two lines so fast: they were pasted */

struct chat {
    struct psst_cli *cli;
    const char *name;
    struct psst_gutter gutter;
    struct psst_shown shown;
    struct psst_buf input;
    bool typed; /* a person types: the terminal shows his lines already */
    bool ended; /* no more input */
    bool gone;  /* psstd is */
    bool online;
    bool pasted; /* the last line of the terminal came together with others */
    bool more;   /* ... of which some were still to be read */
    uint64_t line_ms;
    bool calls; /* a call that was begun or taken here runs, or is to: it ends with the chat */
    long long call_id;
    char call_state[16];
    unsigned in_flight, unsettled, refused, failed;
    char own[OWN_MAX][ID_SIZE];
    size_t n_own;
};

/* ---- what comes ---- */

/* Its place among our own that are not settled; n_own: it is none. */
static size_t find_own(const struct chat *chat, const char *id)
{
    size_t at = 0;
    while (at < chat->n_own && strcmp(chat->own[at], id) != 0) at++;
    return at;
}

static void settle(struct chat *chat, const char *id)
{
    size_t at = find_own(chat, id);
    if (at == chat->n_own) return;
    memmove(chat->own[at], chat->own[--chat->n_own], ID_SIZE);
    if (chat->unsettled > 0) chat->unsettled--;
}

static void on_message(struct chat *chat, const json_t *message)
{
    bool out = strcmp(psst_out_string(message, "direction"), "out") == 0;
    bool own = chat->in_flight > 0 || find_own(chat, psst_out_string(message, "id")) < chat->n_own;
    if (out && own && chat->typed) return; /* on the screen already */
    psst_gutter_message(&chat->gutter, message);
    psst_shown_note(&chat->shown, message);
}

static void on_state(struct chat *chat, const json_t *params)
{
    const char *state = psst_out_string(params, "state"), *reason = psst_out_string(params, "reason");
    if (strcmp(state, "refused") == 0) {
        psst_gutter_note(&chat->gutter, "not accepted: %s", reason);
        chat->refused++;
    } else if (strcmp(state, "waiting") == 0 || strcmp(state, "sent") == 0) {
        if (reason[0] == '\0') return;                 /* it is on its way */
        psst_gutter_note(&chat->gutter, "%s", reason); /* it stays, and goes some day */
    } else if (strcmp(state, "recalled") == 0) {
        psst_gutter_note(&chat->gutter, "a message was taken back before it was sent");
    }
    settle(chat, psst_out_string(params, "id"));
}

static void on_session(struct chat *chat, const json_t *params)
{
    const char *reason = psst_out_string(params, "reason");
    bool up = strcmp(psst_out_string(params, "state"), "up") == 0;
    if (up && !chat->online)
        psst_gutter_note(&chat->gutter, "in session with %s at %s", psst_out_string(params, "contact"),
                         psst_out_string(params, "address"));
    else if (!up)
        psst_gutter_note(&chat->gutter, "%s", reason[0] != '\0' ? reason : "the session has ended");
    chat->online = up;
}

/* A call is told of whoever calls; only what comes of it belongs to the one conversation. */
static void on_call(struct chat *chat, const json_t *params)
{
    bool ours = strcasecmp(psst_out_string(params, "name"), chat->name) == 0;
    bool ended = strcmp(psst_out_string(params, "state"), "ended") == 0;
    bool changed =
        psst_out_int(params, "id") != chat->call_id || strcmp(psst_out_string(params, "state"), chat->call_state) != 0;
    if (!ours && strcmp(psst_out_string(params, "state"), "offered") != 0) return;
    if (ours && ended) chat->calls = false;
    if (!changed) return; /* the way, or who listens: psst call shows that */
    chat->call_id = psst_out_int(params, "id");
    (void)snprintf(chat->call_state, sizeof chat->call_state, "%s", psst_out_string(params, "state"));
    psst_event_note_call(&chat->gutter, params, chat->typed);
    if (ours && strcmp(chat->call_state, "offered") == 0) psst_gutter_note(&chat->gutter, "/answer or /decline");
}

static void on_file(struct chat *chat, const json_t *params)
{
    char words[PSST_CALL_WORDS];
    long long id = psst_out_int(params, "id");
    bool comes = strcmp(psst_out_string(params, "direction"), "in") == 0;
    if (comes && strcmp(psst_out_string(params, "state"), "done") == 0 && psst_voice_words(words, params)[0] != '\0')
        psst_gutter_note(&chat->gutter, "%s: psst play %lld", words, id);
    else if (psst_file_is_offer(params))
        psst_gutter_note(&chat->gutter, "%s %lld is offered: %s (psst accept %lld)", psst_file_word(params), id,
                         psst_out_string(params, "name"), id);
}

static void on_event(void *ctx, const char *event, json_t *params)
{
    struct chat *chat = ctx;
    if (strcmp(event, "call") == 0) {
        on_call(chat, params);
        return;
    }
    if (strcasecmp(psst_out_string(params, "contact"), chat->name) != 0) return;
    if (psst_event_note(&chat->gutter, event, params)) return;
    if (strcmp(event, "message") == 0)
        on_message(chat, params);
    else if (strcmp(event, "message.state") == 0)
        on_state(chat, params);
    else if (strcmp(event, "session") == 0)
        on_session(chat, params);
    else if (strcmp(event, "file") == 0)
        on_file(chat, params);
}

/* ---- what goes ---- */

static void said(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct chat *chat = ctx;
    chat->in_flight--;
    if (result == NULL) {
        chat->failed++;
        if (chat->unsettled > 0) chat->unsettled--;
        psst_gutter_note(&chat->gutter, "not said: %s", failure->words);
        return;
    }
    if (chat->n_own < OWN_MAX)
        (void)snprintf(chat->own[chat->n_own++], ID_SIZE, "%s", psst_out_string(result, "id"));
    else if (chat->unsettled > 0)
        chat->unsettled--;
    if (chat->typed && !chat->online) psst_gutter_note(&chat->gutter, "it waits for the next session");
}

static void say(struct chat *chat, struct psst_view line)
{
    if (line.len > TEXT_MAX || !psst_text_valid(line)) {
        psst_gutter_note(&chat->gutter, "not said: a message is UTF-8 of at most %d bytes", TEXT_MAX);
        chat->failed++;
        return;
    }
    json_t *params = psst_rpc_name(chat->name);
    (void)json_object_set_new(params, "text", json_stringn((const char *)line.data, line.len));
    chat->in_flight++;
    chat->unsettled++;
    if (psst_client_request(chat->cli->client, "say", params, NULL, 0, said, chat) == PSST_OK) return;
    chat->in_flight--;
    chat->failed++;
    chat->gone = true;
}

/* ---- calls ---- */

static const struct command {
    const char *line, *method;
    const char *key; /* voice.set: what is set to value */
    bool value;
} commands[] = {
    {"/call", "call", NULL, false},        {"/answer", "answer", NULL, false},
    {"/decline", "decline", NULL, false},  {"/hangup", "call.hangup", NULL, false},
    {"/mute", "voice.set", "send", false}, {"/unmute", "voice.set", "send", true},
};

static void commanded(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct chat *chat = ctx;
    chat->in_flight--;
    if (result == NULL) psst_gutter_note(&chat->gutter, "%s", failure->words);
    if (result != NULL && json_object_get(result, "microphone_works") != NULL)
        psst_gutter_note(&chat->gutter, "the microphone is %s", psst_out_bool(result, "send") ? "open" : "closed");
}

/* True: the line was one of these, and not something to be said. */
static bool take_command(struct chat *chat, struct psst_view line)
{
    const struct command *command = NULL;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (psst_view_equal(line, psst_view_str(commands[i].line))) command = &commands[i];
    if (command == NULL) return false;
    if (chat->pasted) {
        psst_gutter_note(&chat->gutter, "%s was pasted with other lines, and is said", command->line);
        return false;
    }
    json_t *params =
        command->key != NULL ? json_pack("{s:b}", command->key, command->value) : psst_rpc_name(chat->name);
    chat->in_flight++;
    if (strcmp(command->method, "call") == 0 || strcmp(command->method, "answer") == 0) chat->calls = true;
    if (psst_client_request(chat->cli->client, command->method, params, NULL, 0, commanded, chat) != PSST_OK) {
        chat->in_flight--;
        chat->gone = true;
    }
    return true;
}

/* Whole lines of the input; at its end also the last one that has no line feed. */
static void take_lines(struct chat *chat)
{
    while (chat->input.len > 0 && chat->in_flight < IN_FLIGHT && !chat->gone) {
        const uint8_t *lf = memchr(chat->input.data, '\n', chat->input.len);
        if (lf == NULL && !chat->ended) return;
        size_t len = lf != NULL ? (size_t)(lf - chat->input.data) : chat->input.len;
        struct psst_view line = psst_view(chat->input.data, len);
        if (!chat->pasted && psst_view_equal(line, psst_view_str("/quit"))) {
            chat->ended = true;
            psst_buf_consume(&chat->input, chat->input.len);
            return;
        }
        if (len > 0 && !take_command(chat, line)) say(chat, line);
        psst_buf_consume(&chat->input, lf != NULL ? len + 1 : len);
    }
}

/* A terminal gives line by line, also of what was pasted: what comes at once with other lines is text, whatever it says. The last
 * of them may be read long after the one before, when there is much that psstd has not answered yet. */
static void note_paste(struct chat *chat)
{
    struct pollfd next = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t now_ms = psst_client_now_ms();
    bool follows = chat->more || (chat->line_ms > 0 && now_ms - chat->line_ms < TOGETHER_MS);
    chat->more = poll(&next, 1, 0) > 0;
    chat->pasted = chat->more || follows;
    chat->line_ms = now_ms;
}

static void read_input(struct chat *chat)
{
    uint8_t bytes[16384];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n > 0) psst_buf_put(&chat->input, bytes, (size_t)n);
    if (n > 0 && chat->typed) note_paste(chat);
    if (n <= 0 || chat->input.failed) chat->ended = true;
    take_lines(chat);
}

/* ---- the conversation ---- */

static void converse(struct chat *chat)
{
    uint64_t deadline = 0;
    while (!chat->gone && !ferror(stdout)) {
        bool all_read = chat->ended && chat->input.len == 0;
        if (all_read && chat->in_flight == 0 && (chat->typed || chat->unsettled == 0)) return;
        if (all_read && deadline == 0) deadline = psst_client_now_ms() + FINISH_MS;
        uint64_t now = psst_client_now_ms();
        if (all_read && now >= deadline) return;
        bool reads = !chat->ended && chat->in_flight < IN_FLIGHT;
        struct pollfd fds[2] = {{.fd = psst_client_fd(chat->cli->client), .events = POLLIN},
                                {.fd = reads ? STDIN_FILENO : IDLE_PAUSED, .events = POLLIN}};
        if (psst_client_wants_write(chat->cli->client)) fds[0].events |= POLLOUT;
        if (poll(fds, 2, all_read ? (int)(deadline - now) : -1) < 0 && errno != EINTR) return;
        if (fds[0].revents != 0 && psst_client_turn(chat->cli->client) != PSST_OK) chat->gone = true;
        if (fds[1].revents != 0 && reads) read_input(chat);
        take_lines(chat);
        if (!chat->gone && !psst_shown_mark(chat->cli, chat->name, &chat->shown)) chat->gone = true;
    }
}

static void dialled(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct chat *chat = ctx;
    if (result == NULL && !chat->ended)
        psst_gutter_note(&chat->gutter, "%s; what you say waits for the next session", failure->words);
}

/* What was said last, whether he is there, and a call when he is not. */
static int begin(struct chat *chat)
{
    int code = PSST_EXIT_DONE;
    json_t *events = json_pack("{s:[s,s,s,s,s,s,s]}", "events", "message", "message.state", "session", "file",
                               "presence", "meet", "call"); /* all but the levels of calls */
    json_t *result = psst_cli_call(chat->cli, "subscribe", events, &code);
    json_decref(result);
    json_t *history = result != NULL ? psst_history_last(chat->cli, chat->name, HISTORY, &code) : NULL;
    if (history == NULL) return code;
    for (size_t i = 0; chat->typed && i < json_array_size(history); i++) {
        psst_gutter_message(&chat->gutter, json_array_get(history, i));
        psst_shown_note(&chat->shown, json_array_get(history, i));
    }
    json_decref(history);
    json_t *contacts = psst_cli_call(chat->cli, "contacts", psst_rpc_name(chat->name), &code);
    const json_t *list = json_object_get(contacts, "contacts");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *contact = json_array_get(list, i);
        if (strcasecmp(psst_out_string(contact, "name"), chat->name) == 0)
            chat->online = psst_out_bool(contact, "online");
    }
    if (contacts == NULL) return code;
    json_decref(contacts);
    if (chat->typed)
        psst_gutter_note(&chat->gutter, "%s; /quit ends the chat",
                         chat->online ? "in session" : "no session yet, dialling");
    if (chat->typed) psst_event_note_missed(chat->cli, &chat->gutter, chat->name);
    if (chat->typed) psst_event_note_meets(chat->cli, &chat->gutter, chat->name);
    psst_client_on_event(chat->cli->client, on_event, chat);
    if (!chat->online &&
        psst_client_request(chat->cli->client, "dial", psst_rpc_name(chat->name), NULL, 0, dialled, chat) != PSST_OK)
        chat->gone = true;
    return PSST_EXIT_DONE;
}

static int result_of(const struct chat *chat)
{
    if (chat->gone) return psst_cli_error(PSST_EXIT_LOCKED, "psstd has ended");
    if (chat->failed > 0) return PSST_EXIT_FAILED;
    if (chat->refused > 0) return PSST_EXIT_REFUSED;
    if (chat->typed || chat->unsettled == 0) return PSST_EXIT_DONE;
    return psst_cli_error(PSST_EXIT_UNREACHABLE, "%u not delivered yet: they wait for the next session",
                          chat->unsettled);
}

/* Nobody would see any more that the microphone is open. */
static void end_call(struct chat *chat)
{
    struct psst_failure failure;
    json_decref(psst_cli_try(chat->cli, "call.hangup", psst_rpc_name(chat->name), &failure));
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    static struct chat chat; /* large for a stack */
    int code = PSST_EXIT_DONE;
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    chat = (struct chat){.cli = cli, .name = argv[optind], .typed = isatty(STDIN_FILENO) != 0};
    psst_buf_init(&chat.input, 1 << 20);
    psst_gutter_init(&chat.gutter, stdout, chat.name);
    code = begin(&chat);
    if (code == PSST_EXIT_DONE) {
        converse(&chat);
        if (chat.calls && !chat.gone) end_call(&chat);
        code = result_of(&chat);
    }
    if (cli->client != NULL) psst_client_on_event(cli->client, NULL, NULL);
    psst_buf_fini(&chat.input);
    return code;
}

const struct psst_verb psst_verb_chat = {
    "chat",
    "chat NAME",
    "a conversation, line by line",
    "Dials the contact, shows what is said, and sends each line that you type. /quit\n"
    "or the end of the input (Ctrl-D) ends the chat; the session stays. What is said\n"
    "while there is no session waits for the next one. From a script it sends all\n"
    "lines, and ends when they are delivered, or after 10 seconds with exit code 5.\n"
    "\n"
    "/call, /answer, /decline, /hangup, /mute and /unmute, each alone on its line, do\n"
    "what the verbs do; a call ends with the chat. Other lines that begin with a\n"
    "slash are said as they are, and so is whatever is pasted with other lines.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_NOT,
    run,
};
