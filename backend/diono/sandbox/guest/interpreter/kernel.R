# The R kernel: runs the scripts whose names come on descriptor 63, answers on 62 (script_kernel.py).
# Not below the global environment: what cells define there must not replace what is used here.
local(envir = new.env(parent = baseenv()), {
  folder <- Sys.getenv("DIONO_FOLDER")
  Sys.unsetenv("DIONO_FOLDER")
  if (!l10n_info()[["UTF-8"]]) Sys.setlocale("LC_ALL", "C.UTF-8")

  # Opened each time: closeAllConnections() in a cell must not end the kernel.
  hear <- function() {
    commands <- fifo("/dev/fd/63", "r", blocking = TRUE)
    on.exit(close(commands))
    readLines(commands, 1L)
  }
  say <- function(...) {
    replies <- fifo("/dev/fd/62", "w", blocking = TRUE)
    on.exit(close(replies))
    cat(..., "\n", sep = "", file = replies)
  }
  answer_count <- 0L
  answer <- function(kind, lines) {
    answer_count <<- answer_count + 1L
    path <- file.path(folder, paste0("answer-", answer_count))
    file <- base::file(path, "wb")
    writeLines(enc2utf8(paste(lines, collapse = "\n")), file, sep = "", useBytes = TRUE)
    close(file)
    say(kind, " ", path)
  }

  # --- plots: a device of our own, closed at the end of each cell
  pictures <- file.path(folder, "pictures")
  dir.create(pictures)
  ours <- integer()
  options(
    warn = 1, # at once: the kernel's loop is one call, at whose end they would come otherwise
    device = function(...) {
      pages <- file.path(pictures, sprintf("%06d-%%06d.png", answer_count))
      answer_count <<- answer_count + 1L
      grDevices::png(pages, width = 960, height = 720, res = 120, type = "cairo")
      ours <<- c(ours, grDevices::dev.cur())
    }
  )
  show_plots <- function() {
    for (device in intersect(ours, grDevices::dev.list())) grDevices::dev.off(device)
    ours <<- integer()
    for (path in sort(list.files(pictures, full.names = TRUE))) say("png ", path)
  }

  # --- values and errors
  printed <- function(value) {
    generic <- if (isS4(value)) methods::show else print
    # Called from where the methods of cells are found; quoted, for a value may be code itself.
    eval(as.call(list(generic, call("quote", value))), globalenv())
  }
  show_value <- function(value) {
    lines <- utils::capture.output(printed(value))
    if (length(lines)) answer("text", lines)
  }
  label <- function(call) {
    text <- paste(deparse(call, nlines = 3L), collapse = " ")
    source <- attr(call, "srcref")
    if (is.null(source)) return(text)
    paste0(text, " at ", attr(source, "srcfile")$filename, "#", source[[1L]])
  }
  report <- function(name, value, trace) {
    answer("error", c(name, gsub("[\r\n]+", " ", value), trace))
  }
  report_error <- function(error, calls) {
    message <- conditionMessage(error)
    call <- conditionCall(error)
    is_cell <- identical(call, quote(eval(expressions[[index]], globalenv())))
    head <- if (is.null(call) || is_cell) "Error" else paste("Error in", deparse(call, nlines = 1L)[[1L]])
    trace <- if (length(calls)) paste0("  ", rev(calls))
    report(class(error)[[1L]], message, c(paste0(head, ": ", message), trace))
  }

  # --- cells
  evaluate <- function(expressions) {
    for (index in seq_along(expressions)) {
      result <- withVisible(eval(expressions[[index]], globalenv()))
      if (!result$visible) next
      if (index == length(expressions)) show_value(result$value) else printed(result$value)
    }
  }
  perform <- function(path) {
    name <- paste0("Cell In[", sub(".*-", "", basename(path)), "]")
    lines <- readLines(path, encoding = "UTF-8", warn = FALSE)
    calls <- character()
    is_parsed <- FALSE
    tryCatch(
      allowInterrupts({
        source <- srcfilecopy(name, lines, isFile = FALSE)
        expressions <- parse(text = lines, srcfile = source, keep.source = TRUE)
        is_parsed <- TRUE
        withCallingHandlers(evaluate(expressions), error = function(error) {
          stack <- sys.calls()
          start <- max(which(vapply(stack, function(call) identical(call[[1L]], quote(evaluate)), NA)))
          # Below it withVisible and two frames of eval; above it the handler and what called it.
          stack <- stack[seq_along(stack) > start + 3L & seq_along(stack) < length(stack) - 1L]
          calls <<- vapply(stack, label, "")
        })
      }),
      interrupt = function(condition) {
        report("KeyboardInterrupt", "the cell was interrupted", character())
      },
      error = function(error) {
        if (is_parsed) return(report_error(error, calls))
        report("ParseError", conditionMessage(error), paste("Error:", conditionMessage(error)))
      }
    )
    try(show_plots())
  }

  with_variables <- function(listing, action) {
    pairs <- regmatches(listing, regexpr("=", listing), invert = TRUE)
    names <- vapply(pairs, `[`, "", 1L)
    previous <- Sys.getenv(names, unset = NA, names = TRUE)
    do.call(Sys.setenv, stats::setNames(lapply(pairs, `[`, 2L), names))
    on.exit({
      Sys.unsetenv(names[is.na(previous)])
      kept <- previous[!is.na(previous)]
      if (length(kept)) do.call(Sys.setenv, as.list(kept))
    })
    action
  }

  suspendInterrupts(repeat {
    command <- hear()
    if (!length(command)) break
    # One that came too late for its cell must not stop the next.
    tryCatch(allowInterrupts(NULL), interrupt = function(condition) NULL)
    parts <- strsplit(command, "\t", fixed = TRUE)[[1L]]
    listing <- if (length(parts) > 1L) readLines(parts[[2L]], encoding = "UTF-8") else character()
    if (length(listing)) with_variables(listing, perform(parts[[1L]])) else perform(parts[[1L]])
    say("done 0")
  })
})
