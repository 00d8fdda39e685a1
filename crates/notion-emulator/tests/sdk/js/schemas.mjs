// JSON Schemas of the SDK's response types, as validators. The SDK types are unions of full and partial objects, and any
// object passes as a partial one; so lists are held to their envelope here and each result to its full type.
import { readFileSync } from "node:fs";
import Ajv from "ajv";

const schema = JSON.parse(readFileSync(new URL("./schema.json", import.meta.url), "utf8"));
// The types describe version 2025-09-03. Version 2026-03-11 removed `archived` (developers.notion.com
// "upgrade-guide-2026-03-11"); that is all that is forgiven.
if (process.argv[4] === "2026-03-11") {
  (function forgive(node) {
    if (Array.isArray(node?.required)) node.required = node.required.filter((key) => key !== "archived");
    if (node && typeof node === "object") Object.values(node).forEach(forgive);
  })(schema);
}
const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false });
ajv.addSchema(schema, "sdk");
const compiled = new Map();

function validator(name) {
  if (!compiled.has(name)) {
    compiled.set(name, ajv.compile({ $ref: `sdk#/definitions/${encodeURIComponent(name)}` }));
  }
  return compiled.get(name);
}

// The definition of one block type, such as ParagraphBlockObjectResponse.
const blockDefinitions = new Map();
for (const [name, definition] of Object.entries(schema.definitions)) {
  const kind = definition.properties?.type?.const;
  if (kind && definition.properties?.object?.const === "block") blockDefinitions.set(kind, name);
}

const byObject = {
  page: "PageObjectResponse",
  database: "DatabaseObjectResponse",
  data_source: "DataSourceObjectResponse",
  comment: "CommentObjectResponse",
  page_markdown: "PageMarkdownResponse",
};

export let validated = 0;

// Every "kind:type" that passed here, so that a test can tell which types of the reference it did not meet.
export const met = new Set();

export function meet(kind, type) {
  if (typeof type === "string") met.add(`${kind}:${type}`);
}

// Places whose object says its type under a key of its own.
const TYPED = {
  annotations: ["color", "color"],
  cover: ["cover", "type"],
  display_name: ["comment name", "type"],
  files: ["file of a row", "type"],
  formula: ["formula", "type"],
  icon: ["icon", "type"],
  link_to_page: ["link", "type"],
  mention: ["mention", "type"],
  parent: ["parent", "type"],
  people: ["in people", "object"],
  relation: ["relation", "type"],
  rollup: ["rollup", "type"],
  template_mention: ["template", "type"],
  verification: ["verification", "state"],
};

function meetAll(value, key) {
  if (Array.isArray(value)) return value.forEach((item) => meetAll(item, key));
  if (value === null || typeof value !== "object") return;
  if (TYPED[key]) meet(TYPED[key][0], value[TYPED[key][1]]);
  if ("plain_text" in value) meet("text", value.type);
  if ("category" in value) meet("attachment", value.category);
  if (value.object === "block") meetBlock(value);
  if (value.object === "user") meet("user", value.type);
  if (value.object === "page" || value.object === "data_source") {
    const kind = value.object === "page" ? "property" : "column";
    for (const property of Object.values(value.properties)) meet(kind, property.type);
  }
  for (const [inner, child] of Object.entries(value)) meetAll(child, inner);
}

function meetBlock(block) {
  const payload = block[block.type];
  meet("block", block.type);
  meet("block color", payload.color);
  if (payload.external || payload.file) meet(block.type, payload.type);
  if (block.type === "synced_block") meet("synced_block", payload.synced_from === null ? "original" : "copy");
  if (block.type === "numbered_list_item") meet("list", payload.list_format);
  if (block.type.startsWith("heading")) meet(block.type, `${payload.is_toggleable ? "toggle" : "plain"}${block.has_children ? " with content" : ""}`);
  if (block.type === "table") meet("table", `${payload.has_column_header} ${payload.has_row_header}`);
}

export function check(name, value) {
  const validate = validator(name);
  validated += 1;
  if (!validate(value)) {
    const [first] = validate.errors;
    throw new Error(`${name}${first.instancePath}: ${first.message} ${JSON.stringify(first.params)}\n${JSON.stringify(value).slice(0, 3000)}`);
  }
}

// The SDK types values of these three, and lists their columns among what a request may hold, but not in a schema that is
// answered; a column of one was recorded all the same.
const UNTYPED_COLUMNS = ["verification", "place", "button"];

function withoutUntypedColumns(dataSource) {
  const columns = Object.entries(dataSource.properties ?? {}).filter(([name, column]) => {
    if (!UNTYPED_COLUMNS.includes(column.type)) return true;
    const keys = Object.keys(column).join();
    if (keys !== `id,name,description,type,${column.type}`) throw new Error(`${name}: ${JSON.stringify(column)}`);
    return false;
  });
  return { ...dataSource, properties: Object.fromEntries(columns) };
}

export function checkObject(value) {
  meetAll(value, "");
  if (value.object === "block") {
    const name = blockDefinitions.get(value.type);
    if (!name) throw new Error(`the SDK knows no block type ${value.type}`);
    return check(name, value);
  }
  if (value.object === "user") {
    return check(value.type === "bot" ? "BotUserObjectResponse" : "PersonUserObjectResponse", value);
  }
  check(byObject[value.object], value.object === "data_source" ? withoutUntypedColumns(value) : value);
}
