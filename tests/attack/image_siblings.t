#!/bin/sh
# image_siblings.t - the store against siblings that were taken over: programs
# in the place of reconcile-pull and reconcile-unpack that answer what they
# must not (threats E64).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/image_lib.sh"

need_root
need_userns
need_program python3
image_build
tmpdir
mkdir "$TMP/libexec" "$TMP/canary"
canary_make "$TMP/canary/tree"
before=$(canary_sum "$TMP/canary")

# evil NAME PYTHON: a sibling that runs PYTHON behind these helpers.
evil()
{
	cat >"$TMP/libexec/$1" <<PY
#!$(command -v python3)
import ctypes, socket, struct, sys, time
s = socket.socket(fileno=3)
def vint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])
def text(field, data):
    data = data.encode() if isinstance(data, str) else data
    return vint(field << 3 | 2) + vint(len(data)) + data
def number(field, n):
    return vint(field << 3) + vint(n)
def frame(kind, data=b"", n_fds=0, length=None):
    n = len(data) if length is None else length
    s.sendall(struct.pack("<IHH", n, kind, n_fds) + data)
def resolved(d):
    frame(2, text(1, d))
def layer(blob, diff, kind="application/vnd.oci.image.layer.v1.tar"):
    return text(4, text(1, blob) + text(2, diff) + text(3, kind))
def done(d, layers=b"", config=text(5, b"")):
    frame(4, text(1, d) + text(2, d) + text(3, d) + layers + config)
D = "sha256:" + "a" * 64
E = "sha256:" + "b" * 64
if "$1" == "reconcile-pull":
    s.recv(65536)
$2
PY
	chmod 755 "$TMP/libexec/$1"
}

# hex LETTER: 64 of it
hex()
{
	printf "$1%.0s" $(seq 64)
}

ask()
{
	image ensure "$TMP/s" "$TMP/libexec" "r.example/a@sha256:$(hex a)" \
		total=1
}

pull_says()
{
	evil reconcile-pull "$4"
	fails "$1" "$2" "$3" ask
}

pull_says "a frame of another state" 7 'PROTO: .*frame 8 is not allowed' \
	'frame(8)'
pull_says "a frame that nobody knows" 7 'PROTO: .*frame 4242 is not allowed' \
	'frame(4242)'
pull_says "done before resolved" 7 'PROTO: .*nonsense' 'done(D)'
pull_says "another digest than the one asked for" 7 \
	'PROTO: .*resolved to another digest' 'resolved(E)'
pull_says "done with another digest than resolved" 7 'PROTO: .*nonsense' \
	'resolved(D); done(E)'
pull_says "a diff id that is a path" 7 'PROTO: .*nonsense' \
	'resolved(D); done(D, layer(D, "sha256:../../../../canary"))'
pull_says "a blob digest that is a path" 7 'PROTO: .*nonsense' \
	'resolved(D); done(D, layer("../../canary/tree/one", D))'
pull_says "a media type that is none" 7 'PROTO: .*nonsense' \
	'resolved(D); done(D, layer(D, D, "x/y"))'
pull_says "too many layers" 7 'PROTO: .*nonsense' \
	'resolved(D); done(D, layer(D, D) * 128)'
pull_says "no configuration" 7 'PROTO: .*nonsense' \
	'resolved(D); done(D, b"", b"")'
pull_says "a layer that was not fetched" 75 'AGAIN: .*blob sha256:b* is gone' \
	'resolved(D); done(D, layer(E, E))'
pull_says "bytes that are no message" 7 'PROTO: ' 'frame(4, b"\xff" * 50)'
pull_says "E64 a frame of 4 GiB" 7 'PROTO: .*want at most 16777216 bytes' \
	'frame(4, b"", 0, 0xffffffff)'
pull_says "E64 a frame that claims descriptors" 7 'PROTO: .*no descriptors' \
	'frame(4, b"x", 3)'
pull_says "a failure with a code that is none" 7 \
	'PROTO: .*failed without a reason' 'frame(5, number(1, 14))'
pull_says "the end without an answer" 7 \
	'SYS: .*ended without an answer \(status 3\)' 'sys.exit(3)'
pull_says "the end within a frame" 7 'SYS: .*ended without an answer' \
	'frame(4, b"x", 0, 1000)'
pull_says "half a frame and silence" 75 'AGAIN: .*no end in time' \
	'frame(4, b"x", 0, 1000); time.sleep(60)'

evil reconcile-pull 'resolved(D); done(D, layer(E, E))'
unpack_says()
{
	: >"$TMP/s/blobs/$(hex b)"
	evil reconcile-unpack "$4"
	fails "$1" "$2" "$3" ask
}

unpack_says "done without maps" 7 'PROTO: .*frame 8 is not allowed' 'frame(8)'
unpack_says "maps asked for without a namespace" 7 \
	'SYS: .*user namespace of reconcile-unpack: write' \
	'frame(6); time.sleep(60)'
unpack_says "maps asked for twice" 7 'PROTO: .*frame 6 is not allowed' \
	'ctypes.CDLL(None).unshare(0x10000000); frame(6); s.recv(9); frame(6)
time.sleep(60)'
unpack_says "its failure names the layer" 3 \
	'INPUT: image .*: layer sha256:b*: boo' \
	'frame(5, number(1, 1) + text(3, "boo"))'

is "$(find "$TMP/s/layers" "$TMP/s/images" "$TMP/s/blobs" -mindepth 1 | wc -l)" \
	0 "nothing of all that is left"
is "$(canary_sum "$TMP/canary")" "$before" "the canary tree is as it was"
finish
