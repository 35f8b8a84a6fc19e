"use strict";

// Text only ever becomes text: nothing of the document is read as markup.
function made(name, text, kind) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function resolved(api, thing) {
  if (!thing || !thing.$ref) return thing;
  return thing.$ref.slice(2).split("/").reduce((found, step) => found[step.replace("~1", "/")], api);
}

function worded(api, schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.join(" | ");
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type || "any";
  if (type === "array") return worded(api, schema.items) + "[]";
  const bounds = [];
  for (const name of ["format", "minimum", "maximum", "minLength", "maxLength", "pattern"]) {
    if (schema[name] !== undefined) bounds.push(name + " " + schema[name]);
  }
  return type + (bounds.length ? " (" + bounds.join(", ") + ")" : "");
}

function table(rows) {
  const drawn = made("table");
  for (const cells of rows) {
    const row = made("tr");
    cells.forEach((cell, at) => row.append(made("td", cell, at > 1 ? "quiet" : "")));
    drawn.append(row);
  }
  return drawn;
}

function fields(api, schema, depth) {
  const found = resolved(api, schema);
  if (!found || depth > 4) return [];
  if (found.type === "array") return fields(api, found.items, depth + 1);
  const needed = new Set(found.required || []);
  return Object.entries(found.properties || {}).flatMap(([name, inner]) => {
    const own = ["· ".repeat(depth) + name + (needed.has(name) ? "" : "?"), worded(api, inner), inner.description || ""];
    return [own, ...fields(api, inner, depth + 1)];
  });
}

function body(api, title, content) {
  const parts = [];
  for (const [type, media] of Object.entries(content || {})) {
    parts.push(made("h4", title + ": " + type));
    const rows = fields(api, media.schema, 0);
    parts.push(rows.length ? table(rows) : made("p", worded(api, media.schema), "quiet"));
  }
  return parts;
}

function drawn(api, method, path, operation) {
  const whole = made("details");
  const head = made("summary");
  head.append(made("span", method.toUpperCase(), "method"), made("code", path), made("span", "  " + operation.summary, "quiet"));
  whole.append(head);
  whole.id = operation.operationId;
  if (operation.description) whole.append(made("p", operation.description));
  whole.append(made("p", "Open to: " + operation["x-roles"].join(", "), "quiet"));
  const shared = (api.paths[path].parameters || []).concat(operation.parameters || []).map((one) => resolved(api, one));
  if (shared.length) {
    whole.append(made("h4", "Parameters"));
    whole.append(table(shared.map((one) => [one.name + (one.required ? "" : "?"), one.in, worded(api, one.schema), one.description || ""])));
  }
  if (operation.requestBody) whole.append(...body(api, "Body", operation.requestBody.content));
  const problems = [];
  for (const [status, response] of Object.entries(operation.responses)) {
    if (Number(status) >= 400) problems.push(status);
    else whole.append(made("h4", "Answer " + status), ...body(api, "Body", resolved(api, response).content));
  }
  whole.append(made("p", "Problems (RFC 9457): " + problems.join(", "), "quiet"));
  return whole;
}

function show(api) {
  document.getElementById("title").textContent = api.info.title + " " + api.info.version;
  document.getElementById("about").textContent = api.info.description;
  const main = document.getElementById("operations");
  for (const tag of api.tags) {
    const section = made("section");
    section.append(made("h2", tag.name), made("p", tag.description, "quiet"));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.operationId && operation.tags.includes(tag.name)) section.append(drawn(api, method, path, operation));
      }
    }
    main.append(section);
  }
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  if (wanted) wanted.open = true;
}

document.getElementById("find").addEventListener("input", (event) => {
  const word = event.target.value.toLowerCase();
  for (const one of document.querySelectorAll("details")) one.hidden = !one.textContent.toLowerCase().includes(word);
});

fetch("/v1/openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch(() => { document.getElementById("about").textContent = "The document could not be read."; });
