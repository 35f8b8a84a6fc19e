"""The connection goes to an address, and the certificate must still be the name's."""

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from carbonhui.notifications.carrying import Answer, HttpCarrier
from tests.notifications.conftest import Receiver

NAME = "notices.example.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, and a certificate of the name that signs itself, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("certificate") / "notices.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def carried(certificate: Path, host: str, *, trusted: bool) -> tuple[Answer, int]:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    believed = ssl.create_default_context(cafile=str(certificate)) if trusted else None
    with Receiver(certificates=serving) as receiver:
        carrier = HttpCarrier(loopback=True, resolver=lambda host, port: ["127.0.0.1"], certificates=believed)
        answer = asyncio.run(carrier.carry(f"https://{host}:{receiver.port}/", headers={}, body=b"{}"))
        return answer, len(receiver.got)


def test_the_name_that_was_registered_is_what_the_certificate_must_show(certificate):
    assert carried(certificate, NAME, trusted=True) == (Answer("delivered", 204), 1)


def test_a_certificate_of_another_name_is_refused_before_anything_is_told(certificate):
    assert carried(certificate, "other.example.com", trusted=True) == (Answer("certificate"), 0)


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_told(certificate):
    assert carried(certificate, NAME, trusted=False) == (Answer("certificate"), 0)
