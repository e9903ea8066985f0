"""The API over HTTP on a machine of one's own: an ASGI application, and uvicorn that serves it."""
