"""Which characters the bytes of a text stand for, judged from its head."""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from portal.tabular.eight_bit import CODECS, eight_bit_guesses

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp1258": "Windows-1258 (Vietnamese)",
    "iso8859-1": "Latin-1 (ISO 8859-1)",
    "iso8859-2": "Latin-2 (ISO 8859-2, Central European)",
    "iso8859-5": "ISO 8859-5 (Cyrillic)",
    "iso8859-7": "ISO 8859-7 (Greek)",
    "iso8859-9": "Latin-5 (ISO 8859-9, Turkish)",
    "iso8859-15": "Latin-9 (ISO 8859-15)",
    "koi8-r": "KOI8-R (Russian)",
    "koi8-u": "KOI8-U (Ukrainian)",
    "cp437": "DOS 437 (American)",
    "cp850": "DOS 850 (Western European)",
    "cp852": "DOS 852 (Central European)",
    "cp866": "DOS 866 (Cyrillic)",
    "mac-roman": "Mac Roman",
    "utf-16": "UTF-16 with a byte order mark",
    "utf-16-le": "UTF-16, low byte first",
    "utf-16-be": "UTF-16, high byte first",
    "utf-32": "UTF-32 with a byte order mark",
    "shift_jis": "Shift JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "euc_kr": "EUC-KR (Korean)",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", False),
    (codecs.BOM_UTF32_LE, "utf-32", False),
    (codecs.BOM_UTF32_BE, "utf-32", False),
    (codecs.BOM_UTF16_LE, "utf-16", False),
    (codecs.BOM_UTF16_BE, "utf-16-be", True),
)
_PRINTED = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_HIGH = re.compile(r"[^\x00-\x7f]")
_FAULT = re.compile("[\udc80-\udcff]")
_NEAR = 16_384
_CERTAIN = 1.0


@dataclass(frozen=True, kw_only=True)
class Guess:
    """An encoding that the bytes may have, how likely it is (0 to 1) and why.

    `bom`: a byte order mark stands that the encoding's name does not tell of.
    """

    encoding: str
    confidence: float
    reason: str
    bom: bool = False


def find_encoding(head: bytes, *, whole: bool) -> list[Guess]:
    """Return what the encoding of a file may be, the likeliest first; never empty.

    `head` is the beginning of the file, or all of it if `whole`. The time is linear in its length.
    """
    for mark, encoding, bom in _MARKS:
        if head.startswith(mark):
            reason = f"A byte order mark says {ENCODINGS[encoding]}."
            return [Guess(encoding=encoding, confidence=_CERTAIN, reason=reason, bom=bom)]
    if guess := _sixteen_bit(head):
        return [guess]
    if head.isascii():
        return _plain(whole=whole)
    eight = [
        Guess(
            encoding=codec,
            confidence=round(confidence, 2),
            reason=f"{language or 'Text'} in {ENCODINGS[codec]} fits best.",
        )
        for codec, confidence, language in eight_bit_guesses(head)
    ]
    unicode = _eight_bit_unicode(head, whole=whole)
    return eight if unicode is None else [unicode, *eight]


def suggestion(part: bytes, *, besides: str) -> str:
    """Return the name, for people, of the encoding that a part of a file seems to have.

    None, an empty text, where that is `besides`: then it is not the encoding that is wrong.
    """
    encoding = find_encoding(part, whole=False)[0].encoding
    return "" if encoding == besides else ENCODINGS[encoding]


def _plain(*, whole: bool) -> list[Guess]:
    """ASCII is UTF-8; what comes after the beginning may be anything."""
    confidence = _CERTAIN if whole else 0.9
    reason = "All characters are ASCII." if whole else "The beginning is all ASCII."
    others = [Guess(encoding=codec, confidence=0.1, reason=reason) for codec in CODECS[:3]]
    return [Guess(encoding="utf-8", confidence=confidence, reason=reason), *others]


def _eight_bit_unicode(head: bytes, *, whole: bool) -> Guess | None:
    """Say how well `head` is UTF-8; None where it is not."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError as error:
        proper, faults = _proper_and_faulty(head[max(0, error.start - _NEAR) :][: 2 * _NEAR])
    else:
        reason = "All characters beyond ASCII are proper UTF-8."
        return Guess(encoding="utf-8", confidence=0.99, reason=reason)
    if proper <= 8 * faults:
        return None
    reason = "Nearly all characters beyond ASCII are proper UTF-8, but not all."
    return Guess(encoding="utf-8", confidence=0.6, reason=reason)


def _proper_and_faulty(part: bytes) -> tuple[int, int]:
    """How many characters beyond ASCII are proper UTF-8, and how many bytes are none?"""
    text = part.decode("utf-8", "surrogateescape")
    faults = len(_FAULT.findall(text))
    return len(_HIGH.findall(text)) - faults, faults


def _sixteen_bit(head: bytes) -> Guess | None:
    """UTF-16 without a mark shows by its zero bytes, all on one side of the pairs."""
    even = head[: len(head) // 2 * 2]
    zeros = even.count(0)
    if zeros == 0 or _has_stray_zeros(even, zeros):
        return None
    low_first = even[1::2].count(0)
    high_first = zeros - low_first
    encoding = "utf-16-le" if low_first >= high_first else "utf-16-be"
    if min(low_first, high_first) * 20 > zeros or zeros * 100 < len(even):
        return None
    if not _reads_well(even, encoding):
        return None
    confidence = 0.95 if zeros * 4 > len(even) else 0.8
    reason = f"Zero bytes stand as in {ENCODINGS[encoding]}."
    return Guess(encoding=encoding, confidence=confidence, reason=reason)


def _has_stray_zeros(head: bytes, zeros: int) -> bool:
    """Tell whether `head` is plain text that has some zero bytes in it by mistake."""
    strange = len(head.translate(None, _PRINTED)) - zeros
    return zeros * 4 < len(head) and strange * 10 < len(head) - zeros


def _reads_well(head: bytes, encoding: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    odd = sum(1 for char in text[:20_000] if _is_odd(char))
    return odd * 100 <= len(text[:20_000])


def _is_odd(char: str) -> bool:
    return char not in "\t\r\n" and unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs")
