"""`rsprof serve`, asked one thing at a time. For tests and benches; needs RSPROF, the binary."""
import json
import os
import subprocess


class Server:
    """A client that draws annotations itself."""

    def __init__(self, **initialize):
        self.process = subprocess.Popen([os.environ["RSPROF"], "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.status = {}
        self.last_id = 0
        self.ask("initialize", {"capabilities": {"experimental": {"rsprof": {"annotations": True}}}, **initialize})
        self.notify("initialized", {})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def receive(self):
        length = 0
        while (line := self.process.stdout.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "rsprof/status":
            self.status = message["params"]
        if "method" in message and "id" in message:
            self.send({"id": message["id"], "result": None})
        return message

    def ask(self, method, params):
        self.last_id += 1
        self.send({"id": self.last_id, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.last_id or "method" in message:
            pass
        if "error" in message:
            raise RuntimeError(message["error"])
        return message["result"]

    def wait_for_state(self, state):
        while self.status.get("state") != state:
            self.receive()

    def close(self):
        self.ask("shutdown", None)
        self.send({"method": "exit"})
        self.process.wait()
