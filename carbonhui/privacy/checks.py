"""Truths about the vault (I12), as queries that return the rows that break them.

Every query answers the same columns: ``what`` is wrong, of which ``subject``, and a
``detail``; so that they may be put together into one check.
"""

from typing import NamedTuple

from carbonhui.privacy.ciphers import CIPHERS, DIGESTS


class Truth(NamedTuple):
    """One thing that always holds, and the query for the rows in which it does not."""

    says: str
    says_zh: str
    query: str


def _among(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


CHECK_QUERIES = (
    Truth(
        "every subject that was not erased has its data key",
        "每个未删除的信息主体都有数据密钥",
        """
        SELECT 'no data key' AS what, s.id AS subject, s.begun_at::text AS detail
        FROM data_subject s LEFT JOIN data_key k ON k.subject = s.id WHERE s.erased_at IS NULL AND k.subject IS NULL
        """,
    ),
    Truth(
        "no personal field and no index stands without a data key",
        "没有数据密钥就没有个人信息字段和索引",
        """
        SELECT 'field without a data key' AS what, f.subject, f.field AS detail
        FROM personal_field f LEFT JOIN data_key k ON k.subject = f.subject WHERE k.subject IS NULL
        UNION ALL
        SELECT 'index without a data key', i.subject, i.scheme
        FROM personal_index i LEFT JOIN data_key k ON k.subject = i.subject WHERE k.subject IS NULL
        """,
    ),
    Truth(
        "an erased subject has no data key, no field and no index",
        "已删除的信息主体没有数据密钥、字段和索引",
        """
        SELECT 'data key of an erased subject' AS what, k.subject, k.kek AS detail
        FROM data_key k JOIN data_subject s ON s.id = k.subject WHERE s.erased_at IS NOT NULL
        UNION ALL
        SELECT 'field of an erased subject', f.subject, f.field
        FROM personal_field f JOIN data_subject s ON s.id = f.subject WHERE s.erased_at IS NOT NULL
        UNION ALL
        SELECT 'index of an erased subject', i.subject, i.scheme
        FROM personal_index i JOIN data_subject s ON s.id = i.subject WHERE s.erased_at IS NOT NULL
        """,
    ),
    Truth(
        "every algorithm is one that is known; a key management service names its own as kms:NAME",
        "每个算法名称都是已知的;密钥管理服务的算法以 kms: 开头",
        f"""
        SELECT 'unknown algorithm of a data key' AS what, subject, algorithm AS detail
        FROM data_key WHERE algorithm NOT IN ({_among(CIPHERS)}) AND algorithm NOT LIKE 'kms:%'
        UNION ALL
        SELECT 'unknown algorithm of a field', subject, algorithm
        FROM personal_field WHERE algorithm NOT IN ({_among(CIPHERS)})
        UNION ALL
        SELECT 'unknown algorithm of an index', subject, algorithm
        FROM personal_index WHERE algorithm NOT IN ({_among(DIGESTS)})
        """,
    ),
    Truth(
        "no data key is wrapped by a key that was retired",
        "没有数据密钥由已停用的主密钥加密",
        """
        SELECT 'wrapped by a retired key' AS what, k.subject, k.kek AS detail
        FROM data_key k JOIN retired_key r ON r.name = 'kek ' || k.kek
        """,
    ),
)
