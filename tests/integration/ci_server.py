"""ci_server.py FILE PORTFILE - answers one POST with 202 and keeps its body."""
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[1], "wb") as f:
            f.write(body)
        with open(sys.argv[1] + ".head", "w", encoding="utf-8") as f:
            f.write(self.path + "\n" + str(self.headers))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[2], "w", encoding="utf-8") as f:
    f.write(str(server.server_port))
server.timeout = 30
server.handle_request()
