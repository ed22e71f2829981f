# A serial device that can be plugged in and out: a pty behind a symbolic link, as /dev/serial/by-id has them.
# Commands on standard input: plug | unplug | send HEX. Answers READY to the first two when it is done.
import os, sys, tty

link, master = sys.argv[1], None

for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "plug":
        master, slave = os.openpty()
        tty.setraw(slave)
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(os.ttyname(slave), link)
        # Kept open until the reader has it: the last close of a slave hangs the master up.
        held = slave
        print("READY", flush=True)
    elif word == "unplug":
        os.unlink(link)
        os.close(held)
        os.close(master)
        print("READY", flush=True)
    elif word == "send":
        os.write(master, bytes.fromhex(rest))
