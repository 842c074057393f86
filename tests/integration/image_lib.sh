# image_lib.sh - a registry on loopback and images in it, for image*.t.
# Source it behind lib.sh.

IMAGE_TOOL=$B/unit/engine/image/image_tool
REG_PID= TLS_PID= WEB_PIDS=

image()
{
	"$IMAGE_TOOL" "$@"
}

# image_build: the test's own program, made when it is missing.
image_build()
{
	[ -x "$IMAGE_TOOL" ] ||
		make -s -C "$TOP" B="$B" "$IMAGE_TOOL" >/dev/null 2>&1 || true
	[ -x "$IMAGE_TOOL" ] || skip_all "image_tool does not build"
	need_program "$BIN/reconcile-pull" "$BIN/reconcile-unpack"
}

image_need()
{
	need_program docker-registry umoci skopeo busybox strace openssl perl \
		python3
	image_build
}

# free_port: one that is free now; the caller tries again when it is taken.
free_port()
{
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

port_open()
{
	python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1"
}

# serve NAME: a registry with $TMP/NAME.yml's text and a port behind "addr:";
# sets PORT and PID.
registry_serve()
{
	PORT=$(free_port)
	sed "s/@PORT@/$PORT/" "$TMP/$1.yml.in" >"$TMP/$1.yml"
	(cd "$TMP" && exec docker-registry serve "$1.yml") \
		>"$TMP/$1.log" 2>&1 </dev/null &
	PID=$!
	wait_for 10 port_open "$PORT" ||
		skip_all "docker-registry does not start: $(tail -n 3 "$TMP/$1.log")"
}

image_stop()
{
	for _p in $REG_PID $TLS_PID $WEB_PIDS; do
		kill "$_p"
	done
	for _m in "$TMP/mnt" "$TMP/small"; do
		mountpoint -q "$_m" && umount "$_m"
	done
	true
}

# image_start: plain HTTP on $PORT.
image_start()
{
	at_exit image_stop
	cat >"$TMP/reg.yml.in" <<Y
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: ./reg-data }, delete: { enabled: true } }
http: { addr: 127.0.0.1:@PORT@ }
Y
	registry_serve reg
	REG_PID=$PID
}

# image_make: test/app:v1 (one layer) and test/app:two (two, with a whiteout).
image_make()
{
	(
		set -e
		cd "$TMP"
		umoci init --layout img
		umoci new --image img:v1
		umoci unpack --image img:v1 b
		mkdir -p b/rootfs/bin b/rootfs/etc
		cp /bin/busybox b/rootfs/bin/
		chmod 755 b/rootfs/bin/busybox
		ln -s busybox b/rootfs/bin/sh
		echo old >b/rootfs/etc/kept
		echo x >b/rootfs/etc/gone
		umoci repack --image img:v1 b
		umoci config --image img:v1 --config.entrypoint /bin/sh \
			--config.user 65534:65534 --config.env PATH=/bin \
			--config.exposedports 80/tcp --config.volume /data \
			--config.stopsignal SIGUSR1
		umoci unpack --image img:v1 b2
		rm b2/rootfs/etc/gone
		echo new >b2/rootfs/etc/kept
		umoci repack --image img:two b2
		umoci gc --layout img
		skopeo copy -q --dest-tls-verify=false oci:img:v1 \
			"docker://127.0.0.1:$PORT/test/app:v1"
		skopeo copy -q --dest-tls-verify=false oci:img:two \
			"docker://127.0.0.1:$PORT/test/app:two"
	) >"$TMP/make.log" 2>&1 || skip_all "cannot make an image: $(tail -n 3 "$TMP/make.log")"
}

# mount_overlay INFO: the lower folders of an image_tool answer on $TMP/mnt.
mount_overlay()
{
	_l=$(printf '%s\n' "$1" | sed -n 's/^lower=//p' | paste -sd: -)
	mkdir -p "$TMP/mnt" "$TMP/upper" "$TMP/work"
	mount -t overlay -o \
		"userxattr,lowerdir=$_l,upperdir=$TMP/upper,workdir=$TMP/work" \
		overlay "$TMP/mnt"
}

blob_file()
{
	_h=${1#sha256:}
	printf '%s/reg-data/docker/registry/v2/blobs/sha256/%.2s/%s/data' \
		"$TMP" "$_h" "$_h"
}

# corrupt REPOSITORY TAG WHAT: one byte of its layer, config or manifest in the
# registry's files; heal puts it back.
corrupt()
{
	skopeo inspect --raw --tls-verify=false "docker://$1:$2" >"$TMP/.raw"
	case $3 in
	layer) _d=$(json "$TMP/.raw" layers 0 digest) ;;
	config) _d=$(json "$TMP/.raw" config digest) ;;
	manifest) _d=sha256:$(sha256sum <"$TMP/.raw" | cut -c1-64) ;;
	esac
	HURT=$(blob_file "$_d")
	cp -p "$HURT" "$TMP/.healthy"
	printf 'X' | dd of="$HURT" bs=1 seek=20 conv=notrunc 2>/dev/null
}

heal()
{
	cp -p "$TMP/.healthy" "$HURT"
}

json()
{
	_f=$1
	shift
	python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2:]:
    v = v[int(k)] if isinstance(v, list) else v[k]
print(v)' "$_f" "$@"
}
