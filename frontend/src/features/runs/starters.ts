/** A first program for each language that a new reader can run as it is. */
const starters: Record<string, string> = {
  python: 'import sys\n\nname = sys.stdin.readline().strip() or "you"\nprint(f"Hello, {name}!")\n',
  javascript:
    'const name = require("fs").readFileSync(0, "utf8").trim() || "you";\nconsole.log(`Hello, ${name}!`);\n',
  typescript: 'const squares: number[] = [1, 2, 3].map((n) => n * n);\nconsole.log(squares);\n',
  bash: 'read -r name\necho "Hello, ${name:-you}!"\n',
  c: '#include <stdio.h>\n\nint main(void) {\n    puts("Hello!");\n    return 0;\n}\n',
  cpp: '#include <iostream>\n\nint main() {\n    std::cout << "Hello!" << std::endl;\n}\n',
  go: 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("Hello!")\n}\n',
  java: 'public class Main {\n    public static void main(String[] args) {\n        System.out.println("Hello!");\n    }\n}\n',
  rust: 'fn main() {\n    println!("Hello!");\n}\n',
  ruby: 'name = gets.to_s.strip\nputs "Hello, #{name.empty? ? "you" : name}!"\n',
  php: '<?php\necho "Hello!\\n";\n',
  perl: 'use strict;\nuse warnings;\nprint "Hello!\\n";\n',
  r: 'squares <- (1:5)^2\nprint(squares)\n',
};

export function starterFor(language: string): string {
  return starters[language] ?? '';
}

/** Whether nothing of the user's would be lost. */
export function isStarter(code: string): boolean {
  return code.trim() === '' || Object.values(starters).includes(code);
}
