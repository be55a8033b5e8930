// Holds scripts against rules of ours. Reads one JSON object from standard input:
// {"globals": [names], "files": [{"index": 0, "suffix": "js", "text": "…"}]}, writes one.
// The linter's core is called directly: it looks for no settings, plugins or files anywhere, and
// comments in the scripts that would turn rules off are not listened to.
import { readFileSync } from "node:fs";
import { Linter } from "eslint";
import globals from "globals";

const MOST_FINDINGS = 200;
const PAGE_MARKUP = "assigns text to the page as markup; text of others becomes code there";
const RULES = {
  complexity: ["warn", 10],
  "constructor-super": "warn",
  "for-direction": "warn",
  "getter-return": "warn",
  "no-async-promise-executor": "warn",
  "no-class-assign": "warn",
  "no-compare-neg-zero": "warn",
  "no-cond-assign": "warn",
  "no-const-assign": "warn",
  "no-constant-condition": ["warn", { checkLoops: false }],
  "no-dupe-args": "warn",
  "no-dupe-class-members": "warn",
  "no-dupe-else-if": "warn",
  "no-dupe-keys": "warn",
  "no-duplicate-case": "warn",
  "no-empty": "warn",
  "no-eval": "warn",
  "no-fallthrough": "warn",
  "no-func-assign": "warn",
  "no-implied-eval": "warn",
  "no-import-assign": "warn",
  "no-invalid-regexp": "warn",
  "no-new-func": "warn",
  "no-obj-calls": "warn",
  "no-script-url": "warn",
  "no-self-assign": "warn",
  "no-this-before-super": "warn",
  "no-undef": "warn",
  "no-unreachable": "warn",
  "no-unsafe-finally": "warn",
  "no-unsafe-negation": "warn",
  "no-unused-vars": ["warn", { args: "none", caughtErrors: "none", vars: "local" }],
  "use-isnan": "warn",
  "valid-typeof": "warn",
  "no-restricted-syntax": [
    "warn",
    {
      selector:
        "AssignmentExpression[left.property.name=/^(inner|outer)HTML$/][right.type!='Literal']",
      message: PAGE_MARKUP,
    },
    {
      selector: "CallExpression[callee.property.name=/^(insertAdjacentHTML|write|writeln)$/]" +
        "[callee.object.name='document']",
      message: PAGE_MARKUP,
    },
  ],
};

const { files, globals: declared } = JSON.parse(readFileSync(0, "utf-8"));
const known = { ...globals.browser, ...globals.node, ...globals.es2025 };
for (const name of declared) known[name] = "writable";
const linter = new Linter({ configType: "flat" });
// It loads the whole compiler, so only for whom it is.
const isTypedSuffix = (suffix) => suffix === "ts" || suffix === "tsx";
const typescript = files.some((file) => isTypedSuffix(file.suffix))
  ? await import("@typescript-eslint/parser")
  : null;

function settings(suffix, sourceType) {
  const isTyped = isTypedSuffix(suffix);
  return {
    files: ["**/*.{js,mjs,cjs,jsx,ts,tsx}"],
    rules: isTyped ? { ...RULES, "no-undef": "off", "no-dupe-class-members": "off" } : RULES,
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: "off" },
    languageOptions: {
      ecmaVersion: "latest",
      sourceType,
      globals: known,
      parserOptions: { ecmaFeatures: { jsx: suffix.endsWith("x") } },
      ...(isTyped ? { parser: typescript } : {}),
    },
  };
}

function lint(file) {
  const filename = `file.${file.suffix}`;
  const isModule = /^\s*(?:import|export)\b/m.test(file.text) || isTypedSuffix(file.suffix);
  const kinds = isModule ? ["module", "script"] : ["script", "module"];
  if (file.suffix === "cjs") kinds.unshift("commonjs");
  let found = [];
  for (const kind of kinds) {
    try {
      found = linter.verify(file.text, settings(file.suffix, kind), { filename });
    } catch {
      // What no rule can walk through (nested too deep) is a finding, not the end for all.
      return [{ fatal: true, line: 1, message: "Parsing error: the script cannot be read" }];
    }
    if (!found.some((one) => one.fatal)) break;
  }
  return found;
}

// Functions, and those with a comment right before them.
function counted(source) {
  const counts = { functions: 0, documented: 0 };
  if (!source) return counts;
  for (const outer of source.ast.body) {
    const node = outer.declaration ?? outer;
    if (node.type !== "FunctionDeclaration" && node.type !== "ClassDeclaration") continue;
    counts.functions += 1;
    if (source.getCommentsBefore(outer).length > 0) counts.documented += 1;
  }
  return counts;
}

const findings = [];
const facts = [];
let left = MOST_FINDINGS;
for (const file of files) {
  const found = lint(file);
  const isBroken = found.some((one) => one.fatal);
  const counts = counted(isBroken ? null : linter.getSourceCode());
  facts.push({ index: file.index, ...counts });
  const named = found.filter((one) => one.fatal || one.ruleId);
  for (const one of named.slice(0, left)) {
    findings.push({
      index: file.index,
      rule: one.ruleId ?? "syntax",
      line: (one.line ?? 0) + (file.offset ?? 0),
      message: String(one.message).slice(0, 300),
    });
  }
  left = Math.max(0, left - named.length);
}
process.stdout.write(JSON.stringify({ version: linter.version, findings, facts }));
