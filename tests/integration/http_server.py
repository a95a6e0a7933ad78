# SPDX-License-Identifier: MIT
"""A web server on the loopback for the plugin http-check: says hello, or nothing at all.

    http_server.py PORT-FILE [CERTIFICATE KEY]    with these two: TLS

The port is written to the file when it listens. /hang is never answered; /slow a byte at a time for ever; what else: hello.
"""

import http.server
import os
import ssl
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    never = threading.Event()

    def do_GET(self):
        if self.path == "/hang":
            self.never.wait()
        self.send_response(404 if self.path == "/missing" else 200)
        if self.path != "/slow":
            self.send_header("Content-Length", "11")
        self.end_headers()
        if self.path == "/slow":
            try:
                while not self.never.wait(0.01):
                    self.wfile.write(b"x")
            except OSError:
                return
        self.wfile.write(b"hello world")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # a client that does not like the certificate
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with open(sys.argv[1] + ".new", "w", encoding="ascii") as file:
        print(server.server_address[1], file=file)
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    server.serve_forever()


if __name__ == "__main__":
    main()
