// Reads a whole world through the official SDK: lists, pages through, retrieves, walks blocks, retries.
// Usage: node read.mjs URL TOKEN VERSION; prints one JSON object with what it saw.
import {
  Client,
  APIErrorCode,
  collectPaginatedAPI,
  isFullBlock,
  isFullComment,
  isFullDatabase,
  isFullDataSource,
  isFullPage,
  isFullPageOrDataSource,
  isFullUser,
  isNotionClientError,
  iteratePaginatedAPI,
} from "@notionhq/client";
import { check, checkObject, meet, met, validated } from "./schemas.mjs";

const [, , url, token, version] = process.argv;
const complaints = [];
const notion = new Client({
  auth: token,
  baseUrl: url,
  notionVersion: version,
  logger: (level, message, extra) => {
    if (level !== "debug" && level !== "info" && !/retry|rate/i.test(message)) complaints.push(`${level}: ${message} ${JSON.stringify(extra)}`);
  },
});

function assert(condition, what) {
  if (!condition) throw new Error(what);
}

async function control(verb, body) {
  const response = await fetch(`${url}/_emulator/${verb}`, { method: "POST", body: JSON.stringify(body) });
  const text = await response.text();
  assert(response.ok, `${verb}: ${text}`);
  return JSON.parse(text);
}

const seen = { pages: 0, rows: 0, dataSources: 0, databases: 0, blocks: 0, users: 0, comments: 0, properties: 0, views: 0 };

// As on the real wire, where every body is compressed.
await control("behavior", { gzip: true });
const me = await notion.users.me({});
checkObject(me);
assert(isFullUser(me) && me.type === "bot", "me is a bot");
for await (const user of iteratePaginatedAPI(notion.users.list, { page_size: 7 })) {
  assert(isFullUser(user), "full user");
  checkObject(user);
  if (user.type === "person") {
    const known = await notion.users.retrieve({ user_id: user.id });
    assert(isFullUser(known), "full user by id");
    checkObject(known);
  }
  seen.users += 1;
}
check("ListUsersResponse", await notion.users.list({}));
check("ListCustomEmojisResponse", await notion.customEmojis.list({}));

const found = await collectPaginatedAPI(notion.search, { page_size: 9 });
assert(new Set(found.map((item) => item.id)).size === found.length, "search lists each object once");
const listedPages = await collectPaginatedAPI(notion.search, { filter: { property: "object", value: "page" }, sort: { timestamp: "last_edited_time", direction: "ascending" } });
assert(listedPages.length === found.filter((item) => item.object === "page").length, "both orders list the same pages");
check("SearchResponse", await notion.search({ query: "the" }));

async function walk(id, depth) {
  for await (const block of iteratePaginatedAPI(notion.blocks.children.list, { block_id: id, page_size: 13 })) {
    assert(isFullBlock(block), "full block");
    checkObject(block);
    seen.blocks += 1;
    if (block.has_children && block.type !== "child_page" && depth < 20) await walk(block.id, depth + 1);
    if (block.type === "child_database") {
      const database = await notion.databases.retrieve({ database_id: block.id });
      assert(isFullDatabase(database), "full database");
      checkObject(database);
      seen.databases += 1;
    }
    if (seen.blocks % 50 === 0) {
      const known = await notion.blocks.retrieve({ block_id: block.id });
      assert(isFullBlock(known), "full block by id");
      checkObject(known);
    }
  }
}

async function comments(id) {
  const all = await collectPaginatedAPI(notion.comments.list, { block_id: id });
  for (const comment of all) {
    assert(isFullComment(comment), "full comment");
    checkObject(comment);
    meet("comment on", comment.parent.type);
    const known = await notion.comments.retrieve({ comment_id: comment.id });
    assert(isFullComment(known), "full comment by id");
    seen.comments += 1;
  }
  return all.length;
}

// Each type of property is asked for by itself, with values of different lengths.
const asked = new Map();
async function properties(page) {
  for (const property of Object.values(page.properties)) {
    const lengths = asked.get(property.type) ?? new Set();
    asked.set(property.type, lengths);
    const length = JSON.stringify(property).length;
    if (lengths.has(length) || lengths.size > 12) continue;
    lengths.add(length);
    const value = await notion.pages.properties.retrieve({ page_id: page.id, property_id: property.id });
    // The SDK knows groups among the people of a page, but not as an item of their own; what is answered is not recorded.
    if (value.object === "list") value.results = value.results.filter((item) => item.people?.object !== "group");
    check("GetPagePropertyResponse", value);
    meet("property item", value.object === "list" ? value.property_item.type : value.type);
    seen.properties += 1;
  }
}

async function views(dataSource) {
  const listed = await notion.views.list({ data_source_id: dataSource });
  check("ListDatabaseViewsResponse", listed);
  for (const { id } of listed.results) {
    const view = await notion.views.retrieve({ view_id: id });
    check("DataSourceViewObjectResponse", view);
    const query = await notion.views.queries.create({ view_id: id, page_size: 5 });
    check("CreateViewQueryResponse", query);
    check("GetViewQueryResultsResponse", await notion.views.queries.results({ view_id: id, query_id: query.id }));
    seen.views += 1;
  }
}

for (const item of found) {
  assert(isFullPageOrDataSource(item), "full search result");
  checkObject(item);
  if (item.object === "data_source") {
    assert(isFullDataSource(item), "full data source");
    const known = await notion.dataSources.retrieve({ data_source_id: item.id });
    assert(isFullDataSource(known), "full data source by id");
    checkObject(known);
    if (known.parent.type === "database_id") {
      const database = await notion.databases.retrieve({ database_id: known.parent.database_id });
      assert(isFullDatabase(database), "full database of a data source");
      checkObject(database);
    }
    const sorted = { data_source_id: item.id, page_size: 11, sorts: [{ timestamp: "created_time", direction: "ascending" }] };
    const rows = await collectPaginatedAPI(notion.dataSources.query, sorted);
    const unsorted = await collectPaginatedAPI(notion.dataSources.query, { data_source_id: item.id });
    assert(rows.length === unsorted.length, "sorted and unsorted queries have the same rows");
    const recent = await collectPaginatedAPI(notion.dataSources.query, {
      data_source_id: item.id,
      filter: { timestamp: "last_edited_time", last_edited_time: { on_or_after: "2000-01-01" } },
    });
    assert(recent.length === rows.length, "a filter that all rows pass keeps all rows");
    check("QueryDataSourceResponse", await notion.dataSources.query({ data_source_id: item.id, page_size: 1 }));
    check("ListDataSourceTemplatesResponse", await notion.dataSources.listTemplates({ data_source_id: item.id }));
    for (const row of rows) {
      assert(isFullPageOrDataSource(row), "full row");
      checkObject(row);
    }
    await views(item.id);
    seen.dataSources += 1;
    seen.rows += rows.length;
    continue;
  }
  assert(isFullPage(item), "full page");
  seen.pages += 1;
  if (seen.pages % 5 === 0) {
    const known = await notion.pages.retrieve({ page_id: item.id });
    assert(isFullPage(known), "full page by id");
    checkObject(known);
  }
  await properties(item);
  const markdown = await notion.pages.retrieveMarkdown({ page_id: item.id });
  check("PageMarkdownResponse", markdown);
  if ((await comments(item.id)) > 0) {
    for await (const block of iteratePaginatedAPI(notion.blocks.children.list, { block_id: item.id })) {
      if (!block.type.startsWith("child_")) await comments(block.id);
    }
  }
  await walk(item.id, 0);
}

// Errors are the SDK's own classes with the codes it knows.
for (const [code, request] of [
  [APIErrorCode.ObjectNotFound, () => notion.pages.retrieve({ page_id: "00000000-0000-0000-0000-000000000000" })],
  [APIErrorCode.ValidationError, () => notion.pages.retrieve({ page_id: "nonsense" })],
  [APIErrorCode.InvalidRequestURL, () => notion.request({ path: "nonsense", method: "get" })],
  [APIErrorCode.Unauthorized, () => new Client({ auth: "wrong", baseUrl: url, logLevel: "error", logger: () => {} }).users.me({})],
]) {
  const error = await request().then(() => undefined, (caught) => caught);
  assert(isNotionClientError(error) && error.code === code, `${code}, not ${error?.code}: ${error}`);
}
// Beside those four refusals the SDK had nothing to complain about.
const unexpected = complaints.filter((complaint) => !/object_not_found|validation_error|invalid_request_url/.test(complaint));
assert(unexpected.length === 0, unexpected.join("\n"));

// The SDK waits as Retry-After says and gets every answer in the end.
await control("limit", { token: { requests: 8, window_ms: 1000 } });
for (let request = 0; request < 20; request += 1) await notion.users.me({});
await control("limit", {});
await control("faults", { failure: { kind: "service_unavailable" }, count: 1 });
await notion.users.me({});

console.log(JSON.stringify({ ...seen, validated, met: [...met].sort() }));
