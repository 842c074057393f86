/* https_tls.c - see https_tls.h.  Seen red by the guards in it. */
#include "reconciler/fetch/https_tls.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>

#ifndef GUARD_OFF_TLS_VERSION
#define VERSIONS ((long)CURL_SSLVERSION_TLSv1_2)
#define CIPHERS "DEFAULT"
#else
#define VERSIONS ((long)CURL_SSLVERSION_TLSv1_0)
#define CIPHERS "ALL:@SECLEVEL=0"
#endif
#ifndef GUARD_OFF_TLS_CHAIN
#define CHAIN 1L
#else
#define CHAIN 0L
#endif
#ifndef GUARD_OFF_TLS_NAME
#define NAME 2L
#else
#define NAME 0L
#endif

CURLcode https_tls_set(CURL *e, const void *ca, size_t ca_len,
		       const char *server_key)
{
	struct curl_blob blob = {
		.data = (void *)(uintptr_t)ca,
		.len = ca_len,
		.flags = CURL_BLOB_NOCOPY,
	};
	CURLcode c = curl_easy_setopt(e, CURLOPT_SSLVERSION, VERSIONS);

#define SET(option, value)                                                     \
	if (c == CURLE_OK)                                                     \
	c = curl_easy_setopt(e, option, value)
	SET(CURLOPT_SSL_CIPHER_LIST, CIPHERS);
	SET(CURLOPT_SSL_VERIFYPEER, CHAIN);
	SET(CURLOPT_SSL_VERIFYHOST, NAME);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAINFO_BLOB, &blob);
#ifndef GUARD_OFF_SERVER_KEY
	if (server_key[0] != '\0')
		SET(CURLOPT_PINNEDPUBLICKEY, server_key);
#else
	(void)server_key;
#endif
#undef SET
	return c;
}

int https_tls_restrict(void *ssl_ctx, const char *host)
{
#ifndef GUARD_OFF_TLS_NAME
	X509_VERIFY_PARAM *p = SSL_CTX_get0_param(ssl_ctx);

	if (X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1)
		return 0;
#ifndef GUARD_OFF_TLS_SUBJECT
	X509_VERIFY_PARAM_set_hostflags(
		p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
			   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
#endif
	return X509_VERIFY_PARAM_set1_host(p, host, 0) == 1 ? 0 : -1;
#else
	(void)ssl_ctx;
	(void)host;
	return 0;
#endif
}
