"""Who is calling, and how they prove it: codes, tokens, devices, keys, signed requests (Articles 11, 13).

A person proves a mobile number by a one-time code and then carries short access
tokens and a refresh token that changes with each use. Staff sign in with password
and second factor. Organisations sign each request with a key of their own.
"""

from carbonhui.access.authenticating import Authenticator
from carbonhui.access.callers import ANONYMOUS, Caller, SignedRequest
from carbonhui.access.codes import PendingCode, issue_code, verify_code
from carbonhui.access.devices import (
    Device,
    SignedIn,
    devices_of,
    refresh,
    sign_in,
    sign_out,
    sign_out_everywhere,
)
from carbonhui.access.organisation_keys import (
    ApiKey,
    ApiKeyTold,
    api_keys_of,
    issue_api_key,
    revoke_api_key,
    verify_signed,
)
from carbonhui.access.purging import purge
from carbonhui.access.refusals import (
    ApiKeyUnknown,
    ApiKeyWrong,
    CodeAskedTooOften,
    CodeNotSent,
    CodeWrong,
    DeviceUnknown,
    NotAllowed,
    NotSignedIn,
    RefreshRefused,
    SenderForDemoOnly,
    SenderKeyWrong,
    SignatureInvalid,
    SignatureReplayed,
    TokenExpired,
)
from carbonhui.access.senders import CodeSender, open_sender
from carbonhui.access.signing_keys import jwks, rotate_signing_key
from carbonhui.access.staff_sessions import StaffSession, staff_sign_in, staff_sign_out, staff_sign_out_everywhere

__all__ = [
    "ANONYMOUS",
    "ApiKey",
    "ApiKeyTold",
    "ApiKeyUnknown",
    "ApiKeyWrong",
    "Authenticator",
    "Caller",
    "CodeAskedTooOften",
    "CodeNotSent",
    "CodeSender",
    "CodeWrong",
    "Device",
    "DeviceUnknown",
    "NotAllowed",
    "NotSignedIn",
    "PendingCode",
    "RefreshRefused",
    "SenderForDemoOnly",
    "SenderKeyWrong",
    "SignatureInvalid",
    "SignatureReplayed",
    "SignedIn",
    "SignedRequest",
    "StaffSession",
    "TokenExpired",
    "api_keys_of",
    "devices_of",
    "issue_api_key",
    "issue_code",
    "jwks",
    "open_sender",
    "purge",
    "refresh",
    "revoke_api_key",
    "rotate_signing_key",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "staff_sign_in",
    "staff_sign_out",
    "staff_sign_out_everywhere",
    "verify_code",
    "verify_signed",
]
