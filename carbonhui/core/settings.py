"""Settings come from the environment, once, and are checked there and then.

``docs/settings.md`` is the table of them for operators.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonhui.core.refusals import Refusal

#: The cities whose policy is shipped, with their GB/T 2260 areas; the demonstration plays the first.
CITIES = {"guangzhou": "4401", "fuzhou": "3610", "shenzhen": "4403"}
PROFILES = (*CITIES, "demo")
LANGUAGES = ("en", "zh")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
CRYPTOGRAPHIES = ("international", "guomi")


class SettingInvalid(Refusal):
    """A setting in the environment cannot be used as it is."""

    code = "setting_invalid"
    sentence = "The setting {name} is {value!r}; it must be {wanted}."
    sentence_zh = "设置 {name} 的值为 {value!r};应为{wanted}。"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One running product's settings. All times are milliseconds."""

    home: Path
    profile: str = "guangzhou"
    language: str = "en"
    database_url: str | None = None
    pg_bin: Path | None = None
    pg_user: str = "nobody"
    lake: Path
    blind_key_file: Path
    #: Where the keys lie that wrap, sign and blind; mode 0700.
    keys: Path
    cryptography: str = "international"
    #: How one-time codes reach people: console, file:PATH or an https address.
    code_sender: str = "console"
    code_sender_key_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    #: Under which address clients know the API; tokens and signatures name it.
    public_url: str = "http://127.0.0.1:8080"
    #: Web pages of other origins that may call the API.
    cors_origins: tuple[str, ...] = ()
    #: How many proxies of one's own stand before the API.
    trusted_proxies: int = 0
    body_bytes_max: int = 1 << 20
    upload_bytes_max: int = 64 << 20
    #: Requests a minute for each caller, and for each address without a token.
    caller_requests_max: int = 600
    #: And for each organisation's server, behind which stand all its tills.
    organisation_requests_max: int = 12_000
    stranger_requests_max: int = 60
    area: str = "4401"
    pool_size: int = 8
    statement_timeout_ms: int = 60_000
    lock_timeout_ms: int = 10_000
    idle_timeout_ms: int = 60_000

    @property
    def city(self) -> str:
        """Whose policy holds."""
        return "guangzhou" if self.is_demo else self.profile

    @property
    def is_demo(self) -> bool:
        return self.profile == "demo"

    @property
    def profiles_folder(self) -> Path:
        """Where an institution's own profiles of activity lie."""
        return self.home / "profiles"


def default_home(environment: Mapping[str, str], profile: str) -> Path:
    """Where the books live when nobody said where.

    Root keeps them under ``/var/lib``, because PostgreSQL may not run as root and
    no other user can enter root's own home. The demonstration keeps its books
    beside the real ones, never in them.
    """
    if os.name == "posix" and os.geteuid() == 0:
        base = Path("/var/lib/carbonhui")
    else:
        share = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        base = Path(share) / "carbonhui"
    return base / profile


def read_settings(environment: Mapping[str, str] | None = None, *, profile: str | None = None) -> Settings:
    """The settings of this process; ``profile`` overrides the environment's.

    Raises `SettingInvalid` for a value that cannot be used.
    """
    env = os.environ if environment is None else environment
    chosen = profile or _one_of(env, "CARBONHUI_PROFILE", PROFILES, "guangzhou")
    home = Path(env["CARBONHUI_HOME"]) if env.get("CARBONHUI_HOME") else default_home(env, chosen)
    home = home.expanduser().absolute()
    host = env.get("CARBONHUI_HOST") or "127.0.0.1"
    port = _whole(env, "CARBONHUI_PORT", 8080, 1, 65_535)
    return Settings(
        home=home,
        profile=chosen,
        language=_one_of(env, "CARBONHUI_LANGUAGE", LANGUAGES, "en"),
        database_url=_database_url(env),
        pg_bin=Path(env["CARBONHUI_PG_BIN"]) if env.get("CARBONHUI_PG_BIN") else None,
        pg_user=env.get("CARBONHUI_PG_USER") or "nobody",
        lake=Path(env.get("CARBONHUI_LAKE") or home / "lake").expanduser().absolute(),
        blind_key_file=Path(env.get("CARBONHUI_BLIND_KEY_FILE") or home / "blind-index.key").expanduser().absolute(),
        keys=Path(env.get("CARBONHUI_KEYS") or home / "keys").expanduser().absolute(),
        cryptography=_one_of(env, "CARBONHUI_CRYPTOGRAPHY", CRYPTOGRAPHIES, "international"),
        code_sender=_code_sender(env),
        code_sender_key_file=Path(env["CARBONHUI_CODE_SENDER_KEY_FILE"]) if env.get("CARBONHUI_CODE_SENDER_KEY_FILE") else None,
        host=host,
        port=port,
        workers=_whole(env, "CARBONHUI_WORKERS", 1, 1, 256),
        public_url=_address(env, "CARBONHUI_PUBLIC_URL") or f"http://{host}:{port}",
        cors_origins=_origins(env),
        trusted_proxies=_whole(env, "CARBONHUI_TRUSTED_PROXIES", 0, 0, 10),
        body_bytes_max=_whole(env, "CARBONHUI_BODY_BYTES_MAX", 1 << 20, 1 << 10, 1 << 30),
        upload_bytes_max=_whole(env, "CARBONHUI_UPLOAD_BYTES_MAX", 64 << 20, 1 << 10, 1 << 34),
        caller_requests_max=_whole(env, "CARBONHUI_CALLER_REQUESTS_MAX", 600, 1, 10**9),
        organisation_requests_max=_whole(env, "CARBONHUI_ORGANISATION_REQUESTS_MAX", 12_000, 1, 10**9),
        stranger_requests_max=_whole(env, "CARBONHUI_STRANGER_REQUESTS_MAX", 60, 1, 10**9),
        area=_area(env, CITIES.get(chosen, "4401")),
        pool_size=_whole(env, "CARBONHUI_POOL_SIZE", 8, 1, 1000),
        statement_timeout_ms=_whole(env, "CARBONHUI_STATEMENT_TIMEOUT_MS", 60_000, 100, 86_400_000),
        lock_timeout_ms=_whole(env, "CARBONHUI_LOCK_TIMEOUT_MS", 10_000, 100, 86_400_000),
        idle_timeout_ms=_whole(env, "CARBONHUI_IDLE_TIMEOUT_MS", 60_000, 100, 86_400_000),
    )


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = env.get(name) or default
    if value not in allowed:
        raise SettingInvalid(name=name, value=value, wanted=" or ".join(allowed))
    return value


def _whole(env: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or not lowest <= int(text) <= highest:
        raise SettingInvalid(name=name, value=text[:40], wanted=f"a whole number from {lowest} to {highest}")
    return int(text)


def _area(env: Mapping[str, str], default: str) -> str:
    text = env.get("CARBONHUI_AREA") or default
    if not (len(text) == 4 and text.isascii() and text.isdigit() and text >= "1100"):
        raise SettingInvalid(name="CARBONHUI_AREA", value=text[:40], wanted="the four digits of a GB/T 2260 area")
    return text


def _address(env: Mapping[str, str], name: str) -> str | None:
    url = (env.get(name) or "").rstrip("/")
    if url and not url.startswith(("https://", "http://")):
        raise SettingInvalid(name=name, value=url[:80], wanted="an http:// or https:// address")
    return url or None


def _origins(env: Mapping[str, str]) -> tuple[str, ...]:
    """Origins as browsers send them: scheme, host and port, without a path."""
    given = tuple((env.get("CARBONHUI_CORS_ORIGINS") or "").replace(",", " ").split())
    for origin in given:
        if not _ORIGIN.fullmatch(origin):
            raise SettingInvalid(name="CARBONHUI_CORS_ORIGINS", value=origin[:80], wanted="origins such as https://app.example.org")
    return given


def _code_sender(env: Mapping[str, str]) -> str:
    name = "CARBONHUI_CODE_SENDER"
    chosen = env.get(name) or "console"
    if not re.fullmatch(r"console|file:.+|https://.+|http://(127\.0\.0\.1|\[::1\])[:/].*", chosen):
        raise SettingInvalid(name=name, value=chosen[:20], wanted="console, file:PATH or an https:// address")
    return chosen


def _database_url(env: Mapping[str, str]) -> str | None:
    url = env.get("DATABASE_URL") or None
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        # The rest of the value may hold a password, so it is not repeated.
        shown = url.split("://", 1)[0][:20] + "://..." if "://" in url else "..."
        raise SettingInvalid(name="DATABASE_URL", value=shown, wanted="a postgresql:// address")
    return url
