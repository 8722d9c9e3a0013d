"""Forms of the editors' pages, with or without a file, read within limits."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from service.web.admin.context import Upload
from service.web.request_bodies import FORM, MAX_FIELDS, Fields, fields_of, read_body

MULTIPART = "multipart/form-data"
MAX_FILES = 1  # in a form
_BOUNDARY = re.compile(r"""(?i);\s*boundary="?([\w'()+,./:=?-]{1,70})"?\s*(?:;|$)""", re.ASCII)
"""The delimiter of the parts in a Content-Type (RFC 2046, 5.1.1)."""


async def read_admin_form(request: Request, max_bytes: int) -> tuple[Fields, dict[str, Upload]]:
    """Return the fields and files of a form. Raises HTTPException as `read_body` does, and 400 or 415.

    A multipart form is UTF-8, as in HTML. The `charset` of the client is not used: it can name any codec of
    Python, also one that takes quadratic time, raises an error, or makes lone surrogates of ASCII.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == FORM:
        return fields_of(await read_body(request, max_bytes)), {}
    if media_type != MULTIPART:
        raise HTTPException(415)
    boundary = _BOUNDARY.search(request.headers["content-type"])
    if boundary is None:
        raise HTTPException(400, "The form has no boundary between its fields.")
    body = await read_body(request, max_bytes)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    headers = Headers({"content-type": f'{MULTIPART}; boundary="{boundary[1]}"'})
    parser = MultiPartParser(
        headers, stream(), max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=max_bytes
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from None
    return await _read(form)


async def _read(form: FormData) -> tuple[Fields, dict[str, Upload]]:
    fields: Fields = {}
    uploads: dict[str, Upload] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:
                uploads[name] = Upload(value.filename, await value.read())
        else:
            fields.setdefault(name, []).append(value.replace("\0", "\ufffd").strip())
    await form.close()
    return fields, uploads
