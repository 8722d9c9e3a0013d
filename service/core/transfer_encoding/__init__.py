"""Transfer encoding: how a text becomes the short lines of ASCII that a mail is made of (RFC 2045, 6)."""
