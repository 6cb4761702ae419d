/* psst card: one's own card, to be handed over. */
#include "cli/cli.h"
#include "cli/print.h"
#include "client/qr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CARD_MAX 16384

/* Whether the file is a card, which may be replaced; anything else that has this name is left alone. */
static bool is_card(const char *path)
{
    char text[CARD_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, text, CARD_MAX) : -1;
    if (fd >= 0) (void)close(fd);
    if (n < 0) return false;
    text[n] = '\0';
    return strstr(text, "-----BEGIN PUBLIC KEY-----") != NULL && strstr(text, "PRIVATE") == NULL;
}

static bool write_all(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* Beside the place, then renamed into it: half a card is never there. secret: for one person's eyes. */
static int write_file(const char *path, const char *card, bool secret)
{
    struct stat st;
    if (lstat(path, &st) == 0 && !is_card(path))
        return psst_cli_error(PSST_EXIT_FAILED, "%s is there, and no card: it is left as it is", path);
    char *beside = NULL;
    if (asprintf(&beside, "%s.XXXXXX", path) < 0) return psst_cli_error(PSST_EXIT_FAILED, "out of memory");
    int fd = mkostemp(beside, O_CLOEXEC);
    bool good = fd >= 0 && fchmod(fd, secret ? 0600 : 0644) == 0 && write_all(fd, card) && fsync(fd) == 0;
    int reason = errno;
    if (fd >= 0) (void)close(fd);
    if (good && rename(beside, path) != 0) {
        reason = errno;
        good = false;
    }
    if (!good && fd >= 0) (void)unlink(beside);
    free(beside);
    if (!good) return psst_cli_error(PSST_EXIT_FAILED, "cannot write %s: %s", path, strerror(reason));
    (void)printf("%s: hand it over; %s\n", path,
                 secret ? "it holds a secret for this one person, so nobody else may see it" : "it holds no secret");
    return PSST_EXIT_DONE;
}

/* The card without what follows from the key: smaller squares. */
static int print_qr(const char *card)
{
    char small[CARD_MAX + 1];
    size_t len = 0, width = 0;
    for (const char *line = card; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        n += line[n] == '\n';
        bool follows = strncmp(line, "Key:", 4) == 0 || strncmp(line, "Fingerprint:", 12) == 0;
        if (!follows && len + n <= CARD_MAX) {
            memcpy(small + len, line, n);
            len += n;
        }
        line += n;
    }
    small[len] = '\0';
    if (!psst_qr_print(stdout, small, &width))
        return psst_cli_error(PSST_EXIT_FAILED, "the card is too long for a QR code");
    unsigned columns = psst_out_columns(stdout);
    if (columns > 0 && width > columns)
        psst_cli_warn("the code is %zu columns wide, the terminal %u: widen it, or make its letters smaller", width,
                      columns);
    return PSST_EXIT_DONE;
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"output", required_argument, NULL, 'o'},
                                          {"for", required_argument, NULL, 'f'},
                                          {"address", required_argument, NULL, 'a'},
                                          {"qr", no_argument, NULL, 'q'},
                                          {NULL, 0, NULL, 0}};
    const char *file = NULL, *person = NULL;
    bool qr = false;
    int opt, code = PSST_EXIT_DONE;
    json_t *addresses = json_array();
    while ((opt = getopt_long(argc, argv, ":o:", table, NULL)) != -1) {
        switch (opt) {
        case 'o': file = optarg; break;
        case 'f': person = optarg; break;
        case 'a': (void)json_array_append_new(addresses, psst_cli_text(optarg)); break;
        case 'q': qr = true; break;
        default: json_decref(addresses); return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 0, 0, &code)) {
        json_decref(addresses);
        return code;
    }
    json_t *params = json_pack("{s:o}", "addresses", addresses);
    if (person != NULL) (void)json_object_set_new(params, "for", psst_cli_text(person));
    json_t *result = psst_cli_call(cli, "card", params, &code);
    const char *card = json_string_value(json_object_get(result, "card"));
    if (card != NULL) {
        if (file != NULL)
            code = write_file(file, card, person != NULL);
        else if (!qr)
            (void)fputs(card, stdout);
        if (qr && code == PSST_EXIT_DONE) code = print_qr(card);
    }
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_card = {
    "card",
    "card [-o FILE] [--for NAME] [--address HOST:PORT]... [--qr]",
    "write your card, to hand over",
    "Your card is a small text file with your name and public key. Who has it can add\n"
    "you; hand it over yourself, or compare the safety number later (psst verify).\n"
    "\n"
    "  -o FILE               into FILE (only a card is replaced), instead of printing\n"
    "  --for NAME            with a secret shared with this contact alone: the line\n"
    "                        then holds even if RSA and X25519 are broken one day.\n"
    "                        Give it to nobody else. Written again, it holds the same\n"
    "                        secret\n"
    "  --address HOST:PORT   where you can be reached (several are allowed)\n"
    "  --qr                  as a QR code\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run,
};
