"""One number for everything that was measured, to compare two stores or two engines by."""

import hashlib
from dataclasses import dataclass

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of


@dataclass(frozen=True)
class ReductionsDigest:
    """How many person-days there are, their milligrams, and the SHA-256 of them all in order."""

    count: int
    mg: int
    sha256: str


def digest_of_reductions(session: Session) -> ReductionsDigest:
    """The digest of all reductions by account, day, methodology and version, whatever batches they came in.

    Each is one line: account, day, methodology, fingerprint, milligrams.
    """
    digest, count, mg = hashlib.sha256(), 0, 0
    statement = """
        COPY (SELECT account_id, day, methodology, fingerprint, sum(mg) FROM reduction GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4)
        TO STDOUT (FORMAT csv)
    """
    with connection_of(session).cursor().copy(statement) as rows:
        for block in rows:
            for line in bytes(block).splitlines(keepends=True):
                digest.update(line)
                count += 1
                mg += int(line.rsplit(b",", 1)[1])
    return ReductionsDigest(count, mg, digest.hexdigest())
