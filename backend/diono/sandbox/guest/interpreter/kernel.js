// The JavaScript kernel: runs cells one after another in one global scope, as node's REPL would.
// Started with --expose-internals, for the parser and inspector that node itself ships.
"use strict";

const fs = require("fs");
const path = require("path");
const util = require("util");
const vm = require("vm");
const { createRequire } = require("module");
const { StringDecoder } = require("string_decoder");

const CHANNEL = 3;
const language = process.argv[2] || "javascript";
const acorn = require("internal/deps/acorn/acorn/dist/acorn");
const userRequire = createRequire(path.join(process.cwd(), "cell.js"));

function write(message) {
  const data = Buffer.from(JSON.stringify(message) + "\n");
  let sent = 0;
  while (sent < data.length) {
    try {
      sent += fs.writeSync(CHANNEL, data, sent);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

// --- output: synchronous, so that nothing is lost when the process is killed
for (const [stream, descriptor] of [[process.stdout, 1], [process.stderr, 2]]) {
  stream.write = (chunk, encoding, done) => {
    const data = typeof chunk === "string" ? Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8") : chunk;
    let sent = 0;
    while (sent < data.length) {
      try {
        sent += fs.writeSync(descriptor, data, sent);
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
    const callback = typeof encoding === "function" ? encoding : done;
    if (callback) process.nextTick(callback);
    return true;
  };
}

// --- source: top-level declarations can be made again, imports become calls
const OPTIONS = { ecmaVersion: "latest", sourceType: "module", allowAwaitOutsideFunction: true, allowHashBang: true };

function parse(source, isModule) {
  const kind = isModule ? "module" : "script";
  return acorn.parse(source, { ...OPTIONS, sourceType: kind, allowReturnOutsideFunction: false });
}

function parseAny(source) {
  try {
    return parse(source, false);
  } catch (error) {
    try {
      return parse(source, true);
    } catch {
      throw error;
    }
  }
}

function namesIn(pattern, names = []) {
  if (!pattern) return names;
  if (pattern.type === "Identifier") names.push(pattern.name);
  else if (pattern.type === "ObjectPattern") pattern.properties.forEach((each) => namesIn(each.value || each.argument, names));
  else if (pattern.type === "ArrayPattern") pattern.elements.forEach((each) => namesIn(each, names));
  else if (pattern.type === "AssignmentPattern") namesIn(pattern.left, names);
  else if (pattern.type === "RestElement") namesIn(pattern.argument, names);
  return names;
}

function importAsCall(node) {
  const from = `await import(${node.source.raw})`;
  if (!node.specifiers.length) return `${from};`;
  const whole = node.specifiers.find((each) => each.type === "ImportNamespaceSpecifier");
  const parts = node.specifiers
    .filter((each) => each !== whole)
    .map((each) => (each.type === "ImportDefaultSpecifier" ? `default: ${each.local.name}` : `${each.imported.name || each.imported.raw}: ${each.local.name}`));
  const assignments = [];
  if (whole) assignments.push(`${whole.local.name} = ${from}`);
  if (parts.length) assignments.push(`{${parts.join(", ")}} = ${from}`);
  return `(${assignments.join(", ")});`;
}

function importedNames(node) {
  return node.specifiers.map((each) => each.local.name);
}

// Whether the cell awaits outside of functions.
function awaits(node) {
  if (!node || typeof node.type !== "string") return false;
  if (/Function|ClassBody/.test(node.type)) return false;
  if (node.type === "AwaitExpression" || node.type === "ImportDeclaration" || (node.type === "ForOfStatement" && node.await)) return true;
  return Object.values(node).some((each) => (Array.isArray(each) ? each.some(awaits) : awaits(each)));
}

// Return {code, isAsync}: the cell with its declarations as variables of the global scope.
function prepare(source) {
  let tree;
  try {
    tree = parseAny(source);
  } catch {
    return { code: source, isAsync: false }; // the engine knows best what is wrong with it
  }
  const isAsync = awaits(tree);
  const edits = [];
  const globals = [];
  for (const node of tree.body) {
    const inner = /^Export(Named|Default)/.test(node.type) && node.declaration ? node.declaration : node;
    if (inner !== node) edits.push([node.start, inner.start, ""]);
    if (inner.type === "ImportDeclaration") {
      globals.push(...importedNames(inner));
      edits.push([inner.start, inner.end, importAsCall(inner)]);
    } else if (inner.type === "VariableDeclaration") {
      const names = inner.declarations.flatMap((each) => namesIn(each.id));
      if (isAsync) {
        globals.push(...names);
        edits.push([inner.start, inner.start + inner.kind.length, ";("]);
        for (const each of inner.declarations) if (!each.init) edits.push([each.id.end, each.id.end, " = undefined"]);
        const last = inner.declarations[inner.declarations.length - 1].end;
        edits.push([last, last, ")"]);
      } else if (inner.kind !== "var") {
        edits.push([inner.start, inner.start + inner.kind.length, "var"]);
      }
    } else if (inner.type === "ClassDeclaration" && inner.id) {
      if (isAsync) globals.push(inner.id.name);
      edits.push([inner.start, inner.start, isAsync ? `;${inner.id.name} = ` : `var ${inner.id.name} = `]);
      edits.push([inner.end, inner.end, ";"]);
    } else if (inner.type === "FunctionDeclaration" && isAsync && inner.id) {
      globals.push(inner.id.name);
      edits.push([inner.end, inner.end, `\n;globalThis.${inner.id.name} = ${inner.id.name};`]);
    }
  }
  const last = tree.body[tree.body.length - 1];
  if (isAsync && last && last.type === "ExpressionStatement") {
    edits.push([last.start, last.start, "return { value: ("]);
    edits.push([last.expression.end, last.end, ") };"]);
  }
  edits.sort((first, second) => second[0] - first[0] || second[1] - first[1]);
  let code = source;
  for (const [start, end, text] of edits) code = code.slice(0, start) + text + code.slice(end);
  if (!isAsync) return { code, isAsync };
  const scope = [...new Set(globals)].filter((name) => !(name in globalThis));
  if (scope.length) vm.runInThisContext(`var ${scope.join(", ")};`);
  return { code: `(async () => {${code}\n})()`, isAsync };
}

// --- TypeScript: types are taken away by whatever the image offers
function stripper() {
  const builtin = require("module").stripTypeScriptTypes;
  if (builtin) return (source) => builtin(source, { mode: "transform" });
  const places = [process.cwd(), "/usr/local/lib/node-tools/node_modules", "/usr/local/lib/node_modules", "/usr/lib/node_modules", "/usr/share/nodejs"];
  for (const name of ["typescript", "esbuild", "sucrase"]) {
    let found;
    try {
      found = require(require.resolve(name, { paths: places }));
    } catch {
      continue;
    }
    if (name === "typescript") {
      const compilerOptions = { target: "ES2022", module: "ESNext", isolatedModules: true, verbatimModuleSyntax: true };
      return (source) => found.transpileModule(source, { compilerOptions }).outputText;
    }
    if (name === "esbuild") return (source) => found.transformSync(source, { loader: "ts" }).code;
    return (source) => found.transform(source, { transforms: ["typescript"] }).code;
  }
  throw new Error(
    `TypeScript needs node 22.13 or later, or the package typescript (node-typescript) in the image; this is node ${process.version}`
  );
}

let strip = null;
function plain(source) {
  if (language !== "typescript") return source;
  if (!strip) strip = stripper();
  return strip(source);
}

// --- cells
let interrupted = null;
process.on("SIGINT", () => {
  if (interrupted) interrupted(Object.assign(new Error("the cell was interrupted"), { name: "KeyboardInterrupt" }));
});
process.on("unhandledRejection", (error) => process.stderr.write(`Unhandled rejection: ${util.inspect(error)}\n`));
process.on("uncaughtException", (error) => {
  if (interrupted) interrupted(error);
  else process.stderr.write(`Uncaught: ${util.inspect(error)}\n`);
});

globalThis.require = userRequire;
globalThis.module = { exports: {} };
globalThis.exports = globalThis.module.exports;
globalThis.__filename = path.join(process.cwd(), "cell.js");
globalThis.__dirname = process.cwd();
globalThis.display = (value, raw) => show(value, false, raw);

async function importFromCell(name) {
  if (!/^[./]/.test(name)) {
    try {
      return await import(name.startsWith("node:") ? name : require("url").pathToFileURL(userRequire.resolve(name)).href);
    } catch {
      return import(name);
    }
  }
  return import(require("url").pathToFileURL(path.resolve(process.cwd(), name)).href);
}

async function run(source, count) {
  const filename = `Cell In[${count}]`;
  const { code, isAsync } = prepare(plain(source));
  const options = { filename, breakOnSigint: true, importModuleDynamically: importFromCell };
  const stop = new Promise((_, reject) => {
    interrupted = reject;
  });
  stop.catch(() => {});
  const value = vm.runInThisContext(code, options);
  if (!isAsync) return settle(value, stop);
  const last = await Promise.race([value, stop]);
  return last && settle(last.value, stop);
}

// A promise as the last value is waited for, as Jupyter's kernels do.
function settle(value, stop) {
  return util.types.isPromise(value) ? Promise.race([value, stop]) : value;
}

const KINDS = {
  "text/plain": "text",
  "text/html": "html",
  "text/markdown": "markdown",
  "image/svg+xml": "svg",
  "image/png": "png",
  "image/jpeg": "jpeg",
  "application/pdf": "pdf",
  "text/latex": "latex",
  "application/json": "json",
  "application/javascript": "javascript",
};

function show(value, isMain, isRaw) {
  const message = { type: "result", is_main_result: isMain, extra: {} };
  let bundle = isRaw ? value : null;
  const method = value && (value[Symbol.for("Jupyter.display")] || value._toMime);
  if (!bundle && typeof method === "function") bundle = method.call(value);
  if (bundle) {
    for (const [kind, content] of Object.entries(bundle)) {
      if (KINDS[kind]) message[KINDS[kind]] = content;
      else message.extra[kind] = content;
    }
  } else {
    message.text = typeof value === "string" ? value : util.inspect(value, { depth: 4, maxStringLength: 100000 });
  }
  write(message);
}

function report(error) {
  const isError = util.types.isNativeError(error) || error instanceof Error;
  let name = isError ? error.name || "Error" : "Error";
  let value = isError ? String(error.message) : util.inspect(error);
  if (error && error.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") [name, value] = ["KeyboardInterrupt", "the cell was interrupted"];
  const lines = isError && typeof error.stack === "string" ? error.stack.split("\n") : [`${name}: ${value}`];
  const own = lines.filter((line) => !/\(?(node:|.*kernel\.js|internal\/)/.test(line) || !/^\s+at /.test(line));
  write({ type: "error", name, value, traceback: own.join("\n") });
}

async function perform(request) {
  const previous = {};
  for (const [name, value] of Object.entries(request.env)) {
    previous[name] = process.env[name];
    process.env[name] = value;
  }
  try {
    const value = await run(request.code, request.count);
    globalThis._ = value;
    if (value !== undefined) show(value, true);
  } catch (error) {
    report(error);
  }
  interrupted = null;
  for (const [name, value] of Object.entries(previous)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  write({ type: "end", id: request.id });
}

// --- the channel
const net = require("net");
const channel = new net.Socket({ fd: CHANNEL, readable: true, writable: false });
const decoder = new StringDecoder("utf8");
let pending = "";
let turn = Promise.resolve();
channel.on("data", (data) => {
  pending += decoder.write(data);
  for (let end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n")) {
    const line = pending.slice(0, end);
    pending = pending.slice(end + 1);
    if (line.trim()) {
      const request = JSON.parse(line);
      if (request.id) turn = turn.then(() => perform(request));
    }
  }
});
channel.on("close", () => process.exit(0));
