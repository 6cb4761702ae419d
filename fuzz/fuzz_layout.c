/* A message on the screen, of whatever bytes.
 *
 * input: u8 how || bytes
 *   how bit 0: one line, never broken; bits 1 to 7: two columns and so many more
 * Whatever it is: it keeps to its cells, every byte of it belongs somewhere, and a cursor goes through it one way and the
 * other (tests/support/layout_check.h).
 */
#include "fuzz.h"

#include "../tests/support/layout_check.h"

#include <locale.h>

#define INPUT_MAX (64 * 1024)
#define STEPS     500

static void check(const struct psst_layout *layout, struct psst_view text, enum psst_render how, unsigned columns,
                  unsigned steps)
{
    const char *wrong = layout_wrong(layout, text, how, columns, steps);
    if (wrong != NULL) (void)fprintf(stderr, "does not hold: %s\n", wrong);
    FUZZ_CHECK(wrong == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) FUZZ_CHECK(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
    ready = true;
    struct psst_view text = psst_view(data, size);
    uint8_t first = fuzz_take_u8(&text);
    if (text.len > INPUT_MAX) return 0;
    enum psst_render how = (first & 1) != 0 ? PSST_RENDER_LINE : PSST_RENDER_PARAGRAPH;
    unsigned columns = 2 + (first >> 1);

    struct psst_layout seen, read;
    FUZZ_CHECK(psst_layout_make(&seen, text, how, columns) == PSST_OK);
    FUZZ_CHECK(psst_layout_make_as_read(&read, text, how, columns) == PSST_OK);
    check(&seen, text, how, columns, STEPS);
    check(&read, text, how, columns, 0);
    FUZZ_CHECK(seen.n_rows == read.n_rows && seen.n_cells == read.n_cells);
    for (size_t i = 0; i < seen.n_rows; i++) FUZZ_CHECK(seen.rows[i].end == read.rows[i].end);
    psst_layout_fini(&seen);
    psst_layout_fini(&read);
    return 0;
}
