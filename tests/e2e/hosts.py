"""Sockets and servers in network namespaces: one Python process is client and internet at once.

A socket belongs to the namespace that its thread was in when it was made; who uses it later does not matter.
"""
import contextlib
import ctypes
import os
import socket
import ssl
import subprocess
import threading

CLIENT = "10.0.0.2"
APPLIANCE = "203.0.113.1"  # as the outside sees it: SNAT
SERVER = "203.0.113.10"
FAR = "198.51.100.10"  # the same host as SERVER

PATIENCE_S = 15
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _set_namespace(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Host:
    """One network namespace."""

    def __init__(self, namespace):
        self.namespace = namespace

    @contextlib.contextmanager
    def entered(self):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.namespace}", os.O_RDONLY)
        try:
            _set_namespace(there)
            yield
        finally:
            _set_namespace(home)
            os.close(there)
            os.close(home)

    def socket(self, kind, source=None):
        with self.entered():
            made = socket.socket(socket.AF_INET, kind)
        made.settimeout(PATIENCE_S)
        if source:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(source)
        return made

    def connect(self, address, source=None, timeout_s=PATIENCE_S):
        made = self.socket(socket.SOCK_STREAM, source)
        made.settimeout(timeout_s)
        try:
            made.connect(address)
        except OSError:
            made.close()
            raise
        made.settimeout(PATIENCE_S)
        return made

    def command(self, *words):
        return ["nsenter", f"--net=/run/netns/{self.namespace}", *map(str, words)]

    def run(self, *words, **more):
        return subprocess.run(self.command(*words), capture_output=True, text=True, **more)


def _in_background(task, *arguments):
    threading.Thread(target=task, args=arguments, daemon=True).start()


class TcpServer:
    """Gives every connection to `serve(connection, peer)` in a thread of its own; `peers` saw them all."""

    def __init__(self, host, port, serve, tls=None):
        self.peers = []
        self._serve, self._tls = serve, tls
        self._listener = host.socket(socket.SOCK_STREAM, ("0.0.0.0", port))
        self._listener.settimeout(None)
        self._listener.listen(512)
        _in_background(self._accept)

    def _accept(self):
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return  # closed
            self.peers.append(peer)
            _in_background(self._run, connection, peer)

    def _run(self, connection, peer):
        with contextlib.suppress(OSError, ssl.SSLError), connection:
            if self._tls:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._serve(secured, peer)
            else:
                self._serve(connection, peer)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class UdpServer:
    """Answers every datagram with itself and the address that it came from."""

    def __init__(self, host, port):
        self._socket = host.socket(socket.SOCK_DGRAM, (FAR, port))  # answers come from where the question went
        self._socket.settimeout(None)
        _in_background(self._answer)

    def _answer(self):
        while True:
            try:
                data, peer = self._socket.recvfrom(65536)
                if not peer:
                    return  # shut down
                self._socket.sendto(data + b" %s:%d" % (peer[0].encode(), peer[1]), peer)
            except OSError:
                return

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def echo(connection, _peer):
    while data := connection.recv(65536):
        connection.sendall(data)


def answer_lines(connection, peer):
    """Every line comes back with the address that the server sees."""
    with connection.makefile("rwb") as stream:
        for line in stream:
            stream.write(b"%s %s:%d\n" % (line.strip(), peer[0].encode(), peer[1]))
            stream.flush()


def _parse_answer(answer, words):
    said, _, address = answer.strip().rpartition(" ")
    if said != words:
        raise AssertionError(f"asked {words!r}, the answer is to somebody else: {answer!r}")
    ip, _, port = address.partition(":")
    return ip, int(port)


def ask(connection, words):
    """(address, port) that the server of answer_lines sees; fails when the answer is not to these words."""
    connection.sendall(words.encode() + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        chunk = connection.recv(4096)
        if not chunk:
            raise ConnectionError(f"closed after {answer!r}")
        answer += chunk
    return _parse_answer(answer.decode(), words)


def ask_udp(client, address, words, tries=3):
    """As ask; a datagram may get lost on the way to a neighbour that is not resolved yet."""
    client.settimeout(PATIENCE_S / tries)
    for attempt in range(tries):
        client.sendto(words.encode(), address)
        with contextlib.suppress(TimeoutError):
            return _parse_answer(client.recv(65536).decode(), words)
    raise TimeoutError(f"no answer to {words!r}")
