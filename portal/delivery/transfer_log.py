"""The log of transfers. At INFO it has the lines that operators know, and no other."""

import logging

TRANSFER = logging.getLogger("portal.delivery.transfer")
MOVED = "Moved file %s from 'new' to 'cur'"
