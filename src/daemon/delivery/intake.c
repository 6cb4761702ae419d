#include "daemon/delivery/intake.h"

#define SECOND_NS   UINT64_C(1000000000)
#define BYTE_NS     (60 * SECOND_NS / PSST_INTAKE_BYTES_A_MINUTE)
#define TEXT_NS     (SECOND_NS / PSST_INTAKE_TEXTS_A_SECOND)
#define DEPTH_BYTES (PSST_INTAKE_BYTES * BYTE_NS)
#define DEPTH_TEXTS (PSST_INTAKE_TEXTS * TEXT_NS)

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* How far a bucket that is full at full_ns is below its bottom. */
static uint64_t debt(uint64_t full_ns, uint64_t depth_ns, uint64_t now_ns)
{
    return full_ns > now_ns && full_ns - now_ns > depth_ns ? full_ns - now_ns - depth_ns : 0;
}

uint64_t psst_intake_take(struct psst_intake *intake, uint64_t now_ns, size_t bytes)
{
    intake->bytes_ns = later(intake->bytes_ns, now_ns) + (uint64_t)bytes * BYTE_NS;
    intake->texts_ns = later(intake->texts_ns, now_ns) + TEXT_NS;
    return psst_intake_debt(intake, now_ns);
}

uint64_t psst_intake_debt(const struct psst_intake *intake, uint64_t now_ns)
{
    return later(debt(intake->bytes_ns, DEPTH_BYTES, now_ns), debt(intake->texts_ns, DEPTH_TEXTS, now_ns));
}
