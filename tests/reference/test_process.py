"""The reference backend as a process: starting, refusing, ending."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from reference.driver import DEADLINE_S, Client, Twin, started, talk

COMMAND = [sys.executable, "-m", "pytest_goldenpath.reference"]


def refused(*options: str, **environment: str) -> str:
    """Run with options that must be refused; return the one sentence."""
    done = subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 4
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_unknown_fault_names_the_closest() -> None:
    """An unknown fault is refused in a sentence that names the option and the closest match."""
    said = refused("--fault", "helth-500")

    assert "--fault" in said
    assert "'helth-500'" in said
    assert "'health-500'" in said


def test_unknown_variant_names_the_closest() -> None:
    """An unknown variant is refused in a sentence that names the option and the closest match."""
    said = refused("--variant", "V17")

    assert "--variant" in said
    assert "'V17'" in said


def test_two_variants_of_one_family_are_refused() -> None:
    """Two event shapes at once make no sense."""
    said = refused("--variant", "V11", "--variant", "typed")

    assert "family 'events'" in said


def test_taken_port_is_refused() -> None:
    """A port that is taken is named, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        said = refused("--auth-port", str(port))

    assert f"--auth-port {port}" in said
    assert "taken" in said


def test_bad_heartbeat_is_refused() -> None:
    """A heartbeat in the environment that is no number is refused by its name."""
    said = refused(GOLDENPATH_REFERENCE_HEARTBEAT_S="soon")

    assert "GOLDENPATH_REFERENCE_HEARTBEAT_S" in said


def test_bad_database_is_refused() -> None:
    """A database that cannot be used is refused by the name of its option."""
    said = refused("--database", "nonsense://nowhere")

    assert "--database" in said


def test_unknown_option_is_refused() -> None:
    """A wrong option is a usage error like every other."""
    assert "--colour" in refused("--colour", "red")


@pytest.mark.parametrize(("option", "name"), [("--fault", "health-500"), ("--variant", "V11")])
def test_list_prints_the_catalogue(option: str, name: str) -> None:
    """The word list prints the names and ends well."""
    done = subprocess.run(
        [*COMMAND, option, "list"], capture_output=True, text=True, timeout=DEADLINE_S, check=True
    )

    assert any(line.startswith(name) for line in done.stdout.splitlines())


def test_ready_means_that_both_servers_accept(healthy: Twin) -> None:
    """After the ready line both services answer at once."""
    assert httpx.get(f"{healthy.backend}/health").json()["revision"] == healthy.revision
    assert httpx.get(f"{healthy.auth}/health").json()["status"] == "healthy"


def test_end_of_stdin_ends_the_process_with_open_sockets() -> None:
    """When the parent closes stdin the process ends within two seconds, whoever is connected."""
    with started() as twin:

        async def work(client: Client) -> float:
            await client.hear()
            await client.send(type="execute_agent", content="What do compute and storage cost?")
            began = time.monotonic()
            assert twin.process.stdin
            twin.process.stdin.close()
            code = await client.closed()
            assert code in {1001, 1012}
            return began

        began = talk(twin, work)
        assert twin.process.wait(DEADLINE_S) == 0
        assert isinstance(began, float)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_process(number: signal.Signals) -> None:
    """SIGTERM and SIGINT end the process cleanly within two seconds."""
    with started() as twin:
        began = time.monotonic()
        twin.process.send_signal(number)

        assert twin.process.wait(DEADLINE_S) == 0
        assert time.monotonic() - began < 2


def test_killed_parent_takes_the_backend_along() -> None:
    """When the parent is killed by SIGKILL the ports are free within two seconds."""
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen({[*COMMAND, '--supervised']!r}, stdin=subprocess.PIPE)\n"
        """child.stdin.write(b'{"users": []}\\n'); child.stdin.flush(); child.wait()"""
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        process.kill()
        killed = time.monotonic()

        # The child has inherited stdout: its end is the end of the child.
        assert process.stdout.read() == b""
        assert time.monotonic() - killed < 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(ready["backend"])


def test_stdin_that_ends_at_once_is_no_error() -> None:
    """A parent that dies before it speaks is no reason to complain."""
    done = subprocess.run(
        [*COMMAND, "--supervised"], input=b"", capture_output=True, timeout=DEADLINE_S, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_nonsense_on_stdin_is_refused() -> None:
    """A first line that is not what was agreed is refused in a sentence."""
    done = subprocess.run(
        [*COMMAND, "--supervised"],
        input=b"hello\n",
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert done.returncode == 4
    assert b"users" in done.stderr


def test_by_hand_it_says_how_to_use_it() -> None:
    """Without a supervisor the addresses, a user and a pytest command are printed."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert process.returncode == 0
    assert "http://127.0.0.1:" in lines[0]
    assert "--category smoke" in rest
