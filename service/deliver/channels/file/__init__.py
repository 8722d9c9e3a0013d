"""File channel: messages as files in a folder."""
