# A Modbus server that we did not write (pymodbus), for the interoperation tests:  tcp | rtu_tcp PORT, or rtu over a pty pair.
# Prints READY and, for rtu, the path of the other end. Units 1 and 2; holding registers 0-99: value = address + 100 * unit.
import os, sys, threading, tty
from pymodbus.server import StartSerialServer, StartTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus import FramerType

def device(unit):
    bits = [n % 3 == 0 for n in range(64)]
    words = [n + 100 * unit for n in range(100)]
    return SimDevice(unit, simdata=(
        [SimData(0, values=bits, datatype=DataType.BITS)],
        [SimData(0, values=bits, datatype=DataType.BITS)],
        [SimData(0, values=words, datatype=DataType.REGISTERS)],
        [SimData(0, values=words, datatype=DataType.REGISTERS)],
    ))

def pty_pair():
    (a, a_end), (b, b_end) = os.openpty(), os.openpty()
    for end in (a, a_end, b, b_end):
        tty.setraw(end)
    def copy(source, sink):
        while True:
            os.write(sink, os.read(source, 1024))
    for source, sink in ((a, b), (b, a)):
        threading.Thread(target=copy, args=(source, sink), daemon=True).start()
    return os.ttyname(a_end), os.ttyname(b_end)

mode, devices = sys.argv[1], [device(1), device(2)]
if mode == "rtu":
    ours, theirs = pty_pair()
    print("READY", theirs, flush=True)
    StartSerialServer(devices, framer=FramerType.RTU, port=ours, baudrate=19200)
else:
    print("READY", flush=True)
    framer = FramerType.SOCKET if mode == "tcp" else FramerType.RTU
    StartTcpServer(devices, framer=framer, address=("127.0.0.1", int(sys.argv[2])))
