/* check_trust.c - grammars of a TrustPolicy; pure, every input hostile.  What
 * needs cryptography to be judged (keys, certificates) is policy/trust's. */
#include "manifest/check.h"

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/num.h"
#include "lib/pattern.h"
#include "lib/text.h"

#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define NAME_MAX_BYTES 200
#define BASE64_MAX ((size_t)1 << 20)

static bool only(const char *s, const char *set)
{
	return s[strspn(s, set)] == '\0';
}

const char *check_trust_name(const char *s)
{
	static const char what[] =
		"a name (letters, digits and . _ - + @ : /, at most 200, not "
		"\"system:...\")";

	if (*s && strlen(s) <= NAME_MAX_BYTES &&
	    strchr(LOWER UPPER DIGITS, *s) &&
	    only(s, LOWER UPPER DIGITS "._-+@:/") &&
	    strncmp(s, "system:", 7) != 0)
		return NULL;
	return what;
}

const char *check_trust_time(const char *s)
{
	int64_t ms;

	return clock_parse_rfc3339(s, &ms)
		       ? NULL
		       : "a time in UTC such as \"2027-01-31T00:00:00Z\"";
}

const char *check_trust_span(const char *s)
{
	int64_t seconds;

	return clock_parse_span(s, &seconds)
		       ? NULL
		       : "a span such as 90m, 48h or 14d (at most 3650d)";
}

const char *check_trust_ssh(const char *s)
{
	size_t type = strspn(s, LOWER DIGITS "-@."), key;

	if (type > 0 && s[type] == ' ' && !strpbrk(s, "\r\n\t")) {
		s += type + 1;
		key = strspn(s, LOWER UPPER DIGITS "+/=");
		if (key > 0 && (s[key] == ' ' || s[key] == '\0'))
			return NULL;
	}
	return "a public key as in a .pub file: TYPE BASE64 [COMMENT]";
}

const char *check_trust_pattern(const char *s)
{
	return pattern_check(s);
}

const char *check_trust_principal(const char *s)
{
	return *s && strlen(s) <= NAME_MAX_BYTES && !strpbrk(s, "*?!, \t\r\n")
		       ? NULL
		       : "a plain name (no * ? ! , and blanks)";
}

const char *check_trust_pem(const char *s)
{
	return strncmp(s, "-----BEGIN CERTIFICATE-----\n", 28) == 0
		       ? NULL
		       : "PEM that begins with -----BEGIN CERTIFICATE-----";
}

const char *check_trust_san(const char *s)
{
	size_t n = strncmp(s, "email:", 6) == 0 ? 6
		   : strncmp(s, "uri:", 4) == 0 ? 4
						: 0;

	return n && s[n] && !strpbrk(s, " \t\r\n") ? NULL
						   : "email:ADDRESS or uri:URI";
}

const char *check_trust_issuer(const char *s)
{
	return strncmp(s, "https://", 8) == 0 && s[8] && !strpbrk(s, " \t\r\n")
		       ? NULL
		       : "an https URL";
}

const char *check_trust_openpgp(const char *s)
{
	size_t n = strlen(s);

	return (n == 40 || n == 64) && only(s, DIGITS "ABCDEF")
		       ? NULL
		       : "the full fingerprint: 40 or 64 upper-case hex digits "
			 "without blanks";
}

const char *check_trust_armor(const char *s)
{
	return strncmp(s, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", 37) == 0
		       ? NULL
		       : "an armored certificate (gpg --armor --export)";
}

static bool is_sha256(const char *s)
{
	char padded[45];
	struct buf digest;
	bool good;

	if (strncmp(s, "SHA256:", 7) != 0 || strlen(s) != 7 + 43)
		return false;
	memcpy(padded, s + 7, 43);
	memcpy(padded + 43, "=", 2);
	buf_init(&digest, 64);
	good = encode_unbase64(&digest, padded, 44);
	buf_release(&digest);
	return good;
}

const char *check_trust_fingerprint(const char *s)
{
	return is_sha256(s) || !check_trust_openpgp(s)
		       ? NULL
		       : "SHA256:... (ssh-keygen -l) or an OpenPGP fingerprint "
			 "of 40 or 64 upper-case hex digits";
}

const char *check_trust_base64(const char *s)
{
	struct buf bytes;
	bool good;

	buf_init(&bytes, BASE64_MAX);
	good = *s && encode_unbase64(&bytes, s, strlen(s));
	buf_release(&bytes);
	return good ? NULL : "base64 in one line (base64 -w0), at most 1 MiB";
}

const char *check_trust_payload(const char *s)
{
	return strncmp(s, "sha256:", 7) == 0 && text_is_hex(s + 7, 64)
		       ? NULL
		       : "sha256: and 64 lower-case hex digits";
}
