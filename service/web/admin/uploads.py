"""Forms of the editors' pages, with or without a file, read within limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from service.web.admin.context import Upload
from service.web.request_bodies import FORM, MAX_FIELDS, Fields, fields_of, read_body

MULTIPART = "multipart/form-data"
MAX_FILES = 1  # in a form


async def read_admin_form(request: Request, max_bytes: int) -> tuple[Fields, dict[str, Upload]]:
    """Return the fields and files of a form. Raises HTTPException as `read_body` does, and 400 or 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == FORM:
        return fields_of(await read_body(request, max_bytes)), {}
    if media_type != MULTIPART:
        raise HTTPException(415)
    body = await read_body(request, max_bytes)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    parser = MultiPartParser(
        request.headers, stream(), max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=max_bytes
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
