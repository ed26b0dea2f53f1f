"""Headers that people write for the same thing, in folded form."""

import unicodedata
from typing import Final

_STROKES: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})
_GROUPS: Final = (
    ("id", "identifier", "key"),
    ("name", "title", "label"),
    ("login", "username", "userid", "useridentifier", "account", "loginname"),
    ("firstname", "forename", "givenname", "christianname", "vorname"),
    ("lastname", "surname", "familyname", "nachname"),
    ("middlename", "secondname"),
    ("fullname", "displayname", "completename"),
    ("email", "mail", "emailaddress", "mailaddress"),
    ("phone", "telephone", "phonenumber", "tel", "mobile", "cellphone", "telefon"),
    ("sex", "gender"),
    ("birthday", "birthdate", "dateofbirth", "dob", "born"),
    ("street", "address", "streetaddress", "addressline1"),
    ("city", "town", "place"),
    ("zip", "zipcode", "postcode", "postalcode", "plz"),
    ("country", "nation", "land"),
    ("description", "comment", "remark", "remarks", "note", "notes"),
    ("state", "status"),
    ("quantity", "qty", "amount", "count"),
    ("price", "cost", "unitprice"),
    ("number", "no", "nr", "num"),
    ("created", "createdat", "createdon", "creationdate", "datecreated"),
    ("updated", "updatedat", "modified", "modifiedon", "lastmodified", "datemodified"),
    ("start", "startdate", "begin", "from", "startsat"),
    ("end", "enddate", "finish", "until", "endsat"),
    ("password", "passwd", "pwd"),
    ("url", "link", "website", "homepage", "webaddress"),
    ("role", "roles"),
)
_MEANINGS: Final = {word: group[0] for group in _GROUPS for word in group}


def folded(text: str) -> str:
    """`text` without case, accents, spaces and signs: what two spellings of a name share."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_STROKES)
    return "".join(char for char in plain if char.isalnum())


def meaning_of(word: str) -> str:
    """The word that stands for all that mean the same as the folded `word`; "" if it is alone."""
    return _MEANINGS.get(word, "")
