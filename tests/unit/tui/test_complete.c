/* Tab: what is offered, what is put in, and that nothing misleading is. The people, files and commands are made up here. */
#include "unit/tui/keys.h"

#include "tui/complete_find.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a world ---- */

static struct psst_person people[8];
static size_t n_people;
static struct psst_transfer transfers[] = {
    {.id = 12, .contact = "Bob", .name = "a.jpg", .form = "file", .state = "waiting", .in = true},
    {.id = 13, .contact = "Bob", .name = "mine", .form = "file", .state = "running", .in = false},
    {.id = 14, .contact = "Bob", .name = "old", .form = "file", .state = "done", .in = true},
    {.id = 25, .contact = "Bob", .name = "voice", .form = "voice", .state = "done", .in = true},
};

size_t psst_model_people(const struct psst_model *model)
{
    (void)model;
    return n_people;
}
const struct psst_person *psst_model_person(const struct psst_model *model, size_t i)
{
    (void)model;
    return &people[i];
}
const struct psst_person *psst_model_find(const struct psst_model *model, const char *name)
{
    (void)model;
    for (size_t i = 0; i < n_people; i++)
        if (strcmp(people[i].name, name) == 0) return &people[i];
    return NULL;
}
size_t psst_model_transfers(const struct psst_model *model)
{
    (void)model;
    return sizeof transfers / sizeof transfers[0];
}
const struct psst_transfer *psst_model_transfer(const struct psst_model *model, size_t i)
{
    (void)model;
    return &transfers[i];
}

static const struct psst_verb verbs[] = {
    {.name = "accept", .usage = "accept ID [-o DIR|FILE|-] [--wait S]"},
    {.name = "add", .usage = "add CARD [--as ALIAS] [--yes]"},
    {.name = "call", .usage = "call NAME [--seconds S] [--wav-in F] [--json]\ncall NAME --message [--seconds S]"},
    {.name = "chat", .usage = "chat NAME", .screen = PSST_SCREEN_NOT},
    {.name = "files", .usage = "files [--all] [-n N] [--json]\nfiles pause ID...\nfiles resume ID..."},
    {.name = "log",
     .usage = "log NAME [-f] [-n N]\nlog NAME [--search WORDS]\n    [--json] [--export FILE|- [--force]]"},
    {.name = "passwd", .usage = "passwd [--passphrase-file F|--no-passphrase]"},
    {.name = "play", .usage = "play ID [--wav-out F]"},
    {.name = "presence", .usage = "presence [STATE [TEXT...]] [--for NAME] [--json]"},
    {.name = "recall", .usage = "recall NAME [SEQ|ID|all]"},
    {.name = "receipts", .usage = "receipts NAME on|off"},
    {.name = "rename", .usage = "rename NAME NEW"},
    {.name = "say", .usage = "say NAME [--wait S] TEXT...|-"},
    {.name = "send", .usage = "send NAME [--wait S] FILE|FOLDER...\nsend NAME [--wait S] [--name N] -"},
    {.name = "set", .usage = "set [KEY [VALUE]]"},
};
#define N_VERBS (sizeof verbs / sizeof verbs[0])
static const struct psst_verb *list[N_VERBS];

const struct psst_command psst_commands[] = {
    {.name = "file", .usage = "file PATH...", .words = PSST_WORD_PATH},
    {.name = "help", .usage = "help [ABOUT]", .words = PSST_WORD_COMMAND},
    {.name = "msg", .usage = "msg WHO TEXT...", .words = PSST_WORD_CONTACT},
    {.name = "mute", .words = PSST_WORD_ON_OFF, .usage = "mute"},
    {.name = "accept", .usage = "accept [ID...]\naccept ID -o DIR|FILE", .words = PSST_WORD_FILE_ID},
    {.name = "quit", .usage = "quit"},
};
const size_t psst_commands_count = sizeof psst_commands / sizeof psst_commands[0];

bool psst_command_find(const struct psst_app *app, const char *name, const struct psst_command **command,
                       const struct psst_verb **verb)
{
    *command = NULL;
    *verb = NULL;
    for (size_t i = 0; i < psst_commands_count; i++)
        if (strncmp(psst_commands[i].name, name, strlen(name)) == 0) *command = &psst_commands[i];
    for (size_t i = 0; i < app->setup->n_verbs; i++)
        if (strcmp(app->setup->verbs[i]->name, name) == 0) *verb = app->setup->verbs[i];
    return *command != NULL || *verb != NULL;
}

static struct psst_tui setup;
static struct psst_app app;
static char folder[] = "/tmp/psst-complete-XXXXXX";

void psst_app_say(struct psst_app *to, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    assert_true(vsnprintf(to->notice, sizeof to->notice, fmt, args) < (int)sizeof to->notice);
    va_end(args);
}

static void touch(const char *name)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

static int begin_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_VERBS; i++) list[i] = &verbs[i];
    setup = (struct psst_tui){.verbs = list, .n_verbs = N_VERBS};
    if (mkdtemp(folder) == NULL || chdir(folder) != 0 || setenv("HOME", folder, 1) != 0) return -1;
    static const char *const names[] = {"photo one.jpg",
                                        "photo two.jpg",
                                        "report.pdf",
                                        ".hidden",
                                        "quo\"te's",
                                        "back\\slash",
                                        "-dash",
                                        "bell\a",
                                        "bad\xff"
                                        "utf",
                                        "turn\u202Efdp.exe",
                                        "~tilde",
                                        "漢字.txt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) touch(names[i]);
    if (mkdir("pictures", 0700) != 0 || mkdir("pictures/big ones", 0700) != 0) return -1;
    if (symlink("pictures", "plink") != 0 || mkfifo("pipe", 0600) != 0) return -1;
    touch("pictures/x.png");
    return 0;
}

static int end_all(void **state)
{
    (void)state;
    char command[sizeof folder + 16];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static int begin(void **state)
{
    (void)state;
    static const char *const names[] = {"Bob", "Bobby Tables", "alice", "Eve\x1b[2J", "漢字", "O'Neil"};
    n_people = sizeof names / sizeof names[0];
    for (size_t i = 0; i < n_people; i++) people[i].name = names[i];
    app = (struct psst_app){.setup = &setup};
    return psst_entry_new(&app.entry) == PSST_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    psst_complete_end(&app.completion);
    psst_entry_free(app.entry);
    return 0;
}

static void tab(bool back)
{
    app.notice[0] = '\0';
    psst_complete(&app.completion, &app, app.entry, back);
}

/* What is there, what Tab makes of it; and what the list then says. */
struct one {
    const char *before, *after, *notice;
};

static void check_one(const struct one *one)
{
    psst_complete_end(&app.completion);
    set_entry(app.entry, one->before);
    tab(false);
    check_entry(app.entry, one->after);
    assert_string_equal(one->notice != NULL ? one->notice : "", app.notice);
}
#define CHECK_ALL(all)                                                                                                 \
    for (size_t one_i = 0; one_i < sizeof(all) / sizeof((all)[0]); one_i++) check_one(&(all)[one_i])

/* ---- commands ---- */

static void tab__completes__commands_and_their_words(void **state)
{
    (void)state;
    static const struct one all[] = {
        {"/q|", "/quit |", NULL},
        {"/Q|", "/quit |", NULL},
        {"/ca|", "/call |", NULL},
        {"/chat|", "/chat|", NULL}, /* makes no sense on the screen */
        {"/re|", "/re|", "recall  receipts  rename"},
        {"/pa|", "/passwd |", NULL},
        {"/acc|", "/accept |", NULL}, /* a command and a verb: once */
        {"/ca| Bob", "/call| Bob", NULL},
        {"/help ca|", "/help call |", NULL},
        {"/help /ca|", "/help call |", NULL},
        {"/mute |", "/mute o|", "off  on"},
        {"/mute of|", "/mute off |", NULL},
        {"/mute off |", "/mute off |", NULL},
        {"/quit |", "/quit |", NULL},
        {"/nothing |", "/nothing |", NULL},
        {"/receipts Bob |", "/receipts Bob o|", "off  on"},
        {"/presence |", "/presence |", "away  busy  dnd  invisible  online"},
        {"/presence aw|", "/presence away |", NULL},
        {"/presence --for al|", "/presence --for alice |", NULL},
        {"/presence --f|", "/presence --for |", NULL},
        {"/files |", "/files |", "pause  resume"},
        {"/files pause |", "/files pause 1|", "12 (a.jpg)  13 (mine)"},
        {"/files pause 12 13|", "/files pause 12 13 |", NULL},
        {"/files --|", "/files --|", "--all  --json"},
        {"/files --all |", "/files --all |", "pause  resume"},
        {"/log Bob --e|", "/log Bob --export |", NULL},
        {"/log Bob --f|", "/log Bob --force |", NULL},
        {"/log Bob --export rep|", "/log Bob --export report.pdf |", NULL},
        {"/log Bob --search rep|", "/log Bob --search rep|", NULL},
        {"/passwd --n|", "/passwd --no-passphrase |", NULL},
        {"/passwd --passphrase-file rep|", "/passwd --passphrase-file report.pdf |", NULL},
        {"/accept |", "/accept 12 |", NULL},
        {"/play |", "/play 25 |", NULL},
        {"/accept 12 -o pic|", "/accept 12 -o pictures/|", NULL},
        {"/acce |", "/acce 12 |", NULL},              /* as short as it may be said */
        {"/recall Bob |", "/recall Bob all |", NULL}, /* an ID of a message, not of a file */
        {"/set voice_q|", "/set voice_quality |", NULL},
        {"/set echo |", "/set echo |", "off  own  server"},
        {"/set bell n|", "/set bell no |", NULL},
        {"/set download_dir p|", "/set download_dir p|", "pictures/  plink/"},
        {"/set listen |", "/set listen |", NULL},
    };
    CHECK_ALL(all);
}

/* ---- contacts ---- */

static void tab__completes__contacts(void **state)
{
    (void)state;
    static const struct one all[] = {
        {"/call al|", "/call alice |", NULL},
        {"/call AL|", "/call alice |", NULL},
        {"/call b|", "/call Bob|", "Bob  Bobby Tables"},
        {"/call Bobb|", "/call \"Bobby Tables\" |", NULL},
        {"/call \"Bobby T|", "/call \"Bobby Tables\" |", NULL},
        {"/call Bobby\\ T|", "/call \"Bobby Tables\" |", NULL},
        {"/call 漢|", "/call 漢字 |", NULL},
        {"/call O|", "/call O\\'Neil |", NULL},
        {"/call Eve|", "/call Eve|", "what is there has a name that cannot be shown as it is, and is not offered"},
        {"/msg al|", "/msg alice |", NULL},
        {"/msg alice al|", "/msg alice al|", NULL},
        {"/rename Bob al|", "/rename Bob al|", NULL},
        {"/say Bob al|", "/say Bob al|", NULL},
        {"al|", "alice: |", NULL},
        {"Bobby T|", "Bobby Tables: |", NULL},
        {"hello al|", "hello al|", NULL},
        {"//al|", "//al|", NULL},
        {"|", "|", NULL},
    };
    CHECK_ALL(all);
}

static void tab__knows__whom_one_talks_with(void **state)
{
    (void)state;
    char bob[] = "Bob";
    app.open = bob;
    static const struct one all[] = {
        {"/send rep|", "/send report.pdf |", NULL},
        {"/send al|", "/send alice |", NULL},
        {"/send alice rep|", "/send alice report.pdf |", NULL},
        {"/send report.pdf 漢|", "/send report.pdf 漢字.txt |", NULL},
        {"/receipts of|", "/receipts off |", NULL},
        {"/receipts Bob of|", "/receipts Bob off |", NULL},
    };
    CHECK_ALL(all);
    app.open = NULL;
    static const struct one without[] = {{"/send rep|", "/send rep|", NULL}, {"/receipts of|", "/receipts of|", NULL}};
    CHECK_ALL(without);
}

/* ---- paths ---- */

static void tab__completes__paths_as_they_are(void **state)
{
    (void)state;
    static const struct one all[] = {
        {"/file rep|", "/file report.pdf |", NULL},
        {"/file ph|", "/file photo\\ |", "photo one.jpg  photo two.jpg"},
        {"/file photo\\ o|", "/file photo\\ one.jpg |", NULL},
        {"/file \"photo o|", "/file photo\\ one.jpg |", NULL},
        {"/file 'photo o|", "/file photo\\ one.jpg |", NULL},
        {"/file pic|", "/file pictures/|", NULL},
        {"/file pictures/|", "/file pictures/|", "big ones/  x.png"},
        {"/file pictures/b|", "/file pictures/big\\ ones/|", NULL},
        {"/file plink/x|", "/file plink/x.png |", NULL},
        {"/file pip|", "/file pip|", NULL}, /* a pipe is nothing to send */
        {"/file .h|", "/file .hidden |", NULL},
        {"/file ..|", "/file ../|", NULL},
        {"/file q|", "/file quo\\\"te\\'s |", NULL},
        {"/file ba|", "/file back\\\\slash |", NULL},
        {"/file -|", "/file -|", NULL},
        {"/file ./-|", "/file ./-dash |", NULL},
        {"/file ~|", "/file ~/|", NULL},
        {"/file ~/rep|", "/file ~/report.pdf |", NULL},
        {"/file ~/photo\\ t|", "/file ~/photo\\ two.jpg |", NULL},
        {"/file \\~|", "/file \\~tilde |", NULL},
        {"/file ~/~|", "/file ~/~tilde |", NULL},
        {"/file 漢|", "/file 漢字.txt |", NULL},
        {"/file report.pdf rep|", "/file report.pdf report.pdf |", NULL},
        {"/file nothing/x|", "/file nothing/x|", NULL},
        {"/file bell|", "/file bell|", "what is there has a name that cannot be shown as it is, and is not offered"},
        {"/file turn|", "/file turn|", "what is there has a name that cannot be shown as it is, and is not offered"},
        {"/file bad|", "/file bad|", "what is there has a name that cannot be shown as it is, and is not offered"},
    };
    CHECK_ALL(all);
    psst_complete_end(&app.completion);
    set_entry(app.entry, "/file |");
    tab(false);
    assert_null(strstr(app.notice, "hidden"));
    assert_null(strstr(app.notice, "turn"));
    assert_non_null(strstr(app.notice, "report.pdf"));
}

static void tab__goes_through_them__and_back(void **state)
{
    (void)state;
    set_entry(app.entry, "/file ph| end");
    tab(false);
    check_entry(app.entry, "/file photo\\ | end");
    tab(false);
    check_entry(app.entry, "/file photo\\ one.jpg| end");
    assert_string_equal("[photo one.jpg]  photo two.jpg", app.notice);
    tab(false);
    check_entry(app.entry, "/file photo\\ two.jpg| end");
    assert_string_equal("[photo two.jpg]  photo one.jpg", app.notice);
    tab(false);
    check_entry(app.entry, "/file photo\\ one.jpg| end");
    tab(true);
    check_entry(app.entry, "/file photo\\ two.jpg| end");
    psst_complete_end(&app.completion);
    (void)press(app.entry, "<C-_><C-_>", 20);
    psst_complete_end(&app.completion);
    set_entry(app.entry, "/file ph|");
    tab(true);
    tab(true);
    check_entry(app.entry, "/file photo\\ two.jpg |");
    /* the cursor went elsewhere: it begins anew */
    psst_entry_set(app.entry, psst_view_str("/q"), SIZE_MAX);
    tab(false);
    check_entry(app.entry, "/quit |");
}

static void tab__stays_within__the_longest_line_and_the_notice(void **state)
{
    (void)state;
    char *much = test_malloc(PSST_ENTRY_MAX);
    memset(much, 'x', PSST_ENTRY_MAX);
    memcpy(much, "/file rep ", 10);
    psst_entry_set(app.entry, psst_view(much, PSST_ENTRY_MAX), 9);
    tab(false);
    assert_int_equal(PSST_ENTRY_MAX, psst_entry_text(app.entry).len);
    assert_int_equal(9, psst_entry_cursor(app.entry));
    psst_entry_set(app.entry, psst_view(much, PSST_ENTRY_MAX), SIZE_MAX);
    tab(false);
    memset(much, 'w', PSST_ENTRY_MAX);
    for (size_t i = 1; i < PSST_ENTRY_MAX; i += 2) much[i] = ' ';
    much[0] = '/';
    psst_entry_set(app.entry, psst_view(much, PSST_ENTRY_MAX), SIZE_MAX); /* too many words */
    tab(false);
    test_free(much);

    if (mkdir("many", 0700) != 0) fail();
    char name[64];
    for (int i = 0; i < 700; i++) {
        (void)snprintf(name, sizeof name, "many/a file with a rather long name %04d", i);
        touch(name);
    }
    psst_complete_end(&app.completion);
    set_entry(app.entry, "/file many/|");
    tab(false);
    check_entry(app.entry, "/file many/a\\ file\\ with\\ a\\ rather\\ long\\ name\\ 0|");
    assert_non_null(strstr(app.notice, " more"));
    assert_int_equal(PSST_COMPLETE_MAX, app.completion.n);
    tab(true);
    check_entry(app.entry, "/file many/a\\ file\\ with\\ a\\ rather\\ long\\ name\\ 0511 |");
}

/* ---- quotes ---- */

/* What is quoted is read back as it was, by the reader of unfinished lines and by that of commands. */
static void words__come_back__from_their_quotes(void **state)
{
    (void)state;
    static const char *const words_list[] = {"a",     "a b",   " a", "a ",  "\\", "\\\\",     "\"",    "'",
                                             "'\"",   "a\\ b", "~",  "~/x", "~x", "$x `y` z", "a'b c", "a\"b c",
                                             "漢 字", "$",     "#",  "*?[", "a~", "-",        "--"};
    for (size_t i = 0; i < sizeof words_list / sizeof words_list[0]; i++) {
        for (int path = 0; path < 2; path++) {
            struct psst_buf line;
            psst_buf_init(&line, 256);
            psst_buf_put_str(&line, "/x ");
            psst_word_quote(&line, words_list[i], path == 1, false);
            struct psst_words words;
            assert_true(psst_words_read(&words, psst_buf_view(&line)));
            assert_int_equal(2, words.n);
            assert_string_equal(words_list[i], words.list[1].text);
            assert_false(words.list[1].tilde);
            assert_int_equal(3, words.list[1].from);
            psst_words_fini(&words);
            psst_buf_put_u8(&line, '\0');
            char **split;
            int n;
            assert_ok(psst_command_split((const char *)line.data, INT32_MAX, &split, &n));
            assert_int_equal(2, n);
            assert_string_equal(words_list[i], split[1]);
            free(split);
            psst_buf_fini(&line);
        }
    }
}

/* Any bytes and any cursor: it ends, and the line stays text. */
static void tab__stays_whole__whatever_is_there(void **state)
{
    (void)state;
    static const char *const pieces[] = {"/",   "\\",   "\"",   "'",     " ",     "~",        "-",      "--",
                                         "Bob", "file", "send", "files", "log",   "set",      "p",      "ph",
                                         "漢",  "\n",   "\t",   "..",    "pause", "--export", "\u202e", "~/"};
    uint32_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        char line[256] = "/";
        size_t n = (seed = seed * 1664525u + 1013904223u) >> 28;
        for (size_t k = 0; k < n; k++) {
            seed = seed * 1664525u + 1013904223u;
            (void)strncat(line, pieces[(seed >> 10) % (sizeof pieces / sizeof pieces[0])], 12);
        }
        psst_entry_set(app.entry, psst_view_str(line), seed % 3 == 0 ? (seed >> 8) % 40 : SIZE_MAX);
        for (int k = 0; k < 3; k++) tab((seed >> (9 + k) & 1) != 0);
        assert_true(psst_text_valid(psst_entry_text(app.entry)));
        psst_complete_end(&app.completion);
    }
}

int main(void)
{
    (void)setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tab__completes__commands_and_their_words, begin, end),
        cmocka_unit_test_setup_teardown(tab__completes__contacts, begin, end),
        cmocka_unit_test_setup_teardown(tab__knows__whom_one_talks_with, begin, end),
        cmocka_unit_test_setup_teardown(tab__completes__paths_as_they_are, begin, end),
        cmocka_unit_test_setup_teardown(tab__goes_through_them__and_back, begin, end),
        cmocka_unit_test_setup_teardown(tab__stays_within__the_longest_line_and_the_notice, begin, end),
        cmocka_unit_test(words__come_back__from_their_quotes),
        cmocka_unit_test_setup_teardown(tab__stays_whole__whatever_is_there, begin, end),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
