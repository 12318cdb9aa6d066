"""A process whose standard error is read as it comes."""

import subprocess
import threading

TIMEOUT_SECONDS = 30


class LoggedProcess:
    """Whoever starts the process calls `_follow` with it.

    Attributes:
        log: What it wrote to standard error so far.
    """

    def __init__(self) -> None:
        self.log: list[str] = []
        self._grown = threading.Condition()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        threading.Thread(target=self._read_log, daemon=True).start()

    def wait_for_line(self, text: str, seconds: float = TIMEOUT_SECONDS) -> str:
        """Return the first line of the log that holds the text, as soon as there is one."""
        return self._wait(text, 0, seconds)

    def wait_for_line_after(self, text: str, seen: int) -> str:
        """Return the first such line beyond the first `seen` ones."""
        return self._wait(text, seen, TIMEOUT_SECONDS)

    def close(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def _wait(self, text: str, seen: int, seconds: float) -> str:
        def find() -> str | None:
            return next((line for line in self.log[seen:] if text in line), None)

        with self._grown:
            found = self._grown.wait_for(find, seconds)
        assert found, f"no {text!r} in the log: {self.log[seen:]}"
        return found

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                with self._grown:
                    self.log.append(line.rstrip("\n"))
                    self._grown.notify_all()
