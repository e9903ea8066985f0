"""What the operator allows at the outside edge, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.record import field, record
from engine.identity.gate import Gate
from engine.models.secrets import Secrets

_TRUE = frozenset({"1", "true", "yes", "on"})


@record
class Policy:
    """`origins` are those that browsers may call from; `gate` tells who asks; `secrets` keeps what nobody may see
    out of every response and record.
    """

    origins: tuple[str, ...] = ("*",)
    allow_debug: bool = False
    log_text: bool = False
    proxies: int = 0
    gate: Gate = Gate()
    secrets: Secrets = field(default_factory=lambda: Secrets({}), repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Policy:
        """Reads `ALLOWED_ORIGINS` (comma list), `ALLOW_DEBUG`, `LOG_TEXT`, `TRUSTED_PROXIES`, who may ask, and all
        secrets.

        Raises `SettingsError` where sign-in is asked for and cannot work.
        """
        origins = (origin.strip().rstrip("/") for origin in env.get("ALLOWED_ORIGINS", "*").split(","))
        return cls(
            origins=tuple(origin for origin in origins if origin),
            allow_debug=flag(env, "ALLOW_DEBUG"),
            log_text=flag(env, "LOG_TEXT"),
            proxies=_count(env, "TRUSTED_PROXIES"),
            gate=Gate.from_env(env),
            secrets=Secrets(env),
        )

    def allowed_origin(self, origin: str) -> str | None:
        """What `Access-Control-Allow-Origin` says to a page of `origin`; `None` where it may not call."""
        if "*" in self.origins:
            return "*"
        return origin if origin and origin in self.origins else None


def _count(env: Mapping[str, str], name: str) -> int:
    """The number that the variable `name` holds; 0 for anything else."""
    text = env.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0


def flag(env: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    """Whether the variable `name` says yes; `default` where it says nothing."""
    text = env.get(name, "").strip().lower()
    return text in _TRUE if text else default
