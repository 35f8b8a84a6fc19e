"""Profiles as TOML files: those that are shipped, and the institution's own in the home folder."""

import hashlib
import re
import tomllib
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from carbonhui.activity.profile import Profile
from carbonhui.activity.profile_checks import disagreement, wrong_with
from carbonhui.activity.refusals import ProfileForDemoOnly, ProfileInvalid, ProfileUnknown
from carbonhui.core.settings import Settings

FOLDER = Path(__file__).parent / "profiles"
_TAKEN = "a shipped profile has this name; give your file another"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")

Part = TypeVar("Part")


def profile_names(folder: Path | None = None) -> list[str]:
    """The profiles that are shipped, and those in this folder of the institution."""
    return sorted(_paths(folder))


def _paths(folder: Path | None) -> dict[str, Path]:
    """Each profile's file; a shipped profile's name cannot be taken by another file."""
    own = {path.stem: path for path in folder.glob("*.toml")} if folder is not None else {}
    return {**own, **{path.stem: path for path in FOLDER.glob("*.toml")}}


def profile_named(name: str, folder: Path | None = None) -> Profile:
    """The profile of this name, which agrees with every other profile of its source.

    Raises `ProfileUnknown`, `ProfileInvalid`.
    """
    paths = _paths(folder)
    if name not in paths:
        raise ProfileUnknown(profile=ascii(name)[1:-1][:60], known=", ".join(sorted(paths)))
    if folder is not None and paths[name].parent == FOLDER and (folder / paths[name].name).exists():
        raise ProfileInvalid(profile=name, reason=_TAKEN)
    return _agreeing(read_profile(paths[name]), paths)


def check_profile(path: Path, folder: Path | None = None) -> Profile:
    """A profile that may not be installed yet, as `profile_named` would find it. Raises `ProfileInvalid`."""
    if (FOLDER / path.name).exists() and path.resolve().parent != FOLDER.resolve():
        raise ProfileInvalid(profile=path.stem, reason=_TAKEN)
    return _agreeing(read_profile(path), _paths(folder))


def profile_text(name: str, folder: Path | None = None) -> str:
    """The text of a profile that can be used. Raises `ProfileUnknown`, `ProfileInvalid`."""
    profile_named(name, folder)
    return _paths(folder)[name].read_text(encoding="utf-8")


def _agreeing(profile: Profile, paths: dict[str, Path]) -> Profile:
    for other in sorted(paths.keys() - {profile.name}):
        _refuse_disagreement(profile, paths[other])
    return profile


def profile_for(settings: Settings, name: str) -> Profile:
    """The profile, if it may be used in this store. Raises `ProfileForDemoOnly` and what `profile_named` raises."""
    profile = profile_named(name, settings.profiles_folder)
    if profile.demonstration and not settings.is_demo:
        raise ProfileForDemoOnly(profile=name, store=settings.profile)
    return profile


def _refuse_disagreement(profile: Profile, path: Path) -> None:
    """Two profiles of one source bring the same acts, so they say the same of them. Raises `ProfileInvalid`."""
    try:
        other = read_profile(path)
    except ProfileInvalid:
        # It can load nothing, so there is nothing to disagree with.
        return
    field = disagreement(profile, other)
    if field is not None:
        reason = f"it has the source {profile.source} of the profile {other.name} and another {field}"
        raise ProfileInvalid(profile=profile.name, reason=reason)


def read_profile(path: Path) -> Profile:
    """A profile from its file; an unknown, missing, mistyped or contradictory key is refused. Raises `ProfileInvalid`."""
    reader = _Reader(path.stem)
    try:
        content = path.read_bytes()
        text: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise reader.invalid(error.strerror or type(error).__name__) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise reader.invalid(str(error)) from error
    if not _NAME.fullmatch(path.stem):
        raise reader.invalid("its file name is not of small letters, digits and hyphens")
    if {"name", "digest"} & text.keys():
        raise reader.invalid("the file's own name is the profile's name, and its digest is computed")
    own = {"name": path.stem, "digest": hashlib.sha256(content).digest()}
    profile = reader.part("profile", Profile, text, own)
    reason = wrong_with(profile)
    if reason is not None:
        raise reader.invalid(reason)
    return profile


class _Reader:
    """Reads the parts of one profile, each exactly as its dataclass says."""

    def __init__(self, profile: str) -> None:
        self.profile = profile

    def invalid(self, reason: str) -> ProfileInvalid:
        return ProfileInvalid(profile=self.profile, reason=reason)

    def part(self, where: str, kind: type[Part], values: object, own: dict[str, Any] | None = None) -> Part:
        own = own or {}
        if not isinstance(values, dict):
            raise self.invalid(f"{where} is not a table")
        known = {field.name: field for field in fields(kind) if field.name not in own}  # type: ignore[arg-type]
        needed = {
            name for name, field in known.items() if field.default is MISSING and field.default_factory is MISSING
        }
        unknown, missing = sorted(values.keys() - known.keys()), sorted(needed - values.keys())
        if unknown or missing:
            raise self.invalid(f"{where}: unknown {unknown}, missing {missing}")
        types_of = typing.get_type_hints(kind)
        return kind(**own, **{name: self.value(f"{where}.{name}", types_of[name], value) for name, value in values.items()})

    def value(self, where: str, kind: Any, value: object) -> Any:
        """The value, if it is exactly of the type, so that true is no number."""
        if isinstance(kind, types.UnionType):
            [kind] = [one for one in typing.get_args(kind) if one is not types.NoneType]
        if is_dataclass(kind):
            return self.part(where, kind, value)  # type: ignore[arg-type]
        if typing.get_origin(kind) is tuple:
            return self.several(where, typing.get_args(kind)[0], value)
        if typing.get_origin(kind) is dict:
            return self.named(where, typing.get_args(kind)[1], value)
        if type(value) is not kind or value == "":
            wanted = {str: "a text", int: "a whole number", bool: "true or false", date: "a date"}[kind]
            raise self.invalid(f"{where} is {value!r}; it must be {wanted}")
        return value

    def several(self, where: str, kind: Any, value: object) -> tuple[Any, ...]:
        values = [value] if type(value) is kind else value
        if not isinstance(values, list) or not values:
            raise self.invalid(f"{where} is not a list with something in it")
        return tuple(self.value(f"{where}[{number}]", kind, one) for number, one in enumerate(values))

    def named(self, where: str, kind: Any, value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            raise self.invalid(f"{where} is not a table with something in it")
        return {name: self.value(f"{where}.{name}", kind, one) for name, one in value.items()}
