#!/usr/bin/env bash
# uvicorn 0.54.0: what a program does after `uvicorn.Server.run()` is never done when SIGTERM stopped the server, not even in a `finally` or an exit handler, although
# the server itself stopped in order: requests had their grace, and the application's lifespan ended. It takes the signal while it runs, and raises it once more
# when it is done, for whoever had it before; with Python's own handling that ends the process on the spot, as if it had been killed (exit code -15 to its parent).
# Who has something to close beside the server, or wants to end with 0, sets a handler for SIGTERM before: it gets the second signal.
# Seen: "application closed", no "program closed", exit code -15; with a handler of its own both, and 0. Fails when any of it changes.
set -euo pipefail
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cd "$made"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check uvicorn==0.54.0
cat >serve.py <<'PYTHON'
import atexit
import signal
import socket
import sys

import uvicorn


async def application(scope, receive, send):
    while scope["type"] == "lifespan":
        kind = (await receive())["type"]
        if kind == "lifespan.shutdown":
            print("application closed", flush=True)
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


if "handler" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: None)
atexit.register(print, "exit handler", flush=True)
with socket.create_server(("127.0.0.1", 0)) as listener:
    try:
        uvicorn.Server(uvicorn.Config(application, lifespan="on", log_level="info")).run(sockets=[listener])
    finally:
        print("program closed", flush=True)
PYTHON
cat >ask.py <<'PYTHON'
import subprocess
import sys


def stopped(*arguments):
    process = subprocess.Popen([sys.executable, "serve.py", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "startup complete" not in process.stderr.readline():
        assert process.poll() is None
    process.terminate()
    out, _ = process.communicate(timeout=30)
    found = out.splitlines(), process.returncode
    print(arguments or "as it is", *found)
    return found


assert stopped() == (["application closed"], -15)
assert stopped("handler") == (["application closed", "program closed", "exit handler"], 0)
PYTHON
venv/bin/python ask.py
