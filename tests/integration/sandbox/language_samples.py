"""For each language: a greeting that reads an argument and its input, a mistake, an endless loop.

The greeting prints ``hello ARGUMENT INPUT``.
"""

SAMPLES: dict[str, tuple[str, str, str]] = {
    "python": (
        "import sys\nprint('hello', sys.argv[1], input())",
        "print('x'\n",
        "while True: pass",
    ),
    "javascript": (
        "console.log('hello', process.argv[2], require('fs').readFileSync(0, 'utf8'))",
        "console.log('x'",
        "while (true) {}",
    ),
    "typescript": (
        (
            "import * as fs from 'fs'\nenum Word { greeting = 'hello' }\nconst said: string = "
            "fs.readFileSync(0, 'utf8')\nconsole.log(Word.greeting, process.argv[2], said)"
        ),
        "const count: number = 'x'",
        "while (true) {}",
    ),
    "bash": ('read said; echo "hello $1 $said"', "if [ x", "while :; do :; done"),
    "c": (
        (
            '#include <stdio.h>\nint main(int n, char **a) { char s[99]; scanf("%98s", s); '
            'printf("hello %s %s\\n", a[1], s); return 0; }'
        ),
        "int main( {",
        "int main(void) { for (;;); }",
    ),
    "cpp": (
        (
            "#include <iostream>\n#include <string>\nint main(int, char **a) { std::string s; "
            'std::cin >> s; std::cout << "hello " << a[1] << " " << s << "\\n"; }'
        ),
        "int main( {",
        "int main() { for (volatile int i = 0;;) i = i + 1; }",
    ),
    "go": (
        (
            'package main\nimport (\n"fmt"\n"os"\n)\nfunc main() { var s string; fmt.Scan(&s); '
            'fmt.Println("hello", os.Args[1], s) }'
        ),
        "package main\nfunc main( {",
        "package main\nfunc main() { for { } }",
    ),
    "java": (
        (
            "import java.util.Scanner;\nclass Helper {}\npublic class Greeter { public static void "
            'main(String[] a) { System.out.println("hello " + a[0] + " " + new Scanner(System.in)'
            ".next()); } }"
        ),
        "public class Main {",
        "class Main { public static void main(String[] a) { while (true); } }",
    ),
    "rust": (
        (
            "fn main() { let a: Vec<String> = std::env::args().collect(); "
            "let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); "
            'println!("hello {} {}", a[1], s); }'
        ),
        "fn main( {",
        "fn main() { loop {} }",
    ),
    "ruby": ('puts "hello #{ARGV[0]} #{STDIN.read}"', "puts (", "loop {}"),
    "php": (
        '<?php echo "hello " . $argv[1] . " " . stream_get_contents(STDIN);',
        "<?php echo (",
        "<?php while (true);",
    ),
    "perl": ('print "hello $ARGV[0] " . <STDIN>', "print (", "while (1) {}"),
    "r": (
        (
            'said <- readLines(file("stdin"), warn = FALSE)\n'
            'cat("hello", commandArgs(trailingOnly = TRUE)[1], said, "\\n")'
        ),
        "print(",
        "while (TRUE) {}",
    ),
}
