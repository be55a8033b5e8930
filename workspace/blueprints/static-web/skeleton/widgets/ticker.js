"use strict";
// A display that changes every second: start, pause, reset. What a second does and how the time
// is written are functions of the page (nextSecond, formatTime).
(function () {
  for (const widget of document.querySelectorAll("[data-ticker]")) {
    const find = (selector) => widget.querySelector(selector);
    const countsDown = widget.dataset.ticker === "down";
    const inputs = Array.from(widget.querySelectorAll("input[data-seconds]"));
    const display = find(".display");
    const startButton = find(".start");
    let seconds = 0;
    let timer = null;
    let isFresh = true;

    function chosen() {
      return inputs.reduce((sum, input) => sum + (Number(input.value) || 0) * Number(input.dataset.seconds), 0);
    }

    function show() {
      display.textContent = window.formatTime(seconds);
      display.classList.toggle("finished", countsDown && seconds <= 0 && !isFresh);
      startButton.textContent = timer === null ? "Start" : "Pause";
    }

    function stop() {
      if (timer !== null) clearInterval(timer);
      timer = null;
    }

    function tick() {
      seconds = window.nextSecond(seconds);
      if (countsDown && seconds <= 0) {
        seconds = 0;
        stop();
      }
      show();
    }

    function reset() {
      stop();
      seconds = countsDown ? chosen() : 0;
      isFresh = true;
      show();
    }

    startButton.addEventListener("click", () => {
      if (timer !== null) {
        stop();
      } else {
        if (isFresh || (countsDown && seconds <= 0)) seconds = countsDown ? chosen() : 0;
        isFresh = false;
        if (!countsDown || seconds > 0) timer = setInterval(tick, 1000);
      }
      show();
    });
    find(".reset").addEventListener("click", reset);
    for (const input of inputs) {
      input.addEventListener("input", () => {
        if (timer === null) reset();
      });
    }
    reset();
  }
})();
