"""The HTTP API without a host: requests in, payloads and status codes out. It knows neither Lambda nor sockets."""
