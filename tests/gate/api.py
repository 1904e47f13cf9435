"""GitHub's API as far as comments go, served on the loopback address."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class GitHub(ThreadingHTTPServer):
    """It remembers every call, and every comment."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.calls, self.comments, self.refuse = [], [], False
        self.pulls = [{"number": 7, "head": {"sha": "f" * 40}}]
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *failure):
        self.shutdown()
        super().__exit__(*failure)


class Answers(BaseHTTPRequestHandler):
    def reply(self, method, body=None):
        assert self.headers["Authorization"] == "Bearer a-token"
        path, _, query = self.path.partition("?")
        self.server.calls.append((method, path, query))
        found = self.answer(method, path, body)
        self.send_response(403 if self.server.refuse else 200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def answer(self, method, path, body):
        comments = self.server.comments
        if self.server.refuse:
            return {"message": "Resource not accessible by integration"}
        if method == "GET":
            return self.server.pulls if path.endswith("/pulls") else comments[:100]
        if method == "PATCH":
            (old,) = [each for each in comments if each["id"] == int(path.rpartition("/")[2])]
            return old | {"body": old.update(body=body["body"])}
        comments.append({"id": 40 + len(comments), "user": {"type": "Bot"}, "body": body["body"]})
        return comments[-1]

    def do_GET(self):
        self.reply("GET")

    def do_POST(self):
        self.reply("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_PATCH(self):
        self.reply("PATCH", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, *_):
        pass
