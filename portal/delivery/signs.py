"""How the states of files are shown: in a word, with a colour and a sign. Pure."""

from portal.delivery.states import FileState

Sign = tuple[str, str, str]

_BUSY = ("info", "loader")
SIGNS: dict[str, Sign] = {
    FileState.SENDING: ("Sending", *_BUSY),
    FileState.RENAMING: ("Renaming", *_BUSY),
    FileState.REPLACING: ("Replacing", *_BUSY),
    FileState.FETCHING: ("Fetching", *_BUSY),
    FileState.STORING: ("Storing", *_BUSY),
    FileState.STORED: ("Stored here", *_BUSY),
    FileState.FAILED: ("Failed, tried again", "danger", "circle-x"),
    FileState.DELIVERED: ("Delivered", "success", "circle-check"),
    FileState.RECEIVED: ("Received", "success", "circle-check"),
    FileState.QUARANTINED: ("Quarantine", "danger", "shield"),
    FileState.UNCERTAIN: ("Uncertain", "warning", "triangle-alert"),
    FileState.RETURNED: ("Put back", "neutral", "rotate-ccw"),
}
