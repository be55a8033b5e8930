export const PYTHON_EXAMPLE = `from e2b import Sandbox

with Sandbox.create(timeout=300) as sandbox:
    sandbox.files.write("hello.py", "print('hello', 6 * 7)")
    result = sandbox.commands.run("python3 hello.py")
    print(result.stdout)`;

/** Lines for a shell. The values are the server's own: a key and addresses, without quotes. */
export function environmentLines(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${value}`)
    .join('\n');
}
