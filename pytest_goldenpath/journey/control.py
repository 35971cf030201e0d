"""The control probe: does a neutral host answer, when the target does not?

A target that cannot be reached, from a runner that reaches nobody, is no news of the target.
"""

from __future__ import annotations

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from pytest_goldenpath.contract.symptom import FAILED, HEALTHY
from pytest_goldenpath.journey.web import tls_context
from pytest_goldenpath.target.urls import is_loopback

#: A neutral host that takes longer tells nothing good about our road.
WITHIN_S = 5.0
_SERVER_ERRORS = range(500, 600)


def run_ask_control(url: str) -> str:
    """Do what :func:`ask_control` does from synchronous code, on an event loop of its own."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(ask_control(url))


async def ask_control(url: str, *, within_s: float = WITHIN_S) -> str:
    """Ask a neutral host whether it is there: ``healthy`` or ``failed``; never raises for it.

    Any answer below 500 will do, for only the road to it matters. Nothing of the run is sent: no
    credential, no cookie, no body; a redirect is an answer and not followed.

    Args:
        url: the control host's address.
        within_s: seconds until the head of the answer must be there.

    """
    try:
        async with (
            asyncio.timeout(within_s),
            httpx.AsyncClient(
                verify=tls_context() if url.startswith("https") else False,
                trust_env=not is_loopback(url),
                follow_redirects=False,
                timeout=None,  # noqa: S113  # it runs under its own total deadline
                headers={"user-agent": "pytest-goldenpath"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                # Not even what an address carries before an @.
                auth=httpx.Auth(),
            ) as client,
            client.stream("GET", url) as response,
        ):
            return FAILED if response.status_code in _SERVER_ERRORS else HEALTHY
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
        return FAILED
