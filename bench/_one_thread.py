"""Limits numpy's BLAS to one thread, as in the service. Import it before numpy; its name sorts first."""

import service.condense  # noqa: F401 - importing it sets the number
