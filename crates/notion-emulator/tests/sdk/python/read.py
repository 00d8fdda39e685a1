"""Reads a whole world through notion-client: lists, pages through, retrieves, walks blocks, retries.

Usage: python read.py URL TOKEN VERSION; prints one JSON object with what it saw.
"""

import asyncio
import json
import sys
import urllib.request

from notion_client import APIErrorCode, APIResponseError, AsyncClient, Client
from notion_client.helpers import (
    async_collect_paginated_api,
    collect_paginated_api,
    is_full_block,
    is_full_data_source,
    is_full_database,
    is_full_page_or_data_source,
    is_full_user,
    iterate_paginated_api,
)

URL, TOKEN, VERSION = sys.argv[1:4]
notion = Client(auth=TOKEN, base_url=URL, notion_version=VERSION)
seen = {"pages": 0, "rows": 0, "data_sources": 0, "databases": 0, "blocks": 0, "users": 0, "comments": 0}


def control(verb, body):
    request = urllib.request.Request(f"{URL}/_emulator/{verb}", data=json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def walk(block_id, depth=0):
    for block in iterate_paginated_api(notion.blocks.children.list, block_id=block_id, page_size=13):
        assert is_full_block(block)
        seen["blocks"] += 1
        if block["has_children"] and block["type"] != "child_page" and depth < 20:
            walk(block["id"], depth + 1)
        if block["type"] == "child_database":
            assert is_full_database(notion.databases.retrieve(block["id"]))
            seen["databases"] += 1


assert notion.users.me()["type"] == "bot"
for user in iterate_paginated_api(notion.users.list, page_size=7):
    assert is_full_user(user)
    seen["users"] += 1

found = collect_paginated_api(notion.search, page_size=9)
assert len({item["id"] for item in found}) == len(found)
for item in found:
    assert is_full_page_or_data_source(item)
    if item["object"] == "data_source":
        assert is_full_data_source(notion.data_sources.retrieve(item["id"]))
        rows = collect_paginated_api(notion.data_sources.query, data_source_id=item["id"], page_size=11)
        seen["rows"] += len(rows)
        seen["data_sources"] += 1
        continue
    seen["pages"] += 1
    assert notion.pages.retrieve(item["id"])["id"] == item["id"]
    for value in item["properties"].values():
        if value["type"] == "title":
            listed = notion.pages.properties.retrieve(item["id"], value["id"])
            assert [part["title"]["plain_text"] for part in listed["results"]] == [
                part["plain_text"] for part in value["title"]
            ]
    assert isinstance(notion.pages.retrieve_markdown(item["id"])["markdown"], str)
    seen["comments"] += len(collect_paginated_api(notion.comments.list, block_id=item["id"]))
    walk(item["id"])


async def listed_at_once():
    async with AsyncClient(auth=TOKEN, base_url=URL, notion_version=VERSION) as client:
        return await async_collect_paginated_api(client.search)


assert {item["id"] for item in asyncio.run(listed_at_once())} == {item["id"] for item in found}

for code, request in [
    (APIErrorCode.ObjectNotFound, lambda: notion.pages.retrieve("00000000-0000-0000-0000-000000000000")),
    (APIErrorCode.ValidationError, lambda: notion.pages.retrieve("nonsense")),
    (APIErrorCode.Unauthorized, lambda: Client(auth="wrong", base_url=URL).users.me()),
]:
    try:
        request()
    except APIResponseError as error:
        assert error.code == code, error
    else:
        raise AssertionError(f"{code} was expected")

control("limit", {"token": {"requests": 8, "window_ms": 1000}})
for _ in range(20):
    notion.users.me()
control("limit", {})

print(json.dumps(seen))
