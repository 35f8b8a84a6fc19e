"""A person gets a copy of everything, in plain words, and no cell of it computes anything (PIPL article 45)."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from carbonhui import activity, consent, export, ledger, notifications, participants, privacy
from carbonhui.cli.context import Face
from carbonhui.cli.exporting import export_person
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.export import collecting, writing
from tests.export.sheets import formulas_in, sheets_of
from tests.ledger.books import opened_store

TODAY = date(2026, 11, 20)
READER = privacy.Reader(actor="person:1", role="person", purpose="export")
#: What a spreadsheet takes for a formula or a command, and looks like one.
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "{=1+1}", "https://example.org/?x", "\t=1", "＝1+1", "0123")


@pytest.fixture(scope="module")
def store(server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    settings = replace(server_settings, keys=tmp_path_factory.mktemp("export") / "keys")
    with opened_store(server, settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def vault(store: Database) -> privacy.Vault:
    return privacy.open_vault(store.settings)


@pytest.fixture(scope="module")
def person(store: Database, vault: privacy.Vault) -> participants.Person:
    """Somebody with a name, a device, a consent, a message, credits and a promise."""
    found = store.run(lambda s: participants.register_person(s, vault, mobile="13800138000", on=TODAY, language="en"))
    number = "11010519491231002X"
    found = store.run(lambda s: participants.prove_real_name(s, vault, found, name="张伟", id_number=number, on=TODAY))
    account = found.account_id
    store.run(lambda s: privacy.keep(s, vault, found.subject, **{f"device:{number}": text for number, text in enumerate(FORMULAS)}))
    text = store.run(lambda s: consent.publish_text(
        s, source="metro", sensitive=True, zh="同意。", en="I agree.", on=TODAY, published_by="office"
    ))  # fmt: skip
    store.run(lambda s: consent.give(s, account=account, source="metro", text_digest=text.digest, on=TODAY, by="person:1"))
    store.run(lambda s: notifications.announce(s, "consent.given", payload={"source": "metro"}, account=account))
    store.run(lambda s: ledger.issue(
        s, mint_id=1, vintage=2026, mg_per_credit=100_000, business_date=TODAY, accounts=[account], credits=[250]
    ))  # fmt: skip
    shop = store.run(lambda s: ledger.open_account(s, ledger.Kind.MERCHANT, name="teahouse"))
    for number in range(3):
        store.run(lambda s, number=number: ledger.post(
            s, purpose=ledger.Purpose.REDEEM, source=account, target=shop, amount=10, reference=f"=tea-{number}", business_date=TODAY
        ))  # fmt: skip
    store.run(lambda s: ledger.hold(
        s, purpose=ledger.Purpose.REDEEM, source=account, target=shop, amount=5, reference="later", business_date=TODAY, seconds=3600
    ))  # fmt: skip
    return found


def copy_of(store: Database, vault: privacy.Vault, person: participants.Person) -> dict[str, list[dict[str, object]]]:
    found = store.run(lambda s: export.everything(s, vault, store.settings, person, READER))
    return {name: matter["rows"] for name, matter in found["matters"].items()}


def workbook_of(store: Database, vault: privacy.Vault, person: participants.Person) -> bytes:
    to = io.BytesIO()
    store.run(lambda s: export.as_xlsx(s, vault, store.settings, person, READER, to))
    return to.getvalue()


def test_the_copy_holds_what_every_room_keeps(store, vault, person):
    copy = copy_of(store, vault, person)
    assert tuple(copy) == export.MATTERS
    assert copy["person"] == [{
        "handle": str(person.handle), "level": "real_name", "state": "active", "language": "en", "guardian_until": None,
        "registered_on": "2026-11-20",
    }]  # fmt: skip
    fields = {row["field"]: row["value"] for row in copy["personal_fields"]}
    assert (fields["name"], fields["mobile"], fields["id_number"]) == ("张伟", "+8613800138000", "11010519491231002X")
    assert [(row["source"], row["live"], row["sensitive"]) for row in copy["consents"]] == [("metro", True, True)]
    assert copy["balance"] == [{"credits": 220, "held": 5, "available": 215, "carry_mg": 0}]
    assert [(row["purpose"], row["amount"], row["balance"]) for row in copy["statement"]] == [
        ("redeem", -10, 220), ("redeem", -10, 230), ("redeem", -10, 240), ("mint", 250, 250),
    ]  # fmt: skip
    assert copy["statement"][0]["counterpart"] == "teahouse"
    assert sum(row["credits"] for row in copy["credits"]) == 220
    assert [(row["credits"], row["state"]) for row in copy["promises"]] == [(5, "open")]
    assert [row["text"] for row in copy["messages"]] == ["You consented to the use of metro."]
    assert copy["reads"][0]["purpose"] == "export"


def test_the_copy_calls_a_credit_as_the_city_does(store, vault):
    told = store.run(lambda s: participants.register_person(s, vault, mobile="13800138044", on=TODAY, language="zh"))
    store.run(lambda s: notifications.announce(s, "credit.received", payload={"credits": 5}, account=told.account_id))
    with store.begin() as session:
        copy = export.everything(session, vault, replace(store.settings, profile="fuzhou"), told, READER)["matters"]
    assert [row["text"] for row in copy["messages"]["rows"]] == ["您收到了 5 碳币。"]
    assert copy["balance"]["says_zh"].startswith("您当前持有的碳币;")


def test_the_copy_is_itself_on_the_record_of_readings(store, vault, person):
    before = len(store.run(lambda s: privacy.reads_of(s, person.subject, limit=1000)))
    copy_of(store, vault, person)
    [newest, *rest] = store.run(lambda s: privacy.reads_of(s, person.subject, limit=1000))
    assert len(rest) == before and {"mobile", "name", "id_number"} <= set(newest.fields)


def test_every_table_about_persons_is_told_or_said_to_be_empty_of_them(store: Database):
    """A new table that names a person or an account must be thought of here."""
    told = {
        "person", "personal_field", "guardianship", "member", "device", "link", "link_claim", "consent", "reduction", "balance",
        "carry", "transfer", "block", "hold", "inbox_message", "personal_read", "issue", "measured_period", "announcement",
        "gift", "credit_request", "pool", "pool_contribution", "charge", "payment_limit", "offer_count", "bill_shown", "bill_try", "certificate",
        "donation_gift", "donation_campaign",
    }  # fmt: skip
    #: Keys, digests and what is the same as something told: the books' account, folded amounts, tokens of devices. The subject of
    #: a countersignature is a merchant, a fee item or a campaign; who proposes
    #: a matter or a step is a body or one of the staff, by pseudonym.
    nothing = {
        "account", "incoming", "data_key", "data_subject", "personal_index", "organisation", "link_code", "consent_span", "refresh_token",
        "move", "used_elsewhere", "retired_key", "mint", "bill_offset", "identity_try", "refused_to_forget",
        "countersignature", "merchant_sandbox", "matter", "decision", "organisation_step",
    }  # fmt: skip
    with store.connect() as connection:
        named = {table for (table,) in connection.execute(
            """SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public'
               AND column_name IN ('account_id', 'person_id', 'subject', 'ward_id', 'guardian_id', 'debit', 'credit', 'target',
                                   'owner', 'payer', 'giver', 'receiver', 'asker', 'asked', 'donor', 'member_id', 'beneficiary', 'proposed_by')"""
        )}  # fmt: skip
    assert named - told - nothing == set()


def test_no_cell_of_the_workbook_computes_anything(store, vault, person):
    book = workbook_of(store, vault, person)
    assert formulas_in(book) == 0
    sheets = sheets_of(book)
    assert tuple(sheets) == export.MATTERS
    cells = {cell for rows in sheets.values() for row in rows for cell in row}
    assert {text.strip() for text in FORMULAS} <= {cell.strip() for cell in cells}
    assert {"=tea-0", "张伟", "-10"} <= cells


def test_codes_of_twenty_digits_stay_whole(store, vault, person):
    sheets = sheets_of(workbook_of(store, vault, person))
    codes = [row[0] for row in sheets["credits"][3:]]
    assert codes == [row["first_code"] for row in copy_of(store, vault, person)["credits"]]
    assert all(len(code) == 20 and code.startswith("440126") for code in codes)


def test_every_sheet_says_what_it_is_in_both_languages(store, vault, person):
    for rows in sheets_of(workbook_of(store, vault, person)).values():
        english, chinese, columns = rows[:3]
        assert english[0].endswith(".") and chinese[0].endswith("。") and all(columns)


def test_a_matter_longer_than_a_sheet_goes_on_in_another(monkeypatch):
    monkeypatch.setattr(writing, "ROWS_MAX", 5)
    matter = export.Matter("credits", "Credits.", "碳惠。", ("n",), iter((number,) for number in range(5)))
    to = io.BytesIO()
    export.write_xlsx([matter], to)
    sheets = sheets_of(to.getvalue())
    assert {name: [row[0] for row in rows[3:]] for name, rows in sheets.items()} == {
        "credits": ["0", "1"], "credits 2": ["2", "3"], "credits 3": ["4"]
    }


@pytest.mark.parametrize("write", [export.write_json, export.write_xlsx])
def test_a_copy_that_fits_no_answer_is_refused(write):
    def matter() -> export.Matter:
        return export.Matter("credits", "Credits.", "碳惠。", ("n",), iter((str(number),) for number in range(1000)))

    whole = io.BytesIO()
    write([matter()], whole)
    if write is export.write_json:
        write([matter()], io.BytesIO(), bytes_max=len(whole.getvalue()))
    with pytest.raises(export.ExportTooLarge):
        write([matter()], io.BytesIO(), bytes_max=len(whole.getvalue()) - 100)


def test_the_copy_as_json_is_the_copy(store, vault, person):
    to = io.BytesIO()
    store.run(lambda s: export.write_json(export.matters(s, vault, store.settings, person, READER), to))
    found = json.loads(to.getvalue())
    assert found["form"] == "carbonhui-export/1"
    assert found["matters"]["statement"]["rows"] == copy_of(store, vault, person)["statement"]


def test_long_lists_are_read_page_by_page_and_told_whole(store, vault, person, monkeypatch):
    whole = copy_of(store, vault, person)
    monkeypatch.setattr(collecting, "_PAGE", 2)
    again = copy_of(store, vault, person)
    for name in ("statement", "credits", "messages", "reductions"):
        assert again[name] == whole[name]


def test_acts_of_a_busy_month_are_told_whole(store, vault, person, monkeypatch):
    days = [date(2026, 11, day) for day in range(1, 31)]
    acts = [activity.Act("x", "count", "walking", day, 1, "verified", quantity=number) for number, day in enumerate(days)]

    def some(settings, session, *, subjects, first, last, limit):
        return [act for act in reversed(acts) if first <= act.day <= last][:limit]

    monkeypatch.setattr(activity, "acts_of", some)
    monkeypatch.setattr(collecting, "_PAGE", 4)
    with store.begin() as session:
        about = collecting.About(session, vault, store.settings, person, READER)
        found = list(collecting._acts_between(about, {}, days[0], days[-1]))
    assert found == acts[::-1]


def test_an_erased_person_has_no_copy(store, vault):
    gone = store.run(lambda s: participants.register_person(s, vault, mobile="13800138001", on=TODAY))
    store.run(lambda s: participants.erase_person(s, vault, gone, on=TODAY))
    with pytest.raises(privacy.SubjectErased):
        copy_of(store, vault, gone)


def test_the_office_writes_a_copy_to_a_file_that_only_it_may_read(store, vault, person, tmp_path: Path, monkeypatch):
    @contextmanager
    def opened(face: Face) -> Iterator[Database]:
        yield store

    monkeypatch.setattr(Face, "database", opened)
    monkeypatch.setattr(Face, "settings", store.settings)
    face = Face(profile="demo", chosen_language="en")
    clerk = store.run(lambda s: participants.add_staff(s, vault, login="clerk-7", password="correct horse battery", roles=["support"])).staff
    words = [str(person.handle), "--by", "clerk-7", "--purpose", "request 2026-00119", "--to"]
    for name in ("copy.json", "copy.xlsx"):
        done = CliRunner().invoke(export_person, [*words, str(tmp_path / name)], obj=face)
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert "张伟" in (tmp_path / "copy.json").read_text(encoding="utf-8")
    newest = store.run(lambda s: privacy.reads_of(s, person.subject, limit=1))[0]
    assert (newest.actor, newest.role, newest.purpose) == (f"staff:{clerk.id}", "staff:support", "request 2026-00119")
    assert CliRunner().invoke(export_person, [*words, str(tmp_path / "copy.pdf")], obj=face).exit_code == 2
    assert CliRunner().invoke(export_person, [*words, str(tmp_path / "nowhere" / "copy.json")], obj=face).exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.json", "copy.xlsx"]
