"""Telling people and organisations what happened, at least once (Articles 11, 20; design section 3, I13).

What is announced is entered in the transaction in which it happened: it is told if
that is true, and only then. Organisations are told by webhooks (Standard Webhooks
1.0.0), persons find their messages in an inbox. A notice holds numbers and codes,
never a person's data.
"""

from carbonhui.notifications.announcing import Notice, announce, announce_many, staff_notices
from carbonhui.notifications.carrying import Answer, Carrier, HttpCarrier
from carbonhui.notifications.checks import CHECK_QUERIES
from carbonhui.notifications.deliveries import DeadLetter, Figures, dead_letters, figures, replay
from carbonhui.notifications.endpoints import (
    Endpoint,
    add_endpoint,
    endpoints_of,
    ping,
    remove_endpoint,
    resume_endpoint,
    rotate_secret,
)
from carbonhui.notifications.inbox import forget, mark_read, messages_of, unread_count
from carbonhui.notifications.refusals import (
    DeliveryNotDead,
    DeliveryUnknown,
    EndpointInvalid,
    EndpointNotActive,
    EndpointsTooMany,
    EndpointUnknown,
    HostRefused,
    TopicsMissing,
    TopicUnknown,
)
from carbonhui.notifications.relaying import RETRIES, RelayReport, relay
from carbonhui.notifications.topics import TOPICS, Topic

__all__ = [
    "CHECK_QUERIES",
    "RETRIES",
    "TOPICS",
    "Answer",
    "Carrier",
    "DeadLetter",
    "DeliveryNotDead",
    "DeliveryUnknown",
    "Endpoint",
    "EndpointInvalid",
    "EndpointNotActive",
    "EndpointUnknown",
    "EndpointsTooMany",
    "Figures",
    "HostRefused",
    "HttpCarrier",
    "Notice",
    "RelayReport",
    "Topic",
    "TopicUnknown",
    "TopicsMissing",
    "add_endpoint",
    "announce",
    "announce_many",
    "dead_letters",
    "endpoints_of",
    "figures",
    "forget",
    "mark_read",
    "messages_of",
    "ping",
    "relay",
    "remove_endpoint",
    "replay",
    "resume_endpoint",
    "rotate_secret",
    "staff_notices",
    "unread_count",
]
