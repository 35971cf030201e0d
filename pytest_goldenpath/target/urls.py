"""Addresses: validated once, here, and the guard that keeps a run off production."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.secrets import MASK

_WEB = ("http", "https")
_SOCKET = ("ws", "wss")
#: The platform's domain (protocol 11); a host of it that names no other stage is production.
_PLATFORM_DOMAIN = "netrasystems.ai"
_OTHER_STAGES = ("staging", "stage", "dev", "development", "test", "qa", "preview", "sandbox")
_PRODUCTION_WORDS = frozenset({"prod", "production", "prd", "live"})


def web_url(setting: str, value: str, source: str) -> str:
    """Validate an HTTP address and return it without a slash at its end.

    Raises:
        ConfigError: no scheme, another scheme, no host, credentials, query or fragment.

    """
    return _checked(setting, value, source, _WEB)


def socket_url(setting: str, value: str, source: str) -> str:
    """Validate a WebSocket address; raises :class:`ConfigError` as :func:`web_url` does."""
    return _checked(setting, value, source, _SOCKET)


def socket_of(backend: str) -> str:
    """Derive the WebSocket address that a backend's address implies (design 5)."""
    scheme, rest = backend.split("://", 1)
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws"


def host_of(url: str) -> str:
    """Return the lower-case host name of a validated address."""
    return (urlsplit(url).hostname or "").rstrip(".")


def is_loopback(url: str) -> bool:
    """Tell whether the address is on this machine."""
    host = host_of(url)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def looks_like_production(url: str) -> bool:
    """Tell whether the host looks like production (protocol 11, and common usage)."""
    labels = host_of(url).split(".")
    words = {word for label in labels for word in label.split("-")}
    if words & _PRODUCTION_WORDS:
        return True
    ours = host_of(url) == _PLATFORM_DOMAIN or host_of(url).endswith("." + _PLATFORM_DOMAIN)
    return ours and not words & set(_OTHER_STAGES)


def _checked(setting: str, value: str, source: str, schemes: tuple[str, ...]) -> str:
    example = f"write {schemes[1]}://host or {schemes[0]}://host:port"
    parts, problem = _split(value)
    hidden = without_credentials(value)
    if hidden != value:  # first, because every other message may quote a part of the address
        problem = "an address must not carry credentials"
        remedy = "set them in GOLDENPATH_EMAIL and GOLDENPATH_PASSWORD"
        raise ConfigError(setting, hidden, problem, source=source, remedy=remedy)
    if parts is None:
        raise ConfigError(setting, hidden, problem, source=source, remedy=example)
    problem = _problem(parts, schemes)
    if problem:
        raise ConfigError(setting, hidden, problem, source=source, remedy=example)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def without_credentials(value: str) -> str:
    """Return an address, or what was meant as one, with everything before an @ masked."""
    before, at, host = value.rpartition("@")
    scheme, separator, _ = before.partition("://")
    return f"{scheme if separator else ''}{separator}{MASK}{at}{host}" if at else value


def _split(value: str) -> tuple[SplitResult | None, str]:
    try:
        parts = urlsplit(value.strip())
        parts.port  # noqa: B018  # reading it validates it
    except ValueError as error:
        return None, f"no valid address ({error})"
    return parts, ""


def _problem(parts: SplitResult, schemes: tuple[str, ...]) -> str:
    if "://" not in parts.geturl():
        return "the scheme is missing"
    if parts.scheme not in schemes:
        return f"the scheme {parts.scheme} is not one of {', '.join(schemes)}"
    if not parts.hostname:
        return "the host is missing"
    if parts.query or parts.fragment:
        return "an address must not carry a query or a fragment"
    if any(character.isspace() or not character.isprintable() for character in parts.geturl()):
        return "the address holds blanks or control characters"
    return ""
