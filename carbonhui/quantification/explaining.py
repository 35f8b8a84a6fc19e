"""What a person was credited, and why: the approved text itself, with the numbers of the day (Articles 14-16)."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import activity, methodology, policy
from carbonhui.core.database import connection_of
from carbonhui.core.settings import Settings
from carbonhui.methodology import Cap, ClaimWindow, DatedValue, EvidenceWeight, Exclusion, Field, Lookback, Methodology
from carbonhui.quantification.refusals import ReductionTextMissing, ReductionUnknown

#: The versions of archived texts, which never change.
_VERSIONS: dict[str, str] = {}


@dataclass(frozen=True)
class ReductionLine:
    """What somebody avoided on a day by one methodology.

    ``minted`` is how many credits the mint that took it in gave the account, of all its reductions
    and what was carried; None: not minted yet.
    """

    id: int
    day: date
    mg: int
    methodology: str
    version: str | None
    fingerprint: str
    batch: int
    minted: int | None


@dataclass(frozen=True)
class ParameterInForce:
    """A number of the methodology on the reduction's day, and the paper that it comes from."""

    name: str
    says: str
    says_zh: str | None
    unit: str
    dated: DatedValue


@dataclass(frozen=True)
class Explanation:
    """Why somebody got a reduction.

    ``formula`` measures one act, ``credited_formula`` with the caps of one act and the weight of the evidence;
    the host applies ``caps`` per day, month and year, the claim window and exclusions. ``mg_per_credit`` is the
    exchange ratio of the day, None before there was one.
    """

    reduction: ReductionLine
    title: dict[str, str]
    document: str
    demonstration: bool
    formula: str
    credited_formula: str
    inputs: tuple[Field, ...]
    parameters: tuple[ParameterInForce, ...]
    lookbacks: tuple[Lookback, ...]
    caps: tuple[Cap, ...]
    weight: EvidenceWeight | None
    claim_window: ClaimWindow | None
    exclusions: tuple[Exclusion, ...]
    evidence: str
    source: str
    source_says: str
    mg_per_credit: int | None


def reductions_of(session: Session, account: int, *, before: int | None = None, limit: int = 50) -> list[ReductionLine]:
    """An account's reductions, newest first; ``before`` is the id of the last one that was told."""
    assert 1 <= limit <= 1_000
    return _lines(session, account, "AND (%(before)s::bigint IS NULL OR r.id < %(before)s)", {"before": before, "limit": limit})


# All of one account are found first, because the newest of everybody would otherwise be read through for them.
_LINES = """
WITH mine AS MATERIALIZED (
    SELECT r.id, r.day, r.mg, r.methodology, r.fingerprint, r.batch_id, r.mint_id FROM reduction r WHERE r.account_id = %(account)s {which}
), newest AS (
    SELECT * FROM mine ORDER BY id DESC LIMIT %(limit)s
), minted AS (
    SELECT i.mint_id, sum(i.last - i.first + 1)::bigint AS credits FROM transfer t JOIN issue i ON i.transfer_id = t.id
    WHERE t.credit = %(account)s AND t.purpose = 1 AND i.mint_id IN (SELECT mint_id FROM newest) GROUP BY i.mint_id
)
SELECT n.id, n.day, n.mg, n.methodology, n.fingerprint, n.batch_id, CASE WHEN n.mint_id IS NOT NULL THEN coalesce(m.credits, 0) END
FROM newest n LEFT JOIN minted m USING (mint_id) ORDER BY n.id DESC
"""


def _lines(session: Session, account: int, which: str, words: dict[str, object]) -> list[ReductionLine]:
    rows = connection_of(session).execute(_LINES.format(which=which), {**words, "account": account}).fetchall()
    return [
        ReductionLine(id, day, mg, name, _version(session, fingerprint), fingerprint, batch, minted)
        for id, day, mg, name, fingerprint, batch, minted in rows
    ]


def _version(session: Session, fingerprint: str) -> str | None:
    """The version of an archived text; it is read once, because it never changes."""
    if fingerprint not in _VERSIONS:
        text = methodology.archived(session, fingerprint)
        if text is None:
            return None
        _VERSIONS[fingerprint] = text.version
    return _VERSIONS[fingerprint]


def explain(session: Session, settings: Settings, account: int, reduction_id: int) -> Explanation:
    """Why an account got a reduction, from the text that was approved, whatever is installed now.

    Raises `ReductionUnknown`, also for another's; `ReductionTextMissing`.
    """
    found = _lines(session, account, "AND r.id = %(id)s", {"id": reduction_id, "limit": 1})
    if not found:
        raise ReductionUnknown(reduction=reduction_id)
    [line] = found
    text = methodology.archived(session, line.fingerprint)
    if text is None:
        raise ReductionTextMissing(methodology=line.methodology, fingerprint=line.fingerprint[:12])
    row = connection_of(session).execute("SELECT source, profile, evidence FROM batch WHERE id = %s", (line.batch,)).fetchone()
    assert row is not None
    source, profile, evidence = row
    return _told(line, text, evidence, source, activity.profile_named(profile, settings.profiles_folder).says, _ratio(session, line.day))


def _told(line: ReductionLine, text: Methodology, evidence: str, source: str, says: str, ratio: int | None) -> Explanation:
    return Explanation(
        reduction=line,
        title=dict(text.title),
        document=text.document,
        demonstration=text.demonstration,
        formula=text.formula.on_paper,
        credited_formula=text.credited(evidence).on_paper,
        inputs=(*text.fields.values(), *text.lookback_fields.values()),
        parameters=tuple(
            ParameterInForce(name, one.says, one.says_zh, one.unit, one.value_on(line.day)) for name, one in text.parameters.items()
        ),
        lookbacks=tuple(text.lookbacks.values()),
        caps=text.caps,
        weight=next((weight for weight in text.evidence_weights if weight.evidence == evidence), None),
        claim_window=text.claim_window,
        exclusions=text.exclusions,
        evidence=evidence,
        source=source,
        source_says=says,
        mg_per_credit=ratio,
    )


def _ratio(session: Session, day: date) -> int | None:
    for value in policy.values(session, policy.EXCHANGE_RATIO):
        if value.start <= day and (value.end is None or day < value.end):
            return value.number
    return None
