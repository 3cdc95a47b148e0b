"""Login with Amazon: access tokens for a refresh token."""

import time
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

CLIENT_ID: Final = "amzn1.application-oa2-client.sandbox"
CLIENT_SECRET: Final = "amazon-sandbox-secret"
REFRESH_TOKEN: Final = "Atzr|amazon-sandbox-refresh"


class Login:
    """The token endpoint of one application that one seller has authorized.

    ``revoked``: the seller takes the authorization back; what was granted before no longer counts either.
    """

    def __init__(self, *, token_lives_s: float) -> None:
        self.revoked = False
        self.granted = 0
        self._token_lives_s = token_lives_s
        self._ends_at: dict[str, float] = {}

    async def endpoint(self, request: Request) -> Response:
        """``POST /auth/o2/token`` (RFC 6749, 6)."""
        if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            return _refused("invalid_request", "The content type is not supported.")
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
        if form.get("grant_type") != "refresh_token":
            return _refused("unsupported_grant_type", "The authorization grant type is not supported.")
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _refused("invalid_client", "Client authentication failed", status=401)
        if form.get("refresh_token") != REFRESH_TOKEN or self.revoked:
            return _refused("invalid_grant", "The request has an invalid grant parameter : refresh_token.")
        self.granted += 1
        token = f"Atza|sandbox-{self.granted}"
        self._ends_at[token] = time.monotonic() + self._token_lives_s
        answer = {
            "access_token": token,
            "refresh_token": REFRESH_TOKEN,
            "token_type": "bearer",
            "expires_in": self._token_lives_s,
        }
        return JSONResponse(answer)

    def takes(self, token: str) -> bool:
        """Whether it was granted and has not ended."""
        return not self.revoked and self._ends_at.get(token, 0.0) > time.monotonic()

    def end_all(self) -> None:
        """Every token that was granted so far ends now."""
        self._ends_at.clear()


def _refused(error: str, description: str, *, status: int = 400) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status_code=status)
