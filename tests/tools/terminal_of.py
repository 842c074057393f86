# terminal_of.py COMMAND...: runs it on a terminal of its own, as an operator's
# shell would; prints what it wrote, then how many bytes wait to be read there as
# if the operator had typed them.
import array
import fcntl
import os
import select
import subprocess
import sys
import termios
import tty

master, slave = os.openpty()
tty.setraw(slave)


def lead():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave,
                         preexec_fn=lead)
out = b""
for _ in range(600):  # a minute at the most
    ready = select.select([master], [], [], 0.1)[0]
    if ready:
        out += os.read(master, 4096)
    elif child.poll() is not None:
        break
else:
    child.kill()
waiting = array.array("i", [0])
fcntl.ioctl(slave, termios.FIONREAD, waiting)
sys.stdout.write(out.decode(errors="replace").replace("\r", ""))
print("waiting %d" % waiting[0])
