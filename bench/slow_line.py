"""A line to a server that is far away: `python -m bench.slow_line MS CUT TARGET LISTEN PORT…`.

What comes at LISTEN goes on to the same port of TARGET after half of MS; an answer takes the other
half. A new connection costs its caller a whole round trip before his first byte is on its way, as
the handshake does. With CUT, each CUT-th connection that carries data is broken off, and with it
the oldest of those that stand.
"""

import asyncio
import sys
from collections.abc import Sequence
from itertools import count

BLOCK = 64 * 1024
Ways = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Line:
    """All connections between one caller and one server."""

    def __init__(self, *, seconds: float, cut: int, target: str) -> None:
        self._seconds = seconds
        self._cut = cut
        self._target = target
        self._numbers = count(1)
        self._standing: list[asyncio.StreamWriter] = []

    async def carry(
        self, port: int, reader: asyncio.StreamReader, back: asyncio.StreamWriter
    ) -> None:
        """Bring the bytes of one connection there and back."""
        called = asyncio.get_running_loop().time()
        await asyncio.sleep(self._seconds / 2)
        try:
            answers, there = await asyncio.open_connection(self._target, port, limit=BLOCK)
        except OSError:
            back.transport.abort()
            return
        self._standing.append(back)
        if self._cut and next(self._numbers) % self._cut == 0:
            self._standing.pop(0).transport.abort()
        ready = called + self._seconds
        await asyncio.gather(
            self._bring(reader, there, earliest=ready), self._bring(answers, back, earliest=called)
        )
        if back in self._standing:
            self._standing.remove(back)

    async def _bring(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, earliest: float
    ) -> None:
        """Each block leaves half a round trip after it came; the order stays."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(256)

        async def collect() -> None:
            block = b"-"
            while block:
                try:
                    block = await reader.read(BLOCK)
                except OSError:
                    block = b""
                await waiting.put((max(loop.time(), earliest) + self._seconds / 2, block))

        collecting = asyncio.create_task(collect())
        try:
            while True:
                due, block = await waiting.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not block:
                    break
                writer.write(block)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.transport.abort()
        finally:
            collecting.cancel()


async def serve(line: Line, *, listen: str, ports: Sequence[int]) -> None:
    """Listen until the process is ended."""
    for port in ports:
        await asyncio.start_server(
            lambda reader, writer, port=port: line.carry(port, reader, writer), listen, port
        )
    print("ready", flush=True)
    await asyncio.Event().wait()


def main(milliseconds: str, cut: str, target: str, listen: str, *ports: str) -> None:
    """Carry connections."""
    line = Line(seconds=float(milliseconds) / 1000, cut=int(cut), target=target)
    asyncio.run(serve(line, listen=listen, ports=[int(port) for port in ports]))


if __name__ == "__main__":
    main(*sys.argv[1:])
