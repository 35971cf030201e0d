"""Stands in for Python: has the server fork a process with these arguments, and ends as it does.

Without the server, or with arguments that the server does not know, it becomes a Python itself.
"""

import json
import os
import signal
import socket
import sys

#: Where the server listens, and a Python; they are set in the copy that the tests call.
SERVER, PYTHON = "", ""
KNOWN = ("-m", "-c")


def main() -> int:
    """Ask, wait, and return the exit code."""
    arguments = sys.argv[1:]
    first = arguments[1 if arguments[:1] == ["-u"] else 0 :][:1]
    if not first or (first[0].startswith("-") and not first[0].startswith(KNOWN)):
        os.execv(PYTHON, [PYTHON, *arguments])  # noqa: S606  # the same arguments
    wanted = {
        "arguments": arguments,
        "executable": sys.argv[0],
        "folder": os.getcwd(),  # noqa: PTH109  # pathlib costs more than all the rest
        "environment": dict(os.environ),
        "deaf": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
    }
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        server.connect(SERVER)
    except OSError:
        os.execv(PYTHON, [PYTHON, *arguments])  # noqa: S606  # the same arguments
    socket.send_fds(server, [json.dumps(wanted).encode()], [0, 1, 2])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda told, _: server.send(bytes([told])))
    for number in (0, 1, 2):
        os.close(number)
    code = int(server.recv(16) or b"1")
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


os._exit(main())
