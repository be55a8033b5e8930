"""Runs in a sandbox: says what it was asked, counts what it was sent, and answers slowly."""

import http.server
import socketserver
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/slow"):
            self._answer_slowly()
            return
        told = "".join(f"{name.lower()}: {value}\n" for name, value in self.headers.items())
        self._answer(f"{self.path}\n{told}".encode())

    def do_POST(self):
        size = 0
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while count := int(self.rfile.readline(), 16):
                size += len(self.rfile.read(count))
                self.rfile.readline()
            self.rfile.readline()
        else:
            size = len(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(str(size).encode())

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "a=b; Domain=sandboxes.test; Path=/")
        self.end_headers()
        self.wfile.write(body)

    def _answer_slowly(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(3):
            self.wfile.write(b"2\r\n%d\n\r\n" % number)
            self.wfile.flush()
            time.sleep(0.2)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 8000), Handler)
print("listening", flush=True)
server.serve_forever()
