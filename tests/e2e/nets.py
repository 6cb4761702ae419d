"""Machines for the end-to-end tests: each a network namespace of its own, joined by a router in a third one.

    net = nets.Pair(test)            # alice -- router -- bob
    net.drop(True)                   # the router swallows everything, and neither side can see that
    net.link("alice", up=False)      # alice's own interface goes down
    net.move("alice", "10.77.1.9")   # alice has another address

A namespace is held by a process of ours that ends with its standard input, so that nothing is left when a test dies. Needs
root and iproute2; a test that cannot have them is skipped. Line is a line of our own between two namespaces, with a delay
and losses, for which this kernel has nothing.
"""
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
import unittest

import psst

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001


class Space:
    """A network namespace, with its loopback up."""

    def __init__(self, name):
        self.name = name
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
        own = os.readlink("/proc/self/ns/net")
        deadline = time.monotonic() + 10 * psst.PATIENCE
        while True:
            try:
                if os.readlink(self.path) != own:
                    break
            except OSError:
                pass
            if self.holder.poll() is not None or time.monotonic() > deadline:
                raise unittest.SkipTest("no network namespaces: " + self.holder.stderr.read().decode().strip())
            time.sleep(0.005)
        self.ip("link set lo up")

    @property
    def path(self):
        return "/proc/%d/ns/net" % self.holder.pid

    @property
    def within(self):
        """Put before a command, it runs in here."""
        return ["nsenter", "--net=" + self.path]

    def run(self, *command, check=True):
        done = subprocess.run([*self.within, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if check and done.returncode != 0:
            raise AssertionError("%s: %s" % (" ".join(command), done.stdout.decode()))
        return done.stdout.decode()

    def ip(self, words, check=True):
        return self.run("ip", *words.split(), check=check)

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stderr.close()


def inside(space, do):
    """What do() gives, in there: sockets that it makes belong to that machine, wherever they are used afterwards."""
    result = []

    def enter():
        try:
            with open(space.path, "rb") as there:
                if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append((do(), None))
        except BaseException as error:  # passed on
            result.append((None, error))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if result[0][1] is not None:
        raise result[0][1]
    return result[0][0]


def needed():
    """Skips the test when there can be no namespaces."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("network namespaces need root")
    try:
        subprocess.run(["ip", "-V"], stdout=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise unittest.SkipTest("iproute2 is not installed") from None


class Pair:
    """alice at 10.77.1.2, bob at 10.77.2.2, and between them a router that forwards, or swallows."""
    GATEWAY = {"alice": "10.77.1.1", "bob": "10.77.2.1"}
    ADDRESS = {"alice": "10.77.1.2", "bob": "10.77.2.2"}

    def __init__(self):
        needed()
        self.spaces = {}
        try:
            for name in ("router", "alice", "bob"):
                self.spaces[name] = Space(name)
            self.router = self.spaces["router"]
            for name in ("alice", "bob"):
                self._join(name)
            self.router.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        except BaseException:
            self.close()
            raise

    def _join(self, name):
        space = self.spaces[name]
        self.router.ip("link add r%s type veth peer name eth0 netns %d" % (name, space.holder.pid))
        self.router.ip("addr add %s/24 dev r%s" % (self.GATEWAY[name], name))
        self.router.ip("link set r%s up" % name)
        space.ip("addr add %s/24 dev eth0" % self.ADDRESS[name])
        space.ip("link set eth0 addrgenmode none")  # no address comes by itself, a moment later
        space.ip("link set eth0 up")
        space.ip("route add default via " + self.GATEWAY[name])

    def close(self):
        for space in self.spaces.values():
            space.close()

    def drop(self, on):
        """The router forwards nothing any more, and says nothing about it."""
        nets = [address.rpartition(".")[0] + half for address in self.ADDRESS.values() for half in (".0/25", ".128/25")]
        lines = "".join("route %s blackhole %s\\n" % ("add" if on else "del", net) for net in nets)
        self.router.run("sh", "-c", "printf '%s' | ip -batch -" % lines)  # in one go, which a busy machine does not draw out

    def link(self, name, up):
        """This side's interface, with the route that goes and comes with it."""
        self.spaces[name].ip("link set eth0 " + ("up" if up else "down"))
        if up:
            self.spaces[name].ip("route replace default via " + self.GATEWAY[name])

    def move(self, name, address):
        """Another address, as after joining another network; the old one is gone."""
        space = self.spaces[name]
        space.ip("addr flush dev eth0 scope global")
        space.ip("addr add %s/24 dev eth0" % address)
        space.ip("route replace default via " + self.GATEWAY[name])


class Line:
    """alice at 10.78.0.1 and bob at 10.78.0.2 on a line whose every packet takes delay seconds, and is lost now and then."""
    ADDRESS = {"alice": "10.78.0.1", "bob": "10.78.0.2"}

    def __init__(self, delay=0.0, loss=0.0, seed=1):
        needed()
        if not os.path.exists("/dev/net/tun"):
            raise unittest.SkipTest("there is no /dev/net/tun")
        self.delay, self.loss, self.dropping = delay, loss, False
        self.random = random.Random(seed)
        self.spaces, self.ends, self.waiting = {}, {}, []
        self.wake = os.pipe()
        try:
            for name, other in (("alice", "bob"), ("bob", "alice")):
                space = self.spaces[name] = Space(name)
                self.ends[name] = self._tun(space)
                space.ip("addr add %s peer %s dev line" % (self.ADDRESS[name], self.ADDRESS[other]))
                space.ip("link set line addrgenmode none")
                space.ip("link set line up")
        except BaseException:
            self.close()
            raise
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    @staticmethod
    def _tun(space):
        """Made by a thread that goes there for it: the descriptor is good from everywhere."""
        result = []

        def make():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(space.path, "rb") as there:
                if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
                    result.append(OSError(ctypes.get_errno(), "setns"))
                    return
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH14x", b"line", IFF_TUN_NO_PI))
            result.append(fd)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if not result or isinstance(result[0], OSError):
            raise unittest.SkipTest("no line can be made: %s" % (result or "?"))
        return result[0]

    def _carry(self):
        ends = {self.ends["alice"]: self.ends["bob"], self.ends["bob"]: self.ends["alice"]}
        number = 0
        while True:
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                _, _, to, packet = heapq.heappop(self.waiting)
                try:
                    os.write(to, packet)
                except OSError:
                    pass
            pause = max(0.0, self.waiting[0][0] - now) if self.waiting else 1.0
            readable, _, _ = select.select([*ends, self.wake[0]], [], [], pause)
            if self.wake[0] in readable:
                return
            for fd in readable:
                try:
                    packet = os.read(fd, 65536)
                except OSError:
                    continue
                if self.dropping or self.random.random() < self.loss:
                    continue
                number += 1
                heapq.heappush(self.waiting, (time.monotonic() + self.delay, number, ends[fd], packet))

    def drop(self, on):
        self.dropping = on

    def close(self):
        if hasattr(self, "thread"):
            os.write(self.wake[1], b"x")
            self.thread.join()
        for fd in [*self.ends.values(), *self.wake]:
            os.close(fd)
        for space in self.spaces.values():
            space.close()
