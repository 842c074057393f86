/*
 * armor.h - the text around a signature.  Pure; the input is hostile.
 *
 * Only the armor that the signing program itself writes is accepted: its width
 * of lines, nothing before BEGIN, nothing after END.  Else anybody could wrap a
 * good signature anew and get another object id with the same content.
 */
#ifndef POLICY_TRUST_ARMOR_H
#define POLICY_TRUST_ARMOR_H

#include "policy/trust/commit.h"

#define ARMOR_BYTES_MAX 65536

enum armor_kind { ARMOR_SSH, ARMOR_CMS, ARMOR_OPENPGP, ARMOR_KINDS };

/* Value of a gpgsig header (continuation lines begin with one space) -> plain
 * lines without the last newline, appended.  T113. */
int armor_unfold(const struct commit_span *header, struct buf *out,
		 struct verdict *v);
/* By the first line; T112 when it begins no signature known here. */
int armor_kind(const struct commit_span *lines, enum armor_kind *out,
	       struct verdict *v);
/* Plain lines without the last newline -> the bytes inside, appended.  OpenPGP:
 * no headers, with a checksum; an empty line behind it is accepted, because
 * GitHub writes one.  T112 if they are of another kind, T113. */
int armor_read(const struct commit_span *lines, enum armor_kind kind,
	       struct buf *out, struct verdict *v);
/* The armored OpenPGP certificate of a trust policy; here headers ("Comment:
 * ...") are passed over.  T113. */
int armor_read_certificate(const struct commit_span *lines, struct buf *out,
			   struct verdict *v);

#endif
