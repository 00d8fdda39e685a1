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
