# A serial device that can be plugged in and out: a pty behind a symbolic link, as /dev/serial/by-id has them.
# Commands on standard input: plug | unplug | send HEX. Answers READY to the first two when it is done, and GOT HEX to what
# is written to the device.
import os, select, sys, threading, tty

link, master = sys.argv[1], None


def listen(master, unplugged):
    # Never inside a read when it is closed: that would keep it open.
    while not unplugged.is_set():
        if select.select([master], [], [], 0.02)[0]:
            print("GOT", os.read(master, 4096).hex(), flush=True)


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
        unplugged = threading.Event()
        listener = threading.Thread(target=listen, args=(master, unplugged), daemon=True)
        listener.start()
        print("READY", flush=True)
    elif word == "unplug":
        os.unlink(link)
        unplugged.set()
        listener.join()
        os.close(held)
        os.close(master)
        print("READY", flush=True)
    elif word == "send":
        os.write(master, bytes.fromhex(rest))
