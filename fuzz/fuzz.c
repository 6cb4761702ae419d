#include "fuzz.h"

/* clang-format off */
static const char pem_a[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBALb0I9/WGVhQf10I\n"
    "DBZ6qrg6OWUn7T4zr25iGx3akIjlKU/r8OTbnZSI3se0Lzha0nXAATPyeP4XiBG+\n"
    "1iWkP8DVuaU3clPnqUNhXo383+NxwiwlaXZAgociPfvPkGa+RwL0QENvGGs1VQPH\n"
    "5WWp0/DLALQa1PbHKtidjwk9JC/PAgMBAAECgYEAkip1KtR7RUJyrtnKBn+UO0FR\n"
    "L475jLNwWgkJTw2aYbRsEA0ZVU5cFBpRmk1LWIO/FxICJAV5Qs98B2lm34Xc5BIU\n"
    "jdAbCZaRNhGNYXwc9At+x68UD6RFHSZV7udZveFMtaSzhMS/7P3WcOZ51e89/IRf\n"
    "e4ghT3NXHgm3gVsDa3ECQQDgYScB68uMxseIYJsdQdQ/YjVPILIA1Q32HCEtEc9r\n"
    "8U2RoHwazol+37oGDAg77L2+p+lcQfJUs3GD8CGpjOtnAkEA0Lx8LAG5uXR3Tn1u\n"
    "xrqHc8y7LuFH1BveBbEmLGKHuDcxzoQZDs7VWUo+ahZIrbvNjw7XaOABtfhzG+vC\n"
    "bgg/WQJATQJrHeis0uNChlcJxc/bJenx+/dvwINfKFHdPRe4xgZqpgmbrqOmYyos\n"
    "MXkdtlt5gB8nI6fqoRF5a1wWYZfhDwJBAJJ1riqyiz41GgFYwYFvH9uAq1YZe+y4\n"
    "IPCde8to1xHKqIfe6DYbqlccYO7O8+/y9iiKoVpU0t57lUjiA2pxHwECQCkZomk8\n"
    "vWpP4aa6QjgP3qOYF/ApAKe4yKEgf1ifPIreGspU/Bs0EPcYf8KFBnDBTDk6guiB\n"
    "QIpzyFBVDXshC1I=\n"
    "-----END PRIVATE KEY-----\n";
static const char pem_b[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBALsdyw5LhikPqy6y\n"
    "kEyXHAtYTvOHINi6ElVe00Gb7TN5TpZ3qco5SFKdkXIrWVOL7oGkFBd70p382yZ8\n"
    "jRy4uJxJAoOnq26XPOei0/pQIlXNuATSeBmNn5Tw05K9iTf4rSqth5Xko6iM60B1\n"
    "9H9K4Pk2vKr8ClL0sniWXrTX/XLLAgMBAAECgYAks+BbinbjYP5r53ykeVN36jd6\n"
    "TzwjJsRn2HTJvsMVQKsomopEb13/Tob0BQq9d4ouBbgnLxOOB8YY039+bcFQGKB3\n"
    "I+P61s1e/hbVP9aBrLNJvNVd/bzZQC0BQr3uz2BGHnVVX/FfXK/gy5l+A2+HRdy4\n"
    "TvvzOyoreIytvcY0AQJBAOFAZkbxIDQH685WAmc5ofr+WMsD9JoEzB2l3ujw4188\n"
    "+ga0w+tVMAPkBB+msuvfkRC1RfyWT7SLjkyD1kdY/gECQQDUqLp+4DVwZ/LmMxBA\n"
    "dSsqjHUfY4Tv4kHxqZTZQEw1kNHndO1PlLP1cAklxEbn8jzi+iXlGepgDASe91x0\n"
    "fAjLAkByQpSfD9liC1KWTBLUAewkwbiQ4uTE7AIOWAGG8AqmWOwLUs6/JWtBzfw5\n"
    "gfnopHOVoh5qTmUIFHKOZaHgd0gBAkEA0eNSZiUOOUovP6rIcIX0O8NzWa6Up1pN\n"
    "saGpKp8+WGP9+A68ph3jW+ve62qEfSrlkzRHMI5ad7+E1AzaMJG27wJBAL2gbTYy\n"
    "ZxFZpmzfv6ewr/S2uUtxH4IbwWVT2fEEG0ldxBJkTWwmVVax4xQDE63MOOav7Zii\n"
    "oFAr8f+c7SqootY=\n"
    "-----END PRIVATE KEY-----\n";
/* clang-format on */

void fuzz_init(void)
{
    static bool done;
    if (done) return;
    FUZZ_CHECK(psst_crypto_init(0) == PSST_OK);
    done = true;
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
    struct fuzz_rng *rng = ctx;
    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0) rng->state += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = rng->state;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        out[i] = (uint8_t)((z ^ z >> 31) >> i % 8 * 8);
    }
}

struct psst_rng fuzz_rng_of(struct fuzz_rng *rng)
{
    return (struct psst_rng){fill, rng};
}

static struct psst_rsa_private *load(const char *pem)
{
    struct psst_rsa_private *key;
    fuzz_init();
    FUZZ_CHECK(psst_rsa_private_from_pem(&key, psst_view_str(pem), psst_view(NULL, 0), NULL) == PSST_OK);
    return key;
}

const struct psst_rsa_private *fuzz_key_a(void)
{
    static struct psst_rsa_private *key;
    if (key == NULL) key = load(pem_a);
    return key;
}

const struct psst_rsa_private *fuzz_key_b(void)
{
    static struct psst_rsa_private *key;
    if (key == NULL) key = load(pem_b);
    return key;
}

struct psst_view fuzz_take_view(struct psst_view *input, size_t len)
{
    struct psst_view v = psst_view(input->data, input->len < len ? input->len : len);
    if (v.len > 0) input->data += v.len;
    input->len -= v.len;
    return v;
}

void fuzz_take(struct psst_view *input, uint8_t *out, size_t len)
{
    struct psst_view v = fuzz_take_view(input, len);
    memset(out, 0, len);
    if (v.len > 0) memcpy(out, v.data, v.len);
}

uint8_t fuzz_take_u8(struct psst_view *input)
{
    uint8_t b[1];
    fuzz_take(input, b, sizeof b);
    return b[0];
}

uint16_t fuzz_take_u16(struct psst_view *input)
{
    uint8_t b[2];
    fuzz_take(input, b, sizeof b);
    return psst_load_u16(b);
}
