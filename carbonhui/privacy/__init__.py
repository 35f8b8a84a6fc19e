"""Keeping who did what apart from what was done (Articles 11-12; design section 9).

An identifier (a card, a bicycle pass, a meter, a phone) is turned at the door into
a blind index: the same identifier always gives the same 16 bytes, and nobody gets
from the bytes to the identifier without the city's key.
"""

from carbonhui.privacy.blinding import KEY_BYTES, blind_index, blind_index_sql, sql_words
from carbonhui.privacy.keys import load_or_make_key
from carbonhui.privacy.refusals import IdentifierEmpty, KeyFileOpen, KeyFileUnreadable, KeyFileWrong

__all__ = [
    "KEY_BYTES",
    "IdentifierEmpty",
    "KeyFileOpen",
    "KeyFileUnreadable",
    "KeyFileWrong",
    "blind_index",
    "blind_index_sql",
    "load_or_make_key",
    "sql_words",
]
