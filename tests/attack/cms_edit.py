#!/usr/bin/env python3
"""cms_edit.py OP < DER > DER: one change to a detached CMS signature, for the
suites.  Lengths are set right again, so that only the change is wrong."""
import sys


def parse(data):
    """[(tag, children or bytes)] of definite lengths."""
    out = []
    while data:
        tag, length, at = data[0], data[1], 2
        if length & 0x80:
            n = length & 0x7F
            length, at = int.from_bytes(data[2:2 + n], "big"), 2 + n
        body, data = data[at:at + length], data[at + length:]
        out.append([tag, parse(body) if tag & 0x20 else body])
    return out


def write(nodes):
    out = b""
    for tag, body in nodes:
        body = write(body) if isinstance(body, list) else body
        if len(body) < 0x80:
            head = bytes([len(body)])
        else:
            n = (len(body).bit_length() + 7) // 8
            head = bytes([0x80 | n]) + len(body).to_bytes(n, "big")
        out += bytes([tag]) + head + body
    return out


def main():
    op = sys.argv[1]
    der = sys.stdin.buffer.read()
    tree = parse(der)
    data = tree[0][1][1][1][0][1]      # SignedData
    signer = data[-1][1][0][1]         # the SignerInfo
    attributes = next(n for n in signer if n[0] == 0xA0)
    if op == "digest-twice":
        data[1][1].append([0x30, [[0x06, bytes.fromhex(
            "608648016503040203")]]])
    elif op == "unsigned-attribute":
        signer.append([0xA1, [[0x30, [[0x06, bytes.fromhex("2a0304")],
                                      [0x31, [[0x05, b""]]]]]]])
    elif op == "attribute-twice":
        attributes[1].insert(0, attributes[1][0])
    elif op == "attribute-order":
        attributes[1].reverse()
    elif op == "attribute-values":
        first = attributes[1][0][1][1]
        first[1].append(first[1][0])
        attributes[1].sort(key=lambda n: write([n]))
    elif op == "signature-bit":
        value = next(n for n in signer if n[0] == 0x04)
        value[1] = value[1][:-1] + bytes([value[1][-1] ^ 1])
    elif op == "certificate-twice":
        certs = next(n for n in data if n[0] == 0xA0)
        certs[1].append(certs[1][0])
    elif op != "same":
        out = {
            # one more byte, inside no element
            "tail": der + b"\0",
            # the outer length in more bytes than it needs
            "long-length": b"\x30\x83\x00" + der[2:] if der[1] == 0x82
            else None,
            # an open length where gpgsm has none
            "open-outer": b"\x30\x80" + der[4:] + b"\0\0",
        }[op]
        sys.stdout.buffer.write(out)
        return
    sys.stdout.buffer.write(write(tree))


main()
