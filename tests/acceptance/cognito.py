"""A Cognito user pool on loopback, made as the stack's template makes it, and users who sign in to it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx

from engine.core.record import record

PASSWORD = "Whisky-on-the-rocks-7"  # noqa: S105  of a user who lives as long as a test
REGION = "ap-northeast-1"


@record
class Pool:
    """`url` is the address of the managed login, `page` the one that users come back to."""

    url: str
    id: str
    client: str
    page: str

    @property
    def settings(self) -> Mapping[str, str]:
        """What the engine must know of the pool."""
        return {
            "AUTH": "optional",
            "AUTH_ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/{self.id}",
            "AUTH_CLIENT_IDS": self.client,
            "AUTH_JWKS_URL": f"{self.url}/{self.id}/.well-known/jwks.json",
        }

    def sign_in(self, user: str) -> Mapping[str, Any]:
        """Tokens that the managed login gives: its page, the form, the code, and the code exchanged with PKCE."""
        verifier = "v" * 43
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": self.page,
            "scope": "openid",
            "state": "seat-7",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        with httpx.Client(base_url=self.url, timeout=60) as client:
            form = client.get("/oauth2/authorize", params=asked)
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.text))
            sent = client.post("/login", data={**asked, **fields, "username": user, "password": PASSWORD})
            back = parse_qs(urlsplit(sent.headers["Location"]).query)
            assert back["state"] == ["seat-7"]
            exchanged = {
                "grant_type": "authorization_code",
                "client_id": self.client,
                "redirect_uri": self.page,
                "code": back["code"][0],
            }
            assert client.post("/oauth2/token", data={**exchanged, "code_verifier": "w" * 43}).status_code == 400
            answer = client.post("/oauth2/token", data={**exchanged, "code_verifier": verifier})
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def pool(url: str, page: str, *users: str) -> Iterator[Pool]:
    """A pool on a running ministack with these users, whose password is `PASSWORD`."""
    client = boto3.client(
        "cognito-idp",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  as above
    )
    try:
        made = client.create_user_pool(PoolName="guests", UsernameAttributes=["email"])["UserPool"]["Id"]
        web = client.create_user_pool_client(
            UserPoolId=made,
            ClientName="page",
            GenerateSecret=False,
            SupportedIdentityProviders=["COGNITO"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid"],
            CallbackURLs=[page],
            LogoutURLs=[page],
            ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
        )["UserPoolClient"]["ClientId"]
        client.create_user_pool_domain(UserPoolId=made, Domain=f"guests-{web.lower()[:8]}")
        for user in users:
            client.admin_create_user(UserPoolId=made, Username=user, MessageAction="SUPPRESS")
            client.admin_set_user_password(UserPoolId=made, Username=user, Password=PASSWORD, Permanent=True)
        yield Pool(url=url, id=made, client=web, page=page)
    finally:
        client.close()
