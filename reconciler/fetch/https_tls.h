/* https_tls.h - what https.c asks of TLS, through libcurl and beside it. */
#ifndef RECONCILER_FETCH_HTTPS_TLS_H
#define RECONCILER_FETCH_HTTPS_TLS_H

#include <curl/curl.h>
#include <stddef.h>

/* ca: PEM, borrowed for the life of the handle; server_key "": any. */
CURLcode https_tls_set(CURL *e, const void *ca, size_t ca_len,
		       const char *server_key);
/* On OpenSSL's SSL_CTX of each connection: the name or address must be among
 * the subject alternative names (RFC 9110, 4.3.4), where libcurl would take
 * the common name of a certificate that has none.  0 or -1. */
int https_tls_restrict(void *ssl_ctx, const char *host);

#endif
