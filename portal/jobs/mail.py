"""Sending one e-mail by SMTP, as the settings say: smtp:// (with ?starttls=1) or smtps://."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

from portal.jobs.models import Outgoing
from portal.settings import Settings

SECONDS = 10.0


def send_mail(outgoing: Outgoing, *, settings: Settings) -> None:
    """Hand one message to the SMTP server; raises OSError, SMTPException or ValueError."""
    parts = urlsplit(settings.smtp_url)
    if parts.scheme not in ("smtp", "smtps"):
        raise ValueError("PORTAL_SMTP_URL must begin with smtp:// or smtps://")
    host = parts.hostname or "localhost"
    if parts.scheme == "smtps":
        secure = ssl.create_default_context()
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=SECONDS, context=secure
        )
    else:
        client = smtplib.SMTP(host, parts.port or 25, timeout=SECONDS)
    with client:
        if parse_qs(parts.query).get("starttls") == ["1"]:
            client.starttls(context=ssl.create_default_context())
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        client.send_message(message_of(outgoing, settings=settings))


def message_of(outgoing: Outgoing, *, settings: Settings) -> EmailMessage:
    """The message; its id is the same at every try, so that a mailbox shows it once."""
    message = EmailMessage()
    domain = settings.mail_from.rpartition("@")[2] or "localhost"
    message["From"] = settings.mail_from
    message["To"] = outgoing.target
    message["Subject"] = " ".join(outgoing.payload["subject"].split())
    message["Date"] = format_datetime(outgoing.created_at)
    mark = outgoing.payload.get("job") or outgoing.payload["mark"]
    message["Message-ID"] = f"<portal-{outgoing.id}-{mark}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(_text(outgoing, settings))
    return message


def _text(outgoing: Outgoing, settings: Settings) -> str:
    text: str = outgoing.payload["text"]
    if not settings.public_url:
        return f"{text}\n"
    page: str = outgoing.payload.get("page") or f"/jobs/{outgoing.payload['job']}"
    return f"{text}\n\n{settings.public_url.rstrip('/')}{page}\n"
