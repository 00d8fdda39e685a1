// An agent with the protocol's official client.
//
// Usage: node agent.mjs URL PROGRAM; prints one JSON object with what it saw over HTTP and over standard input and output.

import assert from "node:assert/strict";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url, program] = process.argv.slice(2);

async function look(transport) {
  const client = new Client({ name: "a-test", version: "1.0.0" });
  await client.connect(transport);
  assert.equal(client.getServerVersion().name, "notion-connector");
  assert.match(client.getInstructions(), /search/);

  const { tools } = await client.listTools();
  for (const tool of tools) {
    assert.ok(tool.description.length > 40, tool.name);
    assert.equal(tool.annotations.readOnlyHint, true, tool.name);
    assert.equal(tool.inputSchema.type, "object", tool.name);
  }

  const call = async (name, input) => {
    const answer = await client.callTool({ name, arguments: input });
    // Those that read text alone get the same.
    if (!answer.isError) assert.deepEqual(JSON.parse(answer.content[0].text), answer.structuredContent);
    return answer;
  };
  const found = (await call("search", { query: "incident response", limit: 3 })).structuredContent;
  assert.ok(found.total >= 1 && found.results.length <= 3);
  const first = found.results[0];
  assert.ok(first.id && first.title && first.url && first.text.length > 0, JSON.stringify(first));

  const item = (await call("fetch", { id: first.id })).structuredContent;
  assert.equal(item.title, first.title);
  assert.equal(item.url.split("#")[0], first.url.split("#")[0]);
  assert.ok(item.text.length > 0 && item.next_offset === null);
  const rest = (await call("fetch", { id: first.id, offset: 5 })).structuredContent;
  assert.equal([...item.text].slice(5).join(""), rest.text);

  const pages = (await call("search", { query: "", kinds: ["page"], limit: 100 })).structuredContent;
  assert.ok(pages.results.every((result) => result.kind === "page"));
  const why = (await call("why", { page: pages.results[0].id })).structuredContent;
  assert.equal(why.standing, "in_index");

  // What is wrong is told to the agent, and ends nothing.
  for (const [name, input, told] of [
    ["fetch", { id: "11111111-2222-3333-4444-555555555555" }, /there is no item/],
    ["fetch", { id: "nonsense" }, /neither an id nor the address/],
    ["search", { query: "x", limit: 1000 }, /limit must be/],
    ["search", { query: "x", edited_after: "soon" }, /soon/],
    ["search", { words: "x" }, /words/],
  ]) {
    const answer = await call(name, input);
    assert.equal(answer.isError, true, JSON.stringify([name, input]));
    assert.match(answer.content[0].text, told);
  }
  await assert.rejects(client.callTool({ name: "delete", arguments: {} }), /there is no tool/);
  await client.close();
  return { tools: tools.map((tool) => tool.name), found: found.results.map((result) => result.id) };
}

const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name.startsWith("NOTION_CONNECTOR_") || name === "PATH" || name === "HOME"),
);
console.log(
  JSON.stringify({
    http: await look(new StreamableHTTPClientTransport(new URL(url))),
    stdio: await look(new StdioClientTransport({ command: program, args: ["mcp"], env: environment, stderr: "inherit" })),
  }),
);
