/* What runs in the audio callback takes no memory and no lock: malloc and its kin and pthread_mutex_lock are ours here, for
 * the libraries as well, and count. (Not in sanitizer builds, which have a malloc of their own.) */
#include "media/codec.h"
#include "media/receiver.h"
#include "media/sender.h"
#include "media/tone.h"
#include "sound.h"
#include "support/check.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define FRAMES 2400

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static volatile unsigned allocations, frees, locks;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    allocations++;
    return __libc_realloc(p, size);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
    allocations++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = memalign(alignment, size);
    return *out == NULL ? ENOMEM : 0;
}

void free(void *p)
{
    if (p != NULL) frees++;
    __libc_free(p);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static int (*real)(pthread_mutex_t *);
    locks++;
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_lock");
    return real(mutex);
}

static void counts__are_right(void **state)
{
    (void)state;
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct psst_encoder *encoder;
    unsigned before = allocations, freed = frees, locked = locks;
    assert_ok(psst_encoder_new(&encoder));
    assert_true(allocations - before >= 2); /* ours, and libopus's */
    psst_encoder_free(encoder);
    assert_true(frees - freed >= 2);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_true(locks > locked);
}

/* All that a call may do between two of its callbacks. */
static void change(struct psst_sender *sender, int f, struct psst_sender_settings *settings)
{
    if (f % 500 == 100) settings->echo = !settings->echo;
    if (f % 300 == 200) settings->clean = !settings->clean;
    if (f % 400 == 300) settings->send = !settings->send;
    if (f % 250 == 50) settings->quality = (unsigned)f / 250 % 11;
    if (f % 50 == 0) psst_sender_set(sender, settings);
    if (f % 50 == 25) psst_sender_report(sender, (uint8_t)(f / 50 % 7 * 12), 20, (uint16_t)(40 + f % 300));
}

static void call__takes_no_memory_and_no_lock__between_its_frames(void **state)
{
    (void)state;
    static int16_t speech[FRAMES / 4][SOUND_FRAME];
    struct psst_sender_settings settings = {240, 6, -50, true, true, true};
    struct psst_sender *sender;
    struct psst_receiver *receiver;
    struct psst_tone tone;
    uint8_t opus[PSST_VOICE_OPUS_MAX];
    int16_t out[SOUND_FRAME];
    size_t len;
    unsigned failures = 0;
    sound_speech(speech[0], (size_t)FRAMES / 4 * SOUND_FRAME, -20, 0);
    assert_ok(psst_sender_new(&sender, &settings));
    assert_ok(psst_receiver_new(&receiver));
    psst_tone_init(&tone, PSST_TONE_RING);

    unsigned before = allocations, freed = frees, locked = locks;
    for (int f = 0; f < FRAMES; f++) {
        uint64_t now_ns = (uint64_t)f * PSST_VOICE_FRAME_NS;
        uint32_t timestamp = (uint32_t)f * SOUND_FRAME;
        (void)psst_tone_frame(&tone, out);
        change(sender, f, &settings);
        failures += psst_sender_frame(sender, speech[f % (FRAMES / 4)], opus, &len) != PSST_OK;
        if (f % 11 != 3 && f / 100 % 9 != 5) /* lost; and outages of two seconds */
            psst_receiver_put(receiver, timestamp, psst_view(opus, f % 97 == 0 ? 0 : f % 101 == 0 ? 7 : len), now_ns);
        if (f % 13 == 5) psst_receiver_put(receiver, timestamp, psst_view(opus, len), now_ns);
        if (f % 1000 == 999) psst_receiver_put(receiver, timestamp * 77, psst_view(opus, len), now_ns);
        size_t pieces = f / 500 % 2 == 0 ? 4 : 1,
               samples = SOUND_FRAME / pieces; /* as a device asks, and as a wav does */
        for (size_t i = 0; i < pieces; i++) {
            psst_receiver_pull(receiver, out, samples,
                               now_ns + PSST_VOICE_FRAME_NS / 2 + i * PSST_VOICE_FRAME_NS / pieces);
            psst_sender_played(sender, out, samples);
        }
        (void)psst_sender_state(sender);
        (void)psst_receiver_stats(receiver);
    }
    unsigned taken = allocations - before, given = frees - freed, held = locks - locked;

    psst_sender_free(sender);
    psst_receiver_free(receiver);
    assert_int_equal(failures, 0);
    assert_int_equal(taken, 0);
    assert_int_equal(given, 0);
    assert_int_equal(held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts__are_right),
        cmocka_unit_test(call__takes_no_memory_and_no_lock__between_its_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
