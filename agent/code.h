/*
 * code.h - the stable codes of a host: why an assignment, a pod or a container
 * is refused or waits.  X(code, name, text): one table for messages, the
 * manual page and `reconcile explain`.
 */
#ifndef AGENT_CODE_H
#define AGENT_CODE_H

#define CODE_LIST(X)                                                           \
	X(H101, REPLAY, "epoch is not above the one in force: ignored")        \
	X(H102, WRONG_HOST, "assignment is for another host")                  \
	X(H103, COMMIT, "this host's own verification refuses the commit")     \
	X(H104, OWNER, "owner is not in the verified commit")                  \
	X(H105, TEMPLATE, "template hash is not that of the signed object")    \
	X(H106, NAME, "pod name does not follow from owner and index")         \
	X(H107, INDEX, "index is above what the signed object allows")         \
	X(H108, FIT, "pod may not run on a host with these labels and taints") \
	X(H109, TWICE, "uid or name is listed twice")                          \
	X(H110, GRAMMAR, "identifier is malformed")                            \
	X(H111, PIN, "image digest differs from what this host resolves")      \
	X(H112, NO_PIN, "image by tag has no digest in the assignment")        \
	X(H113, OLD, "pod of another commit may stay, not be made")            \
	X(H114, MANY, "more containers than one pod may have")                 \
	X(H116, PACK, "objects of the commit could not be stored")             \
	X(H117, SERVICE, "service address is not in the service network")      \
	X(H118, RATCHET, "what this host accepted last is not known any more") \
	X(H201, IMAGE, "image could not be had")                               \
	X(H202, USER, "user of the container is not valid")                    \
	X(H203, NON_ROOT, "runAsNonRoot, but the user is root")                \
	X(H204, VOLUME, "volume could not be made")                            \
	X(H205, ENV, "environment could not be made")                          \
	X(H206, ENGINE, "engine could not start the container")                \
	X(H207, NET, "network could not be set up")                            \
	X(H208, RANGE, "no free range of user ids")                            \
	X(H209, ADDRESS, "no free address")                                    \
	X(H210, AUDIT, "audit record not written: nothing was done")           \
	X(H211, MONITOR, "monitor could not be started")                       \
	X(H212, PROFILE, "seccomp profile is not available")                   \
	X(H213, DISK, "disk of the host could not be written")                 \
	X(H301, WITNESS_STALE, "proof is not from what was cosigned last")     \
	X(H302, WITNESS_ROLLBACK, "log is shorter than what was cosigned")     \
	X(H303, WITNESS_FORK, "log does not extend what was cosigned")         \
	X(H304, WITNESS_KEY, "checkpoint is not signed by the log's key")      \
	X(H305, WITNESS_FAILED, "this host could not cosign")

#define CODE_ENUM(code, name, text) CODE_##name,
enum code_id { CODE_LIST(CODE_ENUM) CODE_COUNT };
#undef CODE_ENUM

const char *code_id(enum code_id id); /* "H101"; borrowed */
const char *code_text(enum code_id id);

#endif
