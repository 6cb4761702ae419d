/* psst contacts, remove, block, unblock, rename, address. */
#include "cli/cli.h"
#include "cli/print.h"
#include "cli/prompt.h"
#include "client/presence_words.h"

static const struct option no_options[] = {{NULL, 0, NULL, 0}};

static bool plain_args(const struct psst_cli *cli, int argc, char **argv, int min, int max, int *code)
{
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) {
        *code = psst_cli_bad_option(cli, argv);
        return false;
    }
    return psst_cli_args(cli, argc, min, max, code);
}

/* ---- the list ---- */

static const char *notes(char out[160], const json_t *c)
{
    long long unread = psst_out_int(c, "unread"), waiting = psst_out_int(c, "waiting");
    char news[48] = "", outbox[48] = "";
    const char *paused = psst_out_bool(c, "paused") ? ", paused" : "";
    const char *paused_us = psst_out_bool(c, "paused_us") ? ", has paused you" : "";
    if (unread > 0) (void)snprintf(news, sizeof news, ", %lld new", unread);
    if (waiting > 0) (void)snprintf(outbox, sizeof outbox, ", %lld waiting", waiting);
    char kept[48] = "";
    if (!psst_out_bool(c, "history"))
        (void)snprintf(kept, sizeof kept, ", no history");
    else if (psst_out_int(c, "keep_days") > 0)
        (void)snprintf(kept, sizeof kept, ", history of %lld day%s", psst_out_int(c, "keep_days"),
                       psst_out_int(c, "keep_days") == 1 ? "" : "s");
    const char *reconnect = psst_out_bool(c, "reconnect") ? ", reconnect" : "";
    const char *called = psst_out_bool(c, "redialled") ? ", being dialled" : "";
    (void)snprintf(out, 160, "%s%s%s%s%s%s%s%s%s%s", psst_out_bool(c, "verified") ? "verified" : "not verified",
                   psst_out_bool(c, "blocked") ? ", blocked" : "", paused, paused_us,
                   psst_out_bool(c, "pair_secret") ? ", secret" : "", kept, reconnect, called, news, outbox);
    return out;
}

static void print_table(const json_t *list)
{
    struct psst_table table;
    psst_table_init(&table, 4);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        char key[PSST_SIZE_TEXT], about[160], presence[PSST_PRESENCE_WORDS], said[PSST_PRESENCE_WORDS],
            all[160 + PSST_PRESENCE_WORDS];
        psst_table_add(&table, psst_out_text(json_string_value(json_object_get(c, "name")), 24));
        psst_table_add(&table, psst_presence_words(presence, c));
        psst_table_add(&table, psst_out_key(key, c));
        (void)snprintf(all, sizeof all, "%s%s", notes(about, c), psst_presence_quote(said, c));
        psst_table_add(&table, all);
    }
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
}

/* All of them, page by page, in a new list; NULL: said. */
static json_t *fetch(struct psst_cli *cli, int *code)
{
    json_t *all = json_array(), *params = NULL;
    for (bool more = true, first = true; more && all != NULL; first = false) {
        json_t *result = psst_cli_call(cli, "contacts", params, code);
        json_t *list = json_object_get(result, "contacts");
        size_t n = json_array_size(list);
        more = psst_out_bool(result, "more") && n > 0;
        if (result == NULL || json_array_extend(all, list) != 0) {
            json_decref(all);
            all = NULL;
        }
        if (result != NULL && first) psst_cli_warn_damaged(result);
        const char *last = more ? json_string_value(json_object_get(json_array_get(list, n - 1), "name")) : NULL;
        params = last != NULL ? json_pack("{s:s}", "after", last) : NULL;
        json_decref(result);
    }
    json_decref(params);
    return all;
}

static int run_contacts(struct psst_cli *cli, int argc, char **argv)
{
    bool as_json;
    int code = PSST_EXIT_DONE;
    if (!psst_cli_json_only(cli, argc, argv, &as_json, &code)) return code;
    json_t *list = fetch(cli, &code);
    if (list == NULL) return code;
    if (as_json)
        psst_out_json_list(list);
    else if (json_array_size(list) == 0)
        (void)printf("no contacts yet: psst add CARD\n");
    else
        print_table(list);
    json_decref(list);
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_contacts = {
    "contacts",
    "contacts [--json]",
    "whom you know, and how things stand",
    "One line for each contact: your name for them, whether a session stands and how\n"
    "they show themselves, the size of their key, whether you compared the safety\n"
    "number, new and waiting messages, and last, in quotes, what they say of their\n"
    "presence.\n"
    "\n"
    "  --json   a list of objects: name, fingerprint, bits, weak, addresses,\n"
    "           verified, blocked, paused, paused_us (you, by the contact), history,\n"
    "           pair_secret, reconnect (dialled whenever there is no session),\n"
    "           redialled (is dialled just now), online, unread, waiting, presence,\n"
    "           presence_text, seen_ms (when the last session ended), shows (to\n"
    "           this one alone)\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_contacts,
};

/* ---- one small change each ---- */

/* Calls method with the name and says the words, which may hold one %s for the name. */
static int change(struct psst_cli *cli, const char *method, json_t *params, const char *name, const char *before,
                  const char *after)
{
    int code = PSST_EXIT_DONE;
    json_t *result = psst_cli_call(cli, method, params, &code);
    if (result != NULL) (void)printf("%s%s%s\n", before, psst_out_text(name, 80), after);
    json_decref(result);
    return code;
}

static int run_remove(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"yes", no_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    bool yes = !psst_prompt_possible();
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":y", table, NULL)) != -1) {
        if (opt != 'y') return psst_cli_bad_option(cli, argv);
        yes = true;
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    const char *name = argv[optind];
    char question[256];
    (void)snprintf(question, sizeof question, "Remove %s, with the whole history?", psst_out_text(name, 64));
    if (!yes && !psst_prompt_yes(question)) return psst_cli_error(PSST_EXIT_FAILED, "nothing was removed");
    return change(cli, "contact.remove", psst_rpc_name(name), name, "", " is no contact any more");
}

const struct psst_verb psst_verb_remove = {
    "remove",
    "remove NAME",
    "forget a contact, with the history",
    "Ends the session, erases the contact, the messages and the list of files, and\n"
    "from now on treats this key as a stranger's. On a terminal it asks first.\n"
    "\n"
    "  --yes   do not ask\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_ASKS,
    run_remove,
};

static int run_block(struct psst_cli *cli, int argc, char **argv)
{
    int code = PSST_EXIT_DONE;
    if (!plain_args(cli, argc, argv, 1, 1, &code)) return code;
    const char *name = argv[optind];
    return change(cli, "contact.block", psst_rpc_name(name), name, "", " is blocked, and cannot tell it from silence");
}

const struct psst_verb psst_verb_block = {
    "block",
    "block NAME",
    "no more sessions with this contact",
    "Ends the session and lets no new one come about. The contact and the history\n"
    "stay. Seen from the other side you are one who has not added them.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_block,
};

static int run_unblock(struct psst_cli *cli, int argc, char **argv)
{
    int code = PSST_EXIT_DONE;
    if (!plain_args(cli, argc, argv, 1, 1, &code)) return code;
    const char *name = argv[optind];
    return change(cli, "contact.unblock", psst_rpc_name(name), name, "", " can reach you again");
}

const struct psst_verb psst_verb_unblock = {
    "unblock",         "unblock NAME", "allow sessions again", "Takes back psst block.\n", PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN, run_unblock,
};

static int run_pause(struct psst_cli *cli, int argc, char **argv)
{
    int code = PSST_EXIT_DONE;
    if (!plain_args(cli, argc, argv, 1, 1, &code)) return code;
    const char *name = argv[optind];
    return change(cli, "contact.pause", psst_rpc_name(name), name, "",
                  " is paused, and is told so: messages and files stay over there");
}

const struct psst_verb psst_verb_pause = {
    "pause",
    "pause NAME",
    "take no messages and files for now",
    "The session stays, and you can go on talking. What the contact says or offers is\n"
    "not stored and rings nowhere: it stays with the contact, who is told that you\n"
    "paused. Files that you accepted before go on.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_pause,
};

static int run_unpause(struct psst_cli *cli, int argc, char **argv)
{
    int code = PSST_EXIT_DONE;
    if (!plain_args(cli, argc, argv, 1, 1, &code)) return code;
    const char *name = argv[optind];
    return change(cli, "contact.unpause", psst_rpc_name(name), name, "messages and files of ",
                  " are taken again: what waited comes within ten minutes");
}

const struct psst_verb psst_verb_unpause = {
    "unpause",
    "unpause NAME",
    "take messages and files again",
    "Takes back psst pause. What waited over there comes at the next session, or ten\n"
    "minutes later at the latest.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_unpause,
};

static int run_rename(struct psst_cli *cli, int argc, char **argv)
{
    int code = PSST_EXIT_DONE;
    if (!plain_args(cli, argc, argv, 2, 2, &code)) return code;
    const char *name = argv[optind], *new_name = argv[optind + 1];
    if (!psst_text_valid(psst_view_str(new_name))) return psst_cli_usage(cli, "a name is text in UTF-8");
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "new", psst_rpc_text(new_name));
    return change(cli, "contact.rename", params, new_name, "the contact is called ", " now");
}

const struct psst_verb psst_verb_rename = {
    "rename",
    "rename NAME NEW",
    "call a contact by another name",
    "The name is yours alone; the contact does not learn it. It is neither \"me\" nor\n"
    "your own: what he says must not look like what you say.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_rename,
};

static int run_address(struct psst_cli *cli, int argc, char **argv)
{
    int code = PSST_EXIT_DONE;
    if (!plain_args(cli, argc, argv, 1, 9, &code)) return code;
    json_t *params = psst_rpc_name(argv[optind]);
    if (argc > optind + 1) {
        json_t *list = json_array();
        for (int i = optind + 1; i < argc; i++)
            if (argv[i][0] != '\0') (void)json_array_append_new(list, psst_rpc_text(argv[i]));
        (void)json_object_set_new(params, "addresses", list);
    }
    json_t *result = psst_cli_call(cli, "contact.address", params, &code);
    if (result == NULL) return code;
    const json_t *addresses = json_object_get(result, "addresses");
    for (size_t i = 0; i < json_array_size(addresses); i++)
        (void)printf("%s\n", psst_out_text(json_string_value(json_array_get(addresses, i)), 300));
    if (json_array_size(addresses) == 0) (void)printf("no address: only this contact can call you\n");
    json_decref(result);
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_address = {
    "address",
    "address NAME [HOST:PORT]...",
    "where a contact can be reached",
    "Without an address: shows them. With some: these replace the old ones (at most\n"
    "8; an empty word \"\" leaves none). The port may be left out, it is then 4516;\n"
    "IPv6 is written [::1]:4516. They are tried in this order.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_address,
};
