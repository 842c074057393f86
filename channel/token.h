/*
 * token.h - the join token that a person carries to a new host: "rcj1." and
 * base64url (RFC 4648 section 5, no padding) of a packed JoinToken.
 *
 * The manager program makes it; reconcile-link and the manager's command line
 * read it.  Its text is hostile until decoded and its secret is never printed.
 * Strict: one spelling of a token, no white space, no unknown field.
 */
#ifndef CHANNEL_TOKEN_H
#define CHANNEL_TOKEN_H

#include "channel/agent.pb-c.h"
#include "lib/buf.h"
#include "lib/err.h"

#define TOKEN_PREFIX "rcj1."
#define TOKEN_TEXT_MAX 1024

/* Appends the text.  ERR_INPUT when a field breaks its rule (lengths, host
 * name, manager "address:port", expires > 0). */
int token_encode(const Channel__JoinToken *token, struct buf *out,
		 struct err *err);
/* *out_token owned: token_free().  ERR_INPUT with what is wrong; the message
 * never holds a part of the token. */
int token_decode(const char *text, Channel__JoinToken **out_token,
		 struct err *err);
/* Wipes the secret.  NULL allowed. */
void token_free(Channel__JoinToken *token);

#endif
