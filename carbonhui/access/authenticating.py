"""From a request's headers to its caller."""

import hashlib
import threading
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from joserfc.jwk import OKPKey
from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.access import staff_sessions
from carbonhui.access.callers import ANONYMOUS, Caller, Headers, SignedRequest, header_lines
from carbonhui.access.organisation_keys import verify_signed
from carbonhui.access.recent import KEPT, RecentCallers
from carbonhui.access.refusals import NotSignedIn, TokenExpired
from carbonhui.access.signing_keys import verifying_keys
from carbonhui.access.tokens import TokenWords, read_token
from carbonhui.core.clock import Clock
from carbonhui.core.database import Database, connection_of
from carbonhui.core.settings import Settings


class Authenticator:
    """Knows callers by their tokens, sessions and signatures. One serves a process and all its threads.

    A verified token is believed for five more seconds without a look into the store.
    """

    def __init__(
        self, database: Database, vault: privacy.Vault, settings: Settings, clock: Clock, *, recent: RecentCallers | None = None
    ) -> None:
        self._database, self._vault, self._settings, self._clock = database, vault, settings, clock
        self._recent = recent or RecentCallers()
        self._keys = _PublishedKeys(database)

    def caller(self, headers: Headers, method: str, url: str, body: bytes = b"") -> Caller:
        """Who sent this request; a `Caller` of kind anonymous when it brings no proof at all.

        ``url`` may be whole or begin with the path; the scheme and host that a signature
        covers are those of the settings' public address, whatever the Host header says.
        Raises `NotSignedIn`, `TokenExpired`, `SignatureInvalid`, `SignatureReplayed`.
        """
        lines = header_lines(headers)
        bearers = [value for name, value in lines if name.lower() == "authorization"]
        signed = any(name.lower() in ("signature", "signature-input") for name, _ in lines)
        if not bearers and not signed:
            return ANONYMOUS
        if signed and not bearers:
            return self._signer(SignedRequest(method=method, url=self._public(url), headers=lines, body=body))
        # Two proofs in one request would let the one hide behind the other.
        if signed or len(bearers) != 1:
            raise NotSignedIn()
        return self._bearer(bearers[0])

    def _bearer(self, value: str) -> Caller:
        scheme, _, token = value.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NotSignedIn()
        digest, now = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest(), self._clock.now()
        known = self._recent.get(digest, now)
        if known is not None:
            return known
        found, until = self._looked_up(token, now)
        self._recent.put(digest, found, now, until=until)
        return found

    def _looked_up(self, token: str, now: datetime) -> tuple[Caller, datetime]:
        if token.startswith(staff_sessions.PREFIX):
            return self._database.run(lambda session: staff_sessions.staff_caller(session, token, now))
        words = self._read(token, now)
        return self._database.run(lambda session: _person_caller(session, words, self._clock)), words.expires_at

    def _read(self, token: str, now: datetime) -> TokenWords:
        """A token by a key that was published since the keys were last read is read once more."""
        issuer = self._settings.public_url
        try:
            return read_token(token, self._keys.at(now), issuer=issuer, now=now)
        except TokenExpired:
            raise
        except NotSignedIn:
            if not self._keys.read_again(now):
                raise
            return read_token(token, self._keys.at(now), issuer=issuer, now=now)

    def _signer(self, request: SignedRequest) -> Caller:
        return self._database.run(lambda session: verify_signed(session, self._vault, request, clock=self._clock))

    def _public(self, url: str) -> str:
        """The address as the client knows it. A proxy may have taken away the public address's own path."""
        public = urlsplit(self._settings.public_url)
        # Not urlsplit for what begins with a slash: it takes "//name/path" for a host's.
        after = url if url.startswith("/") else "/" + url.partition("://")[2].partition("/")[2]
        if not after.startswith(f"{public.path}/"):
            after = public.path + after
        return f"{public.scheme}://{public.netloc}{after}"


class _PublishedKeys:
    """The keys that verify, read again after five seconds; for an unknown name after one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._keys: dict[str, OKPKey] = {}
        self._since: datetime | None = None

    def at(self, now: datetime) -> dict[str, OKPKey]:
        if not self._is_younger(KEPT, now):
            self._load(now)
        return self._keys

    def read_again(self, now: datetime) -> bool:
        """Whether there was a reason to read again, so that strange tokens cost no reading each."""
        if self._keys and self._is_younger(timedelta(seconds=1), now):
            return False
        self._load(now)
        return True

    def _is_younger(self, age: timedelta, now: datetime) -> bool:
        return self._since is not None and self._since <= now < self._since + age

    def _load(self, now: datetime) -> None:
        with self._lock:
            self._keys = self._database.run(lambda session: verifying_keys(session, now))
            self._since = now


def _person_caller(session: Session, words: TokenWords, clock: Clock) -> Caller:
    row = connection_of(session).execute(
        """SELECT d.id, d.person_id FROM device d JOIN person p ON p.id = d.person_id
           WHERE d.handle = %s AND p.handle = %s AND d.ended_at IS NULL""",
        (words.device, words.person),
    ).fetchone()
    if row is None:
        raise NotSignedIn()
    person = participants.person(session, row[1])
    if person.state == "erased" or not person.is_free(clock.today()):
        raise NotSignedIn()
    return Caller(
        kind="person", roles=frozenset({"person"}), scope=f"person:{person.id}", person=person, device_id=row[0]
    )
