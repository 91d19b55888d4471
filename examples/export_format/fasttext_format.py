"""The format `fasttext`: a category and a text on each line, as fastText trains with them."""

from workersai_core.api import Issue, hookimpl

MARK = "__label__"


class FastText:
    media_type = "text/plain; charset=utf-8"
    file_extension = "txt"

    def write(self, tasks):
        for task in tasks:
            params = task.params
            if task.task_type != "categorization" or task.status != "completed" or params["attachment_type"] != "text":
                continue
            chosen = task.response["category"]
            labels = [chosen] if isinstance(chosen, str) else chosen
            marked = [MARK + "_".join(label.split()) for label in labels]
            yield (" ".join([*marked, *params["attachment"].split()]) + "\n").encode()

    def read(self, file):
        lines = [line.split() for line in file.read().decode().splitlines()]
        categories = sorted({word.removeprefix(MARK) for words in lines for word in words if word.startswith(MARK)})
        for number, words in enumerate(lines, start=1):
            text = " ".join(word for word in words if not word.startswith(MARK))
            if text:
                params = {"attachment_type": "text", "attachment": text, "categories": categories}
                yield number, {"task_type": "categorization", "params": params}
            else:
                yield number, Issue("", "This line has no text.", "blank")


@hookimpl
def register_exporters():
    return {"fasttext": FastText()}
