"""Ask the web process, as the proxy in front of it would, whether it and its database answer."""

import http.client
import os
import sys


def healthy() -> bool:
    """Whether /sante/ answers 200 on the local port."""
    host = os.environ["ALLOWED_HOSTS"].split(",")[0].strip()
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    connection.request("GET", "/sante/", headers={"Host": host, "X-Forwarded-Proto": "https"})
    return connection.getresponse().status == 200


if __name__ == "__main__":
    sys.exit(0 if healthy() else 1)
