// The Java kernel: a JShell in this process. It runs the scripts whose names come on descriptor 63
// and answers on 62 (script_kernel.py). Started from its source, so without a package.

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jshell.DeclarationSnippet;
import jdk.jshell.Diag;
import jdk.jshell.EvalException;
import jdk.jshell.ExpressionSnippet;
import jdk.jshell.JShell;
import jdk.jshell.JShellException;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import jdk.jshell.UnresolvedReferenceException;
import jdk.jshell.VarSnippet;

public class Kernel {
    // What the jshell command imports by default.
    private static final List<String> IMPORTS =
            List.of("io", "math", "net", "nio.file", "util", "util.concurrent", "util.function",
                    "util.prefs", "util.regex", "util.stream");

    private static final class Place {
        private final String cell;
        private final int line;

        private Place(String cell, int line) {
            this.cell = cell;
            this.line = line;
        }
    }

    private final FileOutputStream replies;
    private final Path folder;
    private final JShell shell;
    private final SourceCodeAnalysis analysis;
    private final Map<String, Place> places = new HashMap<>();
    private volatile boolean isInterrupted;
    // Which cell runs; 0 while none does.
    private volatile int cell;
    private int cellCount;
    private int answerCount;

    private Kernel(FileOutputStream replies, Path folder) {
        this.replies = replies;
        this.folder = folder;
        this.shell = JShell.builder().executionEngine("local").build();
        this.analysis = shell.sourceCodeAnalysis();
        for (String name : IMPORTS) shell.eval("import java." + name + ".*;");
    }

    public static void main(String[] arguments) throws Exception {
        System.setOut(stream(FileDescriptor.out));
        System.setErr(stream(FileDescriptor.err));
        try (BufferedReader commands = reader("/dev/fd/63");
                FileOutputStream replies = new FileOutputStream("/dev/fd/62")) {
            Kernel kernel = new Kernel(replies, Path.of(System.getenv("DIONO_FOLDER")));
            environment().remove("DIONO_FOLDER");
            kernel.listenForInterrupts();
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                kernel.perform(line.split("\t"));
            }
        }
        System.exit(0);
    }

    private static PrintStream stream(FileDescriptor descriptor) {
        BufferedOutputStream buffer = new BufferedOutputStream(new FileOutputStream(descriptor));
        return new PrintStream(buffer, true, StandardCharsets.UTF_8);
    }

    private static BufferedReader reader(String path) throws IOException {
        return new BufferedReader(
                new InputStreamReader(new FileInputStream(path), StandardCharsets.UTF_8));
    }

    // By reflection: the compiler cannot be kept from warning of sun.misc.
    private void listenForInterrupts() throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        Object stop =
                Proxy.newProxyInstance(
                        handler.getClassLoader(),
                        new Class<?>[] {handler},
                        (proxy, method, values) -> {
                            if (!method.getName().equals("handle")) return null;
                            stopCell(cell);
                            return null;
                        });
        Object interrupt = signal.getConstructor(String.class).newInstance("INT");
        signal.getMethod("handle", signal, handler).invoke(null, interrupt, stop);
    }

    // Again and again: JShell hears it while a snippet runs, not while it compiles the next.
    private void stopCell(int stopped) throws InterruptedException {
        isInterrupted = true;
        while (stopped != 0 && cell == stopped) {
            shell.stop();
            Thread.sleep(20);
        }
    }

    // The map behind System.getenv, which child processes get too.
    @SuppressWarnings("unchecked")
    private static Map<String, String> environment() throws ReflectiveOperationException {
        Map<String, String> shown = System.getenv();
        Field inner = shown.getClass().getDeclaredField("m");
        inner.setAccessible(true);
        return (Map<String, String>) inner.get(shown);
    }

    private void perform(String[] paths) throws Exception {
        Map<String, String> environment = environment();
        Map<String, String> previous = new HashMap<>();
        if (paths.length > 1) {
            for (String line : Files.readAllLines(Path.of(paths[1]))) {
                String[] pair = line.split("=", 2);
                previous.put(pair[0], environment.put(pair[0], pair[1]));
            }
        }
        isInterrupted = false;
        cell = ++cellCount;
        String fileName = Path.of(paths[0]).getFileName().toString();
        run(Files.readString(Path.of(paths[0])), fileName.substring(fileName.indexOf('-') + 1));
        cell = 0;
        System.out.flush();
        System.err.flush();
        previous.forEach(
                (name, value) -> {
                    if (value == null) environment.remove(name);
                    else environment.put(name, value);
                });
        say("done 0");
    }

    private void run(String source, String count) throws Exception {
        String rest = source.stripLeading();
        SnippetEvent last = null;
        while (!rest.isBlank()) {
            CompletionInfo next = analysis.analyzeCompletion(rest);
            boolean isWhole = next.completeness().isComplete();
            // What is incomplete or beyond it: the compiler knows best what is wrong.
            String code = isWhole ? next.source() : rest;
            int start = source.length() - rest.length();
            int line = 1 + (int) source.substring(0, start).chars().filter(c -> c == '\n').count();
            rest = isWhole ? next.remaining().stripLeading() : "";
            List<SnippetEvent> events = isInterrupted ? List.of() : shell.eval(code);
            if (isInterrupted) {
                report("KeyboardInterrupt", "the cell was interrupted", "");
                return;
            }
            for (SnippetEvent event : events) {
                places.putIfAbsent("#" + event.snippet().id(), new Place("Cell In[" + count + "]", line));
            }
            for (SnippetEvent event : events) {
                if (fails(event, code, "Cell In[" + count + "], line " + line)) return;
                if (event.causeSnippet() == null) last = event;
            }
        }
        if (last != null) show(last);
    }

    private boolean fails(SnippetEvent event, String code, String place) throws IOException {
        if (event.causeSnippet() != null) return false;
        if (event.exception() != null) {
            reportException(event.exception());
            return true;
        }
        if (event.status() == Snippet.Status.REJECTED) {
            List<Diag> errors =
                    shell.diagnostics(event.snippet())
                            .filter(Diag::isError)
                            .collect(Collectors.toList());
            String value = errors.isEmpty() ? "not Java" : errors.get(0).getMessage(Locale.ROOT);
            String trace =
                    errors.stream()
                            .map(error -> described(error, code))
                            .collect(Collectors.joining("\n", place + ":\n", ""));
            report("CompileError", value, trace);
            return true;
        }
        return false;
    }

    // The message, the line it is about and a mark below the place.
    private static String described(Diag error, String code) {
        int at = Math.max(0, Math.min((int) error.getStartPosition(), code.length()));
        int start = code.lastIndexOf('\n', at - 1) + 1;
        int end = code.indexOf('\n', at);
        String line = code.substring(start, end < 0 ? code.length() : end);
        return error.getMessage(Locale.ROOT) + "\n" + line + "\n" + " ".repeat(at - start) + "^";
    }

    private void reportException(JShellException exception) throws IOException {
        if (exception instanceof UnresolvedReferenceException) {
            DeclarationSnippet snippet = ((UnresolvedReferenceException) exception).getSnippet();
            String missing =
                    shell.unresolvedDependencies(snippet).collect(Collectors.joining(", "));
            report("UnresolvedReference", "not declared yet: " + missing, "");
            return;
        }
        EvalException thrown = (EvalException) exception;
        String name = thrown.getExceptionClassName();
        String message = thrown.getMessage() == null ? "" : thrown.getMessage();
        report(name.substring(name.lastIndexOf('.') + 1), message, traceback(thrown));
    }

    private String traceback(EvalException thrown) {
        StringBuilder text = new StringBuilder();
        for (Throwable each = thrown; each instanceof EvalException; each = each.getCause()) {
            if (each != thrown) text.append("Caused by: ");
            text.append(((EvalException) each).getExceptionClassName());
            if (each.getMessage() != null) text.append(": ").append(each.getMessage());
            for (StackTraceElement frame : each.getStackTrace()) {
                text.append("\n\tat ").append(described(frame));
            }
            text.append("\n");
        }
        return text.toString().stripTrailing();
    }

    // JShell's frames name the snippet and its line: say where in which cell that is.
    private String described(StackTraceElement frame) {
        Place place = places.get(String.valueOf(frame.getFileName()));
        if (place == null) return frame.toString();
        String method = frame.getClassName() + "." + frame.getMethodName();
        String name = method.startsWith(".") ? method.substring(1) : method;
        int line = place.line + frame.getLineNumber() - 1;
        return name + "(" + place.cell + ", line " + line + ")";
    }

    private void show(SnippetEvent event) throws IOException {
        Snippet snippet = event.snippet();
        String type;
        if (snippet instanceof ExpressionSnippet) {
            type = ((ExpressionSnippet) snippet).typeName();
        } else if (snippet.subKind() == Snippet.SubKind.TEMP_VAR_EXPRESSION_SUBKIND) {
            type = ((VarSnippet) snippet).typeName();
        } else {
            return;
        }
        String value = event.value();
        if (value == null) return;
        boolean isQuoted = type.equals("String") && value.startsWith("\"") && value.length() > 1;
        answer("text", isQuoted ? value.substring(1, value.length() - 1) : value);
    }

    private void report(String name, String value, String trace) throws IOException {
        answer("error", name + "\n" + value.replaceAll("\\R+", " ") + "\n" + trace);
    }

    private void answer(String kind, String text) throws IOException {
        // What was printed before this is to arrive before it.
        System.out.flush();
        System.err.flush();
        answerCount += 1;
        Path path = folder.resolve("answer-" + answerCount);
        Files.writeString(path, text);
        say(kind + " " + path);
    }

    private void say(String line) throws IOException {
        replies.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
