#include "client/take.h"

int psst_take_number(const char **at, int lo, int hi)
{
    int value = 0, digits = 0;
    while (digits < hi && **at >= '0' && **at <= '9') {
        value = 10 * value + (**at - '0');
        (*at)++;
        digits++;
    }
    bool more = **at >= '0' && **at <= '9';
    return digits < lo || more ? -1 : value;
}

bool psst_take(const char **at, char c)
{
    if (**at != c) return false;
    (*at)++;
    return true;
}
