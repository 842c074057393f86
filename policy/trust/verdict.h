/*
 * verdict.h - why something is not trusted: a stable T code and a reason.
 *
 * Every function of policy/trust returns 0, or ERR_TRUST after filling a struct
 * verdict once, where the cause is known.  Plain data of fixed size.  Untrusted
 * text in a reason has gone through text_safe().  Codes are never reused; the
 * table is docs/trust.md, made from TCODE_LIST.
 */
#ifndef POLICY_TRUST_VERDICT_H
#define POLICY_TRUST_VERDICT_H

#include "lib/buf.h"
#include "lib/err.h"

/* X(name, number, what it means, what to do) */
#define TCODE_LIST(X)                                                          \
	X(GRAMMAR, 101, "the commit or tag breaks the strict grammar",         \
	  "make it again with git; it was made or changed by a tool")          \
	X(TOO_LARGE, 102, "the commit object is over the size limit",          \
	  "shorten the commit message")                                        \
	X(ENCODING, 103, "the commit is not UTF-8",                            \
	  "unset i18n.commitEncoding and commit again")                        \
	X(DATE, 104, "a date of the commit is out of range",                   \
	  "set the clock and commit again")                                    \
	X(DENIED, 105, "the commit or tag is on the deny-list",                \
	  "make another one; this content was denied on purpose")              \
	X(TAG_NAME, 106, "the tag has another name than its ref",              \
	  "make the tag under the name of the ref that is followed")           \
	X(TAG_TARGET, 107, "the tag does not point at a commit",               \
	  "tag the commit itself: git tag -s NAME COMMIT")                     \
	X(UNSIGNED, 110, "the commit or tag is not signed",                    \
	  "git config commit.gpgSign true; git commit --amend -S; for a tag "  \
	  "git tag -s -f NAME")                                                \
	X(AMBIGUOUS, 111, "the commit has more than one signature header",     \
	  "sign the commit again with git commit --amend -S")                  \
	X(NOT_SSH, 112, "the signature is of a kind that nobody may use",      \
	  "git config gpg.format ssh; git commit --amend -S; other kinds "     \
	  "need a trust policy, reconcile-trust(5)")                           \
	X(ARMOR, 113, "the armor of the signature is not canonical",           \
	  "sign the commit again with ssh-keygen through git")                 \
	X(SSHSIG, 114, "the SSH signature is malformed",                       \
	  "sign the commit again with ssh-keygen through git")                 \
	X(NAMESPACE, 115, "the signature was made for something else",         \
	  "sign with git, which uses the namespace \"git\"")                   \
	X(HASH, 116, "the hash of the signature is not allowed",               \
	  "use sha256 or sha512")                                              \
	X(KEY_TYPE, 117, "the key type or size is not allowed",                \
	  "use ed25519, ecdsa, sk-ssh-ed25519, sk-ecdsa or rsa >= 3072 bits")  \
	X(BAD_SIGNATURE, 118, "the signature does not match the commit",       \
	  "somebody changed the commit after it was signed; sign it again")    \
	X(PRESENCE, 119, "the hardware key was used without touch or PIN",     \
	  "sign again with touch (and PIN where verify-required is set)")      \
	X(UNKNOWN_KEY, 120, "the key is nobody's who may sign",                \
	  "add the key to the trust policy or the allowed signers, or sign "   \
	  "with your own")                                                     \
	X(REVOKED, 122, "the key or certificate is revoked",                   \
	  "sign with another key; find out who used this one")                 \
	X(WINDOW, 123, "the commit date is outside the key's validity",        \
	  "sign with a key that is valid, dated now")                          \
	X(EXPIRED_NOW, 124, "the key may not introduce commits now",           \
	  "sign again with a key that is valid today")                         \
	X(FUTURE, 125, "the commit is dated in the future",                    \
	  "set the clock of the machine that commits, and commit again")       \
	X(CMS, 126, "the X.509 signature (CMS) is malformed",                  \
	  "sign again with gpgsm, smimesign or gitsign through git")           \
	X(CMS_CERT, 127, "the X.509 certificate may not be used so",           \
	  "issue one for emailProtection or codeSigning that is no authority") \
	X(CMS_CHAIN, 128, "no pinned authority stands behind the certificate", \
	  "sign with a certificate of the authority that the trust policy "    \
	  "pins, and let the signature carry those between")                   \
	X(CMS_IDENTITY, 129, "the certificate names nobody who may sign",      \
	  "sign with a certificate whose SAN is x509.identity of the trust "   \
	  "policy, from its issuer")                                           \
	X(CERT, 130, "the certificate is malformed",                           \
	  "issue the certificate again with ssh-keygen -s")                    \
	X(CERT_TYPE, 131, "the certificate is not a user certificate",         \
	  "issue it without -h")                                               \
	X(CERT_PRINCIPAL, 132,                                                 \
	  "the certificate has no principal that may sign",                    \
	  "issue it with -n NAME that the cert-authority line allows")         \
	X(CERT_WINDOW, 133, "the certificate is not valid at that time",       \
	  "issue a new certificate")                                           \
	X(CERT_OPTION, 134, "the certificate has a critical option",           \
	  "issue it without -O options other than verify-required")            \
	X(CERT_CA, 135, "the certificate is not signed by its authority",      \
	  "issue it with the key of the cert-authority line")                  \
	X(OPENPGP, 136, "the OpenPGP signature is malformed",                  \
	  "sign the commit again with gpg or sq through git")                  \
	X(OPENPGP_REFUSED, 137, "sqv does not accept the OpenPGP signature",   \
	  "sign with a key of a pinned certificate, SHA-256 or better, dated " \
	  "now; put renewed certificates into the trust policy")               \
	X(OPENPGP_OFF, 138, "OpenPGP signatures are not looked at here",       \
	  "sign with SSH or X.509, or set trust.openpgp and join hosts anew")  \
	X(OPENPGP_FAILED, 139, "sqv could not be run",                         \
	  "install Debian's package sqv, and look at the log")                 \
	X(NOT_DESCENDANT, 140,                                                 \
	  "the commit does not descend from the last "                         \
	  "accepted one",                                                      \
	  "history was rewritten or rolled back: push a commit on top of the " \
	  "accepted one (git revert)")                                         \
	X(MISSING, 141, "history is incomplete",                               \
	  "fetch the whole history; shallow and partial stores are refused")   \
	X(STORE, 142, "the object store borrows or hides history",             \
	  "use a plain clone: no alternates, no shallow file")                 \
	X(TOO_MANY, 143, "too many commits at once",                           \
	  "let an operator accept an earlier commit first")                    \
	X(CORRUPT, 144, "an object does not match its id",                     \
	  "the store is damaged or forged: fetch it again")                    \
	X(OFF_LINE, 145,                                                       \
	  "the last accepted commit is not on the line of first parents",      \
	  "merge into the branch that is followed, not the other way round")   \
	X(STALE, 146,                                                          \
	  "the newest commit is older than the trust policy allows",           \
	  "commit and push: git commit --allow-empty -S -m alive; if that is " \
	  "there already, somebody withholds it")                              \
	X(MERGE, 147, "the merge is not what merging its parents gives",       \
	  "let a person sign the merge, or let enough people approve it: "     \
	  "reconcile trust approve")                                           \
	X(CARRIER, 148, "the key of a forge may not make such a commit",       \
	  "add Merge or Squash to the carrier's accept, or push a commit "     \
	  "that a person signed")                                              \
	X(ONLY_EMPTY, 149, "the key may sign empty commits only",              \
	  "sign with the key of a person")                                     \
	X(REPOSITORY, 150, "the commit belongs to another repository",         \
	  "check the URL, and repository.id in .reconcile/policy.yaml")        \
	X(REF, 151, "the commit belongs to another branch",                    \
	  "check repository.ref in .reconcile/policy.yaml and in the trust "   \
	  "root")                                                              \
	X(NO_POLICY, 152, "the commit has no .reconcile/policy.yaml",          \
	  "add the file: see reconcile-manifest(5), ClusterPolicy")            \
	X(POLICY_ELSEWHERE, 153, "a ClusterPolicy outside its place",          \
	  "keep the one ClusterPolicy in .reconcile/policy.yaml")              \
	X(ROLES, 154, "the roles before the commit do not allow the change",   \
	  "let somebody sign whose roles allow it, or change the roles in a "  \
	  "commit before")                                                     \
	X(ROLES_UNREADABLE, 155, "what a file changes cannot be told",         \
	  "correct the manifest in the commit that breaks it; else somebody "  \
	  "signs who may do everything")                                       \
	X(ROLES_IDLE, 156, "roles that are not in force",                      \
	  "set authorization: RBAC in .reconcile/trust.yaml, or delete them")  \
	X(ROLES_SUBJECT, 157, "a subject that the trust policy does not know", \
	  "name a person (User) or a role (Group) of .reconcile/trust.yaml")   \
	X(ROLES_READER, 158, "the roles do not let this person read",          \
	  "have a role bound that gives it: reconcile(1), READERS")            \
	X(SIGNERS, 160, "the allowed signers file is malformed",               \
	  "correct the line: see reconcile-allowed-signers(5)")                \
	X(NO_REVOCATIONS, 161, "the revocation list is missing or empty",      \
	  "give a file; one comment line will do if nothing is revoked")       \
	X(REVOCATIONS, 162, "the revocation list is malformed",                \
	  "correct the line: see reconcile-allowed-signers(5)")                \
	X(LOCAL_TIME, 163, "a time is not in UTC",                             \
	  "add Z at the end, as in 20270101Z")                                 \
	X(NO_NAMESPACE, 164, "a signer line does not name the namespace",      \
	  "add namespaces=\"git\" before the key")                             \
	X(TREE_MODE, 170, "the tree holds something that is not a plain file", \
	  "replace links and submodules by plain files")                       \
	X(TREE_NAME, 171, "a name in the tree is dangerous", "rename it")      \
	X(TREE_CLASH, 172, "two names in a folder clash",                      \
	  "rename one of them")                                                \
	X(TREE_LIMIT, 173, "the tree is over a limit",                         \
	  "split the repository, or narrow manifestsPath")                     \
	X(KUSTOMIZE, 174, "kustomization files are not built here",            \
	  "run kustomize build in CI and commit the output")                   \
	X(TREE_GRAMMAR, 175, "a tree object is malformed",                     \
	  "make the commit again with git")                                    \
	X(REVISION, 180, "the commit id or revision is not acceptable",        \
	  "give 40 lower-case hex digits")                                     \
	X(ANCHOR, 181, "what was accepted last is not known any more",         \
	  "find out who removed or restored the state; then reconcile trust "  \
	  "anchor COMMIT")                                                     \
	X(TRUST_POLICY, 182, "the trust policy is not acceptable",             \
	  "reconcile trust check .reconcile/trust.yaml; reconcile-trust(5)")   \
	X(TRUST_ELSEWHERE, 183, "a TrustPolicy outside its place",             \
	  "keep the one TrustPolicy in .reconcile/trust.yaml")                 \
	X(TRUST_KEY, 184, "a key of the trust policy is not acceptable",       \
	  "paste the line of the .pub file; reconcile-trust(5)")               \
	X(TRUST_TWICE, 185, "a key of the trust policy belongs to two",        \
	  "a key has one owner: delete one of the two")                        \
	X(TRUST_VERSION, 186,                                                  \
	  "a change of the trust policy does not add 1 to its version",        \
	  "set spec.version to one more than before the change")               \
	X(TRUST_THRESHOLD, 187, "too few people can meet a rule",              \
	  "lower the threshold, or name more people with keys that can")       \
	X(TRUST_EXPIRED, 188, "the trust policy has expired",                  \
	  "let the people of root sign a new version with a later expires")    \
	X(VOUCH, 190, "too few people vouch for a change",                     \
	  "reconcile trust approve")                                           \
	X(NO_RULE, 191, "no rule of the trust policy allows the path",         \
	  "let the people of root add a rule, in a commit before")             \
	X(FIRST_TRUST, 192,                                                    \
	  "the trust policy is not the one where trust begins",                \
	  "compare trust.policy and trust.anchor with: reconcile trust show")  \
	X(NO_TRUST, 193, "there is no trust policy in the commit",             \
	  "put .reconcile/trust.yaml back: see reconcile-trust(5)")            \
	X(UNPINNED, 194, "a trust policy that is not pinned",                  \
	  "set trust.policy in reconcile.conf, or take "                       \
	  ".reconcile/trust.yaml away")                                        \
	X(APPROVAL, 195, "the approval is malformed",                          \
	  "make it with: reconcile trust approve")                             \
	X(APPROVAL_OTHER, 196,                                                 \
	  "the approval is for another repository or branch",                  \
	  "approve again where the change is proposed: reconcile trust "       \
	  "approve")

#define TCODE_ENUM(name, number, text, fix) TCODE_##name = number,
enum tcode { TCODE_OK = 0, TCODE_LIST(TCODE_ENUM) };
#undef TCODE_ENUM

struct verdict {
	enum tcode code;
	char reason[512];
};

/* Fills v (NULL allowed) and returns ERR_TRUST. */
int verdict_fail(struct verdict *v, enum tcode code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "words: " in front of the reason; returns ERR_TRUST. */
int verdict_wrap(struct verdict *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "T110"; "OK" for 0. Borrowed. */
const char *verdict_name(enum tcode code);
/* What the code means and what to do; "" for unknown ones.  Borrowed. */
const char *verdict_text(enum tcode code);
const char *verdict_fix(enum tcode code);

#endif
