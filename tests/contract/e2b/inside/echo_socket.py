"""Runs in a sandbox: a WebSocket server that says everything back."""

import base64
import hashlib
import socket
import struct
import threading

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def shake_hands(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)

    exact = next(
        line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-k")
    )

    accept = base64.b64encode(hashlib.sha1(exact.split(b":")[1].strip() + MAGIC).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def serve(connection):
    shake_hands(connection)
    stream = connection.makefile("rb")
    while len(head := stream.read(2)) == 2:
        size = head[1] & 127
        if size == 126:
            (size,) = struct.unpack(">H", stream.read(2))
        mask = stream.read(4)
        masked = stream.read(size)
        data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
        length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
        connection.sendall(head[:1] + length + data)
        if head[0] & 15 == 8:
            return


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 8001))
listener.listen()
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
