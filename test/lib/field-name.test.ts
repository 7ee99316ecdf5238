import { expect, it } from "vitest";
import { speakable } from "../../src/lib/field-name.ts";

it.each(["url", "api_key", "error_description", 0])("an error names %s", (name) => {
  expect(speakable(name)).toBe(String(name));
});

it.each(["sk_live_51H8abcDEF", "bnd_test_AAAA", "ghp-abc", "a".repeat(33), "", "Api", "a b"])(
  "T90 an error does not repeat %s",
  (name) => {
    expect(speakable(name)).toBe("?");
  },
);
