# What `mn --topo single,N --switch lxbr --controller none` builds: N hosts, each a
# shell in a namespace with one veth to one Linux bridge. benchlab runs it in a
# sandbox with the Python that mn runs with; what it leaves ends with the sandbox.
import json, os, resource, subprocess, sys, time
import mininet.net
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

# It would raise limits of the whole machine; only that of open files is needed.
mininet.net.fixLimits = lambda: None
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

ECHO = """
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('', 7))
print(flush=True)
u.sendto(*u.recvfrom(64))
"""
ASK = """
import socket, sys
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.settimeout(10)
u.sendto(b'x', (sys.argv[1], 7))
u.recvfrom(64)
"""


def say(**what):
    print(json.dumps(what), flush=True)


def children():  # that have ended
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check(first, last):  # a datagram to and fro between the two
    echo = last.popen([sys.executable, '-c', ECHO], stdout=subprocess.PIPE)
    echo.stdout.readline()
    code = first.popen([sys.executable, '-c', ASK, last.IP()]).wait()
    echo.kill()
    echo.wait()
    return code == 0


say(ready=True)
sys.stdin.readline()
before = time.process_time() + children()
start = time.monotonic()
net = mininet.net.Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
wall = time.monotonic() - start
own = time.process_time()
checking = children()
reached = check(net.hosts[0], net.hosts[-1])
checking = children() - checking
# What a shell and its commands have used is known when it has ended.
for node in net.hosts + net.switches:
    node.shell.kill()
    node.shell.wait()
say(wall=wall, cpu=own + children() - checking - before, reached=reached)
sys.stdin.read()
os._exit(0)  # nothing is taken down: that is not measured
