"""Settings are checked once, when they are read, and a bad one is named (docs/settings.md)."""

from pathlib import Path

import pytest

from carbonhui.core.settings import SettingInvalid, default_home, read_settings


def refusal(**environment: str) -> SettingInvalid:
    with pytest.raises(SettingInvalid) as caught:
        read_settings(environment)
    return caught.value


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = read_settings({"CARBONHUI_HOME": str(tmp_path)})
    assert (settings.home, settings.profile, settings.language, settings.area) == (tmp_path, "guangzhou", "en", "4401")
    assert (settings.database_url, settings.pg_bin, settings.pg_user, settings.pool_size) == (None, None, "nobody", 8)
    assert (settings.lake, settings.blind_key_file) == (tmp_path / "lake", tmp_path / "blind-index.key")
    assert not settings.is_demo


def test_an_empty_setting_is_one_that_was_not_set(tmp_path: Path) -> None:
    names = ("PROFILE", "LANGUAGE", "AREA", "POOL_SIZE", "PG_BIN", "PG_USER", "LAKE", "BLIND_KEY_FILE", "LOCK_TIMEOUT_MS")
    empty = {f"CARBONHUI_{name}": "" for name in names} | {"DATABASE_URL": "", "CARBONHUI_HOME": str(tmp_path)}
    assert read_settings(empty) == read_settings({"CARBONHUI_HOME": str(tmp_path)})


def test_every_setting_is_read_from_the_environment(tmp_path: Path) -> None:
    settings = read_settings({
        "CARBONHUI_HOME": str(tmp_path), "CARBONHUI_PROFILE": "demo", "CARBONHUI_LANGUAGE": "zh", "CARBONHUI_AREA": "4403",
        "DATABASE_URL": "postgresql://books@db/x", "CARBONHUI_POOL_SIZE": "1000", "CARBONHUI_STATEMENT_TIMEOUT_MS": "100",
        "CARBONHUI_LOCK_TIMEOUT_MS": "86400000", "CARBONHUI_IDLE_TIMEOUT_MS": "101", "CARBONHUI_PG_BIN": "/usr/lib/pg",
        "CARBONHUI_PG_USER": "postgres", "CARBONHUI_LAKE": "/lake", "CARBONHUI_BLIND_KEY_FILE": "/key",
    })  # fmt: skip
    assert settings.is_demo and settings.language == "zh" and settings.area == "4403"
    assert settings.database_url == "postgresql://books@db/x"
    assert (settings.pool_size, settings.statement_timeout_ms, settings.lock_timeout_ms, settings.idle_timeout_ms) == (
        1000, 100, 86_400_000, 101
    )  # fmt: skip
    assert (settings.pg_bin, settings.pg_user, settings.lake, settings.blind_key_file) == (
        Path("/usr/lib/pg"), "postgres", Path("/lake"), Path("/key")
    )  # fmt: skip


def test_every_setting_of_the_api_is_read_from_the_environment(tmp_path: Path) -> None:
    settings = read_settings({
        "CARBONHUI_HOME": str(tmp_path), "CARBONHUI_KEYS": "/keys", "CARBONHUI_CRYPTOGRAPHY": "guomi", "CARBONHUI_HOST": "0.0.0.0",
        "CARBONHUI_PORT": "65535", "CARBONHUI_WORKERS": "4", "CARBONHUI_PUBLIC_URL": "https://credits.example.org/",
        "CARBONHUI_CORS_ORIGINS": "https://app.example.org, http://127.0.0.1:5173", "CARBONHUI_TRUSTED_PROXIES": "2",
        "CARBONHUI_BODY_BYTES_MAX": "1024", "CARBONHUI_UPLOAD_BYTES_MAX": "1025", "CARBONHUI_CALLER_REQUESTS_MAX": "1", "CARBONHUI_ORGANISATION_REQUESTS_MAX": "3",
        "CARBONHUI_STRANGER_REQUESTS_MAX": "2", "CARBONHUI_CODE_SENDER": "https://codes.example.org/send",
        "CARBONHUI_CODE_SENDER_KEY_FILE": "/sender.key",
    })  # fmt: skip
    assert (settings.keys, settings.cryptography, settings.host, settings.port, settings.workers) == (
        Path("/keys"), "guomi", "0.0.0.0", 65_535, 4
    )  # fmt: skip
    assert settings.public_url == "https://credits.example.org"
    assert settings.cors_origins == ("https://app.example.org", "http://127.0.0.1:5173")
    assert (settings.body_bytes_max, settings.upload_bytes_max, settings.trusted_proxies) == (1024, 1025, 2)
    assert (settings.caller_requests_max, settings.stranger_requests_max, settings.organisation_requests_max) == (1, 2, 3)
    assert (settings.code_sender, settings.code_sender_key_file) == ("https://codes.example.org/send", Path("/sender.key"))


def test_clients_know_the_api_under_where_it_listens_unless_told(tmp_path: Path) -> None:
    assert read_settings({"CARBONHUI_HOME": str(tmp_path), "CARBONHUI_PORT": "9000"}).public_url == "http://127.0.0.1:9000"


def test_the_callers_profile_goes_before_the_environments() -> None:
    assert read_settings({"CARBONHUI_PROFILE": "guangzhou"}, profile="demo").is_demo


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("CARBONHUI_PROFILE", ["Demo", "beijing", " demo"]),
        ("CARBONHUI_LANGUAGE", ["fr", "EN", "zh_CN"]),
        ("CARBONHUI_AREA", ["440", "44011", "44a1", "４４０１", "0000", "1099", "-440", " 4401"]),
        ("CARBONHUI_POOL_SIZE", ["0", "1001", "-1", "1.5", "８", "1e3", " 8", "+8", "0x8", "9" * 100]),
        ("CARBONHUI_STATEMENT_TIMEOUT_MS", ["99", "86400001", "0", "sixty"]),
        ("CARBONHUI_LOCK_TIMEOUT_MS", ["99", "86400001"]),
        ("CARBONHUI_IDLE_TIMEOUT_MS", ["99", "86400001"]),
        ("CARBONHUI_CRYPTOGRAPHY", ["sm4", "Guomi"]),
        ("CARBONHUI_CODE_SENDER", ["none", "ftp://x", "http://codes.example.org", "http://127.0.0.1.example.org", "file"]),
        ("CARBONHUI_PORT", ["0", "65536", "http"]),
        ("CARBONHUI_WORKERS", ["0", "257"]),
        ("CARBONHUI_PUBLIC_URL", ["credits.example.org", "ftp://x"]),
        ("CARBONHUI_CORS_ORIGINS", ["*", "https://app.example.org/", "app.example.org", "https://a.b, null"]),
        ("CARBONHUI_TRUSTED_PROXIES", ["11", "-1"]),
        ("CARBONHUI_BODY_BYTES_MAX", ["1023", "1073741825"]),
        ("CARBONHUI_CALLER_REQUESTS_MAX", ["0"]),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_and_named(name: str, values: list[str]) -> None:
    for value in values:
        found = refusal(**{name: value})
        assert (found.code, found.facts["name"]) == ("setting_invalid", name)
        assert found.facts["wanted"] and found.facts["value"] in value


@pytest.mark.parametrize(
    "url",
    ["mysql://books:hunter2@db/x", "postgres:hunter2@db", "host=db password=hunter2", "://books:hunter2@db/x",
     "POSTGRESQL://books:hunter2@db/x", pytest.param("hunter2"), pytest.param("password=hunter2 host=db")],
)  # fmt: skip
def test_a_bad_database_address_is_refused_without_repeating_its_password(url: str) -> None:
    found = refusal(DATABASE_URL=url)
    assert found.facts["name"] == "DATABASE_URL"
    assert "hunter2" not in str(found) and "hunter2" not in found.text("zh") and "hunter2" not in repr(found.facts)


def test_the_demonstration_never_keeps_its_books_in_the_real_ones_home() -> None:
    assert default_home({}, "demo") != default_home({}, "guangzhou")
    assert read_settings({}, profile="demo").home.name == "demo"


def test_a_home_is_made_absolute() -> None:
    assert read_settings({"CARBONHUI_HOME": "books"}).home == Path.cwd() / "books"
    assert read_settings({"CARBONHUI_HOME": "~/books"}).home == Path.home() / "books"
