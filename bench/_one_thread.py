"""One thread of numpy's BLAS, as in the service: to be imported before numpy, which its name sees to."""

import service.condense  # noqa: F401 - importing it sets the number
