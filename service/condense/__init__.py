"""Condense: new articles become key points with the caveats that qualify them."""

import os

# An article's tables are small: further threads of numpy's BLAS mostly wait for one another, and a long
# article costs more than twice the CPU time. The variable is read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
