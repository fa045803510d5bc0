"""A certificate of the server's own making, for TLS in tests: valid for the host, localhost and loopback addresses."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate and its key, as PEM texts."""

    certificate_pem: str
    key_pem: str

    @property
    def der(self) -> bytes:
        """Return the certificate's bytes, which channel binding is made of."""
        return ssl.PEM_cert_to_DER_cert(self.certificate_pem)


def make_certificate(host: str) -> Certificate:
    """Return a fresh certificate for a host name or address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Syncline Exchange emulator")])
    now = datetime.now(UTC)
    names = [_general_name(entry) for entry in dict.fromkeys((host, "localhost", "127.0.0.1", "::1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _general_name(entry: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(entry))
    except ValueError:
        return x509.DNSName(entry)


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """Return the TLS context of a server with that certificate; the key touches the disk only for a moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.touch(mode=0o600)
        path.write_text(certificate.key_pem + certificate.certificate_pem)
        context.load_cert_chain(path)
    return context
