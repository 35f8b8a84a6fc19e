"""Whole quantities of a day: steps, grams of used clothes, square metres."""

from carbonhui import privacy
from carbonhui.activity.judging import (
    NOW,
    Rule,
    Work,
    blind,
    date_rules,
    identifier_rules,
    impossible,
    judge,
    keep,
    moved,
    of,
    show_candidates,
    start_of_day,
    text,
    whole_number,
)
from carbonhui.activity.limits import limit
from carbonhui.activity.profile import CountColumns, Profile

_NEGATIVE = r"-[0-9]+(\.[0-9]+)?"


def content(profile: Profile) -> tuple[str, ...]:
    """What two deliveries of one quantity must agree in."""
    return ("subject", "day", "quantity")


def judge_counts(work: Work) -> None:
    """Fill ``judged`` and show ``candidate`` from ``received``: which quantities are believed by themselves."""
    parse(work)
    blind(work, "subject", work.profile.scheme)
    judge(work.engine, _rules(work), work.city_now)
    kept = {"subject_id": "subject::UUID", "act_id": f"{act(work.profile)}::UUID", "day": "started_at::DATE", "quantity": "quantity"}
    keep(work, kept, "subject")
    show_candidates(work.engine, f"{_CANDIDATE}, {text(_count(work).mode)} AS mode")


_CANDIDATE = "subject_id, act_id, subject_id::BLOB AS subject, act_id::BLOB AS act, day, quantity"


def _count(work: Work) -> CountColumns:
    assert work.profile.count is not None
    return work.profile.count


def parse(work: Work) -> None:
    """Show ``parsed`` of ``received``."""
    count, profile = _count(work), work.profile
    key = of(profile, count.key) if count.key is not None else "''"
    work.engine.execute(
        f"""
        CREATE VIEW parsed AS
        SELECT row, code, facts, {of(profile, count.subject)} AS subject_text, {key} AS key_text,
               date_trunc('day', {start_of_day(of(profile, count.day))}) AS day_read, {moved("day_read", profile)} AS started_at,
               {of(profile, count.quantity)} AS quantity_text, {whole_number(of(profile, count.quantity))} AS quantity
        FROM received
        """
    )


def identity_rules(work: Work) -> list[Rule]:
    """What a row must have so that it is known whose quantity it is and of which day."""
    return [*identifier_rules(_count(work).subject, "subject_text", "subject_missing"), *_day_rules(work)]


def _day_rules(work: Work) -> list[Rule]:
    column = _count(work).day
    return [
        *date_rules(column, "day_read", "started_at", work.profile),
        impossible(column, f"started_at + INTERVAL 1 DAY > {NOW}", "the day is not over", "该日尚未结束"),
    ]


def _rules(work: Work) -> list[Rule]:
    count = _count(work)
    most = limit(work.limits, count.mode, "most_per_day")
    column = {"column": text(count.quantity)}
    return [
        *identity_rules(work),
        *(identifier_rules(count.key, "key_text", "key_missing") if count.key is not None else []),
        Rule(f"regexp_full_match(quantity_text, {text(_NEGATIVE)})", "negative_quantity", column),
        Rule("quantity IS NULL", "value_not_a_number", column),
        Rule(f"quantity > {most}", "quantity_too_high", {"found": "quantity", "most": str(most)}),
    ]


def act(profile: Profile) -> str:
    """By its number, or else by whose quantity it is, of what, and of which day."""
    assert profile.count is not None
    if profile.count.key is not None:
        return privacy.blind_index_sql("key_text")
    return privacy.blind_index_sql(f"hex(subject) || ' {profile.count.mode} ' || started_at::DATE::VARCHAR")
