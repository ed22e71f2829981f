# A connector for tests: an HTTP server that checks signatures and answers what the test says.
import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = 'a secret of the tests'


class FakeConnector:

    def __init__(self):
        self.calls = []
        # path: answer, (status, answer), or a callable of the payload
        self.answers = {}
        self.bad_signatures = 0
        self.signatures = set()
        # Which databases asked.
        self.databases = set()

    def answer(self, path, payload):
        answer = self.answers.get(path, (404, {'detail': f'no such path: {path}'}))
        if callable(answer):
            answer = answer(payload)
        return answer if isinstance(answer, tuple) else (200, answer)


@contextmanager
def fake_connector(env):
    """A running FakeConnector that the parameters of ``env`` point to."""
    fake = FakeConnector()

    class Handler(BaseHTTPRequestHandler):

        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length']))
            parts = dict(part.split('=') for part in self.headers['X-Smart-Dairy-Signature'].split(','))
            database = self.headers['X-Smart-Dairy-Database']
            signed = f"{parts['t']}\nPOST\n{self.path}\n{database}\n".encode() + body
            wanted = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            if wanted != parts['v2'] or wanted in fake.signatures:
                fake.bad_signatures += 1
            fake.signatures.add(wanted)
            fake.databases.add(database)
            path = self.path.removeprefix('/api/v1/odoo/')
            payload = json.loads(body)
            fake.calls.append((path, payload))
            status, answer = fake.answer(path, payload)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header('Content-Length', str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
    thread.start()
    point_to(env, f'http://127.0.0.1:{server.server_port}/')
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def point_to(env, url):
    env['ir.config_parameter'].set_param('smart_dairy.connector_url', url)
    env['ir.config_parameter'].set_param('smart_dairy.connector_secret', SECRET)
