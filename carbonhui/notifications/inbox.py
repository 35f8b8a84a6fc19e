"""A person's inbox."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.notifications.announcing import Notice


def messages_of(session: Session, account: int, *, before: int | None = None, limit: int = 50) -> list[Notice]:
    """The messages of an account, newest first; ``before`` is the last one's number of the page before."""
    rows = connection_of(session).execute(
        """SELECT a.id, a.topic, a.payload, a.at, m.read_at FROM inbox_message m JOIN announcement a ON a.id = m.announcement_id
           WHERE m.account_id = %s AND m.announcement_id < coalesce(%s, 9223372036854775807)
           ORDER BY m.announcement_id DESC LIMIT %s""",
        (account, before, limit),
    )
    return [Notice(*row) for row in rows]


def unread_count(session: Session, account: int) -> int:
    """How many messages of an account are unread."""
    row = connection_of(session).execute(
        "SELECT count(*) FROM inbox_message WHERE account_id = %s AND read_at IS NULL", (account,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def mark_read(session: Session, account: int, messages: Collection[int] | None = None) -> int:
    """Note that messages were read, all of them when none is named; how many were unread. Others' are left alone."""
    return connection_of(session).execute(
        """UPDATE inbox_message SET read_at = clock_timestamp()
           WHERE account_id = %s AND read_at IS NULL AND (%s::bigint[] IS NULL OR announcement_id = ANY (%s))""",
        (account, None if messages is None else list(messages), list(messages or ())),
    ).rowcount


def forget(session: Session, account: int) -> int:
    """Empty the inbox of an account whose person is erased; how many messages went (PIPL, article 47).

    What was announced stays, as numbers about an account that nobody answers to.
    """
    return connection_of(session).execute("DELETE FROM inbox_message WHERE account_id = %s", (account,)).rowcount
