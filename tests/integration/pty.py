#!/usr/bin/env python3
"""Runs a command on a terminal of its own and speaks to it.

    pty.py STEP... -- COMMAND ARG...

    size ROWS COLS   before or meanwhile; the command's group gets SIGWINCH
    send TEXT        python escapes; "\\r" is the return key
    want REGEX       waits for it in what has come since the last match
    signal NAME      to the command

Ends with the command's status, prints what it has written, and as last line
"terminal: as before" or "terminal: changed".
"""
import fcntl
import os
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 10


class Talk:
    def __init__(self, command):
        self.master, self.slave = os.openpty()
        self.size(24, 80)
        self.before = termios.tcgetattr(self.slave)
        self.text = b""
        self.at = 0
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.execvp(command[0], command)

    def size(self, rows, cols):
        packed = struct.pack("HHHH", int(rows), int(cols), 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, packed)

    def hear(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.text += os.read(self.master, 65536)
        return True

    def want(self, regex):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = re.search(regex.encode(), self.text[self.at:])
            if found:
                self.at += found.end()
                return
            self.hear(0.1)
        print(self.text.decode(errors="replace"))
        sys.exit("pty.py: no " + regex)

    def send(self, text):
        data = text.encode().decode("unicode_escape").encode()
        while data:
            data = data[os.write(self.master, data[:1024]):]

    def signal(self, name):
        os.kill(self.pid, getattr(signal, "SIG" + name))

    def end(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.hear(0):
                    pass
                return os.waitstatus_to_exitcode(status)
            self.hear(0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        print(self.text.decode(errors="replace"))
        sys.exit("pty.py: the command does not end")


def main(argv):
    stop = argv.index("--")
    steps, command = argv[1:stop], argv[stop + 1:]
    talk = Talk(command)
    takes = {"size": 2, "send": 1, "want": 1, "signal": 1}
    while steps:
        n = takes[steps[0]]
        getattr(talk, steps[0])(*steps[1:1 + n])
        steps = steps[1 + n:]
    status = talk.end()
    print(talk.text.decode(errors="replace").replace("\r\n", "\n"))
    same = termios.tcgetattr(talk.slave) == talk.before
    print("terminal:", "as before" if same else "changed")
    sys.exit(status if status >= 0 else 128 - status)


main(sys.argv)
