"""The official code interpreter SDK."""

import time
from collections.abc import AsyncGenerator

import pytest
from contract.e2b.service_rig import Service
from contract.e2b.uniform import Uniform
from e2b import NotFoundException
from e2b_code_interpreter import AsyncSandbox, Sandbox

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]


@pytest.fixture
def sdk(is_async: bool) -> Uniform:
    return Uniform(AsyncSandbox if is_async else Sandbox)


@pytest.fixture(scope="module")
def _template(service: Service) -> None:
    """The image is built at its first use, which takes a while."""
    with service.client() as client:
        for _ in range(200):
            body = {"templateID": "code-interpreter-v1", "timeout": 10}
            reply = client.post("/v2/sandboxes", json=body)
            if reply.status_code == 201:
                client.delete(f"/sandboxes/{reply.json()['sandboxID']}")
                return
            assert reply.status_code == 503, reply.text
            time.sleep(float(reply.headers["Retry-After"]))
    pytest.fail("the interpreter's image is not built in time")


@pytest.fixture
async def sandbox(sdk: Uniform, _template: None) -> AsyncGenerator[Uniform]:
    created = await sdk.create(timeout=180)
    yield created
    await created.kill()


async def test_the_default_template_is_the_interpreters(sandbox: Uniform) -> None:
    assert (await sandbox.get_info()).name == "code-interpreter-v1"


async def test_python_keeps_its_state(sandbox: Uniform) -> None:
    await sandbox.run_code("x = 20")
    execution = await sandbox.run_code("print('out'); x + 1")
    assert execution.text == "21"
    assert execution.logs.stdout == ["out\n"]
    assert execution.error is None
    assert execution.execution_count >= 2


async def test_output_and_results_are_told_as_they_come(sandbox: Uniform) -> None:
    out: list[str] = []
    err: list[str] = []
    results: list[str | None] = []
    await sandbox.run_code(
        "import sys\nprint('a')\nprint('b', file=sys.stderr)\n'value'",
        on_stdout=lambda message: out.append(message.line),
        on_stderr=lambda message: err.append(message.line),
        on_result=lambda result: results.append(result.text),
    )
    assert ("".join(out), "".join(err), results) == ("a\n", "b\n", ["value"])


async def test_an_error_has_name_value_and_traceback(sandbox: Uniform) -> None:
    errors: list[str] = []
    execution = await sandbox.run_code("1/0", on_error=lambda error: errors.append(error.name))
    assert execution.error is not None
    assert (execution.error.name, execution.error.value) == (
        "ZeroDivisionError",
        "division by zero",
    )
    assert "ZeroDivisionError" in execution.error.traceback
    assert errors == ["ZeroDivisionError"]


async def test_rich_results(sandbox: Uniform) -> None:
    code = """
from IPython.display import HTML, JSON, Markdown, display
display(HTML("<b>bold</b>"), Markdown("*md*"), JSON({"a": 1}))
"""
    execution = await sandbox.run_code(code)
    assert execution.error is None, execution.error
    assert [result.html for result in execution.results if result.html] == ["<b>bold</b>"]
    assert [result.markdown for result in execution.results if result.markdown] == ["*md*"]
    assert [result.json for result in execution.results if result.json] == [{"a": 1}]


async def test_tables_and_charts(sandbox: Uniform) -> None:
    table = await sandbox.run_code("import pandas\npandas.DataFrame({'a': [1, 2]})")
    assert table.results[0].html is not None
    assert "<table" in table.results[0].html
    code = """
import matplotlib.pyplot as plt
plt.bar(["x", "y"], [3, 4]); plt.title("Bars"); plt.show()
"""
    execution = await sandbox.run_code(code)
    assert execution.error is None, execution.error
    result = next(each for each in execution.results if each.png)
    assert result.chart is not None
    assert (result.chart.type.value, result.chart.title) == ("bar", "Bars")
    assert [element.value for element in result.chart.elements] == [3, 4]


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        ("javascript", "console.log('js'); 1 + 1", "js\n"),
        ("typescript", "const n: number = 2; console.log('ts', n)", "ts 2\n"),
        ("bash", "echo bash", "bash\n"),
    ],
)
async def test_other_languages(sandbox: Uniform, language: str, code: str, expected: str) -> None:
    execution = await sandbox.run_code(code, language=language)
    assert execution.error is None, execution.error
    assert "".join(execution.logs.stdout) == expected


async def test_contexts_are_apart(sandbox: Uniform) -> None:
    context = await sandbox.create_code_context(cwd="/tmp", language="python")
    assert (context.cwd, context.language) == ("/tmp", "python")
    await sandbox.run_code("only_here = 1", context=context)
    assert (await sandbox.run_code("only_here", context=context)).text == "1"
    assert (await sandbox.run_code("only_here")).error is not None
    assert context.id in [each.id for each in await sandbox.list_code_contexts()]
    await sandbox.restart_code_context(context)
    assert (await sandbox.run_code("only_here", context=context)).error is not None
    await sandbox.remove_code_context(context.id)
    assert context.id not in [each.id for each in await sandbox.list_code_contexts()]
    with pytest.raises(NotFoundException):
        await sandbox.run_code("1", context=context)


async def test_variables_of_the_call_reach_the_code(sandbox: Uniform) -> None:
    execution = await sandbox.run_code("import os; os.environ['ONCE']", envs={"ONCE": "yes"})
    assert execution.text == "yes"


async def test_a_cell_ends_at_its_time_limit(sandbox: Uniform) -> None:
    with pytest.raises(Exception, match=r"[Tt]ime"):
        await sandbox.run_code("import time\ntime.sleep(60)", timeout=1)
    assert (await sandbox.run_code("1 + 1", timeout=20)).text == "2"
