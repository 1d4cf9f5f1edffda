"""What Schemathesis cannot know of a todo's requests. Each `Exception:` is counted, and printed with every run."""

import re
import uuid

import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    # Exception: its regular expressions know no surrogates, and it would drop the whole pattern. It sends none anyway.
    for schema in raw_schema["components"]["schemas"].values():
        if "pattern" in schema:
            schema["pattern"] = schema["pattern"].replace("\\uD800-\\uDFFF", "")


@schemathesis.hook
def before_call(context, case, kwargs):
    # A parameter that is meant to be wrong stays as it is.
    wrong = case.meta.generation.mode.is_negative and getattr(case.meta.phase.data, "parameter", None)
    headers = case.headers or {}
    # A key is for one request alone: with a fixed one, all requests but the first would be answered 422.
    if "Idempotency-Key" in headers and wrong != "Idempotency-Key":
        headers["Idempotency-Key"] = str(uuid.uuid4())
    # Exception: its coverage phase makes headers of letters and digits alone; an entity tag is in double quotes.
    for name in ("If-Match", "If-None-Match"):
        if wrong != name and re.fullmatch("[A-Za-z0-9]+", headers.get(name, "")):
            headers[name] = f'"{headers[name]}"'
    # Exception: a cursor cannot be made up; the service refuses, with 400, all but its own.
    if case.query and wrong != "cursor":
        case.query.pop("cursor", None)
