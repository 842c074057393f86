# One row a program: folder, archives, libraries from pkg-config.  NEEDED is the
# whole list of sonames that the executable may have (`make lint` compares).
reconcile.DIR  := reconciler/cli
reconcile.USE  := reconciler policy manifest audit channel lib proto
reconcile.PKG  := libcrypto jansson sqlite3 libprotobuf-c yaml-0.1 libseccomp

reconcile-fetch.DIR := reconciler/fetch
reconcile-fetch.USE := lib proto
reconcile-fetch.PKG := libgit2 libcurl libssl libprotobuf-c libseccomp libcrypto

reconcile-dial.DIR := reconciler/dial
reconcile-dial.USE := lib
reconcile-dial.PKG := libseccomp libcrypto

reconcile-verify.DIR := policy/verify
reconcile-verify.USE := policy manifest lib proto
reconcile-verify.PKG := libgit2 yaml-0.1 jansson libprotobuf-c libcrypto libseccomp

reconcile-openpgp.DIR := policy/openpgp
reconcile-openpgp.USE := lib
reconcile-openpgp.PKG := libseccomp

reconcile-audit.DIR := audit/writer
reconcile-audit.USE := audit lib proto
reconcile-audit.PKG := libcrypto jansson libprotobuf-c libseccomp

reconcile-channel.DIR := channel/server
reconcile-channel.USE := channel lib proto
reconcile-channel.PKG := libcrypto libssl libevent libevent_openssl libprotobuf-c libseccomp

reconcile-link.DIR := channel/link
reconcile-link.USE := channel lib proto
reconcile-link.PKG := libcrypto libssl libevent libevent_openssl libprotobuf-c libseccomp

reconcile-agent.DIR := agent/main
reconcile-agent.USE := agent image engine policy manifest audit channel lib proto
reconcile-agent.PKG := libevent libprotobuf-c jansson yaml-0.1 libcrypto libseccomp

reconcile-net.DIR := agent/net
reconcile-net.USE := lib proto
reconcile-net.PKG := libmnl libseccomp

reconcile-pull.DIR := engine/image/pull
reconcile-pull.USE := image lib proto
reconcile-pull.PKG := libcurl jansson libcrypto libprotobuf-c libseccomp

reconcile-unpack.DIR := engine/image/unpack
reconcile-unpack.USE := image lib proto
reconcile-unpack.PKG := libarchive libcrypto libprotobuf-c libseccomp

reconcile-engine.DIR := engine/main
reconcile-engine.USE := engine lib
reconcile-engine.PKG := libseccomp

reconcile-engine.STATIC := 1
reconcile-engine.MUSL := 1

reconcile-engine-systemd.DIR := engine/systemd
reconcile-engine-systemd.USE := lib
reconcile-engine-systemd.PKG := libsystemd libseccomp

reconcile-monitor.DIR := engine/monitor
reconcile-monitor.USE := lib
reconcile-monitor.STATIC := 1

reconcile-init.DIR := engine/init
reconcile-init.STATIC := 1
reconcile-init.LINK := $(if $(SAN),,-nostdlib -nostartfiles)
