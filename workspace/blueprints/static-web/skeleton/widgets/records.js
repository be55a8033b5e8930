"use strict";
// A list that lives in this browser: add, mark as done, delete.
(function () {
  for (const widget of document.querySelectorAll("[data-records]")) {
    const key = "records-" + widget.dataset.records;
    const form = widget.querySelector("form");
    const list = widget.querySelector(".rows");
    const inputs = Array.from(form.querySelectorAll("[data-type]"));
    let rows = JSON.parse(localStorage.getItem(key) || "[]");

    function button(name, text, action) {
      const element = document.createElement("button");
      element.type = "button";
      element.className = name;
      element.textContent = text;
      element.addEventListener("click", action);
      return element;
    }

    function save() {
      localStorage.setItem(key, JSON.stringify(rows));
      show();
    }

    function show() {
      list.replaceChildren(...rows.map((row) => {
        const item = document.createElement("li");
        const text = document.createElement("span");
        text.textContent = row.values.filter((value) => value !== "" && value !== false).join(" · ");
        item.classList.toggle("done", row.done);
        item.append(
          text,
          button("toggle", row.done ? "Undo" : "Done", () => { row.done = !row.done; save(); }),
          button("delete", "Delete", () => { rows = rows.filter((one) => one !== row); save(); }),
        );
        return item;
      }));
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const values = inputs.map((input) => (input.type === "checkbox" ? input.checked : input.value.trim()));
      if (inputs.some((input, index) => input.hasAttribute("required") && values[index] === "")) return;
      rows.push({ values: values, done: false });
      for (const input of inputs) {
        if (input.type === "checkbox") input.checked = false;
        else input.value = "";
      }
      save();
    });
    show();
  }
})();
