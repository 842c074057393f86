/*
 * check.h - grammars of strings.  A check returns NULL when text is fine, else
 * what it wants, as words that fit behind "want".  Pure.
 */
#ifndef MANIFEST_CHECK_H
#define MANIFEST_CHECK_H

#include <stddef.h>

typedef const char *check_fn(const char *text);

check_fn check_dns_label; /* RFC 1123 label */
check_fn check_dns_subdomain;
check_fn check_service_name; /* RFC 1035 label: starts with a letter */
check_fn check_label_key;    /* [prefix/]name */
check_fn check_label_value;
check_fn check_port_name; /* IANA service name, <= 15 */
check_fn check_env_name;
check_fn check_env_prefix; /* "" or an env name */
check_fn check_config_key; /* key of a ConfigMap, Secret */
check_fn check_image;
check_fn check_absolute;   /* absolute path without '..' */
check_fn check_mount_path; /* as above, without ':' */
check_fn check_relative;   /* relative path without '..' */
check_fn check_ip;
check_fn check_ipv4;
check_fn check_hostname;
check_fn check_field_path; /* of env fieldRef */
check_fn check_http_path;
check_fn check_header_name;
check_fn check_nonempty;
check_fn check_percent; /* "25%" */
check_fn check_ref;	/* refs/heads/... */
check_fn check_repository_id;
check_fn check_registry;  /* host[:port][/prefix] */
check_fn check_tree_path; /* "." or a relative directory */

/* of a TrustPolicy */
check_fn check_trust_name;	  /* of a person, role or carrier */
check_fn check_trust_time;	  /* RFC 3339 in UTC */
check_fn check_trust_span;	  /* "48h" */
check_fn check_trust_ssh;	  /* line of a .pub file; base64 not decoded */
check_fn check_trust_pattern;	  /* lib/pattern.h */
check_fn check_trust_principal;	  /* of a certificate; no pattern */
check_fn check_trust_pem;	  /* has a certificate in it */
check_fn check_trust_san;	  /* "email:..." or "uri:..." */
check_fn check_trust_issuer;	  /* https URL */
check_fn check_trust_openpgp;	  /* 40 or 64 upper-case hex digits */
check_fn check_trust_armor;	  /* public key block */
check_fn check_trust_fingerprint; /* "SHA256:..." or of OpenPGP */
check_fn check_trust_base64;
check_fn check_trust_payload; /* "sha256:" and 64 hex digits */

#endif
