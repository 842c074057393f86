/*
 * core.h - the manager program's end: a unix socket of the same user, one
 * attached core at a time, frames of local.proto.
 */
#ifndef CHANNEL_SERVER_CORE_H
#define CHANNEL_SERVER_CORE_H

#include "channel/server/server.h"

#include <protobuf-c/protobuf-c.h>

/* A connection of the unix socket; fd consumed.  Others than this user and
 * root are closed at once. */
void core_accept(struct server *srv, int fd);
/* Closes all. */
void core_release(struct server *srv);
/* Sends msg to the attached core; nothing when there is none. */
void core_emit(struct server *srv, uint16_t type, const ProtobufCMessage *msg);
/* Whether a core is attached that has already been told of host-side facts
 * with this mark: see peer.h, `due`. */
bool core_attached(const struct server *srv);
/* Reads certificates and revocation list anew; ends sessions that are revoked.
 * On failure nobody new is let in until the next one succeeds. */
int core_reload(struct server *srv, struct err *err);

#endif
