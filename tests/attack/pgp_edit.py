#!/usr/bin/env python3
"""pgp_edit.py OP < ARMOR > ARMOR: one change to an OpenPGP signature, for the
suites.  Armor and checksum are made anew."""
import base64
import sys


def dearmor(text):
    body = text.split("\n\n", 1)[1].split("\n=")[0]
    return base64.b64decode(body)


def armor(data, crc_xor=0):
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    text = base64.b64encode(data).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    check = base64.b64encode(((crc & 0xFFFFFF) ^ crc_xor).to_bytes(3, "big"))
    return ("-----BEGIN PGP SIGNATURE-----\n\n" + "\n".join(lines) + "\n=" +
            check.decode() + "\n-----END PGP SIGNATURE-----\n")


def body_of(packet):
    """Old format with one or two bytes of length, as gpg writes it."""
    n = {0: 1, 1: 2}[packet[0] & 3]
    return bytearray(packet[1 + n:])


def packet(body):
    if len(body) < 256:
        return b"\x88" + bytes([len(body)]) + bytes(body)
    return b"\x89" + len(body).to_bytes(2, "big") + bytes(body)


def numbers(body):
    """Where the numbers begin."""
    hashed = int.from_bytes(body[4:6], "big")
    other = int.from_bytes(body[6 + hashed:8 + hashed], "big")
    return 8 + hashed + other + 2


def main():
    op = sys.argv[1]
    texts = sys.stdin.read()
    first = dearmor(texts)
    if op == "same":
        out = armor(first)
    elif op == "checksum":
        out = armor(first, 1)
    elif op == "twice":
        out = armor(first + first)
    elif op == "join":              # two armored signatures, one block
        second = dearmor(texts.split("-----END PGP SIGNATURE-----\n")[1])
        out = armor(first + second)
    elif op == "length":            # two bytes of length where one does
        out = armor(b"\x89\x00" + first[1:])
    elif op == "long-length":       # four bytes
        body = body_of(first)
        out = armor(b"\x8a" + len(body).to_bytes(4, "big") + bytes(body))
    elif op == "open-length":       # until the end
        out = armor(b"\x8b" + bytes(body_of(first)))
    elif op == "partial":           # new format, in parts
        body = bytes(body_of(first))
        out = armor(b"\xc2\xe5" + body[:32] + bytes([len(body) - 32]) +
                    body[32:])
    elif op == "new-format":
        body = bytes(body_of(first))
        n = len(body)
        head = bytes([n]) if n < 192 else bytes(
            [((n - 192) >> 8) + 192, (n - 192) & 255])
        out = armor(b"\xc2" + head + body)
    elif op == "marker":            # a marker packet before it
        out = armor(b"\xca\x03PGP" + first)
    elif op == "literal":           # no signature but data
        out = armor(b"\xcb\x08b\x00\x00\x00\x00\x00hi")
    else:
        body = body_of(first)
        at = numbers(body)
        if op == "version":
            body[0] = 3
        elif op == "text":
            body[1] = 1
        elif op == "dsa":
            body[2] = 17
        elif op == "sha1":
            body[3] = 2
        elif op == "bit":
            body[-1] ^= 1
        elif op == "tail":
            body.append(0)
        elif op == "cut":
            del body[-1]
        elif op == "count":         # one bit fewer than there are
            bits = int.from_bytes(body[at:at + 2], "big")
            body[at:at + 2] = (bits - 1).to_bytes(2, "big")
        elif op == "zeros":         # as GitHub: the bits of the key
            bits = int.from_bytes(body[at:at + 2], "big")
            full = 3072
            pad = (full - (bits + 7) // 8 * 8) // 8
            body[at:at + 2] = full.to_bytes(2, "big")
            body[at + 2:at + 2] = bytes(pad)
        elif op == "hashed":        # prints where what is signed ends
            print(8 + int.from_bytes(body[4:6], "big"))
            return
        elif op == "numbers":       # prints where they begin
            print(at + 2)
            return
        elif op == "second":        # prints where the second begins
            bits = int.from_bytes(body[at:at + 2], "big")
            print(at + 2 + 2 + (bits + 7) // 8)
            return
        elif op == "bits":          # prints how many
            print(int.from_bytes(body[at:at + 2], "big"))
            return
        out = armor(packet(body))
    sys.stdout.write(out)


main()
