"""Shops and tills: where a merchant takes credits (Article 20)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.core.database import connection_of
from carbonhui.ledger import CREDIT, SANDBOX
from carbonhui.merchants.shop_refusals import (
    NotAMerchant,
    ShopClosed,
    ShopsTooMany,
    ShopUnknown,
    TillClosed,
    TillLabelTaken,
    TillsTooMany,
    TillUnknown,
)
from carbonhui.participants import Organisation

NAME_LONGEST, ADDRESS_LONGEST, HOURS_LONGEST, LABEL_LONGEST = 100, 200, 200, 60
STATES = ("open", "closed")
#: The most shops of a merchant and tills of a shop, closed ones too. Of two entered at once both may be the last.
SHOPS_MAX, TILLS_MAX = 10_000, 500


@dataclass(frozen=True)
class Shop:
    """A shop; ``district`` by GB/T 2260, the place in millionths of a degree of WGS 84."""

    id: int
    handle: UUID
    organisation_id: int
    name: str
    address: str
    district: str
    latitude_udeg: int
    longitude_udeg: int
    hours: str
    state: str
    opened_on: date


@dataclass(frozen=True)
class Till:
    """A till of a shop."""

    id: int
    handle: UUID
    shop_id: int
    label: str
    state: str


@dataclass(frozen=True)
class Counter:
    """Where a charge is made: the numbers of a shop, and of a till there if one was named."""

    shop: int
    till: int | None


SHOP = "id, handle, organisation_id, name, address, district, latitude_udeg, longitude_udeg, hours, state, opened_on"
_TILL = "id, handle, shop_id, label, state"
_TEXTS = {"name": NAME_LONGEST, "address": ADDRESS_LONGEST, "hours": HOURS_LONGEST}
_NO_HOURS = ("hours", "")


def require_merchant(organisation: Organisation) -> None:
    """Raises `NotAMerchant`."""
    if organisation.kind != "merchant":
        raise NotAMerchant(organisation=organisation.id)


def add_shop(
    session: Session, organisation: Organisation, *, name: str, address: str, district: str, latitude_udeg: int,
    longitude_udeg: int, hours: str, on: date,
) -> Shop:  # fmt: skip
    """A merchant opens a shop; it may before it is approved, and nobody else sees it until then.

    Raises `NotAMerchant`, `privacy.TextRefused`, `ShopsTooMany`.
    """
    require_merchant(organisation)
    texts = _cleaned({"name": name, "address": address, "hours": hours})
    row = connection_of(session).execute(
        f"""INSERT INTO shop (organisation_id, name, address, hours, district, latitude_udeg, longitude_udeg, opened_on)
            SELECT %s, %s, %s, %s, %s, %s, %s, %s WHERE (SELECT count(*) FROM shop WHERE organisation_id = %s) < %s RETURNING {SHOP}""",
        (
            organisation.id, texts["name"], texts["address"], texts["hours"], district, latitude_udeg, longitude_udeg, on,
            organisation.id, SHOPS_MAX,
        ),
    ).fetchone()  # fmt: skip
    if row is None:
        raise ShopsTooMany(most=SHOPS_MAX)
    return Shop(*row)


def change_shop(session: Session, shop: Shop, **changes: Any) -> Shop:
    """Change what is given of a shop: name, address, district, place, hours, state. Raises `privacy.TextRefused`."""
    assert set(changes) <= {*_TEXTS, "district", "latitude_udeg", "longitude_udeg", "state"}
    changed: Shop = _changed(session, "shop", SHOP, shop.id, _cleaned(changes), Shop)
    return changed


def _cleaned(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: privacy.clean_text(value, field=name, longest=_TEXTS[name]) if name in _TEXTS and (name, value) != _NO_HOURS else value
        for name, value in given.items()
    }


def _changed(session: Session, table: str, columns: str, number: int, changes: Mapping[str, Any], kind: Any) -> Any:
    told = ", ".join(f"{name} = %s" for name in changes) or "state = state"
    row = connection_of(session).execute(
        f"UPDATE {table} SET {told} WHERE id = %s RETURNING {columns}", (*changes.values(), number)
    ).fetchone()
    assert row is not None
    return kind(*row)


def shop_of(session: Session, organisation: Organisation, handle: UUID) -> Shop:
    """A merchant's own shop, open or closed. Raises `ShopUnknown`."""
    row = connection_of(session).execute(
        f"SELECT {SHOP} FROM shop WHERE handle = %s AND organisation_id = %s", (handle, organisation.id)
    ).fetchone()
    if row is None:
        raise ShopUnknown()
    return Shop(*row)


def shops_of(session: Session, organisation: Organisation, *, after: int = 0, limit: int = 50) -> list[Shop]:
    """A merchant's shops in the order in which they were entered, closed ones too."""
    rows = connection_of(session).execute(
        f"SELECT {SHOP} FROM shop WHERE organisation_id = %s AND id > %s ORDER BY id LIMIT %s", (organisation.id, after, limit)
    )
    return [Shop(*row) for row in rows]


def add_till(session: Session, shop: Shop, *, label: str) -> Till:
    """A till stands in a shop from now on. Raises `privacy.TextRefused`, `TillsTooMany`, `TillLabelTaken`."""
    text = privacy.clean_text(label, field="label", longest=LABEL_LONGEST)
    connection = connection_of(session)
    try:
        with connection.transaction():
            row = connection.execute(
                f"""INSERT INTO till (shop_id, label) SELECT %s, %s
                    WHERE (SELECT count(*) FROM till WHERE shop_id = %s) < %s RETURNING {_TILL}""",
                (shop.id, text, shop.id, TILLS_MAX),
            ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise TillLabelTaken() from None
    if row is None:
        raise TillsTooMany(most=TILLS_MAX)
    return Till(*row)


def change_till(session: Session, till: Till, **changes: Any) -> Till:
    """Give a till another label or state. Raises `TillLabelTaken`, `privacy.TextRefused`."""
    assert set(changes) <= {"label", "state"}
    if "label" in changes:
        changes["label"] = privacy.clean_text(changes["label"], field="label", longest=LABEL_LONGEST)
    try:
        with connection_of(session).transaction():
            changed: Till = _changed(session, "till", _TILL, till.id, changes, Till)
    except psycopg.errors.UniqueViolation:
        raise TillLabelTaken() from None
    return changed


def till_of(session: Session, shop: Shop, handle: UUID) -> Till:
    """A till of this shop, open or closed. Raises `TillUnknown`."""
    row = connection_of(session).execute(
        f"SELECT {_TILL} FROM till WHERE handle = %s AND shop_id = %s", (handle, shop.id)
    ).fetchone()
    if row is None:
        raise TillUnknown()
    return Till(*row)


def tills_of(session: Session, shop: Shop, *, after: int = 0, limit: int = 50) -> list[Till]:
    """A shop's tills in the order in which they were entered, closed ones too."""
    rows = connection_of(session).execute(
        f"SELECT {_TILL} FROM till WHERE shop_id = %s AND id > %s ORDER BY id LIMIT %s", (shop.id, after, limit)
    )
    return [Till(*row) for row in rows]


def counter(
    session: Session, *, organisation: int, shop: UUID, till: UUID | None = None, out_trade_no: str | None = None, sandbox: bool = False
) -> Counter:
    """Where a merchant takes credits, in one statement; both are its own, and open.

    They need not be open any more for the number of a charge that was made, so that
    whoever sends it again reads what became of it. Raises `ShopUnknown`, `ShopClosed`,
    `TillUnknown`, `TillClosed`, in this order.
    """
    row = connection_of(session).execute(
        """SELECT s.id, s.state, t.id, t.state,
                  'closed' IN (s.state, t.state) AND EXISTS (
                      SELECT FROM charge c WHERE c.organisation = %(organisation)s AND c.asset = %(asset)s AND c.out_trade_no = %(number)s)
           FROM shop s LEFT JOIN till t ON t.shop_id = s.id AND t.handle = %(till)s
           WHERE s.handle = %(shop)s AND s.organisation_id = %(organisation)s""",
        {
            "organisation": organisation, "shop": shop, "till": till, "asset": SANDBOX if sandbox else CREDIT, "number": out_trade_no,
        },
        prepare=True,
    ).fetchone()  # fmt: skip
    if row is None:
        raise ShopUnknown()
    shop_id, shop_state, till_id, till_state, is_done = row
    if shop_state != "open" and not is_done:
        raise ShopClosed()
    if till is not None and till_id is None:
        raise TillUnknown()
    if till is not None and till_state != "open" and not is_done:
        raise TillClosed()
    return Counter(shop_id, till_id)
