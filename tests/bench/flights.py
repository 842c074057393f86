#!/usr/bin/env python3
"""Counts round trips: a TCP proxy on loopback.

usage: flights.py PORT FILE

Listens on a free port, hands bytes on to PORT, and keeps FILE as "LISTENING
connections flights": a flight is what a client sends after it has heard from
the server, or at first, so that a request and its answer are one.
"""
import os
import select
import socket
import sys
import threading

LOCK = threading.Lock()
COUNT = {"connections": 0, "flights": 0}


def tell(port):
    with open(sys.argv[2] + ".new", "w", encoding="utf-8") as f:
        f.write("%d %d %d\n" % (port, COUNT["connections"], COUNT["flights"]))
    os.rename(sys.argv[2] + ".new", sys.argv[2])


def count(port, what):
    with LOCK:
        COUNT[what] += 1
        tell(port)


def carry(client, port):
    server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for s in (client, server):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count(port, "connections")
    heard = True
    while True:
        for s in select.select([client, server], [], [])[0]:
            data = s.recv(65536)
            if not data:
                client.close()
                server.close()
                return
            if s is client and heard:
                count(port, "flights")
            heard = s is server
            (server if s is client else client).sendall(data)


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    tell(port)
    while True:
        client = listener.accept()[0]
        threading.Thread(target=carry, args=(client, port), daemon=True).start()


main()
