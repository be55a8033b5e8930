"use strict";
// A form whose inputs are the arguments of one function, and whose output is its result.
(function () {
  function valueOf(input) {
    if (input.dataset.type === "bool") return input.checked;
    if (input.dataset.type === "int" || input.dataset.type === "float") {
      const number = Number(input.value);
      if (input.value.trim() === "" || Number.isNaN(number)) throw new Error("Please enter a number.");
      return number;
    }
    return input.value;
  }

  function textOf(result) {
    if (result === null || result === undefined) return "";
    if (typeof result === "number") return String(Number(result.toPrecision(10)));
    if (typeof result === "boolean") return result ? "yes" : "no";
    if (Array.isArray(result)) return result.map(textOf).join(", ");
    if (typeof result === "object") {
      return Object.keys(result).map((key) => key + ": " + textOf(result[key])).join("\n");
    }
    return String(result);
  }

  for (const form of document.querySelectorAll("form[data-function]")) {
    const output = form.querySelector("output");
    const problem = form.querySelector(".problem");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      problem.textContent = "";
      try {
        const values = Array.from(form.querySelectorAll("[data-type]")).map(valueOf);
        output.textContent = textOf(window[form.dataset.function](...values));
      } catch (error) {
        output.textContent = "";
        problem.textContent = error.message;
      }
    });
  }
})();
