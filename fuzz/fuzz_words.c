/* A line that begins with a slash, as words (tui/commands.h), and words as they are put into one (tui/complete_find.h).
 *
 * input: u8 how || bytes
 *   how bit 0: the bytes, between their NULs, are words: what completion writes of them is read back as just them, both by
 *   what runs the line and by what completes it again. Else they are a line; how >> 1: so many words at most (127: all).
 */
#include "fuzz.h"

#include "tui/complete_find.h"
#include "tui/path.h"

#include <stdlib.h>

#define INPUT_MAX 8192
#define HOME      "/home/o'ne two"

static char *string_of(struct psst_view bytes)
{
    char *s = malloc(bytes.len + 1);
    FUZZ_CHECK(s != NULL);
    if (bytes.len > 0) memcpy(s, bytes.data, bytes.len);
    s[bytes.len] = '\0';
    return s;
}

/* ---- words into a line and back ---- */

static bool is_home(const char *word)
{
    return word[0] == '~' && (word[1] == '\0' || word[1] == '/');
}

static void check_word(const char *word, bool path, bool tilde)
{
    struct psst_buf line;
    struct psst_words read;
    char **words = NULL, want[INPUT_MAX + sizeof HOME];
    int n = 0;
    psst_buf_init(&line, 1u << 20);
    psst_buf_put_str(&line, "file ");
    psst_word_quote(&line, word, path, tilde);
    size_t end = line.len;
    psst_buf_put_str(&line, " next");
    psst_buf_put_u8(&line, 0);
    FUZZ_CHECK(!line.failed);
    (void)snprintf(want, sizeof want, "%s%s", tilde ? HOME : "", tilde ? word + 1 : word);
    FUZZ_CHECK(psst_command_split((const char *)line.data, INT32_MAX, &words, &n) == PSST_OK);
    FUZZ_CHECK(n == 3 && strcmp(words[0], "file") == 0 && strcmp(words[1], want) == 0 && strcmp(words[2], "next") == 0);
    free(words);

    FUZZ_CHECK(psst_words_read(&read, psst_view(line.data, end)));
    FUZZ_CHECK(read.n == 2 && strcmp(read.list[1].text, word) == 0 && read.list[1].tilde == tilde);
    psst_words_fini(&read);
    psst_buf_fini(&line);
}

static void check_words(struct psst_view bytes)
{
    while (bytes.len > 0) {
        const uint8_t *end = memchr(bytes.data, 0, bytes.len);
        struct psst_view some = fuzz_take_view(&bytes, end != NULL ? (size_t)(end - bytes.data) : bytes.len);
        if (bytes.len > 0) (void)fuzz_take_u8(&bytes);
        char *word = string_of(some);
        if (word[0] != '\0') {
            check_word(word, false, false);
            check_word(word, true, false);
            if (is_home(word)) check_word(word, true, true);
        }
        free(word);
    }
}

/* ---- a line ---- */

/* The completion sees the same words as what runs them, but for ~ and what is not finished. */
static void check_same(struct psst_view line, char **words, int n)
{
    struct psst_words read;
    if (n >= PSST_WORDS_MAX || !psst_words_read(&read, line)) return;
    FUZZ_CHECK((int)read.n == n || (int)read.n == n + 1); /* an empty one at the end, which may begin */
    for (int i = 0; i < n; i++) {
        const char *is = words[i];
        if (read.list[i].tilde) {
            FUZZ_CHECK(strncmp(is, HOME, strlen(HOME)) == 0);
            FUZZ_CHECK(strcmp(is + strlen(HOME), read.list[i].text + 1) == 0);
        } else {
            FUZZ_CHECK(strcmp(is, read.list[i].text) == 0);
        }
    }
    psst_words_fini(&read);
}

static void check_line(const char *line, int most)
{
    char **words = NULL;
    int n = 0;
    enum psst_err err = psst_command_split(line, most, &words, &n);
    FUZZ_CHECK(err == PSST_OK || err == PSST_ERR_MALFORMED);
    if (err != PSST_OK) return;
    FUZZ_CHECK(n >= 0 && n <= (most == INT32_MAX ? INPUT_MAX : most + 1));
    for (int i = 0; i < n; i++) FUZZ_CHECK(strlen(words[i]) <= strlen(line) + strlen(HOME));
    if (n == most + 1) FUZZ_CHECK(strcmp(words[most], line + strlen(line) - strlen(words[most])) == 0);
    if (most == INT32_MAX) check_same(psst_view_str(line), words, n);
    free(words);
}

/* A path as it is typed into a field. */
static void check_path(const char *typed)
{
    char *path = psst_path_expand(typed);
    FUZZ_CHECK(path != NULL && strlen(path) <= strlen(typed) + strlen(HOME));
    FUZZ_CHECK(path[0] != ' ' && path[0] != '~' ? true : typed[0] != '~' || typed[1] != '/');
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) FUZZ_CHECK(setenv("HOME", HOME, 1) == 0);
    ready = true;
    struct psst_view bytes = psst_view(data, size);
    uint8_t how = fuzz_take_u8(&bytes);
    if (bytes.len > INPUT_MAX) return 0;
    if ((how & 1) != 0) {
        check_words(bytes);
        return 0;
    }
    char *line = string_of(bytes);
    check_line(line, how >> 1 == 127 ? INT32_MAX : how >> 1);
    check_path(line);
    free(line);
    return 0;
}
