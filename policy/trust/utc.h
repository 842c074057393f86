/*
 * utc.h - the times of an allowed_signers file: YYYYMMDD, YYYYMMDDHHMM or
 * YYYYMMDDHHMMSS with a final Z.  Pure: no time zone data is read.
 */
#ifndef POLICY_TRUST_UTC_H
#define POLICY_TRUST_UTC_H

#include <stdint.h>

enum utc_result {
	UTC_OK,
	UTC_LOCAL, /* right but for the missing Z */
	UTC_BAD,
};

enum utc_result utc_parse(const char *text, int64_t *out_unix_s);

#endif
