"""What one run of the reference backend is told, and what it decides for itself."""

import secrets
from dataclasses import dataclass, field

from pytest_goldenpath.reference.fault import Seams

VERSION = "1.0.0"
HEARTBEAT_S = 15.0
MAX_MESSAGE_BYTES = 8192
MESSAGES_PER_MINUTE = 30
CONNECTIONS_PER_USER = 10
ACCESS_TOKEN_S = 900
REFRESH_TOKEN_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one process; secret and revision are new in every process."""

    host: str = "127.0.0.1"
    port: int = 0
    auth_port: int = 0
    database: str = ""
    heartbeat_s: float = HEARTBEAT_S
    events: str = "V18"
    welcome: str = "welcome-established"
    health: str = "health-long"
    supervised: bool = False
    environment: str = "development"
    e2e_key: str = ""
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    revision: str = field(default_factory=lambda: f"ref-{secrets.token_hex(4)}")
    seams: Seams = field(default_factory=Seams)
