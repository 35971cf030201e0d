"""A whole survey of a target that is hostile wherever it is asked, in a process that is measured.

Takes the target's address as its argument and writes one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

from hostile.client import peak_mb
from hostile.wire import TEXT, deflated, event, frame, pour, switching
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.journey.conduct import conduct
from pytest_goldenpath.report.files import survey_from_text, survey_to_text
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import PasswordLogin, Target, Wallet

_SESSION = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJlLW9mLTM"
_BUDGET_S = 60.0


@dataclass
class Flood:
    """Healthy at a glance, logs anybody in, and pours into every connection what it can.

    Attributes:
        asked: what was asked of it.
    """

    asked: list[str] = field(default_factory=list)
    _manners: Iterator[bytes] = field(default_factory=lambda: cycle(_MANNERS))

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request with more than anybody wants."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.asked.append(head)
        if "upgrade: websocket" in head.lower():
            writer.write(switching(head.encode("latin-1")))
            await pour(writer, cycle([next(self._manners)]))
            return
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        body = json.dumps(
            {
                "status": "healthy",
                "access_token": _SESSION,
                "refresh_token": f"{_SESSION}-{len(self.asked):08}",
                "token_type": "bearer",
                "expires_in": 3600,
                "user": {"id": "u1", "email": "ada@example.com"},
                "threads": ["\U0001f600" * 50, "x" * 200_000],
            },
            ensure_ascii=False,
        ).encode()
        cookies = "".join(f"set-cookie: c{n}=v-{n:08}\r\n" for n in range(500))
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{cookies}"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()


_MANNERS = (
    frame("\U0001f600" + "x" * 400_000),
    frame(event("agent_thinking", words="y" * 900)),
    frame('{"a":[' + "[]," * 20_000 + "0]}"),
    frame(b"", 9) * 1000,
    frame("part", TEXT, fin=False) + b"\x00\x00" * 20_000,
    frame(deflated(5), rsv=0x40),
)


async def _survey(url: str) -> dict[str, object]:
    started_s = time.monotonic()
    target = Target(
        "hostile",
        url,
        url,
        url.replace("http", "ws") + "/ws",
        first_event_s=0.5,
        event_deadline_s=0.5,
        run_deadline_s=1.0,
        heartbeat_s=0.5,
    )
    people = [PasswordLogin(f"p{n}@example.com", Secret("pass-word-1")) for n in range(8)]
    wallet = Wallet(people[0], second=people[1], crowd=tuple(people[2:]))
    wanted = {need for rule in RULES.values() for need in rule.needs} - {"context"}
    survey = await conduct(target, wallet, Redactor(), wanted, budget_s=_BUDGET_S)
    asked_s = time.monotonic() - started_s
    survey = survey_from_text(survey_to_text(survey))
    broken = [code for code in RULES if judge(code, survey).broken]
    return {"asked_s": asked_s, "broken": broken, "talks": len(survey.transcripts())}


def main() -> None:
    """Survey the target, judge all of it, and tell what that took."""
    resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
    found = asyncio.run(_survey(sys.argv[1]))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found |= {"peak_mb": peak_mb(), "cpu_s": usage.ru_utime + usage.ru_stime}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
