/* token.c - join tokens.  See token.h. */
#include "channel/token.h"

#include "channel/address.h"
#include "channel/frame.h"
#include "lib/encode.h"

#include <openssl/crypto.h>
#include <string.h>

/* The rules beyond the shape. */
static int check(const Channel__JoinToken *token, struct err *err)
{
	struct address address;
	struct err cause = {0};

	if (token->expires <= 0)
		return err_set(err, ERR_INPUT, "token: has no end");
	if (address_parse(token->manager, &address, &cause) < 0)
		return err_set(err, ERR_INPUT, "token: manager: %s", cause.msg);
	return 0;
}

/* base64 <-> base64url; the padding is put back or taken off. */
static void to_url(struct buf *text, size_t from)
{
	for (size_t i = from; i < text->len; i++) {
		if (text->data[i] == '+')
			text->data[i] = '-';
		else if (text->data[i] == '/')
			text->data[i] = '_';
	}
	while (text->len > from && text->data[text->len - 1] == '=')
		text->data[--text->len] = '\0';
}

static bool from_url(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("+/=", text[i]))
			return false;
		if (text[i] == '-')
			buf_putc(out, '+');
		else
			buf_putc(out, text[i] == '_' ? '/' : text[i]);
	}
	while (out->len % 4 != 0)
		buf_putc(out, '=');
	return buf_check(out, NULL) == 0;
}

static void wipe(struct buf *b)
{
	if (b->data)
		OPENSSL_cleanse(b->data, b->cap);
	buf_release(b);
}

int token_encode(const Channel__JoinToken *token, struct buf *out,
		 struct err *err)
{
	ProtobufCMessage *again = NULL;
	struct err cause = {0};
	struct buf packed;
	size_t from;
	int r;

	buf_init(&packed, TOKEN_TEXT_MAX);
	r = check(token, err);
	if (r < 0)
		goto out;
	r = shape_pack(&token->base, &packed, err);
	if (r < 0)
		goto out;
	if (shape_open(frame_token_shape(), packed.data, packed.len, &again,
		       &cause) < 0) {
		r = err_set(err, ERR_INPUT, "token: %s", cause.msg);
		goto out;
	}
	buf_puts(out, TOKEN_PREFIX);
	from = out->len;
	encode_base64(out, packed.data, packed.len);
	to_url(out, from);
	r = buf_check(out, err);
out:
	token_free((Channel__JoinToken *)again);
	wipe(&packed);
	return r;
}

int token_decode(const char *text, Channel__JoinToken **out_token,
		 struct err *err)
{
	const size_t skip = sizeof(TOKEN_PREFIX) - 1;
	size_t len = strnlen(text, TOKEN_TEXT_MAX + 1);
	ProtobufCMessage *msg = NULL;
	struct err cause = {0};
	struct buf packed, padded;
	int r = 0;

	buf_init(&packed, TOKEN_TEXT_MAX);
	buf_init(&padded, TOKEN_TEXT_MAX + 8);
	if (len > TOKEN_TEXT_MAX) {
		r = err_set(err, ERR_INPUT, "token: longer than %d bytes",
			    TOKEN_TEXT_MAX);
	} else if (strncmp(text, TOKEN_PREFIX, skip) != 0) {
		r = err_set(err, ERR_INPUT, "token: want it to begin with %s",
			    TOKEN_PREFIX);
	} else if (!from_url(&padded, text + skip, len - skip) ||
		   !encode_unbase64(&packed, padded.data ? padded.data : "",
				    padded.len)) {
		r = err_set(err, ERR_INPUT, "token: not base64url");
	} else if (shape_open(frame_token_shape(), packed.data, packed.len,
			      &msg, &cause) < 0) {
		r = err_set(err, ERR_INPUT, "token: %s", cause.msg);
	} else if (protobuf_c_message_get_packed_size(msg) != packed.len) {
		r = err_set(err, ERR_INPUT, "token: has unknown fields");
	} else {
		r = check((Channel__JoinToken *)msg, err);
	}
	if (r == 0) {
		*out_token = (Channel__JoinToken *)msg;
		msg = NULL;
	}
	token_free((Channel__JoinToken *)msg);
	wipe(&packed);
	wipe(&padded);
	return r;
}

void token_free(Channel__JoinToken *token)
{
	if (!token)
		return;
	if (token->secret.data)
		OPENSSL_cleanse(token->secret.data, token->secret.len);
	shape_close(&token->base);
}
