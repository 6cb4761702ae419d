/* psst say: one message, stored, and delivered now or at the next session. */
#include "cli/cli.h"
#include "client/out.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX     65474
#define WAIT_MAX_S   604800 /* a week */
#define EARLY_EVENTS 64

/* ---- what is said ---- */

static void from_words(struct psst_buf *text, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        if (i > 0) psst_buf_put_u8(text, ' ');
        psst_buf_put_str(text, words[i]);
    }
}

/* Up to the end; the line feed that a shell's tools put last is no part of the message. */
static void from_stdin(struct psst_buf *text)
{
    for (;;) {
        uint8_t bytes[8192];
        ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        psst_buf_put(text, bytes, (size_t)n);
        if (text->failed) return;
    }
    if (text->len > 0 && text->data[text->len - 1] == '\n') text->len--;
}

/* 0, or the exit code, said. */
static int check(const struct psst_buf *text)
{
    if (text->failed || text->len > TEXT_MAX)
        return psst_cli_error(PSST_EXIT_FAILED,
                              "a message has at most %d bytes: send a longer text as a file, psst send", TEXT_MAX);
    if (text->len == 0) return psst_cli_error(PSST_EXIT_FAILED, "the message is empty");
    if (!psst_text_valid(psst_buf_view(text)))
        return psst_cli_error(PSST_EXIT_FAILED, "the message is no text in UTF-8: send it as a file, psst send");
    return PSST_EXIT_DONE;
}

/* ---- waiting for its delivery ---- */

struct wait {
    char id[40]; /* empty: not known yet, states are remembered */
    json_t *early;
    char state[16], reason[200];
    bool told; /* that it waits, and why */
};

static void note_state(struct wait *wait, const json_t *params)
{
    if (strcmp(psst_out_string(params, "id"), wait->id) != 0) return;
    (void)snprintf(wait->state, sizeof wait->state, "%s", psst_out_string(params, "state"));
    (void)snprintf(wait->reason, sizeof wait->reason, "%.190s", psst_out_string(params, "reason"));
    bool open = strcmp(wait->state, "waiting") == 0 || strcmp(wait->state, "sent") == 0;
    bool news = open && wait->reason[0] != '\0' && !wait->told;
    if (news) (void)fprintf(stderr, "psst: %s\n", psst_out_text(wait->reason, 200));
    wait->told |= news;
}

static void on_event(void *ctx, const char *event, json_t *params)
{
    struct wait *wait = ctx;
    if (strcmp(event, "message.state") != 0) return;
    if (wait->id[0] != '\0')
        note_state(wait, params);
    else if (json_array_size(wait->early) < EARLY_EVENTS)
        (void)json_array_append(wait->early, params);
}

static int wait_until_settled(struct psst_cli *cli, struct wait *wait, long long seconds, const char *name)
{
    uint64_t deadline = psst_client_now_ms() + (uint64_t)seconds * 1000;
    for (size_t i = 0; i < json_array_size(wait->early); i++) note_state(wait, json_array_get(wait->early, i));
    for (;;) {
        if (strcmp(wait->state, "delivered") == 0 || strcmp(wait->state, "read") == 0) {
            (void)printf("delivered\n");
            return PSST_EXIT_DONE;
        }
        if (strcmp(wait->state, "refused") == 0)
            return psst_cli_error(PSST_EXIT_REFUSED, "%s did not accept it: %s", name, wait->reason);
        if (strcmp(wait->state, "recalled") == 0)
            return psst_cli_error(PSST_EXIT_FAILED, "it was taken back before it was sent");
        uint64_t now = psst_client_now_ms();
        if (now >= deadline)
            return psst_cli_error(PSST_EXIT_UNREACHABLE, "not delivered within %lld s: it waits for the next session",
                                  seconds);
        if (psst_client_wait(cli->client, (int)(deadline - now)) == PSST_ERR_IO)
            return psst_cli_error(PSST_EXIT_LOCKED, "psstd has ended; the message waits for the next session");
    }
}

static int say(struct psst_cli *cli, const char *name, const struct psst_buf *text, long long seconds)
{
    struct wait wait = {.early = json_array()};
    int code = PSST_EXIT_DONE;
    json_t *said = NULL;
    if (seconds > 0) {
        /* subscribed first: the delivery may be quicker than the answer */
        json_t *events = json_pack("{s:[s]}", "events", "message.state");
        json_t *subscribed = psst_cli_call(cli, "subscribe", events, &code);
        if (subscribed == NULL) goto out;
        json_decref(subscribed);
        psst_client_on_event(cli->client, on_event, &wait);
    }
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "text", json_stringn((const char *)text->data, text->len));
    said = psst_cli_call(cli, "say", params, &code);
    if (said == NULL) goto out;
    (void)snprintf(wait.id, sizeof wait.id, "%s", psst_out_string(said, "id"));
    if (seconds > 0)
        code = wait_until_settled(cli, &wait, seconds, name);
    else
        (void)printf(strcmp(psst_out_string(said, "state"), "sent") == 0
                         ? "stored; it is on its way\n"
                         : "stored; it goes now, or at the next session\n");
out:
    if (cli->client != NULL) psst_client_on_event(cli->client, NULL, NULL);
    json_decref(said);
    json_decref(wait.early);
    return code;
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"wait", required_argument, NULL, 'w'}, {NULL, 0, NULL, 0}};
    const char *name = NULL;
    long long seconds = 0;
    /* options stand before or right behind the name; the text is taken as it is */
    for (;;) {
        int opt = getopt_long(argc, argv, "+:w:", table, NULL);
        if (opt == 'w') {
            if (!psst_cli_number(optarg, 1, WAIT_MAX_S, &seconds))
                return psst_cli_usage(cli, "--wait takes seconds, at least 1");
        } else if (opt != -1) {
            return psst_cli_bad_option(cli, argv);
        } else if (name == NULL && optind < argc) {
            name = argv[optind++];
            if (optind < argc && strcmp(argv[optind - 2], "--") == 0) break;
        } else {
            break;
        }
    }
    if (name == NULL || optind >= argc) return psst_cli_usage(cli, "to whom, and what?");
    struct psst_buf text;
    psst_buf_init(&text, (size_t)4 * TEXT_MAX);
    if (argc - optind == 1 && strcmp(argv[optind], "-") == 0)
        from_stdin(&text);
    else
        from_words(&text, argv + optind, argc - optind);
    int code = check(&text);
    if (code == PSST_EXIT_DONE) code = say(cli, name, &text, seconds);
    psst_buf_fini(&text);
    return code;
}

const struct psst_verb psst_verb_say = {
    "say",
    "say NAME [--wait S] TEXT...|-",
    "say something to a contact",
    "The words, joined by blanks, are one message; - reads it from standard input, up\n"
    "to its end. It is stored first, so it is never lost: it goes at once when there\n"
    "is a session or one can be had, else at the next session. At most 65,474 bytes.\n"
    "\n"
    "  --wait S   wait up to S seconds until the other side has it: exit code 0, else\n"
    "             5; 6 when the other side does not accept it\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run,
};
