"""Who answers to which identifier (Article 11), without knowing who they are.

A link ties one blind index (of a card, a bicycle pass, a meter) to one account,
from a day until a day. An identifier has at most one holder on any day; the
database itself refuses a second.
"""

from carbonhui.participants.operations import Link, accounts_of, enrol, link, unlink, write_links
from carbonhui.participants.refusals import EnrolmentForDemoOnly, IdentifierLinked, LinkEndsTooEarly, LinkMissing

__all__ = [
    "EnrolmentForDemoOnly",
    "IdentifierLinked",
    "Link",
    "LinkEndsTooEarly",
    "LinkMissing",
    "accounts_of",
    "enrol",
    "link",
    "unlink",
    "write_links",
]
