/* psst meet: agree upon a time, list what is agreed, call it off. */
#include "cli/cli.h"
#include "cli/print.h"
#include "client/meet_words.h"

#include <stdlib.h>

/* ---- the list ---- */

static json_t *fetch(struct psst_cli *cli, const char *name, int *code)
{
    return psst_cli_call(cli, "meets", name != NULL ? psst_rpc_name(name) : NULL, code);
}

static void print_table(const json_t *list)
{
    struct psst_table table;
    psst_table_init(&table, 4);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *meet = json_array_get(list, i);
        char number[32], when[64];
        const char *state = psst_out_string(meet, "state");
        bool out = strcmp(psst_out_string(meet, "direction"), "out") == 0;
        (void)snprintf(number, sizeof number, "%lld", psst_out_int(meet, "id"));
        psst_table_add(&table, number);
        psst_table_add(&table, psst_out_text(json_string_value(json_object_get(meet, "contact")), 24));
        psst_table_add(&table, psst_meet_when(when, psst_out_int(meet, "time_ms")));
        psst_table_add(&table, strcmp(state, "cancelling") == 0 ? "called off, not known over there yet"
                               : strcmp(state, "waiting") == 0  ? "not known over there yet"
                               : psst_out_bool(meet, "due")     ? "now"
                               : out                            ? "agreed"
                                                                : "agreed, proposed over there");
    }
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
}

static int list(struct psst_cli *cli, const char *name, bool as_json)
{
    int code = PSST_EXIT_DONE;
    json_t *result = fetch(cli, name, &code);
    if (result == NULL) return code;
    const json_t *meets = json_object_get(result, "meets");
    if (as_json)
        psst_out_json_list(meets);
    else if (json_array_size(meets) == 0)
        (void)printf("no meetings: psst meet NAME 20:00\n");
    else
        print_table(meets);
    json_decref(result);
    return PSST_EXIT_DONE;
}

/* ---- calling off ---- */

/* The only one with this contact that stands; 0: said. */
static long long only_one(struct psst_cli *cli, const char *name, int *code)
{
    json_t *result = fetch(cli, name, code);
    if (result == NULL) return 0;
    const json_t *meets = json_object_get(result, "meets");
    long long id = 0;
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(meets); i++) {
        const json_t *meet = json_array_get(meets, i);
        if (strcmp(psst_out_string(meet, "state"), "cancelling") == 0) continue;
        id = psst_out_int(meet, "id");
        n++;
    }
    json_decref(result);
    if (n == 1) return id;
    if (n == 0)
        *code = psst_cli_error(PSST_EXIT_FAILED, "there is no meeting with %s", psst_out_text(name, 64));
    else
        *code =
            psst_cli_error(PSST_EXIT_FAILED, "there are %zu meetings with %s: which? psst meet %s shows the numbers", n,
                           psst_out_text(name, 64), psst_out_text(name, 64));
    return 0;
}

/* Whether this one is a meeting with this contact; else said. */
static bool is_his(struct psst_cli *cli, const char *name, long long id, int *code)
{
    json_t *result = fetch(cli, name, code);
    if (result == NULL) return false;
    const json_t *meets = json_object_get(result, "meets");
    bool found = false;
    for (size_t i = 0; i < json_array_size(meets); i++) found |= psst_out_int(json_array_get(meets, i), "id") == id;
    json_decref(result);
    if (!found)
        *code = psst_cli_error(PSST_EXIT_FAILED, "there is no meeting %lld with %s", id, psst_out_text(name, 64));
    return found;
}

static int cancel(struct psst_cli *cli, const char *name, const char *number)
{
    int code = PSST_EXIT_DONE;
    long long id = 0;
    if (number != NULL && !psst_cli_number(number, 1, INT64_MAX, &id))
        return psst_cli_usage(cli, "a meeting is called off by its number");
    if (number == NULL)
        id = only_one(cli, name, &code);
    else if (!is_his(cli, name, id, &code))
        id = 0;
    if (id == 0) return code;
    json_t *result = psst_cli_call(cli, "meet.cancel", json_pack("{s:I}", "id", (json_int_t)id), &code);
    if (result != NULL) (void)printf("called off\n");
    json_decref(result);
    return code;
}

/* ---- agreeing ---- */

static int propose(struct psst_cli *cli, const char *name, const char *text)
{
    int64_t ms = 0;
    int code = PSST_EXIT_DONE;
    char when[64];
    const char *why = psst_meet_parse(text, time(NULL), &ms);
    if (why != NULL) return psst_cli_usage(cli, "%s", why);
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "time_ms", json_integer((json_int_t)ms));
    json_t *result = psst_cli_call(cli, "meet", params, &code);
    if (result != NULL)
        (void)printf("meeting %lld: %s; both sides will be there\n", psst_out_int(result, "id"),
                     psst_meet_when(when, ms));
    json_decref(result);
    return code;
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    bool as_json = false;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (opt != 'j') return psst_cli_bad_option(cli, argv);
        as_json = true;
    }
    if (!psst_cli_args(cli, argc, 0, 3, &code)) return code;
    const char *name = argc > optind ? argv[optind] : NULL;
    const char *first = argc > optind + 1 ? argv[optind + 1] : NULL,
               *second = argc > optind + 2 ? argv[optind + 2] : NULL;
    if (first == NULL) return list(cli, name, as_json);
    if (as_json) return psst_cli_usage(cli, "--json is for the list");
    if (strcmp(first, "cancel") == 0) return cancel(cli, name, second);
    char text[128];
    (void)snprintf(text, sizeof text, "%s%s%s", first, second != NULL ? " " : "", second != NULL ? second : "");
    return propose(cli, name, text);
}

const struct psst_verb psst_verb_meet = {
    "meet",
    "meet NAME TIME\n"
    "meet NAME cancel [ID]\n"
    "meet [NAME] [--json]",
    "agree upon a time to be there",
    "From half a minute before TIME until ten minutes after, both sides try hard to\n"
    "be in session. The contact is told at the next session; until then it waits\n"
    "like a message. TIME is local, and at most 30 days ahead: 20:00 (the next one),\n"
    "2026-11-24 20:00, tomorrow 9:00, +30m, +1h30m, +2d. Either side can call it off;\n"
    "ID may be left out when there is but one. At most 16 with a contact.\n"
    "\n"
    "  --json   a list of objects: id, contact, time_ms, direction, state, due\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run,
};
