/* cmocka with what it needs before it, and the checks that every test wants. */
#ifndef PSST_TESTS_CHECK_H
#define PSST_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

#define assert_ok(call)        assert_int_equal(PSST_OK, (call))
#define assert_err(want, call) assert_int_equal((want), (call))

static inline void assert_bytes(struct psst_view want, const void *got, size_t got_len)
{
    assert_int_equal(want.len, got_len);
    if (want.len > 0) assert_memory_equal(want.data, got, want.len);
}

#endif
