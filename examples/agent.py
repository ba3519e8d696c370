"""An agent in Python's standard library: Python 3.9 or newer and git, nothing else. It takes one task and ends.

See README.md here. WebSocket is RFC 6455 as far as a hub needs it: text, ping, close, and masked frames of the client.
"""
import asyncio, base64, hashlib, json, os, pathlib, socket, struct, sys, tempfile, time, urllib.parse


class Closed(Exception):
    """The hub ended the connection; says why."""


class WebSocket:
    @classmethod
    async def connect(cls, url, token):
        self, at = cls(), urllib.parse.urlsplit(url)
        secure = at.scheme == "https"
        self.reader, self.writer = await asyncio.open_connection(
            at.hostname, at.port or (443 if secure else 80), ssl=secure or None, limit=16 * 1024 * 1024)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write((
            f"GET {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token}\r\n\r\n").encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        proof = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        if " 101 " not in head.split("\r\n")[0] or base64.b64encode(proof).decode() not in head:
            raise Closed(head.split("\r\n")[0])
        return self

    def send_frame(self, opcode, payload):
        mask, size = os.urandom(4), len(payload)
        length = (bytes([0x80 | size]) if size < 126 else
                  b"\xfe" + struct.pack(">H", size) if size < 65536 else b"\xff" + struct.pack(">Q", size))
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        masked = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
        self.writer.write(bytes([0x80 | opcode]) + length + mask + masked)

    def send(self, message):
        text = message if isinstance(message, str) else json.dumps(message)
        self.send_frame(1, text.encode())

    async def receive(self):
        """The next message. The hub pings every few seconds, so a minute of silence is the end."""
        text = b""
        while True:
            first, second = await asyncio.wait_for(self.reader.readexactly(2), 60)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            payload = await self.reader.readexactly(size)
            if first & 0x0F == 8:
                raise Closed(f"{int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")
            if first & 0x0F == 9:
                self.send_frame(10, payload)
            elif first & 0x0F in (0, 1):
                text += payload
                if first & 0x80:
                    return json.loads(text)


class Agent:
    def __init__(self, ws):
        self.ws, self.asked, self.last_id, self.assigned = ws, {}, 0, asyncio.Queue()

    async def listen(self):
        while True:
            message = await self.ws.receive()
            if message["type"] == "assign":
                self.assigned.put_nowait(message["assignment"])
            elif message["type"] in ("cancel", "error"):
                raise Closed(f"{message.get('code', 'cancelled')}: {message.get('message') or message['reason']}")
            elif message.get("ok") is False:
                raise Closed(f"{message['error']['code']}: {message['error']['message']}")
            elif message.get("to") in self.asked:
                self.asked.pop(message["to"]).set_result(message)

    async def ask(self, **message):
        self.last_id += 1
        answer = self.asked[self.last_id] = asyncio.get_running_loop().create_future()
        self.ws.send({**message, "id": self.last_id})
        return await answer

    async def renew(self, run, every):
        while True:
            await asyncio.sleep(every)
            if (await self.ask(type="renew", leases=[run]))["lost"]:
                raise Closed("the lease is gone; the task is somebody else's now")

    async def serve(self):
        # A worker without a wall is given nothing. This one may say that it has one: it executes nothing of a task.
        walls = [{"kind": "namespace", "ok": True, "detail": "runs nothing that a task brings"}]
        welcome = await self.ask(type="hello", wire=1, instance=f"agent.py on {socket.gethostname()}",
                                 client="agent.py", capabilities=["greeting"], walls=walls)
        print(f"{welcome['workerName']} is connected and waits for a task", flush=True)
        task = await self.assigned.get()
        run = {"taskId": task["taskId"], "epoch": task["epoch"]}
        # To prove a check is to execute a command, and neither that nor task["command"] is executed here: whoever may
        # write a task, or what a model wrote into one, would then be at home on this machine. Both need a real wall.
        if task["checks"]:
            await self.ask(type="refuse", **run, code="checks_not_run",
                           reason="This agent executes nothing, so it can prove no check.")
            raise Closed("the task was given back: it has checks")
        await self.ask(type="accept", **run)
        renewal = asyncio.create_task(self.renew(run, welcome["leaseMs"] / 3000))
        with tempfile.TemporaryDirectory(prefix="muster-agent-") as place:
            work = asyncio.create_task(self.work(task, run, place))
            await asyncio.wait([work, renewal], return_when=asyncio.FIRST_COMPLETED)
            (renewal if renewal.done() else work).result()
        print(f"done: {task['branch']}", file=sys.stderr)

    async def work(self, task, run, place):
        async def git(*args):
            process = await asyncio.create_subprocess_exec("git", *args, cwd=place, stdout=asyncio.subprocess.PIPE)
            output = (await process.communicate())[0].decode().strip()
            if process.returncode:
                await self.ask(type="refuse", **run, code="worker_failed", reason=f"git {args[0]} failed.")
                raise Closed(f"the task was given back: git {args[0]} failed")
            return output

        began, branch, title = time.monotonic(), task["branch"], task["title"]
        self.ws.send({"type": "progress", **run, "text": "cloning", "percent": 10})
        await git("clone", "--quiet", "--no-tags", "--", task["repo"]["url"], ".")
        base = await git("rev-parse", "HEAD")
        self.ws.send({"type": "progress", **run, "text": "writing", "percent": 50})
        # Must be new ("x"): through a link of that name in the repository one would write somewhere else.
        with open(pathlib.Path(place, f"hello-{task['runId']}.md"), "x", encoding="utf-8") as file:
            file.write(f"Hello from agent.py: {title}\n")
        await git("add", "--all")
        await git("-c", "user.name=agent.py", "-c", "user.email=agent@example.org", "commit", "-qm", title)
        commit = await git("rev-parse", "HEAD")
        await self.ask(type="publish", **run, branch=branch, commit=commit)
        # The empty expectation: the branch must not be there. It is made and never overwritten.
        await git("push", "--quiet", f"--force-with-lease=refs/heads/{branch}:", "origin", f"{commit}:refs/heads/{branch}")
        report = {
            "overall": "auto_pass", "run": task["attempt"], "commit": commit, "base": base, "checks": [],
            "ms": (time.monotonic() - began) * 1000, "totals": {"pass": 0, "fail": 0, "error": 0, "timeout": 0},
            "changed": {"files": 1, "insertions": 1, "deletions": 0},
            "proof": {"restored": [], "removed": [], "merged": []},
        }
        result = {
            "ending": "verified", "reason": "No check was declared; the work is there.", "exitCode": None, "base": base,
            "commit": commit, "branch": branch, "report": report, "diff": await git("diff", base, commit), "diffTruncated": False,
        }
        await self.ask(type="finish", **run, runId=task["runId"], result=result)


async def main():
    hub = os.environ.get("MUSTER_HUB", "http://127.0.0.1:4600")
    agent = Agent(await WebSocket.connect(f"{hub}/api/v1/workers/socket", os.environ["MUSTER_TOKEN"]))
    listening, serving = asyncio.create_task(agent.listen()), asyncio.create_task(agent.serve())
    await asyncio.wait([listening, serving], return_when=asyncio.FIRST_COMPLETED)
    (listening if listening.done() else serving).result()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (Closed, OSError, EOFError, asyncio.TimeoutError) as error:
        sys.exit(f"{error or 'the hub was not heard for a minute'}")
