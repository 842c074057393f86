#!/usr/bin/env python3
"""A small git server over https that lies, for fetch_liar.t.

usage: git_liar.py FOLDER CERTIFICATE KEY REPOSITORY

Listens on three free loopback ports: "home" (the server), "other" (a stranger,
the same certificate) and "plain" (no TLS); writes FOLDER/ports as "home other
plain" and one line a request to FOLDER/home.log and so on: METHOD PATH auth=
cookie= protocol= body=.  /NAME/repo.git is one lie, CASES below has them all; a
case that does not speak for itself is honest about REPOSITORY (a bare one).
Ends by SIGTERM.
"""
import gzip
import hashlib
import http.server
import os
import random
import ssl
import struct
import subprocess
import sys
import threading
import time
import zlib

FOLDER, CERTIFICATE, KEY, REPOSITORY = sys.argv[1:5]
TYPE = "application/x-git-upload-pack-"
ESCAPES = b"\x1b]0;owned\x07\x1b[31mred\xe2\x80\xae"
MAIN = b"refs/heads/main"
CAPS = b"side-band-64k ofs-delta"
SECONDS = 40  # how long a server that never ends goes on, at most
PORTS = {}


def pkt(data):
    return b"%04x" % (len(data) + 4) + data


def git(args, data=b"", protocol=""):
    env = {"PATH": os.environ["PATH"], "GIT_PROTOCOL": protocol,
           "GIT_CONFIG_NOSYSTEM": "1", "HOME": FOLDER}
    return subprocess.run(["git", *args], input=data, env=env,
                          stdout=subprocess.PIPE, check=False).stdout


TIP = git(["-C", REPOSITORY, "rev-parse", "main"]).strip()


def honest_advert(protocol):
    out = git(["upload-pack", "--stateless-rpc", "--advertise-refs",
               REPOSITORY], protocol=protocol)
    return out if "version=2" in protocol else service() + out


def service():
    return pkt(b"# service=git-upload-pack\n") + b"0000"


def advert(tip, caps=CAPS):
    return service() + pkt(tip + b" " + MAIN + b"\0" + caps + b"\n") + b"0000"


PACK = git(["-C", REPOSITORY, "pack-objects", "--stdout", "--revs"], b"main\n")


# --- packs ------------------------------------------------------------------
def head(kind, size):
    byte = kind << 4 | size & 15
    size >>= 4
    out = b""
    while size:
        out += bytes([byte | 128])
        byte = size & 127
        size >>= 7
    return out + bytes([byte])


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def pack(objects, count=None):
    out = b"PACK" + struct.pack(">II", 2, len(objects) if count is None else count)
    out += b"".join(objects)
    return out + hashlib.sha1(out).digest()


def plain(kind, data):
    return head(kind, len(data)) + zlib.compress(data)


def zeros(kind, size):
    """size zero bytes, of which few are sent."""
    z = zlib.compressobj(9)
    block = bytes(1 << 20)
    out = [z.compress(block) for _ in range(size >> 20)]
    return head(kind, size) + b"".join(out) + z.flush()


def chain(length):
    """A blob, and deltas of deltas that each add one byte."""
    out = [plain(3, b"x" * 64)]
    size = 64
    for i in range(length):
        delta = varint(size) + varint(size + 1) + bytes([0x90 | 0x20, size & 255, size >> 8]) \
            + b"\x01" + bytes([i & 255])
        if size > 60000:
            break
        distance = len(out[-1])
        offset = bytes([distance & 127])
        rest = distance >> 7
        while rest:
            rest -= 1
            offset = bytes([128 | rest & 127]) + offset
            rest >>= 7
        out.append(head(6, len(delta)) + offset + zlib.compress(delta))
        size += 1
    return out


def fuzzed(seed):
    rng = random.Random(seed)
    data = bytearray(PACK)
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    if seed % 3 == 0:
        data[-20:] = hashlib.sha1(bytes(data[:-20])).digest()
    if seed % 5 == 0:
        del data[rng.randrange(len(data)):]
    return bytes(data)


def banded(data, band=b"\1"):
    return b"".join(pkt(band + data[i:i + 65000])
                    for i in range(0, len(data), 65000))


def result(data):
    return pkt(b"NAK\n") + banded(data) + b"0000"


# --- the lies ---------------------------------------------------------------
# Each gets the handler and says everything itself.
def send_to(where, status=302):
    def lie(h):
        h.answer(b"", status=status, location=where.format(**PORTS))
    return lie


def after_advert(then):
    """Honest about the refs; the second request is lied about."""
    def lie(h):
        if h.command == "GET":
            h.answer(honest_advert(""), "advertisement")
        else:
            then(h)
    return lie


def packing(make, tip=None):
    def lie(h):
        if h.command == "GET":
            h.answer(advert(tip or TIP), "advertisement")
        else:
            h.answer(result(make()), "result")
    return lie


def saying(data, kind="advertisement", **more):
    return lambda h: h.answer(data(h) if callable(data) else data, kind, **more)


def silence(h):
    del h
    time.sleep(SECONDS)


def drip(first, data, pause):
    def lie(h):
        h.begin("advertisement", chunked=True)
        h.chunk(first)
        until = time.time() + SECONDS
        while time.time() < until:
            h.chunk(data)
            time.sleep(pause)
    return lie


def drip_head(h):
    h.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(SECONDS * 4):
        h.wfile.write(b"x")
        time.sleep(0.25)


def endless(first, again):
    def lie(h):
        h.begin("advertisement" if h.command == "GET" else "result", chunked=True)
        h.chunk(first)
        until = time.time() + SECONDS
        while time.time() < until:
            h.chunk(again())
    return lie


def endless_head(h):
    h.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for i in range(1 << 20):
        h.wfile.write(b"X-%d: %s\r\n" % (i, b"y" * 900))


def short(h):
    h.begin("advertisement", length=100000)
    h.wfile.write(service())
    h.close_connection = True


def version_two(h):
    """Offers everything that must not be taken."""
    if h.command == "GET" and "version=2" in h.headers.get("Git-Protocol", ""):
        lines = [b"version 2\n", b"agent=liar\n", b"ls-refs=unborn\n",
                 b"fetch=shallow filter packfile-uris sideband-all\n",
                 b"bundle-uri\n", b"server-option\n", b"object-info\n",
                 b"promisor-remote=name=p,url=https://localhost:%d/p\n"
                 % PORTS["other"], b"object-format=sha1\n"]
        h.answer(b"".join(map(pkt, lines)) + b"0000", "advertisement")
    elif h.command == "GET":
        h.answer(advert(TIP, CAPS + b" filter shallow allow-tip-sha1-in-want"
                        b" packfile-uris=https bundle-uri promisor-remote"
                        b" agent=liar"), "advertisement")
    elif "version=2" in h.headers.get("Git-Protocol", ""):
        h.answer(pkt(TIP + b" " + MAIN + b"\n") + b"0000", "result")
    else:
        h.answer(result(PACK), "result")


def with_cookie(h):
    h.more = {"Set-Cookie": "liar=1; Path=/", "Alt-Svc": 'h3=":%d"' % PORTS["other"],
              "Strict-Transport-Security": "max-age=1000"}
    honest(h)


def honest(h):
    protocol = h.headers.get("Git-Protocol", "")
    if h.command == "GET":
        h.answer(honest_advert(protocol), "advertisement")
    else:
        h.answer(git(["upload-pack", "--stateless-rpc", REPOSITORY], h.body,
                     protocol), "result")


CASES = {
    "honest": honest,
    "cookie": with_cookie,
    "to-other": send_to("https://localhost:{other}/honest/repo.git"),
    "to-http": send_to("http://localhost:{plain}/honest/repo.git", 301),
    "to-file": send_to("file:///etc/passwd", 307),
    "to-self": send_to("/honest/repo.git/info/refs?service=git-upload-pack"),
    "to-nowhere": send_to("", 308),
    "to-escapes": lambda h: h.answer(b"", status=302, location=ESCAPES.decode("latin-1")),
    "post-to-other": after_advert(send_to("https://localhost:{other}/honest/repo.git/git-upload-pack", 307)),
    "silence": silence,
    "drip": drip(b"fff0", b"x", 0.25),
    "drip-head": drip_head,
    "endless-refs": endless(
        service(), lambda: pkt(b"a" * 40 + b" refs/heads/" + b"x" * 200 + b"\n") * 100),
    "endless-pack": after_advert(endless(pkt(b"NAK\n") + banded(
        b"PACK" + struct.pack(">II", 2, 1000000)), lambda: banded(plain(3, os.urandom(60000))))),
    "endless-head": endless_head,
    "short": short,
    "html": saying(b"<html>\x1b[31m</html>", None),
    "dumb": saying(TIP + b"\t" + MAIN + b"\n", None),
    "wrong-type": saying(lambda h: honest_advert(""), "result"),
    "escapes-in-type": lambda h: h.answer(b"x", "\x1b[31m"),
    "gzip": lambda h: h.answer(
        gzip.compress(honest_advert(h.headers.get("Git-Protocol", ""))),
        "advertisement", encoding="gzip"),
    "status-500": saying(b"", status=500),
    "status-401": saying(b"", status=401),
    "status-418": saying(b"", status=418),
    "err-line": saying(lambda h: pkt(b"ERR " + ESCAPES + b" busy\n")),
    "sideband": after_advert(lambda h: h.answer(
        pkt(b"NAK\n") + banded(ESCAPES + b"\n", b"\2") + banded(b"fatal: " + ESCAPES, b"\3"),
        "result")),
    "more-than-asked": lambda h: h.answer(
        honest_advert("version=2") if h.command == "GET" else
        pkt(TIP + b" " + MAIN + b"\n") + b"0000" + pkt(b"more\n"),
        "advertisement" if h.command == "GET" else "result"),
    "offers": version_two,
    "no-pack": after_advert(saying(pkt(b"NAK\n") + b"0000", "result")),
    "blob-only": packing(lambda: pack([plain(3, b"x")])),
    "no-trees": packing(lambda: pack([plain(1, git(["-C", REPOSITORY, "cat-file", "commit", "main"]))])),
    "many": packing(lambda: pack([plain(3, b"x")], 0xffffffff)),
    "blob-bomb": packing(lambda: pack([zeros(3, 128 << 20)])),
    "tree-bomb": packing(lambda: pack([zeros(2, 64 << 20)])),
    "chain": packing(lambda: pack(chain(10000))),
    "no-sideband": lambda h: h.answer(advert(TIP, b"") if h.command == "GET" else
                                      pkt(b"NAK\n") + b"junk", "advertisement"
                                      if h.command == "GET" else "result"),
}
for seed in range(40):
    CASES["fuzz-%d" % seed] = after_advert(
        lambda h, s=seed: h.answer(result(fuzzed(s)), "result"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def log_message(self, *args):
        pass

    def begin(self, kind, chunked=False, length=None, status=200, location=None,
              encoding=None):
        lines = ["HTTP/1.1 %d liar" % status]
        lines.append("Content-Type: " + ("text/html" if kind is None else
                                         kind if "\x1b" in kind else TYPE + kind))
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        else:
            lines.append("Content-Length: %d" % length)
        if location is not None:
            lines.append("Location: " + location)
        if encoding:
            lines.append("Content-Encoding: " + encoding)
        lines += ["%s: %s" % x for x in self.more.items()]
        self.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def answer(self, data, kind="advertisement", **how):
        self.begin(kind, length=len(data), **how)
        self.wfile.write(data)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")

    def serve(self):
        self.more = {}
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock, open(self.server.log, "a", encoding="utf-8") as f:
            f.write("%s %s auth=%s cookie=%s protocol=%s body=%s\n" % (
                self.command, self.path, self.headers.get("Authorization", ""),
                self.headers.get("Cookie", ""), self.headers.get("Git-Protocol", ""),
                self.body[:2000]))
        try:
            CASES.get(self.path.split("/")[1], honest)(self)
        except OSError:  # the client had enough
            self.close_connection = True

    do_GET = serve
    do_POST = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name, tls):
        super().__init__(("127.0.0.1", 0), Handler)
        self.tls = tls
        self.log = os.path.join(FOLDER, name + ".log")
        self.lock = threading.Lock()
        open(self.log, "w", encoding="utf-8").close()
        PORTS[name] = self.server_address[1]

    def finish_request(self, request, client_address):
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass


def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE, KEY)
    servers = [Server("home", tls), Server("other", tls), Server("plain", None)]
    for s in servers[1:]:
        threading.Thread(target=s.serve_forever, daemon=True).start()
    with open(os.path.join(FOLDER, "ports.new"), "w", encoding="utf-8") as f:
        f.write("%d %d %d\n" % tuple(s.server_address[1] for s in servers))
    os.rename(os.path.join(FOLDER, "ports.new"), os.path.join(FOLDER, "ports"))
    servers[0].serve_forever()


main()
