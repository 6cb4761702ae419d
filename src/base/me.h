/* The word that stands for oneself before what one has said, on every screen and in every export; and what looks like it. */
#ifndef PSST_BASE_ME_H
#define PSST_BASE_ME_H

#include "base/bytes.h"

#define PSST_ME "me"

/* Whether that name, or its first word, reads as PSST_ME, whatever case, width or alphabet its letters are of. */
bool psst_is_me(struct psst_view name);

#endif
