"""Tests that read like sentences; the tree mirrors service/."""

from hypothesis import settings

# A slow moment of the machine is no fault of the code.
settings.register_profile("caveat", deadline=None)
settings.load_profile("caveat")
