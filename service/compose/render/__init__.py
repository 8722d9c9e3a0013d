"""Render: a digest or a transactional mail becomes subject, HTML and text."""
