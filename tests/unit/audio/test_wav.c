/* Wav files as microphone and speaker: those that are refused, hostile sizes, and that a file is whole after every frame. */
#include "support/check.h"

#include "audio/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int a_file(const void *content, size_t len)
{
    char path[] = "/tmp/psst-wav-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)unlink(path);
    if (len > 0) assert_int_equal(len, pwrite(fd, content, len, 0));
    return fd;
}

static uint32_t le32(const uint8_t *in)
{
    return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

/* 44 bytes; data: what it says about its length. */
static void header(uint8_t out[44], uint32_t data)
{
    static const uint8_t good[] = "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0\x77\1\0\2\0\x10\0data";
    memcpy(out, good, 40);
    for (int i = 0; i < 4; i++) out[40 + i] = (uint8_t)(data >> 8 * i);
}

static void wav_in__gives_samples_then_silence(void **state)
{
    (void)state;
    uint8_t file[44 + 2 * 1000];
    header(file, 2000);
    for (size_t i = 0; i < 1000; i++) {
        file[44 + 2 * i] = (uint8_t)(i + 1);
        file[45 + 2 * i] = (uint8_t)((i + 1) >> 8);
    }
    struct psst_wav_in wav;
    int16_t pcm[PSST_AUDIO_FRAME_SAMPLES];
    assert_ok(psst_wav_in_init(&wav, a_file(file, sizeof file), NULL));
    psst_wav_in_frame(&wav, pcm);
    for (int i = 0; i < PSST_AUDIO_FRAME_SAMPLES; i++) assert_int_equal(i + 1, pcm[i]);
    psst_wav_in_frame(&wav, pcm);
    for (int i = 0; i < PSST_AUDIO_FRAME_SAMPLES; i++) assert_int_equal(i < 40 ? 961 + i : 0, pcm[i]);
    psst_wav_in_frame(&wav, pcm);
    for (int i = 0; i < PSST_AUDIO_FRAME_SAMPLES; i++) assert_int_equal(0, pcm[i]);
    psst_wav_in_fini(&wav);
}

static void wav_in__goes_on__where_the_descriptor_stands(void **state)
{
    (void)state;
    uint8_t file[44 + 2 * 3000] = {0};
    header(file, 6000);
    for (size_t i = 0; i < 3000; i++) file[45 + 2 * i] = (uint8_t)(i / PSST_AUDIO_FRAME_SAMPLES);
    const int fd = a_file(file, sizeof file), next = dup(fd);
    struct psst_wav_in wav;
    int16_t pcm[PSST_AUDIO_FRAME_SAMPLES];
    assert_ok(psst_wav_in_init(&wav, fd, NULL));
    psst_wav_in_frame(&wav, pcm);
    psst_wav_in_fini(&wav);
    assert_ok(psst_wav_in_init(&wav, next, NULL));
    psst_wav_in_frame(&wav, pcm);
    assert_int_equal(1 << 8, pcm[0]);
    psst_wav_in_fini(&wav);
}

static void wav_in__is_bounded_by_the_file__whatever_it_says(void **state)
{
    (void)state;
    const uint32_t lengths[] = {0xffffffff, 0x7fffffff, 5, 0};
    for (size_t i = 0; i < 4; i++) {
        uint8_t file[44 + 10];
        memset(file, 0x11, sizeof file);
        header(file, lengths[i]);
        struct psst_wav_in wav;
        int16_t pcm[PSST_AUDIO_FRAME_SAMPLES];
        assert_ok(psst_wav_in_init(&wav, a_file(file, sizeof file), NULL));
        const uint64_t want = lengths[i] < 10 ? lengths[i] : 10;
        assert_int_equal(want, wav.left);
        psst_wav_in_frame(&wav, pcm);
        for (uint64_t s = 0; s < PSST_AUDIO_FRAME_SAMPLES; s++)
            assert_int_equal(s < want / 2 ? 0x1111 : 2 * s < want ? 0x11 : 0, pcm[s]);
        psst_wav_in_fini(&wav);
    }
}

static void wav_in__refuses__with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 'X'}, {8, 'X'}, {12, 'X'},  {16, 15}, {19, 0x80},
                 {20, 3},  {22, 2},  {24, 0x44}, {34, 24}, {36, 'X'}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t file[44 + 100] = {0};
        header(file, 100);
        file[wrong[i].at] = wrong[i].value;
        struct psst_wav_in wav;
        struct psst_diag diag = {0};
        assert_err(PSST_ERR_MALFORMED, psst_wav_in_init(&wav, a_file(file, sizeof file), &diag));
        assert_non_null(strstr(diag.text, "a wav of 48 kHz, mono, 16 bits is needed"));
    }
    for (size_t len = 0; len < 44; len++) {
        uint8_t file[44];
        header(file, 0);
        struct psst_wav_in wav;
        assert_err(PSST_ERR_MALFORMED, psst_wav_in_init(&wav, a_file(file, len), NULL));
    }
    int ends[2];
    struct psst_wav_in wav;
    assert_int_equal(0, pipe(ends)); /* what cannot be sought in would hold up the sound */
    assert_err(PSST_ERR_MALFORMED, psst_wav_in_init(&wav, ends[0], NULL));
    (void)close(ends[1]);
}

static void wav_in__steps_over__other_chunks(void **state)
{
    (void)state;
    uint8_t file[44 + 8 + 6 + 4] = {0};
    header(file, 4);
    memcpy(file + 36, "LIST\5\0\0\0abcde\0data\4\0\0\0\1\2\3\4", 26); /* an odd length is padded */
    struct psst_wav_in wav;
    int16_t pcm[PSST_AUDIO_FRAME_SAMPLES];
    assert_ok(psst_wav_in_init(&wav, a_file(file, sizeof file), NULL));
    psst_wav_in_frame(&wav, pcm);
    assert_int_equal(0x0201, pcm[0]);
    assert_int_equal(0x0403, pcm[1]);
    psst_wav_in_fini(&wav);
}

static void wav_out__is_whole__after_every_frame(void **state)
{
    (void)state;
    const int fd = a_file(NULL, 0), seen = dup(fd);
    struct psst_wav_out wav;
    int16_t pcm[PSST_AUDIO_FRAME_SAMPLES];
    assert_ok(psst_wav_out_init(&wav, fd, NULL));
    for (uint32_t frame = 0; frame <= 3; frame++) {
        uint8_t head[44];
        assert_int_equal(44, pread(seen, head, 44, 0));
        assert_int_equal(36 + frame * PSST_AUDIO_FRAME_BYTES, le32(head + 4));
        assert_int_equal(frame * PSST_AUDIO_FRAME_BYTES, le32(head + 40));
        assert_int_equal(44 + frame * PSST_AUDIO_FRAME_BYTES, lseek(seen, 0, SEEK_END));
        for (int i = 0; i < PSST_AUDIO_FRAME_SAMPLES; i++) pcm[i] = (int16_t)(frame + 1);
        psst_wav_out_frame(&wav, pcm);
    }
    psst_wav_out_fini(&wav);
    /* the next one is given the same descriptor */
    assert_ok(psst_wav_out_init(&wav, dup(seen), NULL));
    psst_wav_out_frame(&wav, pcm);
    psst_wav_out_fini(&wav);
    struct psst_wav_in in;
    assert_int_equal(0, lseek(seen, 0, SEEK_SET));
    assert_ok(psst_wav_in_init(&in, seen, NULL));
    for (int frame = 0; frame < 5; frame++) {
        psst_wav_in_frame(&in, pcm);
        assert_int_equal(frame < 4 ? frame + 1 : 4, pcm[PSST_AUDIO_FRAME_SAMPLES - 1]);
    }
    psst_wav_in_fini(&in);
}

static void wav_out__refuses__what_cannot_be_written(void **state)
{
    (void)state;
    struct psst_wav_out wav;
    struct psst_diag diag = {0};
    assert_err(PSST_ERR_IO, psst_wav_out_init(&wav, open("/dev/full", O_WRONLY), &diag));
    assert_string_equal("the speaker's file cannot be written as a wav", diag.text);
    const int fd = a_file("abc", 3);
    assert_int_equal(3, lseek(fd, 0, SEEK_END));
    assert_err(PSST_ERR_IO, psst_wav_out_init(&wav, fd, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wav_in__gives_samples_then_silence),
        cmocka_unit_test(wav_in__goes_on__where_the_descriptor_stands),
        cmocka_unit_test(wav_in__is_bounded_by_the_file__whatever_it_says),
        cmocka_unit_test(wav_in__refuses__with_a_sentence),
        cmocka_unit_test(wav_in__steps_over__other_chunks),
        cmocka_unit_test(wav_out__is_whole__after_every_frame),
        cmocka_unit_test(wav_out__refuses__what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
