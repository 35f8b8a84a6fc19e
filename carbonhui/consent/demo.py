"""Consents of the demonstration, where nobody is there to give their own."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui.consent.refusals import ConsentForDemoOnly, ConsentTextMissing
from carbonhui.consent.texts import QUANTIFICATION, publish_text, text_in_force
from carbonhui.core.database import connection_of

#: The first activity day that the demonstration's people let be processed.
DEMO_COVERS_FROM = date(2000, 1, 1)

_ZH = "演示:同意平台获取并使用来源 {source} 的活动数据,以计算减碳量。可随时撤回。"
_EN = "Demonstration: the platform may fetch and use the activity of {source} to measure reductions. It can be withdrawn at any time."


def grant_for_demo(
    session: Session, *, source: str, scheme: str, on: date, sensitive: bool = True, covers_from: date = DEMO_COVERS_FROM
) -> int:
    """Consent in the name of every holder of a scheme's identifiers who never said anything of this source; how many.

    Who withdrew is left alone. Publishes a text where there is none. Raises `ConsentForDemoOnly`.
    """
    connection = connection_of(session)
    row = connection.execute("SELECT profile FROM deployment").fetchone()
    assert row is not None
    if row[0] != "demo":
        raise ConsentForDemoOnly(profile=row[0])
    try:
        text = text_in_force(session, source)
    except ConsentTextMissing:
        text = publish_text(
            session, source=source, sensitive=sensitive, zh=_ZH.format(source=source), en=_EN.format(source=source), on=on,
            published_by="demo",
        )  # fmt: skip
    # A benchmark's million takes longer than any request may.
    connection.execute("SET LOCAL statement_timeout = 0")
    words = {"source": source, "scheme": scheme, "purpose": QUANTIFICATION, "text": text.id, "on": on, "covers": min(covers_from, on)}
    return connection.execute(_GRANT, words).rowcount


_GRANT = """
INSERT INTO consent (account_id, text_id, source, purpose, covers_from, given_on, channel, given_by)
SELECT DISTINCT l.account_id, %(text)s::bigint, %(source)s, %(purpose)s, %(covers)s::date, %(on)s::date, 'demo', 'demo'
FROM link l WHERE l.scheme = %(scheme)s AND NOT EXISTS (
    SELECT FROM consent c WHERE c.account_id = l.account_id AND c.source = %(source)s AND c.purpose = %(purpose)s)
ORDER BY l.account_id
ON CONFLICT (source, purpose, account_id) WHERE ended_at IS NULL DO NOTHING
"""
