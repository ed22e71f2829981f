# Signed HTTP calls to the Smart Dairy connector. No Odoo here: address, secret and time-outs come in, JSON goes out.
import hashlib
import hmac
import json
import secrets
import time

import requests

CONNECT_TIMEOUT_S = 1
MAX_ANSWER_BYTES = 2_000_000
# Answers of the 400s that say: not now.
TRY_LATER = (408, 425, 429)


class ConnectorError(Exception):
    """A call that brought no answer. ``status`` is ``unreachable``, ``refused`` (4xx) or ``failed`` (5xx, too many calls,
    nonsense): only what was refused will never work as it is."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def signature(secret, timestamp, method, path, database, body):
    """Value of X-Smart-Dairy-Signature for ``method`` and ``path``, asked by ``database`` with the bytes ``body`` at ``timestamp``
    (Unix seconds). Version 2: a call that somebody heard serves for no other path, method or database."""
    signed = f'{timestamp}\n{method}\n{path}\n{database}\n'.encode() + body
    return f't={timestamp},v2={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}'


def encode(payload):
    """``payload`` as JSON bytes, never the same twice: the connector takes a signature only once, and two people may ask
    the same in one second. White space behind the object says nothing, so it can carry the difference."""
    nonce = ''.join(' \n'[bit == '1'] for bit in f'{secrets.randbits(64):064b}')
    return (json.dumps(payload) + nonce).encode()


def post(url, secret, database, path, payload, timeout_s):
    """The JSON answer of ``POST url/api/v1/odoo/path``, asked by ``database``. Raises ConnectorError."""
    body = encode(payload)
    target = f'/api/v1/odoo/{path}'
    headers = {
        'Content-Type': 'application/json',
        'X-Smart-Dairy-Signature': signature(secret, int(time.time()), 'POST', target, database or '', body),
        'X-Smart-Dairy-Database': database or '',
    }
    try:
        with requests.post(
            url.rstrip('/') + target, data=body, headers=headers, allow_redirects=False, stream=True,
            timeout=(min(CONNECT_TIMEOUT_S, timeout_s), timeout_s),
        ) as response:
            content = response.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
    except (requests.RequestException, OSError) as error:
        raise ConnectorError('unreachable', _short(error)) from error
    if len(content) > MAX_ANSWER_BYTES:
        raise ConnectorError('failed', f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    try:
        answer = json.loads(content) if content.strip() else {}
    except ValueError as error:
        raise ConnectorError('failed', f"HTTP {response.status_code} without JSON: is the address right?") from error
    if not 200 <= response.status_code < 300:
        is_refused = 400 <= response.status_code < 500 and response.status_code not in TRY_LATER
        kind = 'refused' if is_refused else 'failed'
        raise ConnectorError(kind, f"HTTP {response.status_code}: {_reason(answer)}")
    return answer


def _reason(answer):
    if isinstance(answer, dict):
        for key in ('detail', 'message', 'error', 'title'):
            if isinstance(answer.get(key), str):
                return answer[key][:500]
    return "no reason given"


def _short(error):
    # urllib3 packs the cause into several layers of repr; the name of the class says as much.
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"{type(error).__name__}: {error}"[:500]
