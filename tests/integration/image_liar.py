#!/usr/bin/env python3
"""A small registry that lies, for image_liar.t.

usage: image_liar.py FOLDER

Listens on two free loopback ports, "home" (the registry) and "other" (a
stranger), writes FOLDER/ports as "home other", and one line a request to
FOLDER/home.log and FOLDER/other.log: METHOD PATH auth=VALUE.  Each repository
case/NAME is one lie; the table CASES below has them all.  Ends by SIGTERM.
"""
import base64
import gzip
import hashlib
import http.server
import io
import json
import os
import sys
import tarfile
import threading
import time

OCI = "application/vnd.oci.image."
MANIFEST = OCI + "manifest.v1+json"
INDEX = OCI + "index.v1+json"
CONFIG = OCI + "config.v1+json"
LAYER = OCI + "layer.v1.tar+gzip"
BASIC = "Basic " + base64.b64encode(b"joe:s3cret-canary").decode()
TOKEN = "tok3n-canary"


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dump(obj):
    return json.dumps(obj).encode()


def make_layer():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        info = tarfile.TarInfo("hello")
        info.size = 3
        t.addfile(info, io.BytesIO(b"hi\n"))
    return out.getvalue()


TAR = make_layer()
LAYER_BYTES = gzip.compress(TAR, mtime=0)


class Image:
    """A good image; a case changes it before it is written down."""

    def __init__(self):
        self.blobs = {}
        self.config = {"os": "linux", "architecture": "amd64",
                       "config": {"Cmd": ["/hello"]},
                       "rootfs": {"type": "layers", "diff_ids": [sha(TAR)]}}
        self.manifest = {"schemaVersion": 2, "mediaType": MANIFEST}
        self.layers = [self.add(LAYER, LAYER_BYTES)]
        self.headers = {}
        self.content_type = MANIFEST
        self.raw = None
        self.by_digest = {}

    def add(self, kind, data):
        self.blobs[sha(data)] = data
        return {"mediaType": kind, "digest": sha(data), "size": len(data)}

    def finish(self):
        if self.raw is None:
            m = dict(self.manifest)
            m.setdefault("config", self.add(CONFIG, dump(self.config)))
            m.setdefault("layers", self.layers)
            self.raw = dump({k: v for k, v in m.items() if v is not None})
        return self


def index_of(img, platforms, nested=False):
    child = Image().finish()
    img.blobs.update(child.blobs)
    kind = MANIFEST
    raw = child.raw
    if nested:
        raw = dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": []})
        kind = MANIFEST
    img.by_digest[sha(raw)] = (INDEX if nested else MANIFEST, raw)
    entries = [{"mediaType": kind, "digest": sha(raw), "size": len(raw),
                "platform": p} for p in platforms]
    img.content_type = INDEX
    img.raw = dump({"schemaVersion": 2, "mediaType": INDEX,
                    "manifests": entries})


def case_good(i, ports):
    pass


def case_index(i, ports):
    index_of(i, [{"os": "windows", "architecture": "amd64"},
                 {"os": "linux", "architecture": "amd64", "variant": "v3"},
                 {"os": "linux", "architecture": "amd64"}])


def case_index_none(i, ports):
    index_of(i, [{"os": "linux", "architecture": "arm64"},
                 {"os": "win\x1b[2J", "architecture": "amd64"}])


def case_index_nested(i, ports):
    index_of(i, [{"os": "linux", "architecture": "amd64"}], nested=True)


def case_both(i, ports):
    i.manifest["manifests"] = []


def case_neither(i, ports):
    i.manifest["config"] = None
    i.manifest["layers"] = None


def case_type_mismatch(i, ports):
    i.content_type = INDEX


def case_type_missing(i, ports):
    i.manifest["mediaType"] = None
    i.content_type = ""


def case_type_header_only(i, ports):
    i.manifest["mediaType"] = None


def case_schema1(i, ports):
    i.content_type = "application/vnd.docker.distribution.manifest.v1+json"
    i.raw = dump({"schemaVersion": 1, "fsLayers": []})


def case_artifact(i, ports):
    i.manifest["config"] = i.add("application/vnd.oci.empty.v1+json", b"{}")


def case_foreign(i, ports):
    i.layers[0]["mediaType"] = \
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    i.layers[0]["urls"] = ["http://127.0.0.1:%d/foreign" % ports[1]]


def case_urls(i, ports):
    i.layers[0]["urls"] = ["http://127.0.0.1:%d/foreign" % ports[1]]


def case_duplicate_key(i, ports):
    i.finish()
    i.raw = i.raw[:-1] + b', "layers": []}'


def case_not_json(i, ports):
    i.raw = b"<html>welcome</html>"


def case_huge(i, ports):
    i.manifest["annotations"] = {"a": "x" * (5 << 20)}


def case_many(i, ports):
    i.layers = [i.layers[0]] * 10000


def case_deep(i, ports):
    i.raw = b"[" * 10000 + b"]" * 10000


def case_size_small(i, ports):
    i.layers[0]["size"] -= 1


def case_size_large(i, ports):
    i.layers[0]["size"] += 1


def case_size_negative(i, ports):
    i.layers[0]["size"] = -1


def case_size_real(i, ports):
    i.layers[0]["size"] = 1.5


def case_other_bytes(i, ports):
    d = i.layers[0]["digest"]
    i.blobs[d] = b"\0" + i.blobs[d][1:]


def case_header_digest(i, ports):
    i.headers["Docker-Content-Digest"] = "sha256:" + "0" * 64


def case_diff_id(i, ports):
    i.config["rootfs"]["diff_ids"] = ["sha256:" + "1" * 64]


def case_diff_count(i, ports):
    i.config["rootfs"]["diff_ids"] *= 2


def case_arm(i, ports):
    i.config["architecture"] = "arm64"


def case_env_bad(i, ports):
    i.config["config"]["Env"] = ["NOEQUALS"]


def case_volume_dotdot(i, ports):
    i.config["config"]["Volumes"] = {"/../../etc": {}}


def case_user_newline(i, ports):
    i.config["config"]["User"] = "root\nx:0:0"


def case_labels(i, ports):
    i.config["config"]["Labels"] = {"io.reconcile/log": "binary:///bin/sh"}


def digest_case(bad):
    def case(i, ports):
        i.layers[0]["digest"] = bad
    return case


def noop(i, ports):
    pass


CASES = {n[5:].replace("_", "-"): f for n, f in list(globals().items())
         if n.startswith("case_")}
for n, bad in enumerate(["sha256:../../../../etc/passwd", "sha256:" + "A" * 64,
                         "sha256:" + "a" * 63, "sha256:" + "a" * 65,
                         "sha1:" + "a" * 40, "sha256:" + "a" * 64 + ":x",
                         "sha512:" + "a" * 128, "a" * 64, ""]):
    CASES["digest-%d" % n] = digest_case(bad)
for n in ("basic", "token", "token-scope", "token-bad", "token-http-host",
          "scheme", "redirect", "redirect-loop", "redirect-file",
          "redirect-user", "redirect-home", "stall", "cut", "busy",
          "broken", "forbidden", "again401"):
    CASES[n] = noop


class Liar(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ports = (0, 0)
    logs = {}
    images = {}

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def ask(self, challenge):
        self.answer(401, b"{}", WWW_Authenticate=challenge)

    def authorised(self, name):
        got = self.headers.get("Authorization")
        home = "http://127.0.0.1:%d" % self.ports[0]
        if name in ("basic", "redirect", "redirect-home", "again401"):
            if got == BASIC and name != "again401":
                return True
            self.ask('Basic realm="liar"')
        elif name in ("token", "token-scope", "token-bad"):
            if got == "Bearer " + TOKEN:
                return True
            more = ',scope="repository:secret/other:pull,push"' \
                if name == "token-scope" else ""
            self.ask('Bearer realm="%s/%s?a=b",service="li ar"%s' %
                     (home, name, more))
        elif name == "token-http-host":
            self.ask('Bearer realm="ftp://127.0.0.1/token"')
        elif name == "scheme":
            self.ask('Negotiate abcdef')
        else:
            return True
        return False

    def redirect(self, name, path):
        other = "http://127.0.0.1:%d" % self.ports[1]
        to = {"redirect": other + path.replace("/v2/case/", "/v2/other/"),
              "redirect-home": path.replace("/blobs/", "/moved/"),
              "redirect-loop": path,
              "redirect-file": "file:///etc/passwd",
              "redirect-user": "http://joe:x@127.0.0.1/"}[name]
        self.answer(307, b"", Location=to)

    def slow(self, name, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        if name == "stall":
            time.sleep(20)
        self.close_connection = True

    def blob(self, name, kind, path, data):
        if kind == "blobs" and name.startswith("redirect"):
            return self.redirect(name, path)
        if name in ("stall", "cut") and data == LAYER_BYTES:
            return self.slow(name, data)
        self.answer(200, data, Content_Type="application/octet-stream")

    def manifest(self, img, ref):
        kind, raw = img.by_digest.get(ref, (img.content_type, img.raw))
        headers = dict(img.headers)
        if kind:
            headers["Content-Type"] = kind + "; charset=utf-8"
        self.answer(200, raw, **headers)

    def do_GET(self):
        port = self.server.server_address[1]
        self.logs[port].write("GET %s auth=%s\n" % (
            self.path, self.headers.get("Authorization", "-")))
        self.logs[port].flush()
        part = self.path.split("?")[0].split("/")
        if part[1] in ("token", "token-scope", "token-bad"):
            bad = part[1] == "token-bad"
            return self.answer(200, b'{"token": "to\\nk' + TOKEN.encode()
                               if bad else dump({"token": TOKEN}))
        if len(part) != 6 or part[3] not in self.images:
            return self.answer(404, b"{}")
        name, kind, ref = part[3], part[4], part[5]
        img = self.images[name]
        status = {"busy": 429, "broken": 503, "forbidden": 403}.get(name)
        if status:
            return self.answer(status, b"{}")
        if port == self.ports[0] and not self.authorised(name):
            return None
        if kind == "manifests":
            return self.manifest(img, ref)
        if ref not in img.blobs:
            return self.answer(404, b"{}")
        if part[2] == "other":
            kind = "moved"
        return self.blob(name, kind, self.path, img.blobs[ref])


def main():
    folder = sys.argv[1]
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
               for _ in range(2)]
    ports = tuple(s.server_address[1] for s in servers)
    Liar.ports = ports
    Liar.logs = {p: open(os.path.join(folder, n + ".log"), "w")
                 for p, n in zip(ports, ("home", "other"))}
    for name, change in CASES.items():
        img = Image()
        change(img, ports)
        Liar.images[name] = img.finish()
    for s in servers:
        s.daemon_threads = True
        threading.Thread(target=s.serve_forever, daemon=True).start()
    tmp = os.path.join(folder, "ports.tmp")
    with open(tmp, "w") as f:
        f.write("%d %d\n" % ports)
    os.rename(tmp, os.path.join(folder, "ports"))
    while True:
        time.sleep(3600)


main()
