/* psst history, psst forget: what is kept of what was said, and for how long. */
#include "cli/cli.h"
#include "cli/prompt.h"
#include "client/out.h"
#include "client/past.h"

#define DAYS_MAX 36500

/* ---- history ---- */

static void say_kept(const json_t *contact)
{
    const char *name = psst_out_string(contact, "name");
    long long days = psst_out_int(contact, "keep_days");
    if (!psst_out_bool(contact, "history"))
        (void)printf("no text is kept of what is said with %s\n", name);
    else if (days == 0)
        (void)printf("messages with %s are kept\n", name);
    else
        (void)printf("messages with %s are kept for %lld day%s\n", name, days, days == 1 ? "" : "s");
}

static int show_kept(struct psst_cli *cli, const char *name)
{
    int code = PSST_EXIT_DONE;
    json_t *result = psst_cli_call(cli, "contacts", psst_rpc_name(name), &code);
    const json_t *contact = json_array_get(json_object_get(result, "contacts"), 0);
    if (contact != NULL) say_kept(contact);
    json_decref(result);
    return code;
}

static int run_history(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    int code = PSST_EXIT_DONE;
    long long days = 0;
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 1, 2, &code)) return code;
    const char *name = argv[optind], *word = argv[optind + 1];
    if (word == NULL) return show_kept(cli, name);
    bool off = strcmp(word, "none") == 0 || strcmp(word, "off") == 0;
    bool on = strcmp(word, "forever") == 0 || strcmp(word, "on") == 0;
    if (!off && !on && !psst_cli_number(word, 1, DAYS_MAX, &days))
        return psst_cli_usage(cli, "forever, none, or a number of days?");
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "keep", json_boolean(!off));
    (void)json_object_set_new(params, "days", json_integer(days));
    json_t *contact = psst_cli_call(cli, "contact.history", params, &code);
    if (contact != NULL) say_kept(contact);
    json_decref(contact);
    return code;
}

const struct psst_verb psst_verb_history = {
    "history",
    "history NAME [forever|none|DAYS]",
    "for how long messages with a contact are kept",
    "forever (or on) is how it begins. With a number of days, the text of a message\n"
    "is erased when it has been stored for so long; with none (or off) as soon as it\n"
    "was delivered, or shown to you. What waits to be delivered, or is still new, is\n"
    "kept until then. What is to go goes at once, from the search as well, and is\n"
    "written over. For 30 days a line stays that says that there was a message; that\n"
    "there was one is known as long as the contact is, so that it is never shown\n"
    "twice. Without a second word: what holds now.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_history,
};

/* ---- forget ---- */

static int forget(struct psst_cli *cli, const char *name, long long before_ms)
{
    int code = PSST_EXIT_DONE;
    json_t *params = psst_rpc_name(name);
    if (before_ms > 0) (void)json_object_set_new(params, "before_ms", json_integer(before_ms));
    json_t *contact = psst_cli_call(cli, "contact.forget", params, &code);
    if (contact != NULL) {
        long long unread = psst_out_int(contact, "unread"), waiting = psst_out_int(contact, "waiting");
        (void)printf("forgotten");
        if (unread > 0) (void)printf("; %lld new message%s not", unread, unread == 1 ? " is" : "s are");
        if (waiting > 0)
            (void)printf("; %lld that wait%s to be delivered %s not", waiting, waiting == 1 ? "s" : "",
                         waiting == 1 ? "is" : "are");
        (void)printf("\n");
    }
    json_decref(contact);
    return code;
}

static int run_forget(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {
        {"yes", no_argument, NULL, 'y'}, {"before", required_argument, NULL, 'b'}, {NULL, 0, NULL, 0}};
    bool yes = !psst_prompt_possible();
    int64_t before_ms = 0;
    const char *before = NULL;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":y", table, NULL)) != -1) {
        if (opt == 'b') {
            before = optarg;
        } else if (opt == 'y') {
            yes = true;
        } else {
            return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    const char *why = before != NULL ? psst_past_parse(before, time(NULL), false, &before_ms) : NULL;
    if (why != NULL) return psst_cli_usage(cli, "--before %s: %s", psst_out_text(before, 60), why);
    char question[256], when[64];
    if (before != NULL)
        (void)snprintf(question, sizeof question, "Forget what was said with %s before %s?",
                       psst_out_text(argv[optind], 64), psst_out_time(when, before_ms, "%A, %d %B %Y, %H:%M"));
    else
        (void)snprintf(question, sizeof question, "Forget all that was said with %s?", psst_out_text(argv[optind], 64));
    if (!yes && !psst_prompt_yes(question)) return psst_cli_error(PSST_EXIT_FAILED, "nothing was forgotten");
    return forget(cli, argv[optind], before_ms);
}

const struct psst_verb psst_verb_forget = {
    "forget",
    "forget NAME [--before TIME] [--yes]",
    "erase what was said with a contact",
    "Erases the messages, but for those that wait to be delivered and those that you\n"
    "have not seen. When it has ended they are gone: from the search too, and written\n"
    "over. The contact stays, and knows nothing of it. On a terminal it asks first.\n"
    "\n"
    "  --before TIME   only what was stored here before that: 2026-11-23, today,\n"
    "                  \"2026-11-23 20:15\", 20:15 (today), or 3h, 2d, 1w (ago)\n"
    "  --yes           do not ask\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_ASKS,
    run_forget,
};
