// @vitest-environment node
import { compile } from "json-schema-to-typescript";
import { expect, test } from "vitest";
import schema from "../../docs/turn-record.schema.json?raw";

const HEAD = "// Written by `make reference` from docs/turn-record.schema.json.\n\n";
const FOR_READERS = ["$schema", "title", "description", "default", "required"];

// `npm run generate` runs this test with --update, which writes the file.
test("the generated module has the types of the schema, and the schema for parseTurn", async () => {
  const types = await compile(JSON.parse(schema), "TurnRecord", { additionalProperties: false, bannerComment: "" });
  const fields = JSON.parse(schema, (key, value) => (FOR_READERS.includes(key) ? undefined : value));
  const module = `${HEAD}${types}\nexport const TURN_RECORD_SCHEMA = ${JSON.stringify(fields)};\n`;
  await expect(module).toMatchFileSnapshot("../src/generated/turn-record.ts");
});
