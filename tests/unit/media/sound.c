#include "sound.h"

#include <math.h>
#include <stdlib.h>

#define TURN 6.283185307179586

static int16_t clamp(double v)
{
    return (int16_t)lrint(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
}

static double uniform(uint64_t *state) /* -1 to 1 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)(z >> 11) / 4503599627370496.0 - 1;
}

void sound_noise(int16_t *pcm, size_t n, double dbfs, uint64_t *state)
{
    double peak = 32768 * pow(10, dbfs / 20) * sqrt(3);
    for (size_t i = 0; i < n; i++) pcm[i] = clamp(peak * uniform(state));
}

void sound_sine(int16_t *pcm, size_t n, double hz, double peak_dbfs, uint64_t at)
{
    double peak = 32768 * pow(10, peak_dbfs / 20);
    for (size_t i = 0; i < n; i++) pcm[i] = clamp(peak * sin(TURN * hz * (double)(at + i) / PSST_VOICE_HZ));
}

#define HARMONICS 22

void sound_speech(int16_t *pcm, size_t n, double dbfs, uint64_t at)
{
    double scale = 32768 * pow(10, dbfs / 20) * 1.9, loud = 0, gains[HARMONICS + 1] = {0};
    uint64_t syllable = UINT64_MAX, length = PSST_VOICE_HZ / 5;
    for (size_t i = 0; i < n; i++) {
        uint64_t now = (at + i) / length;
        if (now != syllable) {
            syllable = now;
            uint64_t which = syllable * 7919 + 13;
            loud = syllable % 5 == 4 ? 0 : 0.6 + 0.4 * uniform(&which);
            double f1 = 500 + 250 * uniform(&which), f2 = 1500 + 700 * uniform(&which);
            for (int h = 1; h <= HARMONICS; h++)
                gains[h] = 1 / (1 + pow((140 * h - f1) / 120, 2)) + 0.5 / (1 + pow((140 * h - f2) / 180, 2)) + 0.02;
        }
        double t = (double)(at + i) / PSST_VOICE_HZ, into = (double)((at + i) % length) / (double)length;
        double phase = TURN * (140 * t + 3 * sin(2.1 * t)); /* the voice glides */
        double twice = 2 * cos(phase), before = 0, sine = sin(phase), sum = 0;
        for (int h = 1; h <= HARMONICS; h++) { /* the sines of the multiples, each from the two before */
            sum += gains[h] * sine;
            double next = twice * sine - before;
            before = sine;
            sine = next;
        }
        pcm[i] = clamp(scale * loud * sin(TURN / 2 * into) * sum);
    }
}

double sound_energy(const int16_t *pcm, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)pcm[i] * pcm[i];
    return sum;
}

double sound_db(const int16_t *pcm, size_t n)
{
    double mean = sound_energy(pcm, n) / (double)n / 1073741824.0;
    return mean > 0 ? 10 * log10(mean) : -200;
}

int sound_largest_step(const int16_t *pcm, size_t n)
{
    int largest = 0;
    for (size_t i = 1; i < n; i++)
        if (abs(pcm[i] - pcm[i - 1]) > largest) largest = abs(pcm[i] - pcm[i - 1]);
    return largest;
}

double sound_correlation(const int16_t *a, const int16_t *b, size_t n)
{
    double sum = 0, norm = sqrt(sound_energy(a, n) * sound_energy(b, n));
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return norm > 0 ? sum / norm : 0;
}
