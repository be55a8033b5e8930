"use strict";
const listing = document.getElementById("app").dataset.listing;
const editor = document.getElementById("editor");
const inputs = [...editor.querySelectorAll("[name]")];
const saveButton = document.getElementById("save");
const stopButton = document.getElementById("stop");
const addLabel = saveButton.textContent;
let editing = null;

async function call(method, path, body) {
  const answer = await fetch(listing + path, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  const value = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) {
    const detail = value && value.detail;
    throw new Error(typeof detail === "string" ? detail : "Please check the fields.");
  }
  return value;
}

function report(error) {
  document.getElementById("problem").textContent = error ? error.message : "";
}

function valueOf(input) {
  if (input.dataset.type === "boolean") return input.checked;
  if (input.value === "") return null;
  return ["integer", "number"].includes(input.dataset.type) ? Number(input.value) : input.value;
}

function fill(row) {
  for (const input of inputs) {
    const value = row ? row[input.name] : null;
    if (input.dataset.type === "boolean") input.checked = Boolean(value);
    else input.value = value === null || value === undefined ? "" : value;
  }
  editing = row ? row.id : null;
  saveButton.textContent = row ? "Save changes" : addLabel;
  stopButton.hidden = !row;
}

function button(text, action) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = text;
  element.addEventListener("click", () => action().catch(report));
  return element;
}

function rowElement(row) {
  const item = document.createElement("li");
  const texts = document.createElement("div");
  for (const input of inputs) {
    const value = row[input.name];
    if (input.dataset.type === "boolean") {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = value;
      box.addEventListener("change", () =>
        call("PATCH", "/" + row.id, { [input.name]: box.checked }).then(refresh).catch(report));
      label.append(box, " " + input.name.replaceAll("_", " "));
      texts.append(label);
    } else if (value !== null && value !== "") {
      const part = document.createElement(texts.childElementCount ? "p" : "strong");
      part.textContent = value;
      part.title = input.name.replaceAll("_", " ");
      texts.append(part);
    }
  }
  const remove = async () => { await call("DELETE", "/" + row.id); await refresh(); };
  item.append(texts, button("Edit", async () => fill(row)), button("Delete", remove));
  return item;
}

async function refresh() {
  const query = document.getElementById("search").value;
  const rows = await call("GET", query ? "?q=" + encodeURIComponent(query) : "");
  document.getElementById("rows").replaceChildren(...rows.map(rowElement));
  document.getElementById("empty").hidden = rows.length > 0;
}

editor.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const body = Object.fromEntries(inputs.map((input) => [input.name, valueOf(input)]));
    await call(editing === null ? "POST" : "PUT", editing === null ? "" : "/" + editing, body);
    fill(null);
    report(null);
    await refresh();
  } catch (error) {
    report(error);
  }
});
stopButton.addEventListener("click", () => fill(null));
document.getElementById("search").addEventListener("input", () => refresh().catch(report));
refresh().catch(report);
