#include "client/init_words.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void psst_init_suggest_name(char out[PSST_INIT_NAME_SIZE])
{
    const struct passwd *me = getpwuid(getuid());
    const char *name = me == NULL ? "" : me->pw_gecos != NULL && me->pw_gecos[0] != '\0' ? me->pw_gecos : me->pw_name;
    size_t len = strcspn(name, ",");
    if (len >= PSST_INIT_NAME_SIZE) { /* never within a character */
        len = PSST_INIT_NAME_SIZE - 1;
        while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80) len--;
    }
    memcpy(out, name, len);
    out[len] = '\0';
}

bool psst_init_bits_allowed(long long bits)
{
    return bits >= PSST_INIT_BITS_MIN && bits <= PSST_INIT_BITS && bits % 256 == 0;
}

const struct psst_init_size psst_init_sizes[3] = {
    {4096, "the default; takes some seconds to make, once"},
    {3072, "strong by today's measure; made in a second or two"},
    {0, "for the sake of old keys only; marked weak wherever it is shown"},
};
const char psst_init_size_words[] = "The size of your RSA key. It holds for good, so take the strongest:";
const char psst_init_passphrase_words[] =
    "A passphrase keeps the key closed to who gets at this disk; several words are good. There is no way back to the "
    "key without it";
