"""Import headings: names of the columns in CSV files of other programs, in many languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from service.core.errors import UsageError

FIRST_NAME, LAST_NAME = "first name", "last name"
"""Columns that together are the name, in files without a column for the full name."""

STATUS = "status"
"""The column of other programs for the status of a subscription."""

_NAMES = {
    "email": (
        "email; e mail; mail; email address; e mail address; mail address; emailaddress; primary email; "
        "email 1 value; e mail 1 value; subscriber email; contact email; work email; "
        "e mail adresse; email adresse; emailadresse; mailadresse; e mailadresse; "  # German, Danish
        "courriel; adresse email; adresse e mail; adresse mail; adresse electronique; mel; "  # French
        "correo; correo electronico; direccion de correo; direccion de correo electronico; "  # Spanish
        "indirizzo email; indirizzo e mail; posta elettronica; "  # Italian
        "endereco de email; endereco de e mail; correio eletronico; "  # Portuguese
        "emailadres; e mailadres; e mail adres; "  # Dutch
        "adres email; adres e mail; "  # Polish
        "e post; epost; e postadress; e postadresse; epostadresse; "  # Swedish, Norwegian
        "sahkoposti; sahkopostiosoite; e posta; eposta; e posta adresi; emailova adresa; "  # Finnish, Turkish
        "почта; электронная почта; адрес электронной почты; эл почта; имейл; "  # Russian
        "邮箱; 电子邮件; 电子邮箱; 邮件地址; メール; メールアドレス; 이메일; 이메일 주소; "
        "البريد الالكتروني; البريد الإلكتروني"
    ),
    "name": (
        "name; full name; fullname; display name; contact name; subscriber name; "
        "nom; nom complet; nombre; nombre completo; nome; nome completo; naam; navn; namn; nimi; "
        "imie i nazwisko; "
        "имя; фио; 姓名; 名前; 氏名; 이름; الاسم"
    ),
    FIRST_NAME: (
        "first name; firstname; given name; forename; vorname; prenom; voornaam; imie; fornavn; fornamn; "
        "etunimi"
    ),
    LAST_NAME: (
        "last name; lastname; surname; family name; nachname; familienname; nom de famille; apellido; "
        "apellidos; "
        "cognome; sobrenome; achternaam; nazwisko; etternavn; efternavn; efternamn; sukunimi; фамилия"
    ),
    "timezone": (
        "timezone; time zone; tz; zeitzone; fuseau horaire; zona horaria; fuso orario; fuso horario; tijdzone"
    ),
    "newsletters": "newsletters; newsletter; lists; list",
    **{name: name for name in ("schedule", "languages", "follow", "mute", "minutes")},
    "preferences_by_newsletter": "preferences by newsletter",
    STATUS: "status; subscription status; email status; subscriber status; contact status; member status",
}
_GENERAL = frozenset({"address", "adresse"})
"""Headings of an email address if no other column is one; otherwise they mean a postal address."""

_BETWEEN = re.compile(r"[\W_]+")


def column_of(cell: str) -> str:
    """Return the column that a heading names: a key of `_NAMES`, or "" for an unknown heading."""
    return _MEANING.get(_folded(cell), "")


def columns_of(cells: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the column that each heading names, "" for an unknown heading.

    `known` are the columns for the error message. Raises UsageError when no heading names the address, or two
    name the same column.
    """
    names = [column_of(cell) for cell in cells]
    if "email" not in names:
        names = [
            "email" if _folded(cell) in _GENERAL else name for cell, name in zip(cells, names, strict=True)
        ]
    if "email" not in names:
        listed = ", ".join(cell.strip() for cell in cells if cell.strip())[:200] or "nothing"
        raise UsageError(
            f"the first line has no column `email`: it is {listed!r}; expected {','.join(known)}"
        )
    duplicates = [name for name in known if names.count(name) > 1]
    if duplicates:
        raise UsageError(f"the first line has the column `{duplicates[0]}` twice")
    return names


def _folded(cell: str) -> str:
    """Return a heading without case, accents and punctuation."""
    text = unicodedata.normalize("NFKD", cell.casefold())
    bare = "".join(char for char in text if not "\u0300" <= char <= "\u036f")
    return " ".join(_BETWEEN.sub(" ", unicodedata.normalize("NFC", bare)).split())


_MEANING = {_folded(word): name for name, words in _NAMES.items() for word in words.split(";")}
