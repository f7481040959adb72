"""The OpenAPI document against the API: answers fit their schemas, and no request that it describes, however odd its
values, gets anything but a documented refusal."""
import json
import random
import re
import unittest
from urllib.parse import quote

from api_target import main, target

V1 = "/api/v1"
ROUNDS = 25  # bodies per route
STREAMS = "text/event-stream"
# What must not be called with made-up values: they end the session of the test, or change who may do what.
SPARED = {("POST", f"{V1}/auth/logout"), ("POST", f"{V1}/auth/token-login")}
PYTHON_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
ODD_TEXTS = ["", " ", "x", "ü€😀", "\0", "\u2028", "a/b", "..", "%", "'\"<>\\", "\x7f", "0", "null", "-1", "*",
             "https://", "http://[", "https://a:99999999", "//", "javascript:x", "(", "x" * 5000, "\n-----BEGIN X-----"]
ODD_VALUES = [None, True, 0, -1, 1.5, 2**31, 2**63, -2**63 - 1, 2**64, 10**30, [], {}, [[]], [None], {"": 0}, "odd"]


class Document:
    def __init__(self, tree):
        self.tree = tree

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.tree["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def operations(self):
        for path, methods in self.tree["paths"].items():
            for method, about in methods.items():
                yield method.upper(), path, about

    def misfits(self, value, schema, where="answer"):
        """Where `value` is not what `schema` says; keys that a described object does not name are misfits too."""
        schema = self.resolve(schema)
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is none of {schema['enum']}"
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not any(self.is_of(value, name) for name in types):
            yield f"{where}: {value!r} is not of type {types}"
            return
        if isinstance(value, dict) and "properties" in schema:
            for key in schema.get("required", []):
                if key not in value:
                    yield f"{where}: no {key}"
            for key, item in value.items():
                if key in schema["properties"]:
                    yield from self.misfits(item, schema["properties"][key], f"{where}.{key}")
                elif schema.get("additionalProperties") is None:
                    yield f"{where}: {key} is not documented"
        if isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                yield from self.misfits(item, schema["items"], f"{where}[{number}]")

    @staticmethod
    def is_of(value, name):
        if name == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if name == "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return isinstance(value, PYTHON_TYPES[name])

    def make(self, schema, chance, oddness):
        """A value as `schema` describes it; with probability `oddness` each part is something else."""
        schema = self.resolve(schema)
        if chance.random() < oddness:
            return chance.choice(ODD_VALUES)
        if "enum" in schema:
            return chance.choice(schema["enum"])
        types = schema.get("type", "object")
        name = chance.choice(types) if isinstance(types, list) else types
        if name == "object":
            keys = schema.get("properties", {})
            needed = schema.get("required", [])
            return {key: self.make(item, chance, oddness) for key, item in keys.items()
                    if key in needed or chance.random() < 0.5}
        if name == "array":
            return [self.make(schema.get("items", {"type": "string"}), chance, oddness)
                    for _ in range(chance.randrange(3))]
        if name == "string":
            return chance.choice(ODD_TEXTS)
        return {"boolean": chance.random() < 0.5, "null": None, "integer": chance.randrange(-5, 100),
                "number": chance.random()}[name]


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        client = target().client()
        cls.document = Document(client.get(f"{V1}/openapi.json").json())
        client.close()

    def setUp(self):
        self.admin = target().client(target().admin)

    def tearDown(self):
        self.admin.close()

    def check_answer(self, method, path, about, reply):
        """The status is documented, and the body fits what the document says of it."""
        responses = about["responses"]
        response = responses.get(str(reply.status)) or responses.get("default")
        self.assertIsNotNone(response, f"{method} {path}: {reply.status} is not documented")
        contents = response.get("content", {})
        if not contents or not reply.body:
            return
        kind = reply.headers.get_content_type()
        content = next((each for name, each in contents.items() if name.split(";")[0] == kind), None)
        self.assertIsNotNone(content, f"{method} {path}: {kind} is not documented for {reply.status}")
        if kind == "application/json":
            self.assertEqual(list(self.document.misfits(reply.json(), content["schema"], f"{method} {path}")), [])

    def fill(self):
        """Something for every list; the paths to remove it again."""
        made = []
        for path, body in (
                (f"{V1}/integrations", {"name": "schemas", "kind": "kubernetes", "api_server_url": "https://k",
                                        "ca_cert_pem": "x", "service_account_token": "t"}),
                (f"{V1}/settings/sso/providers", {"name": "s", "kind": "google", "client_id": "c",
                                                  "client_secret": "s"}),
                (f"{V1}/threats/silences", {"kind": "exact", "indicator_type": "ip", "value": "192.0.2.1"}),
                (f"{V1}/service-accounts", {"name": "schemas", "role": "readonly"})):
            reply = self.admin.post(path, body)
            self.check_answer("POST", path, self.document.tree["paths"][path]["post"], reply)
            view = reply.json()
            made.append(f"{path}/{'schemas' if path.endswith('integrations') else view['id']}")
        reply = self.admin.post(f"{made[-1]}/tokens", {})
        about = self.document.tree["paths"][f"{V1}/service-accounts/{{id}}/tokens"]["post"]
        self.check_answer("POST", "tokens", about, reply)
        return made

    def test_answers_fit_their_schemas(self):
        made = self.fill()
        seen = 0
        for method, path, about in self.document.operations():
            if method != "GET" or STREAMS in str(about):
                continue
            concrete = next((each + re.sub(r"^[^}]*}", "", path) for each in made
                             if path.startswith(each.rsplit("/", 1)[0] + "/{")), path)
            if "{" in concrete:
                continue
            with self.subTest(path=concrete):
                seen += 1
                self.check_answer(method, concrete, about, self.admin.get(concrete))
        for path in made:
            self.assertEqual(self.admin.delete(path).status, 204)
        self.assertGreater(seen, 20)

    def test_odd_values_are_refused_in_the_documented_way(self):
        chance = random.Random(4)
        for method, path, about in self.document.operations():
            if (method, path) in SPARED or STREAMS in str(about):
                continue
            schema = about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            for number in range(ROUNDS if schema else 5):
                filled = re.sub(r"\{\w+\}", lambda _: quote(chance.choice(ODD_TEXTS[:16]) or "-", safe=""), path)
                asked = [f"{each['name']}={quote(chance.choice(ODD_TEXTS[:16]))}"
                         for each in about.get("parameters", []) if each["in"] == "query" and chance.random() < 0.3]
                body = schema and json.dumps(self.document.make(schema, chance, number % 3 * 0.1))
                with self.subTest(method=method, path=filled, query=asked, body=body):
                    reply = self.admin.request(method, "?".join([filled, "&".join(asked)]).rstrip("?"), body)
                    self.assertNotIn(reply.status, (500, 501, 502), reply)
                    self.check_answer(method, filled, about, reply)
                    if reply.status >= 400 and reply.headers.get_content_type() == "application/json":
                        self.assertTrue(reply.error)


if __name__ == "__main__":
    main()
