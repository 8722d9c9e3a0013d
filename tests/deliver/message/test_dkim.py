"""DKIM signatures, verified by dkimpy and as RFC 8463 describes."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.errors import CaveatError
from service.core.placeholders import Placeholder
from service.deliver.message.builder import MessageBuilder
from service.deliver.message.dkim import DkimSigner, canonical_headers, relaxed_body
from tests.deliver.fakes import SITE, a_delivery, an_issue, links
from tests.pictures import a_picture

RSA_KEY = rsa.generate_private_key(65537, 2048)
ED_KEY = Ed25519PrivateKey.generate()
SIGNERS = (DkimSigner("news.example.org", "rsa1", RSA_KEY), DkimSigner("news.example.org", "ed1", ED_KEY))


def dns(name: bytes, timeout: int = 5) -> bytes:  # noqa: ARG001 - dkimpy's signature
    assert name == b"rsa1._domainkey.news.example.org."
    public = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def signed(signers=SIGNERS, issue=None, **delivery) -> bytes:
    make = MessageBuilder(SITE, links, signers=signers)
    return make(issue or an_issue(), a_delivery(**delivery)).content


def verified(content: bytes) -> bool:
    return dkim.verify(content, dnsfunc=dns)


def test_dkimpy_verifies_the_rsa_signature():
    assert verified(signed(SIGNERS[:1]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Aid talks", b"Aid walks"),
        (b"harbour", b"airport"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"),
        (b"List-Unsubscribe: <https://news", b"List-Unsubscribe: <https://evil"),
        (b"To: Amina", b"To: Someone"),
        (b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\r\nSubject: another\r\n"),
        (b"auto-generated", b"no"),
    ],
)
def test_a_change_of_a_signed_part_breaks_the_signature(old, new):
    content = signed(SIGNERS[:1])
    assert old in content
    assert not verified(content.replace(old, new))


def test_a_message_with_a_picture_is_signed_as_a_whole():
    content = signed(SIGNERS[:1], an_issue(picture=a_picture()))
    assert verified(content)
    assert not verified(content.replace(b"image/jpeg", b"image/webp"))


def test_the_signature_covers_the_unsubscribe_headers():
    named = re.sub(r"\s", "", re.search(r"h=([^;]+);", signed().decode())[1]).split(":")
    assert {"List-Unsubscribe", "List-Unsubscribe-Post", "From", "Message-ID"} <= set(named)
    assert named.count("From") == 2


def test_the_ed25519_signature_verifies_as_rfc_8463_describes():
    content = signed(SIGNERS[1:])
    head, _, body = content.partition(b"\r\n\r\n")
    tags = dict(
        tag.strip().split(b"=", 1)
        for tag in canonical_headers(head)["dkim-signature"].split(b":", 1)[1].split(b";")
    )
    assert base64.b64decode(tags[b"bh"]) == sha256(relaxed_body(body).rstrip(b"\r\n") + b"\r\n").digest()
    headers = canonical_headers(head.partition(b"\r\nFrom: ")[2].join([b"From: ", b""]))
    names = [n.strip().lower().decode() for n in tags[b"h"].split(b":")]
    seen, data = set(), b""
    for name in names:
        data += b"" if name in seen else headers.get(name, b"")
        seen.add(name)
    own = canonical_headers(head)["dkim-signature"].removesuffix(b"\r\n")
    data += own[: own.rindex(b"b=") + 2]
    signature = base64.b64decode(re.sub(rb"\s", b"", tags[b"b"]))
    ED_KEY.public_key().verify(signature, sha256(data).digest())


def test_a_message_may_have_both_signatures_and_a_repeat_has_the_same_bytes():
    content = signed()
    assert content.count(b"DKIM-Signature:") == 2
    assert verified(content)
    assert content == signed()


def test_a_message_without_signers_is_not_signed():
    assert b"DKIM" not in signed(())


ODD = st.text(st.sampled_from("ab .\t\n=é王"), max_size=120)


@settings(max_examples=40, deadline=None)
@given(before=ODD, after=ODD, name=st.sampled_from(["", "Amina", "Zoë  Two", "x" * 90]), html=st.booleans())
def test_the_signature_of_any_body_verifies(before, after, name, html):
    text = f"{before}{Placeholder.NAME.marker}{after}{Placeholder.UNSUBSCRIBE_URL.marker}"
    issue = an_issue(text=text, html=f"<p>{text}</p>" if html else "")
    assert verified(signed(SIGNERS[:1], issue, name=name))
    assert verified(signed(SIGNERS[:1], an_issue(text=before + Placeholder.NAME.marker, html=""), name=name))


def test_lines_of_the_signature_are_short():
    head = signed().partition(b"\r\n\r\n")[0]
    signature = head[head.index(b"DKIM-Signature") : head.index(b"From: ")]
    assert max(map(len, signature.split(b"\r\n"))) <= 80


def test_a_key_file_is_read_or_refused_with_a_reason(tmp_path):
    def written(key, name: str):
        path = tmp_path / name
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path

    for key in (RSA_KEY, ED_KEY):
        signer = DkimSigner.from_file("news.example.org", "s", written(key, "good.pem"))
        assert type(signer.key) is type(key)
    for path, said in (
        (tmp_path / "nowhere.pem", "cannot be read"),
        (written(ec.generate_private_key(ec.SECP256R1()), "ec.pem"), "use RSA or Ed25519"),
    ):
        with pytest.raises(CaveatError, match=said):
            DkimSigner.from_file("d", "s", path)
    (tmp_path / "text.pem").write_text("no key")
    with pytest.raises(CaveatError, match="no unencrypted private key"):
        DkimSigner.from_file("d", "s", tmp_path / "text.pem")
