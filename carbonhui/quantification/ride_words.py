"""The statements that measure rides and counts: each act by itself, then a person's day."""

from collections.abc import Mapping

from carbonhui.quantification.jobs import Acts, PeriodCap, Run
from carbonhui.quantification.words import Words, day, text

_RIDE = {"metres": "metres", "trips": "trips", "seconds": "seconds"}


def _rides(acts: Acts, run: Run) -> str:
    return f"(SELECT * FROM lake WHERE mode = {text(acts.mode)} AND day BETWEEN {day(run.first)} AND {day(run.last)})"


def _measured(acts: Acts, run: Run, words: Words, columns: str) -> str:
    fields = run.stretch.methodology.fields
    given = {name: _RIDE[name] for name in fields} if acts.kind == "trip" else dict.fromkeys(fields, "quantity")
    return run.stretch.sql(columns, _rides(acts, run), given, run.evidence, words.formula)


def _held(links: str, run: Run) -> str:
    """The links that held on some of the days."""
    return (
        f"(SELECT * FROM {links} WHERE valid_from <= {day(run.last)}"
        f" AND (valid_to > {day(run.first)} OR valid_to IS NULL))"
    )


#: The holder, from the day on from which the holder consents; nobody before that.
CONSENTING = "CASE WHEN {} >= held.since THEN held.account_id END"
LINKED = "(held.valid_from IS NOT NULL)"
_ON_THE_DAY = "held.subject = m.subject AND m.day >= held.valid_from AND (m.day < held.valid_to OR held.valid_to IS NULL)"


def summed(acts: Acts, run: Run, words: Words, links: str, *, barred: bool, several: bool) -> str:
    """Each person's milligrams of each day, and how many acts they come from.

    No account: nobody held the identifier, or who did (``linked``) does not consent. The lake lies in the order of identifiers, so their days are added up before their
    holders are looked for; ``several``: some person holds more than one identifier.
    """
    rides = f"({_measured(acts, run, words, 'subject, day, act' if barred else 'subject, day')})"
    if barred:
        rides = f"(SELECT r.* FROM {rides} AS r LEFT JOIN barred ON barred.act = r.act WHERE barred.act IS NULL)"
    days = f"""
        SELECT subject, day, CAST(sum(mg) AS BIGINT) AS mg, count(*) AS acts, count(mg) AS in_range,
               count(*) FILTER (WHERE mg = 0) AS zero
        FROM {rides} AS r GROUP BY subject, day
    """
    held = f"""
        SELECT {CONSENTING.format('m.day')} AS account_id, {LINKED} AS linked, m.day AS day, mg, acts, in_range, zero
        FROM ({days}) AS m LEFT JOIN {_held(links, run)} AS held ON {_ON_THE_DAY}
    """
    if not several:
        return held
    sums = ", ".join(f"CAST(sum({name}) AS BIGINT) AS {name}" for name in ("mg", "acts", "in_range", "zero"))
    return f"SELECT account_id, linked, day, {sums} FROM ({held}) AS h GROUP BY account_id, linked, day"


#: A row where somebody answers to more than one identifier of a scheme.
SEVERAL = "SELECT 1 FROM {links} WHERE account_id IS NOT NULL GROUP BY account_id HAVING count(DISTINCT subject) > 1 LIMIT 1"


#: How many acts are out of range, unlinked, without consent, of no milligram, and measured.
COUNTS = """
SELECT coalesce(sum(acts - in_range), 0), coalesce(sum(in_range) FILTER (WHERE account_id IS NULL AND NOT linked), 0),
       coalesce(sum(in_range) FILTER (WHERE account_id IS NULL AND linked), 0),
       coalesce(sum(zero) FILTER (WHERE account_id IS NOT NULL), 0),
       coalesce(sum(in_range - zero) FILTER (WHERE account_id IS NOT NULL), 0)
FROM summed
"""
BARRED = "SELECT why, count(*) FROM barred GROUP BY why"
CREDITED = "SELECT account_id, day, mg FROM summed WHERE account_id IS NOT NULL AND mg > 0"


def barring(
    acts: Acts, run: Run, words: Words, links: str, all_links: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The tables that end in ``barred``: acts that another mechanism or another source has; empty where none can."""
    if acts.declared is None and not acts.others:
        return []
    steps = []
    parts = []
    if acts.declared is not None:
        parts.append(f"SELECT DISTINCT l.act, 'used_elsewhere' AS why FROM {_rides(acts, run)} AS l JOIN declared ON declared.act = l.act")
    if acts.others:
        mine = f"({_measured(acts, run, words, _CLAIM_COLUMNS[acts.kind])})"
        declared = "AND NOT EXISTS (SELECT 1 FROM declared WHERE declared.act = m.act)" if acts.declared else ""
        steps.append(("mine", _claims(mine, _held(links, run), acts.kind, words) + f" WHERE mg IS NOT NULL {declared}"))
        steps.append(("theirs", " UNION ALL ".join(_theirs(acts, run, words, all_links))))
        parts.append(f"SELECT DISTINCT mine.act, 'claimed_before' AS why FROM mine JOIN theirs ON {_same_act(acts)}")
    return [*steps, ("barred", " UNION ALL ".join(parts))]


_CLAIM_COLUMNS = {
    "trip": "subject, act, day, mode, started_at, ended_at, utc_offset_minutes",
    "count": "subject, act, day, mode",
}


def _claims(rides: str, held: str, kind: str, words: Words) -> str:
    """Acts with their person, and for rides the seconds from and to which they lasted."""
    lasted = ""
    if kind == "trip":
        offset = "60 * CAST(m.utc_offset_minutes AS BIGINT)"
        begin, end = (f"{words.seconds.format(f'm.{column}')} - {offset}" for column in ("started_at", "ended_at"))
        # A boarding lasts an instant, and an instant is long enough to be on another ride.
        lasted = f", {begin} AS from_s, CASE WHEN {end} > {begin} THEN {end} ELSE {begin} + 1 END AS to_s"
    return f"SELECT m.act AS act, account_id, m.day AS day, m.mode AS mode{lasted} FROM {rides} AS m JOIN {held} AS held ON {_ON_THE_DAY} AND m.day >= held.since"


def _theirs(acts: Acts, run: Run, words: Words, all_links: Mapping[str, str]) -> list[str]:
    """The acts of other sources on these days and the days beside them."""
    first, last = words.day_after.format(day(run.first), -1), words.day_after.format(day(run.last), 1)
    found = []
    for number, other in enumerate(acts.others):
        rides = f"(SELECT * FROM other_{number} WHERE day BETWEEN {first} AND {last})"
        found.append(_claims(rides, all_links[other.holders], acts.kind, words))
    return found


def _same_act(acts: Acts) -> str:
    if acts.kind == "count":
        return "mine.account_id = theirs.account_id AND mine.day = theirs.day AND mine.mode = theirs.mode"
    near = f"CASE WHEN mine.mode = theirs.mode THEN {acts.tolerance_s} ELSE 0 END"
    return (
        "mine.account_id = theirs.account_id"
        f" AND mine.from_s - {near} < theirs.to_s AND theirs.from_s < mine.to_s + {near}"
    )


def capped(cap: PeriodCap, table: str) -> str:
    """The person-days of a table, each cut to what its day, month or year has left.

    What the period may still credit before a day, less what it may credit after it.
    """
    period = f"CAST(date_trunc('{cap.per}', d.day) AS DATE)"
    return f"""
        SELECT account_id, day, CAST(CASE WHEN so_far < {cap.most_mg} THEN so_far ELSE {cap.most_mg} END
               - CASE WHEN so_far - mg < {cap.most_mg} THEN so_far - mg ELSE {cap.most_mg} END AS BIGINT) AS mg
        FROM (SELECT d.account_id, d.day, d.mg,
                     coalesce(before.mg, 0) + sum(d.mg) OVER (PARTITION BY d.account_id, {period} ORDER BY d.day) AS so_far
              FROM {table} AS d
              LEFT JOIN before ON before.account_id = d.account_id AND before.period = {period}) AS running
    """
