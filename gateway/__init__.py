"""The gateway: one graph over many systems of record."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # our matrices are small: waking another thread takes longer than the product

__version__ = "0.1.0"
