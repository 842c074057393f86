/*
 * netdev.h - network devices of the host moved into the container's network
 * namespace (runtime-spec 1.3, linux.netDevices), by netlink.
 *
 * Runs in the engine with the host's privileges, before the first process does
 * anything.  Names come from the config; answers from the kernel.  A device is
 * looked for, and its new name is looked up in the target, before anything is
 * changed.  What a device has taken with it goes down with its namespace: it is
 * not brought back.
 */
#ifndef ENGINE_NAMESPACE_NETDEV_H
#define ENGINE_NAMESPACE_NETDEV_H

#include "engine/spec/spec.h"
#include "lib/err.h"

/* ns_fd: the network namespace.  Permanent addresses of global scope go with
 * the device, and it is set up.  ERR_NOTFOUND, ERR_CONFLICT (the name is
 * taken), ERR_INPUT (loopback). */
int netdev_move(const struct spec_netdev *v, size_t n, int ns_fd,
		struct err *err);

#endif
