#!/bin/sh
# image.t - reconcile-pull, reconcile-unpack and the store against a real
# registry on loopback, and against small servers that lie.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/image_lib.sh"

need_root
need_userns
image_need
tmpdir
image_start
image_make

app=127.0.0.1:$PORT/test/app
digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$app:v1")

# --- the main path ----------------------------------------------------------
run image ensure "$TMP/s" "$BIN" "$app:v1" http=1
is "$ST" 0 "pull by tag: status"
like "$OUT" "^ok reference=$digest\$" "pull by tag: the registry's digest"
like "$OUT" '^entrypoint=/bin/sh$' "configuration: entrypoint"
like "$OUT" '^env=PATH=/bin$' "configuration: environment"
like "$OUT" '^user=65534:65534$' "configuration: user"
like "$OUT" '^port=80/tcp$' "configuration: exposed port"
like "$OUT" '^volume=/data$' "configuration: volume"
like "$OUT" '^signal=SIGUSR1$' "configuration: stop signal"
lower=$(printf '%s\n' "$OUT" | sed -n 's/^lower=//p' | head -n 1)
is "$(stat -c '%u:%g %a' "$lower/bin/busybox")" "200000:200000 755" \
	"E44 owners are shifted into the store's range"
is "$(sha256sum <"$lower/bin/busybox")" "$(sha256sum </bin/busybox)" \
	"file contents"
is "$(readlink "$lower/bin/sh")" busybox "symbolic link"
is "$(find "$TMP/s" -maxdepth 2 -type d ! -perm 700)" "" \
	"E44 the store's folders are 0700"
is "$(ls "$TMP/s/blobs")" "" "blobs go when they are unpacked"
is "$(ls "$TMP/s/layers" | grep -c tmp)" 0 "no temporary folder is left"

run image ensure "$TMP/s2" "$BIN" "$app@$digest" http=1
like "$OUT" "^manifest=$digest\$" "pull by digest"

skopeo copy -q --dest-tls-verify=false --format v2s2 "oci:$TMP/img:v1" \
	"docker://$app:docker"
run image ensure "$TMP/s3" "$BIN" "$app:docker" http=1
is "$ST" 0 "docker schema 2"
run image ensure "$TMP/s2" "$BIN" "$app:v1" http=1 resolve=1
is "$OUT" "ok reference=$digest" "resolve only"

run image ensure "$TMP/s4" "$BIN" "$app:two" http=1
is "$(printf '%s\n' "$OUT" | grep -c ^lower=)" 2 "two layers"
top=$(printf '%s\n' "$OUT" | sed -n 's/^lower=//p' | head -n 1)
is "$(stat -c '%F %t:%T' "$top/etc/gone")" "character special file 0:0" \
	"E42 a whiteout is a device 0:0"
if [ -d "$TMP/s4" ] && mount_overlay "$OUT"; then
	is "$(ls "$TMP/mnt/etc")" "kept" "overlay: the whiteout hides"
	is "$(cat "$TMP/mnt/etc/kept")" "new" "overlay: the upper layer wins"
	umount "$TMP/mnt"
else
	skip "overlay of the layers" "overlay does not mount here"
fi

# --- cached, and together -----------------------------------------------------
ASAN_OPTIONS=detect_leaks=0 strace -f -o "$TMP/trace" -e trace=execve "$IMAGE_TOOL" ensure "$TMP/s2" \
	"$BIN" "$app@$digest" http=1 >"$TMP/cached"
is "$(grep -c 'execve(' "$TMP/trace")" 1 "a present image starts no program"
is "$(grep -c ^lower= "$TMP/cached")" 1 "a present image is described"

n=0 pids=
while [ $n -lt 6 ]; do
	n=$((n + 1))
	image ensure "$TMP/par" "$BIN" "$app@$digest" http=1 >"$TMP/par.$n" \
		2>&1 &
	pids="$pids $!"
done
bad=0
for p in $pids; do
	wait "$p" || bad=$((bad + 1))
done
is "$bad" 0 "six at once: all succeed"
is "$(cat "$TMP"/par.? | grep -c "^manifest=$digest")" 6 "six at once: all see it"
is "$(ls "$TMP/par/layers" | wc -l)" 1 "six at once: one layer"

# --- what must be refused --------------------------------------------------
fails "another uid range for one store is a conflict" 6 \
	'CONFLICT: .*other ids: want uid_base=300000' \
	image ensure "$TMP/s" "$BIN" "$app:v1" http=1 base=300000
fails "a missing tag is NOTFOUND" 7 'NOTFOUND: .*status 200, have 404' \
	image ensure "$TMP/n" "$BIN" "$app:nope" http=1
fails "an unreachable registry is AGAIN" 75 \
	"AGAIN: image 127.0.0.1:1/a/b:v1: .*127.0.0.1:1: .*[Rr]efused|AGAIN: .*connect to 127.0.0.1 port 1" \
	image ensure "$TMP/n" "$BIN" 127.0.0.1:1/a/b:v1 http=1
fails "a name that does not resolve is AGAIN" 75 'AGAIN: .*resolve' \
	image ensure "$TMP/n" "$BIN" no-such-host.invalid/a/b:v1
fails "plain HTTP is not tried unasked" 4 'TRUST: .*127.0.0.1' \
	image ensure "$TMP/n" "$BIN" "$app:v1"
fails "a layer over the limit" 3 'LIMIT: .*layers\[0\]: want at most 1000 ' \
	image ensure "$TMP/n" "$BIN" "$app:v1" http=1 max_layer=1000
fails "unpacked bytes over the limit" 3 'LIMIT: .*at most 5000 bytes' \
	image ensure "$TMP/n" "$BIN" "$app:v1" http=1 max_bytes=5000
is "$(find "$TMP/n/layers" "$TMP/n/images" -mindepth 1 | wc -l)" 0 \
	"a failure leaves no layer and no image"

# One byte of the layer in the registry's own files.
corrupt "$app" v1 layer
fails "PL12 a corrupted layer is TRUST" 4 \
	'TRUST: .*layers\[0\]: blob: want digest sha256:[0-9a-f]*, have sha256:' \
	image ensure "$TMP/c" "$BIN" "$app:v1" http=1
is "$(find "$TMP/c/blobs" "$TMP/c/layers" -mindepth 1 | wc -l)" 0 \
	"PL12 nothing of it is left"
heal
corrupt "$app" v1 config
fails "PL12 a corrupted configuration is TRUST" 4 \
	'TRUST: .*blobs: want digest sha256:' \
	image ensure "$TMP/c" "$BIN" "$app:v1" http=1
heal
corrupt "$app" v1 manifest
fails "PL12 a corrupted manifest is TRUST, asked by digest" 4 \
	'TRUST: .*manifests: want digest sha256:' \
	image ensure "$TMP/c" "$BIN" "$app@$digest" http=1
heal
succeeds "and all is well again" image ensure "$TMP/c" "$BIN" "$app:v1" http=1

# --- disk full --------------------------------------------------------------
mkdir "$TMP/small"
mount -t tmpfs -o size=256k,mode=700 tmpfs "$TMP/small"
fails "disk full while pulling" 7 'SYS: .*blob store: write: No space left' \
	image ensure "$TMP/small/s" "$BIN" "$app:v1" http=1
is "$(find "$TMP/small/s" -type f -name 'tmp*' | wc -l)" 0 \
	"disk full: nothing is left"
umount "$TMP/small"
mount -t tmpfs -o size=1536k,mode=700 tmpfs "$TMP/small"
fails "disk full while unpacking" 7 \
	'SYS: .*layer sha256:.*entry "bin/busybox": write: No space left' \
	image ensure "$TMP/small/s" "$BIN" "$app:v1" http=1
is "$(find "$TMP/small/s/layers" -mindepth 1 | wc -l)" 0 \
	"disk full: the layer is gone"
umount "$TMP/small"

# --- left-overs of a crash ------------------------------------------------------
mkdir -p "$TMP/s/layers/tmp.1.0/fs/deep"
: >"$TMP/s/blobs/tmp.abc.1"
succeeds "a store with left-overs opens" \
	image ensure "$TMP/s" "$BIN" "$app:v1" http=1
is "$(find "$TMP/s" -name 'tmp.*' | wc -l)" 0 "left-overs are removed"

finish
