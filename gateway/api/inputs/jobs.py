"""What was given up and is to be tried again."""

import strawberry

from gateway.api.describe import described


@described
@strawberry.input
class JobRetryInput:
    """Which dead job to try again.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which job.
    """

    idempotency_key: str
    id: strawberry.ID
