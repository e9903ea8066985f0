"""The Lambda entry point: the application is built once, at import, and every invocation shares it."""

import os

from engine.aws.handler import start

lambda_handler = start(os.environ)
