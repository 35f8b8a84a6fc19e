"""Keeping who did what apart from what was done (Articles 11-13; design section 9).

An identifier (a card, a bicycle pass, a meter, a phone) is turned at the door into
a blind index: the same identifier always gives the same bytes, and nobody gets from
the bytes to the identifier without the key. What must be known of a person is
sealed in the vault under a key of their own; every reading leaves a trace that the
person can see, and destroying the key erases the person from every copy of the data.
"""

from carbonhui.privacy.blinding import KEY_BYTES, blind_index, blind_index_sql, sql_words
from carbonhui.privacy.checks import CHECK_QUERIES, Truth
from carbonhui.privacy.dumps import Restored, dump_data, dump_erased, dump_keys, restore_keys
from carbonhui.privacy.indexing import index_subject, subject_with, unindex_subject
from carbonhui.privacy.keepers import FileKeeper, KeyKeeper, Wrapped
from carbonhui.privacy.keys import load_or_make_key
from carbonhui.privacy.reading import Read, Reader, read, read_many, reads_of
from carbonhui.privacy.references import REFERENCE, is_reference
from carbonhui.privacy.refusals import (
    DataKeyMissing,
    DumpUnusable,
    IdentifierEmpty,
    IdNumberInvalid,
    IndexTaken,
    KeyDirectoryOpen,
    KeyFileOpen,
    KeyFileUnreadable,
    KeyFileWrong,
    KeyInUse,
    KeyMissing,
    KeyNotInFile,
    MobileInvalid,
    SealBroken,
    SubjectErased,
    SubjectUnknown,
    TextRefused,
)
from carbonhui.privacy.rotation import (
    Batch,
    KeyState,
    drop_index_key,
    drop_kek,
    keys_in_use,
    new_index_key,
    new_kek,
    new_service_key,
    retire_index_key,
    retire_kek,
    rotate_index,
    rotate_kek,
)
from carbonhui.privacy.subjects import begin_subject, erase, is_erased, keep
from carbonhui.privacy.texts import IdNumber, clean_text, id_number, mobile_number
from carbonhui.privacy.vault import Vault, open_vault

__all__ = [
    "CHECK_QUERIES",
    "KEY_BYTES",
    "REFERENCE",
    "Batch",
    "DataKeyMissing",
    "DumpUnusable",
    "FileKeeper",
    "IdNumber",
    "IdNumberInvalid",
    "IdentifierEmpty",
    "IndexTaken",
    "KeyDirectoryOpen",
    "KeyFileOpen",
    "KeyFileUnreadable",
    "KeyFileWrong",
    "KeyInUse",
    "KeyKeeper",
    "KeyMissing",
    "KeyNotInFile",
    "KeyState",
    "MobileInvalid",
    "Read",
    "Reader",
    "Restored",
    "SealBroken",
    "SubjectErased",
    "SubjectUnknown",
    "TextRefused",
    "Truth",
    "Vault",
    "Wrapped",
    "begin_subject",
    "blind_index",
    "blind_index_sql",
    "clean_text",
    "drop_index_key",
    "drop_kek",
    "dump_data",
    "dump_erased",
    "dump_keys",
    "erase",
    "id_number",
    "index_subject",
    "is_erased",
    "is_reference",
    "keep",
    "keys_in_use",
    "load_or_make_key",
    "mobile_number",
    "new_index_key",
    "new_kek",
    "new_service_key",
    "open_vault",
    "read",
    "read_many",
    "reads_of",
    "restore_keys",
    "retire_index_key",
    "retire_kek",
    "rotate_index",
    "rotate_kek",
    "sql_words",
    "subject_with",
    "unindex_subject",
]
