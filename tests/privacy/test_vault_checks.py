"""What must hold of the whole vault (I12), and that each query finds what breaks it."""

from typing import Any

import psycopg
import pytest

from carbonhui import privacy
from carbonhui.core.database import Database

#: What the owner of the tables does by hand, with triggers asleep, and what is then said of which subject.
BROKEN = {
    "the data key is lost": ("DELETE FROM data_key WHERE subject = 1", 0, "no data key"),
    "a field without a key": ("DELETE FROM data_key WHERE subject = 1", 1, "field without a data key"),
    "an index without a key": ("DELETE FROM data_key WHERE subject = 1", 1, "index without a data key"),
    "a key of the erased": ("UPDATE data_subject SET erased_at = now() WHERE id = 1", 2, "data key of an erased subject"),
    "a field of the erased": ("UPDATE data_subject SET erased_at = now() WHERE id = 1", 2, "field of an erased subject"),
    "an index of the erased": ("UPDATE data_subject SET erased_at = now() WHERE id = 1", 2, "index of an erased subject"),
    "a key by an unknown cipher": ("UPDATE data_key SET algorithm = 'rot-13' WHERE subject = 1", 3, "unknown algorithm of a data key"),
    "a field by an unknown cipher": ("UPDATE personal_field SET algorithm = 'hmac-sm3' WHERE subject = 1", 3, "unknown algorithm of a field"),
    "an index by an unknown hash": ("UPDATE personal_index SET algorithm = 'md5' WHERE subject = 1", 3, "unknown algorithm of an index"),
    "a key under a retired one": ("INSERT INTO retired_key (name) SELECT 'kek ' || kek FROM data_key", 4, "wrapped by a retired key"),
}  # fmt: skip


@pytest.fixture
def kept(unchecked_database: Database, vault: privacy.Vault) -> Database:
    """One person of whom something is known, and one who was erased."""
    with unchecked_database.begin() as session:
        for name in ("Ann", "Bo"):
            subject = privacy.begin_subject(session, vault)
            privacy.keep(session, vault, subject, name=name)
            privacy.index_subject(session, vault, subject, "mobile", name)
        privacy.erase(session, subject)
    return unchecked_database


def broken(connection: psycopg.Connection[Any]) -> list[list[tuple[str, int]]]:
    return [[(row[0], row[1]) for row in connection.execute(truth.query)] for truth in privacy.CHECK_QUERIES]


def test_a_vault_that_was_only_used_breaks_nothing_and_what_is_broken_by_hand_is_named(kept: Database):
    for case, (statement, number, what) in BROKEN.items():
        with kept.connect_as_owner() as connection:
            assert broken(connection) == [[]] * len(privacy.CHECK_QUERIES)
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(statement)
            assert (what, 1) in broken(connection)[number], case
            connection.rollback()


def test_the_algorithm_of_a_key_management_service_is_not_complained_about(kept: Database):
    with kept.connect_as_owner() as connection:
        connection.execute("UPDATE data_key SET algorithm = 'kms:rsa-oaep' WHERE subject = 1")
        assert broken(connection) == [[]] * len(privacy.CHECK_QUERIES)


def test_every_query_answers_the_same_columns_and_has_two_languages(kept: Database):
    with kept.connect_as_owner() as connection:
        for truth in privacy.CHECK_QUERIES:
            described = connection.execute(truth.query).description
            assert [column.name for column in described or ()] == ["what", "subject", "detail"]
            assert truth.says
            assert truth.says_zh
