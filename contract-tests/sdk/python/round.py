"""The round of contract-tests/sdk, made with the client that openapi-python-client generates from openapi.yaml.

It takes the address of the service as its only argument and ends with an exception at the first surprise.
"""

import re
import sys
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from todo_client import Client
from todo_client.api.todos import create_todo, delete_todo, get_todo, list_todos, replace_todo, update_todo
from todo_client.models import NewTodo, Problem, Todo, TodoMergePatch, TodoReplacement, TodoSort, TodoStatus


def main(service: str) -> None:
    client = Client(base_url=service, raise_on_unexpected_status=True)
    todo, tag = create_twice(client)
    list_two_pages(client)
    tag = replace_and_patch(client, todo, tag)
    tell_errors_apart(client, todo)
    deleted = delete_todo.sync_detailed(todo.id, client=client, if_match=tag)
    assert deleted.status_code == HTTPStatus.NO_CONTENT, deleted


def create_twice(client: Client) -> tuple[Todo, str]:
    """Sends one request two times with the same idempotency key, and then another one."""
    key = str(uuid4())
    body = NewTodo(title="Water the plants", description="All of them")
    created = create_todo.sync_detailed(client=client, body=body, idempotency_key=key)
    assert isinstance(created.parsed, Todo), created
    replayed = create_todo.sync(client=client, body=body, idempotency_key=key)
    assert replayed == created.parsed, replayed
    another = create_todo.sync(client=client, body=NewTodo(title="Feed the cat"))
    assert isinstance(another, Todo) and another.id != created.parsed.id, another
    return created.parsed, created.headers["ETag"]


def list_two_pages(client: Client) -> None:
    """Follows the next link of a page of one."""
    first = list_todos.sync_detailed(client=client, limit=1, sort=TodoSort.CREATED_AT_DESCENDING)
    link = re.fullmatch('<(.+)>; rel="next"', first.headers["Link"])
    assert link, first.headers
    cursor = parse_qs(urlsplit(link[1]).query)["cursor"][0]
    second = list_todos.sync(client=client, limit=1, sort=TodoSort.CREATED_AT_DESCENDING, cursor=cursor)
    assert isinstance(first.parsed, list) and isinstance(second, list), (first, second)
    assert len(first.parsed) == len(second) == 1 and first.parsed[0].id != second[0].id, (first, second)


def replace_and_patch(client: Client, todo: Todo, tag: str) -> str:
    """Replaces the todo and then clears its description; returns the last entity tag."""
    replacement = TodoReplacement(title="Water the cactus", description="A little", status=TodoStatus.IN_PROGRESS)
    replaced = replace_todo.sync_detailed(todo.id, client=client, body=replacement, if_match=tag)
    assert isinstance(replaced.parsed, Todo) and replaced.parsed.status is TodoStatus.IN_PROGRESS, replaced
    assert replaced.headers["ETag"] != tag, replaced
    patch = TodoMergePatch(description=None)
    patched = update_todo.sync_detailed(todo.id, client=client, body=patch, if_match=replaced.headers["ETag"])
    assert isinstance(patched.parsed, Todo), patched
    assert patched.parsed.description is None and patched.parsed.title == replacement.title, patched
    return patched.headers["ETag"]


def tell_errors_apart(client: Client, todo: Todo) -> None:
    """Meets a todo that does not exist and an entity tag that is out of date."""
    missing = get_todo.sync(UUID(int=0), client=client)
    assert isinstance(missing, Problem) and missing.status == HTTPStatus.NOT_FOUND, missing
    lost = delete_todo.sync(todo.id, client=client, if_match='"1"')
    assert isinstance(lost, Problem) and lost.status == HTTPStatus.PRECONDITION_FAILED, lost


main(sys.argv[1])
