/* File offers: from the chunk's data to the name that a file would get on our disk (attacks 29, 30, 32, 35).
 *
 * input: the data of an `f` chunk. Whatever kind it is, reading and writing agree; an offer's name, and the raw input as a
 * name too, must come out of the sanitiser as one safe path component that does not change when it is sanitised again.
 */
#include "fuzz.h"

#include "base/text.h"
#include "daemon/safe_file.h"
#include "proto/chunk.h"

static void check_name(struct psst_view name)
{
    char safe[PSST_SAFE_NAME_SIZE], again[PSST_SAFE_NAME_SIZE];
    psst_file_name_sanitize(safe, name);
    size_t len = strnlen(safe, sizeof safe);
    struct psst_view v = psst_view(safe, len);
    FUZZ_CHECK(len >= 1 && len <= PSST_SAFE_NAME_MAX);
    FUZZ_CHECK(psst_text_valid(v));
    FUZZ_CHECK(strchr(safe, '/') == NULL && strchr(safe, '\\') == NULL);
    FUZZ_CHECK(safe[0] != '.' && safe[0] != '-' && safe[0] != ' ');
    FUZZ_CHECK(safe[len - 1] != '.' && safe[len - 1] != ' ');
    for (size_t i = 0; i < len; i++) FUZZ_CHECK((uint8_t)safe[i] >= 0x20 && safe[i] != 0x7f);
    psst_file_name_sanitize(again, v);
    FUZZ_CHECK(strcmp(safe, again) == 0);
}

static void write_and_compare(const struct psst_file_chunk *chunk, struct psst_view data)
{
    struct psst_buf out;
    psst_buf_init(&out, PSST_RECORD_MAX);
    psst_file_write(&out, chunk);
    struct psst_reader r = psst_reader(psst_buf_view(&out));
    FUZZ_CHECK(psst_read_u8(&r) == PSST_CHUNK_FILE && psst_read_u24(&r) == data.len);
    FUZZ_CHECK(psst_view_equal(psst_read_rest(&r), data));
    psst_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psst_view input = psst_view(data, size < PSST_CHUNK_DATA_MAX ? size : PSST_CHUNK_DATA_MAX);
    struct psst_file_chunk chunk;
    fuzz_init();
    check_name(input);
    if (psst_file_read(&chunk, input) != PSST_OK) return 0;
    write_and_compare(&chunk, input);
    if (chunk.kind != PSST_FILE_OFFER) return 0;
    FUZZ_CHECK(chunk.name.len >= 1 && chunk.name.len <= PSST_FILE_NAME_MAX);
    FUZZ_CHECK(chunk.size <= PSST_FILE_SIZE_MAX || chunk.size == PSST_FILE_SIZE_UNKNOWN);
    check_name(chunk.name);
    return 0;
}
