// A small document for checking pages without a browser: elements, events, a virtual clock.
var clock = { now: 0, next: 1, timers: {} };
function schedule(callback, delay, repeat) {
  var id = clock.next++;
  clock.timers[id] = { callback: callback, at: clock.now + (delay || 0), every: repeat ? Math.max(delay || 1, 1) : 0 };
  return id;
}
function setTimeout(callback, delay) { return schedule(callback, delay, false); }
function setInterval(callback, delay) { return schedule(callback, delay, true); }
function clearTimeout(id) { delete clock.timers[id]; }
var clearInterval = clearTimeout;
function requestAnimationFrame(callback) { return schedule(function () { callback(clock.now); }, 16, false); }
var cancelAnimationFrame = clearTimeout;
var START = 1700000000000;
Date.now = function () { return START + clock.now; };
var performance = { now: function () { return clock.now; } };
function advance(milliseconds) {
  var end = clock.now + milliseconds;
  for (var guard = 0; guard < 100000; guard++) {
    var due = null;
    for (var id in clock.timers) {
      if (clock.timers[id].at <= end && (due === null || clock.timers[id].at < clock.timers[due].at)) due = id;
    }
    if (due === null) break;
    var timer = clock.timers[due];
    clock.now = Math.max(clock.now, timer.at);
    if (timer.every) timer.at += timer.every; else delete clock.timers[due];
    timer.callback();
  }
  clock.now = end;
}
function Element(tag, attributes) {
  this.tagName = tag.toUpperCase();
  this.attributes = {};
  this.children = [];
  this.parentNode = null;
  this.listeners = {};
  this.ownText = "";
  this.style = {};
  this.dataset = {};
  this.checked = false; this.disabled = false; this.hidden = false; this.ownValue = null;
  for (var name in attributes) this.setAttribute(name, attributes[name]);
}
Element.prototype = {
  setAttribute: function (name, value) {
    this.attributes[name] = String(value);
    if (name === "value") this.ownValue = String(value);
    if (name === "checked" || name === "hidden" || name === "disabled") this[name] = true;
    if (name.indexOf("data-") === 0) {
      this.dataset[name.slice(5).replace(/-(.)/g, function (_, c) { return c.toUpperCase(); })] = String(value);
    }
  },
  getAttribute: function (name) { return name in this.attributes ? this.attributes[name] : null; },
  removeAttribute: function (name) { delete this.attributes[name]; },
  hasAttribute: function (name) { return name in this.attributes; },
  get id() { return this.attributes.id || ""; },
  set id(value) { this.attributes.id = value; },
  get name() { return this.attributes.name || ""; },
  get type() { return this.attributes.type || (this.tagName === "INPUT" ? "text" : ""); },
  set type(value) { this.attributes.type = value; },
  get className() { return this.attributes["class"] || ""; },
  set className(value) { this.attributes["class"] = value; },
  get classList() {
    var element = this;
    function names() { return element.className.split(/\s+/).filter(Boolean); }
    return {
      contains: function (name) { return names().indexOf(name) >= 0; },
      add: function (name) { if (!this.contains(name)) element.className = names().concat(name).join(" "); },
      remove: function (name) { element.className = names().filter(function (n) { return n !== name; }).join(" "); },
      toggle: function (name, force) {
        var on = force === undefined ? !this.contains(name) : force;
        if (on) this.add(name); else this.remove(name);
        return on;
      },
    };
  },
  get value() {
    if (this.ownValue !== null) return this.ownValue;
    if (this.tagName === "SELECT") {
      var options = this.querySelectorAll("option");
      return options.length ? options[0].value : "";
    }
    if (this.tagName === "OPTION" || this.tagName === "TEXTAREA" || this.tagName === "OUTPUT") return this.textContent;
    return "";
  },
  set value(value) { this.ownValue = String(value); },
  get valueAsNumber() { return this.value === "" ? NaN : Number(this.value); },
  get textContent() {
    return this.ownText + this.children.map(function (child) { return child.textContent; }).join("");
  },
  set textContent(value) { this.children = []; this.ownText = String(value); this.ownValue = null; },
  get innerText() { return this.textContent; },
  set innerText(value) { this.textContent = value; },
  get innerHTML() { return this.textContent; },
  set innerHTML(value) { this.textContent = String(value).replace(/<[^>]*>/g, ""); },
  get firstChild() { return this.children[0] || null; },
  get elements() {
    var found = this.querySelectorAll("input").concat(this.querySelectorAll("select"), this.querySelectorAll("textarea"));
    found.forEach(function (element) { if (element.name) found[element.name] = element; });
    return found;
  },
  append: function () { for (var i = 0; i < arguments.length; i++) this.appendChild(arguments[i]); },
  appendChild: function (child) {
    if (typeof child === "string") { var text = new Element("text", {}); text.ownText = child; child = text; }
    child.parentNode = this;
    this.children.push(child);
    return child;
  },
  prepend: function (child) { child.parentNode = this; this.children.unshift(child); },
  removeChild: function (child) { this.children = this.children.filter(function (c) { return c !== child; }); return child; },
  remove: function () { if (this.parentNode) this.parentNode.removeChild(this); },
  replaceChildren: function () { this.children = []; this.ownText = ""; this.append.apply(this, arguments); },
  addEventListener: function (type, listener) { (this.listeners[type] = this.listeners[type] || []).push(listener); },
  removeEventListener: function (type, listener) {
    this.listeners[type] = (this.listeners[type] || []).filter(function (l) { return l !== listener; });
  },
  dispatchEvent: function (event) {
    event.target = event.target || this;
    for (var element = this; element; element = element.parentNode) {
      event.currentTarget = element;
      (element.listeners[event.type] || []).slice().forEach(function (listener) { listener.call(element, event); });
      if (typeof element["on" + event.type] === "function") element["on" + event.type](event);
    }
    return !event.defaultPrevented;
  },
  click: function () {
    if (this.disabled) return;
    if (this.type === "checkbox") { this.checked = !this.checked; fire(this, "change"); }
    var kept = fire(this, "click");
    if (!kept || this.tagName !== "BUTTON" || (this.attributes.type || "submit") !== "submit") return;
    for (var form = this.parentNode; form && form.tagName !== "FORM"; ) form = form.parentNode;
    if (form) fire(form, "submit");
  },
  focus: function () {}, blur: function () {}, reset: function () {
    this.elements.forEach(function (e) { e.ownValue = e.attributes.value === undefined ? null : e.attributes.value; });
  },
  reportValidity: function () { return true; },
  matches: function (selector) { return matches(this, selector); },
  closest: function (selector) {
    for (var e = this; e; e = e.parentNode) if (matches(e, selector)) return e;
    return null;
  },
  querySelectorAll: function (selector) {
    var found = [];
    (function walk(element) {
      element.children.forEach(function (child) { if (matches(child, selector)) found.push(child); walk(child); });
    })(this);
    return found;
  },
  querySelector: function (selector) { return this.querySelectorAll(selector)[0] || null; },
};
function simple(element, part) {
  var tokens = part.match(/^[a-zA-Z][\w-]*|#[\w-]+|\.[\w-]+|\[[^\]]+\]/g) || [];
  return tokens.length > 0 && tokens.every(function (token) {
    if (token[0] === "#") return element.id === token.slice(1);
    if (token[0] === ".") return element.classList.contains(token.slice(1));
    if (token[0] === "[") {
      var pair = token.slice(1, -1).split("=");
      if (pair.length === 1) return element.hasAttribute(pair[0]);
      return element.getAttribute(pair[0]) === pair[1].replace(/^["']|["']$/g, "");
    }
    return element.tagName === token.toUpperCase();
  });
}
function matches(element, selector) {
  return selector.split(",").some(function (one) {
    var parts = one.trim().split(/\s+/), last = parts.pop();
    if (!simple(element, last)) return false;
    for (var e = element.parentNode; e && parts.length; e = e.parentNode) {
      if (simple(e, parts[parts.length - 1])) parts.pop();
    }
    return parts.length === 0;
  });
}
function Event(type) { this.type = type; this.defaultPrevented = false; }
Event.prototype.preventDefault = function () { this.defaultPrevented = true; };
Event.prototype.stopPropagation = function () {};
function fire(element, type) { return element.dispatchEvent(new Event(type)); }
function build(node) {
  var element = new Element(node.tag, node.attributes);
  element.ownText = node.text;
  node.children.forEach(function (child) { element.appendChild(build(child)); });
  return element;
}
function FormData(form) { this.form = form; }
FormData.prototype.get = function (name) { var e = this.form.elements[name]; return e ? e.value : null; };
var stored = {};
var localStorage = {
  getItem: function (key) { return key in stored ? stored[key] : null; },
  setItem: function (key, value) { stored[key] = String(value); },
  removeItem: function (key) { delete stored[key]; },
};
var sessionStorage = localStorage;
var window = globalThis, self = globalThis, document = null, complaints = [];
window.addEventListener = function (type, listener) { document.addEventListener(type, listener); };
var console = { log: function () {}, info: function () {}, warn: function () {}, error: function (text) { complaints.push(String(text)); } };
function alert() {}
function open(tree) {
  document = build(tree);
  document.getElementById = function (id) { return document.querySelector("#" + id); };
  document.createElement = function (tag) { return new Element(tag, {}); };
  document.createTextNode = function (text) { var e = new Element("text", {}); e.ownText = text; return e; };
  document.body = document.querySelector("body");
  document.readyState = "complete";
  document.documentElement = document;
}
