"""The HTTP API: /api/v1, described by its OpenAPI document, and the older unversioned routes."""
