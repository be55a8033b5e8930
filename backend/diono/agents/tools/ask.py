"""The tool that asks the user. The loop itself asks, durably; nothing happens in a step."""

from diono.agents.port import JsonObject, Question
from diono.agents.tools.port import BaseTool, ToolContext, ToolFacts, ToolResult, text_parameter

ASK_USER = "ask_user"
_CHOICES = 8


class AskUser(BaseTool):
    facts = ToolFacts(
        name=ASK_USER,
        description="Ask the user a question and wait for the answer. Only if you cannot go on.",
        parameters={
            "question": text_parameter("The question."),
            "choices": {"type": "array", "items": {"type": "string"}, "description": "Answers."},
        },
        required=("question",),
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        return ToolResult(text="Nobody can be asked here.", is_error=True)


def question_of(arguments: JsonObject, key: str, expires_seconds: float) -> Question:
    choices = tuple(str(one)[:200] for one in arguments.get("choices", ()))[:_CHOICES]
    return Question(
        key=key,
        kind="question",
        text=str(arguments["question"])[:2000],
        choices=choices,
        expires_seconds=expires_seconds,
    )
