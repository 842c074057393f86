#!/usr/bin/env python3
"""The hostile layer corpus (threats 1.7): makes each archive, has it unpacked
and judges the result.

usage: image_layers.py TOOL LIBEXEC FOLDER [NAME...]

One line a case: "pass NAME" or "fail NAME<TAB>why".  Beside each expected
result the whole of a canary tree, writable by anybody, must stay as it was;
every accepted layer has no device but whiteouts, no owner outside of the
store's range and no extended attribute that is not allowed.
"""
import gzip
import hashlib
import io
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib

BASE = 200000
TAR = "application/vnd.oci.image.layer.v1.tar"
GZIP = TAR + "+gzip"
ZSTD = TAR + "+zstd"
CANARY = ""
CASES = []


# --- building tars byte by byte ---------------------------------------------
def field(value, width):
    if isinstance(value, bytes):
        return value.ljust(width, b"\0")[:width]
    return b"%0*o\0" % (width - 1, value)


def base256(value, width):
    return (value & ((1 << (8 * width)) - 1)
            | 1 << (8 * width - 1)).to_bytes(width, "big")


def header(name, kind=b"0", size=0, link=b"", mode=0o644, uid=0, gid=0,
           mtime=0, magic=b"ustar\x0000", dev=(0, 0), prefix=b""):
    h = bytearray(512)
    h[0:100] = field(name, 100)
    h[100:108] = field(mode, 8)
    h[108:116] = field(uid, 8)
    h[116:124] = field(gid, 8)
    h[124:136] = field(size, 12)
    h[136:148] = field(mtime, 12)
    h[148:156] = b" " * 8
    h[156:157] = kind
    h[157:257] = field(link, 100)
    h[257:265] = magic
    h[329:337] = field(dev[0], 8)
    h[337:345] = field(dev[1], 8)
    h[345:500] = field(prefix, 155)
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def pad(data):
    return data + b"\0" * (-len(data) % 512)


def f(name, data=b"x", **k):
    return header(name, size=len(data), **k) + pad(data)


def d(name, mode=0o755, **k):
    return header(name, b"5", mode=mode, **k)


def l(name, target, **k):
    return header(name, b"2", link=target, mode=0o777, **k)


def h(name, target, **k):
    return header(name, b"1", link=target, **k)


def pax(records, kind=b"x"):
    body = b""
    for key, value in records:
        n = len(key) + len(value) + 3
        total = n + len(str(n))
        total = n + len(str(total))
        body += b"%d %s=%s\n" % (total, key, value)
    return header(b"PaxHeaders/x", kind, size=len(body)) + pad(body)


def gnu(kind, text):
    return header(b"././@LongLink", kind, size=len(text) + 1,
                  magic=b"ustar  \0") + pad(text + b"\0")


END = b"\0" * 1024


# --- the table ----------------------------------------------------------------
def case(name, data, want, check=None, media=TAR, diff=None, options=()):
    """want: "ok", or "CODE: regular expression of the message"."""
    CASES.append((name, data, want, check, media, diff, options))


def at(root, path):
    return os.path.join(root, path)


def is_file(path, text=b"x"):
    def check(root):
        p = at(root, path)
        if not stat.S_ISREG(os.lstat(p).st_mode):
            return "%s is not a file" % path
        if open(p, "rb").read() != text:
            return "%s has other contents" % path
        return None
    return check


def is_kind(path, test):
    def check(root):
        return None if test(os.lstat(at(root, path))) else \
            "%s is of another kind" % path
    return check


def is_whiteout(path):
    return is_kind(path, lambda s: stat.S_ISCHR(s.st_mode)
                   and s.st_rdev == 0)


def is_dir(path):
    return is_kind(path, lambda s: stat.S_ISDIR(s.st_mode))


def is_link(path):
    return is_kind(path, lambda s: stat.S_ISLNK(s.st_mode))


def has_mode(path, mode):
    return is_kind(path, lambda s: stat.S_IMODE(s.st_mode) == mode)


def gone(path):
    def check(root):
        return "%s is there" % path if os.path.lexists(at(root, path)) else None
    return check


def opaque(path, want=True):
    def check(root):
        try:
            have = os.getxattr(at(root, path), "user.overlay.opaque") == b"y"
        except OSError:
            have = False
        return None if have == want else "%s: opaque is %s" % (path, have)
    return check


def no_xattrs(path):
    def check(root):
        have = os.listxattr(at(root, path), follow_symlinks=False)
        return "%s has %s" % (path, have) if have else None
    return check


def both(*checks):
    def check(root):
        for c in checks:
            why = c(root)
            if why:
                return why
        return None
    return check


def paths(out):
    """Where a file could go that should not."""
    c = CANARY.encode()
    case("E40-absolute-name", f(c + b"/one") + END, "ok",
         is_file(CANARY[1:] + "/one"))
    case("E40-dotdot-first", f(b"../../one") + END, 'INPUT: .*has "\\.\\."')
    case("E40-dotdot-middle", f(b"a/../../one") + END, 'INPUT: .*"\\.\\."')
    case("E40-dotdot-last", d(b"a/..") + END, 'INPUT: .*"\\.\\."')
    case("E40-dotdot-many", f(b"../" * 20 + c[1:] + b"/one") + END,
         'INPUT: .*"\\.\\."')
    case("E40-dots-are-names", f(b".../..a/a..") + END, "ok",
         is_file(".../..a/a.."))
    case("E40-symlink-dir-absolute", l(b"d", c) + f(b"d/one") + END, "ok",
         is_file(CANARY[1:] + "/one"))
    case("E40-symlink-dir-relative",
         l(b"d", b"../" * 20 + c[1:]) + f(b"d/one") + END, "ok",
         is_file(CANARY[1:] + "/one"))
    case("E40-symlink-chain",
         l(b"a", b"b") + l(b"b", c) + f(b"a/one") + END, "ok",
         is_file(CANARY[1:] + "/one"))
    case("E40-symlink-to-parent", l(b"up", b"..") + f(b"up/up/up/one") + END,
         "ok", is_file("one"))
    case("E40-symlink-to-root", l(b"r", b"/") + f(b"r/r/r/one") + END, "ok",
         is_file("one"))
    case("E40-symlink-loop", l(b"a", b"b") + l(b"b", b"a") + f(b"a/x") + END,
         "INPUT: .*(symbolic links|not a folder)")
    case("E40-symlink-self", l(b"a", b"a") + f(b"a/x") + END,
         "INPUT: .*(symbolic links|not a folder)")
    case("E40-symlink-file-then-file",
         l(b"one", c + b"/one") + f(b"one", b"new") + END, "ok",
         is_file("one", b"new"))
    case("E40-symlink-file-then-dir", l(b"one", c) + d(b"one") + END, "ok",
         is_dir("one"))
    case("E40-dir-entry-over-symlink",
         l(b"d", c) + d(b"d", 0o700) + f(b"d/x") + END, "ok",
         both(is_dir("d"), is_file("d/x")))
    case("E40-root-is-symlink", l(b".", c) + f(b"one") + END,
         "INPUT: .*the root is not a folder")
    case("E40-root-is-file", f(b".") + END,
         "INPUT: .*the root is not a folder")
    case("E40-root-many-times", d(b"./") + d(b".") + d(b"/") + f(b"x") + END,
         "ok", is_file("x"))
    case("E40-empty-name", f(b"") + END, "INPUT: .*(root|name)")
    case("E40-dangling-dir-link",
         l(b"lib", b"usr/lib") + f(b"lib/x") + END, "ok",
         both(is_link("lib"), is_file("usr/lib/x")))
    case("E40-dangling-absolute-out",
         l(b"v", c + b"/new/deep") + f(b"v/x") + END, "ok",
         is_file(CANARY[1:] + "/new/deep/x"))
    case("E40-parent-is-file", f(b"a") + f(b"a/b") + END,
         "INPUT: .*parent is not a folder")
    case("E40-parent-is-fifo", header(b"a", b"6") + f(b"a/b") + END,
         "INPUT: .*parent is not a folder")
    case("E40-proc-magic-link",
         l(b"m", b"/proc/self/root" + c) + f(b"m/one") + END, "ok",
         gone("one"))
    case("E40-fd-magic-link",
         l(b"m", b"/proc/self/fd/5/../../../../..") + f(b"m/one") + END, "ok")


def long_names(out):
    case("E40-gnu-longname",
         gnu(b"L", b"/".join([b"d" * 50] * 4) + b"/x") + f(b"short") + END,
         "ok", is_file("/".join(["d" * 50] * 4) + "/x"))
    case("E40-gnu-longname-dotdot", gnu(b"L", b"../" * 40 + b"x") +
         f(b"safe") + END, 'INPUT: .*"\\.\\."')
    case("E40-gnu-longlink", gnu(b"K", CANARY.encode() + b"/one") +
         h(b"x", b"safe") + END, "INPUT: .*hard link")
    case("E40-pax-path", pax([(b"path", b"../../one")]) + f(b"safe") + END,
         'INPUT: .*"\\.\\."')
    case("E40-pax-path-absolute",
         pax([(b"path", CANARY.encode() + b"/one")]) + f(b"safe") + END, "ok",
         is_file(CANARY[1:] + "/one"))
    case("E40-pax-linkpath",
         pax([(b"linkpath", CANARY.encode())]) + l(b"s", b"safe") +
         f(b"s/one") + END, "ok", is_file(CANARY[1:] + "/one"))
    case("E40-pax-nul-in-path", pax([(b"path", b"a\0/../../b")]) + f(b"s") +
         END, "ok", gone("b"))
    case("E40-pax-global-path",
         pax([(b"path", b"../../one")], b"g") + f(b"x") + END, "ok",
         is_file("x"))
    case("E49-component-256", pax([(b"path", b"c" * 256)]) + f(b"s") + END,
         "LIMIT: .*at most 255 bytes between slashes")
    case("E49-path-64k", pax([(b"path", b"a/" * 32768 + b"b")]) + f(b"s") +
         END, "LIMIT: .*at most 4095 bytes")
    case("E49-depth-2000", pax([(b"path", b"a/" * 2000 + b"b")]) + f(b"s") +
         END, "LIMIT: .*folders deep")
    case("E49-depth-by-links",
         b"".join(pax([(b"path", b"d%d/" % i + b"a/" * 400),
                       ]) + d(b"s") for i in range(3)) + END, "ok")
    case("E49-pax-1-gib", header(b"p", b"x", size=1 << 30) + END,
         "INPUT: .*(large|[Tt]runcated)")
    case("E49-gnu-name-1-gib", header(b"././@LongLink", b"L", size=1 << 30,
                                      magic=b"ustar  \0") + END,
         "INPUT: .*(large|[Tt]runcated)")
    case("E49-symlink-64k", pax([(b"linkpath", b"t" * 65000)]) +
         l(b"s", b"x") + END, "LIMIT: .*symbolic link")
    case("name-not-utf8", f(b"caf\xe9") + END, "ok")
    case("pax-name-not-utf8", pax([(b"path", b"caf\xe9")]) + f(b"s") + END,
         "INPUT: .*")
    case("pax-name-utf8", pax([(b"path", "caf\u00e9/\u6f22".encode())]) +
         f(b"s") + END, "ok", is_file("caf\u00e9/\u6f22"))


def hard_links(out):
    c = CANARY.encode()
    case("E40-hardlink-absolute-outside", h(b"x", c + b"/one") + END,
         "INPUT: .*(not in this layer|parent is not)")
    case("E40-hardlink-absolute-inside",
         f(b"etc/a") + h(b"x", b"/etc/a") + END, "ok", is_file("x"))
    case("E40-hardlink-dotdot", h(b"x", b"../../one") + END,
         'INPUT: .*hard link.*"\\.\\."')
    case("E40-hardlink-through-symlink",
         l(b"d", c) + h(b"x", b"d/one") + f(b"x", b"bad") + END,
         "INPUT: .*(not in this layer|parent is not)")
    case("E40-hardlink-to-symlink",
         l(b"s", c + b"/one") + h(b"x", b"s") + f(b"x", b"new") + END, "ok",
         both(is_file("x", b"new"), is_link("s")))
    case("E41-hardlink-then-mode",
         l(b"s", c + b"/one") + h(b"x", b"s") +
         header(b"x", b"1", link=b"s", mode=0o4777) + END, "ok", is_link("x"))
    case("E40-hardlink-itself", f(b"a") + h(b"a", b"./a") + END,
         "INPUT: .*hard link to itself")
    case("E40-hardlink-later", h(b"x", b"later") + f(b"later") + END,
         "INPUT: .*not in this layer")
    case("E40-hardlink-directory", d(b"d") + h(b"x", b"d") + END,
         "INPUT: .*want a file")
    case("E40-hardlink-root", h(b"x", b"/") + END,
         "INPUT: .*hard link to the root")
    case("E40-hardlink-whiteout", f(b".wh.a") + h(b"x", b"a") + END,
         "INPUT: .*want a file")
    case("E40-hardlink-replaces-own-parent",
         f(b"d/a") + h(b"d", b"d/a") + END, "INPUT: .*replaces its target")
    case("E40-hardlink-with-data", f(b"a", b"good") +
         header(b"x", b"1", link=b"a", size=0) + END, "ok",
         is_file("x", b"good"))
    case("E40-overwrite-through-hardlink",
         f(b"a", b"good") + h(b"x", b"a") + f(b"x", b"new!") + END, "ok",
         both(is_file("a", b"good"), is_file("x", b"new!")))


def duplicates(out):
    case("dup-dir-symlink-file",
         d(b"a") + f(b"a/x") + l(b"a", CANARY.encode()) + f(b"a", b"end") +
         END, "ok", is_file("a", b"end"))
    case("dup-dir-becomes-symlink-then-child",
         d(b"a") + f(b"a/x") + l(b"a", CANARY.encode()) + f(b"a/one") + END,
         "ok", both(is_link("a"), is_file(CANARY[1:] + "/one")))
    case("dup-file-then-dir", f(b"a") + d(b"a") + f(b"a/b") + END, "ok",
         is_file("a/b"))
    case("dup-file-file", f(b"a", b"1") + f(b"a", b"2") + END, "ok",
         is_file("a", b"2"))
    case("dup-fifo-file", header(b"a", b"6") + f(b"a", b"2") + END, "ok",
         is_file("a", b"2"))
    case("dup-dir-merges", d(b"a") + f(b"a/b") + d(b"a", 0o700) + END, "ok",
         both(is_file("a/b"), has_mode("a", 0o700)))


def whiteouts(out):
    c = CANARY.encode()
    case("E42-whiteout", f(b"d/.wh.x", b"") + END, "ok", is_whiteout("d/x"))
    case("E42-whiteout-through-symlink",
         l(b"d", c) + f(b"d/.wh.one", b"") + END, "ok",
         is_whiteout(CANARY[1:] + "/one"))
    case("E42-opaque-through-symlink",
         l(b"d", c) + f(b"d/.wh..wh..opq", b"") + END, "ok",
         opaque(CANARY[1:]))
    case("E42-whiteout-of-dot", f(b"d/.wh..", b"") + END,
         "INPUT: .*whiteout of")
    case("E42-whiteout-of-dotdot", f(b"d/.wh...", b"") + END,
         "INPUT: .*whiteout of")
    case("E42-whiteout-of-nothing", f(b"d/.wh.", b"") + END,
         "INPUT: .*whiteout of")
    case("E42-whiteout-dotdot-path", f(b"../.wh.one", b"") + END,
         'INPUT: .*"\\.\\."')
    case("E42-opaque-root", f(b".wh..wh..opq", b"") + END,
         "INPUT: .*opaque whiteout of the root")
    case("E42-reserved-name", f(b"a/.wh..wh.plnk", b"") + END,
         "INPUT: .*reserved name")
    case("E42-below-whiteout", f(b".wh.d/x") + END,
         "INPUT: .*below a whiteout")
    case("E42-whiteout-is-dir", d(b"d/.wh.x") + END, "ok", is_whiteout("d/x"))
    case("E42-whiteout-is-symlink", l(b"d/.wh.x", c) + END, "ok",
         is_whiteout("d/x"))
    case("E42-whiteout-is-device", header(b"d/.wh.x", b"3", dev=(1, 3)) + END,
         "ok", is_whiteout("d/x"))
    case("E42-file-then-whiteout", f(b"a") + f(b".wh.a", b"") + END, "ok",
         is_file("a"))
    case("E42-whiteout-then-file", f(b".wh.a", b"") + f(b"a") + END, "ok",
         is_file("a"))
    case("E42-whiteout-then-dir", f(b".wh.a", b"") + d(b"a") + f(b"a/b") + END,
         "ok", both(is_file("a/b"), opaque("a")))
    case("E42-whiteout-then-child", f(b".wh.a", b"") + f(b"a/b") + END, "ok",
         both(is_file("a/b"), opaque("a")))
    case("E42-dir-then-whiteout", d(b"a") + f(b"a/b") + f(b".wh.a", b"") + END,
         "ok", both(is_file("a/b"), opaque("a")))
    case("E42-opaque-after-content",
         d(b"a") + f(b"a/b") + f(b"a/.wh..wh..opq", b"") + END, "ok",
         both(is_file("a/b"), opaque("a")))
    case("E42-opaque-missing-dir", f(b"a/.wh..wh..opq", b"") + END, "ok",
         opaque("a"))


def kinds(out):
    case("E38-char-device", header(b"null", b"3", dev=(1, 3)) + END,
         'INPUT: .*entry "null": device nodes')
    case("E38-block-device", header(b"disk", b"4", dev=(8, 0)) + END,
         "INPUT: .*device nodes")
    case("E42-whiteout-by-node", header(b"x", b"3", dev=(0, 0)) + END,
         "INPUT: .*device nodes")
    case("fifo", header(b"p", b"6", mode=0o600) + END, "ok",
         is_kind("p", lambda s: stat.S_ISFIFO(s.st_mode)))
    case("contiguous-file", f(b"a", b"x", kind=b"7") + END, "ok", is_file("a"))
    case("unknown-typeflag", f(b"a", b"x", kind=b"Z") + END, "ok",
         is_file("a"))
    case("mode-with-type-bits", f(b"a", mode=0o120777) + END, "ok",
         both(is_file("a"), has_mode("a", 0o777)))
    case("set-id-bits-stay", f(b"a", mode=0o6755, uid=5, gid=6) + END, "ok",
         has_mode("a", 0o6755))
    case("sticky-dir", d(b"t", 0o1777) + END, "ok", has_mode("t", 0o1777))
    case("mode-0-dir", d(b"t", 0) + f(b"t/x") + END, "ok", is_file("t/x"))
    case("sgid-dir-does-not-spread",
         d(b"t", 0o2755, gid=7) + f(b"t/x") + END, "ok",
         is_kind("t/x", lambda s: s.st_gid == BASE))
    case("E41-symlink-mode", l(b"s", CANARY.encode() + b"/one", uid=9) + END,
         "ok", is_link("s"))
    case("uid-65535", f(b"a", uid=65535, gid=65535) + END, "ok",
         is_kind("a", lambda s: s.st_uid == BASE + 65535))
    for name, value in (("65536", 65536), ("2^31", 1 << 31),
                        ("2^32", 1 << 32), ("negative", -1)):
        case("E26-uid-" + name, f(b"a", uid=base256(value, 8)) + END,
             "INPUT: .*want user and group ids of 0..65535")
        case("E26-gid-" + name, f(b"a", gid=base256(value, 8)) + END,
             "INPUT: .*want user and group ids of 0..65535")
    case("mtime-minus-2^63", f(b"a", mtime=base256(-(1 << 63), 12)) + END,
         "ok", is_kind("a", lambda s: s.st_mtime == 0))
    case("mtime-2^62", f(b"a", mtime=base256(1 << 62, 12)) + END, "ok",
         is_file("a"))


def xattrs(out):
    def x(name, value=b"y", entry=None):
        return pax([(b"SCHILY.xattr." + name, value)]) + \
            (entry or f(b"a")) + END

    for n in ("trusted.overlay.opaque", "trusted.overlay.redirect",
              "trusted.overlay.metacopy", "user.overlay.opaque",
              "user.overlay.redirect", "user.overlay.whiteout",
              "security.selinux", "security.ima", "security.capability",
              "system.posix_acl_access", "user."):
        case("E43-xattr-" + n, x(n.encode()), "ok", no_xattrs("a"))
    case("E43-xattr-opaque-dir", x(b"user.overlay.opaque", b"y", d(b"a")),
         "ok", opaque("a", False))
    case("E43-xattr-user", x(b"user.note", b"hello"), "ok",
         lambda root: None if os.getxattr(at(root, "a"), "user.note")
         == b"hello" else "lost")
    case("E41-xattr-on-symlink",
         x(b"user.note", b"y", l(b"a", CANARY.encode() + b"/one")), "ok",
         is_link("a"))
    case("E43-xattr-large", x(b"user.note", b"v" * 70000),
         "LIMIT: .*extended attribute|SYS: .*extended attribute")
    case("E43-libarchive-xattr",
         pax([(b"LIBARCHIVE.xattr.user.overlay.opaque", b"eQ==")]) + f(b"a") +
         END, "ok", no_xattrs("a"))
    case("E41-acl", pax([(b"SCHILY.acl.access", b"user:0:rwx,other::rwx")]) +
         f(b"a", mode=0o600) + END, "ok",
         both(no_xattrs("a"), has_mode("a", 0o607)))
    case("E41-fflags", pax([(b"SCHILY.fflags", b"schg,uappnd")]) + f(b"a") +
         END, "ok", is_file("a"))


def sizes(out):
    case("size-negative", f(b"a", b"")[:124] + base256(-1, 12) +
         f(b"a", b"")[136:] + END, "INPUT: .*")
    bad = bytearray(header(b"a", size=0))
    bad[124:136] = base256(-5, 12)
    bad[148:156] = b" " * 8
    bad[148:156] = b"%06o\0 " % sum(bad)
    case("size-negative-checksum-right", bytes(bad) + END, "INPUT: .*")
    case("size-over-data", header(b"a", size=1 << 20) + END,
         "INPUT: .*[Tt]runcated")
    big = bytearray(header(b"a", size=0))
    big[124:136] = base256(1 << 50, 12)
    big[148:156] = b" " * 8
    big[148:156] = b"%06o\0 " % sum(big)
    case("E49-size-1-pib", bytes(big) + END, "LIMIT: .*bytes of files")
    case("E49-sparse-1-pib",
         pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
              (b"GNU.sparse.name", b"s"),
              (b"GNU.sparse.realsize", b"%d" % (1 << 50))]) +
         f(b"s", b"1\n0\n1\n".ljust(512, b"\0") + b"x") + END,
         "LIMIT: .*bytes of files")
    case("sparse-honest",
         pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
              (b"GNU.sparse.name", b"s"),
              (b"GNU.sparse.realsize", b"8193")]) +
         f(b"s", b"1\n8192\n1\n".ljust(512, b"\0") + b"x") + END, "ok",
         is_file("s", b"\0" * 8192 + b"x"))
    case("E49-entries", b"".join(f(b"f%d" % i, b"") for i in range(2000)) +
         END, "LIMIT: .*at most 1000 entries", options=("max_entries=1000",))
    case("E49-entries-same-name", f(b"a", b"") * 2000 + END,
         "LIMIT: .*at most 1000 entries", options=("max_entries=1000",))
    case("E49-files-over-limit", f(b"a", b"z" * 6000) + END,
         "LIMIT: .*at most 5000 bytes", options=("max_bytes=5000",))


def streams(out):
    good = f(b"a") + END
    z = gzip.compress(good, mtime=0)
    case("PL12-diff-id-wrong", good, "TRUST: .*want diff id sha256:000",
         diff="sha256:" + "0" * 64)
    case("PL12-diff-id-covers-the-tail", good + b"tail", "TRUST: .*diff id",
         diff=sha(good))
    case("tail-with-its-own-diff-id", good + b"tail" * 1000, "ok",
         is_file("a"))
    case("two-tars", good + f(b"b") + END, "ok",
         both(is_file("a"), gone("b")))
    case("no-end-mark", f(b"a"), "ok", is_file("a"))
    case("empty", b"", "INPUT: .*")
    case("only-end-mark", END, "ok")
    case("gzip-good", z, "ok", is_file("a"), GZIP, sha(good))
    case("gzip-two-members", gzip.compress(good[:512]) +
         gzip.compress(good[512:]), "ok", is_file("a"), GZIP, sha(good))
    case("gzip-trailing-garbage", z + b"garbage", "ok|INPUT: .*", None, GZIP,
         sha(good))
    case("gzip-crc-wrong", z[:-8] + b"\0\0\0\0" + z[-4:], "ok|INPUT: .*", None,
         GZIP, sha(good))
    case("gzip-empty-file", b"", "INPUT: .*", None, GZIP, sha(b""))
    case("gzip-of-nothing", gzip.compress(b""), "INPUT: .*", None, GZIP,
         sha(b""))
    body = f(b"a", os.urandom(3000)) + END
    zb = gzip.compress(body)
    for n in range(512, len(zb), 512):
        case("gzip-truncated-%d" % n, zb[:n], "INPUT: .*", None, GZIP,
             sha(body))
    for n in range(512, len(body) - 1024, 512):
        case("tar-truncated-%d" % n, body[:n], "INPUT: .*[Tt]runcated")
    case("type-says-gzip", good, "INPUT: .*want gzip data", None, GZIP)
    case("type-says-zstd", z, "INPUT: .*want zstd data", None, ZSTD,
         sha(good))
    case("type-says-tar", z, "INPUT: .*", None, TAR)
    case("E49-double-gzip", gzip.compress(z), "INPUT: .*gzip data within", None, GZIP, sha(z))
    case("media-type-unknown", good, "INPUT: .*want the media type",
         None, "application/x-tar")
    case("media-type-encrypted", good, "INPUT: .*encrypted layers", None,
         TAR + "+encrypted")


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def formats(out):
    buf = io.BytesIO()
    with zipfile.ZipFile(buf, "w") as zf:
        zf.writestr("../../one", b"x")
    for name, data in (
            ("zip", buf.getvalue()),
            ("rar", b"Rar!\x1a\x07\x00" + b"\0" * 600),
            ("7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 600),
            ("iso", b"\0" * 32768 + b"\x01CD001\x01" + b"\0" * 4000),
            ("cpio", b"070701" + b"0" * 104 + b"\0" * 600),
            ("xar", b"xar!" + b"\0" * 600),
            ("ar", b"!<arch>\n" + b"\0" * 600),
            ("mtree", b"#mtree\n./one type=file\n" + b"\n" * 600),
            ("text", b"hello world\n" * 100)):
        case("format-" + name, data, "INPUT: .*" if name != "iso"
             else "ok|INPUT: .*")
    case("format-zip-in-gzip", gzip.compress(buf.getvalue()), "INPUT: .*",
         None, GZIP, sha(buf.getvalue()))


def zstd(args, data):
    return subprocess.run(["zstd", "-q", "-c"] + args, input=data,
                          stdout=subprocess.PIPE, check=True).stdout


def bombs(out):
    good = f(b"a") + END
    zeros = header(b"z", size=256 << 20)
    co = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = co.compress(zeros)
    block = b"\0" * (1 << 20)
    digest = hashlib.sha256(zeros)
    for _ in range(256):
        bomb += co.compress(block)
        digest.update(block)
    bomb += co.compress(END) + co.flush()
    digest.update(END)
    diff = "sha256:" + digest.hexdigest()
    case("E49-gzip-bomb", bomb, "LIMIT: .*expands more than 200-fold", None,
         GZIP, diff)
    if shutil.which("zstd"):
        case("zstd-good", zstd([], good), "ok", is_file("a"), ZSTD, sha(good))
        case("zstd-skippable-frame",
             struct.pack("<II", 0x184D2A50, 4) + b"skip" + zstd([], good),
             "ok|INPUT: .*", None, ZSTD, sha(good))
        case("zstd-checksum-wrong", zstd(["--check"], good)[:-1] + b"\0",
             "ok|INPUT: .*", None, ZSTD, sha(good))
        case("zstd-truncated", zstd([], body_of(9000))[:-100], "INPUT: .*",
             None, ZSTD, sha(good))
        case("E49-zstd-window-2-gib",
             b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([(31 - 10) << 3]) +
             b"\x01\x00\x00", "INPUT: .*", None, ZSTD, sha(b""))


def body_of(n):
    return f(b"a", os.urandom(n)) + END


# --- running -------------------------------------------------------------------
def snapshot(top):
    """All that can be seen of a tree, as text."""
    lines = []
    for folder, dirs, files in os.walk(top):
        dirs.sort()
        for n in sorted(dirs + files) + [""]:
            p = os.path.join(folder, n)
            s = os.lstat(p)
            data = ""
            if stat.S_ISREG(s.st_mode):
                data = hashlib.sha256(open(p, "rb").read()).hexdigest()
            elif stat.S_ISLNK(s.st_mode):
                data = os.readlink(p)
            lines.append("%s %o %d:%d %d %d %d %s %s" % (
                p, s.st_mode, s.st_uid, s.st_gid, s.st_nlink, s.st_size,
                s.st_mtime_ns, data,
                sorted(os.listxattr(p, follow_symlinks=False))))
    return "\n".join(lines)


def make_canary():
    os.makedirs(os.path.join(CANARY, "dir", "deep"))
    for n in ("one", "dir/two", "dir/deep/three"):
        with open(os.path.join(CANARY, n), "w") as out:
            out.write("canary\n")
    os.symlink("one", os.path.join(CANARY, "link"))
    for folder, dirs, files in os.walk(CANARY):
        os.chmod(folder, 0o777)
        for n in files:
            if not os.path.islink(os.path.join(folder, n)):
                os.chmod(os.path.join(folder, n), 0o666)


def invariants(root):
    """What holds for every accepted layer."""
    for folder, dirs, files in os.walk(root):
        for n in dirs + files:
            p = os.path.join(folder, n)
            s = os.lstat(p)
            if stat.S_ISBLK(s.st_mode) or (stat.S_ISCHR(s.st_mode)
                                           and s.st_rdev != 0):
                return "device %s" % p
            if not (BASE <= s.st_uid < BASE + 65536
                    and BASE <= s.st_gid < BASE + 65536):
                return "owner of %s" % p
            for x in os.listxattr(p, follow_symlinks=False):
                if not x.startswith("user.") or (
                        x.startswith("user.overlay.")
                        and x != "user.overlay.opaque"):
                    return "attribute %s of %s" % (x, p)
    return None


def run(tool, libexec, folder, one):
    name, data, want, check, media, diff, options = one
    blob = os.path.join(folder, "blob")
    store = os.path.join(folder, "store")
    with open(blob, "wb") as out:
        out.write(data)
    diff = diff or sha(data)
    p = subprocess.run([tool, "unpack", store, libexec, blob, media, diff] +
                       list(options), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=60)
    said = (p.stdout + p.stderr).decode(errors="replace").strip()
    layer = os.path.join(store, "layers", diff[7:])
    root = os.path.join(layer, "fs")
    try:
        if not re.match("(%s)" % want, said, re.S):
            return "want %s, have %s (status %d)" % (want, said, p.returncode)
        if p.returncode == 0:
            return invariants(root) or (check(root) if check else None)
        left = os.listdir(os.path.join(store, "layers"))
        return "left %s" % left if left else None
    finally:
        shutil.rmtree(layer, ignore_errors=True)


def main():
    global CANARY
    tool, libexec, folder = sys.argv[1:4]
    CANARY = os.path.join(folder, "canary")
    make_canary()
    for group in (paths, long_names, hard_links, duplicates, whiteouts, kinds,
                  xattrs, sizes, streams, formats, bombs):
        group(None)
    before = snapshot(CANARY)
    for one in CASES:
        if sys.argv[4:] and one[0] not in sys.argv[4:]:
            continue
        try:
            why = run(tool, libexec, folder, one)
        except (OSError, subprocess.TimeoutExpired) as e:
            why = str(e)
        after = snapshot(CANARY)
        if after != before:
            why = "THE CANARY CHANGED; " + (why or "")
            before = after
        if why:
            print("fail %s\t%s" % (one[0], " ".join(why.split())))
        else:
            print("pass %s" % one[0])


main()
